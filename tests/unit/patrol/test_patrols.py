"""Patrols at a node over its HTTP addresses: plans, rounds, findings about its own halls and about those below."""

import asyncio
from typing import Any

from zongheng.v1 import directive_pb2
from zongheng.v1 import patrol_pb2 as wire
from zongheng.v1.life_pb2 import FileRef
from zongheng.v1.tree_pb2 import NodeCard

from node.run import Node
from node.supervision.policy import Level
from node.views.alert_life import shelve
from tests.unit.people.conftest import CODE, House, Visitor

TOWN = f"{CODE}101"
ITEMS = [
    {"code": "window", "zh": "窗口有人", "en": "windows are staffed"},
    {"code": "tidy", "zh": "环境整洁"},
]


async def register(house: House, code: str, **other: Any) -> None:
    camera = {"code": code, "address": "rtsp://192.0.2.7/main", **other}
    answer = await house.owner.post("/api/cameras", {"camera": camera})
    assert answer.status_code == 201, answer.text


def with_town(node: Node) -> None:
    card = NodeCard(node=TOWN, tier="town", name="青石镇", parent=CODE)
    card.cameras.add(camera="hall", name="大厅", hall="便民大厅")
    node.tree.learn([card])


async def plan(visitor: Visitor, **other: Any) -> dict[str, Any]:
    form = {"code": "halls", "name": "大厅巡查", "places": [CODE], "items": ITEMS, **other}
    answer = await visitor.post("/api/patrols", {"plan": form, "by": "7001"})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def begun(house: House) -> dict[str, Any]:
    answer = await house.owner.post("/api/patrols/halls/rounds", {"by": "7001"})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def seen(house: House, round_id: str, stop: int, **verdicts: "wire.PatrolVerdict.ValueType") -> None:
    """As if the picture of a stop had been taken."""
    file = await shelve(house.node, "stop.jpg", b"\xff\xd8picture")
    said = wire.PatrolChecked(
        round=round_id, stop=stop, by="7001", picture=FileRef(**file.model_dump()), taken_at_us=house.clock(),
        marks=[wire.PatrolMark(item=item, verdict=verdict) for item, verdict in verdicts.items()],
    )  # fmt: skip
    await house.node.patrols.check(said)


OK, NOT_OK = wire.PATROL_VERDICT_OK, wire.PATROL_VERDICT_NOT_OK


async def test_a_plan_names_nodes_and_cameras_and_a_round_goes_to_each_once(house: House) -> None:
    await register(house, "a", hall="大厅")
    await register(house, "b", hall="大厅")
    await register(house, "c", hall="分厅")
    with_town(house.node)
    await plan(house.owner, places=[f"{CODE}/b", TOWN, CODE])
    stops = (await begun(house))["stops"]
    assert [stop["stream"] for stop in stops] == [
        f"{CODE}/b/main", f"{TOWN}/hall/main", f"{CODE}/a/main", f"{CODE}/c/main",
    ]  # fmt: skip
    assert (stops[1]["node_name"], stops[1]["hall"], stops[1]["state"]) == ("青石镇", "便民大厅", "open")
    (entry,) = await house.entries("patrol_begun")
    assert (entry.by, entry.plan, len(entry.items)) == ("7001", "halls", 2)


async def test_a_plan_of_halls_that_are_not_below_is_refused(house: House) -> None:
    form = {"code": "halls", "name": "x", "places": ["999999"], "items": ITEMS}
    answer = await house.owner.post("/api/patrols", {"plan": form, "by": "7001"})
    assert answer.json()["code"] == "unknown_node"


async def test_a_round_is_walked_to_its_end_or_broken_off_with_a_reason(house: House) -> None:
    await register(house, "a", hall="大厅")
    await register(house, "c", hall="分厅")
    await plan(house.owner)
    walked = (await begun(house))["round"]
    assert (await house.owner.post("/api/patrols/halls/rounds", {"by": "7002"})).status_code == 400
    await seen(house, walked, 1, window=OK, tidy=NOT_OK)
    refused = await house.owner.post(f"/api/patrol-rounds/{walked}/end", {"by": "7001"})
    assert refused.status_code == 400
    assert "stops 2" in refused.json()["detail"]
    off = await house.owner.post(f"/api/patrol-rounds/{walked}/end", {"by": "7001", "reason": "停电"})
    assert (off.json()["complete"], off.json()["left"], off.json()["not_ok"]) == (False, 1, 1)
    again = (await begun(house))["round"]
    for stop in (1, 2):
        await seen(house, again, stop, window=OK, tidy=OK)
    over = await house.owner.post(f"/api/patrol-rounds/{again}/end", {"by": "7001"})
    assert over.json()["complete"]
    lines = (await house.owner.get("/api/patrol-rounds")).json()
    assert [(line["round"], line["complete"]) for line in lines] == [(again, True), (walked, False)]


async def test_a_camera_that_cannot_be_reached_is_recorded_as_such(house: House) -> None:
    with_town(house.node)
    await plan(house.owner, places=[TOWN])
    walked = (await begun(house))["round"]
    place = f"/api/patrol-rounds/{walked}/stops/1"
    marks = [{"item": item["code"], "verdict": "ok"} for item in ITEMS]
    refused = await house.owner.post(place, {"by": "7001", "marks": marks})
    assert refused.status_code == 400, "nobody says what they did not see"
    answer = await house.owner.post(place, {"by": "7001", "remark": "村里停电"})
    (stop,) = answer.json()["stops"]
    assert (stop["state"], stop["code"], stop["remark"]) == ("unreachable", "unreachable", "村里停电")
    over = await house.owner.post(f"/api/patrol-rounds/{walked}/end", {"by": "7001"})
    assert (over.json()["complete"], over.json()["unreachable"]) == (True, 1)


async def test_what_is_found_in_an_own_hall_is_an_alert_of_its_agency_with_the_picture(house: House) -> None:
    await register(house, "a", agency="MZ")
    await plan(house.owner)
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=NOT_OK, tidy=OK)
    place = f"/api/patrol-rounds/{walked}/stops/1/finding"
    form = {"by": "7001", "item": "window", "level": "yellow", "reason": "窗口无人"}
    refused = await house.owner.post(place, {**form, "item": "tidy"})
    assert refused.status_code == 400
    answer = await house.owner.post(place, form)
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["level"], found["state"], found["directive"]) == ("yellow", "issued", "")
    alert = (await house.owner.get(f"/api/alerts/{found['alert']}")).json()
    assert alert["alert"]["agency"] == "MZ"
    assert alert["owed"]["duty"] == "reply"
    (file,) = alert["steps"][0]["files"]
    content = await house.owner.get(f"/api/alerts/{found['alert']}/files/{file['sha256']}", purpose="巡查")
    assert content.content == b"\xff\xd8picture"
    twice = await house.owner.post(place, form)
    assert "stands already" in twice.json()["detail"]


async def test_what_is_found_below_is_an_alert_about_the_node_and_a_directive_to_it(house: House) -> None:
    with_town(house.node)
    await plan(house.owner, places=[TOWN])
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=NOT_OK, tidy=OK)
    form = {"by": "7001", "item": "window", "level": "yellow", "reason": "窗口无人"}
    found = (await house.owner.post(f"/api/patrol-rounds/{walked}/stops/1/finding", form)).json()
    assert (found["state"], found["stage"]) == ("issued", "drafted")
    directive = (await house.owner.get(f"/api/directives/{found['directive']}")).json()
    assert (directive["alert"], directive["about"], directive["handlers"][0]["node"]) == (
        found["alert"], CODE, TOWN,
    )  # fmt: skip
    assert "窗口无人" in directive["steps"][0]["text"]
    alert = (await house.owner.get(f"/api/alerts/{found['alert']}")).json()
    assert alert["alert"]["case"] == f"node/{TOWN}"


async def test_a_weekly_plan_that_nobody_walks_shows_and_is_an_alert_of_duty(house: House) -> None:
    await register(house, "a")
    made = await plan(house.owner, every_days=7, responsible="7001")
    assert (made["missed"], made["walked_at"]) == (0, None)
    house.clock.go(days=8)
    (late,) = (await house.owner.get("/api/patrols")).json()
    assert late["missed"] == 1
    await house.node.projector.settled()
    alerts = (await house.owner.get("/api/alerts", domain="duty")).json()
    assert [one["rule"] for one in alerts["alerts"]] == ["duty.cell.missed"]
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=OK, tidy=OK)
    await house.owner.post(f"/api/patrol-rounds/{walked}/end", {"by": "7001"})
    (walked_now,) = (await house.owner.get("/api/patrols")).json()
    assert walked_now["missed"] == 0
    kinds = [event.kind for event in await house.entries("case_event")]
    assert kinds == ["cell_assigned", "patrolled"]
    await house.owner.post("/api/patrols/halls/removal", {"by": "7001"})
    house.clock.go(days=30)
    await house.node.projector.settled()
    assert [event.kind for event in await house.entries("case_event")][-1] == "cell_released"
    assert (await house.owner.get("/api/patrols")).json() == []


async def test_a_plan_that_is_changed_is_due_when_it_was_unless_its_period_is_another(house: House) -> None:
    await register(house, "a")
    await plan(house.owner, every_days=7, responsible="7001")
    house.clock.go(days=5)
    await plan(house.owner, name="各厅巡查", every_days=7, responsible="7001")
    house.clock.go(days=3)
    (late,) = (await house.owner.get("/api/patrols")).json()
    assert late["missed"] == 1
    await house.node.projector.settled()
    alerts = (await house.owner.get("/api/alerts", domain="duty")).json()
    assert [one["rule"] for one in alerts["alerts"]] == ["duty.cell.missed"]
    changed = await plan(house.owner, every_days=14, responsible="7001")
    assert (changed["missed"], changed["due_day"]) == (0, "2026-03-24")
    kinds = [event.kind for event in await house.entries("case_event")]
    assert kinds == ["cell_assigned", "cell_assigned"]


async def test_pictures_of_a_round_are_for_who_reads_patrols_and_each_look_is_an_entry(house: House) -> None:
    await register(house, "a")
    await plan(house.owner)
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=OK, tidy=OK)
    (stop,) = (await house.owner.get(f"/api/patrol-rounds/{walked}")).json()["stops"]
    place = f"/api/patrol-rounds/{walked}/pictures/{stop['picture']}"
    officer = await house.inside("8001", "officer", agency="MZ")
    assert (await officer.get(place)).status_code == 403
    leader = await house.inside("8002", "leader")
    assert (await leader.get(place)).content == b"\xff\xd8picture"
    assert stop["picture"] in (await house.entries("access_noted"))[-1].subject
    assert (await leader.post("/api/patrols/halls/rounds", {})).status_code == 403


async def test_nothing_is_raised_where_the_directive_could_not_go_out(house: House) -> None:
    with_town(house.node)
    await plan(house.owner, places=[TOWN])
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=NOT_OK, tidy=OK)
    place = f"/api/patrol-rounds/{walked}/stops/1/finding"
    form = {"by": "7001", "item": "window", "level": "yellow", "reason": "窗口无人"}
    for more in ({"approved_by": "7001"}, {"due": "2020-01-01"}):
        assert (await house.owner.post(place, {**form, **more})).status_code == 400
    supervisor = await house.inside("7005", "supervisor")
    refused = await supervisor.post(place, {**form, "by": "", "approved_by": "7006"})
    assert refused.status_code == 403, "over the network nobody signs for somebody else"
    assert await house.entries("alert_raised") == []


async def test_a_finding_that_was_cut_off_before_its_directive_is_directed_when_it_is_raised_again(
    house: House,
) -> None:
    with_town(house.node)
    await plan(house.owner, places=[TOWN])
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=NOT_OK, tidy=OK)
    alert = await house.node.alert_desk.raise_by_hand(
        by="7001", level=Level.YELLOW, case_id=f"node/{TOWN}", agency=TOWN, item="", actor="",
        subject=f"patrol:{walked}:1:window", reason="窗口无人",
    )  # fmt: skip
    form = {"by": "7001", "item": "window", "level": "yellow", "reason": "窗口无人", "approved_by": "7002"}
    (stop,) = (await house.owner.get(f"/api/patrol-rounds/{walked}")).json()["stops"]
    assert stop["findings"][0]["directive"] == ""
    answer = await house.owner.post(
        f"/api/patrol-rounds/{walked}/stops/1/finding", {**form, "approved_by": ""}
    )
    found = answer.json()
    assert (found["alert"], found["stage"]) == (alert.alert_id, "drafted")
    assert len(await house.entries("alert_raised")) == 1


async def test_who_sees_an_agency_alone_sees_the_rounds_they_walked(house: House) -> None:
    await register(house, "a")
    await plan(house.owner)
    await begun(house)
    embedded = await house.inside("7007", "embedded_supervisor", agency="MZ")
    assert (await embedded.get("/api/patrol-rounds")).json() == []
    await house.owner.post(
        f"/api/patrol-rounds/{(await house.owner.get('/api/patrol-rounds')).json()[0]['round']}/end",
        {"by": "7001", "reason": "改期"},
    )
    mine = (await embedded.post("/api/patrols/halls/rounds")).json()["round"]
    assert [one["round"] for one in (await embedded.get("/api/patrol-rounds")).json()] == [mine]


async def test_who_sees_an_agency_alone_raises_nothing_of_anothers_round(house: House) -> None:
    with_town(house.node)
    await plan(house.owner, places=[TOWN])
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=NOT_OK, tidy=OK)
    embedded = await house.inside("7007", "embedded_supervisor", agency="MZ")
    form = {"item": "window", "level": "yellow", "reason": "窗口无人"}
    answer = await embedded.post(f"/api/patrol-rounds/{walked}/stops/1/finding", form)
    assert answer.status_code == 404
    assert await house.entries("alert_raised") == []


async def test_two_who_raise_the_same_at_once_make_one_directive(house: House) -> None:
    with_town(house.node)
    await plan(house.owner, places=[TOWN])
    walked = (await begun(house))["round"]
    await seen(house, walked, 1, window=NOT_OK, tidy=OK)
    # What somebody before them was cut off at.
    await house.node.alert_desk.raise_by_hand(
        by="7001", level=Level.YELLOW, case_id=f"node/{TOWN}", agency=TOWN, item="", actor="",
        subject=f"patrol:{walked}:1:window", reason="窗口无人",
    )  # fmt: skip
    await house.node.projector.settled()
    form = {"by": "7001", "item": "window", "level": "yellow", "reason": "窗口无人"}
    place = f"/api/patrol-rounds/{walked}/stops/1/finding"
    answers = await asyncio.gather(*(house.owner.post(place, form) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400]
    steps = [step.kind for step in await house.entries("directive_step")]
    assert steps == [directive_pb2.DIRECTIVE_KIND_DRAFTED]


async def test_the_pages_of_patrols_and_halls_say_who_may_see_them(house: House) -> None:
    await register(house, "a", name="<script>alert(1)</script>")
    await plan(house.owner, name="<b>大厅</b>")
    walked = (await begun(house))["round"]
    supervisor = await house.inside("7008", "supervisor")
    clerk = await house.inside("7009", "clerk", agency="MZ")
    for page in ("/wall", "/patrol", f"/patrol/{walked}"):
        shown = await supervisor.get(page)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.text
        assert "<b>大厅" not in shown.text.replace("<b>大厅总览", "")
        assert "img-src 'self' data:" in shown.headers["content-security-policy"] or page == "/patrol"
        assert (await clerk.get(page)).status_code == 403
        stranger = await house.visitor().get(page)
        assert stranger.headers["location"].startswith("/login")
    assert (await supervisor.get("/patrol/990121-P999999")).status_code == 404
    assert 'href="/patrol"' in (await supervisor.get("/")).text
    assert 'href="/patrol"' not in (await clerk.get("/")).text
