"""Cases that may not begin, because their item is withdrawn.

Whether an item is withdrawn the catalogue says; whether a case has begun, the journal. A case that is under way goes on, also one that comes
from another node, and so does one that was filed before the item was withdrawn and is entered after. What is turned away is an entry like every rejection.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Self

from zongheng.v1.catalogue_pb2 import Item
from zongheng.v1.intake_pb2 import Submission

from node.projection.context import Contexts
from node.store.store import Store

SIGNED_FOR: Final = "signed_for"
"""The kind of event with which a case that began elsewhere comes to a node."""


def withdrawn_since(items: Iterable[Item]) -> dict[str, int]:
    """Code → the instant since which it is withdrawn (µs since the epoch), of items whose newest version says so."""
    newest: dict[str, Item] = {}
    for item in items:
        if item.code not in newest or item.version >= newest[item.code].version:
            newest[item.code] = item
    return {code: item.valid_from_us for code, item in newest.items() if item.withdrawn}


class Withdrawn:
    """Looks at what is handed in. Make one for a node."""

    def __init__(
        self,
        items: Callable[[], Awaitable[Sequence[Item]]],
        begun: Callable[[Collection[str]], Awaitable[Collection[str]]],
    ) -> None:
        """``items`` gives every published version, the same object as long as they are the same; ``begun`` which of some cases are under way."""
        self._items = items
        self._begun = begun
        self._known: tuple[Sequence[Item], Mapping[str, int]] = ((), {})

    @classmethod
    def over(
        cls, store: Store, contexts: Contexts, settled: Callable[[], Awaitable[object]], node: str
    ) -> Self:
        """Over a node's projections; ``settled`` waits until they have read all that is journalled."""

        async def items() -> Sequence[Item]:
            return (await contexts.of(node)).context.items

        async def begun(cases: Collection[str]) -> Collection[str]:
            await settled()
            async with store.read() as session:
                return {event.case_id for event in await session.events.of_cases(node, sorted(cases))}

        return cls(items, begun)

    async def closed(self, submissions: Sequence[Submission]) -> frozenset[str]:
        """The cases among these submissions that may not begin."""
        since = await self._since()
        if not since:
            return frozenset()
        before, after = set(), set()
        for event in (submission.event for submission in submissions):
            withdrawn_us = since.get(event.item)
            if withdrawn_us is None or event.kind == SIGNED_FOR or event.at_us < withdrawn_us:
                before.add(event.case_id)
            else:
                after.add(event.case_id)
        asked = after - before
        return frozenset(asked.difference(await self._begun(asked)) if asked else asked)

    async def _since(self) -> Mapping[str, int]:
        items = await self._items()
        if items is not self._known[0]:
            self._known = items, withdrawn_since(items)
        return self._known[1]
