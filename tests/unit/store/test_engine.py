"""What every engine promises: one writer, snapshots, whole transactions, one SQL text."""

import asyncio
import os
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from node.store.engine import finished, pieces
from node.store.engines.sqlite import SqliteEngine
from node.store.errors import (
    SchemaMissing,
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)
from node.store.store import Store


async def test_what_a_block_wrote_is_there_afterwards(store: Store) -> None:
    async with store.write() as session:
        await session.links.put("a", b"1")
        assert await session.links.get("a") == b"1"
        assert not session.transaction.committed
    assert session.transaction.committed
    async with store.read() as session:
        assert await session.links.get("a") == b"1"


async def test_a_block_that_raises_leaves_nothing(store: Store) -> None:
    async def broken() -> None:
        async with store.write() as session:
            await session.links.put("a", b"1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await broken()
    async with store.read() as session:
        assert await session.links.get("a") is None


async def test_a_cancelled_block_leaves_nothing_and_the_next_goes_on(store: Store) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with store.write() as session:
            await session.links.put("a", b"1")
            begun.set()
            await asyncio.sleep(60)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(hang())
        await begun.wait()
        task.cancel()
    async with store.write() as session:
        assert await session.links.get("a") is None
        await session.links.put("b", b"2")
    async with store.read() as session:
        assert await session.links.get("b") == b"2"


async def test_an_error_in_a_statement_loses_the_whole_transaction(store: Store) -> None:
    async def conflicting() -> None:
        async with store.write() as session:
            await session.links.put("a", b"1")
            await session.vault.put([("h", "l", b"")])
            await session.vault.put([("h", "l2", b"")])

    with pytest.raises(StoreConflict) as caught:
        await conflicting()
    assert caught.value.code == "STORE_CONFLICT"
    async with store.read() as session:
        assert await session.links.get("a") is None
        assert await session.vault.get("h") is None


async def test_a_reader_is_not_kept_waiting_by_a_long_writer(store: Store) -> None:
    async with store.write() as session:
        await session.links.put("a", b"old")
    async with store.write() as writing:
        await writing.links.put("a", b"new")
        async with asyncio.timeout(2):
            async with store.read() as reading:
                assert await reading.links.get("a") == b"old"
    async with store.read() as reading:
        assert await reading.links.get("a") == b"new"


async def test_a_snapshot_does_not_move_while_others_write(store: Store) -> None:
    async with store.write() as session:
        await session.links.put("a", b"old")
    async with store.read() as reading:
        assert await reading.links.get("a") == b"old"
        async with store.write() as session:
            await session.links.put("a", b"new")
        assert await reading.links.get("a") == b"old"


async def test_writers_queue(store: Store) -> None:
    async def add() -> None:
        async with store.write() as session:
            value = int(await session.links.get("n") or b"0")
            await asyncio.sleep(0)
            await session.links.put("n", b"%d" % (value + 1))

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(add())
    async with store.read() as session:
        assert await session.links.get("n") == b"20"


async def test_more_readers_than_connections_are_served(store: Store) -> None:
    async def look() -> None:
        async with store.read() as session:
            await session.links.get("n")
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for _ in range(40):
            group.create_task(look())


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreReadOnly):
        async with store.read() as session:
            await session.links.put("a", b"1")
    async with store.read() as session:
        assert await session.links.get("a") is None


async def test_bulk_rows_are_counted_and_repeats_left_out(store: Store) -> None:
    rows = [("s", f"{n:06}", n) for n in range(3_000)]
    async with store.write() as session:
        assert await session.journal.remember(rows[:1_000]) == 1_000
        assert await session.journal.remember(rows) == 2_000
        assert await session.journal.remember([]) == 0
    async with store.read() as session:
        assert await session.journal.seen("s", ["000000", "002999", "none"]) == {"000000": 0, "002999": 2_999}


async def test_membership_in_a_long_list_of_odd_texts(store: Store) -> None:
    odd = ["it's", 'say "so"', "反斜杠\\", "?", "", "{a,b}", "NULL", "换\n行"]
    many = [f"{n}" for n in range(20_000)]
    async with store.write() as session:
        await session.journal.remember([("s", text, n) for n, text in enumerate(odd)])
        assert await session.journal.seen("s", odd + many) == {text: n for n, text in enumerate(odd)}
        assert await session.journal.seen("s", []) == {}


async def test_two_processes_cannot_write_one_store(lasting_place: str) -> None:
    store = await Store.open(lasting_place)
    with pytest.raises(StoreLocked) as caught:
        await Store.open(lasting_place)
    assert caught.value.code == "STORE_LOCKED"
    await store.close()
    second = await Store.open(lasting_place)
    await second.close()


async def test_a_second_process_may_read(lasting_place: str) -> None:
    store = await Store.open(lasting_place)
    async with store.write() as session:
        await session.links.put("a", b"1")
    second = await Store.open(lasting_place, read_only=True)
    async with second.read() as session:
        assert await session.links.get("a") == b"1"
    with pytest.raises(StoreReadOnly):
        async with second.write():
            pytest.fail("entered a write")
    await second.close()
    await store.close()


async def test_a_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StoreUnreachable):
        async with store.read() as session:
            await session.links.get("a")
    with pytest.raises(StoreUnreachable):
        async with store.write() as session:
            await session.links.get("a")


async def test_a_full_disk_is_named_and_nothing_of_the_write_is_kept(tmp_path: Path) -> None:
    store = await Store.open(str(tmp_path / "node.db"))
    async with store.write() as session:
        await session.links.put("before", b"1")
        pages = await session.transaction.one("PRAGMA page_count")
        assert pages is not None
        await session.transaction.one(f"PRAGMA max_page_count = {pages[0] + 10}")

    async def overflowing() -> None:
        async with store.write() as session:
            await session.links.put("small", b"1")
            await session.links.put("large", bytes(1_000_000))

    with pytest.raises(StoreFull) as caught:
        await overflowing()
    assert caught.value.code == "STORE_FULL"
    assert "free space" in str(caught.value)
    async with store.write() as session:
        assert await session.links.get("small") is None
        assert await session.links.get("before") == b"1"
        await session.links.put("after", b"1")
    await store.close()


async def test_going_on_after_a_full_disk_inside_the_block_commits_nothing(tmp_path: Path) -> None:
    store = await Store.open(str(tmp_path / "node.db"))
    async with store.write() as session:
        pages = await session.transaction.one("PRAGMA page_count")
        assert pages is not None
        await session.transaction.one(f"PRAGMA max_page_count = {pages[0] + 10}")

    async def stubborn() -> None:
        async with store.write() as session:
            with pytest.raises(StoreFull):
                await session.links.put("large", bytes(1_000_000))
            # SQLite may do this by itself after such an error.
            await session.transaction.run("ROLLBACK")
            await session.links.put("later", b"1")

    with pytest.raises(StoreError):
        await stubborn()
    async with store.read() as session:
        assert await session.links.get("later") is None
    await store.close()


async def test_a_file_locked_by_another_program_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.store.engines.lane.BUSY_MS", 50)
    path = tmp_path / "node.db"
    store = await Store.open(str(path))
    other = sqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked, match="another process"):
            async with store.write() as session:
                await session.links.put("a", b"1")
        other.execute("ROLLBACK")
        async with store.write() as session:
            await session.links.put("a", b"1")
    finally:
        other.close()
        await store.close()


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"no database at all" * 500)
    with pytest.raises(StoreDamaged):
        await Store.open(str(path))


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="folder"):
        await Store.open(str(tmp_path / "none" / "node.db"))
    with pytest.raises(StoreUnreachable, match="no store"):
        await Store.open(str(tmp_path / "none.db"), read_only=True)


async def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(StoreUnreachable) as caught:
        await Store.open("postgresql://zongheng:secret@127.0.0.1:1/none")
    assert "127.0.0.1:1/none" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_database_that_is_not_there_is_named(postgres_url: str) -> None:
    with pytest.raises(StoreUnreachable, match="nowhere"):
        await Store.open(postgres_url.rsplit("/", 1)[0] + "/nowhere")


async def test_a_lost_connection_takes_its_lock_again(postgres_url: str) -> None:
    store = await Store.open(postgres_url)

    async def cut_off() -> None:
        async with store.write() as session:
            await session.links.put("a", b"1")
            async with store.read() as reading:
                await reading.transaction.all(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            await session.links.put("b", b"1")

    with pytest.raises(StoreUnreachable):
        await cut_off()
    async with store.write() as session:
        assert await session.links.get("a") is None
        await session.links.put("c", b"1")
    with pytest.raises(StoreLocked):
        await Store.open(postgres_url)
    await store.close()


async def test_two_nodes_live_side_by_side_in_schemas_of_one_database(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    for schema in ("village_1", "village_2"):
        await connection.execute(f"CREATE SCHEMA {schema}")
    await connection.close()
    one = await Store.open(f"{postgres_url}?search_path=village_1")
    two = await Store.open(f"{postgres_url}?search_path=village_2")
    async with one.write() as session:
        await session.links.put("a", b"1")
    async with two.write() as session:
        assert await session.links.get("a") is None
        await session.links.put("a", b"2")
    with pytest.raises(StoreLocked):
        await Store.open(f"{postgres_url}?search_path=village_2")
    async with one.read() as session:
        assert await session.links.get("a") == b"1"
    await one.close()
    await two.close()


async def test_only_its_owner_may_open_the_file(tmp_path: Path) -> None:
    store = await Store.open(str(tmp_path / "node.db"))
    async with store.write() as session:
        await session.links.put("a", b"1")
    assert {entry.stat().st_mode & 0o077 for entry in os.scandir(tmp_path)} == {0}
    await store.close()


async def test_reading_a_file_without_a_schema_says_what_to_do(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "node.db").close()
    with pytest.raises(SchemaMissing, match="start the node"):
        await Store.open(str(tmp_path / "node.db"), read_only=True)


async def test_a_failed_opening_lets_go_of_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"no database at all" * 500)
    with pytest.raises(StoreDamaged):
        await Store.open(str(path))
    path.unlink()
    engine = await SqliteEngine.open(path)
    await engine.close()


async def test_finished_work_is_never_cut_short() -> None:
    done = []

    async def work() -> str:
        await asyncio.sleep(0.02)
        done.append(True)
        return "result"

    async with asyncio.TaskGroup() as group:
        task = group.create_task(finished(work()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()
    assert done == [True]
    assert await finished(work()) == "result"


@pytest.mark.parametrize(("count", "largest"), [(0, 8), (1, 8), (7, 8), (8, 8), (100, 8), (1_000, 256)])
def test_pieces_add_up_in_few_shapes(count: int, largest: int) -> None:
    runs = list(pieces(count, largest))
    assert sum(runs) == count
    assert all(run == largest or run.bit_count() == 1 for run in runs)
    assert len(set(runs)) <= largest.bit_length()
