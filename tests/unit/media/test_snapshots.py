"""Snapshots that a camera's setting has taken: asked of the worker, entered before they are kept, shown to whom the camera shows them."""

from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import av
import pytest
from zongheng.v1 import camera_pb2
from zongheng.v1 import tending_pb2 as wire

from federation.errors import ZonghengError
from node.media.picture import jpeg_within
from node.media.snapshots import DAY_US, Snapshots
from node.media.tending import snapshot_is_due
from tests.unit.people.conftest import CODE, House

S = 1_000_000
MINUTE = 60 * S


async def register(house: House, code: str, **other: Any) -> None:
    camera = {"code": code, "address": "rtsp://192.0.2.7/main", **other}
    answer = await house.owner.post("/api/cameras", {"camera": camera})
    assert answer.status_code == 201, answer.text


def taken(code: str, at_us: int, jpeg: bytes = b"\xff\xd8picture") -> wire.TendResponse:
    return wire.TendResponse(snapshot=wire.PeriodicSnapshot(camera=code, taken_at_us=at_us, jpeg=jpeg))


def shown(code: str, at_us: int, *, in_hours: bool = True) -> wire.TendResponse:
    picture = camera_pb2.CameraPicture(
        camera=code, taken_at_us=at_us, jpeg=b"\xff\xd8small", in_hours=in_hours
    )
    return wire.TendResponse(picture=picture)


def at(now_us: int, every_s: int, newest_us: int, *, is_open: bool = True) -> bool:
    span = wire.TimeSpan(from_us=now_us - 1, to_us=now_us + 1)
    tended = wire.TendedCamera(
        snapshot_every_s=every_s, snapshot_at_us=newest_us, open=[span] if is_open else []
    )
    return snapshot_is_due(tended, 0, now_us)


def test_a_snapshot_is_due_when_its_minutes_have_passed_in_the_halls_hours() -> None:
    now_us = 1_000 * MINUTE
    assert at(now_us, 600, 0)
    assert at(now_us, 600, now_us - 10 * MINUTE)
    assert not at(now_us, 600, now_us - 10 * MINUTE + 1)
    assert not at(now_us, 600, 0, is_open=False)
    assert not at(now_us, 0, 0)
    assert at(now_us, 600, now_us + 1), "a clock that was set back does not stop them"


async def test_the_worker_is_told_how_often_and_which_camera_is_the_first_of_its_hall(house: House) -> None:
    await register(house, "a", hall="大厅", snapshots={"every_min": 10, "days": 2})
    await register(house, "b", hall="大厅")
    await register(house, "c", hall="分厅")
    await house.node.care.take(taken("a", house.clock() - 77 * S))
    told = {one.camera: one for one in (await house.node.care.tended()).cameras}
    assert [told[code].pictured for code in "abc"] == [True, False, True]
    assert (told["a"].snapshot_every_s, told["a"].snapshot_at_us) == (600, house.clock() - 77 * S)
    assert told["b"].snapshot_every_s == 0


async def test_a_snapshot_is_entered_and_kept_and_looking_at_it_is_an_entry(house: House) -> None:
    await register(house, "hall", snapshots={"every_min": 10})
    at_us = house.clock()
    await house.node.care.take(taken("hall", at_us))
    (entry,) = await house.entries("snapshot_taken")
    digest = sha256(b"\xff\xd8picture").hexdigest()
    assert (entry.sha256, entry.viewer.who, entry.stream) == (digest, "node", f"{CODE}/hall/main")
    (line,) = (await house.owner.get("/api/cameras/hall/snapshots")).json()
    assert (line["taken_us"], line["sha256"]) == (at_us, digest)
    answer = await house.owner.get(f"/api/cameras/hall/snapshots/{at_us}")
    assert answer.content == b"\xff\xd8picture"
    assert digest in (await house.entries("access_noted"))[-1].subject
    assert (await house.owner.get("/api/cameras/hall/snapshots/5")).status_code == 404


def test_snapshots_go_when_their_days_are_over(tmp_path: Path) -> None:
    kept = Snapshots(tmp_path / "snapshots", 1_000, 0)
    for days in (3, 1):
        kept.keep("hall", (9 - days) * DAY_US, b"x")
    assert kept.shed_old("hall", 9 * DAY_US, 2) == 1
    assert [one.taken_us for one in kept.of("hall")] == [8 * DAY_US]
    assert kept.shed_old("hall", 99 * DAY_US, 2) == 1
    assert kept.cameras() == []


def test_the_oldest_snapshots_make_room_and_what_never_fits_is_refused(tmp_path: Path) -> None:
    kept = Snapshots(tmp_path / "snapshots", 250, 0)
    for minute in range(3):
        kept.keep("hall", minute * MINUTE, b"x" * 100)
    assert [one.taken_us for one in kept.of("hall")] == [MINUTE, 2 * MINUTE]
    with pytest.raises(ZonghengError) as refused:
        kept.keep("hall", 9 * MINUTE, b"x" * 251)
    assert refused.value.code == "disk_full"


def test_what_a_killed_process_left_half_written_is_neither_kept_nor_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    kept = Snapshots(folder, 1_000, 0)
    kept.make_room()
    (folder / "hall.part").write_bytes(b"x" * 100)
    kept.keep("hall", MINUTE, b"picture")
    (one,) = kept.of("hall")
    assert one.path.read_bytes() == b"picture"
    assert [path.name for path in folder.iterdir()] == ["hall"]


def test_a_small_picture_takes_few_bytes_whatever_it_shows() -> None:
    noise = av.VideoFrame(1280, 720, "yuv420p")
    for plane in noise.planes:
        plane.update(Random(1).randbytes(plane.buffer_size))
    content = jpeg_within(noise, 240, 8_192)
    assert len(content) <= 8_192
    assert content[:2] == b"\xff\xd8"


async def test_the_wall_shows_each_hall_with_its_picture_and_what_is_wrong_with_its_cameras(
    house: House,
) -> None:
    await register(house, "a", hall="大厅")
    await register(house, "b", hall="大厅")
    await register(house, "c", hall="分厅")
    await house.node.care.take(shown("a", house.clock() - 90 * S))
    await house.node.care.take(shown("b", house.clock()))
    await house.node.cameras.note_state("b", camera_pb2.CAMERA_STATE_DARK, house.clock())
    wall = (await house.owner.get("/api/wall")).json()
    assert (wall["halls"], wall["in_trouble"], wall["next"]) == (2, 1, None)
    hall, branch = wall["tiles"]
    assert (hall["hall"], hall["camera"], hall["cameras"], hall["in_trouble"]) == ("大厅", "a", 2, 1)
    assert 90 <= hall["age_s"] < 3_600
    assert (await house.owner.get(hall["picture"])).content == b"\xff\xd8small"
    assert (branch["hall"], branch["picture"], branch["taken_at"]) == ("分厅", "", None)
    only = (await house.owner.get("/api/wall", trouble="true")).json()["tiles"]
    assert [tile["hall"] for tile in only] == ["大厅"]
    page = (await house.owner.get("/api/wall", limit=1)).json()
    assert (len(page["tiles"]), page["next"]) == (1, 1)


async def test_who_may_not_watch_a_camera_sees_its_hall_without_the_picture(house: House) -> None:
    await register(house, "a", permissions=[{"roles": ["leader"]}])
    await house.node.care.take(shown("a", house.clock()))
    (mine,) = (await house.owner.get("/api/wall")).json()["tiles"]
    for number, role, sees in (("7001", "supervisor", False), ("7002", "leader", True)):
        visitor = await house.inside(number, role)
        (tile,) = (await visitor.get("/api/wall")).json()["tiles"]
        assert bool(tile["picture"]) is sees
        answer = await visitor.get(mine["picture"])
        assert answer.status_code == (200 if sees else 403)


async def test_who_may_watch_in_office_hours_alone_sees_no_picture_of_the_night(house: House) -> None:
    await register(house, "a", permissions=[{"roles": ["officer"], "office_hours": True}])
    visitor = await house.inside("7003", "officer", agency="MZ")
    for in_hours in (True, False):
        await house.node.care.take(shown("a", house.clock(), in_hours=in_hours))
        (tile,) = (await visitor.get("/api/wall")).json()["tiles"]
        assert bool(tile["picture"]) is in_hours
