"""Tiles against an independent tree, across the borders of the first three tile levels, and after a restart."""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.journal.merkle import (
    EMPTY_ROOT,
    consistency_ranges,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from federation.journal.tile import TILE_BYTES, Tile, TileBuilder, TileError, TileReader, edge_width

COUNT = 66_600
LEAVES = [f"entry {number}".encode() for number in range(COUNT)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]

BORDERS = [1, 2, 255, 256, 257, 511, 512, 513, 4095, 65_279, 65_280, 65_535, 65_536, 65_537, 65_792, COUNT]


@cache
def foreign_tree() -> pymerkle.InmemoryTree:
    tree = pymerkle.InmemoryTree()
    tree.append_entries(LEAVES)
    return tree


def root_of(size: int) -> bytes:
    return bytes(foreign_tree().get_root(size))


def check_consistency(old: int, new: int, proof: Sequence[bytes]) -> None:
    """The other implementation's consistency proofs are not the RFC's, so only its roots can be compared."""
    verify_consistency(old, root_of(old), new, root_of(new), proof)
    assert len(proof) == len(consistency_ranges(old, new))


class Storage:
    """What a database holds of a tree: its full tiles and leaf hashes. Counts what is read."""

    def __init__(self, size: int = 0) -> None:
        self.tiles: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self.builder = TileBuilder()
        self.tiles_read: list[tuple[int, int]] = []
        self.leaf_hashes_read = 0
        self.grow(size)

    def grow(self, size: int) -> None:
        self.keep(self.builder.extend(HASHES[self.size : size]))
        self.size = size

    def keep(self, tiles: Sequence[Tile]) -> None:
        for tile in tiles:
            assert (tile.level, tile.index) not in self.tiles
            self.tiles[tile.level, tile.index] = tile.hashes

    async def read_tile(self, level: int, index: int) -> bytes:
        self.tiles_read.append((level, index))
        return self.tiles.get((level, index), b"")

    async def read_leaf_hashes(self, lo: int, hi: int) -> list[bytes]:
        self.leaf_hashes_read += hi - lo
        return HASHES[lo:hi]

    def reader(self, *, edge: bool = False) -> TileReader:
        builder = self.builder if edge else None
        return TileReader(self.size, self.read_tile, self.read_leaf_hashes, builder)


@pytest.fixture(scope="module")
def storage() -> Storage:
    return Storage(COUNT)


def full_tiles(size: int) -> set[tuple[int, int]]:
    return {(level, index) for level in range(8) for index in range(size >> 8 * (level + 1))}


class TestBuilder:
    @settings(deadline=None, max_examples=60)
    @given(
        st.sampled_from([0, 200, 255, 256, 65_200, 65_530, 65_536]),
        st.lists(st.integers(0, 700), min_size=1, max_size=8),
    )
    def test_batches_do_not_matter(self, start: int, batches: list[int]) -> None:
        storage = Storage(start)
        for batch in batches:
            storage.grow(min(storage.size + batch, COUNT))
            assert storage.builder.size == storage.size
            assert storage.builder.root() == root_of(storage.size)
        assert storage.tiles.keys() == full_tiles(storage.size)

    def test_one_leaf_at_a_time_equals_one_batch(self) -> None:
        one_by_one = TileBuilder()
        tiles = [tile for digest in HASHES[:1025] for tile in one_by_one.extend([digest])]
        assert tiles == TileBuilder().extend(HASHES[:1025])
        assert one_by_one.root() == root_of(1025)

    def test_a_tile_of_level_0_holds_leaf_hashes(self, storage: Storage) -> None:
        assert storage.tiles[0, 3] == b"".join(HASHES[768:1024])

    def test_a_tile_of_level_1_holds_the_roots_of_the_tiles_below(self, storage: Storage) -> None:
        roots = []
        for at in range(0, 65_536, 256):
            below = TileBuilder()
            below.extend(HASHES[at : at + 256])
            roots.append(below.root())
        assert storage.tiles[1, 0] == b"".join(roots)

    def test_the_example_of_the_tile_specification(self) -> None:
        assert [edge_width(70_000, level) for level in range(4)] == [112, 17, 1, 0]
        assert len(full_tiles(70_000)) == 273 + 1

    def test_a_copy_thrown_away_undoes_the_batch(self) -> None:
        builder = TileBuilder()
        builder.extend(HASHES[:500])
        abandoned = builder.copy()
        assert len(abandoned.extend(HASHES[500:800])) == 2
        assert (builder.size, builder.root()) == (500, root_of(500))
        assert builder.extend(HASHES[500:800]) == [
            Tile(0, 1, b"".join(HASHES[256:512])),
            Tile(0, 2, b"".join(HASHES[512:768])),
        ]

    def test_a_hash_of_wrong_length_leaves_the_builder_as_it_was(self) -> None:
        builder = TileBuilder()
        builder.extend(HASHES[:255])
        with pytest.raises(ValueError, match="32 bytes"):
            builder.extend([HASHES[255], b"short"])
        assert (builder.size, builder.root(), len(builder.edge(0))) == (255, root_of(255), 255)

    def test_no_leaves_complete_no_tiles(self) -> None:
        builder = TileBuilder()
        assert builder.extend([]) == []
        assert (builder.size, builder.root()) == (0, EMPTY_ROOT)

    def test_edges_that_do_not_fit_the_size_are_refused(self) -> None:
        for edges in ([], [HASHES[:43]], [HASHES[:43], HASHES[:1]], [HASHES[:44], HASHES[:2]]):
            with pytest.raises(ValueError, match="unfinished tiles"):
                TileBuilder(300, edges)

    def test_a_tile_has_256_hashes(self) -> None:
        with pytest.raises(ValueError, match="8192 bytes"):
            Tile(0, 0, b"".join(HASHES[:255]))


class TestReader:
    @pytest.mark.parametrize("edge", [False, True])
    async def test_every_historical_root_is_the_one_there_was(self, storage: Storage, edge: bool) -> None:
        reader = storage.reader(edge=edge)
        for size in [0, *BORDERS, *range(3, COUNT, 977)]:
            assert await reader.root(size) == root_of(size)

    @pytest.mark.parametrize("edge", [False, True])
    async def test_inclusion_proofs_at_every_size_verify(self, storage: Storage, edge: bool) -> None:
        reader = storage.reader(edge=edge)
        for size in BORDERS:
            for index in {0, size // 3, size // 2, size - 1, max(0, size - 257)}:
                proof = await reader.inclusion_proof(index, size)
                assert proof == foreign_tree().prove_inclusion(index + 1, size).path[1:]
                verify_inclusion(HASHES[index], index, size, proof, root_of(size))

    @pytest.mark.parametrize("edge", [False, True])
    async def test_consistency_proofs_between_all_sizes_verify(self, storage: Storage, edge: bool) -> None:
        reader = storage.reader(edge=edge)
        for old, new in [(a, b) for a in BORDERS for b in BORDERS if a < b]:
            check_consistency(old, new, await reader.consistency_proof(old, new))
        assert await reader.consistency_proof(0, COUNT) == []
        assert await reader.consistency_proof(COUNT, COUNT) == []

    @settings(deadline=None)
    @given(st.integers(1, COUNT), st.integers(1, COUNT), st.booleans(), st.data())
    async def test_any_proof_at_any_size_agrees(
        self, size: int, now: int, edge: bool, data: st.DataObject
    ) -> None:
        size, now = sorted((size, now))
        index = data.draw(st.integers(0, size - 1))
        storage = Storage(now)
        reader = storage.reader(edge=edge)
        assert (
            await reader.inclusion_proof(index, size)
            == foreign_tree().prove_inclusion(index + 1, size).path[1:]
        )
        check_consistency(size, now, await reader.consistency_proof(size, now))
        assert set(storage.tiles_read) <= full_tiles(now)

    async def test_a_proof_reads_at_most_two_tiles_a_level_when_the_edge_is_known(
        self, storage: Storage
    ) -> None:
        for size in BORDERS:
            for index in (0, size // 2, size - 1):
                storage.tiles_read.clear()
                storage.leaf_hashes_read = 0
                await storage.reader(edge=True).inclusion_proof(index, size)
                assert len(storage.tiles_read) <= 2 * 3
                assert storage.leaf_hashes_read == 0

    async def test_without_the_edge_each_tile_is_read_once_and_the_last_leaves_once(self) -> None:
        storage = Storage(65_535)
        reader = storage.reader()
        assert await reader.root(65_535) == root_of(65_535)
        await reader.inclusion_proof(65_534, 65_535)
        await reader.consistency_proof(65_000, 65_535)
        assert len(storage.tiles_read) <= 255 + 2
        assert storage.leaf_hashes_read == 255

    async def test_an_early_proof_does_not_read_the_right_edge(self, storage: Storage) -> None:
        storage.tiles_read.clear()
        storage.leaf_hashes_read = 0
        await storage.reader().inclusion_proof(5, 512)
        assert sorted(storage.tiles_read) == [(0, 0), (1, 0)]
        assert storage.leaf_hashes_read == 0

    async def test_a_reader_keeps_its_edge_while_the_tree_grows(self) -> None:
        storage = Storage(300)
        reader = storage.reader(edge=True)
        storage.grow(900)
        assert await reader.root(300) == root_of(300)

    async def test_sizes_beyond_the_tree_are_refused(self) -> None:
        reader = Storage(300).reader()
        with pytest.raises(ValueError, match="300 leaves"):
            await reader.root(301)
        with pytest.raises(ValueError, match="300 leaves"):
            await reader.root(-1)
        with pytest.raises(ValueError, match="300 leaves"):
            await reader.inclusion_proof(0, 301)
        with pytest.raises(ValueError, match="no leaf"):
            await reader.inclusion_proof(300, 300)
        with pytest.raises(ValueError, match="300 leaves"):
            await reader.consistency_proof(1, 301)
        with pytest.raises(ValueError, match="no tree has a node"):
            await reader.range_hash(1, 3)

    def test_an_edge_of_another_size_is_refused(self) -> None:
        storage = Storage(300)
        storage.size = 299
        with pytest.raises(ValueError, match="300 leaves, not of 299"):
            storage.reader(edge=True)

    async def test_a_missing_or_cut_tile_is_an_error(self) -> None:
        storage = Storage(700)
        del storage.tiles[0, 0]
        with pytest.raises(TileError, match="tile 0 of level 0 has 0 bytes"):
            await storage.reader().root(700)
        storage.tiles[0, 0] = b"".join(HASHES[:255])
        with pytest.raises(TileError, match=str(TILE_BYTES)):
            await storage.reader().inclusion_proof(3, 700)

    async def test_missing_or_cut_leaves_are_an_error(self) -> None:
        storage = Storage(700)

        async def one_too_few(lo: int, hi: int) -> list[bytes]:
            return HASHES[lo : hi - 1]

        async def cut(lo: int, hi: int) -> list[bytes]:
            return [digest[:-1] for digest in HASHES[lo:hi]]

        for read_leaf_hashes in (one_too_few, cut):
            reader = TileReader(700, storage.read_tile, read_leaf_hashes)
            with pytest.raises(TileError, match="512 to 700"):
                await reader.root(700)


class TestRestart:
    @pytest.mark.parametrize("size", [0, *BORDERS])
    async def test_a_builder_made_again_equals_the_one_that_went_on(self, size: int) -> None:
        storage = Storage(size)
        again = await storage.reader().builder()
        assert (again.size, again.root()) == (size, root_of(size))
        assert [again.edge(level) for level in range(4)] == [
            storage.builder.edge(level) for level in range(4)
        ]
        assert again.frontier == storage.builder.frontier
        continued = HASHES[size : size + 600]
        assert again.extend(continued) == storage.builder.extend(continued)
        assert again.root() == storage.builder.root()

    async def test_a_tree_built_across_many_restarts_is_the_same_tree(self) -> None:
        storage = Storage()
        for lo, hi in pairwise(range(0, 3000, 113)):
            storage.builder = await storage.reader().builder()
            storage.grow(hi)
            assert storage.builder.root() == root_of(hi)
            assert lo < hi
        assert storage.tiles.keys() == full_tiles(storage.size)
