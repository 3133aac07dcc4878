"""An import: nothing half done, nothing doubled, nothing lost, and a report that says what became of every row."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from node.intake.checking import check
from node.intake.import_run import ImportReport, report, run_import
from node.intake.mapping import BadMapping, load, parse
from node.intake.readers.record import UnreadableFile
from node.intake.times import micros
from node.store.store import Store

MAPPING = """
source = "s"
zone = "Asia/Shanghai"
[case]
id = "id"
[event]
activity = "what"
time = "at"
agency = "=A01"
[[events]]
is = "accepted"
kind = "acceptance"
[[events]]
is = "done"
kind = "completion"
[[items]]
code = "X"
"""
NOW = micros(datetime(2026, 1, 1, tzinfo=UTC))


def log(folder: Path, cases: int, name: str = "log.csv", *, first: int = 0, more: str = "") -> Path:
    path = folder / name
    rows = [
        f"{n},{what},2024-03-05 09:{n % 60:02d}\n"
        for n in range(first, cases)
        for what in ("accepted", "done")
    ]
    path.write_text("id,what,at\n" + "".join(rows) + more)
    return path


async def take(desk: Any, path: Path, mapping: str = MAPPING, **said: Any) -> ImportReport:
    return await run_import(path, parse(mapping.encode()), desk.intake, now_us=NOW, **said)


async def kinds(desk: Any) -> list[str | None]:
    return [entry.WhichOneof("body") for entry in await desk.entries()]


async def test_an_import_lies_between_its_start_and_its_end(desk: Any, tmp_path: Path) -> None:
    got = await take(desk, log(tmp_path, 10), batch=6)
    assert (got.outcome, got.rows, got.cases, got.accepted, got.rejected, got.exit_code) == (
        "imported",
        20,
        10,
        20,
        0,
        0,
    )
    assert got.events == {"acceptance": 10, "completion": 10}
    assert await kinds(desk) == ["item_published", "import_started", *["case_event"] * 20, "import_finished"]
    assert {entry.import_id for entry in (await desk.entries())[1:]} == {got.import_id}


async def test_rejected_rows_are_reported_and_journalled_and_lose_nothing_else(
    desk: Any, tmp_path: Path
) -> None:
    more = "x,dreamt,2024-03-05\n,done,2024-03-05\ny,done,sometime\nz,done,2044-03-05\n1,done,2024-03-05 09:01\nshort\n"
    got = await take(desk, log(tmp_path, 3, more=more))
    assert (got.accepted, got.rejected, got.exit_code) == (6, 6, 1)
    assert [(one.row, one.code, one.shown) for one in got.rejections] == [
        (8, "unknown_kind", "dreamt"),
        (9, "unattributable", ""),
        (10, "unreadable", "sometime"),
        (11, "future", ""),
        (12, "duplicate", ""),
        (13, "unreadable", ""),
    ]
    assert got.rejected_by_code == {
        "duplicate": 1,
        "future": 1,
        "unattributable": 1,
        "unknown_kind": 1,
        "unreadable": 2,
    }
    journalled = [entry.rejected for entry in await desk.entries() if entry.HasField("rejected")]
    assert [(one.row, one.code) for one in journalled] == [(one.row, one.code) for one in got.rejections]
    assert not any(
        one.shown and one.shown in told.reason for one, told in zip(got.rejections, journalled, strict=True)
    )
    assert json.loads(json.dumps(got.as_json()))["rejections"][0]["row"] == 8


async def test_the_same_file_again_adds_nothing_and_says_so(desk: Any, tmp_path: Path) -> None:
    path = log(tmp_path, 3)
    await take(desk, path)
    size = desk.writer.size
    again = await take(desk, path)
    assert (again.outcome, again.accepted, again.exit_code) == ("already_imported", 0, 1)
    assert desk.writer.size == size


async def test_an_overlapping_export_adds_what_is_new(desk: Any, tmp_path: Path) -> None:
    await take(desk, log(tmp_path, 6))
    got = await take(desk, log(tmp_path, 9, "later.csv", first=4))
    assert (got.accepted, got.repeated, got.rejected, got.exit_code) == (6, 4, 0, 0)
    assert (await kinds(desk)).count("case_event") == 18


async def test_an_export_that_says_something_else_of_an_event_is_rejected_there(
    desk: Any, tmp_path: Path
) -> None:
    await take(desk, log(tmp_path, 3))
    got = await take(
        desk,
        log(tmp_path, 3, "later.csv", first=2, more="7,done,2024-03-05\n"),
        MAPPING.replace("A01", "A02"),
    )
    assert (got.accepted, got.repeated, got.rejected_by_code, got.exit_code) == (1, 0, {"duplicate": 2}, 1)
    assert [one.row for one in got.rejections] == [2, 3]


@pytest.mark.parametrize("text", ["id,what,at\n", "id,what,at\n1,dreamt,2024-03-05\n2,done,\n"])
async def test_a_file_of_which_nothing_would_come_changes_nothing(
    desk: Any, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(text)
    got = await take(desk, path)
    assert (got.outcome, got.accepted, got.exit_code) == ("nothing_to_import", 0, 1)
    assert desk.writer.size == 0


async def test_a_mapping_that_names_an_absent_column_changes_nothing(desk: Any, tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match="no column 'when'"):
        await take(desk, log(tmp_path, 3), MAPPING.replace('time = "at"', 'time = "when"'))
    assert desk.writer.size == 0


async def test_a_file_that_breaks_off_at_its_very_end_changes_nothing(desk: Any, tmp_path: Path) -> None:
    path = log(tmp_path, 2000)
    with path.open("ab") as file:
        file.write(b"\xff\xfe\xff")
    with pytest.raises(UnreadableFile):
        await take(desk, path, MAPPING + '\n[read]\nencoding = "utf-8"\n')
    assert desk.writer.size == 0


async def test_a_file_that_changes_meanwhile_leaves_the_import_unfinished(desk: Any, tmp_path: Path) -> None:
    path = log(tmp_path, 50)

    def changed(phase: str, done: int, of: int) -> None:
        if phase == "import":
            path.write_text(path.read_text() + "9999,done,2024-03-05\n")

    with pytest.raises(UnreadableFile, match="changed while"):
        await take(desk, path, on_progress=changed)
    assert "import_finished" not in await kinds(desk)


async def test_several_batches_are_under_way_at_once_and_progress_ends_at_the_end(
    desk: Any, tmp_path: Path
) -> None:
    waiting, most = 0, 0
    intake = desk.intake

    class Watched:
        start_import = intake.start_import
        finish_import = intake.finish_import

        async def submit(self, request: Any) -> Any:
            nonlocal waiting, most
            waiting += 1
            most = max(most, waiting)
            await asyncio.sleep(0.001)
            answer = await intake.submit(request)
            waiting -= 1
            return answer

    seen: list[tuple[str, int, int]] = []
    got = await run_import(
        log(tmp_path, 100), parse(MAPPING.encode()), Watched(), now_us=NOW, batch=10, window=3,
        on_progress=lambda *told: seen.append(told),
    )  # fmt: skip
    assert got.accepted == 200
    assert most == 3
    assert seen[-1] == ("import", 201, 201)


class Interrupted:
    """An intake that takes some batches, in a given order, and then is gone."""

    def __init__(self, intake: Any, batches: int) -> None:
        self._intake, self._left = intake, batches
        self.start_import, self.finish_import = intake.start_import, intake.finish_import

    async def submit(self, request: Any) -> Any:
        if self._left == 0:
            raise ConnectionError("gone")
        self._left -= 1
        return await self._intake.submit(request)


@pytest.mark.parametrize("batches", range(8))
async def test_a_cut_off_import_goes_on_and_doubles_nothing(desk: Any, tmp_path: Path, batches: int) -> None:
    path = log(tmp_path, 20, more="x,dreamt,2024-03-05\n" * 2)
    mapping = parse(MAPPING.encode())
    with pytest.raises(ConnectionError):
        await run_import(path, mapping, Interrupted(desk.intake, batches), now_us=NOW, batch=5, window=3)
    later = await desk.reopened()
    got = await run_import(path, mapping, later.intake, now_us=NOW, batch=7)
    assert (got.outcome, got.accepted, got.rejected, got.repeated) == ("imported", 40, 2, 0)
    entries = await later.entries()
    serials = [(entry.source, entry.serial) for entry in entries]
    assert len(serials) == len(set(serials))
    assert [entry.WhichOneof("body") for entry in entries].count("case_event") == 40
    assert [entry.WhichOneof("body") for entry in entries].count("rejected") == 2


async def test_a_dry_run_writes_nothing_and_says_what_would_come(tmp_path: Path) -> None:
    path = log(tmp_path, 3, more="x,dreamt,2024-03-05\n")
    got = report(check(path, parse(MAPPING.encode()), now_us=NOW), "dry_run")
    assert (got.outcome, got.events, got.rejected, got.accepted) == (
        "dry_run",
        {"acceptance": 3, "completion": 3},
        1,
        0,
    )
    assert got.exit_code == 1


async def test_a_dry_run_of_which_nothing_would_come_says_so_with_its_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("id,what,at\n")
    assert report(check(path, parse(MAPPING.encode()), now_us=NOW), "dry_run").exit_code == 1
    assert report(check(log(tmp_path, 1), parse(MAPPING.encode()), now_us=NOW), "dry_run").exit_code == 0


async def test_only_the_first_rejections_are_told_one_by_one(desk: Any, tmp_path: Path) -> None:
    got = await take(desk, log(tmp_path, 3, more="x,dreamt,2024-03-05\n" * 50), keep=5)
    assert (len(got.rejections), got.rejected) == (5, 50)


async def test_the_wabo_log_comes_in_whole(desk: Any, repository: Path, shared_data: Path) -> None:
    """377 closed cases ended after their deadline, 39 open ones were past it at the last event (shared/data/README.md)."""
    mapping = load(repository / "tests" / "mappings" / "wabo.toml")
    got = await run_import(shared_data / "wabo" / "receipt.xes.gz", mapping, desk.intake, now_us=NOW)
    assert (got.accepted, got.rejected, got.cases, got.exit_code) == (12_774, 0, 1_434, 0)
    assert got.events == {"acceptance": 1_434, "application": 1_434, "completion": 1_329, "step": 8_577}
    due, ended, by = {}, {}, {}
    for entry in await desk.entries():
        event = entry.case_event
        for attribute in event.attributes:
            if attribute.name == "statutory_due_at":
                due[event.case_id] = attribute.integer
        if event.kind == "completion":
            ended[event.case_id] = event.at_us
        elif event.kind == "step":
            by.setdefault((event.case_id, event.step), set()).add(event.actor)
    last = micros(datetime.fromisoformat("2012-01-23T15:42:54.644+01:00"))
    assert sum(at > due[case] for case, at in ended.items()) == 377
    assert sum(at < last for case, at in due.items() if case not in ended) == 39
    both = [case for case, step in by if step == "T02" and (case, "T04") in by]
    assert len(both) == 1_303
    assert sum(bool(by[case, "T02"] & by[case, "T04"]) for case in both) == 1_042


async def test_the_store_says_how_far_an_import_came(desk: Any, tmp_path: Path) -> None:
    got = await take(desk, log(tmp_path, 3))
    store: Store = desk.store
    async with store.read() as session:
        run = await session.imports.get(got.import_id)
    assert run is not None
    assert (run.state, run.settled_row, run.accepted, run.rejected) == ("finished", 7, 6, 0)
