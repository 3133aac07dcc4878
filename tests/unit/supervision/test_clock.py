"""Clocks read at an instant: what is due when, what is late, and what never is."""

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from node.supervision.calendar import Calendar, Override
from node.supervision.clock import (
    CLOCK_SCHEMA,
    HOUR,
    NATURAL,
    PAUSE_SCHEMA,
    READING_SCHEMA,
    WORKING,
    RunningClocks,
    over_reaches,
    percent_threshold,
    percent_thresholds,
    run_clocks,
)

SHANGHAI = "Asia/Shanghai"
CHINA = Calendar.china()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def us(at: datetime) -> int:
    return (at - EPOCH) // TICK


def local(text: str, zone: str = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


@dataclass(frozen=True)
class Clock:
    start_at: int
    amount: int | None = None
    unit: str | None = WORKING
    zone: str | None = SHANGHAI
    stop_at: int | None = None
    extension: int | None = 0
    roll_forward: bool | None = False
    stated_due_at: int | None = None
    stated_due_day: int | None = None


@dataclass(frozen=True)
class Pause:
    start_at: int | None
    end_at: int | None = None
    granted: int | None = None
    clock: int = 0


def clocks_of(*clocks: Clock) -> pl.DataFrame:
    return pl.DataFrame(
        [{"clock": key, **asdict(clock)} for key, clock in enumerate(clocks)], schema=CLOCK_SCHEMA
    )


def pauses_of(*pauses: Pause) -> pl.DataFrame:
    return pl.DataFrame([asdict(pause) for pause in pauses], schema=PAUSE_SCHEMA)


def read(clock: Clock, as_of: datetime, *pauses: Pause, calendar: Calendar = CHINA) -> dict[str, Any]:
    return run_clocks(clocks_of(clock), pauses_of(*pauses), calendar, as_of).row(0, named=True)


def reaches(clock: Clock, k: int, *pauses: Pause, calendar: Calendar = CHINA) -> int | None:
    instant: int | None = over_reaches(clocks_of(clock), pauses_of(*pauses), calendar, k).item()
    return instant


ACCEPTED = Clock(us(local("2026-09-29T10:00")), 20)
"""Accepted on a Tuesday, 20 working days: 30 Sep is the first, 国庆节 is 1-7 Oct, Saturday 10 Oct is worked: 8-10 Oct make
four, 12-16 nine, 19-23 fourteen, 26-30 nineteen, Monday 2 Nov is the twentieth."""

LAST_DAY = date(2026, 11, 2)


def test_twenty_working_days_over_national_day_2026() -> None:
    reading = read(ACCEPTED, local("2026-10-12T09:00"))
    assert reading["due_day"] == number(LAST_DAY)
    assert reading["due_at"] == us(local("2026-11-02T23:59:59.999999"))
    # 30 Sep, 8, 9, 10 and 12 Oct are used.
    assert (reading["used"], reading["over"]) == (5, -15)
    assert (reading["late"], reading["paused"], reading["provisional"]) == (False, False, False)


def test_a_holiday_calendar_is_not_ignored() -> None:
    plain = read(ACCEPTED, local("2026-10-12T09:00"), calendar=Calendar.weekdays())
    assert plain["due_day"] == number(date(2026, 10, 27))
    assert read(ACCEPTED, local("2026-10-12T09:00"))["due_day"] != plain["due_day"]


def test_completion_given_as_a_date_on_the_due_day_is_in_time() -> None:
    stopped = Clock(**{**asdict(ACCEPTED), "stop_at": us(local("2026-11-02T00:00"))})
    reading = read(stopped, local("2027-06-01T00:00"))
    assert (reading["late"], reading["over"]) == (False, 0)


def test_the_last_microsecond_of_the_due_day_is_in_time_and_the_next_is_late() -> None:
    midnight = local("2026-11-03T00:00")
    assert read(ACCEPTED, midnight - TICK)["late"] is False
    for at in (midnight, midnight + timedelta(seconds=1)):
        reading = read(ACCEPTED, at)
        assert (reading["late"], reading["over"]) == (True, 1)


def test_late_on_a_weekend_is_one_over_until_the_second_working_day() -> None:
    friday_due = Clock(us(local("2026-11-05T10:00")), 1)
    for at, over in (
        ("2026-11-06T12:00", 0),
        ("2026-11-07T00:00", 1),
        ("2026-11-09T12:00", 1),
        ("2026-11-10T00:00", 2),
    ):
        assert read(friday_due, local(at))["over"] == over, at


def test_zero_days_are_due_at_the_end_of_the_start_day() -> None:
    at_once = Clock(us(local("2026-11-04T16:00")), 0)
    assert read(at_once, local("2026-11-04T18:00"))["due_at"] == us(local("2026-11-04T23:59:59.999999"))


def test_an_extension_adds_its_days() -> None:
    extended = Clock(ACCEPTED.start_at, 20, extension=10)
    assert read(extended, local("2026-10-12T09:00"))["due_day"] == number(date(2026, 11, 16))


def test_a_natural_limit_rolls_forward_only_where_the_rule_says_so() -> None:
    start = us(local("2026-09-16T10:00"))
    plain = Clock(start, 15, NATURAL)
    rolling = Clock(start, 15, NATURAL, roll_forward=True)
    assert read(plain, local("2026-09-20T00:00"))["due_day"] == number(date(2026, 10, 1))
    assert read(rolling, local("2026-09-20T00:00"))["due_day"] == number(date(2026, 10, 8))


def test_the_day_of_an_instant_is_its_own_zones() -> None:
    at = us(datetime(2026, 11, 4, 17, 0, tzinfo=UTC))  # already 5 November in Shanghai
    readings = run_clocks(
        clocks_of(Clock(at, 1), Clock(at, 1, zone="Europe/Amsterdam"), Clock(at, 1, zone=None)),
        pauses_of(),
        CHINA,
        datetime(2026, 11, 5, tzinfo=UTC),
    )
    assert readings["due_day"].to_list() == [number(date(2026, 11, 6)), number(date(2026, 11, 5)), None]
    amsterdam_midnight = datetime(2026, 11, 6, tzinfo=ZoneInfo("Europe/Amsterdam")).astimezone(UTC)
    assert readings["due_at"][1] == us(amsterdam_midnight - TICK)


def test_a_day_of_25_hours_ends_at_its_midnight() -> None:
    start = us(local("2026-10-24T12:00", "Europe/Amsterdam"))
    due = read(Clock(start, 1, NATURAL, zone="Europe/Amsterdam"), datetime(2026, 10, 25, tzinfo=UTC))[
        "due_at"
    ]
    assert due == us(datetime(2026, 10, 25, 23, tzinfo=UTC) - TICK)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        read(Clock(0, 1, zone="Asia/Nowhere"), local("2026-01-05T00:00"))


# --- pauses (特别程序, 行政许可法 §45) ---


def test_a_pause_removes_the_days_after_its_first_up_to_its_last() -> None:
    expert_review = Pause(us(local("2026-10-12T09:00")), us(local("2026-10-16T15:00")))  # 13-16 Oct
    assert read(ACCEPTED, local("2026-11-01T00:00"), expert_review)["due_day"] == number(date(2026, 11, 6))


def test_a_pause_within_one_day_removes_nothing() -> None:
    brief = Pause(us(local("2026-10-12T09:00")), us(local("2026-10-12T17:00")))
    reading = read(ACCEPTED, local("2026-10-12T12:00"), brief)
    assert (reading["due_day"], reading["paused"]) == (number(LAST_DAY), True)
    assert read(ACCEPTED, local("2026-10-12T17:00"), brief)["paused"] is False


def test_overlapping_pauses_are_united_after_each_is_cut_to_its_grant() -> None:
    hearing = Pause(us(local("2026-10-12T09:00")), us(local("2026-10-30T15:00")), granted=4)  # 13-16 Oct
    appraisal = Pause(us(local("2026-10-14T09:00")), us(local("2026-10-20T15:00")))  # 15-20 Oct
    # Together 13-20 October: six working days.
    assert read(ACCEPTED, local("2026-11-01T00:00"), appraisal, hearing)["due_day"] == number(
        date(2026, 11, 10)
    )


def test_a_grant_used_up_lets_an_open_pause_run_on() -> None:
    overstayed = Pause(us(local("2026-10-12T09:00")), granted=2)
    assert read(ACCEPTED, local("2026-10-14T12:00"), overstayed)["paused"] is True
    after = read(ACCEPTED, local("2026-10-15T12:00"), overstayed)
    assert (after["paused"], after["due_day"]) == (False, number(date(2026, 11, 4)))


def test_over_freezes_and_nothing_is_due_while_an_open_pause_lasts() -> None:
    open_pause = Pause(us(local("2026-10-12T09:00")))
    for at in ("2026-10-12T10:00", "2026-10-30T00:00", "2027-10-01T00:00"):
        reading = read(ACCEPTED, local(at), open_pause)
        assert (reading["over"], reading["late"], reading["paused"]) == (-15, False, True)
        assert (reading["due_at"], reading["due_day"]) == (None, None)
    assert reaches(ACCEPTED, -15, open_pause) == us(local("2026-10-12T00:00"))
    assert reaches(ACCEPTED, -14, open_pause) is None


def test_an_open_pause_leaves_the_roll_forward_in_what_is_left() -> None:
    rolling = Clock(us(local("2026-09-16T10:00")), 15, NATURAL, roll_forward=True)
    open_pause = Pause(us(local("2026-09-20T10:00")))
    assert read(rolling, local("2026-09-20T12:00"))["over"] == -18
    assert read(rolling, local("2026-09-20T12:00"), open_pause)["over"] == -18
    assert read(rolling, local("2026-12-20T12:00"), open_pause)["over"] == -18


def test_a_pause_that_starts_on_the_due_day_does_not_save_a_case() -> None:
    too_late = Pause(us(local("2026-11-02T09:00")))
    reading = read(ACCEPTED, local("2026-11-20T00:00"), too_late)
    assert (reading["due_day"], reading["late"], reading["over"]) == (number(LAST_DAY), True, 1)


def test_a_stated_due_is_an_instant_and_no_pause_moves_it() -> None:
    due = us(local("2026-11-03T15:30"))
    stated = Clock(ACCEPTED.start_at, 5, stated_due_at=due, stated_due_day=1, extension=3, roll_forward=True)
    pause = Pause(us(local("2026-10-12T09:00")), us(local("2026-10-16T15:00")))
    reading = read(stated, local("2026-11-03T15:30"), pause)
    assert (reading["due_at"], reading["late"], reading["over"]) == (due, False, 0)
    later = read(stated, local("2026-11-03T15:30") + TICK, pause)
    assert (later["late"], later["over"]) == (True, 1)
    # `over` freezes while paused: 12 October is 16 days before, less the four paused.
    assert [read(stated, local(f"2026-10-{day}T12:00"), pause)["over"] for day in (12, 14, 16, 19)] == [
        -12,
        -12,
        -12,
        -11,
    ]


def test_a_due_stated_as_a_day_runs_to_the_end_of_that_day() -> None:
    stated = Clock(ACCEPTED.start_at, stated_due_day=number(date(2026, 11, 1)), unit=NATURAL)
    assert read(stated, local("2026-11-01T12:00"))["due_at"] == us(local("2026-11-01T23:59:59.999999"))


# --- limits in hours ---


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-04T09:00", 3, "2026-11-04T12:00"),
        ("2026-11-04T11:00", 2, "2026-11-04T14:30"),
        ("2026-11-04T12:30", 1, "2026-11-04T14:30"),
        ("2026-11-06T17:00", 1, "2026-11-09T09:30"),
        ("2026-09-30T17:00", 7, "2026-10-08T17:00"),
        ("2026-11-07T10:00", 7, "2026-11-09T17:30"),
        ("2026-11-04T16:00", 0, "2026-11-04T16:00"),
    ],
)
def test_hours_run_in_the_halls_opening_hours(start: str, hours: int, due: str) -> None:
    reading = read(Clock(us(local(start)), hours, HOUR), local(start))
    assert reading["due_at"] == us(local(due))
    assert reading["over"] <= 0


def test_hours_late_count_in_days() -> None:
    clock = Clock(us(local("2026-11-06T17:00")), 1, HOUR)  # due on Monday at 09:30
    overs = [
        read(clock, local(at))["over"]
        for at in (
            "2026-11-06T18:00",
            "2026-11-09T09:30",
            "2026-11-09T09:31",
            "2026-11-10T00:00",
            "2026-11-11T00:00",
        )
    ]
    assert overs == [-1, 0, 1, 1, 2]


def test_a_pause_of_an_hour_limit_removes_the_hours_between_its_instants() -> None:
    pause = Pause(us(local("2026-11-04T10:00")), us(local("2026-11-04T14:00")))
    clock = Clock(us(local("2026-11-04T09:00")), 3, HOUR)
    assert read(clock, local("2026-11-04T10:00"), pause)["due_at"] == us(local("2026-11-04T16:00"))


def test_hall_hours_are_the_nodes_own() -> None:
    readings = run_clocks(
        clocks_of(Clock(us(local("2026-11-04T09:00")), 3, HOUR)),
        pauses_of(),
        CHINA,
        local("2026-11-04T09:00"),
        hall_hours=((8 * 60, 10 * 60), (20 * 60, 24 * 60)),
    )
    assert readings["due_at"].item() == us(local("2026-11-04T22:00"))


@pytest.mark.parametrize("hours", [(), ((600, 540),), ((540, 720), (700, 800)), ((540, 1500),)])
def test_hall_hours_that_make_no_sense_are_refused(hours: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match="hall hours"):
        run_clocks(
            clocks_of(Clock(0, 1, HOUR)), pauses_of(), CHINA, local("2026-01-05T00:00"), hall_hours=hours
        )


# --- provisional days ---


def test_a_limit_that_runs_into_an_unpublished_year_is_provisional() -> None:
    december = Clock(us(local("2026-12-21T10:00")), 20)
    assert read(december, local("2026-12-22T00:00"))["provisional"] is True
    published = Calendar.china([Override(date(2027, 1, 1), False, "元旦")], published_years=[2027])
    assert read(december, local("2026-12-22T00:00"), calendar=published)["provisional"] is False
    assert read(Clock(us(local("2026-12-21T10:00")), 5), local("2026-12-22T00:00"))["provisional"] is False
    assert read(Clock(us(local("2026-12-21T10:00")), 5), local("2027-01-05T00:00"))["provisional"] is True


def test_a_natural_limit_rests_on_the_calendar_only_where_it_may_roll() -> None:
    start = us(local("2026-12-21T10:00"))
    assert read(Clock(start, 30, NATURAL), local("2027-02-01T00:00"))["provisional"] is False
    assert (
        read(Clock(start, 30, NATURAL, roll_forward=True), local("2026-12-22T00:00"))["provisional"] is True
    )
    assert (
        read(Clock(start, 5, NATURAL, roll_forward=True), local("2027-02-01T00:00"))["provisional"] is False
    )


# --- what cannot be determined ---


@pytest.mark.parametrize(
    "clock",
    [
        Clock(ACCEPTED.start_at, None),
        Clock(ACCEPTED.start_at, 5, unit=None),
        Clock(ACCEPTED.start_at, 5, unit="lunar"),
        Clock(ACCEPTED.start_at, 5, zone=None),
        Clock(us(datetime(1900, 1, 1, tzinfo=UTC)), 5),
        Clock(us(datetime(2400, 1, 1, tzinfo=UTC)), 5),
        Clock(ACCEPTED.start_at, stated_due_at=us(datetime(9999, 12, 31, tzinfo=UTC))),
        Clock(ACCEPTED.start_at, stated_due_day=number(date(1900, 1, 1))),
    ],
)
def test_what_is_undetermined_is_null_and_disturbs_nobody(clock: Clock) -> None:
    readings = run_clocks(
        clocks_of(clock, ACCEPTED), pauses_of(Pause(ACCEPTED.start_at)), CHINA, local("2026-10-12T09:00")
    )
    assert set(readings.row(0)[1:]) == {None}
    assert readings["over"][1] == -15
    assert over_reaches(clocks_of(clock, ACCEPTED), pauses_of(), CHINA, 1)[0] is None


def test_events_before_the_start_do_not_crash() -> None:
    stopped_before = Clock(ACCEPTED.start_at, 20, stop_at=us(local("2026-01-01T00:00")))
    reading = read(
        stopped_before,
        local("2026-12-01T00:00"),
        Pause(us(local("2026-02-01T00:00")), us(local("2026-01-01T00:00"))),
    )
    assert (reading["over"], reading["used"], reading["late"]) == (-20, 0, False)
    due_before = Clock(ACCEPTED.start_at, stated_due_at=us(local("2026-09-01T12:00")))
    assert read(due_before, local("2026-08-01T00:00"))["over"] == 0
    assert read(due_before, local("2026-09-01T13:00"))["over"] == 1


def test_far_away_ends_do_not_crash() -> None:
    forever = us(datetime(9999, 12, 31, tzinfo=UTC))
    reading = read(
        Clock(ACCEPTED.start_at, 20, stop_at=forever),
        local("2026-11-04T00:00"),
        Pause(us(local("2026-10-12T09:00")), forever),
    )
    assert (reading["due_at"], reading["over"]) == (None, -15)
    endless = read(Clock(ACCEPTED.start_at, 2_000_000), local("2026-10-12T09:00"))
    assert (endless["due_at"], endless["over"], endless["late"]) == (None, 5 - 2_000_000, False)


def test_pauses_that_belong_nowhere_are_left_out() -> None:
    reading = read(ACCEPTED, local("2026-10-12T09:00"), Pause(ACCEPTED.start_at, clock=77), Pause(None))
    assert reading["over"] == -15


def test_no_clocks_give_no_rows() -> None:
    running = RunningClocks(clocks_of(), pauses_of(Pause(0)), CHINA)
    readings = running.at(local("2026-10-12T09:00"))
    assert readings.is_empty()
    assert dict(readings.schema) == READING_SCHEMA
    assert running.over_reaches(1).is_empty()


def test_instants_without_zone_or_outside_the_tables_are_refused() -> None:
    for as_of in (datetime(2026, 1, 1), datetime(1980, 1, 1, tzinfo=UTC), datetime(2150, 1, 1, tzinfo=UTC)):
        with pytest.raises(ValueError, match="as_of"):
            read(ACCEPTED, as_of)


def test_a_key_that_is_not_unique_is_refused() -> None:
    twice = pl.concat([clocks_of(ACCEPTED)] * 2)
    with pytest.raises(pl.exceptions.ComputeError):
        run_clocks(twice, pauses_of(Pause(ACCEPTED.start_at)), CHINA, local("2026-10-12T09:00"))


def test_a_reading_has_the_columns_it_promises() -> None:
    readings = run_clocks(clocks_of(ACCEPTED), pauses_of(), CHINA, local("2026-10-12T09:00"))
    assert dict(readings.schema) == READING_SCHEMA


# --- thresholds ---


def test_thresholds_are_reached_at_midnight_but_the_first_day_over_with_the_due() -> None:
    assert reaches(ACCEPTED, -2) == us(local("2026-10-29T00:00"))
    assert reaches(ACCEPTED, 0) == us(local("2026-11-02T00:00"))
    assert reaches(ACCEPTED, 1) == us(local("2026-11-03T00:00"))
    assert reaches(ACCEPTED, 2) == us(local("2026-11-04T00:00"))
    assert reaches(ACCEPTED, -50) == us(local("2026-09-29T00:00"))
    stated = Clock(ACCEPTED.start_at, stated_due_at=us(local("2026-11-03T15:30")))
    assert reaches(stated, 1) == us(local("2026-11-03T15:30")) + 1


def test_a_stopped_clock_never_reaches_what_comes_after() -> None:
    stopped = Clock(ACCEPTED.start_at, 20, stop_at=us(local("2026-11-02T10:00")))
    assert reaches(stopped, 0) == us(local("2026-11-02T00:00"))
    assert reaches(stopped, 1) is None


def test_each_clock_may_have_a_threshold_of_its_own() -> None:
    running = RunningClocks(clocks_of(ACCEPTED, ACCEPTED, ACCEPTED), pauses_of(), CHINA)
    instants = running.over_reaches(pl.Series([-2, None, 1]))
    assert instants.to_list() == [us(local("2026-10-29T00:00")), None, us(local("2026-11-03T00:00"))]


@pytest.mark.parametrize(
    ("percent", "limit", "k"),
    [(90, 20, -2), (90, 5, 0), (90, 11, -1), (100, 20, 0), (50, 7, -3), (120, 20, 4), (110, 5, 1)],
)
def test_per_cent_of_a_limit_is_a_threshold(percent: int, limit: int, k: int) -> None:
    assert percent_threshold(percent, limit) == k
    assert percent_thresholds(percent, pl.Series([limit, None], dtype=pl.Int32)).to_list() == [k, None]
    # The days used up at that threshold are at least that share, and a day less is not.
    assert (limit + k) * 100 >= percent * limit > (limit + k - 1) * 100


# --- what always holds ---

_FROM, _TO = us(datetime(2026, 8, 1, tzinfo=UTC)), us(datetime(2027, 2, 1, tzinfo=UTC))
_instants = st.integers(_FROM, _TO) | st.builds(
    lambda day, edge: us(local("2026-08-01T00:00")) + day * 86_400_000_000 + edge,
    st.integers(1, 180),
    st.sampled_from([-1, 0, 1]),
)
_zones = st.sampled_from([SHANGHAI, "Europe/Amsterdam", "Asia/Urumqi", "America/New_York", "UTC"])
_clocks = st.builds(
    Clock,
    start_at=_instants,
    amount=st.none() | st.integers(0, 40),
    unit=st.sampled_from([WORKING, NATURAL, HOUR]),
    zone=_zones,
    stop_at=st.none() | _instants,
    extension=st.sampled_from([None, 0, 0, 5, -3]),
    roll_forward=st.booleans(),
    stated_due_at=st.none() | st.none() | _instants,
    stated_due_day=st.none() | st.none() | st.integers(_FROM // 86_400_000_000, _TO // 86_400_000_000),
)


@st.composite
def _pauses(draw: st.DrawFn, most: int = 4) -> tuple[Pause, ...]:
    pauses = []
    for _ in range(draw(st.integers(0, most))):
        start = draw(_instants)
        lasts = draw(st.none() | st.integers(-1, 30 * 86_400_000_000))
        pauses.append(
            Pause(start, None if lasts is None else start + lasts, draw(st.none() | st.integers(0, 12)))
        )
    return tuple(pauses)


@settings(deadline=None, max_examples=300)
@given(_clocks, _pauses(), st.lists(_instants, min_size=1, max_size=5), st.integers(-12, 12))
def test_over_reaches_agrees_with_over(
    clock: Clock, pauses: tuple[Pause, ...], instants: list[int], k: int
) -> None:
    running = RunningClocks(clocks_of(clock), pauses_of(*pauses), CHINA)
    since = running.over_reaches(k).item()
    assert clock.zone is not None
    start = (EPOCH + clock.start_at * TICK).astimezone(ZoneInfo(clock.zone))
    began = us(start.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC))
    if since is not None:
        instants = [*instants, since, since - 1, since + 1]
    for at in instants:
        over = running.at(EPOCH + at * TICK)["over"].item()
        if over is None:
            assert since is None
        elif at >= began:
            assert (over >= k) == (since is not None and at >= since)


@settings(deadline=None, max_examples=200)
@given(_clocks, _pauses(3), _pauses(1))
def test_pausing_never_shortens_a_deadline(
    clock: Clock, pauses: tuple[Pause, ...], more: tuple[Pause, ...]
) -> None:
    as_of = EPOCH + _TO * TICK
    before = read(clock, as_of, *pauses)
    after = read(clock, as_of, *pauses, *more)
    assume(before["over"] is not None)
    if after["due_at"] is not None:
        assert before["due_at"] is not None
        assert before["due_at"] <= after["due_at"]
    assert after["used"] <= before["used"]


@settings(deadline=None, max_examples=100)
@given(st.lists(_clocks, max_size=8), _pauses(), _instants)
def test_reading_again_or_one_by_one_changes_nothing(
    clocks: list[Clock], pauses: tuple[Pause, ...], at: int
) -> None:
    spread = [
        Pause(p.start_at, p.end_at, p.granted, clock=i % max(1, len(clocks))) for i, p in enumerate(pauses)
    ]
    as_of = EPOCH + at * TICK
    frame = clocks_of(*clocks)
    running = RunningClocks(frame, pauses_of(*spread), CHINA)
    readings = running.at(as_of)
    assert_frame_equal(readings, running.at(as_of))
    assert_frame_equal(readings, run_clocks(frame, pauses_of(*reversed(spread)), CHINA, as_of))
    for key in range(len(clocks)):
        alone = run_clocks(frame.slice(key, 1), pauses_of(*spread), CHINA, as_of)
        assert_frame_equal(alone, readings.slice(key, 1))


@settings(deadline=None, max_examples=100)
@given(_clocks, _instants, _instants, _pauses())
def test_over_only_grows_and_late_is_past_due_and_nothing_else(
    clock: Clock, one: int, other: int, pauses: tuple[Pause, ...]
) -> None:
    earlier, later = (read(clock, EPOCH + at * TICK, *pauses) for at in sorted((one, other)))
    assume(earlier["over"] is not None)
    assert earlier["over"] <= later["over"]
    assert earlier["used"] <= later["used"]
    for reading, at in ((earlier, min(one, other)), (later, max(one, other))):
        t = at if clock.stop_at is None else min(at, clock.stop_at)
        assert reading["late"] == (reading["due_at"] is not None and t > reading["due_at"])
        assert reading["late"] == (reading["over"] >= 1)


@settings(deadline=None, max_examples=100)
@given(
    st.integers(0, 150),
    st.integers(0, 86_399),
    st.integers(0, 30),
    _zones,
    st.sampled_from([WORKING, NATURAL]),
)
def test_the_same_wall_time_is_due_on_the_same_day_in_every_zone(
    day: int, second: int, amount: int, zone: str, unit: str
) -> None:
    wall = (datetime(2026, 8, 1) + timedelta(days=day, seconds=second)).isoformat()
    there = read(Clock(us(local(wall, zone)), amount, unit, zone=zone), local("2027-01-01T00:00"))
    here = read(Clock(us(local(wall)), amount, unit), local("2027-01-01T00:00"))
    assert there["due_day"] == here["due_day"]


@settings(deadline=None, max_examples=100)
@given(_instants, st.integers(0, 60), st.sampled_from([WORKING, NATURAL]), _pauses())
def test_roll_forward_lands_on_a_working_day(
    start: int, amount: int, unit: str, pauses: tuple[Pause, ...]
) -> None:
    reading = read(Clock(start, amount, unit, roll_forward=True), EPOCH + _TO * TICK, *pauses)
    if reading["due_day"] is not None:
        assert CHINA.is_working(date(1970, 1, 1) + timedelta(days=reading["due_day"]))
