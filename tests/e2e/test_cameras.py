"""A county looks through a town's cameras: seen, pictured, recorded, played and cut out over real processes, through a killed worker and a camera that goes away."""

import base64
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import av
import psutil
import pytest
from zongheng.v1 import camera_pb2

from tests.e2e.commands import zongheng
from tests.e2e.tree import Node, Tree, caught_up, until
from tests.plugins.cameras import RtspServer

COUNTY: Final = "330106"
TOWN: Final = "330106001"
HALL: Final = f"{TOWN}/hall"


@pytest.fixture(scope="module")
def heard(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip with a tone, in AAC."""
    file = tmp_path_factory.mktemp("heard") / "hall.mp4"
    command = ["ffmpeg", "-v", "error", "-i", str(clip), "-f", "lavfi", "-i", "sine=440:sample_rate=8000"]
    command += ["-c:v", "copy", "-c:a", "aac", "-shortest", str(file)]
    subprocess.run(command, check=True, timeout=240)
    return file


@pytest.fixture(scope="module")
def nodes(shared_tree: Tree, heard: Path) -> tuple[Node, Node]:
    """A county and its town, which has a camera that plays a clip and is recorded all day."""
    county, town = shared_tree.line(("county", COUNTY), ("town", TOWN))
    path = town.folder / "node.toml"
    path.write_text(path.read_text(encoding="utf-8") + "recording_file_s = 4\n", encoding="utf-8")
    county.start()
    town.start()
    register(
        town, "hall", f"file:{heard}", hall="大厅", window="3", agency="MZ", recording={"when": "always"}, sound=True
    )  # fmt: skip
    until("the county sees that the camera sees", lambda: state(county, "hall") == "seeing")
    return county, town


def register(node: Node, code: str, address: str, **other: Any) -> None:
    camera = {"code": code, "address": address, "closes_min": 1_440, "opens_min": 0, **other}
    node.post("/api/cameras", {"camera": camera})


def state(node: Node, camera: str) -> str:
    return next((str(one["state"]) for one in node.get("/api/cameras") if one["camera"] == camera), "")


def recorded(node: Node, camera: str) -> list[Path]:
    folder = node.folder / "recordings" / camera
    return sorted(path for path in folder.glob("*/*-*.mp4") if ".part" not in path.name)


def span(path: Path) -> tuple[int, int]:
    """When its first and its last picture were taken, µs since the epoch."""
    begin, end = path.name.split(".")[0].split("-")
    return int(begin), int(end)


def worker(node: Node) -> int:
    """The process of its media worker."""
    assert node.process is not None
    for each in psutil.Process(node.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "node.media.worker" in each.cmdline():
                return each.pid
    return 0


def test_a_picture_of_the_towns_hall_is_taken_in_the_county_and_the_town_knows_by_whom(
    nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    county, town = nodes
    file = tmp_path / "hall.jpg"
    words = ["snapshot", county.folder, HALL, "--out", file, "--width", 320, "--purpose", "看大厅", "--json"]
    taken = zongheng("camera", *words).ended(0).json
    assert (taken["width"], taken["height"]) == (768, 432)
    with av.open(str(file)) as picture:
        assert picture.streams.video[0].width == 320
    (opened,) = [
        entry.camera_opened for entry in town.entries("camera_opened") if entry.camera_opened.viewer.purpose
    ]
    assert (opened.viewer.node, opened.viewer.tier, opened.hop) == (COUNTY, "county", 0)
    assert opened.stream == f"{HALL}/main"
    for node, hop in ((town, 0), (county, 1)):
        (entered,) = [
            entry.snapshot_taken
            for entry in node.entries("snapshot_taken")
            if entry.snapshot_taken.sha256 == taken["sha256"]
        ]
        assert (entered.viewer.node, entered.viewer.purpose, entered.hop) == (COUNTY, "看大厅", hop)
    assert zongheng("camera", "verify", county.folder, file, "--json").ended(0).json["kind"] == "snapshot"
    file.write_bytes(file.read_bytes() + b"\0")
    assert not zongheng("camera", "verify", county.folder, file, "--json").ended(1).json["verified"]


def test_a_small_picture_of_the_hall_is_on_the_towns_card(nodes: tuple[Node, Node]) -> None:
    county, _ = nodes
    answer = until(
        "the county has it",
        lambda: (found := county.client.get(f"/api/nodes/{TOWN}/picture")).status_code == 200 and found,
    )
    assert answer.headers["content-type"] == "image/jpeg"
    assert 500 < len(answer.content) < 10_000


def test_a_clip_is_cut_and_whoever_has_it_can_have_it_checked_in_the_county(
    nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    county, town = nodes
    files = until("three files are recorded", lambda: len(found := recorded(town, "hall")) >= 3 and found)
    from_us = int(files[0].name.split("-")[0])
    begin = datetime.fromtimestamp(from_us / 1e6).astimezone()
    file = tmp_path / "clip.mp4"
    cut = (
        zongheng(
            "camera", "clip", town.folder, "hall", "--from", begin.isoformat(), "--to",
            (begin + timedelta(seconds=7)).isoformat(), "--out", file, "--alert", "a-1", "--json",
        )
        .ended(0)
        .json
    )  # fmt: skip
    with av.open(str(file)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) >= 60
    with av.open(str(file)) as clip:
        assert clip.streams.audio[0].codec_context.name == "opus"
        assert sum(frame.samples for frame in clip.decode(audio=0)) > 3 * 48_000
    part = town.client.get(f"/api/clips/{cut['sha256']}/content", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    caught_up(town, county)
    found = zongheng("camera", "verify", county.folder, file, "--json").ended(0).json
    assert (found["node"], found["camera"], found["kind"], found["alert"]) == (TOWN, HALL, "clip", "a-1")
    assert found["index"] == cut["index"]


def test_a_county_has_a_clip_of_its_town_cut_and_both_enter_who_has_it(
    nodes: tuple[Node, Node], tmp_path: Path
) -> None:
    county, town = nodes
    files = until("three files are recorded", lambda: len(found := recorded(town, "hall")) >= 3 and found)
    begin = datetime.fromtimestamp(span(files[0])[0] / 1e6).astimezone()
    file = tmp_path / "above.mp4"
    cut = (
        zongheng(
            "camera", "clip", county.folder, HALL, "--from", begin.isoformat(), "--to",
            (begin + timedelta(seconds=6)).isoformat(), "--out", file, "--case", "c-1", "--json",
        )
        .ended(0)
        .json
    )  # fmt: skip
    assert sha256(file.read_bytes()).hexdigest() == cut["sha256"]
    with av.open(str(file)) as clip:
        assert sum(1 for _ in clip.decode(video=0)) >= 50
    for node, hop, camera in ((town, 0, "hall"), (county, 1, HALL)):
        (entered,) = [
            entry.clip_exported
            for entry in node.entries("clip_exported")
            if entry.clip_exported.sha256 == cut["sha256"]
        ]
        assert (entered.camera, entered.hop, entered.viewer.node) == (camera, hop, COUNTY)
        assert (entered.case_id, entered.bytes) == ("c-1", file.stat().st_size)
    found = zongheng("camera", "verify", county.folder, file, "--json").ended(0).json
    assert (found["camera"], found["case"]) == (HALL, "c-1")
    proof = zongheng("verify", tmp_path / "above.mp4.tlog-proof", "--json").ended(0).json
    assert proof["entry"]["clip_exported"]["sha256"] == cut["sha256"]
    assert (proof["verified"], proof["index"]) == (True, cut["index"])
    again = county.post(
        "/api/clips", {"camera": HALL, "from": cut["from"], "to": cut["to"], "purpose": "again"}
    )
    assert again["sha256"] == cut["sha256"]
    above = town.client.post(
        "/api/clips", json={"camera": f"{COUNTY}/hall", "from": cut["from"], "to": cut["to"]}
    )
    assert above.json()["code"] == "unknown_node"


def test_what_was_recorded_is_played_in_the_county_and_entered_there_and_in_the_town(
    nodes: tuple[Node, Node],
) -> None:
    county, town = nodes
    files = until("two files are recorded", lambda: len(found := recorded(town, "hall")) >= 2 and found)
    from_us = int(files[0].name.split("-")[0]) + 1_000_000
    stream = f"{HALL}/rec@{from_us}"
    tried = county.post("/api/streams/trials", {"stream": stream, "seconds": 6})
    assert tried["pictures"] >= 20, tried
    assert tried["holes"] == 0
    for node, hop in ((town, 0), (county, 1)):
        (played,) = [
            entry.recording_played
            for entry in node.entries("recording_played")
            if entry.recording_played.stream == stream
        ]
        assert (played.viewer.node, played.hop, played.from_us) == (COUNTY, hop, from_us)


def test_after_its_worker_was_killed_the_town_records_on_and_loses_no_whole_fragment(
    nodes: tuple[Node, Node],
) -> None:
    _, town = nodes
    before = len(until("something is recorded", lambda: recorded(town, "hall")))
    killed = until("there is a worker", lambda: worker(town))
    os.kill(killed, signal.SIGKILL)
    until("another worker is there", lambda: worker(town) not in (0, killed))
    until("it records on", lambda: len(recorded(town, "hall")) >= before + 2)
    for path in recorded(town, "hall"):
        with av.open(str(path)) as file:
            assert sum(1 for packet in file.demux(video=0) if packet.size) > 0


def test_what_an_alert_wants_is_kept_though_its_node_is_killed_right_after_it(
    nodes: tuple[Node, Node], clip: Path
) -> None:
    county, town = nodes
    register(
        town, "queue", f"file:{clip}", hall="大厅", window="9", agency="GA",
        recording={"when": "on_alert", "before_min": 0},
    )  # fmt: skip
    until("two files went into the ring", lambda: len(recorded(town, "queue")) >= 2)
    finding = {"level": "yellow", "by": "S1", "reason": "absent", "agency": "GA", "text": "窗口无人"}
    town.post("/api/alerts", finding)
    town.kill()
    town.start()
    (raised,) = [
        entry.alert_raised for entry in town.entries("alert_raised") if entry.alert_raised.agency == "GA"
    ]
    from_us, to_us = raised.since_us, raised.since_us + 120_000_000
    begun = time.time_ns() // 1_000
    files = until(
        "a file is whole that was begun after the node was back",
        lambda: (found := recorded(town, "queue")) and span(found[-1])[0] > begun and found,
    )
    of_alert = [path for path in files if span(path)[0] <= to_us and span(path)[1] >= from_us]
    assert of_alert
    assert not [path.name for path in of_alert if ".ring." in path.name]
    assert ".ring." in files[0].name
    witnesses = town.get(f"/api/alerts/{raised.alert_id}/cameras")
    assert [(one["camera"], one["recorded_s"] > 0) for one in witnesses] == [(f"{TOWN}/queue", True)]
    caught_up(town, county)
    words = ("evidence", county.folder, raised.alert_id, "--of", TOWN, "--json")
    (seen,) = zongheng("camera", *words).ended(0).lines
    assert (seen["camera"], seen["window"]) == (f"{TOWN}/queue", "9")


def test_a_camera_that_goes_away_in_office_hours_is_an_outage_of_the_hall(
    nodes: tuple[Node, Node], clip: Path, encode: Callable[..., Path], rtsp: Callable[..., RtspServer]
) -> None:
    county, town = nodes
    small = encode(
        "hall", "-t", "40", "-vf", "scale=320:-2", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0"
    )
    server = rtsp(f"/main={clip}", f"/sub={small}")
    register(town, "door", server.address("/main"), sub_address=server.address("/sub"))
    until("the county sees that it sees", lambda: state(county, "door") == "seeing")
    seen = county.post("/api/snapshots", {"stream": f"{TOWN}/door/sub"})
    assert seen["width"] == 320
    server.process.kill()
    until("the county sees that it is lost", lambda: state(county, "door") == "lost")
    noted = [
        entry.camera_state_noted
        for entry in town.entries("camera_state_noted")
        if entry.camera_state_noted.camera == "door"
    ]
    assert [one.state for one in noted] == [camera_pb2.CAMERA_STATE_SEEING, camera_pb2.CAMERA_STATE_LOST]
    assert noted[1].code == "camera_lost"

    def events() -> list[Any]:
        cases = [entry.case_event for entry in town.entries("case_event")]
        return [event for event in cases if event.case_id.startswith(f"{TOWN}-camera-door-")]

    until("the hall is told", events)
    rtsp(f"/main={clip}", port=server.port)
    until("it sees again", lambda: state(town, "door") == "seeing")
    told = until("the outage is over", lambda: len(found := events()) >= 2 and found)
    assert [event.kind for event in told[:2]] == ["dark", "seeing"]
    assert told[0].case_id == told[1].case_id


def test_a_picture_over_http_is_what_the_entry_names(nodes: tuple[Node, Node]) -> None:
    county, _ = nodes
    taken = county.post("/api/snapshots", {"stream": HALL})
    assert base64.b64decode(taken["jpeg"])[:2] == b"\xff\xd8"
    assert county.get(f"/api/footage/{taken['sha256']}")["index"] == taken["index"]
