"""Journals as they are stored: exact leaf bytes by (origin, index), full hash tiles, one head a journal.

This repository writes what it is told and checks only that indexes follow each other; who may append is `writer` (the own
journal) and `inbox` (received ones). Nothing here ever changes a leaf, and two ways only take leaves away: `cut`, when the own
journal gives up a branch that its parent does not hold, and `renew`, when a child goes on in another log and what was held is kept apart.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from federation.journal.merkle import EMPTY_ROOT
from federation.journal.tile import TILE_HEIGHT, Tile, TileBuilder, TileError, TileReader
from node.store.engine import Row, Transaction
from node.store.errors import StoreConflict
from node.store.rows import Head

_HEAD: Final = "origin, log_id, verifier, size, root, note, signed_at_us, cosigned_size, cosigned_note"
_LEAVES_AT_ONCE: Final = 256


class Journal:
    """Heads, leaves and tiles."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def head(self, origin: str) -> Head | None:
        """What is held of one journal; None: nothing."""
        row = await self._tx.one(f"SELECT {_HEAD} FROM log WHERE origin = ?", origin)
        return None if row is None else Head(*row)

    async def own(self) -> Head | None:
        """The node's own journal; None before its first entry."""
        row = await self._tx.one(f"SELECT {_HEAD} FROM log WHERE own = 1")
        return None if row is None else Head(*row)

    async def heads(self) -> list[Head]:
        """Every journal, own and received, by origin."""
        return [Head(*row) for row in await self._tx.all(f"SELECT {_HEAD} FROM log ORDER BY origin")]

    async def open(self, head: Head, *, own: bool) -> None:
        """Begin a journal with its first head. Raises StoreConflict when the origin has one already."""
        await self._tx.run(
            f"INSERT INTO log ({_HEAD}, own) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *_head_row(head),
            int(own),
        )

    async def advance(self, head: Head, size_before: int) -> None:
        """Replace a head. Raises StoreConflict unless the stored one is at ``size_before``: somebody else wrote."""
        touched = await self._tx.run(
            "UPDATE log SET verifier = ?, size = ?, root = ?, note = ?, signed_at_us = ?,"
            " cosigned_size = CASE own WHEN 1 THEN cosigned_size ELSE ? END"
            " WHERE origin = ? AND size = ? AND log_id = ?",
            head.verifier,
            head.size,
            head.root,
            head.note,
            head.signed_at_us,
            head.size,
            head.origin,
            size_before,
            head.log_id,
        )
        if touched != 1:
            raise StoreConflict(
                f"the journal of {head.origin} is no longer at {size_before}: somebody else wrote to it"
            )

    async def cosigned(self, origin: str, size: int, note: str) -> None:
        """Keep the newest head that somebody cosigned; an older one than is kept changes nothing."""
        await self._tx.run(
            "UPDATE log SET cosigned_size = ?, cosigned_note = ? WHERE origin = ? AND cosigned_size <= ?",
            size,
            note,
            origin,
            size,
        )

    async def renew(self, origin: str, log_id: str, verifier: str) -> None:
        """Hold another log of a child from its first entry on: nothing is held of it yet."""
        await self._tx.run(
            "UPDATE log SET log_id = ?, verifier = ?, size = 0, root = ?, note = '', cosigned_size = 0, cosigned_note = ''"
            " WHERE origin = ? AND own = 0",
            log_id, verifier, EMPTY_ROOT, origin,
        )  # fmt: skip
        await self._tx.run("DELETE FROM journal WHERE origin = ?", origin)
        await self._tx.run("DELETE FROM tile WHERE origin = ?", origin)

    async def rename(self, head: Head) -> None:
        """Let the own journal go on in the log of ``head``, at the size that it has; the parent has cosigned nothing of that log."""
        await self._tx.run(
            "UPDATE log SET log_id = ?, verifier = ?, note = ?, signed_at_us = ?, cosigned_size = 0, cosigned_note = ''"
            " WHERE origin = ? AND own = 1 AND size = ?",
            head.log_id, head.verifier, head.note, head.signed_at_us, head.origin, head.size,
        )  # fmt: skip

    async def cut(self, head: Head, size_before: int) -> None:
        """Take the own journal back to ``head``: leaves, tiles and the guards of serials and addresses beyond it are gone.

        Raises StoreConflict unless it stands at ``size_before``.
        """
        await self.advance(head, size_before)
        await self._tx.run("DELETE FROM journal WHERE origin = ? AND idx >= ?", head.origin, head.size)
        await self._tx.run("DELETE FROM seen WHERE idx >= ?", head.size)
        await self._tx.run("DELETE FROM addressed WHERE idx >= ?", head.size)
        for (level,) in await self._tx.all("SELECT DISTINCT level FROM tile WHERE origin = ?", head.origin):
            whole = head.size >> TILE_HEIGHT * (level + 1)
            await self._tx.run(
                "DELETE FROM tile WHERE origin = ? AND level = ? AND n >= ?", head.origin, level, whole
            )

    async def append(self, origin: str, first: int, leaves: Sequence[bytes]) -> None:
        """Store leaves from index ``first`` on. Raises StoreConflict when one of the indexes is taken."""
        rows = [(origin, index, leaf) for index, leaf in enumerate(leaves, first)]
        await self._tx.insert("journal", ("origin", "idx", "leaf"), rows)

    async def put_tiles(self, origin: str, tiles: Sequence[Tile]) -> None:
        """Store full tiles."""
        rows = [(origin, tile.level, tile.index, tile.hashes) for tile in tiles]
        await self._tx.insert("tile", ("origin", "level", "n", "hashes"), rows)

    async def leaves(self, origin: str, lo: int, hi: int, max_bytes: int | None = None) -> list[bytes]:
        """Leaves ``[lo, hi)``, as many of them as are held.

        With ``max_bytes`` it stops before the leaf that would exceed it, but gives at least one.
        """
        if max_bytes is None:
            return [
                leaf
                for (leaf,) in await self._tx.all(
                    "SELECT leaf FROM journal WHERE origin = ? AND idx >= ? AND idx < ? ORDER BY idx",
                    origin,
                    lo,
                    hi,
                )
            ]
        found: list[bytes] = []
        room = max_bytes
        while lo < hi:
            step = min(hi, lo + _LEAVES_AT_ONCE)
            run = await self.leaves(origin, lo, step)
            for leaf in run:
                room -= len(leaf)
                if room < 0 and found:
                    return found
                found.append(leaf)
            if len(run) < step - lo:
                break
            lo = step
        return found

    async def entries(self, origin: str, indexes: Sequence[int]) -> list[tuple[int, bytes]]:
        """Index and leaf of those of the indexes that are held, in order."""
        return [
            (index, leaf)
            for index, leaf in await self._tx.all(
                "SELECT idx, leaf FROM journal WHERE origin = ? AND idx = ANY(?) ORDER BY idx",
                origin,
                list(indexes),
            )
        ]

    async def leaf(self, origin: str, index: int) -> bytes | None:
        """One leaf; None: not held."""
        row = await self._tx.one("SELECT leaf FROM journal WHERE origin = ? AND idx = ?", origin, index)
        return None if row is None else bytes(row[0])

    async def seen(self, source: str, serials: Sequence[str]) -> dict[str, int]:
        """Which of a source's serials the own journal has, with the index of each."""
        rows = await self._tx.all(
            "SELECT serial, idx FROM seen WHERE source = ? AND serial = ANY(?)", source, list(serials)
        )
        return {serial: index for serial, index in rows}

    async def remember(self, rows: Sequence[Row]) -> int:
        """Enter (source, serial, index) in the guard; returns how many were new."""
        return await self._tx.insert("seen", ("source", "serial", "idx"), rows, "ON CONFLICT DO NOTHING")

    def reader(self, origin: str, size: int, edge: TileBuilder | None = None) -> TileReader:
        """Roots and proofs of the first ``size`` entries, good for this transaction. See `TileReader`."""

        async def read_tile(level: int, n: int) -> bytes:
            row = await self._tx.one(
                "SELECT hashes FROM tile WHERE origin = ? AND level = ? AND n = ?", origin, level, n
            )
            if row is None:
                raise TileError(f"tile {n} of level {level} of the journal of {origin} is missing")
            return bytes(row[0])

        async def read_leaf_hashes(lo: int, hi: int) -> list[bytes]:
            return leaf_hashes(await self.leaves(origin, lo, hi))

        return TileReader(size, read_tile, read_leaf_hashes, edge)


def leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162 leaf hashes, written out because it is the inner loop of intake."""
    digest = sha256
    return [digest(b"\x00" + leaf).digest() for leaf in leaves]


def _head_row(head: Head) -> Row:
    return (
        head.origin,
        head.log_id,
        head.verifier,
        head.size,
        head.root,
        head.note,
        head.signed_at_us,
        head.cosigned_size,
        head.cosigned_note,
    )
