"""Calls and meetings of one node over HTTP: who may what, what is told, and what stands in the journal."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from node.meetings import meetings as module
from node.people.caller import person
from node.people.roles import Role
from node.views.meetings import events
from tests.unit.people.conftest import CODE, House, Visitor

OFFICE = {"agency": "ZR"}


@asynccontextmanager
async def running(house: House) -> AsyncIterator[None]:
    """What a node that serves does about meetings."""
    async with asyncio.TaskGroup() as tasks:
        works = [tasks.create_task(house.node.meetings.run()), tasks.create_task(house.node.put_out.run())]
        await asyncio.sleep(0)
        try:
            yield
        finally:
            for work in works:
                work.cancel()


async def posted(visitor: Visitor, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    answer = await visitor.post(path, body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def eventually(visitor: Visitor, meeting: str, **expected: Any) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            told = (await visitor.get(f"/api/meetings/{meeting}")).json()
            if all(told.get(name) == value for name, value in expected.items()):
                return dict(told)
            await asyncio.sleep(0.05)


async def listen(house: House, who: str, heard: asyncio.Queue[dict[str, Any]]) -> None:
    """A page of an officer's that waits for news."""
    async for text in events(house.node, person(who, [Role.OFFICER], "ZR", "", None, "")):
        if text.startswith("event: meeting\n"):
            heard.put_nowait(json.loads(text.partition("data: ")[2]))


def states(told: dict[str, Any]) -> list[str]:
    return [member["state"] for member in told["members"]]


async def test_a_kiosk_asks_for_help_and_an_officer_answers(house: House) -> None:
    kiosk = await house.inside("k1", "kiosk")
    officer = await house.inside("w1", "officer", **OFFICE)
    async with running(house):
        asked = await posted(kiosk, "/api/meetings", {"kind": "help", "title": "怎么填表"}, 201)
        assert (asked["host"], asked["you"]["state"], asked["runs"]) == (CODE, "joined", False)
        assert asked["you"]["whip"] == f"/api/whip/{CODE}/call-{asked['meeting']}-1/main"
        again = await posted(kiosk, "/api/meetings", {"kind": "help"}, 201)
        assert again["meeting"] == asked["meeting"]

        [rings] = (await officer.get("/api/meetings")).json()
        assert (rings["you"]["state"], rings["you"]["whip"]) == ("ringing", "")
        house.clock.go(seconds=12)
        answered = await posted(officer, f"/api/meetings/{asked['meeting']}/join")
        assert (states(answered), answered["runs"]) == (["joined", "joined"], True)
        ended = await posted(kiosk, f"/api/meetings/{asked['meeting']}/close")
        assert (ended["state"], ended["code"], ended["you"]["whip"]) == ("closed", "ended", "")
        assert (await officer.get("/api/meetings")).json() == []
        assert len((await officer.get("/api/meetings", all="true")).json()) == 1

    [opened], [closed] = await house.entries("meeting_opened"), await house.entries("meeting_closed")
    assert (opened.by, opened.title, opened.called[1].officers) == ("k1", "怎么填表", True)
    assert (closed.answered_by, closed.answered_after_s, closed.code) == ("w1", 12, "ended")
    joined = await house.entries("meeting_joined")
    assert [(one.who, one.rang_s) for one in joined] == [("k1", 0), ("w1", 12)]
    assert [one.who for one in await house.entries("meeting_left")] == ["k1", "w1"]


async def test_what_a_role_may_not_is_refused(house: House) -> None:
    kiosk, clerk = await house.inside("k1", "kiosk"), await house.inside("c1", "clerk", **OFFICE)
    auditor, leader = await house.inside("a1", "auditor"), await house.inside("l1", "leader")
    call = {"kind": "meeting", "members": [{"node": CODE, "person": "c1"}]}
    async with running(house):
        for visitor in (kiosk, clerk):
            assert (await visitor.post("/api/meetings", call)).status_code == 403
        assert (await auditor.post("/api/meetings", {"kind": "help"})).status_code == 403
        assert (await auditor.get("/api/meetings")).status_code == 403
        told = await posted(leader, "/api/meetings", call, 201)
        path = f"/api/meetings/{told['meeting']}"
        assert (await kiosk.get(path)).status_code == 404
        assert (await kiosk.post(f"{path}/join")).status_code == 403
        for act, body in (("invite", call | {}), ("close", {}), ("remove", {"seat": 1})):
            answer = await clerk.post(
                f"{path}/{act}", {"members": call["members"]} if act == "invite" else body
            )
            assert answer.status_code == 403, (act, answer.text)
        for wrong in (
            {**call, "members": [{"node": "9901", "person": "x"}]},
            {**call, "members": [{"node": CODE}]},
            {**call, "members": []},
            {**call, "kind": "help"},
        ):
            assert (await leader.post("/api/meetings", wrong)).status_code in (400, 404)


async def test_nobody_publishes_into_anothers_seat_or_watches_without_being_in_it(house: House) -> None:
    leader, clerk = await house.inside("l1", "leader"), await house.inside("c1", "clerk", **OFFICE)
    watcher, other = await house.inside("w1", "officer", **OFFICE), await house.inside("s1", "supervisor")
    members = [{"node": CODE, "person": "c1"}, {"node": CODE, "person": "w1", "role": "watcher"}]
    async with running(house):
        told = await posted(leader, "/api/meetings", {"kind": "meeting", "members": members}, 201)
        await posted(clerk, f"/api/meetings/{told['meeting']}/join")
        await posted(watcher, f"/api/meetings/{told['meeting']}/join")
        first, second, third = (
            f"{CODE}/call-{told['meeting']}-{member['seat']}/main" for member in told["members"]
        )
        sdp = {"content": "v=0", "headers": {"Content-Type": "application/sdp"}}

        async def code(visitor: Visitor, path: str) -> str:
            headers = {**sdp["headers"], "X-CSRF-Token": visitor.csrf}  # type: ignore[dict-item]
            answer = await visitor.client.post(path, content="v=0", headers=headers)
            return str(answer.json()["code"])

        for visitor, path, expected in (
            (clerk, f"/api/whip/{first}", "forbidden"),
            (watcher, f"/api/whip/{third}", "forbidden"),
            (other, f"/api/whip/{second}", "forbidden"),
            (other, f"/api/whep/{second}", "forbidden"),
            (clerk, f"/api/whip/{CODE}/hall/main", "forbidden"),
            (clerk, f"/api/whep/{CODE}/hall/main", "forbidden"),
            (leader, f"/api/whip/{CODE}/call-{'0' * 16}-1/main", "not_found"),
        ):
            assert await code(visitor, path) == expected, path
        await posted(clerk, f"/api/meetings/{told['meeting']}/leave")
        assert await code(leader, f"/api/whep/{second}") == "not_found"


async def test_twelve_speak_and_the_thirteenth_is_told_why_not(house: House) -> None:
    leader = await house.inside("l1", "leader")
    members = [{"node": CODE, "person": f"c{n}"} for n in range(11)]
    async with running(house):
        told = await posted(leader, "/api/meetings", {"kind": "meeting", "members": members}, 201)
        path = f"/api/meetings/{told['meeting']}/invite"
        answer = await leader.post(path, {"members": [{"node": CODE, "person": "c99"}]})
        assert (answer.status_code, answer.json()["code"]) == (503, "at_capacity")
        assert "12 speak" in answer.json()["detail"]
        watching = {"members": [{"node": CODE, "person": "c99", "role": "watcher"}]}
        assert len((await posted(leader, path, watching))["members"]) == 13


async def test_news_come_as_events_and_an_open_page_is_being_on_duty(house: House) -> None:
    kiosk = await house.inside("k1", "kiosk")
    officer = await house.inside("w1", "officer", **OFFICE)
    async with running(house), asyncio.TaskGroup() as tasks:
        heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        listening = tasks.create_task(listen(house, "w1", heard))
        async with asyncio.timeout(120):
            while not house.node.meetings.book.listeners.somebody_answers():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            asked = await posted(kiosk, "/api/meetings", {"kind": "help"}, 201)
            assert states(await heard.get()) == ["joined", "ringing"]
            await posted(officer, f"/api/meetings/{asked['meeting']}/join")
            assert states(await heard.get()) == ["joined", "joined"]
            await posted(officer, f"/api/meetings/{asked['meeting']}/leave")
            assert (await heard.get())["code"] == "ended"
        listening.cancel()


async def test_whom_it_rang_for_hears_who_answered_and_that_it_is_over(house: House) -> None:
    kiosk = await house.inside("k1", "kiosk")
    officer, other = [await house.inside(who, "officer", **OFFICE) for who in ("w1", "w2")]
    async with running(house), asyncio.TaskGroup() as tasks:
        heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        listening = tasks.create_task(listen(house, "w2", heard))
        asked = await posted(kiosk, "/api/meetings", {"kind": "help"}, 201)
        path = f"/api/meetings/{asked['meeting']}"
        assert (await heard.get())["you"]["state"] == "ringing"
        await posted(officer, f"{path}/join")
        answered = await heard.get()
        assert (states(answered), answered["you"], answered["runs"]) == (["joined", "joined"], None, False)
        late = await other.post(f"{path}/join")
        assert (late.status_code, late.json()["code"]) == (429, "busy")
        await posted(officer, f"{path}/remove", {"seat": 1})
        assert (await heard.get())["code"] == "ended"
        listening.cancel()
        # Whoever was cut off meanwhile is told how it stands; whoever was removed, that they were.
        again = tasks.create_task(listen(house, "w2", heard))
        assert (await heard.get())["code"] == "ended"
        again.cancel()
    removed = (await kiosk.get(path)).json()
    assert (removed["you"]["state"], removed["you"]["whip"]) == ("left", "")
    assert (await other.post(f"{path}/join")).status_code == 404
    assert (await (await house.inside("c1", "clerk", **OFFICE)).get(path)).status_code == 404


async def test_who_is_not_there_any_more_has_left(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_S", 0.05)
    house.node.meetings._away_s = 0.2
    kiosk = await house.inside("k1", "kiosk")
    await house.inside("w1", "officer", **OFFICE)
    async with running(house):
        asked = await posted(kiosk, "/api/meetings", {"kind": "help"}, 201)
        told = await eventually(house.owner, asked["meeting"], state="closed")
        assert (told["code"], told["members"][0]["code"]) == ("given_up", "absent")


async def test_what_a_node_left_open_is_ended_at_its_next_start(house: House) -> None:
    leader = await house.inside("l1", "leader")
    members = [{"node": CODE, "person": "c1"}]
    async with running(house):
        told = await posted(leader, "/api/meetings", {"kind": "meeting", "members": members}, 201)
    # As after a start: nothing is in memory.
    house.node.meetings.book._meetings.clear()
    house.node.meetings.book._marked = False
    async with running(house):
        async with asyncio.timeout(120):
            while not await house.entries("meeting_closed"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        [closed] = await house.entries("meeting_closed")
        assert (closed.meeting, closed.code) == (told["meeting"], "interrupted")
        [left] = await house.entries("meeting_left")
        assert (left.who, left.code) == ("l1", "interrupted")
        assert (await leader.get(f"/api/meetings/{told['meeting']}")).status_code == 404
        assert await house.node.meetings.book.interrupted() == []


async def test_a_device_that_asks_again_and_again_is_told_to_wait(house: House) -> None:
    kiosk = await house.inside("k1", "kiosk")
    async with running(house):
        for _ in range(module.MOST_A_MINUTE):
            asked = await posted(kiosk, "/api/meetings", {"kind": "help"}, 201)
            await posted(kiosk, f"/api/meetings/{asked['meeting']}/close")
        answer = await kiosk.post("/api/meetings", {"kind": "help"})
        assert (answer.status_code, answer.json()["code"]) == (429, "busy")


async def test_a_stopped_node_opens_no_meeting(house: House) -> None:
    answer = await house.owner.post("/api/meetings", {"kind": "help"})
    assert (answer.status_code, answer.json()["code"]) == (503, "unreachable")


async def raised(house: House) -> list[tuple[str, int]]:
    await house.node.projector.settled()
    return [(one.rule, one.over) for one in await house.entries("alert_raised")]


async def test_a_help_call_that_rang_too_long_is_found_whether_it_was_answered_or_not(house: House) -> None:
    kiosk = await house.inside("k1", "kiosk")
    officer = await house.inside("w1", "officer", **OFFICE)
    async with running(house), asyncio.TaskGroup() as tasks:
        reporting = tasks.create_task(house.node.reporting.run())
        for rang_s, answers in ((59, True), (61, True), (59, False), (61, False)):
            asked = await posted(kiosk, "/api/meetings", {"kind": "help"}, 201)
            house.clock.go(seconds=rang_s)
            if answers:
                await posted(officer, f"/api/meetings/{asked['meeting']}/join")
            await posted(kiosk, f"/api/meetings/{asked['meeting']}/close")
        async with asyncio.timeout(120):
            while len(await house.entries("case_event")) < 8:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        reporting.cancel()
    events = await house.entries("case_event")
    assert [(one.kind, one.actor) for one in events[:4]] == [("help", "k1"), ("help_answered", "w1")] * 2
    assert [one.kind for one in events[4:]] == ["help", "help_unanswered"] * 2
    assert sorted(await raised(house)) == [("hall.help.slow", 61), ("hall.help.unanswered", 61)]


async def test_no_camera_is_registered_with_the_name_of_a_seat(house: House) -> None:
    camera = {"camera": {"code": "call-1", "address": "whip:"}}
    assert (await house.owner.post("/api/cameras", camera)).status_code in (400, 422)
