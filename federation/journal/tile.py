"""The tree's stored form: full C2SP tlog-tiles hash tiles of height 8, 256 hashes each.

A row for each hash would double the number of rows in the journal; a tile is one row for each 256 entries and
never changes. The unfinished right edge is not stored. `TileBuilder` holds it in memory while the node runs
and is a value: extend a `copy()` inside the database transaction and keep it only when the transaction
commits. After a crash `TileReader.builder()` makes it again from full tiles and at most 255 leaf hashes.

What is read back is checked for its length only; a tile altered on disk shows as a root that is not the
signed one. A missing or cut tile raises `TileError`. Terms: a tile's level counts tiles from the leaves
(level 0), a node's height counts hashes from the leaves, so a tile of level `l` holds nodes of
height `8 * l`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from federation.journal.merkle import (
    HASH_SIZE,
    MAX_SIZE,
    Frontier,
    check_hashes,
    consistency_ranges,
    fold,
    inclusion_ranges,
    pair_up,
    subtrees,
)

TILE_HEIGHT: Final = 8
"""Levels of the tree in one tile."""

TILE_WIDTH: Final = 1 << TILE_HEIGHT
"""Hashes in one tile."""

TILE_BYTES: Final = TILE_WIDTH * HASH_SIZE
"""Bytes in one tile."""

ReadTile = Callable[[int, int], Awaitable[bytes]]
"""Reads the stored tile of a level and index: `TILE_BYTES` bytes."""

ReadLeafHashes = Callable[[int, int], Awaitable[Sequence[bytes]]]
"""Reads, or computes from the stored leaves, the leaf hashes `[lo, hi)`; never more than 255 of them."""


class TileError(Exception):
    """The stored tree is missing a tile or leaf, or one has the wrong length."""

    code: ClassVar[str] = "JOURNAL_TILE_DAMAGED"


@dataclass(frozen=True, slots=True)
class Tile:
    """A full tile: hash `i` is node `index * 256 + i` of the tree's row of nodes over `256**level` leaves each."""

    level: int
    index: int
    hashes: bytes

    def __post_init__(self) -> None:
        if len(self.hashes) != TILE_BYTES:
            raise ValueError(f"a tile has {TILE_BYTES} bytes, not {len(self.hashes)}")


def edge_width(size: int, level: int) -> int:
    """Hashes in the unfinished tile of this level in a tree of `size` leaves: 0 to 255."""
    return size >> TILE_HEIGHT * level & TILE_WIDTH - 1


def _levels(size: int) -> int:
    """Levels that hold at least one hash in a tree of `size` leaves."""
    return -(-size.bit_length() // TILE_HEIGHT)


class TileBuilder:
    """The right edge of a growing tree: each level's unfinished tile, and the frontier above them.

    `extend` either succeeds or leaves the builder as it was. `copy` costs microseconds whatever the size of
    the tree.
    """

    __slots__ = ("_edges", "_frontier")

    def __init__(self, size: int = 0, edges: Sequence[Sequence[bytes]] = ()) -> None:
        """Take up at `size`, where `edges` are the hashes of the unfinished tiles from level 0 up.

        There are `edge_width(size, level)` at each level. Raises ValueError when they do not fit the size.
        """
        if not 0 <= size <= MAX_SIZE:
            raise ValueError(f"tree size {size} is out of range")
        if [len(edge) for edge in edges] != [edge_width(size, level) for level in range(_levels(size))]:
            raise ValueError(f"these are not the unfinished tiles of a tree of {size} leaves")
        peaks: list[bytes] = []
        for edge in reversed(edges):
            within_tile = Frontier()
            within_tile.extend(edge)
            peaks.extend(within_tile.peaks)
        self._frontier = Frontier(size, peaks)
        self._edges = [list(edge) for edge in edges]

    @property
    def size(self) -> int:
        return self._frontier.size

    @property
    def frontier(self) -> Frontier:
        """A copy of the compact range `[0, size)`."""
        return self._frontier.copy()

    def root(self) -> bytes:
        """Root of the tree (RFC 9162 §2.1.1)."""
        return self._frontier.root()

    def edge(self, level: int) -> Sequence[bytes]:
        """The hashes of the unfinished tile of this level, none if it has not begun."""
        return tuple(self._edges[level]) if level < len(self._edges) else ()

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[Tile]:
        """Append leaf hashes; return the tiles this completed, lower levels first.

        They belong into the same transaction as the leaves. Raises ValueError, and appends nothing, when a hash has the wrong length or the tree would outgrow
        `MAX_SIZE`.
        """
        size_before = self._frontier.size
        rows = self._frontier.extend(leaf_hashes)
        tiles: list[Tile] = []
        for level, row in enumerate(rows[::TILE_HEIGHT]):
            if level == len(self._edges):
                self._edges.append([])
            edge = self._edges[level] + row
            index = size_before >> TILE_HEIGHT * (level + 1)
            full = len(edge) & -TILE_WIDTH
            for at in range(0, full, TILE_WIDTH):
                tiles.append(Tile(level, index + at // TILE_WIDTH, b"".join(edge[at : at + TILE_WIDTH])))
            self._edges[level] = edge[full:]
        return tiles

    def copy(self) -> Self:
        """An independent builder: what one does with it leaves the other alone."""
        twin = type(self)()
        twin._frontier = self._frontier.copy()
        twin._edges = [edge.copy() for edge in self._edges]
        return twin

    def __repr__(self) -> str:
        return f"TileBuilder(size={self.size}, root={self.root().hex()})"


class TileReader:
    """Roots and proofs of a stored tree, at its present size and at every earlier one.

    A reader belongs to one snapshot of the database and keeps every tile it reads: make one for a request,
    then drop it. A proof reads at most two tiles a level, plus what of the right edge it has to derive. Given
    the live `edge` that is nothing. Without it, the unfinished tile of a level above 0 costs one tile of the
    level below for each of its hashes that is needed (at most 255, each read once), and that of level 0 one
    reading of at most 255 leaf hashes.

    Every method raises ValueError for sizes beyond the reader's own, and TileError when the stored tree is
    incomplete.
    """

    def __init__(
        self,
        size: int,
        read_tile: ReadTile,
        read_leaf_hashes: ReadLeafHashes,
        edge: TileBuilder | None = None,
    ) -> None:
        """Raises ValueError when `edge` is at another size."""
        if not 0 <= size <= MAX_SIZE:
            raise ValueError(f"tree size {size} is out of range")
        if edge is not None and edge.size != size:
            raise ValueError(f"the edge is that of {edge.size} leaves, not of {size}")
        self._size = size
        self._read_tile = read_tile
        self._read_leaf_hashes = read_leaf_hashes
        self._edges: dict[int, Sequence[bytes]] = {}
        if edge is not None:
            self._edges = {level: edge.edge(level) for level in range(_levels(size))}
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}
        self._tile_roots: dict[tuple[int, int], bytes] = {}

    @property
    def size(self) -> int:
        return self._size

    async def root(self, size: int) -> bytes:
        """Root of the first `size` leaves (RFC 9162 §2.1.1)."""
        self._check_size(size)
        return fold([]) if size == 0 else await self.range_hash(0, size)

    async def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Proof that leaf `index`, from zero, is in the tree of the first `size` leaves (RFC 9162 §2.1.3.1).

        Raises ValueError unless `index < size`.
        """
        self._check_size(size)
        return [await self.range_hash(lo, hi) for lo, hi in inclusion_ranges(index, size)]

    async def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Proof that the first `new` leaves begin with the first `old` leaves (RFC 9162 §2.1.4.1).

        Empty when `old` is 0 or `new`. Raises ValueError unless `old <= new`.
        """
        self._check_size(new)
        return [await self.range_hash(lo, hi) for lo, hi in consistency_ranges(old, new)]

    async def range_hash(self, lo: int, hi: int) -> bytes:
        """Hash of the node over the leaves `[lo, hi)`.

        Raises ValueError when no tree has such a node (see `merkle.subtrees`).
        """
        self._check_size(hi)
        return fold([await self._node(height, position) for height, position in subtrees(lo, hi)])

    async def builder(self) -> TileBuilder:
        """The builder that goes on from here, for instance after a restart."""
        return await self.builder_at(self._size)

    async def builder_at(self, size: int) -> TileBuilder:
        """The builder that goes on from an earlier size, for instance where another history began."""
        self._check_size(size)
        edges = []
        for level in range(_levels(size)):
            end = size >> TILE_HEIGHT * level
            hashes = range(end - edge_width(size, level), end)
            edges.append([await self._node(TILE_HEIGHT * level, position) for position in hashes])
        return TileBuilder(size, edges)

    def _check_size(self, size: int) -> None:
        if not 0 <= size <= self._size:
            raise ValueError(f"the stored tree has {self._size} leaves, not {size}")

    def _full_tiles(self, level: int) -> int:
        return self._size >> TILE_HEIGHT * (level + 1)

    async def _node(self, height: int, position: int) -> bytes:
        """Root of a perfect subtree, from its tile or from the right edge."""
        level, above = divmod(height, TILE_HEIGHT)
        first = position << above
        tile_index = first // TILE_WIDTH
        if tile_index < self._full_tiles(level):
            rows = await self._tile_rows(level, tile_index)
            return rows[above][position - (tile_index << TILE_HEIGHT - above)]
        return _perfect_root(await self._edge_hashes(level, first, first + (1 << above)))

    async def _tile_rows(self, level: int, index: int) -> list[list[bytes]]:
        """A full tile's hashes and all rows above them, up to its root."""
        rows = self._rows.get((level, index))
        if rows is None:
            rows = [await self._tile_hashes(level, index)]
            while len(rows[-1]) > 1:
                rows.append(pair_up(rows[-1]))
            self._rows[level, index] = rows
        return rows

    async def _tile_root(self, level: int, index: int) -> bytes:
        """A full tile's root.

        The tile itself is not kept, since a right edge may need the roots of hundreds.
        """
        if (level, index) in self._rows:
            return self._rows[level, index][TILE_HEIGHT][0]
        root = self._tile_roots.get((level, index))
        if root is None:
            root = _perfect_root(await self._tile_hashes(level, index))
            self._tile_roots[level, index] = root
        return root

    async def _tile_hashes(self, level: int, index: int) -> list[bytes]:
        stored = await self._read_tile(level, index)
        if len(stored) != TILE_BYTES:
            raise TileError(f"tile {index} of level {level} has {len(stored)} bytes instead of {TILE_BYTES}")
        return [stored[at : at + HASH_SIZE] for at in range(0, TILE_BYTES, HASH_SIZE)]

    async def _edge_hashes(self, level: int, lo: int, hi: int) -> Sequence[bytes]:
        """Hashes `[lo, hi)` of a level, all in its unfinished tile."""
        if level == 0 and level not in self._edges and lo < hi:
            self._edges[level] = await self._edge_leaf_hashes()
        if level in self._edges:
            start = self._full_tiles(level) * TILE_WIDTH
            return self._edges[level][lo - start : hi - start]
        return [await self._tile_root(level - 1, index) for index in range(lo, hi)]

    async def _edge_leaf_hashes(self) -> Sequence[bytes]:
        start = self._full_tiles(0) * TILE_WIDTH
        hashes = await self._read_leaf_hashes(start, self._size)
        if len(hashes) != self._size - start:
            raise TileError(f"{len(hashes)} leaf hashes instead of leaves {start} to {self._size}")
        try:
            check_hashes(hashes)
        except ValueError as error:
            raise TileError(f"leaf hashes {start} to {self._size}: {error}") from error
        return hashes


def _perfect_root(row: Sequence[bytes]) -> bytes:
    """Root over a row whose length is a power of two."""
    while len(row) > 1:
        row = pair_up(row)
    return row[0]
