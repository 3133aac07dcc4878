"""A node's cameras found, registered from their devices, and turned over its HTTP address."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from zongheng.v1.steering_pb2 import SteerQuestion, SteerTake

from federation.errors import ZonghengError
from node.media.permission import Viewer
from node.media.steering import holds
from tests.plugins.onvif import OnvifDevice, StartDevice
from tests.unit.people.conftest import CODE, House, Visitor, house

__all__ = ["house"]

STEER = f"/api/cameras/{CODE}/hall/steer"
PRESETS = f"/api/cameras/{CODE}/hall/presets"
LOGIN = ("--user", "viewer", "--password", "word")


@pytest.fixture(autouse=True)
def _holds_outlast_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "HOLD_S", 600.0)


async def registered(house: House, device: OnvifDevice, password: str | None = "word", **other: Any) -> Any:
    camera = {"code": "hall", "onvif": device.address, "user": "viewer", **other}
    answer = await house.owner.post("/api/cameras", {"camera": camera, "password": password})
    assert answer.status_code == 201, answer.text
    return answer.json()


@asynccontextmanager
async def running(house: House) -> AsyncIterator[None]:
    """What stops cameras goes on beside."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(house.node.steering.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            task.cancel()


async def until(device: OnvifDevice, what: str, holds: Any) -> Any:
    return await asyncio.to_thread(device.until, what, holds)


async def test_a_camera_is_registered_from_what_its_device_says(house: House, onvif: StartDevice) -> None:
    device = onvif(*LOGIN)
    told = await registered(house, device)
    assert (told["address"], told["sub_address"]) == ("rtsp://127.0.0.1:554/main", "rtsp://127.0.0.1:554/sub")
    assert (told["steered"], told["warnings"]) == (True, [])
    (entry,) = await house.entries("camera_registered")
    assert entry.steered
    (card,) = house.node.tree.own.cameras
    assert card.steered
    (line,) = (await house.owner.get("/api/cameras")).json()
    assert line["steered"]
    told = await registered(house, device, None, name="一号厅")
    assert told["steered"]


async def test_h265_with_a_small_h264_stream_is_told(house: House, onvif: StartDevice) -> None:
    device = onvif("--media2", "--main", "h265:2560x1440:rtsp://127.0.0.1:554/main")
    told = await registered(house, device)
    assert told["address"] == "rtsp://127.0.0.1:554/sub"
    assert "H265 2560x1440" in told["warnings"][0]
    both = await registered(house, device, transcode=True)
    assert both["address"] == "rtsp://127.0.0.1:554/main"


async def test_a_camera_with_masks_or_registered_as_fixed_is_not_turned(
    house: House, onvif: StartDevice
) -> None:
    device = onvif()
    masked = await registered(house, device, masks=[{"left": 0, "top": 0, "width": 0.5, "height": 0.5}])
    assert not masked["steered"]
    assert "masks" in masked["warnings"][0]
    answer = await house.owner.post(
        "/api/cameras", {"camera": {"code": "hall", "onvif": device.address}, "fixed": True}
    )
    assert not answer.json()["steered"]
    async with running(house):
        refused = await house.owner.post(STEER, {"pan": 1})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


async def test_a_wrong_password_registers_nothing(house: House, onvif: StartDevice) -> None:
    device = onvif(*LOGIN)
    camera = {"code": "hall", "onvif": device.address, "user": "viewer"}
    answer = await house.owner.post("/api/cameras", {"camera": camera, "password": "wrong"})
    assert (answer.status_code, answer.json()["code"]) == (409, "camera_refused")
    assert (await house.owner.get("/api/cameras")).json() == []


async def test_a_device_is_found_and_shown_with_what_it_offers(house: House, onvif: StartDevice) -> None:
    device = onvif(*LOGIN)
    search = {"address": f"127.0.0.1:{device.port}"}
    (closed,) = (await house.owner.post("/api/cameras/discovery", search)).json()
    assert (closed["code"], closed["profiles"], closed["registered"]) == ("camera_refused", [], [])
    await registered(house, device)
    login = {**search, "user": "viewer", "password": "word"}
    (found,) = (await house.owner.post("/api/cameras/discovery", login)).json()
    assert (found["code"], found["model"], found["registered"]) == ("", "Turns 1", ["hall"])
    assert [(each["codec"], each["width"], each["steered"]) for each in found["profiles"]] == [
        ("h264", 1280, True),
        ("h264", 640, True),
    ]
    supervisor = await house.inside("1001", "supervisor")
    assert (await supervisor.post("/api/cameras/discovery", search)).status_code == 403


async def test_a_camera_moves_for_its_seconds_stands_still_and_who_moved_it_is_entered_once(
    house: House, onvif: StartDevice
) -> None:
    device = onvif(*LOGIN, "--ignores-timeout")
    await registered(house, device)
    async with running(house):
        supervisor = await house.inside("1001", "supervisor")
        for _ in range(3):
            answer = await supervisor.post(STEER, {"pan": 0.5, "seconds": 0.4, "purpose": "看窗口"})
            assert answer.json() == {"camera": f"{CODE}/hall", "did": "move", "overtaken": False}
        state = await until(device, "it stands still by itself", lambda state: not state["moving"])
        assert state["pan"] > 0
        assert state["stops"] >= 1
        assert (await supervisor.post(STEER, {"preset": "窗口三"})).json()["did"] == "preset"
        assert device.state()["preset"] == "窗口三"
        held = (await supervisor.get(PRESETS)).json()
        assert (held["presets"], held["holder"], held["holder_node"]) == (["大门", "窗口三"], "1001", CODE)
        assert (await supervisor.post(STEER, {"release": True})).status_code == 200
        assert (await supervisor.get(PRESETS)).json()["holder"] is None
    (entry,) = await house.entries("camera_steered")
    assert (entry.camera, entry.hop, entry.viewer.who, entry.viewer.purpose) == (
        f"{CODE}/hall",
        0,
        "1001",
        "看窗口",
    )
    (ended,) = await house.entries("steering_ended")
    assert (ended.hold, ended.moves, ended.taken_by) == (entry.hold, 4, "")


async def test_a_stop_ends_a_movement_at_once(house: House, onvif: StartDevice) -> None:
    device = onvif()
    await registered(house, device)
    async with running(house):
        await house.owner.post(STEER, {"tilt": 1, "seconds": 10})
        assert device.state()["moving"]
        assert (await house.owner.post(STEER, {"stop": True})).json()["did"] == "stop"
        assert not device.state()["moving"]


async def test_a_node_that_ends_stops_what_moves(house: House, onvif: StartDevice) -> None:
    device = onvif("--ignores-timeout")
    await registered(house, device)
    async with running(house):
        await house.owner.post(STEER, {"zoom": -1, "seconds": 10})
        assert device.state()["moving"]
    assert not device.state()["moving"]


async def test_of_two_at_one_tier_the_second_is_told_who_has_it(house: House, onvif: StartDevice) -> None:
    await registered(house, onvif())
    async with running(house):
        first, second = [await house.inside(number, "supervisor") for number in ("1001", "1002")]
        assert (await first.post(STEER, {"pan": 1})).status_code == 200
        answer = await second.post(STEER, {"pan": -1})
        assert (answer.status_code, answer.json()["code"]) == (409, "steered")
        assert f"1001 of {CODE}" in answer.json()["detail"]
        await first.post(STEER, {"release": True})
        assert (await second.post(STEER, {"pan": -1})).status_code == 200
    assert [entry.viewer.who for entry in await house.entries("camera_steered")] == ["1001", "1002"]


async def test_somebody_of_a_higher_tier_takes_it_over_and_the_movement_of_the_other_ends(
    house: House, onvif: StartDevice
) -> None:
    device = onvif("--ignores-timeout")
    await registered(house, device)
    async with running(house):
        assert (await house.owner.post(STEER, {"pan": 1, "seconds": 10})).status_code == 200
        above = Viewer("0001", "9901", "city", frozenset({"supervisor"}))
        await house.node.steering.answer(
            above, SteerQuestion(camera="hall", hold="9901-0123456789", take=SteerTake())
        )
        assert not device.state()["moving"]
        answer = await house.owner.post(STEER, {"pan": 1})
        assert (answer.status_code, answer.json()["code"]) == (409, "steered")
        assert "0001 of 9901" in answer.json()["detail"]
    (ended,) = await house.entries("steering_ended")
    assert (ended.viewer.who, ended.taken_by) == ("operator", "0001@9901")


async def who_may(house: House) -> list[int]:
    answers = []
    for number, role, agency in (
        ("1001", "supervisor", ""),
        ("1002", "officer", "MZ"),
        ("1003", "clerk", "MZ"),
    ):
        visitor: Visitor = await house.inside(number, role, agency=agency)
        answers.append((await visitor.get(PRESETS)).status_code)
    return answers


async def test_who_is_not_permitted_steers_nothing(house: House, onvif: StartDevice) -> None:
    await registered(house, onvif())
    async with running(house):
        assert await who_may(house) == [200, 403, 403]


async def test_steering_has_to_be_named_where_a_camera_has_permissions(
    house: House, onvif: StartDevice
) -> None:
    everybody_looks = {"roles": ["supervisor", "officer"]}
    await registered(
        house, onvif(), permissions=[everybody_looks, {"roles": ["officer"], "views": ["steer"]}]
    )
    async with running(house):
        assert await who_may(house) == [403, 200, 403]


async def test_a_hold_is_its_holders_alone(house: House, onvif: StartDevice) -> None:
    await registered(house, onvif())
    node = house.node
    me = Viewer("1001", "9901", "city", frozenset({"supervisor"}))
    async with running(house):
        with pytest.raises(ZonghengError) as told:
            await node.steering.answer(
                me, SteerQuestion(camera="hall", hold=f"{CODE}-0123456789", take=SteerTake())
            )
        assert told.value.code == "protocol"
        hold = "9901-0123456789"
        await node.steering.answer(me, SteerQuestion(camera="hall", hold=hold, take=SteerTake()))
        question = SteerQuestion(camera="hall", hold=hold, number=1)
        question.stop.SetInParent()
        other = Viewer("1002", "9901", "city", frozenset({"supervisor"}))
        with pytest.raises(ZonghengError) as told:
            await node.steering.answer(other, question)
        assert told.value.code == "protocol"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"pan": 2},
        {"pan": 1, "stop": True},
        {"pan": 1, "seconds": 60},
        {"pan": 1, "seconds": 0},
        {"pan": "x"},
        {"preset": "a" * 300},
    ],
)
async def test_what_is_no_command_is_refused(house: House, wrong: dict[str, Any]) -> None:
    assert (await house.owner.post(STEER, wrong)).status_code == 400


async def test_a_camera_of_nobody_and_a_node_that_does_not_run_are_told(
    house: House, onvif: StartDevice
) -> None:
    await registered(house, onvif())
    assert (await house.owner.post(STEER, {"pan": 1})).json()["code"] == "unreachable"
    async with running(house):
        unknown = await house.owner.post("/api/cameras/3301/hall/steer", {"pan": 1})
        assert unknown.json()["code"] == "unknown_node"
        assert (await house.owner.post(f"/api/cameras/{CODE}/x/steer", {"pan": 1})).status_code == 404
        assert (await house.owner.post(STEER, {"preset": "nowhere"})).json()["code"] == "not_found"


async def test_a_device_that_is_gone_is_told_and_its_hold_ends(house: House, onvif: StartDevice) -> None:
    device = onvif()
    await registered(house, device)
    async with running(house):
        device.process.kill()
        device.process.wait()
        answer = await house.owner.post(STEER, {"pan": 1, "seconds": 0.2})
        assert (answer.status_code, answer.json()["code"]) == (503, "camera_lost")


async def test_the_page_has_buttons_only_where_the_camera_turns_and_somebody_could_turn_it(
    house: House, onvif: StartDevice
) -> None:
    device = onvif()
    await registered(house, device)
    supervisor = await house.inside("1001", "supervisor")
    page = f"/watch/{CODE}/hall/main"
    assert 'id="turns" hidden' in (await supervisor.get(page)).text
    fixed = {"camera": {"code": "hall", "onvif": device.address}, "fixed": True}
    assert (await house.owner.post("/api/cameras", fixed)).status_code == 201
    assert "turns" not in (await supervisor.get(page)).text
