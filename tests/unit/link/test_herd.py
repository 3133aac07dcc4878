"""A thousand children that lost their parent in the same moment: they come back spread out, each of them, and soon."""

import heapq
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from federation.link.admission import BURST, LONGEST_MS, RATE, Admission
from federation.link.backoff import Backoff, BackoffPolicy
from federation.link.handshake import Decision, Outcome
from federation.link.relay import Command, Dial, Lost, Relay, Tick, Wait, Welcomed

SECOND = 1_000_000
CHILDREN = 1_000


class Herd:
    """Children's machines, a parent's door, and one clock."""

    def __init__(self, seed: int, admission: Admission, back_at_us: int) -> None:
        self.admission = admission
        self.back_at_us = back_at_us
        self.children = [
            Relay(BackoffPolicy(), Backoff(), Random(f"{seed}/{number}").random) for number in range(CHILDREN)
        ]
        self.attempts: Counter[int] = Counter()
        """Second → attempts that reached the parent."""
        self.linked: dict[int, int] = {}
        """Child → when it was let in."""

    def linked_at_first(self) -> Iterator[int]:
        for number, child in enumerate(self.children):
            assert child.handle(Tick(), 0) == [Dial()]
            child.handle(Welcomed(Outcome(Decision.PUSH), 0, 0), 0)
            yield number

    def lose(self, number: int, now_us: int, code: str, retry_after_ms: int) -> int:
        """A link ends or is refused; returns when the child dials again."""
        commands = self.children[number].handle(Lost(code, "", retry_after_ms), now_us)
        return next(command.until_us for command in commands if isinstance(command, Wait))

    def run(self, waiting: list[tuple[int, int]], until_us: int) -> None:
        heapq.heapify(waiting)
        while waiting:
            now_us, number = heapq.heappop(waiting)
            assert now_us < until_us, f"child {number} is not back"
            commands: list[Command] = self.children[number].handle(Tick(), now_us)
            assert commands == [Dial()]
            if now_us < self.back_at_us:
                heapq.heappush(waiting, (self.lose(number, now_us, "unreachable", 0), number))
                continue
            self.attempts[now_us // SECOND] += 1
            if retry_after_ms := self.admission.ask(now_us):
                heapq.heappush(waiting, (self.lose(number, now_us, "busy", retry_after_ms), number))
            else:
                self.linked[number] = now_us


@pytest.mark.parametrize("away_s", [1, 20, 600])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_thousand_children_of_a_parent_that_crashed_come_back_spread_out(seed: int, away_s: int) -> None:
    rate, burst = 20, 40
    herd = Herd(seed, Admission(rate, burst), away_s * SECOND)
    waiting = [
        (herd.lose(number, SECOND // 2, "unreachable", 0), number) for number in herd.linked_at_first()
    ]
    assert len({until_us for until_us, _ in waiting}) > 0.99 * CHILDREN
    herd.run(waiting, (away_s + 300) * SECOND)
    assert len(herd.linked) == CHILDREN
    let_in = Counter(at_us // SECOND for at_us in herd.linked.values())
    assert max(let_in.values()) <= burst + 2 * rate
    # No second sees more than a quarter of them, however long the parent was away.
    assert max(herd.attempts.values()) <= max(CHILDREN // 4, 2 * max(let_in.values())) or away_s == 1
    # And few are turned away again and again.
    assert sum(herd.attempts.values()) < 6 * CHILDREN


@pytest.mark.parametrize("seed", [1, 2])
def test_children_that_a_stopping_parent_sent_away_come_at_times_of_their_own(seed: int) -> None:
    admission = Admission(RATE, BURST)
    herd = Herd(seed, admission, 0)
    waiting = [
        (herd.lose(number, SECOND, "", admission.later(SECOND)), number) for number in herd.linked_at_first()
    ]
    assert min(until_us for until_us, _ in waiting) >= 2 * SECOND
    herd.run(waiting, 120 * SECOND)
    assert max(herd.attempts.values()) <= 3 * RATE
    assert sum(herd.attempts.values()) == CHILDREN  # nobody was turned away a second time


def test_a_quiet_door_is_open() -> None:
    admission = Admission(rate=10, burst=5)
    assert [admission.ask(100 * SECOND) for _ in range(6)] == [0] * 6
    assert admission.ask(100 * SECOND) > 0
    assert admission.ask(101 * SECOND) == 0


def test_the_more_are_waiting_the_later_one_is_asked_to_come_back_up_to_a_limit() -> None:
    admission = Admission(rate=10, burst=1)
    while not admission.ask(0):
        pass
    asked = [admission.later(0) for _ in range(2_000)]
    assert asked[:100] == sorted(asked[:100])
    assert asked[99] - asked[0] == 99 * 100
    assert max(asked) <= LONGEST_MS


def test_a_clock_that_jumps_shuts_nobody_out() -> None:
    admission = Admission(rate=10, burst=5)
    assert admission.ask(10**15) == 0
    assert admission.ask(5) == 0
    assert admission.ask(10**15) == 0
