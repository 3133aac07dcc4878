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
        """Whether somebody who answers help calls, other than ``besides``, has a page open: they are on duty."""
        return any(listener.answers and listener.who != besides for listener in self._all)
