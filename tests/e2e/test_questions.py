"""Questions at scale, to real nodes: whom nobody needs to ask, what a verdict demands, and a flood that is refused politely."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import psutil
import pytest
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from node.asking import MOST
from tests.chaos.line import case_events
from tests.e2e.tree import Node, Tree, caught_up, until

FLOOD = 1_000
AT_ONCE = 200


def handed_in(node: Node, cases: int) -> None:
    """Cases of the storm's kind: one in five is completed ten days late."""
    event = case_events(node.code)
    submissions = [Submission(serial=f"s{number}", event=event(number)) for number in range(4 * cases)]
    with node.door() as submit:
        answer = submit(SubmitRequest(source="hall", submissions=submissions))
    assert answer.accepted == 4 * cases


def asked(node: Node, question: str, **narrow: Any) -> Any:
    return node.post("/api/ask", {"subtree": ".", "question": question, **narrow})


@pytest.fixture(scope="module")
def county(shared_tree: Tree) -> Node:
    """A county with a town where cards were raised, and a village and a second town where nothing ever happened."""
    county = shared_tree.add("county", "330101", confirm=False).start()
    town = shared_tree.add("town", "330101001", county, confirm=False).start()
    village = shared_tree.add("village", "330101001001", town).start()
    quiet = shared_tree.add("town", "330101002", county).start()
    handed_in(town, 30)
    for child, parent in ((village, town), (town, county), (quiet, county)):
        caught_up(child, parent)
    until(
        "the county knows the village", lambda: len(county.status()["children"]) >= 2 and below(county) == 4
    )
    return county


def below(county: Node) -> int:
    return int(asked(county, "cases")["coverage"]["expected"])


def test_whoever_holds_nothing_of_what_is_asked_is_not_asked_and_counts(
    county: Node, shared_tree: Tree
) -> None:
    def answer() -> Any:
        found = asked(county, "alerts", level="red")
        return found if found["coverage"]["hinted"] == ["330101001001", "330101002"] else None

    # The village's town has an answer, so the town is asked; it in turn need not ask the village.
    found = until("neither the village nor the quiet town need be asked", answer)
    assert found["complete"]
    assert found["verified"]
    assert found["coverage"]["answered"] == found["coverage"]["expected"] == 4
    parts = {part["node"]: part for part in found["nodes"]}
    assert parts["330101002"]["hinted"]
    assert parts["330101002"]["as_of"]["journal_size"] > 0
    assert len(parts["330101001"]["alerts"]) > 0
    # What it writes makes it asked again, at once or as soon as its figures are reported.
    quiet = shared_tree.nodes["330101002"]
    handed_in(quiet, 10)
    quiet.get("/api/alerts")
    caught_up(quiet, county)
    again = asked(county, "alerts", level="red")
    assert again["coverage"]["hinted"] == ["330101001001"]
    assert {part["node"] for part in again["nodes"] if part["alerts"]} >= {"330101001", "330101002"}


def test_a_verdict_leaves_nobody_out_and_fails_where_somebody_is_missing(
    county: Node, shared_tree: Tree
) -> None:
    everybody = asked(county, "alerts", level="red", rule="nobody-knows-it", verdict=True)
    assert (everybody["complete"], everybody["coverage"]["hinted"]) == (True, [])
    village = shared_tree.nodes["330101001001"]
    village.stop()
    until("the town misses its village", lambda: not asked(county, "cases")["complete"])
    refused = county.client.post("/api/ask", json={"subtree": ".", "question": "cases", "verdict": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "incomplete")
    assert "330101001001" in refused.json()["detail"]
    told = county.run("ask", ".", "cases", "--verdict")
    assert told.code != 0
    village.start()
    caught_up(village, shared_tree.nodes["330101001"])


def test_children_are_compared_by_what_their_nodes_answered(county: Node) -> None:
    found = county.run("ask", ".", "compare", "--json").ended(0).json
    assert found["complete"]
    own, town, quiet = found["comparison"]
    assert (own["node"], own["nodes"], own["rank"]) == ("330101", 1, None)
    assert (town["node"], town["nodes"], town["missing"]) == ("330101001", 2, [])
    assert town["figures"]["received"] == 30
    assert town["figures"]["completed"] == 24
    assert town["on_time_percent"] == pytest.approx(100 * town["figures"]["on_time"] / 24, abs=0.1)
    assert town["rank"] == 1
    # Eight completed cases are too few for a rank.
    assert (quiet["figures"]["completed"], quiet["rank"]) == (8, None)
    nothing = county.run("ask", ".", "compare", "--to", "2023-01-01", "--json").ended(0).json
    assert [row["figures"] for row in nothing["comparison"]] == [{}, {}, {}]
    county.run("ask", ".", "compare").ended(0)


def test_a_flood_of_questions_is_refused_politely_while_a_child_is_frozen(
    county: Node, shared_tree: Tree
) -> None:
    town = shared_tree.nodes["330101001"]
    assert county.process is not None
    process = psutil.Process(county.process.pid)
    body = {"subtree": ".", "question": "cases", "verdict": True, "deadline_s": 5, "proof": False, "most": 1}

    def ask(number: int) -> tuple[int, str, str]:
        # Each over a connection of its own, as strangers come.
        with closing(HTTPConnection(county.http, timeout=120)) as connection:
            connection.request("POST", "/api/ask", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, json.load(answer).get("code", ""), answer.headers.get("Retry-After", "")

    before = process.memory_info().rss
    with frozen(town), ThreadPoolExecutor(AT_ONCE) as pool:
        told = Counter(pool.map(ask, range(FLOOD)))
    refused = told.pop((429, "busy", "1"))
    # The rest waited for the frozen town, and then said who was missing.
    assert set(told) == {(409, "incomplete", "")}, told
    assert refused > FLOOD / 2
    assert told.total() >= MOST
    assert process.memory_info().rss - before < 100e6

    def answered() -> bool:
        return bool(asked(county, "cases")["complete"])

    until("the county answers as before", answered)


@contextmanager
def frozen(node: Node) -> Iterator[None]:
    assert node.process is not None
    os.kill(node.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(node.process.pid, signal.SIGCONT)
