"""A camera in a village hall, watched at the city in a real browser and by a player of another make, through three hops."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from tests.e2e.browser import Browser, chromium
from tests.e2e.filmed import film
from tests.e2e.lossy import Lossy
from tests.e2e.player import away_from_loopback, gstreamer
from tests.e2e.tree import Node, Tree, until

STREAM: Final = "990121101201/hall/main"

SEEN: Final = """
return (async () => {
  if (!window.player || !player.connection) { return null; }
  const told = [...(await player.connection.getStats()).values()];
  const video = told.find((one) => one.type === "inbound-rtp" && one.kind === "video");
  return video && { decoded: video.framesDecoded, freezes: video.freezeCount, nacks: video.nackCount,
                    time: picture.currentTime, width: picture.videoWidth, connections: player.connections };
})()
"""


@dataclass
class Line:
    """Village, town, county and city."""

    village: Node
    town: Node
    county: Node
    city: Node

    @property
    def all(self) -> list[Node]:
        return [self.village, self.town, self.county, self.city]

    @property
    def page(self) -> str:
        return f"http://{self.city.http}/watch/{STREAM}"

    def nobody_looks(self) -> bool:
        return all(not node.get("/api/viewings") for node in self.all)


@pytest.fixture(scope="module")
def line(shared_tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Line:
    city = shared_tree.add("city", "9901").start()
    county = away_from_loopback(shared_tree.add("county", "990121", city), workers=2).start()
    town = shared_tree.add("town", "990121101", county).start()
    village = away_from_loopback(shared_tree.add("village", "990121101201", town)).start()
    clip = film(tmp_path_factory.mktemp("clip") / "hall.mp4")
    masks = [{"left": 0.1, "top": 0.2, "width": 0.3, "height": 0.25}]
    village.post(
        "/api/cameras",
        {"camera": {"code": "hall", "name": "办事大厅", "address": f"file:{clip}", "masks": masks}},
    )
    village.post("/api/cameras", {"camera": {"code": "phone", "name": "手机", "address": "whip:"}})
    made = Line(village, town, county, city)
    until(
        "the city knows the camera", lambda: any(one["camera"] == "hall" for one in city.get("/api/cameras"))
    )
    return made


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def seen(browser: Browser) -> dict[str, Any]:
    told: dict[str, Any] = until("something is decoded", lambda: browser.run(SEEN))
    return told


def plays_on(browser: Browser, more: int) -> dict[str, Any]:
    """Wait until so many more pictures were decoded."""
    before = seen(browser)["decoded"]
    return until("the picture goes on", lambda: (now := seen(browser))["decoded"] >= before + more and now)


def test_the_hall_is_seen_at_the_city_and_every_node_on_the_way_knows_who_looks(
    line: Line, browser: Browser
) -> None:
    browser.open(line.page)
    browser.until("the picture", "return picture.videoWidth > 0 && picture.currentTime > 0")
    told = plays_on(browser, 50)
    assert (told["width"], told["connections"]) == (640, 1)
    assert browser.run("return document.querySelectorAll('.mask').length") == 1
    for hop, node in enumerate(line.all):
        [entry] = node.entries("camera_opened")
        assert (entry.camera_opened.stream, entry.camera_opened.hop) == (STREAM, hop)
        assert entry.camera_opened.viewer.node == line.city.code
    browser.open("about:blank")
    until("nobody looks any more", line.nobody_looks)
    for node in line.all:
        until(f"{node.code} enters it", lambda node=node: len(node.entries("camera_closed")) == 1)


def test_three_packets_in_a_hundred_lost_freeze_nothing(line: Line, browser: Browser) -> None:
    """A packet that is not sent again freezes the picture until the next keyframe. A busy machine may freeze it as well: of ten
    stretches one is to be whole, in which as much is lost as in the others.
    """
    with Lossy(0.03) as lossy, browser.first_on_each_page(lossy.script()):
        browser.open(line.page)
        lossy.carry(browser)
        browser.until("the picture", "return picture.videoWidth > 0 && picture.currentTime > 0")
        told = plays_on(browser, 1)
        for _ in range(10):
            before, lost = told, lossy.lost
            told = plays_on(browser, 100)
            assert lossy.lost - lost >= 5
            if told["freezes"] == before["freezes"]:
                break
        else:
            pytest.fail("the picture froze in each of ten stretches")
        assert told["nacks"] > 0
        assert told["connections"] == 1
        browser.open("about:blank")


def test_the_picture_comes_back_by_itself_when_a_worker_is_killed(line: Line, browser: Browser) -> None:
    browser.open(line.page)
    browser.until("the picture", "return picture.videoWidth > 0 && picture.currentTime > 0")
    for node in (line.town, line.city):
        plays_on(browser, 25)
        node.worker().kill()
        until(f"{node.tier} has another worker", lambda node=node: node.get("/api/streams")["worker"])
        plays_on(browser, 25)
    assert seen(browser)["connections"] > 1
    browser.open("about:blank")
    until("nobody looks any more", line.nobody_looks)


def test_processes_for_viewers_share_them_and_the_media_worker_may_die_under_them(
    line: Line, browser: Browser
) -> None:
    def watching() -> list[int]:
        return [one["watching"] for one in line.county.get("/api/streams")["showing"]]

    browser.open(f"http://{line.county.http}/watch/{STREAM}")
    browser.until("the picture", "return picture.videoWidth > 0 && picture.currentTime > 0")
    plays_on(browser, 25)
    assert sorted(watching()) == [0, 1]
    with gstreamer(f"http://{line.county.http}/api/whep/{STREAM}", "1000000") as other:
        until("each has one", lambda: watching() == [1, 1])
        other.terminate()
    line.county.worker().kill()
    until("there is another worker", lambda: line.county.get("/api/streams")["worker"])
    plays_on(browser, 25)
    assert seen(browser)["connections"] == 1
    for process in line.county.children("node.media.showing"):
        process.kill()
    until("it asks again", lambda: (now := browser.run(SEEN)) and now["connections"] > 1)
    plays_on(browser, 25)
    browser.open("about:blank")
    until("nobody looks any more", line.nobody_looks)


def test_a_player_of_another_make_watches_and_publishes(line: Line) -> None:
    whep, whip = f"http://{line.county.http}/api/whep/", f"http://{line.village.http}/api/whip/"
    with gstreamer(f"{whep}{STREAM}", "50") as watching:
        assert _ended(watching) >= 50
    phone = f"{line.village.code}/phone/main"
    with gstreamer(f"{whip}{phone}", "1000000", "--publish") as publishing:
        until("it is published", lambda: _is_published(line.village, phone))
        with gstreamer(f"{whep}{phone}", "50") as watching:
            assert _ended(watching) >= 50
        publishing.terminate()


def test_an_offer_of_five_megabytes_is_refused_and_who_watches_goes_on(line: Line, browser: Browser) -> None:
    browser.open(line.page)
    browser.until("the picture", "return picture.videoWidth > 0 && picture.currentTime > 0")
    told = httpx.post(
        f"http://{line.city.http}/api/whep/{STREAM}", content=b"v=0\r\n" * 1_048_576, trust_env=False,
        headers={"Content-Type": "application/sdp"}, timeout=60,
    )  # fmt: skip
    assert (told.status_code, told.json()["code"]) == (413, "too_large")
    assert plays_on(browser, 25)["connections"] == 1
    browser.open("about:blank")


def _is_published(node: Node, stream: str) -> bool:
    return "publisher.connected" in node.log() and stream in node.log()


def _ended(player: "subprocess.Popen[str]") -> int:
    out, _ = player.communicate(timeout=180)
    assert player.returncode == 0, out
    return int(out.split()[-1])
