"""A city walks through two village halls by camera, one of them away: looked at, ticked off, and what is found is answered in the village."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.browser import Browser, chromium
from tests.e2e.commands import zongheng
from tests.e2e.filmed import film
from tests.e2e.tree import Node, Tree, until

STREAM: Final = "990121101201/hall/main"
AWAY: Final = "990121101202"


@dataclass
class Halls:
    """A city, its town, and two villages; the second is stopped once its hall is known."""

    city: Node
    town: Node
    village: Node
    away: Node

    @property
    def page(self) -> str:
        return f"http://{self.city.http}"


@pytest.fixture(scope="module")
def halls(shared_tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Halls:
    city = shared_tree.add("city", "9901").start()
    town = shared_tree.add("town", "990121101", city).start()
    clip = film(tmp_path_factory.mktemp("clip") / "hall.mp4")
    villages = [shared_tree.add("village", code, town).start() for code in (STREAM.partition("/")[0], AWAY)]
    for village in villages:
        form = {
            "code": "hall",
            "name": "办事大厅",
            "hall": "便民服务站",
            "address": f"file:{clip}",
            "opens_min": 0,
            "closes_min": 1_440,
        }
        village.post("/api/cameras", {"camera": form})
    until(
        "the city sees that both cameras see, with a picture of each",
        lambda: (
            [bool(tile["picture"]) and tile["state"] for tile in city.get("/api/wall")["tiles"]]
            == ["seeing", "seeing"]
        ),
    )
    villages[1].stop()
    until("the town sees that it is gone", lambda: town.child(AWAY)["state"] == "away")
    return Halls(city, town, *villages)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def shows(browser: Browser, what: str, script: str) -> None:
    """Wait until the page, whole, says so; one that is on its way to another says nothing."""

    def asked() -> Any:
        try:
            return browser.run(f"return document.readyState === 'complete' && (() => {{ {script} }})()")
        except AssertionError:
            return None

    until(what, asked)


def test_the_wall_shows_both_halls_also_the_one_that_is_away(halls: Halls, browser: Browser) -> None:
    browser.open(f"{halls.page}/wall")
    shows(
        browser,
        "both pictures",
        "return [...document.querySelectorAll('.tile img')].filter((one) => one.naturalWidth > 100).length === 2",
    )
    assert browser.run("return document.querySelector('.tile').getAttribute('href')") == f"/watch/{STREAM}"


def test_a_round_is_walked_on_its_page_and_what_is_found_is_answered_in_the_village(
    halls: Halls, browser: Browser, tmp_path: Path
) -> None:
    city = halls.city
    items = [
        {"code": "window", "zh": "窗口有人", "en": "windows are staffed"},
        {"code": "tidy", "zh": "环境整洁"},
    ]
    places = [halls.village.code, AWAY]
    form = {"code": "halls", "name": "大厅巡查", "places": places, "items": items, "every_days": 7}
    city.post("/api/patrols", {"plan": form})
    browser.open(f"{halls.page}/patrol")
    browser.run("document.querySelector('[data-begin=halls]').click()")
    # The first stop: a hall that is seen, and where no window is staffed.
    shows(browser, "the picture", "return window.player && picture.videoWidth > 0 && picture.currentTime > 0")
    browser.run("document.getElementById('snap').click()")
    shows(browser, "it is taken", "return document.querySelector('#taken img').naturalWidth === 640")
    tick(browser, "window", "not_ok")
    tick(browser, "tidy", "ok")
    browser.run("document.querySelector('[data-item=window] .remark').value = '三号窗口无人'")
    browser.run("document.querySelector('#check button[type=submit]').click()")
    shows(
        browser, "what was not in order can be raised", "return document.querySelector('[data-raise=window]')"
    )
    browser.run(
        "const form = document.querySelector('[data-raise=window]'); form.elements.approved.value = 'L-2';"
        "form.querySelector('button').click()"
    )
    shows(
        browser,
        "it is raised",
        "return !document.querySelector('[data-raise]') && document.querySelector('.found p')",
    )
    # The second: nobody is there.
    (round_id,) = [one["round"] for one in city.get("/api/patrol-rounds")]
    browser.open(f"{halls.page}/patrol/{round_id}?stop=2")
    browser.run("document.getElementById('away').click()")
    shows(browser, "it is recorded", "return document.querySelector('section .wrong')")
    browser.run("document.querySelector('#end button').click()")
    shows(browser, "the round is over", "return !document.getElementById('end')")
    walked = city.get(f"/api/patrol-rounds/{round_id}")
    first, second = walked["stops"]
    assert (walked["complete"], walked["unreachable"], walked["not_ok"]) == (True, 1, 1)
    assert (second["state"], second["code"]) == ("unreachable", "unreachable")
    every_node_on_the_way_knows(halls, first["picture"])
    browser.open(f"{halls.page}/api/patrol-rounds/{round_id}/report")
    shows(browser, "the report has the picture", "return document.querySelector('img').naturalWidth === 640")
    answered_in_the_village(halls, first["findings"][0])
    by_command(city, round_id, tmp_path / "round.html")


def tick(browser: Browser, item: str, verdict: str) -> None:
    browser.run("document.querySelector(arguments[0]).click()", f"[data-item={item}] input[value={verdict}]")


def every_node_on_the_way_knows(halls: Halls, picture: str) -> None:
    """Who looked and who took the picture, from the camera upward."""
    for hop, node in enumerate((halls.village, halls.town, halls.city)):
        opened = [entry.camera_opened for entry in node.entries("camera_opened")]
        assert {(one.viewer.node, one.hop, one.stream) for one in opened} == {("9901", hop, STREAM)}
        assert all(one.viewer.purpose.startswith("patrol 大厅巡查") for one in opened)
        taken = [entry.snapshot_taken for entry in node.entries("snapshot_taken")]
        assert [(one.sha256, one.hop, one.viewer.node) for one in taken] == [(picture, hop, "9901")]


def answered_in_the_village(halls: Halls, finding: dict[str, Any]) -> None:
    village, directive = halls.village, f"/api/directives/{finding['directive']}"
    (asked,) = until("the directive is in the village", lambda: village.get("/api/directives")["directives"])
    assert asked["title"].startswith("视频巡查")
    assert "三号窗口无人" in asked["steps"][0]["text"]
    village.post(f"{directive}/signature", {"by": "V-1"})
    village.post(f"{directive}/answer", {"by": "V-1", "text": "已安排专人值守"})
    alert = f"/api/alerts/{finding['alert']}"
    until("the answer explains the alert", lambda: halls.city.get(alert)["alert"]["state"] == "explained")
    halls.city.post(f"{directive}/review", {"by": "L-2", "accept": True})
    halls.city.post(f"{directive}/closing", {"by": "L-2"})
    until("the alert is closed", lambda: halls.city.get(alert)["alert"]["state"] == "closed")
    assert [step["state"] for step in halls.city.get(alert)["steps"]] == ["issued", "explained", "closed"]


def by_command(city: Node, round_id: str, page: Path) -> None:
    """What the pages show, the commands say too."""
    (plan,) = zongheng("patrol", "list", city.folder, "--json").ended(0).lines
    assert (plan["missed"], plan["open_round"]) == (0, "")
    (line,) = zongheng("patrol", "rounds", city.folder, "--json").ended(0).lines
    assert (line["round"], line["complete"]) == (round_id, True)
    zongheng("patrol", "report", city.folder, round_id, "--out", page).ended(0)
    assert "三号窗口无人" in page.read_text(encoding="utf-8")
