"""Receipts: which entries from above the node of a journal has entered, and so signed for."""

from collections.abc import Sequence
from typing import NamedTuple

from node.store.engine import Transaction


class ReceiptRow(NamedTuple):
    """The entry at ``idx`` of the journal of ``origin`` is the receipt of the sender's entry at ``sender_idx``."""

    origin: str
    sender: str
    sender_idx: int
    idx: int


class Receipts:
    """Receipts by journal."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[ReceiptRow]) -> None:
        """Keep receipts; of one entry the first stays."""
        await self._tx.insert("receipt", ReceiptRow._fields, rows, "ON CONFLICT DO NOTHING")

    async def of(self, origin: str, sender: str, indexes: Sequence[int]) -> set[int]:
        """Which of the sender's entries the node has signed for."""
        rows = await self._tx.all(
            "SELECT sender_idx FROM receipt WHERE origin = ? AND sender = ? AND sender_idx = ANY(?)",
            origin,
            sender,
            list(indexes),
        )
        return {index for (index,) in rows}

    async def between(self, origin: str, lo: int, hi: int) -> list[int]:
        """Indexes of a journal's receipts from ``lo`` on and below ``hi``, in order."""
        rows = await self._tx.all(
            "SELECT idx FROM receipt WHERE origin = ? AND idx >= ? AND idx < ? ORDER BY idx", origin, lo, hi
        )
        return [index for (index,) in rows]
