"""Waits grow, differ, survive, and are forgotten only after a link that lived."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.link.backoff import Backoff, BackoffPolicy

POLICY = BackoffPolicy(first_ms=1_000, cap_ms=8_000, lived_ms=30_000)
SECOND = 1_000_000


def waits(failures: int, random: float) -> list[float]:
    state, seconds = Backoff(), []
    for _ in range(failures):
        state = POLICY.after_failure(state, 0, 0, 0, lambda: random)
        seconds.append(state.not_before_us / SECOND)
    return seconds


def test_the_first_retry_comes_after_a_random_time_and_later_ones_double_up_to_the_cap() -> None:
    assert waits(6, 0.0) == [0.0, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert waits(6, 0.5) == [0.5, 1.5, 3.0, 6.0, 6.0, 6.0]


@given(
    st.integers(0, 10_000),
    st.integers(0, 2**40),
    st.integers(0, 10**12),
    st.floats(0, 1, exclude_max=True),
)
def test_no_wait_is_longer_than_the_cap_or_what_was_asked_within_reason(
    failures: int, now_us: int, asked_ms: int, random: float
) -> None:
    state = POLICY.after_failure(Backoff(failures, 0), now_us, 0, asked_ms, lambda: random)
    longest_ms = max(POLICY.cap_ms, min(asked_ms, POLICY.longest_asked_ms) + POLICY.first_ms)
    assert now_us <= state.not_before_us <= now_us + longest_ms * 1_000
    assert state.not_before_us - now_us >= min(asked_ms, POLICY.longest_asked_ms) * 1_000
    assert POLICY.ready_at(state, now_us) == max(now_us, state.not_before_us)


def test_a_link_that_lived_starts_from_the_beginning() -> None:
    assert POLICY.after_failure(Backoff(9, 0), 0, 29_999, 0, lambda: 0.5).failures == 10
    assert POLICY.after_failure(Backoff(9, 0), 0, 30_000, 0, lambda: 0.5) == Backoff(1, 500_000)


def test_it_survives_being_written_down() -> None:
    state = Backoff(3, 12_345)
    assert Backoff.from_text(state.to_text()) == state


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", '{"failures": -1, "not_before_us": 0}', '{"failures": true}', "\x00"]
)
def test_what_is_damaged_is_a_fresh_start(text: str) -> None:
    assert Backoff.from_text(text) == Backoff()


def test_a_clock_set_back_by_a_year_does_not_silence_a_node_for_a_year() -> None:
    year_us = 365 * 86_400 * SECOND
    assert POLICY.ready_at(Backoff(2, 2 * year_us), year_us) == year_us
