"""The nodes of the subtree as they introduced themselves: serialised ``NodeCard`` messages."""

from collections.abc import Sequence

from node.store.engine import Transaction


class Cards:
    """Cards by node."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, cards: Sequence[tuple[str, bytes]]) -> None:
        """Keep cards, given as (node, body), in place of older ones."""
        newest = dict(cards)
        await self._tx.insert(
            "card",
            ("node", "body"),
            list(newest.items()),
            "ON CONFLICT (node) DO UPDATE SET body = excluded.body",
        )

    async def get(self, node: str) -> bytes | None:
        """One node's card; None: unknown."""
        row = await self._tx.one("SELECT body FROM card WHERE node = ?", node)
        return None if row is None else bytes(row[0])

    async def all(self) -> dict[str, bytes]:
        """Every card by node, in order."""
        return {
            node: bytes(body)
            for node, body in await self._tx.all("SELECT node, body FROM card ORDER BY node")
        }
