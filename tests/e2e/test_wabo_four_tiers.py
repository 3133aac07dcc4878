"""The real permit log in a village under a running town, county and city: what each tier holds, counts and answers."""

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from zongheng.v1.entry_pb2 import Entry

from node.resupervision.standing import LOOK_S
from tests.e2e.tree import Node, Tree, caught_up, until

CITY: Final = "330100"
COUNTY: Final = "330101"
TOWN: Final = "330101001"
VILLAGE: Final = "330101001001"

REDS: Final = 482
"""Cases past their deadline today: 377 completed late, and all 105 that the log leaves open."""


@pytest.fixture(scope="module")
def line(shared_tree: Tree, shared_data: Path) -> list[Node]:
    """City, county, town and village, with the log imported into the village while all of them run."""
    nodes = shared_tree.line(
        ("city", CITY), ("county", COUNTY), ("town", TOWN), ("village", VILLAGE), confirm=False
    )
    for node in nodes:
        node.start()
    village = nodes[-1]
    report = village.import_wabo(shared_data).ended(0).json
    assert (report["outcome"], report["accepted"]) == ("imported", 12_774)
    # Red cards rise as entries of each tier's own journal, so the lower link has to be quiet first.
    for parent, child in reversed(list(pairwise(nodes))):
        caught_up(child, parent)
    return nodes


def test_every_parent_holds_its_childs_journal_to_the_root(line: list[Node]) -> None:
    for parent, child in pairwise(line):
        caught_up(child, parent)
        own, held = child.status()["journal"], parent.child(child.code)
        assert (held["held"], held["root"]) == (own["size"], own["root"])
        assert own["cosigned_size"] == own["size"]
        answer = parent.get("/api/verification")
        assert answer["verified"] is True
        assert {one["origin"]: one["root"] for one in answer["journals"]}[child.code] == own["root"]


def test_the_citys_rollup_of_the_village_is_the_villages_own(line: list[Node]) -> None:
    city, village = line[0], line[-1]
    own = village.run("rollup", "--json").ended(0).json["nodes"]
    assert [one["node"] for one in own] == [VILLAGE]
    figures = own[0]["totals"]
    assert (figures["received"], figures["accepted"], figures["completed"]) == (1434, 1434, 1329)
    assert (figures["late"], figures["red"]) == (377, REDS)

    def of_village() -> object:
        nodes = {one["node"]: one["totals"] for one in city.get("/api/rollup")["nodes"]}
        return nodes.get(VILLAGE) == figures

    until("the city's figures of the village are the village's", of_village)
    answer = city.run("rollup", "--json").ended(0).json
    assert [one["node"] for one in answer["nodes"]] == [CITY, COUNTY, TOWN, VILLAGE]
    assert answer["nodes"][-1]["totals"] == figures
    # Day by day too, and the sum of the tree is the sum of its nodes.
    assert city.get("/api/rollup/rows", node=VILLAGE) == village.get("/api/rollup/rows")
    summed: Counter[str] = Counter()
    for one in answer["nodes"]:
        summed.update(one["totals"])
    assert answer["total"] == dict(summed)


def test_the_city_asks_for_the_villages_red_alerts_and_every_one_is_proven(line: list[Node]) -> None:
    answer = line[0].run("ask", VILLAGE, "alerts", "--level", "red", "--json").ended(0).json
    coverage = answer["coverage"]
    assert (coverage["expected"], coverage["answered"]) == (1, 1)
    assert coverage["stale"] == coverage["unreachable"] == coverage["truncated"] == []
    assert answer["complete"] is True
    assert answer["verified"] is True
    (part,) = answer["nodes"]
    assert (part["node"], part["verified"], part["problem"]) == (VILLAGE, True, "")
    alerts = part["alerts"]
    assert len(alerts) == len({alert["case"] for alert in alerts}) == REDS
    assert all(alert["proven"] is True and alert["level"] == "red" for alert in alerts)
    own = {alert["alert_id"] for alert in line[-1].alerts(level="red")}
    assert {alert["alert_id"] for alert in alerts} == own


def test_the_whole_tree_answers_a_trail_and_a_rule_run_again(line: list[Node]) -> None:
    city, village = line[0], line[-1]
    trail = city.post("/api/ask", {"subtree": VILLAGE, "question": "case", "subject": "case-10017"})
    assert (trail["complete"], trail["verified"]) == (True, True)
    kinds = Counter(entry["kind"] for entry in trail["nodes"][0]["entries"])
    events = village.get("/api/cases/case-10017")["events"]
    assert kinds["case_event"] == len(events)
    again = city.post(
        "/api/ask", {"subtree": ".", "question": "rerun", "subject": "approval.time.case", "limit_days": 10}
    )
    assert again["coverage"]["expected"] == again["coverage"]["answered"] == 4
    rows = [row for part in again["nodes"] for row in part["rerun"] if row["level"] == "red"]
    assert len(rows) > REDS, "a limit of ten days is stricter than the eight weeks most cases have"


def test_a_rule_that_only_some_tiers_have_is_run_again_over_all_of_them(line: list[Node]) -> None:
    again = line[0].post(
        "/api/ask",
        {"subtree": ".", "question": "rerun", "subject": "penalty.time.decision", "limit_days": 60},
    )
    assert (again["complete"], again["coverage"]["answered"]) == (True, 4), again["coverage"]
    assert [part["rerun"] for part in again["nodes"]] == [[], [], [], []]
    told = line[0].run("ask", ".", "rerun", "penalty.time.nothing", "--limit", "60").ended(2)
    assert "no domain has a rule" in told.err


def test_red_cards_rose_to_the_city_as_the_village_wrote_them(line: list[Node]) -> None:
    village = line[-1]
    reds = {
        entry.alert_raised.case_id: entry
        for entry in village.entries("alert_raised")
        if entry.alert_raised.level == 3
    }
    assert len(reds) == REDS
    for node in line[:-1]:
        forwarded = [entry.forwarded for entry in node.entries("forwarded")]
        assert {one.origin for one in forwarded} == {VILLAGE}, node.code
        risen = {Entry.FromString(one.leaf).alert_raised.case_id for one in forwarded}
        assert len(forwarded) == REDS, node.code
        assert risen == set(reds), node.code


def test_every_figure_was_computed_again_and_none_differs(line: list[Node]) -> None:
    for parent, child in pairwise(line):
        held = parent.child(child.code)
        assert held["compared"] == held["reported"] == child.status()["journal"]["size"]
        assert parent.entries("rollup_mismatch") == []
        assert parent.entries("fork_found") == []


def test_every_alert_of_the_village_is_right_and_nobody_is_accused_of_anything(line: list[Node]) -> None:
    town, village = line[2], line[3]
    raised = len(village.alerts())

    def looked() -> object:
        (answer,) = town.run("inspect", VILLAGE, "--json").ended(0).json["nodes"]
        return answer["as_of"] is not None and answer["right"] == raised and answer

    answer = until("the town inspected every alert of the village", looked, 120)
    assert (answer["wrong"], answer["missing"], answer["undetermined"]) == (0, 0, 0)
    # Two looks more, at all of it.
    time.sleep(2 * LOOK_S + 2)
    for node in line[:-1]:
        assert node.alerts(domain="resupervision") == [], node.code


def test_a_village_that_is_away_is_answered_for_from_the_towns_copy(line: list[Node]) -> None:
    city, town, village = line[0], line[2], line[3]
    village.stop()
    until("the town sees the village leave", lambda: town.child(VILLAGE)["state"] == "away")
    ran = city.run("ask", VILLAGE, "alerts", "--level", "red", "--json")
    answer = ran.ended(1).json
    assert answer["complete"] is False
    assert answer["coverage"]["stale"] == [VILLAGE]
    (part,) = answer["nodes"]
    # The town's copy proves the village's own entries all the same.
    assert (part["stale"], part["verified"], len(part["alerts"])) == (True, True, REDS)
