"""The demo's own clocks: subtraction of working days, read on the morning of a day of which nothing has happened yet."""

from node.demo.expected import CASE, NOTICE, RED, TIER, YELLOW, Absence, Clock
from node.demo.hall import Moment

THRESHOLDS = ((NOTICE, 5, -2), (YELLOW, 5, 1), (RED, 10, 1))


def at(day: int) -> Moment:
    return Moment(day, 30)


def clock(start: int, stop: int | None, **more: object) -> Clock:
    return Clock("n", CASE, at(start), at(start), None if stop is None else at(stop), THRESHOLDS, **more)  # type: ignore[arg-type]


def test_a_running_clock_climbs_day_by_day() -> None:
    running = clock(0, None)
    assert [running.levels(today) for today in (2, 3, 5, 6, 10, 11)] == [
        (),
        (NOTICE,),
        (NOTICE,),
        (NOTICE, YELLOW),
        (NOTICE, YELLOW),
        (NOTICE, YELLOW, RED),
    ]


def test_a_stopped_clock_stays_as_it_was_and_one_that_stops_later_is_still_running() -> None:
    stopped = clock(0, 6)
    assert stopped.levels(50) == (NOTICE, YELLOW)
    assert stopped.levels(3) == (NOTICE,)


def test_a_clock_that_nobody_knows_of_yet_says_nothing() -> None:
    assert Clock("n", CASE, at(8), at(0), None, THRESHOLDS).levels(8) == ()
    assert Clock("n", CASE, at(8), at(0), None, THRESHOLDS).levels(9) == (NOTICE, YELLOW)


def test_a_pause_takes_out_no_more_than_was_granted() -> None:
    assert clock(0, 14, pauses=((at(2), at(11), 9),)).levels(50) == (NOTICE,)
    assert clock(0, 14, pauses=((at(2), at(11), 4),)).levels(50) == (NOTICE, YELLOW)


def test_a_pause_that_is_not_over_yet_takes_out_what_has_passed() -> None:
    assert clock(0, None, pauses=((at(2), at(30), 9),)).levels(8) == ()


def test_a_case_that_was_handed_over_stands_still_here() -> None:
    assert clock(0, None, absences=(Absence(at(3), None),)).levels(50) == (NOTICE,)
    back = (Absence(at(1), at(9)),)
    assert clock(0, None, absences=back).levels(5) == ()
    assert clock(0, None, absences=back).levels(10) == (NOTICE, YELLOW)


def test_time_away_is_not_the_desks() -> None:
    desk = Clock(
        "n", TIER, at(0), at(0), at(12), ((RED, 3, 1),), absences=(Absence(at(1), at(10)),), away_is_free=True
    )
    assert desk.levels(50) == ()
    assert Clock("n", TIER, at(0), at(0), at(12), ((RED, 3, 1),)).levels(50) == (RED,)
