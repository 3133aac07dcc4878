"""Steps of items on their way into the catalogue. A projection of every journal held here."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.engine import Row, Transaction


class ItemStepRow(NamedTuple):
    """One step."""

    origin: str
    item: str
    version: int
    idx: int
    at_us: int
    body: bytes
    """Serialised ``ItemStep``."""


STEP: Final = ItemStepRow._fields
_SELECT: Final = f"SELECT {', '.join(STEP)} FROM item_step"


class ItemSteps:
    """Steps by journal and item."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[ItemStepRow]) -> None:
        """Add steps; those that are there stay."""
        await self._tx.insert("item_step", STEP, rows, "ON CONFLICT DO NOTHING")

    async def of(self, origin: str, item: str) -> list[ItemStepRow]:
        """The steps of one item's versions, in order."""
        rows = await self._tx.all(f"{_SELECT} WHERE origin = ? AND item = ? ORDER BY idx", origin, item)
        return [_row(row) for row in rows]

    async def all(self, origin: str) -> list[ItemStepRow]:
        """Every step of a journal's items, in order."""
        rows = await self._tx.all(f"{_SELECT} WHERE origin = ? ORDER BY idx", origin)
        return [_row(row) for row in rows]


def _row(row: Row) -> ItemStepRow:
    origin, item, version, idx, at_us, body = row
    return ItemStepRow(origin, item, version, idx, at_us, bytes(body))
