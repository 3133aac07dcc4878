"""A real log at a county: trend and hot spots say what somebody else counts out of the raw log, and the command prints it."""

import asyncio
import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import iterparse
from zoneinfo import ZoneInfo

import pytest

from node import config
from node.intake.import_run import run_import
from node.intake.mapping import load
from node.run import Node
from node.views.hot_spots import HotSpots, hot_spots
from node.views.outliers import Outliers, outliers
from node.views.trend import TrendView, trend

NOW = datetime(2012, 2, 1, 8, 0, tzinfo=UTC)
SOURCE, HERE = ZoneInfo("Europe/Amsterdam"), ZoneInfo("Asia/Shanghai")
FROM, TO = date(2011, 4, 1), date(2011, 9, 30)


@dataclass(frozen=True)
class Told:
    months: TrendView
    weeks: TrendView
    agencies: HotSpots
    rules: HotSpots
    steps: HotSpots
    late: Outliers
    alerts: list[Any]


@pytest.fixture(scope="module")
def raw(shared_data: Path) -> list[dict[str, str]]:
    with gzip.open(shared_data / "wabo" / "expected.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def told(shared_data: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("insight") / "node"
    config.initialise(
        folder, tier="county", name="霁川县", division="990121", grpc="127.0.0.1:1", http="127.0.0.1:2", calendar="weekdays",
    )  # fmt: skip

    async def asked() -> Told:
        now_us = round(NOW.timestamp()) * 1_000_000
        async with Node.opened(folder, now=lambda: now_us) as node:
            mapping = load(repository / "tests" / "mappings" / "wabo.toml")
            await run_import(shared_data / "wabo" / "receipt.xes.gz", mapping, node.intake, now_us=now_us)
            spots = {
                by: await hot_spots(node, by, "", FROM.isoformat(), TO.isoformat(), "cards", "")
                for by in ("agency", "rule", "step")
            }
            months = await trend(node, "month", "2011-10", "", 14)
            weeks = await trend(node, "week", "2011-W20", "", 3)
            late = await outliers(node, "agency", "late", "", FROM.isoformat(), TO.isoformat())
            async with node.store.read() as session:
                alerts = await session.alerts.on_days("990121", 0, 2**62)
            return Told(months, weeks, spots["agency"], spots["rule"], spots["step"], late, alerts)

    return asyncio.run(asked())


def days(raw: list[dict[str, str]], name: str) -> Iterator[tuple[date, dict[str, str]]]:
    for row in raw:
        if row[name]:
            yield datetime.fromisoformat(row[name]).astimezone(SOURCE).date(), row


def late(row: dict[str, str]) -> bool:
    return datetime.fromisoformat(row["enddate"]) > datetime.fromisoformat(row["deadline"])


def test_every_month_beside_the_one_before_and_a_year_ago_is_counted_again(
    told: Told, raw: list[dict[str, str]]
) -> None:
    received = Counter(f"{day:%Y-%m}" for day, _ in days(raw, "start"))
    completed = Counter(f"{day:%Y-%m}" for day, _ in days(raw, "enddate"))
    past = Counter(f"{day:%Y-%m}" for day, row in days(raw, "enddate") if late(row))
    view = told.months
    assert [one.label for one in view.periods][-2:] == ["2011-09", "2011-10"]
    assert view.first_day == min(day for day, _ in days(raw, "start")).isoformat() == "2010-10-01"
    for before, one in zip(["2010-08", *(each.label for each in view.periods)], view.periods, strict=False):
        assert (one.now.received, one.now.completed, one.now.late) == (
            received[one.label], completed[one.label], past[one.label],
        )  # fmt: skip
        if before < "2010-10":
            assert one.before is None, "no figures reach back so far"
        else:
            assert one.before is not None
            assert one.before.received == received[before]
    last = view.periods[-1]
    assert last.year_ago is not None
    assert last.year_ago.received == received["2010-10"] > 0
    assert view.periods[-2].year_ago is None
    assert all(one.finished for one in view.periods)


def test_a_week_is_an_iso_week(told: Told, raw: list[dict[str, str]]) -> None:
    received = Counter(day.isocalendar()[:2] for day, _ in days(raw, "start"))
    assert [(one.label, one.now.received) for one in told.weeks.periods] == [
        (f"2011-W{week}", received[2011, week]) for week in (18, 19, 20)
    ]


def test_hot_spots_by_agency_share_out_all_cards_against_the_rate_of_all(
    told: Told, raw: list[dict[str, str]]
) -> None:
    cards = Counter(
        one.agency
        for one in told.alerts
        if one.level >= 2 and FROM <= datetime.fromtimestamp(one.since_us / 1e6, HERE).date() <= TO
    )
    received = Counter(row["department"] for day, row in days(raw, "start") if FROM <= day <= TO)
    completed = Counter(row["department"] for day, row in days(raw, "enddate") if FROM <= day <= TO)
    view = told.agencies
    cases = {one: max(received[one], completed[one]) for one in received.keys() | completed.keys()}
    assert {one.code: (one.alerts, one.cases) for one in view.spots} == {
        one: (cards[one], cases[one]) for one in cases
    }
    assert view.alerts == sum(cards.values()) > 100
    rate = sum(cards.values()) / sum(cases.values())
    for one in view.spots:
        assert one.expected == round(rate * cases[one.code], 1)
        assert one.lift == round(cards[one.code] / (rate * cases[one.code]), 2)
        assert one.share_percent == round(100 * cards[one.code] / view.alerts, 1)


def test_hot_spots_by_rule_are_held_against_the_year_before(told: Told, raw: list[dict[str, str]]) -> None:
    def within(one: Any, first: date, last: date) -> bool:
        return one.level >= 2 and first <= datetime.fromtimestamp(one.since_us / 1e6, HERE).date() <= last

    now = Counter(one.rule for one in told.alerts if within(one, FROM, TO))
    then = Counter(one.rule for one in told.alerts if within(one, date(2010, 4, 1), date(2011, 3, 31)))
    received = [day for day, _ in days(raw, "start")]
    completed = [day for day, _ in days(raw, "enddate")]

    def cases(first: date, last: date) -> int:
        return max(sum(first <= day <= last for day in each) for each in (received, completed))

    before, here = cases(date(2010, 4, 1), date(2011, 3, 31)), cases(FROM, TO)
    assert {one.code: one.alerts for one in told.rules.spots} == now
    for one in told.rules.spots:
        expected = then[one.code] / before * here
        assert one.expected == (round(expected, 1) if expected else None)
    assert told.rules.coverage.answered == told.rules.coverage.expected == 1


def test_steps_are_counted_as_they_were_taken(told: Told, shared_data: Path) -> None:
    with gzip.open(shared_data / "wabo" / "receipt.xes.gz") as file:
        taken = Counter(
            str(said["concept:name"]).replace("Confirmation", "T01").split()[0]
            for _, element in iterparse(file)
            if element.tag.endswith("event")
            and (said := {one.get("key"): one.get("value") for one in element})
            and FROM <= datetime.fromisoformat(str(said["time:timestamp"])).astimezone(HERE).date() <= TO
        )
    shown = {one.code: (one.cases, one.alerts) for one in told.steps.spots}
    assert {"T02", "T04"} <= shown.keys()
    # No step of this log has a limit: there is nothing about one.
    assert shown == {code: (count, 0) for code, count in taken.items() if code in shown}
    assert told.steps.alerts == 0


def test_agencies_that_have_no_three_others_to_be_compared_with_are_not(
    told: Told, raw: list[dict[str, str]]
) -> None:
    there = {row["department"] for day, row in days(raw, "enddate") if FROM <= day <= TO}
    assert len(there) < 4
    assert (told.late.groups, told.late.not_compared) == ([], len(there))
