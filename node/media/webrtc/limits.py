"""How many a worker takes on, and a clear no beyond it.

Too many viewers do not get a worse picture each: the event loop falls behind, receivers ask for what is late a second time, and everybody's picture
stops. So who would be one too many is told so, with a time after which to ask again, and those who watch go on watching.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from federation.errors import ZonghengError

_LOOK_S: Final = 0.25
_LOOKS: Final = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one worker."""

    viewers: int = 400
    """Sessions at once, publishers included: what one core serves of 720p at 1.5 Mb/s, with room to spare."""
    ports: range | None = None
    """UDP ports that are bound for them, one for each session and address; None: whichever the system gives."""
    offers_at_once: int = 2
    """Offers that are being answered; each costs some milliseconds of the event loop."""
    offers_waiting: int = 98
    """Offers that wait for these."""
    lag_s: float = 0.15
    """How late the event loop may be for a second on end; beyond it nobody new is let in."""
    connect_s: float = 15.0
    """Within which who was answered has to connect."""
    silent_s: float = 5.0
    """After so long without a frame a publisher's place may be taken by another; a muted one still sends."""


class Admission:
    """Who is let in."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._gate = asyncio.Semaphore(limits.offers_at_once)
        self._offers = 0
        self.inside = 0
        """Sessions there are."""
        self._lags: deque[float] = deque(maxlen=_LOOKS)

    @property
    def lag_s(self) -> float:
        """By how many seconds the event loop was late all through the last second, at least."""
        return min(self._lags) if len(self._lags) == _LOOKS else 0.0

    def enter(self) -> None:
        """One more session. Raises ZonghengError `at_capacity`."""
        if self.inside >= self._limits.viewers:
            raise ZonghengError(
                "at_capacity",
                f"{self.inside} watch here already, which is all this machine serves: ask again later",
                retry_after_ms=10_000,
            )
        if self.lag_s > self._limits.lag_s:
            raise ZonghengError(
                "at_capacity",
                "this machine has all it can do at the moment: ask again in some seconds",
                retry_after_ms=5_000,
            )
        self.inside += 1

    def leave(self) -> None:
        """A session is over."""
        self.inside -= 1

    @asynccontextmanager
    async def offer(self) -> AsyncIterator[None]:
        """While an offer is answered. Raises ZonghengError `at_capacity`."""
        if self._offers >= self._limits.offers_at_once + self._limits.offers_waiting:
            raise ZonghengError(
                "at_capacity", "too many ask at once: ask again in a moment", retry_after_ms=1_000
            )
        self._offers += 1
        try:
            async with self._gate:
                yield
        finally:
            self._offers -= 1

    async def look(self) -> None:
        """Measure how late the event loop is, for as long as this runs."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOK_S
            await asyncio.sleep(_LOOK_S)
            self._lags.append(loop.time() - due)
