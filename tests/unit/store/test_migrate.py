"""The schema: a migrated database equals a fresh one, and a newer one is refused."""

import sqlite3
from pathlib import Path

import pytest

from node.store.engine import Engine
from node.store.engines.memory import MemoryEngine
from node.store.engines.postgres import PostgresEngine
from node.store.engines.sqlite import SqliteEngine
from node.store.errors import SchemaMissing, SchemaTooNew, StoreError
from node.store.migrate import SCHEMA, migrate, steps, version
from node.store.store import MEMORY, Store

CREATE = "CREATE TABLE paper (name TEXT NOT NULL PRIMARY KEY);"
WIDEN = "ALTER TABLE paper ADD COLUMN pages INTEGER NOT NULL DEFAULT 1;\n-- one; two;\nCREATE INDEX paper_pages ON paper (pages);"
MORE = "CREATE TABLE shelf (n INTEGER NOT NULL PRIMARY KEY, note TEXT NOT NULL DEFAULT 'a;b');"


def write(folder: Path, *files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for number, statements in enumerate(files, 1):
        (folder / f"{number:04}.sql").write_text(statements, encoding="utf-8")
    return folder


async def opened(place: str) -> Engine:
    if place == MEMORY:
        return await MemoryEngine.create()
    if place.startswith("postgresql"):
        return await PostgresEngine.open(place)
    return await SqliteEngine.open(Path(place))


async def described(engine: Engine) -> list[tuple[object, ...]]:
    """Every table, column and index, in the database's own words."""
    async with engine.read() as transaction:
        if engine.dialect == "sqlite":
            # The columns apart from the text: ALTER TABLE leaves another text than CREATE TABLE would have had.
            return await transaction.all(
                'SELECT m.type, m.name, m.tbl_name, c.name, c.type, c."notnull", c.dflt_value, c.pk,'
                " CASE m.type WHEN 'index' THEN m.sql END"
                " FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) c ORDER BY m.name, c.cid"
            )
        columns = await transaction.all(
            "SELECT table_name, ordinal_position, column_name, data_type, is_nullable, column_default, collation_name"
            " FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2"
        )
        return columns + await transaction.all(
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1, 2"
        )


async def test_a_migrated_schema_equals_a_fresh_one(place: str, tmp_path: Path) -> None:
    engine = await opened(place)
    one = write(tmp_path / "one", CREATE)
    assert await migrate(engine, one) == 1
    async with engine.write() as transaction:
        assert await transaction.insert("paper", ("name",), [("a",)]) == 1
    assert await migrate(engine, write(tmp_path / "two", CREATE, WIDEN)) == 2
    three = write(tmp_path / "three", CREATE, WIDEN, MORE)
    assert await migrate(engine, three) == 3
    assert await migrate(engine, three) == 3
    async with engine.write() as transaction:
        assert await transaction.insert("paper", ("name", "pages"), [("b", 2)]) == 1
        assert await transaction.all("SELECT name, pages FROM paper ORDER BY name") == [("a", 1), ("b", 2)]
        assert await transaction.all("SELECT version FROM schema_version ORDER BY version") == [
            (1,),
            (2,),
            (3,),
        ]
    migrated = await described(engine)
    async with engine.write() as transaction:
        for table in ("paper", "shelf", "schema_version"):
            await transaction.run(f"DROP TABLE {table}")
    assert await migrate(engine, three) == 3
    assert await described(engine) == migrated
    assert any("shelf" in row for row in migrated)
    await engine.close()


async def test_a_file_that_fails_leaves_the_version_before(place: str, tmp_path: Path) -> None:
    engine = await opened(place)
    bad = write(tmp_path / "bad", CREATE, "CREATE TABLE half (n INTEGER);\nCREATE TABLE paper (n INTEGER);")
    with pytest.raises(StoreError):
        await migrate(engine, bad)
    async with engine.read() as transaction:
        assert await version(transaction, engine.dialect) == 1
    names = {row[0] for row in await described(engine)} | {row[1] for row in await described(engine)}
    assert "half" not in names
    assert await migrate(engine, write(tmp_path / "good", CREATE, MORE)) == 2
    await engine.close()


async def test_a_newer_database_is_refused(place: str, tmp_path: Path) -> None:
    engine = await opened(place)
    await migrate(engine, write(tmp_path / "new", CREATE, MORE))
    with pytest.raises(SchemaTooNew, match="install the newer version"):
        await migrate(engine, write(tmp_path / "old", CREATE))
    await engine.close()


async def test_a_store_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    place = str(tmp_path / "node.db")
    await (await Store.open(place)).close()
    with sqlite3.connect(place) as connection:
        connection.execute("INSERT INTO schema_version (version) VALUES (9999)")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(SchemaTooNew):
            await Store.open(place, read_only=read_only)


async def test_an_older_store_cannot_be_migrated_by_a_reader(tmp_path: Path) -> None:
    place = tmp_path / "node.db"
    engine = await SqliteEngine.open(place)
    await migrate(engine, write(tmp_path / "old", CREATE))
    await engine.close()
    reader = await SqliteEngine.open(place, read_only=True)
    with pytest.raises(SchemaMissing):
        await migrate(reader, write(tmp_path / "new", CREATE, MORE))
    await reader.close()


def test_files_are_numbered_without_a_gap(tmp_path: Path) -> None:
    write(tmp_path, CREATE)
    (tmp_path / "0003.sql").write_text(MORE)
    with pytest.raises(ValueError, match="gap"):
        steps(tmp_path)
    (tmp_path / "0003.sql").unlink()
    (tmp_path / "latest.sql").write_text(MORE)
    with pytest.raises(ValueError, match="not a numbered"):
        steps(tmp_path)


def test_both_dialects_have_the_same_files() -> None:
    assert [step.version for step in steps(SCHEMA / "sqlite")] == [
        step.version for step in steps(SCHEMA / "postgres")
    ]


async def test_both_dialects_have_the_same_tables_and_columns(postgres_url: str) -> None:
    columns = []
    for place in (MEMORY, postgres_url):
        store = await Store.open(place)
        async with store.read() as session:
            if place == MEMORY:
                rows = await session.transaction.all(
                    "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
                )
            else:
                rows = await session.transaction.all(
                    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
                )
            columns.append(sorted(rows))
        await store.close()
    assert columns[0] == columns[1]
    assert len(columns[0]) > 100
