"""Lips and voices stay together: flashes and beeps of one instant, published at a village, are shown and heard together at the town."""

import statistics
from collections.abc import Iterator

import pytest

from tests.e2e import flashes
from tests.e2e.browser import Browser, chromium
from tests.e2e.player import away_from_loopback, gstreamer
from tests.e2e.tree import Node, Tree, until

MOST_MS = 80.0
STRETCH = 8
MOST_FLASHES = 120


@pytest.fixture(scope="module")
def town(shared_tree: Tree) -> Node:
    return away_from_loopback(shared_tree.add("town", "990121101")).start()


@pytest.fixture(scope="module")
def village(shared_tree: Tree, town: Node) -> Node:
    village = away_from_loopback(shared_tree.add("village", "990121101201", town)).start()
    for code in ("player", "browser"):
        village.post("/api/cameras", {"camera": {"code": code, "name": code, "address": "whip:"}})
    until("the town knows the cameras", lambda: len(town.get("/api/cameras")) == 2)
    return village


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def test_a_clip_that_another_implementation_publishes(
    town: Node, village: Node, viewer: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clip = flashes.clip(tmp_path_factory.mktemp("clip") / "flashes.mkv")
    whip = f"http://{village.http}/api/whip/{village.code}/player/main"
    with gstreamer(whip, "1000000", "--publish", str(clip)) as publishing:
        try:
            _together(viewer, f"http://{town.http}/watch/{village.code}/player/main")
        finally:
            publishing.terminate()


def test_what_a_browser_publishes(town: Node, village: Node, viewer: Browser) -> None:
    phone = viewer.another()
    with phone.first_on_each_page(flashes.MADE):
        phone.open(f"http://{village.http}/publish/{village.code}/browser")
    phone.until("the preview", "return preview.videoWidth > 0 && !start.disabled")
    phone.run("start.click()")
    _together(viewer, f"http://{town.http}/watch/{village.code}/browser/main")
    phone.open("about:blank")


def _together(viewer: Browser, page: str) -> None:
    """A player takes some seconds to bring both together, and a busy machine takes them apart: of all stretches of eight flashes one is to be together."""
    viewer.open(page)
    viewer.until("the picture", "return picture.videoWidth > 0 && picture.currentTime > 0")
    viewer.run("sound.click()")
    viewer.run(flashes.MEASURED, viewer.run("return picture"))
    best = (float("inf"), float("inf"))
    for seen in range(STRETCH, MOST_FLASHES + 1):

        def apart(upto: int = seen) -> list[float]:
            found = [abs(one) for one in flashes.apart_ms(viewer.run(flashes.TOLD))]
            return found[upto - STRETCH : upto] if len(found) >= upto else []

        found = sorted(until("flashes are shown and heard", apart, 240))
        best = min(best, (statistics.median(found), found[-1]))
        if best[0] < MOST_MS:
            print(f"after {seen} flashes {best[0]:.0f} ms apart, none more than {best[1]:.0f} ms")
            viewer.open("about:blank")
            return
    pytest.fail(f"picture and sound are apart by {best[0]:.0f} ms at best")
