"""City, county, town and two villages as processes: a help call is answered a tier above with pictures both ways, four tiers meet, and who was not called sees nothing."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.calls import decoded, meeting_at, on_duty, refusal, speaking
from tests.e2e.player import away_from_loopback
from tests.e2e.tree import Node, Tree, caught_up, until

CITY, COUNTY, TOWN, VILLAGE, NEIGHBOUR = "9901", "990121", "990121101", "990121101001", "990121101002"
PICTURES = 40


@pytest.fixture(scope="module")
def line(shared_tree: Tree) -> list[Node]:
    """City, county, town and village, and the village beside it."""
    nodes: list[Node] = []
    for tier, code in (("city", CITY), ("county", COUNTY), ("town", TOWN), ("village", VILLAGE)):
        node = shared_tree.add(tier, code, nodes[-1] if nodes else None)
        nodes.append(patient(node).start())
    nodes.append(patient(shared_tree.add("village", NEIGHBOUR, nodes[2])).start())
    return nodes


def patient(node: Node) -> Node:
    """A slow machine does not let a call go up that somebody is about to answer."""
    with (away_from_loopback(node).folder / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n[calls]\nanswer_s = 600\nring_s = 900\n")
    return node


@pytest.fixture(scope="module")
def called(line: list[Node]) -> Iterator[Any]:
    """A meeting that the city holds, with one who speaks at each of four tiers."""
    city = line[0]
    members = [{"node": node.code, "person": "operator"} for node in line[1:4]]

    def opens() -> Any:
        answer = city.client.post(
            "/api/meetings", json={"kind": "meeting", "title": "防汛", "members": members}
        )
        return answer.json() if answer.is_success else None

    with ExitStack() as people:
        for node in line[:4]:
            people.enter_context(on_duty(node))
        meeting = until("the city knows everybody below", opens)
        for node in line[1:4]:
            until(f"it rings at {node.code}", lambda node=node: meeting_at(node, meeting["meeting"]))
            node.post(f"/api/meetings/{meeting['meeting']}/join", {})
        for node in line[:4]:
            until(
                f"{node.code} knows who is in it", lambda node=node: states(node, meeting) == ["joined"] * 4
            )
        yield meeting


def states(node: Node, meeting: Any) -> list[str]:
    told = meeting_at(node, meeting["meeting"])
    return [] if told is None else [member["state"] for member in told["members"]]


def stream(node: Node, meeting: Any) -> str:
    """The stream of a node's own seat."""
    return str(meeting_at(node, meeting["meeting"])["you"]["stream"])


def entered(node: Node, kind: str, meeting: Any) -> list[Any]:
    found = [getattr(entry, kind) for entry in node.entries(kind)]
    return [one for one in found if one.meeting == meeting["meeting"]]


def test_a_help_call_of_the_village_is_answered_in_the_town_and_both_see_each_other(line: list[Node]) -> None:
    town, village = line[2:4]
    with on_duty(town):
        asked = village.post("/api/meetings", {"kind": "help", "title": "表格打不开"})
        until("it rings in the town", lambda: states(town, asked) == ["joined", "ringing", "ringing"])
        town.post(f"/api/meetings/{asked['meeting']}/join", {})
        until("the village is answered", lambda: states(village, asked)[2:] == ["joined"])
        with speaking(village, stream(village, asked)), speaking(town, stream(town, asked)):
            assert decoded(town, stream(village, asked), PICTURES) == PICTURES
            assert decoded(village, stream(town, asked), PICTURES) == PICTURES
            village.post(f"/api/meetings/{asked['meeting']}/close", {})
            for node in (town, village):
                until(
                    f"it is over at {node.code}",
                    lambda node=node: meeting_at(node, asked["meeting"])["code"] == "ended",
                )
                until(f"nobody looks at {node.code}", lambda node=node: not node.get("/api/viewings"))
            for node in (town, village):
                assert refusal(node, f"/api/whep/{stream(village, asked)}") in ("forbidden", "not_found")
                assert refusal(node, f"/api/whip/{stream(node, asked)}") == "not_found"
    [closed] = until("the village enters it", lambda: entered(village, "meeting_closed", asked))
    assert (closed.host, closed.answered_node, closed.answered_by) == (TOWN, TOWN, "operator")
    assert [one.host for one in entered(village, "meeting_opened", asked)] == [VILLAGE, TOWN]
    [joined] = entered(town, "meeting_joined", asked)
    assert joined.who == "operator"
    looked = [entry.camera_opened for entry in village.entries("camera_opened")]
    assert {one.viewer.purpose for one in looked} == {f"meeting {asked['meeting']}"}
    assert {one.viewer.node for one in looked} == {TOWN, VILLAGE}


def test_four_tiers_meet_and_each_sees_every_other(line: list[Node], called: Any) -> None:
    members = line[:4]
    with ExitStack() as people:
        streams = {node.code: stream(node, called) for node in members}
        for node in members:
            people.enter_context(speaking(node, streams[node.code]))
        seen: dict[tuple[str, str], int] = {}

        def watch(node: Node) -> None:
            for other in members:
                if other is not node:
                    seen[node.code, other.code] = decoded(node, streams[other.code], 10)

        watching = [threading.Thread(target=watch, args=(node,)) for node in members]
        for thread in watching:
            thread.start()
        for thread in watching:
            thread.join()
        assert len(seen) == 12


def test_who_was_not_called_neither_sees_nor_speaks_nor_calls_others(line: list[Node], called: Any) -> None:
    town, village, neighbour = line[2:]
    seat = stream(village, called)
    assert meeting_at(neighbour, called["meeting"]) is None
    assert refusal(neighbour, f"/api/whep/{seat}") in ("forbidden", "not_found")
    assert refusal(neighbour, f"/api/whip/{NEIGHBOUR}/{seat.split('/')[1]}/main") == "not_found"
    # Into another's seat, at its node and at one's own.
    assert refusal(village, f"/api/whip/{stream(town, called)}") == "bad_request"
    assert refusal(village, f"/api/whip/{VILLAGE}/call-{called['meeting']}-1/main") == "not_found"
    for act, body in (
        ("invite", {"members": [{"node": NEIGHBOUR, "person": "operator"}]}),
        ("remove", {"seat": 1}),
        ("close", {}),
    ):
        answer = village.client.post(f"/api/meetings/{called['meeting']}/{act}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), act
    assert states(line[0], called) == ["joined"] * 4


def test_a_meeting_that_is_closed_ends_everywhere_and_stands_in_every_members_journal(
    line: list[Node], called: Any
) -> None:
    city, members, neighbour = line[0], line[:4], line[4]
    city.post(f"/api/meetings/{called['meeting']}/close", {})
    for node in members:
        until(
            f"it is over at {node.code}",
            lambda node=node: meeting_at(node, called["meeting"])["code"] == "closed",
        )
        until(f"nobody looks at {node.code}", lambda node=node: not node.get("/api/viewings"))
        until(f"{node.code} enters it", lambda node=node: entered(node, "meeting_closed", called))
        [opened], [closed] = entered(node, "meeting_opened", called), entered(node, "meeting_closed", called)
        assert (opened.title, opened.host, closed.by, closed.by_node) == ("防汛", CITY, "operator", CITY)
        joined = [one.node for one in entered(node, "meeting_joined", called)]
        assert sorted(joined) == sorted([each.code for each in members] if node is city else [node.code])
    # What stands in a village's journal its parent sees.
    caught_up(line[3], line[2])
    held = [entry.meeting_closed.meeting for entry in line[2].entries("meeting_closed", VILLAGE)]
    assert called["meeting"] in held
    assert neighbour.entries("meeting_opened") == []
