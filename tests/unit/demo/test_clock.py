"""A clock of the demo's: one for all its nodes, which goes on when one of them is run again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from node import config
from node.wallclock import micros, ticking_from

START = datetime(2026, 6, 30, 10, 0, tzinfo=UTC)


def test_a_clock_with_an_origin_goes_on_over_a_restart() -> None:
    since = datetime.now(UTC) - timedelta(hours=2)
    first, again = ticking_from(START, since), ticking_from(START, since)
    second_us = 1_000_000
    begun, between, after = first(), again(), first()
    assert begun >= micros(START) + 7_200 * second_us - second_us
    assert begun - second_us < between < after + second_us


def test_a_clock_without_one_starts_anew() -> None:
    assert ticking_from(START)() < micros(START) + 1_000_000 * 60


def test_the_origin_is_kept_in_the_folder(tmp_path: Path) -> None:
    since = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
    config.initialise(
        tmp_path / "village",
        tier="village",
        name="v",
        division="990100101201",
        grpc=None,
        http=None,
        clock_start=START,
        clock_since=since,
    )
    kept = config.load(tmp_path / "village").clock
    assert (kept.start, kept.since) == (START, since)
