"""A month of a real log, reported: every number in the workbook is one that somebody else counts out of the raw log, and the pages say the same."""

import asyncio
import csv
import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pypdf
import pytest

from node import config
from node.intake.import_run import run_import
from node.intake.mapping import load
from node.people.caller import OPERATOR
from node.reports.font import PLACES
from node.reports.made import made
from node.reports.workbook import HEADER_ROW
from node.run import Node
from node.views.cases import CasePage, CaseView, case, page
from node.views.forecast import ForecastView, forecast_view
from node.views.report import ReportView, report

NOW = datetime(2012, 2, 1, 8, 0, tzinfo=UTC)
SOURCE = ZoneInfo("Europe/Amsterdam")
HERE = ZoneInfo("Asia/Shanghai")

font_is_here = pytest.mark.skipif(
    not any(Path(place).is_file() for place in PLACES), reason="no font with Chinese letters: tests/setup.sh"
)


@dataclass(frozen=True)
class Case:
    """One case of the raw log, read here and nowhere else."""

    case: str
    start: datetime
    deadline: datetime
    end: datetime | None

    @property
    def late(self) -> bool:
        return self.end is not None and self.end > self.deadline


@pytest.fixture(scope="module")
def raw(shared_data: Path) -> list[Case]:
    with gzip.open(shared_data / "wabo" / "expected.csv.gz", "rt", encoding="utf-8") as file:
        return [
            Case(
                row["case_id"],
                datetime.fromisoformat(row["start"]),
                datetime.fromisoformat(row["deadline"]),
                datetime.fromisoformat(row["enddate"]) if row["enddate"] else None,
            )
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True)
class Reported:
    views: dict[str, ReportView]
    forecast: ForecastView
    alerts: list[Any]
    case: CaseView
    listed: CasePage


@pytest.fixture(scope="module")
def reported(shared_data: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """The log at a county, and its reports of a month, a week and a day, and of a month before all."""
    folder = tmp_path_factory.mktemp("reported") / "node"
    config.initialise(
        folder, tier="county", name="霁川县", division="990121", grpc="127.0.0.1:1", http="127.0.0.1:2", calendar="weekdays",
    )  # fmt: skip

    async def told() -> Reported:
        now_us = round(NOW.timestamp()) * 1_000_000
        async with Node.opened(folder, now=lambda: now_us) as node:
            mapping = load(repository / "tests" / "mappings" / "wabo.toml")
            log = shared_data / "wabo" / "receipt.xes.gz"
            taken = await run_import(log, mapping, node.intake, now_us=now_us)
            assert (taken.accepted, taken.cases) == (12_774, 1_434)
            wanted = [("month", "2011-05"), ("week", "2011-W20"), ("day", "2011-05-11"), ("month", "2010-01")]
            views = {of: await report(node, kind, of, "") for kind, of in wanted}
            async with node.store.read() as session:
                alerts = await session.alerts.on_days("990121", 0, 2**62)
            listed = await page(
                node, OPERATOR, state=None, item=None, agency=None, from_us=0, to_us=0, offset=0, limit=5_000
            )
            one = await case(node, OPERATOR, "case-10017", explain=False, as_of=None)
            return Reported(views, await forecast_view(node), alerts, one, listed)

    return asyncio.run(told())


def sheet(book: openpyxl.Workbook, name: str) -> list[dict[str, Any]]:
    """The rows of a sheet under its header, by column."""
    rows = [list(row) for row in book[name].iter_rows(min_row=HEADER_ROW, values_only=True)]
    header = [one for one in rows[0] if one]
    return [dict(zip(header, row, strict=False)) for row in rows[1:] if row[0] is not None]


def within(cases: Iterable[datetime | None], first: date, end: date) -> int:
    return sum(at is not None and first <= at.astimezone(SOURCE).date() < end for at in cases)


def counted(raw: list[Case], first: date, end: date) -> dict[str, Any]:
    late = within([one.end for one in raw if one.late], first, end)
    completed = within([one.end for one in raw], first, end)
    return {
        "收件": within([one.start for one in raw], first, end),
        "受理": within([one.start for one in raw], first, end),
        "办结": completed,
        "按期": completed - late,
        "超期": late,
        "按期率%": round(100 * (completed - late) / completed, 1) if completed else "–",
    }


@pytest.mark.parametrize(
    ("of", "first", "end"),
    [
        ("2011-05", date(2011, 5, 1), date(2011, 6, 1)),
        ("2011-W20", date(2011, 5, 16), date(2011, 5, 23)),
        ("2011-05-11", date(2011, 5, 11), date(2011, 5, 12)),
        ("2010-01", date(2010, 1, 1), date(2010, 2, 1)),
    ],
)
def test_every_number_of_the_workbook_is_counted_again_from_the_raw_log(
    reported: Reported, raw: list[Case], of: str, first: date, end: date
) -> None:
    book = openpyxl.load_workbook(BytesIO(made(reported.views[of], "xlsx")))
    now = counted(raw, first, end)
    before = (
        first - (end - first) if end - first < timedelta(days=28) else (first - timedelta(1)).replace(day=1)
    )
    past = counted(raw, before, first)

    overview = {row["指标"]: row for row in sheet(book, "概览")}
    names = {
        "收件": "收件",
        "受理": "受理",
        "办结": "办结",
        "按期": "其中：按期办结",
        "超期": "其中：超期办结",
        "按期率%": "按期率%",
    }
    assert {name: overview[shown]["本期"] for name, shown in names.items()} == now
    assert {name: overview[shown]["上期"] for name, shown in names.items()} == past
    for name in ("收件", "受理", "办结", "按期", "超期"):
        assert overview[names[name]]["增减"] == now[name] - past[name]

    for name in ("领域", "部门", "下级节点"):
        rows = sheet(book, name)
        for column, total in now.items():
            if column != "按期率%":
                assert sum(row[column] for row in rows) == total, (name, column)
        assert sum(row["上期办结"] for row in rows) == past["办结"]
    if (end - first).days > 1:
        days = {row["日期"]: row for row in sheet(book, "每日")}
        assert len(days) == (end - first).days
        for at in (first + timedelta(days=n) for n in range((end - first).days)):
            one = counted(raw, at, at + timedelta(days=1))
            assert [days[at.isoformat()][name] for name in ("收件", "办结", "超期办结")] == [
                one["收件"], one["办结"], one["超期"],
            ]  # fmt: skip


def test_the_late_list_is_who_was_completed_late_and_who_was_open_past_the_deadline_at_the_end(
    reported: Reported, raw: list[Case]
) -> None:
    over = datetime(2011, 6, 1, tzinfo=HERE)
    expected = {
        one.case
        for one in raw
        if (one.late and within([one.end], date(2011, 5, 1), date(2011, 6, 1)))
        or (one.deadline < over and one.start < over and (one.end is None or one.end >= over))
    }
    view = reported.views["2011-05"]
    rows = sheet(openpyxl.load_workbook(BytesIO(made(view, "xlsx"))), "超期办件")
    assert {row["办件"] for row in rows} == expected
    assert view.late_cases == len(rows) == len(expected)
    by_case = {one.case: one for one in raw}
    for row in rows:
        deadline = by_case[row["办件"]].deadline.astimezone(HERE)
        assert row["时限"] == deadline.strftime("%Y-%m-%d %H:%M")
    assert [row["超过天数"] for row in rows] == sorted((row["超过天数"] for row in rows), reverse=True)


def test_alerts_are_those_that_hold_since_a_day_of_the_month(reported: Reported) -> None:
    def of(month: int) -> list[Any]:
        days = [(one, datetime.fromtimestamp(one.since_us / 1_000_000, HERE)) for one in reported.alerts]
        return [one for one, at in days if (at.year, at.month) == (2011, month)]

    book = openpyxl.load_workbook(BytesIO(made(reported.views["2011-05"], "xlsx")))
    shown = {row["级别"]: row for row in sheet(book, "预警与发牌")}
    states = book["预警与发牌"]
    for number, word in enumerate(("预警", "黄牌", "红牌"), 1):
        assert shown[word]["本期"] == sum(one.level == number for one in of(5))
        assert shown[word]["上期"] == sum(one.level == number for one in of(4))
        assert sum(list(shown[word].values())[4:]) == shown[word]["本期"], "each is in one state"
    assert sum(row["本期"] for row in shown.values()) > 100
    rules = sheet(book, "规则")
    assert sum(row["本期"] for row in rules) == len(of(5))
    assert sum(row["上期"] for row in rules) == len(of(4))
    assert sum(row["红牌"] for row in rules) == shown["红牌"]["本期"]
    assert states._charts, "levels are drawn"


def test_where_nothing_came_in_no_share_is_shown_and_the_period_is_said(reported: Reported) -> None:
    view = reported.views["2010-01"]
    assert (view.total.now.received, view.total.now.on_time_percent) == (0, None)
    book = openpyxl.load_workbook(BytesIO(made(view, "xlsx")))
    share = next(row for row in sheet(book, "概览") if row["指标"] == "按期率%")
    assert (share["本期"], share["增减"]) == ("–", "–")
    cover = "".join(str(cell) for row in book["说明"].iter_rows(values_only=True) for cell in row if cell)
    assert "2010-01-01至2010-01-31" in cover
    assert "不是累计数" in cover


def test_the_forecast_knows_every_open_case_and_every_month(reported: Reported, raw: list[Case]) -> None:
    view = reported.forecast
    waiting = {one.case for one in raw if one.end is None and one.deadline > NOW}
    assert view.open_cases == len(waiting) > 0
    assert {one.case for one in view.cases} == waiting
    assert 0 < view.expected_late < len(waiting)
    ended = [
        one for one in raw if one.end is not None and one.end.astimezone(HERE).strftime("%Y-%m") == "2011-05"
    ]
    (may,) = [one for one in view.months if one.month == "2011-05"]
    assert (may.completed, may.late) == (len(ended), sum(one.late for one in ended))
    assert view.past is not None
    assert view.past.error < view.past.error_of_share


@font_is_here
def test_the_pages_say_the_same_as_the_workbook(reported: Reported, raw: list[Case]) -> None:
    view = reported.views["2011-05"]
    file = pypdf.PdfReader(BytesIO(made(view, "pdf")))
    text = "\n".join(page.extract_text() for page in file.pages)
    squeezed = "".join(text.split())
    now = counted(raw, date(2011, 5, 1), date(2011, 6, 1))
    past = counted(raw, date(2011, 4, 1), date(2011, 5, 1))
    assert "霁川县电子监察月报" in squeezed
    assert "2011年5月" in squeezed
    for shown, name in (
        ("收件", "收件"),
        ("办结", "办结"),
        ("其中：按期办结", "按期"),
        ("其中：超期办结", "超期"),
    ):
        assert f"{shown}{now[name]}{past[name]}{now[name] - past[name]}" in squeezed
    for heading in ("每日", "领域", "部门", "预警与发牌", "规则", "超期办件", "再监察", "督办", "覆盖"):
        assert heading in squeezed
    for late in view.late[:60]:
        assert late.case in squeezed
    fonts = {str(font) for page in file.pages for font in page["/Resources"]["/Font"]}  # type: ignore[index]
    assert fonts, "letters are drawn with an embedded font"


def test_a_case_is_told_in_the_nodes_zone_like_a_list_and_beside_it_in_its_sources(
    reported: Reported,
) -> None:
    shown = reported.case
    (listed,) = [one for one in reported.listed.cases if one.case == shown.case]
    assert (shown.received_at, shown.completed_at) == (listed.received_at, listed.completed_at)
    for event in shown.events:
        assert event.at is not None
        assert event.source_at is not None
        assert event.at.endswith("+08:00")
        at = datetime.fromisoformat(event.at)
        assert event.source_at == at.astimezone(SOURCE).isoformat()
    (due,) = [one for one in shown.clocks if one.clock == "statutory"]
    assert (due.due_at, str(due.due_at)[-6:]) == (listed.statutory_due_at, "+08:00")
    assert str(due.source_due_at)[-6:] in {"+01:00", "+02:00"}
