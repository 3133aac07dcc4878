"""A help call from a village's kiosk that the town answers, and a hall that the town calls, in real browsers: both see and hear the other, and each is told when it is over."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.e2e.browser import Browser, chromium
from tests.e2e.tree import Node, Tree, until

TOLD: Final = """
return (async () => {
  const [other] = window.call ? call.others.values() : [];
  if (!other || !other.player.connection) { return null; }
  const told = [...(await other.player.connection.getStats()).values()];
  const of = (kind) => told.find((one) => one.type === "inbound-rtp" && one.kind === kind);
  const video = of("video"), audio = of("audio");
  return video && audio && { decoded: video.framesDecoded, loudness: audio.totalAudioEnergy, time: other.tile.video.currentTime };
})()
"""

WORDS: Final = "return [...document.querySelectorAll('.state, #wrong')].map((one) => one.textContent)"


@pytest.fixture(scope="module")
def town(shared_tree: Tree) -> Node:
    return shared_tree.add("town", "990121101").start()


@pytest.fixture(scope="module")
def village(shared_tree: Tree, town: Node) -> Node:
    village = shared_tree.add("village", "990121101201", town)
    # Whoever opens a page of a node without accounts is its operator, who could answer here too.
    with (village.folder / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n[calls]\nanswer_s = 0\n")
    village.start()
    until(
        "the town has heard of the village",
        lambda: (known := town.child(village.code)) and known["state"] == "linked",
    )
    return village


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def officer(kiosk: Browser) -> Browser:
    return kiosk.another()


def told(browser: Browser) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = until("the other is there", lambda: browser.run(TOLD))
    except AssertionError as error:
        raise AssertionError(f"{error}: {browser.run(WORDS)}") from None
    return answer


def see_and_hear_each_other(*browsers: Browser) -> None:
    """Wait until each has seen and heard something more of the other."""
    for browser in browsers:
        before = told(browser)["decoded"]
        until(
            "pictures of the other",
            lambda browser=browser, before=before: told(browser)["decoded"] >= before + 20,
        )
        until("a voice of the other", lambda browser=browser: told(browser)["loudness"] > 0.001)


def shows(browser: Browser, screen: str) -> None:
    browser.until(screen, f"return !document.getElementById('{screen}').hidden")


def press(browser: Browser, button: str) -> None:
    browser.run("document.getElementById(arguments[0]).click()", button)


def test_a_help_call_of_a_village_is_answered_at_the_town(
    town: Node, village: Node, kiosk: Browser, officer: Browser
) -> None:
    officer.open(f"http://{town.http}/calls")
    officer.until(
        "somebody is on duty at the town", "return document.documentElement.dataset.news === 'here'"
    )
    kiosk.open(f"http://{village.http}/help?hall=办事大厅&window=3号窗口")
    shows(kiosk, "idle")
    press(kiosk, "ask")
    shows(kiosk, "waiting")
    officer.until("it rings", "return document.querySelector('.rings .answer')")
    assert "3号窗口" in officer.run("return document.querySelector('.rings').textContent")
    officer.run("document.querySelector('.rings .answer').click()")
    shows(kiosk, "talk")
    see_and_hear_each_other(kiosk, officer)
    village.worker().kill()
    until("the village has another worker", lambda: village.get("/api/streams")["worker"])
    see_and_hear_each_other(kiosk, officer)
    # The kiosk's browser is started again: it goes on with its call.
    kiosk.open(f"http://{village.http}/help")
    shows(kiosk, "talk")
    see_and_hear_each_other(kiosk, officer)
    press(officer, "leave")
    shows(kiosk, "over")
    officer.until("it is over", "return !document.getElementById('back').hidden")
    for node in (town, village):
        [closed] = until("it is over in the journal", lambda node=node: node.entries("meeting_closed"))
        assert closed.meeting_closed.answered_node == town.code


def test_a_hall_that_the_town_calls_answers_and_is_told_when_it_is_over(
    town: Node, village: Node, kiosk: Browser, officer: Browser
) -> None:
    kiosk.open(f"http://{village.http}/help")
    shows(kiosk, "idle")
    officer.open(f"http://{town.http}/calls")
    officer.run(
        "const find = document.getElementById('find'); find.value = arguments[0]; find.dispatchEvent(new Event('input'))",
        village.code,
    )
    officer.until("the village is found", "return document.querySelector('#found button') !== null")
    officer.run(
        "document.querySelector('#found button').click(); document.getElementById('form').requestSubmit()"
    )
    shows(kiosk, "rings")
    press(kiosk, "answer")
    shows(kiosk, "talk")
    see_and_hear_each_other(kiosk, officer)
    press(officer, "close")
    shows(kiosk, "over")
