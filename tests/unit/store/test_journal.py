"""The journal's rows: leaves by range, by byte budget and by index; heads that only move on."""

import pytest

from federation.journal.tile import TileError
from node.store.errors import StoreConflict
from node.store.rows import Head
from node.store.store import Store


def head(origin: str, size: int = 0) -> Head:
    return Head(origin, f"log/{origin}", f"key/{origin}", size, b"r" * 32, f"note {size}", 5, 0, "")


async def test_leaves_come_in_order_and_only_those_that_are_held(store: Store) -> None:
    async with store.write() as session:
        await session.journal.append("a", 0, [b"0", b"1", b"2"])
        await session.journal.append("b", 0, [b"other"])
        await session.journal.append("a", 3, [b"3"])
    async with store.read() as session:
        assert await session.journal.leaves("a", 1, 3) == [b"1", b"2"]
        assert await session.journal.leaves("a", 2, 9) == [b"2", b"3"]
        assert await session.journal.leaves("a", 9, 12) == []
        assert await session.journal.entries("a", [3, 1, 77]) == [(1, b"1"), (3, b"3")]
        assert await session.journal.leaf("b", 0) == b"other"
        assert await session.journal.leaf("b", 1) is None


async def test_a_byte_budget_gives_at_least_one_leaf(store: Store) -> None:
    leaves = [b"x" * 100 for _ in range(600)]
    async with store.write() as session:
        await session.journal.append("a", 0, leaves)
    async with store.read() as session:
        journal = session.journal
        assert len(await journal.leaves("a", 0, 600, max_bytes=1_050)) == 10
        assert len(await journal.leaves("a", 0, 600, max_bytes=1_000)) == 10
        assert len(await journal.leaves("a", 0, 600, max_bytes=1)) == 1
        assert len(await journal.leaves("a", 0, 600, max_bytes=40_000)) == 400
        assert len(await journal.leaves("a", 0, 600, max_bytes=1_000_000)) == 600
        assert len(await journal.leaves("a", 590, 700, max_bytes=1_000_000)) == 10


async def test_an_index_is_taken_once(store: Store) -> None:
    async with store.write() as session:
        await session.journal.append("a", 0, [b"0"])

    async def again() -> None:
        async with store.write() as session:
            await session.journal.append("a", 0, [b"another"])

    with pytest.raises(StoreConflict):
        await again()
    async with store.read() as session:
        assert await session.journal.leaves("a", 0, 5) == [b"0"]


async def test_a_head_moves_on_only_from_where_it_stood(store: Store) -> None:
    async with store.write() as session:
        await session.journal.open(head("a"), own=True)
        await session.journal.advance(head("a", 5), 0)

    async def stale() -> None:
        async with store.write() as session:
            await session.journal.advance(head("a", 7), 3)

    with pytest.raises(StoreConflict, match="somebody else"):
        await stale()
    async with store.read() as session:
        assert await session.journal.head("a") == head("a", 5)
        assert await session.journal.head("z") is None


async def test_a_node_has_one_journal_of_its_own_and_many_received(store: Store) -> None:
    async with store.write() as session:
        await session.journal.open(head("b"), own=True)
        await session.journal.open(head("c"), own=False)
        await session.journal.open(head("a"), own=False)

    async def second() -> None:
        async with store.write() as session:
            await session.journal.open(head("d"), own=True)

    with pytest.raises(StoreConflict):
        await second()
    async with store.read() as session:
        assert [held.origin for held in await session.journal.heads()] == ["a", "b", "c"]
        assert await session.journal.own() == head("b")


async def test_a_missing_tile_is_named(store: Store) -> None:
    async with store.write() as session:
        await session.journal.append("a", 0, [b"%d" % n for n in range(300)])
        with pytest.raises(TileError, match="tile 0 of level 0"):
            await session.journal.reader("a", 300).root(300)
