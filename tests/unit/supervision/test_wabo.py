"""A real approval log, judged case by case against answers that somebody else computed."""

import csv
import gzip
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from node.store.rows import EventRow
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.evaluate import Evaluation, evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows

XES = "{http://www.xes-standard.org/}"
ROLES = {"T02": "handle", "T04": "approve"}
LAST_EVENT = "2012-01-23T15:42:54.644+01:00"


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def events(log: Path) -> list[EventRow]:
    rows: list[EventRow] = []

    def add(case: str, at: str, kind: str, actor: str = "", step: str = "", **attributes: object) -> None:
        head = ("n", case, len(rows), us(at), False, "Europe/Amsterdam", "approval", kind, 0, 0)
        rows.append(EventRow(*head, "general", actor, "wabo", step, "", "", attributes))

    with gzip.open(log) as file:
        traces = list(ElementTree.parse(file).getroot().iter(f"{XES}trace"))
    for trace in traces:
        about = {one.get("key"): one.get("value") for one in trace if one.tag != f"{XES}event"}
        case, started = about["concept:name"], about["startdate"]
        add(case, started, "application")
        add(case, started, "acceptance", statutory_due_at=us(about["deadline"]))
        for event in trace.iter(f"{XES}event"):
            done = {one.get("key"): one.get("value") for one in event}
            code = done["concept:name"].split()[0]
            role = {"role": ROLES[code]} if code in ROLES else {}
            add(case, done["time:timestamp"], "step", done["org:resource"], code, **role)
        if "enddate" in about:
            add(case, about["enddate"], "completion")
    return rows


@pytest.fixture(scope="module")
def judged(shared_data: Path) -> Evaluation:
    rows = events(shared_data / "wabo" / "receipt.xes.gz")
    context = Context(Calendar.weekdays(), zone="Europe/Amsterdam")
    return evaluate(from_rows(rows), context, us(LAST_EVENT), len(rows), installed(("approval",)))


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, dict[str, str]]:
    with gzip.open(shared_data / "wabo" / "expected.csv.gz", "rt") as file:
        return {row["case_id"]: row for row in csv.DictReader(file)}


def test_every_late_case_and_no_other_gets_its_red_card(judged: Evaluation, expected) -> None:
    as_of = datetime.fromisoformat(LAST_EVENT)
    closed = {case for case, row in expected.items() if row["late_vs_deadline"] == "1"}
    still_open = {
        case
        for case, row in expected.items()
        if row["closed"] == "0" and datetime.fromisoformat(row["deadline"]) < as_of
    }
    assert (len(closed), len(still_open)) == (377, 39)
    red = judged.findings.filter(pl.col("rule") == "approval.time.case", pl.col("level") == 3)
    assert set(red["case_id"]) == closed | still_open
    assert red.height == 416
    late = judged.cases.filter("late")
    assert set(late.filter(pl.col("state") == "completed")["case_id"]) == closed
    assert set(late.filter(pl.col("state") != "completed")["case_id"]) == still_open


def test_one_person_checked_and_determined(judged: Evaluation, expected) -> None:
    found = judged.findings.filter(pl.col("rule") == "approval.procedure.same_person")
    assert set(found["case_id"]) == {
        case for case, row in expected.items() if row["same_person_T02_T04"] == "1"
    }
    counts = judged.rules.filter(pl.col("rule") == "approval.procedure.same_person")
    assert counts.row(0, named=True) | {"rule": ""} == {
        "rule": "",
        "checked": 1_303,
        "undetermined": 0,
        "notice": 0,
        "yellow": 1_042,
        "red": 0,
    }


def test_the_days_add_up_to_the_log(judged: Evaluation) -> None:
    totals = dict(judged.figures.group_by("figure").agg(pl.col("amount").sum()).iter_rows())
    assert totals == {"received": 1_434, "accepted": 1_434, "completed": 1_329, "on_time": 952, "late": 377}
