"""Cameras registered at a node over its HTTP address: kept, shown without their passwords, entered, and on the node's card."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from zongheng.v1 import camera_pb2 as wire
from zongheng.v1.clips_pb2 import ClipQuestion

from federation.errors import ZonghengError
from federation.trunk.frame import Quality
from node.media.permission import View, Viewer
from node.models.cameras import CameraForm
from node.run import Node
from tests.plugins.cameras import RtspServer
from tests.unit.people.conftest import CODE, House

SECRET = "p@ss:w/1-of-the-camera"


def camera(**other: Any) -> dict[str, Any]:
    return {
        "code": "hall-1",
        "name": "一号厅",
        "hall": "政务大厅",
        "address": "rtsp://192.0.2.7/main",
        **other,
    }


async def added(house: House, password: str | None = SECRET, **other: Any) -> int:
    answer = await house.owner.post(
        "/api/cameras", {"camera": camera(**other), "password": password, "by": "7001"}
    )
    assert answer.status_code == 201, answer.text
    return int(answer.json()["index"])


async def test_a_camera_is_registered_entered_and_on_the_nodes_card(house: House) -> None:
    await added(house, user="viewer", sub_address="rtsp://192.0.2.7/sub")
    (line,) = (await house.owner.get("/api/cameras")).json()
    assert (line["node"], line["camera"], line["state"], line["has_sub"]) == (CODE, "hall-1", "unknown", True)
    (entry,) = await house.entries("camera_registered")
    assert (entry.camera, entry.hall, entry.kind, entry.by) == ("hall-1", "政务大厅", "rtsp", "7001")
    assert [card.camera for card in house.node.tree.own.cameras] == ["hall-1"]


async def test_a_password_is_opened_to_reach_the_camera_and_shown_nowhere(house: House) -> None:
    await added(house, user="viewer")
    source = await house.node.cameras.source("hall-1", Quality.MAIN)
    assert source.password == SECRET
    shown = [
        (await house.owner.get("/api/cameras/hall-1")).text,
        (await house.owner.get("/api/cameras")).text,
        repr(source),
        str(await house.node.cameras.all()),
    ]
    assert not [text for text in shown if SECRET in text]
    files = [path.read_bytes() for path in house.node.folder.rglob("*") if path.is_file()]
    assert not [content for content in files if SECRET.encode() in content]
    assert not [content for content in files if b"192.0.2.7" in content and b"CameraRegistered" in content]


async def test_a_camera_that_is_changed_keeps_its_password_until_it_is_given_another(house: House) -> None:
    await added(house)
    await added(house, password=None, name="一号厅东")
    assert (await house.node.cameras.source("hall-1", Quality.MAIN)).password == SECRET
    await added(house, password="another")
    assert (await house.node.cameras.source("hall-1", Quality.MAIN)).password == "another"
    await added(house, password="")
    assert (await house.node.cameras.source("hall-1", Quality.MAIN)).password == ""


async def test_a_removed_camera_is_gone_with_its_password(house: House) -> None:
    await added(house)
    answer = await house.owner.post("/api/cameras/hall-1/removal", {"reason": "换新", "by": "7001"})
    assert answer.status_code == 201
    assert (await house.owner.get("/api/cameras")).json() == []
    (entry,) = await house.entries("camera_removed")
    assert (entry.camera, entry.reason) == ("hall-1", "换新")
    with pytest.raises(ZonghengError) as told:
        await house.node.cameras.source("hall-1", Quality.MAIN)
    assert told.value.code == "not_found"
    assert (await house.owner.post("/api/cameras/hall-1/removal", {})).status_code == 404


async def test_the_cards_cameras_are_there_after_a_start_without_the_registry(house: House) -> None:
    await added(house)
    async with house.node.store.read() as session:
        before = list(house.node.cameras.cards)
        del house.node.tree.own.cameras[:]
        await house.node.cameras.open(session)
    assert list(house.node.cameras.cards) == before


async def test_the_state_of_a_camera_is_entered_once_and_shown(house: House) -> None:
    await added(house)
    for _ in range(2):
        await house.node.cameras.note_state("hall-1", wire.CAMERA_STATE_LOST, house.clock(), "camera_lost")
    (entry,) = await house.entries("camera_state_noted")
    assert (entry.state, entry.code) == (wire.CAMERA_STATE_LOST, "camera_lost")
    (line,) = (await house.owner.get("/api/cameras")).json()
    assert line["state"] == "lost"


async def test_only_who_operates_the_node_registers_and_only_who_may_watch_sees_the_list(
    house: House,
) -> None:
    await added(house)
    supervisor = await house.inside("1001", "supervisor")
    assert (await supervisor.get("/api/cameras")).status_code == 200
    assert (await supervisor.post("/api/cameras", {"camera": camera()})).status_code == 403
    clerk = await house.inside("1002", "clerk", agency="MZ")
    assert (await clerk.get("/api/cameras")).status_code == 403


async def test_who_may_not_watch_is_refused_by_the_cameras_own_node(house: House) -> None:
    await added(house, permissions=[{"roles": ["supervisor"], "tiers": ["city"]}])
    node: Node = house.node
    await node.cameras.check_watching(
        Viewer("1001", "3301", "city", frozenset({"supervisor"})), "hall-1", View.MAIN
    )
    with pytest.raises(ZonghengError) as told:
        await node.cameras.check_watching(
            Viewer("1001", CODE, "county", frozenset({"supervisor"})), "hall-1", View.MAIN
        )
    assert told.value.code == "forbidden"


async def test_who_may_see_recordings_has_clips_of_them_only_where_that_is_named(house: House) -> None:
    supervisors = {"roles": ["supervisor"]}
    await added(house, permissions=[supervisors, supervisors | {"tiers": ["city"], "views": ["export"]}])
    node: Node = house.node
    await node.cameras.check_watching(
        Viewer("1001", CODE, "county", frozenset({"supervisor"})), "hall-1", View.RECORDED
    )
    question = ClipQuestion(camera="hall-1", from_us=0, to_us=1)
    for at, tier, code in ((CODE, "county", "forbidden"), ("3301", "city", "not_found")):
        viewer = wire.Viewer(who="1001", node=at, tier=tier, roles=["supervisor"])
        with pytest.raises(ZonghengError) as told:
            await node.clips.export(viewer, CODE, question)
        assert told.value.code == code, told.value.detail


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "rtsp://admin:secret@192.0.2.7/main"},
        {"address": "http://192.0.2.7/"},
        {"address": ""},
        {"code": "hall/1"},
        {"opens_min": 600, "closes_min": 540},
        {"permissions": [{"roles": ["king"]}]},
        {"masks": [{"left": 2, "top": 0, "width": 1, "height": 1}]},
        {"passwort": "x"},
    ],
)
async def test_what_is_filled_in_wrongly_is_refused(house: House, wrong: dict[str, Any]) -> None:
    answer = await house.owner.post("/api/cameras", {"camera": camera(**wrong)})
    assert answer.status_code == 400
    assert (await house.owner.get("/api/cameras")).json() == []


async def test_a_camera_is_tried_before_anybody_relies_on_it(
    house: House, clip: Path, rtsp: Callable[..., RtspServer]
) -> None:
    server = rtsp(f"/main={clip}", user="viewer", password=SECRET)
    await added(house, address=server.address("/main"), user="viewer")
    found = (await house.owner.post("/api/cameras/hall-1/check")).json()
    assert (found["codec"], found["width"], found["height"], found["warnings"]) == ("h264", 768, 432, [])
    assert 8 < found["pictures_per_s"] < 12
    assert found["keyframe_every_s"] == 2
    await added(house, password="wrong", address=server.address("/main"), user="viewer")
    refused = await house.owner.post("/api/cameras/hall-1/check")
    assert (refused.status_code, refused.json()["code"]) == (409, "camera_refused")


async def test_no_room_is_made_for_a_clip_that_is_too_long(house: House) -> None:
    await added(house)
    day = house.node.folder / "recordings" / "hall-1" / "20260302"
    day.mkdir(parents=True)
    begin_us = house.clock()
    with (day / f"{begin_us}-{begin_us + 60_000_000}.mp4").open("wb") as file:
        file.truncate(10**12)
    for hours, code in ((1, "disk_full"), (5, "too_large"), (0, "bad_request")):
        times = [
            datetime.fromtimestamp(begin_us / 1e6 + each * 3_600, UTC).isoformat() for each in (0, hours)
        ]
        answer = await house.owner.post("/api/clips", {"camera": "hall-1", "from": times[0], "to": times[1]})
        assert answer.json()["code"] == code


def test_a_form_says_what_kind_of_camera_it_is() -> None:
    kinds = [
        CameraForm(**camera(address=address)).kind for address in ("rtsps://h/a", "file:/a.mp4", "whip:")
    ]
    assert kinds == ["rtsp", "file", "whip"]
