"""How soon somebody at the city sees a hall three tiers below, in a real Chromium: from the wish to watch to the first picture on the screen.

Village, town, county and city as processes on this machine; the camera is a clip in a loop that somebody at the village watches already. Cold: no stream is
open above the village, so permission is asked and the trunk is opened through three hops. Warm: somebody at the city watched a moment ago.
"""

import statistics
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx
from measure import Measured, Workspace, benchmark

from tests.e2e.browser import Browser, chromium
from tests.e2e.filmed import film
from tests.e2e.tree import Node, Tree, until

STREAM: Final = "990121101201/hall/main"
_TIMES: Final = 3

_TIMED: Final = """
(() => {
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = function (...given) {
    if (window.begun === undefined) { window.begun = performance.now(); }
    return new Connection(...given);
  };
  window.RTCPeerConnection.prototype = Connection.prototype;
  document.addEventListener("DOMContentLoaded", () => {
    const picture = document.getElementById("picture");
    if (picture) { picture.requestVideoFrameCallback(() => { window.firstFrame = performance.now() - window.begun; }); }
  });
})();
"""


@contextmanager
def _watched_at_the_village(village: Node) -> Iterator[None]:
    """Somebody looks at the village all the while, so that its camera is warm."""

    def look() -> None:
        try:
            httpx.post(
                f"http://{village.http}/api/streams/trials",
                json={"stream": STREAM, "seconds": 300.0},
                timeout=400,
                trust_env=False,
            )
        except httpx.HTTPError:
            return  # the village was stopped

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    until(
        "the camera is warm",
        lambda: any(one["state"] == "live" for one in village.get("/api/streams")["streams"]),
    )
    yield


def _first_frame_ms(browser: Browser, city: Node) -> float:
    browser.open(f"http://{city.http}/watch/{STREAM}")
    took = float(browser.until("the first picture", "return window.firstFrame || 0"))
    browser.open("about:blank")
    return took


def _nothing_open(nodes: list[Node]) -> bool:
    return not any(node.get("/api/streams")["streams"] for node in nodes)


@contextmanager
def _line(workspace: Workspace) -> Iterator[tuple[list[Node], Browser]]:
    """The nodes above the village, the city last, and a browser that measures."""
    with Tree(workspace.folder / "tree") as tree:
        (workspace.folder / "tree").mkdir()
        city = tree.add("city", "9901").start()
        county = tree.add("county", "990121", city).start()
        town = tree.add("town", "990121101", county).start()
        village = tree.add("village", "990121101201", town).start()
        clip = film(workspace.folder / "hall.mp4", width=1280, height=720)
        village.post("/api/cameras", {"camera": {"code": "hall", "name": "hall", "address": f"file:{clip}"}})
        until("the city knows the camera", lambda: city.get("/api/cameras"))
        (workspace.folder / "browser").mkdir()
        with (
            _watched_at_the_village(village),
            chromium(workspace.folder / "browser") as browser,
            browser.first_on_each_page(_TIMED),
        ):
            # The workers are started once, and a browser's first connection is slower than all others.
            _first_frame_ms(browser, city)
            yield [town, county, city], browser


@benchmark("video.first_frame_cold", unit="ms", aim=1_000, better="lower")
def first_frame_cold(workspace: Workspace) -> Measured:
    """The camera is warm at its node, nothing is open above it; the median of three."""
    with _line(workspace) as (above, browser):
        took = []
        for _ in range(_TIMES):
            until("nothing is open above", lambda: _nothing_open(above), 300)
            took.append(_first_frame_ms(browser, above[-1]))
        print(f"  {', '.join(f'{one:.0f}' for one in took)} ms", file=sys.stderr)
    return Measured(statistics.median(took))


@benchmark("video.first_frame_warm", unit="ms", aim=300, better="lower")
def first_frame_warm(workspace: Workspace) -> Measured:
    """Somebody at the city watched a moment ago; the median of nine."""
    with _line(workspace) as (above, browser):
        took = [_first_frame_ms(browser, above[-1]) for _ in range(3 * _TIMES)]
        print(f"  {', '.join(f'{one:.0f}' for one in took)} ms", file=sys.stderr)
    return Measured(statistics.median(took))
