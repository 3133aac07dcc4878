"""A village sees who speaks in the city: the stream goes down two tiers, is entered at each, comes back by itself, and ends with the meeting."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.calls import on_duty
from tests.e2e.looking import Looking, state, worker_of
from tests.e2e.player import away_from_loopback, gstreamer
from tests.e2e.tree import Node, Tree, until

CITY, COUNTY, VILLAGE = "9901", "990121", "990121101201"


@dataclass
class Meeting:
    city: Node
    county: Node
    village: Node
    id: str
    stream: str
    """The city's seat."""


@pytest.fixture(scope="module")
def line(shared_tree: Tree) -> list[Node]:
    nodes: list[Node] = []
    for tier, code in (("city", CITY), ("county", COUNTY), ("village", VILLAGE)):
        node = shared_tree.add(tier, code, nodes[-1] if nodes else None)
        nodes.append(away_from_loopback(node).start())
    return nodes


@pytest.fixture(scope="module")
def meeting(line: list[Node]) -> Iterator[Meeting]:
    """The city speaks, the village is in it, the county between them is not."""
    city, county, village = line
    called = [{"node": VILLAGE, "person": "operator", "role": "watcher"}]
    form = {"kind": "meeting", "title": "防汛", "members": called}

    def opens() -> Any:
        answer = city.client.post("/api/meetings", json=form)
        return answer.json() if answer.is_success else None

    with on_duty(city), on_duty(village):
        opened = until("the city knows the village", opens)
        until("it rings at the village", lambda: village.get("/api/meetings"))
        village.post(f"/api/meetings/{opened['meeting']}/join", {})
        stream = opened["you"]["stream"]
        with gstreamer(f"http://{city.http}/api/whip/{stream}", "1000000", "--publish") as publishing:
            try:
                yield Meeting(city, county, village, opened["meeting"], stream)
            finally:
                _end(publishing)


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    process.wait(60)


def refusal(node: Node, stream: str) -> Any:
    answer = node.client.post("/api/streams/trials", json={"stream": stream, "seconds": 1})
    assert not answer.is_success
    return answer.json()


def seen(meeting: Meeting) -> Any:
    """The village looks; a node that has not heard of the meeting yet says no."""

    def looks() -> Any:
        answer = meeting.village.client.post(
            "/api/streams/trials", json={"stream": meeting.stream, "seconds": 3}, timeout=120
        )
        told = answer.json()
        return told if answer.is_success and told["pictures"] else None

    return until("the village sees the city", looks)


def test_a_village_sees_who_speaks_in_the_city_and_everybody_on_the_way_enters_it(meeting: Meeting) -> None:
    told = seen(meeting)
    assert (told["code"], told["holes"]) == ("", 0)
    for hop, node in enumerate((meeting.city, meeting.county, meeting.village)):
        (opened,) = [
            entry.camera_opened
            for entry in node.entries("camera_opened")
            if entry.camera_opened.viewing == told["viewing"]
        ]
        assert (opened.stream, opened.hop, opened.viewer.node) == (meeting.stream, hop, VILLAGE)

        def closed(node: Node = node) -> bool:
            return told["viewing"] in [e.camera_closed.viewing for e in node.entries("camera_closed")]

        until(f"{node.code} enters that nobody looks any more", closed)
    until("the way is closed again", lambda: state(meeting.county, meeting.stream) == "")


def test_what_is_of_no_meeting_is_seen_by_nobody_below(meeting: Meeting) -> None:
    meeting.city.post("/api/cameras", {"camera": {"code": "phone", "name": "手机", "address": "whip:"}})
    assert refusal(meeting.village, f"{CITY}/phone/main")["code"] == "forbidden"
    assert refusal(meeting.village, f"{CITY}/call-{meeting.id}-9/main")["code"] == "forbidden"
    # The county carries what it is not in.
    assert refusal(meeting.county, meeting.stream)["code"] == "forbidden"


def test_workers_that_are_killed_come_back_and_so_does_the_picture(meeting: Meeting) -> None:
    seen(meeting)
    looking = Looking(meeting.village, meeting.stream)
    worker_of(meeting.county).kill()
    until("the village notices", lambda: state(meeting.village, meeting.stream) == "lost", every_s=0.02)
    until("it is live again", lambda: state(meeting.village, meeting.stream) == "live")
    told = looking.enough()
    assert told["pictures"] > 0
    print(f"the county's worker is killed: nothing for {told['longest_gap_ms'] / 1_000:.1f} s")


def test_a_meeting_that_is_closed_ends_the_picture_at_every_node(meeting: Meeting) -> None:
    seen(meeting)
    looking = Looking(meeting.village, meeting.stream)
    meeting.city.post(f"/api/meetings/{meeting.id}/close", {})
    assert looking.over()["code"] == "viewer_removed"
    for node in (meeting.city, meeting.county, meeting.village):
        until(f"nobody looks at {node.code}", lambda node=node: not node.get("/api/viewings"))
    refused = refusal(meeting.village, meeting.stream)["code"]
    assert refused in ("forbidden", "not_found")
