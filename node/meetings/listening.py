"""People who wait for news of meetings: a page that is open at this node.

What waits for somebody is which meetings changed, never each change: who is slow hears once how things stand now, and nothing grows while they are away.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from federation.errors import ZonghengError

MOST_LISTENERS: Final = 500
MOST_EACH: Final = 8
"""Pages that one person may have open."""

GRACE_S: Final = 15.0
"""Who answers help calls is on duty for so long after their page went: it comes back by itself, as pages do when their connection ends."""


@dataclass(eq=False)
class Listener:
    """One page of somebody."""

    who: str
    answers: bool
    """They answer help calls."""
    _changed: dict[str, None] = field(default_factory=dict)
    _some: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, meeting: str) -> None:
        self._changed[meeting] = None
        self._some.set()

    async def news(self, within_s: float) -> list[str]:
        """The meetings that changed since this was asked last, as soon as there are any; none when the time is up."""
        try:
            async with asyncio.timeout(within_s):
                await self._some.wait()
        except TimeoutError:
            return []
        self._some.clear()
        changed, self._changed = self._changed, {}
        return list(changed)


class Listeners:
    """Everybody who waits for news at one node."""

    def __init__(self) -> None:
        self._all: dict[Listener, None] = {}
        self._answered_s: dict[str, float] = {}
        """When a page went of those who answer help calls."""

    @contextmanager
    def listening(self, who: str, answers: bool) -> Iterator[Listener]:
        """Somebody waits for as long as the context lasts. Raises ZonghengError `busy`."""
        self.room_for(who)
        listener = Listener(who, answers)
        self._all[listener] = None
        try:
            yield listener
        finally:
            del self._all[listener]
            if answers:
                self._answered_s[who] = asyncio.get_running_loop().time()

    def room_for(self, who: str) -> None:
        """Raises ZonghengError `busy` where no further page of somebody can wait."""
        if len(self._all) >= MOST_LISTENERS or sum(each.who == who for each in self._all) >= MOST_EACH:
            raise ZonghengError("busy", "too many pages wait for calls at once: close some of them")

    def tell(self, meeting: str) -> None:
        for listener in self._all:
            listener.hear(meeting)

    def are_there(self, who: str) -> bool:
        """Whether somebody has a page open."""
        return any(listener.who == who for listener in self._all)

    def somebody_answers(self, besides: str = "") -> bool:
        """Whether somebody who answers help calls, other than ``besides``, has a page open or had one a moment ago: they are on duty."""
        late_s = asyncio.get_running_loop().time() - GRACE_S
        for who in [each for each, went_s in self._answered_s.items() if went_s < late_s]:
            del self._answered_s[who]
        there = {listener.who for listener in self._all if listener.answers} | self._answered_s.keys()
        return bool(there - {besides})
