"""What was made public, here and below, as entries of the own journal say it: a projection. Key (origin, idx)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.store.engine import Transaction

_COLUMNS: Final = ("origin", "idx", "own_idx", "published_at_us", "body")


@dataclass(frozen=True, slots=True)
class DisclosureRow:
    """One disclosure."""

    origin: str
    idx: int
    own_idx: int
    """Index, in the own journal, of the entry that holds it: the disclosure itself, or what rose from below with its proof."""
    published_at_us: int
    body: bytes
    """The serialised Disclosure message."""


class Disclosures:
    """Disclosure rows."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[DisclosureRow]) -> None:
        """Enter disclosures; one that is there already stays as it is."""
        values = [tuple(getattr(row, column) for column in _COLUMNS) for row in rows]
        await self._tx.insert("disclosure", _COLUMNS, values, "ON CONFLICT (origin, idx) DO NOTHING")

    async def newest(self, limit: int, origin: str = "") -> list[DisclosureRow]:
        """The newest first, of one node or of all."""
        rows = await self._tx.all(
            f"SELECT {', '.join(_COLUMNS)} FROM disclosure WHERE ? = '' OR origin = ?"
            " ORDER BY published_at_us DESC, origin, idx LIMIT ?",
            origin,
            origin,
            limit,
        )
        return [DisclosureRow(who, idx, own, at, bytes(body)) for who, idx, own, at, body in rows]
