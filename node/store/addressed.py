"""Which entries of the own journal are for somebody below: found without reading the journal, and numbered as they are written.

A guard like `seen`: written in the append's own transaction, and given back by the journal (`rows_of`) where leaves are put back
as they were.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry

from federation.link.descent import Last, Stream, sent_by
from node.store.engine import Transaction

_COLUMNS: Final = ("idx", "sender", "node", "subtree", "number", "sender_idx")


class AddressedRow(NamedTuple):
    """One entry of the own journal that is for somebody below, or the receipt of one."""

    idx: int
    sender: str
    node: str
    subtree: int
    number: int
    sender_idx: int


class Addressed:
    """Addressed entries by index."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[AddressedRow]) -> None:
        """Enter rows; one that is there stays."""
        await self._tx.insert("addressed", _COLUMNS, rows, "ON CONFLICT DO NOTHING")

    async def cut(self, size: int) -> None:
        """Forget what the journal gives up from ``size`` on."""
        await self._tx.run("DELETE FROM addressed WHERE idx >= ?", size)

    async def last(self, stream: Stream) -> Last:
        """The newest entry of a stream; number 0: there is none."""
        row = await self._tx.one(
            "SELECT number, sender_idx FROM addressed WHERE sender = ? AND node = ? AND subtree = ?"
            " ORDER BY number DESC LIMIT 1",
            stream.sender,
            stream.node,
            int(stream.subtree),
        )
        return Last() if row is None else Last(*row)

    async def streams(self, but: str, since: int = 0) -> dict[Stream, Last]:
        """The newest entry of every stream but those of one sender, of what lies at ``since`` or later."""
        rows = await self._tx.all(
            "SELECT sender, node, subtree, MAX(number), MAX(sender_idx) FROM addressed WHERE sender <> ?"
            " AND idx >= ? GROUP BY sender, node, subtree",
            but,
            since,
        )
        return {
            Stream(sender, node, bool(subtree)): Last(number, idx)
            for sender, node, subtree, number, idx in rows
        }

    async def withheld(self) -> int:
        """How often an entry was kept from this node, as later ones showed."""
        row = await self._tx.one(
            "SELECT COUNT(*) FROM seen WHERE source = ? AND SUBSTR(serial, 1, 9) = ?", "above", "withheld/"
        )
        return 0 if row is None else int(row[0])

    async def page(self, lo: int, hi: int, most: int) -> list[AddressedRow]:
        """At most so many rows with index in ``[lo, hi)``, in order."""
        rows = await self._tx.all(
            f"SELECT {', '.join(_COLUMNS)} FROM addressed WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?",
            lo,
            hi,
            most,
        )
        return [AddressedRow(*row) for row in rows]

    async def newest(self, hi: int, most: int) -> list[AddressedRow]:
        """The last rows with an index below ``hi``, the newest first."""
        rows = await self._tx.all(
            f"SELECT {', '.join(_COLUMNS)} FROM addressed WHERE idx < ? ORDER BY idx DESC LIMIT ?", hi, most
        )
        return [AddressedRow(*row) for row in rows]


def row_of(own: str, idx: int, entry: Entry) -> AddressedRow | None:
    """The row of the own journal's entry at ``idx``; None: it is for nobody below."""
    placed = sent_by(own, idx, entry)
    if placed is None:
        return None
    stream, place = placed
    return AddressedRow(idx, stream.sender, stream.node, int(stream.subtree), place.number, place.index)


def rows_of(own: str, first: int, leaves: Sequence[bytes]) -> list[AddressedRow]:
    """The rows of leaves of the own journal that are put back as they were, from index ``first`` on."""
    rows = []
    for idx, leaf in enumerate(leaves, first):
        try:
            row = row_of(own, idx, Entry.FromString(leaf))
        except DecodeError:
            continue
        if row is not None:
            rows.append(row)
    return rows
