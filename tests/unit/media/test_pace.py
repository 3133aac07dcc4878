"""Turns for many."""

import pytest

from federation.errors import ZonghengError
from node.media.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now_us = 1_000_000

    def __call__(self) -> int:
        return self.now_us


def refused_after(pace: Pace, who: str) -> int:
    taken = 0
    while taken < 100:
        try:
            pace.take(who)
        except ZonghengError:
            return taken
        taken += 1
    raise AssertionError(f"{who} may take {taken}")


def test_so_many_at_once_then_so_many_a_second_for_each() -> None:
    clock = Clock()
    pace = Pace(2.0, 5, clock)
    assert refused_after(pace, "a") == 5
    assert refused_after(pace, "b") == 5
    clock.now_us += 1_500_000
    assert refused_after(pace, "a") == 3
    clock.now_us += 3_600_000_000
    assert refused_after(pace, "a") == 5


def test_who_is_refused_hears_when_to_come_again() -> None:
    clock = Clock()
    pace = Pace(4.0, 1, clock)
    pace.take("a")
    with pytest.raises(ZonghengError) as refused:
        pace.take("a")
    assert refused.value.retry_after_ms == 251
    clock.now_us += 251_000
    pace.take("a")


def test_a_clock_that_is_set_back_gives_nothing() -> None:
    clock = Clock()
    pace = Pace(1.0, 2, clock)
    assert refused_after(pace, "a") == 2
    clock.now_us -= 500_000
    assert refused_after(pace, "a") == 0


def test_names_without_end_do_not_fill_memory() -> None:
    clock = Clock()
    pace = Pace(1.0, 2, clock)
    for number in range(4_096):
        pace.take(str(number))
    with pytest.raises(ZonghengError):
        pace.take("another")
    clock.now_us += 2_000_000
    pace.take("another")
