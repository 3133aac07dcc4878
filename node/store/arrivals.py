"""Cases that came down to a node: what the sender above said about each, as the receipt in the node's journal holds it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.engine import Transaction

_COLUMNS: Final = ("origin", "idx", "case_id", "sender", "sender_idx", "number", "event")


class ArrivalRow(NamedTuple):
    """A case on its way to the node ``origin``. Key (origin, idx)."""

    origin: str
    idx: int
    """Of the receipt."""
    case_id: str
    sender: str
    sender_idx: int
    number: int
    """Serial of the handing over, as its sender counts."""
    event: bytes
    """The sender's ``CaseEvent``."""


class Arrivals:
    """Arrivals by journal."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[ArrivalRow]) -> None:
        """Keep arrivals; one that is there stays."""
        await self._tx.insert("arrival", _COLUMNS, rows, "ON CONFLICT DO NOTHING")

    async def unsigned(self, origin: str, most: int) -> list[ArrivalRow]:
        """The newest arrival of each case that no entry after it signed for, the oldest first."""
        rows = await self._tx.all(
            f"SELECT {', '.join(f'a.{name}' for name in _COLUMNS)} FROM arrival a WHERE a.origin = ?"
            " AND a.idx = (SELECT MAX(b.idx) FROM arrival b WHERE b.origin = a.origin AND b.case_id = a.case_id)"
            " AND NOT EXISTS (SELECT 1 FROM event e WHERE e.origin = a.origin AND e.case_id = a.case_id"
            " AND e.kind = 'signed_for' AND e.idx > a.idx) ORDER BY a.idx LIMIT ?",
            origin,
            most,
        )
        return [ArrivalRow(*row) for row in rows]
