"""Guessing gets slower and slower; whoever mistypes does not notice."""

from hypothesis import given
from hypothesis import strategies as st

from node.people.throttle import ACCOUNT_FREE, FIRST_WAIT_US, FORGOTTEN_AFTER_US, LONGEST_WAIT_US, Attempts


def test_the_first_failures_cost_nothing_and_then_the_wait_doubles_up_to_an_hour() -> None:
    attempts, now_us, waits = Attempts(), 10**15, []
    for _ in range(ACCOUNT_FREE + 12):
        now_us += attempts.wait_us(ACCOUNT_FREE, now_us)
        attempts = attempts.failed(now_us)
        waits.append(attempts.wait_us(ACCOUNT_FREE, now_us))
    assert waits[: ACCOUNT_FREE - 1] == [0] * (ACCOUNT_FREE - 1)
    assert waits[ACCOUNT_FREE - 1 : ACCOUNT_FREE + 2] == [FIRST_WAIT_US, 2 * FIRST_WAIT_US, 4 * FIRST_WAIT_US]
    assert waits[-1] == LONGEST_WAIT_US


def test_after_a_quiet_day_all_is_forgotten() -> None:
    attempts = Attempts(50, 10**15)
    assert attempts.wait_us(ACCOUNT_FREE, 10**15 + FORGOTTEN_AFTER_US) == 0
    assert attempts.failed(10**15 + FORGOTTEN_AFTER_US).failures == 1


@given(st.integers(0, 10_000), st.integers(0, 2**55), st.integers(0, 2**40))
def test_a_wait_is_bounded_and_shrinks_with_time(failures: int, last_us: int, later_us: int) -> None:
    attempts = Attempts(failures, last_us)
    first = attempts.wait_us(ACCOUNT_FREE, last_us)
    assert 0 <= first <= LONGEST_WAIT_US
    assert attempts.wait_us(ACCOUNT_FREE, last_us + later_us) == max(0, first - later_us)
