"""Reports by themselves: once each, named by an entry, tried again when they fail, caught up with when the node was off."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.report_pb2 import ReportFiled

from federation.errors import ZonghengError
from node import config
from node.config import ReportSettings
from node.reports import font
from node.run import Node
from node.schedule.reports import ReportSchedule
from node.views.filed import filed, filed_content
from node.views.report import ReportView, report

CODE = "990121"
ZONE = ZoneInfo("Asia/Shanghai")


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1_000_000


@dataclass
class Clock:
    """A clock that stands where it was put."""

    at_us: int

    def __call__(self) -> int:
        return self.at_us


@dataclass
class Office:
    """A node whose schedule is looked at when the test says so."""

    node: Node
    clock: Clock

    async def look(self, text: str, *, periods: tuple[str, ...] = ("day",), form: str = "xlsx") -> bool:
        self.clock.at_us = us(text)
        chosen = ReportSettings.model_validate({"periods": periods, "formats": (form,)})
        settings = self.node.settings.model_copy(update={"reports": chosen})

        async def compiled(kind: str, of: str) -> ReportView:
            return await report(self.node, kind, of, "")

        node = self.node
        return await ReportSchedule(
            node.folder, settings, node.store, node.writer, node.write_entries, compiled, node.now
        ).look()

    async def entries(self) -> list[ReportFiled]:
        async with self.node.store.read() as session:
            leaves = await session.journal.leaves(CODE, 0, self.node.writer.size)
        entries = [Entry.FromString(leaf) for leaf in leaves]
        return [one.report_filed for one in entries if one.HasField("report_filed")]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    folder = tmp_path / "node"
    config.initialise(
        folder, tier="county", name="霁川县", division=CODE, grpc="127.0.0.1:1", http="127.0.0.1:2"
    )
    clock = Clock(us("2026-03-02 09:00"))
    async with Node.opened(folder, now=clock) as node:
        yield Office(node, clock)


async def test_a_day_is_filed_once_after_the_hour_and_its_entry_names_the_file(office: Office) -> None:
    assert await office.look("2026-03-03 05:59") is False
    assert await office.entries() == []
    for _ in range(2):
        assert await office.look("2026-03-03 06:00") is False
    (entry,) = await office.entries()
    content = (office.node.folder / "reports" / entry.file).read_bytes()
    assert (entry.subtree, entry.period, entry.label, entry.format) == (CODE, "day", "2026-03-02", "xlsx")
    assert (entry.sha256, entry.size) == (hashlib.sha256(content).hexdigest(), len(content))
    listed = await filed(office.node)
    assert [(one.label, one.there) for one in listed.filed] == [("2026-03-02", True)]
    assert (listed.problem, listed.problem_at) == ("", None)
    assert await filed_content(office.node, entry.file) == content


async def test_a_node_that_was_off_catches_up_and_never_before_it_began(office: Office) -> None:
    await office.look("2026-03-05 07:00", periods=("day", "week", "month"))
    assert [one.label for one in await office.entries()] == ["2026-03-02", "2026-03-03", "2026-03-04"]
    await office.look("2026-04-20 07:00", periods=("day", "week", "month"))
    labels = [one.label for one in await office.entries()][3:]
    assert labels[:7] == [f"2026-04-{day}" for day in range(13, 20)]
    assert labels[7:] == ["2026-W13", "2026-W14", "2026-W15", "2026-W16", "2026-03"]


async def test_one_that_fails_is_told_holds_up_no_other_and_is_made_when_it_can_be(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = office.node.folder / "reports" / f"{CODE}-2026-03-02.xlsx.new"
    place.mkdir(parents=True)
    assert await office.look("2026-03-04 07:00") is True
    assert [one.label for one in await office.entries()] == ["2026-03-03"]
    told = await filed(office.node)
    assert told.problem.startswith("2026-03-02 (xlsx): ")
    place.rmdir()
    assert await office.look("2026-03-04 07:10") is False
    assert [one.label for one in await office.entries()] == ["2026-03-03", "2026-03-02"]
    assert (await filed(office.node)).problem == ""
    # Without a font there are no pages, and the problem says what to install.
    monkeypatch.setattr(font, "PLACES", ())
    assert await office.look("2026-03-04 07:20", form="pdf") is True
    assert "fonts-wqy-zenhei" in (await filed(office.node)).problem


async def test_killed_before_the_entry_the_report_is_made_again(office: Office) -> None:
    left = office.node.folder / "reports" / f"{CODE}-2026-03-02.xlsx"
    left.parent.mkdir()
    left.write_bytes(b"of a process that died before it entered this")
    await office.look("2026-03-03 07:00")
    (entry,) = await office.entries()
    assert hashlib.sha256(left.read_bytes()).hexdigest() == entry.sha256


async def test_a_file_that_was_altered_is_not_given_out(office: Office) -> None:
    await office.look("2026-03-03 07:00")
    (entry,) = await office.entries()
    (office.node.folder / "reports" / entry.file).write_bytes(b"prettier figures")
    (one,) = (await filed(office.node)).filed
    assert one.there is False
    with pytest.raises(ZonghengError) as refused:
        await filed_content(office.node, entry.file)
    assert refused.value.code == "changed"
    with pytest.raises(ZonghengError) as unknown:
        await filed_content(office.node, "../node.toml")
    assert unknown.value.code == "not_found"
