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

DECODED: Final = """
return (async () => {
  const connections = window.call ? [...call.others.values()].map((other) => other.player.connection).filter(Boolean) : [];
  return Promise.all(connections.map(async (connection) => [...(await connection.getStats()).values()]
    .filter((one) => one.type === "inbound-rtp" && one.kind === "video").reduce((sum, one) => sum + one.framesDecoded, 0)));
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
def neighbour(shared_tree: Tree, town: Node) -> Node:
    neighbour = shared_tree.add("village", "990121101202", town).start()
    until(
        "the town has heard of the neighbour",
        lambda: (known := town.child(neighbour.code)) and known["state"] == "linked",
    )
    return neighbour


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


def find(browser: Browser, node: Node) -> None:
    """Choose whom to call: the first hall of a node."""
    browser.run(
        "const find = document.getElementById('find'); find.value = arguments[0]; find.dispatchEvent(new Event('input'))",
        node.code,
    )
    browser.until(f"{node.code} is found", "return document.querySelector('#found button') !== null")
    browser.run("document.querySelector('#found button').click()")


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


def test_a_hall_that_the_town_calls_answers_another_is_called_too_and_both_are_told_when_it_is_over(
    town: Node, village: Node, neighbour: Node, kiosk: Browser, officer: Browser
) -> None:
    kiosk.open(f"http://{village.http}/help")
    shows(kiosk, "idle")
    officer.open(f"http://{town.http}/calls")
    find(officer, village)
    officer.run("document.getElementById('form').requestSubmit()")
    shows(kiosk, "rings")
    press(kiosk, "answer")
    shows(kiosk, "talk")
    see_and_hear_each_other(kiosk, officer)
    third = kiosk.another()
    third.open(f"http://{neighbour.http}/calls")
    third.until("it hears of calls", "return document.documentElement.dataset.news === 'here'")
    find(officer, neighbour)
    officer.run("document.getElementById('inviting').requestSubmit()")
    third.until("it rings", "return document.querySelector('.rings .answer')")
    third.run("document.querySelector('.rings .answer').click()")
    for browser in (third, officer):
        until(
            "two others are seen",
            lambda browser=browser: len(seen := browser.run(DECODED)) == 2 and min(seen) >= 10,
        )
    press(officer, "close")
    shows(kiosk, "over")
    third.until("it is over", "return !document.getElementById('back').hidden")
    third.open("about:blank")
