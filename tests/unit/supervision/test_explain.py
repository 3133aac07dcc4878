"""A deadline explained day by day, and the same deadline by arithmetic: they must be one and the same."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.supervision.calendar import Calendar, Override
from node.supervision.clock import CLOCK_SCHEMA, PAUSE_SCHEMA, run_clocks
from node.supervision.explain import ClockTerms, Explanation, PauseTerms, Unit, explain

SHANGHAI = "Asia/Shanghai"
CHINA = Calendar.china()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ONE_DAY = timedelta(days=1)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(SHANGHAI))


ACCEPTED = ClockTerms(SHANGHAI, local("2026-09-29T10:00"), "working", amount=20)


def test_national_day_is_named_day_by_day() -> None:
    explanation = explain(ACCEPTED, [], CHINA, local("2026-10-12T09:00"))
    by_day = {day.day: day for day in explanation.days}
    assert explanation.due_day == date(2026, 11, 2)
    assert explanation.due_at == local("2026-11-03T00:00").astimezone(UTC) - TICK
    assert not by_day[date(2026, 9, 29)].counted
    assert "首日" in by_day[date(2026, 9, 29)].zh
    assert [by_day[date(2026, 10, day)].zh for day in (1, 7)] == ["国庆节", "国庆节"]
    assert by_day[date(2026, 10, 10)].counted
    assert "调休" in by_day[date(2026, 10, 10)].zh
    assert by_day[date(2026, 10, 11)].en == "weekend"
    assert explanation.days[-1].day == date(2026, 11, 2)
    assert explanation.days[-1].running_count == 20
    assert (explanation.over, explanation.used, explanation.late) == (-15, 5, False)


def test_paused_days_say_since_when() -> None:
    pause = PauseTerms(local("2026-10-12T09:00"), local("2026-10-16T15:00"))
    explanation = explain(ACCEPTED, [pause], CHINA, local("2026-10-13T09:00"))
    paused = [day for day in explanation.days if "特别程序" in day.zh]
    assert [day.day.day for day in paused] == [13, 14, 15, 16]
    assert not any(day.counted for day in paused)
    assert all("2026-10-12" in day.en for day in paused)
    assert explanation.paused is True


def test_a_late_case_shows_the_days_after_its_due_day() -> None:
    explanation = explain(ACCEPTED, [], CHINA, local("2026-11-04T00:00"))
    assert (explanation.late, explanation.over) == (True, 2)
    assert explanation.days[-1].day == date(2026, 11, 4)
    assert explanation.days[-1].running_count == 22


def test_natural_days_all_count() -> None:
    natural = ClockTerms(SHANGHAI, local("2026-09-29T10:00"), "natural", amount=3)
    explanation = explain(natural, [], CHINA, local("2026-09-30T00:00"))
    assert [day.counted for day in explanation.days] == [False, True, True, True]
    assert explanation.days[-1].zh == "自然日（国庆节）"


def test_a_clock_held_by_an_open_pause_says_that_nothing_is_due() -> None:
    explanation = explain(ACCEPTED, [PauseTerms(local("2026-10-12T09:00"))], CHINA, local("2026-12-01T00:00"))
    assert (explanation.due_at, explanation.due_day, explanation.over, explanation.late) == (
        None,
        None,
        -15,
        False,
    )
    assert explanation.days[-1].day == date(2026, 12, 1)
    assert explanation.days[-1].running_count == 5


def test_a_clock_without_a_limit_explains_nothing() -> None:
    nothing = Explanation((), None, None, None, None, None, None, None)
    assert (
        explain(ClockTerms(SHANGHAI, ACCEPTED.start_at, "working"), [], CHINA, local("2026-12-01T00:00"))
        == nothing
    )


def test_what_makes_no_sense_is_refused() -> None:
    unit: Unit = "lunar"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="unit"):
        explain(ClockTerms(SHANGHAI, ACCEPTED.start_at, unit, 5), [], CHINA, local("2026-12-01T00:00"))
    with pytest.raises(ValueError, match="naive"):
        explain(ACCEPTED, [], CHINA, datetime(2026, 12, 1))
    with pytest.raises(ZoneInfoNotFoundError):
        explain(
            ClockTerms("Asia/Nowhere", ACCEPTED.start_at, "working", 5), [], CHINA, local("2026-12-01T00:00")
        )


# --- the same answers as `clock` ---

CALENDARS = [
    CHINA,
    Calendar.weekdays(),
    Calendar.china([Override(date(2026, 11, 12), False, "停电"), Override(date(2026, 11, 14), True, "补班")]),
    Calendar.china([Override(date(2027, 1, 1), False, "元旦")], published_years=[2027]),
]
_ZONES = [SHANGHAI, "Europe/Amsterdam", "Asia/Urumqi", "America/New_York", "America/Sao_Paulo", "UTC"]
# China's long holidays, Europe's change of the clock, and the turn to a year without a published calendar.
_SEASONS = [
    datetime(2026, 2, 1, tzinfo=UTC),
    datetime(2026, 9, 10, tzinfo=UTC),
    datetime(2026, 12, 5, tzinfo=UTC),
]
_EDGES = st.sampled_from([timedelta(0), ONE_DAY - TICK, timedelta(hours=16), timedelta(hours=16) - TICK])
_OF_DAY = _EDGES | st.timedeltas(timedelta(0), ONE_DAY - TICK)


@st.composite
def _cases(draw: st.DrawFn) -> tuple[ClockTerms, tuple[PauseTerms, ...]]:
    season = draw(st.sampled_from(_SEASONS))

    def instant(earliest: int, latest: int) -> datetime:
        return season + timedelta(days=draw(st.integers(earliest, latest))) + draw(_OF_DAY)

    start = instant(0, 20)
    stated = draw(st.sampled_from(["no", "no", "no", "at", "day"]))
    clock = ClockTerms(
        zone=draw(st.sampled_from(_ZONES)),
        start_at=start,
        unit=draw(st.sampled_from(["working", "natural", "hour"])),
        amount=draw(st.none() | st.integers(0, 30)),
        extension=draw(st.sampled_from([0, 0, 10, -2])),
        roll_forward=draw(st.booleans()),
        stop_at=instant(-5, 70) if draw(st.booleans()) else None,
        stated_due_at=instant(-3, 50) if stated == "at" else None,
        stated_due_day=instant(-3, 50).date() if stated == "day" else None,
    )
    pauses: list[PauseTerms] = []
    for _ in range(draw(st.integers(0, 4))):
        again = bool(pauses) and draw(st.booleans())
        begin = pauses[-1].start_at if again else instant(-6, 50)
        lasts = draw(st.none() | st.timedeltas(timedelta(hours=-30), timedelta(days=25)))
        granted = draw(st.none() | st.integers(0, 10))
        pauses.append(PauseTerms(begin, None if lasts is None else begin + lasts, granted))
    return clock, tuple(pauses)


def _us(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // TICK


def _number(day: date | None) -> int | None:
    return None if day is None else (day - EPOCH.date()).days


def _read(
    cases: Sequence[tuple[ClockTerms, tuple[PauseTerms, ...]]], calendar: Calendar, as_of: datetime
) -> list[tuple[object, ...]]:
    clocks = pl.DataFrame(
        [
            (
                key,
                c.zone,
                _us(c.start_at),
                _us(c.stop_at),
                c.amount,
                c.unit,
                c.extension,
                c.roll_forward,
                _us(c.stated_due_at),
                _number(c.stated_due_day),
            )
            for key, (c, _) in enumerate(cases)
        ],
        schema=CLOCK_SCHEMA,
        orient="row",
    )
    pauses = pl.DataFrame(
        [(key, _us(p.start_at), _us(p.end_at), p.granted) for key, (_, ps) in enumerate(cases) for p in ps],
        schema=PAUSE_SCHEMA,
        orient="row",
    )
    return [row[1:] for row in run_clocks(clocks, pauses, calendar, as_of).rows()]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(_cases(), min_size=1, max_size=15),
    st.sampled_from(CALENDARS),
    st.sampled_from(_SEASONS),
    st.integers(-5, 90),
    _OF_DAY,
)
def test_arithmetic_and_walk_agree(
    cases: list[tuple[ClockTerms, tuple[PauseTerms, ...]]],
    calendar: Calendar,
    season: datetime,
    day: int,
    of_day: timedelta,
) -> None:
    as_of = season + timedelta(days=day) + of_day
    for (clock, pauses), reading in zip(cases, _read(cases, calendar, as_of), strict=True):
        e = explain(clock, pauses, calendar, as_of)
        walked = (_us(e.due_at), _number(e.due_day), e.over, e.late, e.paused, e.provisional, e.used)
        assert reading == walked, (clock, pauses)


@settings(deadline=None, max_examples=100)
@given(_cases(), st.sampled_from(CALENDARS), st.integers(0, 60))
def test_the_days_listed_add_up(
    case: tuple[ClockTerms, tuple[PauseTerms, ...]], calendar: Calendar, day: int
) -> None:
    clock, pauses = case
    explanation = explain(clock, pauses, calendar, clock.start_at + timedelta(days=day))
    running = 0
    for before, after in zip(explanation.days, explanation.days[1:], strict=False):
        assert after.day - before.day == ONE_DAY
    for listed in explanation.days:
        running += listed.counted
        assert listed.running_count == running
        assert listed.zh
        assert listed.en
