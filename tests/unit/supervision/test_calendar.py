"""The working calendar: it says what the State Council's notices say, and admits what they do not say yet."""

import json
from dataclasses import FrozenInstanceError
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.supervision.calendar import (
    EPOCH_ORDINAL,
    FIRST_DAY,
    LAST_DAY,
    Calendar,
    CalendarError,
    DayCode,
    Override,
)

ROOT = Path(__file__).resolve().parents[3]
NOTICES = ROOT.parent / "shared" / "data" / "holidays"
CHINA = Calendar.china()


def test_every_day_of_the_notices_2007_to_2026_is_as_listed() -> None:
    if not NOTICES.is_dir():
        pytest.skip(f"the holiday notices are not here: {NOTICES} does not exist")
    listed = 0
    for year in range(2007, 2027):
        for entry in json.loads((NOTICES / f"{year}.json").read_text(encoding="utf-8"))["days"]:
            day = date.fromisoformat(entry["date"])
            assert CHINA.is_working(day) is not entry["isOffDay"], (day, entry["name"])
            assert not CHINA.is_provisional(day)
            listed += 1
    assert listed == 678


def test_national_day_2026_is_named_in_both_languages() -> None:
    reason = CHINA.reason(date(2026, 10, 1))
    assert (reason.code, reason.zh, reason.en) == (DayCode.HOLIDAY, "国庆节", "National Day")


def test_a_make_up_saturday_is_worked() -> None:
    saturday = date(2026, 10, 10)
    assert CHINA.is_working(saturday)
    assert CHINA.reason(saturday).code is DayCode.MAKE_UP
    assert "调休" in CHINA.reason(saturday).zh


def test_plain_days_say_so() -> None:
    assert CHINA.reason(date(2026, 9, 29)).code is DayCode.WEEKDAY
    assert CHINA.reason(date(2026, 11, 14)).code is DayCode.WEEKEND


def test_a_year_not_yet_published_follows_its_weekdays_and_is_provisional() -> None:
    assert not CHINA.is_provisional(date(2026, 12, 31))
    monday, sunday = date(2027, 2, 8), date(2027, 2, 7)
    assert CHINA.is_working(monday)
    assert not CHINA.is_working(sunday)
    assert CHINA.is_provisional(monday)
    assert CHINA.is_provisional(sunday)
    assert CHINA.reason(monday).code is DayCode.PROVISIONAL
    assert "2027" in CHINA.reason(monday).zh


def test_days_before_the_first_known_year_are_plain_weekdays() -> None:
    assert CHINA.is_working(date(2003, 10, 1))
    assert not CHINA.is_provisional(date(2003, 10, 1))
    assert CHINA.reason(date(2003, 10, 1)).code is DayCode.WEEKDAY


def test_an_override_wins_over_the_notice() -> None:
    calendar = Calendar.china(
        [Override(date(2026, 10, 1), True, "抗洪值班"), Override(date(2026, 10, 10), False, "")]
    )
    assert calendar.is_working(date(2026, 10, 1))
    assert calendar.reason(date(2026, 10, 1)).code is DayCode.OVERRIDE
    assert calendar.reason(date(2026, 10, 1)).zh.startswith("抗洪值班")
    assert not calendar.is_working(date(2026, 10, 10))


def test_an_override_makes_only_its_own_day_certain() -> None:
    calendar = Calendar.china([Override(date(2027, 1, 1), False, "元旦")])
    assert not calendar.is_provisional(date(2027, 1, 1))
    assert calendar.is_provisional(date(2027, 1, 4))


def test_overrides_publish_a_year_when_they_say_so() -> None:
    calendar = Calendar.china([Override(date(2027, 1, 1), False, "元旦")], published_years=[2027])
    assert not calendar.is_provisional(date(2027, 1, 4))
    assert calendar.reason(date(2027, 1, 4)).code is DayCode.WEEKDAY
    assert calendar.is_provisional(date(2028, 1, 3))


def test_contradicting_overrides_are_refused() -> None:
    day = date(2027, 1, 1)
    with pytest.raises(CalendarError):
        Calendar.china([Override(day, True, "a"), Override(day, False, "a")])
    assert Calendar.china([Override(day, True, "a")] * 2) == Calendar.china([Override(day, True, "a")])


def test_a_weekday_calendar_has_no_holidays_and_is_never_provisional() -> None:
    calendar = Calendar.weekdays([Override(date(2026, 4, 27), False, "Koningsdag")])
    assert calendar.is_working(date(2026, 10, 1))
    assert not calendar.is_working(date(2026, 4, 27))
    assert not calendar.is_provisional(date(2050, 1, 3))


def test_the_version_names_the_library_and_follows_the_overrides() -> None:
    one, two = Override(date(2027, 1, 1), False, "元旦"), Override(date(2027, 1, 2), True, "")
    assert Calendar.china().version == "china/chinesecalendar-1.11.0"
    assert Calendar.china([one, two]).version == Calendar.china([two, one]).version
    versions = {
        Calendar.china().version,
        Calendar.weekdays().version,
        Calendar.weekdays([one]).version,
        Calendar.china([one]).version,
        Calendar.china([two]).version,
        Calendar.china([one], [2027]).version,
    }
    assert len(versions) == 6
    assert Calendar.china([one]) == Calendar.china([one])
    assert hash(Calendar.china([one])) == hash(Calendar.china([one]))
    assert Calendar.china([one]) != Calendar.china()


def test_a_calendar_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        CHINA.version = "other"  # type: ignore[misc]


def test_the_tables_end_where_they_say() -> None:
    tables = CHINA.tables
    assert len(tables.working_through) == len(tables.provisional_through) == LAST_DAY - FIRST_DAY + 1
    assert tables.working_days[0] == FIRST_DAY - 1
    assert len(tables.working_days) == tables.working_through[-1] + 1
    for day in (date(1989, 12, 31), date(2100, 1, 1)):
        with pytest.raises(CalendarError):
            CHINA.working_days_through(day)


_days = st.dates(date(1990, 1, 2), date(2099, 12, 31))


@given(_days)
def test_the_tables_count_what_the_days_say(day: date) -> None:
    index = day.toordinal() - EPOCH_ORDINAL - FIRST_DAY
    tables = CHINA.tables
    before = CHINA.working_days_through(day - timedelta(days=1))
    assert CHINA.working_days_through(day) - before == CHINA.is_working(day)
    gained = tables.provisional_through[index] - tables.provisional_through[index - 1]
    assert gained == CHINA.is_provisional(day)
    if CHINA.is_working(day):
        assert tables.working_days[tables.working_through[index]] == index + FIRST_DAY


@given(_days, _days, _days)
def test_working_time_is_additive_and_monotone(a: date, b: date, c: date) -> None:
    first, middle, last = sorted((a, b, c))

    def between(after: date, through: date) -> int:
        return CHINA.working_days_through(through) - CHINA.working_days_through(after)

    assert between(first, middle) + between(middle, last) == between(first, last)
    assert 0 <= between(first, middle) <= between(first, last) <= (last - first).days
