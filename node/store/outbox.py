"""What is on its way out of the node to mail servers and webhooks: durable until it was taken.

Sent at least once: killed between sending and forgetting, the same message goes out again under the same id.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.engine import Transaction


class Outgoing(NamedTuple):
    """One message."""

    id: str
    """The same at every attempt; the receiver can tell a repetition by it."""
    channel: str
    """mail, webhook."""
    recipient: str
    body: str
    """JSON, as its channel wants it."""
    made_at_us: int
    next_at_us: int
    attempts: int


COLUMNS: Final = Outgoing._fields


class Outbox:
    """Messages that nobody has taken yet."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, messages: Sequence[Outgoing]) -> None:
        """Add messages; one whose id is there stays as it is."""
        await self._tx.insert("outbox", COLUMNS, messages, "ON CONFLICT DO NOTHING")

    async def due(self, now_us: int, limit: int) -> list[Outgoing]:
        """Messages to try now, the longest due first."""
        rows = await self._tx.all(
            f"SELECT {', '.join(COLUMNS)} FROM outbox WHERE next_at_us <= ? ORDER BY next_at_us, id LIMIT ?",
            now_us,
            limit,
        )
        return [Outgoing(*row) for row in rows]

    async def again(self, message_id: str, at_us: int) -> None:
        """An attempt failed; try again at an instant."""
        await self._tx.run(
            "UPDATE outbox SET attempts = attempts + 1, next_at_us = ? WHERE id = ?", at_us, message_id
        )

    async def done(self, message_id: str) -> None:
        """It was taken, or given up."""
        await self._tx.run("DELETE FROM outbox WHERE id = ?", message_id)

    async def count(self) -> int:
        """How many wait."""
        row = await self._tx.one("SELECT COUNT(*) FROM outbox")
        return 0 if row is None else int(row[0])
