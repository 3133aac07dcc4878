"""The real permit log in one county node: what `evaluate` finds is what was computed independently."""

import csv
import gzip
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.tree import Node, Tree

LAST_EVENT: Final = "2012-01-23T15:42:54.644+01:00"


@pytest.fixture(scope="module")
def county(shared_tree: Tree, shared_data: Path) -> Node:
    node = shared_tree.add("county", "330101")
    report = node.import_wabo(shared_data).ended(0).json
    assert (report["outcome"], report["rejected"], report["cases"]) == ("imported", 0, 1434)
    return node


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> list[dict[str, str]]:
    with gzip.open(shared_data / "wabo" / "expected.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _journal(status: Any) -> tuple[int, str, str]:
    journal = status["journal"]
    return journal["size"], journal["root"], journal["checkpoint"]


def test_evaluation_finds_exactly_the_expected_cases_stopped_and_running(
    county: Node, expected: list[dict[str, str]]
) -> None:
    before = _journal(county.run("status", "--json").ended(0).json)
    stopped = county.run("evaluate", "--as-of", LAST_EVENT, "--json").ended(0).json

    last_event = datetime.fromisoformat(LAST_EVENT)
    late = sorted(
        row["case_id"]
        for row in expected
        if row["late_vs_deadline"] == "1"
        or (row["closed"] == "0" and datetime.fromisoformat(row["deadline"]) < last_event)
    )
    assert {name: stopped[name] for name in ("cases", "open", "completed", "late")} == {
        "cases": 1434,
        "open": 105,
        "completed": 1329,
        "late": 416,
    }
    assert (stopped["late_completed"], stopped["late_open"]) == (377, 39)
    assert sorted(stopped["late_cases"]) == late
    assert len(late) == 416
    assert stopped["alerts"]["approval.time.case"]["red"] == 416
    assert stopped["alerts"]["approval.procedure.same_person"] == {"yellow": 1042}
    assert stopped["rules"]["approval.procedure.same_person"] == {"checked": 1303, "undetermined": 0}
    assert "approval.procedure.order" not in stopped["alerts"]

    county.start()
    running = county.run("evaluate", "--as-of", LAST_EVENT, "--json").ended(0).json
    assert running == stopped
    # Neither evaluation wrote: the journal is what it was, to the signed head.
    assert _journal(county.status()) == before


def test_same_person_alerts_name_the_cases_in_which_one_person_did_both(
    county: Node, expected: list[dict[str, str]]
) -> None:
    assert county.running
    named = {alert["case"] for alert in county.alerts(rule="approval.procedure.same_person")}
    assert named == {row["case_id"] for row in expected if row["same_person_T02_T04"] == "1"}


def test_an_earlier_instant_knows_only_what_had_happened(
    county: Node, expected: list[dict[str, str]]
) -> None:
    instant = datetime.fromisoformat("2011-06-30T23:59:59+02:00")
    answer = county.get("/api/evaluation", as_of=instant.isoformat())
    started = [row for row in expected if datetime.fromisoformat(row["start"]) <= instant]
    ended = [row for row in started if row["enddate"] and datetime.fromisoformat(row["enddate"]) <= instant]
    assert 0 < len(ended) < len(started) < len(expected)
    assert (answer["cases"], answer["completed"]) == (len(started), len(ended))


def test_the_journal_verifies_leaf_by_leaf(county: Node) -> None:
    answer = county.run("verify", "--json").ended(0).json
    (own,) = answer["journals"]
    assert answer["verified"] is True
    assert (own["size"], own["root"]) == _journal(county.status())[:2]
