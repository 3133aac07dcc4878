"""The registry keeps what people edit: on SQLite and on PostgreSQL, several in one process, each its own."""

import asyncio
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from federation.errors import ZonghengError
from node.models import registry as registry_module
from node.models.forms import AgencyForm, ItemForm, OfficerForm, SourceForm
from node.models.registry import FILE, SCHEMA, Edition, Registry, registry_url
from node.models.tables import tables
from node.store.engines.sqlite import SqliteEngine
from node.store.errors import SchemaTooNew, StoreConflict, StoreUnreachable
from node.store.migrate import migrate, steps

LAND = AgencyForm(code="ZR", name="自然资源局", node="990102", superior="990100-ZR", line="land")
WANG = OfficerForm(number="ZR-007", name="王某", agency="ZR", posts=("审核", "批准"))


def item(code: str = "ZR-01", version: int = 1, **other: object) -> ItemForm:
    return ItemForm.model_validate({"code": code, "version": version, "name": "不动产登记", **other})


async def test_what_was_entered_is_there_again_after_closing(tmp_path: Path, registry_place: str) -> None:
    source = SourceForm(code="land-system", agency="ZR", contact="机房 分机 12", enabled=False)
    async with Registry.open(tmp_path, registry_place) as registry:
        await registry.enter(Edition([LAND], [WANG], [source], [item()]), "S1", 5)
    async with Registry.open(tmp_path, registry_place) as registry:
        assert await registry.agencies() == [LAND]
        assert await registry.officers("ZR") == [WANG]
        assert await registry.officers("MZ") == []
        assert await registry.sources() == [source]
        (published,) = await registry.drafts("published")
    assert (published.item, published.edited_by, published.edited_at_us) == (item(), "S1", 5)


async def test_entering_again_replaces_agencies_and_officers(tmp_path: Path, registry_place: str) -> None:
    moved = WANG.model_copy(update={"agency": "MZ", "posts": (), "active": False})
    async with Registry.open(tmp_path, registry_place) as registry:
        await registry.enter(Edition([LAND], [WANG]), "", 1)
        renamed = LAND.model_copy(update={"name": "自然资源和规划局"})
        await registry.enter(Edition([renamed, AgencyForm(code="MZ", name="民政局")], [moved]), "", 2)
        assert [agency.name for agency in await registry.agencies()] == ["民政局", "自然资源和规划局"]
        assert await registry.officers() == [moved]


async def test_an_officer_of_no_agency_is_refused_and_nothing_of_the_edition_stays(
    tmp_path: Path, registry_place: str
) -> None:
    stray = OfficerForm(number="X-1", agency="nowhere")
    async with Registry.open(tmp_path, registry_place) as registry:
        with pytest.raises(StoreConflict):
            await registry.enter(Edition([LAND], [WANG, stray], items=[item()]), "", 1)
        assert await registry.agencies() == []
        assert await registry.drafts() == []
        await registry.enter(Edition([LAND], [WANG]), "", 2)
        assert await registry.officers() == [WANG]


async def test_a_draft_is_edited_withdrawn_taken_up_again_and_settled_by_publishing(
    tmp_path: Path, registry_place: str
) -> None:
    async with Registry.open(tmp_path, registry_place) as registry:
        first = await registry.save_draft(item(), "S1", 1)
        second = await registry.save_draft(item(agency="ZR", fee={"yuan": "80.50"}), "S2", 2)
        assert second.id == first.id
        assert (await registry.draft(first.id)).item.agency == "ZR"
        withdrawn = await registry.withdraw_draft(first.id, "S2", 3)
        assert (withdrawn.state, await registry.drafts("draft")) == ("withdrawn", [])
        with pytest.raises(ZonghengError, match="withdrawn"):
            await registry.withdraw_draft(first.id, "S2", 4)
        again = await registry.save_draft(second.item, "S3", 5)
        assert (again.id, again.state, again.edited_by) == (first.id, "draft", "S3")
        await registry.enter(Edition(items=[again.item]), "S4", 6)
        assert [(one.state, one.edited_by) for one in await registry.drafts()] == [("published", "S4")]
        with pytest.raises(ZonghengError, match="version 2"):
            await registry.save_draft(item(name="other"), "S1", 7)
        with pytest.raises(ZonghengError) as missing:
            await registry.draft(first.id + 1)
    assert missing.value.code == "not_found"


async def test_two_registries_in_one_process_keep_to_themselves(tmp_path: Path) -> None:
    north, south = tmp_path / "north", tmp_path / "south"
    for folder in (north, south):
        folder.mkdir()

    async def fill(registry: Registry, name: str) -> None:
        for number in range(20):
            agency = AgencyForm(code=f"{name}-{number:02}", name=name)
            await registry.enter(
                Edition([agency], [OfficerForm(number=name, agency=agency.code)]), "", number
            )
            await registry.save_draft(item(f"{name}-{number:02}"), name, number)

    async with (
        Registry.open(north, "store.sqlite") as one,
        Registry.open(south, "store.sqlite") as two,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(fill(one, "north"))
        group.create_task(fill(two, "south"))
        group.create_task(fill(one, "north-too"))
    for folder, names in ((north, {"north", "north-too"}), (south, {"south"})):
        async with Registry.open(folder, "store.sqlite") as registry:
            assert {agency.name for agency in await registry.agencies()} == names
            assert len(await registry.agencies()) == len(await registry.drafts()) == 20 * len(names)
            assert {officer.number for officer in await registry.officers()} == names


async def test_an_sqlite_and_a_postgres_registry_live_in_one_process(
    tmp_path: Path, postgres_url: str
) -> None:
    async with (
        Registry.open(tmp_path, "store.sqlite") as small,
        Registry.open(tmp_path, postgres_url) as large,
    ):
        for registry, name in (
            (small, "small"),
            (large, "large"),
            (small, "small-too"),
            (large, "large-too"),
        ):
            await registry.enter(
                Edition([AgencyForm(code=name)], [OfficerForm(number=name, agency=name)]), "", 1
            )
        assert [agency.code for agency in await small.agencies()] == ["small", "small-too"]
        assert [officer.number for officer in await large.officers("large")] == ["large"]


async def test_a_closed_registry_says_so(tmp_path: Path) -> None:
    async with Registry.open(tmp_path, "store.sqlite") as registry:
        pass
    with pytest.raises(StoreUnreachable, match="closed"):
        await registry.agencies()


async def test_a_call_that_was_cancelled_leaves_the_registry_usable(tmp_path: Path) -> None:
    async def without_end(registry: Registry) -> None:
        while True:
            await registry.enter(Edition([LAND], [WANG]), "", 1)

    async with Registry.open(tmp_path, "store.sqlite") as registry:
        for delay in range(20):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(without_end(registry), 0.001 + delay / 5_000)
        assert await registry.officers() in ([], [WANG])
        await registry.enter(Edition([LAND], [WANG]), "", 99)
        assert await registry.officers() == [WANG]


def test_the_schema_itself_keeps_versions_and_numbers_unique(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "fresh.sqlite", isolation_level=None)
    database.executescript((SCHEMA / "sqlite" / "0001.sql").read_text(encoding="utf-8"))
    database.execute("PRAGMA foreign_keys = ON")
    draft = "INSERT INTO item_draft (item, version, body, state, edited_by, edited_at_us) VALUES (?, ?, '{}', ?, '', 0)"
    database.execute(draft, ("ZR-01", 1, "draft"))
    database.execute(draft, ("ZR-01", 2, "draft"))
    database.execute("INSERT INTO agency VALUES ('ZR', '', '', '', '')")
    database.execute("INSERT INTO officer VALUES ('1', '', 'ZR', '[]', 1)")
    for statement, values in (
        (draft, ("ZR-01", 1, "published")),
        (draft, ("ZR-02", 1, "forgotten")),
        (draft, ("ZR-02", 0, "draft")),
        ("INSERT INTO agency VALUES ('ZR', 'other', '', '', '')", ()),
        ("INSERT INTO officer VALUES ('1', 'other', 'ZR', '[]', 1)", ()),
        ("INSERT INTO officer VALUES ('2', '', 'gone', '[]', 1)", ()),
        ("DELETE FROM agency WHERE code = 'ZR'", ()),
    ):
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(statement, values)
    database.close()


def described(path: Path) -> list[tuple[str, str, str]]:
    database = sqlite3.connect(path)
    try:
        return database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    finally:
        database.close()


async def test_a_migrated_schema_equals_a_fresh_one(tmp_path: Path) -> None:
    newest = steps(SCHEMA / "sqlite")
    await _migrate(tmp_path / "fresh.sqlite", SCHEMA / "sqlite")
    for reached in range(1, len(newest) + 1):
        older = tmp_path / f"schema-{reached}"
        older.mkdir()
        for step in newest[:reached]:
            (older / f"{step.version:04}.sql").write_text(step.statements, encoding="utf-8")
        path = tmp_path / f"from-{reached}.sqlite"
        await _migrate(path, older)
        await _migrate(path, SCHEMA / "sqlite")
        assert described(path) == described(tmp_path / "fresh.sqlite")


async def _migrate(path: Path, schema: Path) -> None:
    engine = await SqliteEngine.open(path)
    try:
        await migrate(engine, schema)
    finally:
        await engine.close()


async def test_an_older_registry_is_brought_up_to_date_with_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Registry.open(tmp_path, "store.sqlite") as registry:
        await registry.enter(Edition([LAND]), "", 1)
    later = tmp_path / "schema"
    (later / "sqlite").mkdir(parents=True)
    for step in steps(SCHEMA / "sqlite"):
        (later / "sqlite" / f"{step.version:04}.sql").write_text(step.statements, encoding="utf-8")
    added = f"{len(steps(SCHEMA / 'sqlite')) + 1:04}.sql"
    (later / "sqlite" / added).write_text(
        "CREATE TABLE barrier (code TEXT NOT NULL PRIMARY KEY);", encoding="utf-8"
    )
    with monkeypatch.context() as patch:
        patch.setattr(registry_module, "SCHEMA", later)
        async with Registry.open(tmp_path, "store.sqlite") as registry:
            assert await registry.agencies() == [LAND]
    assert "barrier" in {name for _, name, _ in described(tmp_path / FILE)}
    with pytest.raises(SchemaTooNew):
        async with Registry.open(tmp_path, "store.sqlite"):
            pass


async def test_models_and_both_schemas_name_the_same_columns(tmp_path: Path, postgres_url: str) -> None:
    async with Registry.open(tmp_path, "store.sqlite"), Registry.open(tmp_path, postgres_url):
        pass
    database = sqlite3.connect(tmp_path / FILE)
    schema = registry_url(postgres_url)[1]
    server = await asyncpg.connect(postgres_url)
    try:
        for dialect in ("sqlite", "postgres"):
            for model in tables(dialect).models:  # type: ignore[arg-type]
                columns = set(model._meta.fields_db_projection.values())
                table = model._meta.db_table
                assert columns == {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
                found = await server.fetch(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2",
                    schema,
                    table,
                )
                assert columns == {row["column_name"] for row in found}
    finally:
        database.close()
        await server.close()


@pytest.mark.parametrize(
    ("store", "url", "schema"),
    [
        ("postgresql://u:p%40@h/db", "postgresql://u:p%40@h/db?search_path=registry", "registry"),
        ("postgresql://h/db?search_path=public", "postgresql://h/db?search_path=registry", "registry"),
        (
            "postgresql:///db?host=%2Ftmp%2Fpg&search_path=village_1",
            "postgresql:///db?host=%2Ftmp%2Fpg&search_path=village_1_registry",
            "village_1_registry",
        ),
    ],
)
def test_nodes_that_share_a_database_share_no_registry(store: str, url: str, schema: str) -> None:
    assert registry_url(store) == (url, schema)
