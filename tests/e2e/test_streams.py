"""Four tiers as processes: a village's hall is seen in the city, everybody on the way enters who looks, and the picture comes back by itself."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.looking import Looking, look, state, worker_of
from tests.e2e.tree import Node, Tree, until
from tests.plugins.cameras import absent

CITY, COUNTY, TOWN, VILLAGE = "9901", "990121", "990121101", "990121101001"
HALL, BACK = f"{VILLAGE}/hall/main", f"{VILLAGE}/back/main"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a camera sees, ten pictures a second and a keyframe each second."""
    place = tmp_path_factory.mktemp("clip") / "hall.mp4"
    picture = ["-f", "lavfi", "-i", "testsrc=size=640x360:rate=10", "-t", "20"]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10", "-pix_fmt", "yuv420p"]
    try:
        subprocess.run(["ffmpeg", "-v", "error", *picture, *encoder, str(place)], check=True, timeout=240)
    except FileNotFoundError:
        absent("ffmpeg")
    return place


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[list[Node]]:
    """City, county, town and village; the village has a camera for everybody above, and one for itself."""
    with Tree(tmp_path_factory.mktemp("streams")) as tree:
        nodes: list[Node] = []
        for tier, code in (("city", CITY), ("county", COUNTY), ("town", TOWN), ("village", VILLAGE)):
            node = tree.add(tier, code, nodes[-1] if nodes else None)
            with (node.folder / "node.toml").open("a", encoding="utf-8") as settings:
                settings.write("longest_rest_s = 2.0\n")
            nodes.append(node.start())
        village = nodes[-1]
        village.post("/api/cameras", {"camera": {"code": "hall", "address": f"file:{clip}"}})
        at_home = {"code": "back", "address": f"file:{clip}", "permissions": [{"tiers": ["village"]}]}
        village.post("/api/cameras", {"camera": at_home})
        for node in nodes[:-1]:
            known = lambda node=node: len(node.get("/api/cameras", of=VILLAGE)) == 2  # noqa: E731
            until(f"{node.code} knows the cameras", known)
        yield nodes


def refused(node: Node, stream: str) -> Any:
    answer = node.client.post("/api/streams/trials", json={"stream": stream, "seconds": 1})
    assert not answer.is_success
    return answer.json()


def test_a_villages_hall_is_seen_in_the_city_and_everybody_on_the_way_enters_who_looks(
    line: list[Node],
) -> None:
    city = line[0]
    told = look(city, HALL)
    assert told["pictures"] > 0
    assert (told["code"], told["holes"]) == ("", 0)
    for hop, node in enumerate(reversed(line)):
        (opened,) = [
            entry.camera_opened
            for entry in node.entries("camera_opened")
            if entry.camera_opened.viewing == told["viewing"]
        ]
        assert (opened.stream, opened.hop) == (HALL, hop)
        viewer = opened.viewer
        assert (viewer.who, viewer.node, viewer.tier, viewer.purpose) == ("operator", CITY, "city", "巡查")

        def closed(node: Node = node) -> bool:
            return told["viewing"] in [e.camera_closed.viewing for e in node.entries("camera_closed")]

        until(f"{node.code} enters that nobody looks any more", closed)
    until("the way is closed again", lambda: state(line[2], HALL) == "")


def test_one_copy_passes_each_hop_however_many_look_and_those_who_do_are_known_everywhere(
    line: list[Node],
) -> None:
    city, county, town, village = line
    looking = [Looking(city, HALL), Looking(city, HALL), Looking(county, HALL)]

    def lookers(node: Node) -> list[str]:
        return sorted(one["node"] for one in node.get("/api/viewings") if one["stream"] == HALL)

    until("the village knows all three", lambda: lookers(village) == [CITY, CITY, COUNTY])
    assert lookers(town) == [CITY, CITY, COUNTY]
    assert lookers(city) == [CITY, CITY]
    for node in (county, town, village):
        open_there = [one["stream"] for one in node.get("/api/streams")["streams"]]
        assert open_there.count(HALL) == 1
    assert all(each.enough()["pictures"] > 0 for each in looking)


def test_who_may_not_look_is_told_so_and_nothing_is_carried(line: list[Node]) -> None:
    city, _, _, village = line
    before = len(city.entries("camera_opened"))
    not_permitted = refused(city, BACK)
    assert not_permitted["code"] == "forbidden"
    assert VILLAGE in not_permitted["detail"]
    assert refused(city, f"{VILLAGE}/nothing/main")["code"] == "not_found"
    assert refused(city, "990199/hall/main")["code"] == "unknown_node"
    assert refused(city, "hall")["code"] == "bad_request"
    assert len(city.entries("camera_opened")) == before
    assert BACK not in [entry.camera_opened.stream for entry in village.entries("camera_opened")]
    assert [state(node, BACK) for node in line[:-1]] == ["", "", ""]


def test_the_hall_puts_a_viewer_out_who_sits_in_the_city(line: list[Node]) -> None:
    city, county, town, village = line
    looking = Looking(city, HALL)
    viewing = looking.viewing
    village.post(f"/api/viewings/{viewing}/removal", {"reason": "涉密办公", "by": "V-1"})
    told = looking.over()
    assert told["code"] == "viewer_removed"
    assert "涉密办公" in told["detail"]
    for node in (city, county, town, village):
        until(
            f"{node.code} enters that the viewer was put out",
            lambda node=node: viewing in [e.viewer_removed.viewing for e in node.entries("viewer_removed")],
        )
        until(
            f"nobody looks at {node.code} by it",
            lambda node=node: viewing not in [one["viewing"] for one in node.get("/api/viewings")],
        )


def away_and_back(city: Node, what: str, happens: Callable[[], object]) -> None:
    """Somebody looks from the city; something happens that the city notices; they see again, without doing anything."""
    looking = Looking(city, HALL)
    happens()
    until(f"it is live again after {what}", lambda: state(city, HALL) == "live")
    told = looking.enough()
    assert told["pictures"] > 0
    print(f"{what}: nothing for {told['longest_gap_ms'] / 1_000:.1f} s")


def test_a_media_worker_that_is_killed_is_started_again_and_the_picture_comes_back(line: list[Node]) -> None:
    city, _, town, _ = line
    starts = town.get("/api/streams")["starts"]

    def killed() -> None:
        worker_of(town).kill()
        until("the city notices", lambda: state(city, HALL) == "lost", every_s=0.02)

    away_and_back(city, "the town's worker is killed", killed)
    assert town.get("/api/streams")["starts"] == starts + 1


def test_a_node_that_is_killed_takes_its_worker_with_it_and_the_picture_comes_back_when_it_does(
    line: list[Node],
) -> None:
    city, _, town, _ = line
    look(city, HALL, 1)
    worker = worker_of(town)

    def killed() -> None:
        town.kill()
        until("its worker is gone", lambda: not worker.is_running())
        until("the city notices", lambda: state(city, HALL) == "lost")
        town.start()

    away_and_back(city, "the town is killed", killed)


def test_a_town_that_freezes_for_a_while_is_left_and_comes_back(line: list[Node]) -> None:
    """From outside this is a line that is cut: kernels go on acknowledging, and nobody says anything."""
    city, _, town, _ = line
    look(city, HALL, 1)
    assert town.process is not None
    frozen = [town.process.pid, worker_of(town).pid]

    looking = Looking(city, HALL)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        until("the city notices", lambda: state(city, HALL) == "lost")
        time.sleep(5)
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    until("it is live again", lambda: state(city, HALL) == "live")
    assert looking.enough()["pictures"] > 0
