"""Which days are worked, and why: the ground on which every limit in working days stands (行政许可法 §82).

A calendar is a value. It is built once from the national arrangement of public holidays and make-up days (调休) and the
node's own overrides, never changes, and carries a `version` that every alert records. Equal versions mean equal days.

What holds when things are missing: a day of a year whose arrangement is not yet published follows its weekday and is
*provisional*, so clocks go on and are marked, and nobody is accused on the strength of such a day. Days before the first
year known to the arrangement are plain weekdays. An override is never dropped in silence: two that contradict each other
raise `CalendarError`, and so does a day outside the tables.

Days are dates without a zone; whoever has an instant turns it into a day of its own zone first. In the tables a day is the
number of days since 1970-01-01. Nothing here imports Polars, so that a light caller stays light.
"""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version as installed_version
from typing import ClassVar, Final, Self

EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
"""Proleptic Gregorian ordinal of day number 0."""

FIRST_DAY: Final = date(1990, 1, 1).toordinal() - EPOCH_ORDINAL
"""Day number of the first day in the tables."""

LAST_DAY: Final = date(2099, 12, 31).toordinal() - EPOCH_ORDINAL
"""Day number of the last day in the tables."""

_SATURDAY: Final = 5

# The words of the State Council's notices, where the library's are shorter.
_OFFICIAL_NAMES: Final = {"清明": "清明节", "端午": "端午节", "中秋": "中秋节"}


class CalendarError(ValueError):
    """The calendar cannot be built from these overrides, or does not reach that day."""

    code: ClassVar[str] = "CALENDAR_INVALID"


class DayCode(StrEnum):
    """Why a day is worked or not."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"
    OVERRIDE = "override"
    PROVISIONAL = "provisional"


@dataclass(frozen=True)
class DayReason:
    """Why a day is worked or not, as a code and in words."""

    code: DayCode
    zh: str
    en: str


@dataclass(frozen=True, order=True)
class Override:
    """A day that differs from the base calendar by decision of the node or of a tier above it."""

    day: date
    working: bool
    name: str


@dataclass(frozen=True)
class DayTables:
    """Cumulative counts for 1990-01-01 to 2099-12-31, so that working time is a subtraction.

    `working_through[d - FIRST_DAY]` is the number of working days up to and including day `d`; `working_days[n]` is the
    day number of the n-th of them, counted from 1 (`working_days[0]` is the day before the tables begin);
    `provisional_through[d - FIRST_DAY]` counts provisional days likewise.
    """

    working_through: "array[int]"
    working_days: "array[int]"
    provisional_through: "array[int]"


@dataclass(frozen=True)
class _Named:
    """A day that the arrangement names: off, or worked although a weekend."""

    working: bool
    reason: DayReason


@dataclass(frozen=True)
class Calendar:
    """The working days of a place. Calendars of equal `version` are equal."""

    version: str
    _named: Mapping[date, _Named] = field(compare=False, repr=False)
    _covered: range | None = field(compare=False, repr=False)
    _published: frozenset[int] = field(compare=False, repr=False)

    @classmethod
    def china(cls, overrides: Iterable[Override] = (), published_years: Iterable[int] = ()) -> Self:
        """The arrangement of the State Council, as far as it is published, and then `overrides`.

        `published_years` are later years whose whole arrangement the overrides bring: their days are no longer provisional.
        An override alone makes only its own day certain. Raises `CalendarError` if two overrides contradict each other.
        """
        named, covered = _state_council()
        decided = _by_day(overrides)
        published = frozenset(published_years)
        base = f"china/chinesecalendar-{installed_version('chinesecalendar')}"
        return cls(
            version=base + _digest(decided, published),
            _named={**named, **{day: _overridden(override) for day, override in decided.items()}},
            _covered=covered,
            _published=published,
        )

    @classmethod
    def weekdays(cls, overrides: Iterable[Override] = ()) -> Self:
        """Monday to Friday and then `overrides`; never provisional. For places outside China, and for tests."""
        decided = _by_day(overrides)
        return cls(
            version="weekdays/1" + _digest(decided, frozenset()),
            _named={day: _overridden(override) for day, override in decided.items()},
            _covered=None,
            _published=frozenset(),
        )

    def is_working(self, day: date) -> bool:
        """Whether `day` is worked: as named, else Monday to Friday."""
        named = self._named.get(day)
        return day.weekday() < _SATURDAY if named is None else named.working

    def is_provisional(self, day: date) -> bool:
        """Whether `day` follows its weekday only because its year's arrangement is not yet published."""
        return day not in self._named and self._is_unpublished(day.year)

    def reason(self, day: date) -> DayReason:
        """Why `day` is worked or not."""
        named = self._named.get(day)
        if named is not None:
            return named.reason
        weekend = day.weekday() >= _SATURDAY
        if self._is_unpublished(day.year):
            zh, en = ("周末", "weekend") if weekend else ("平日", "weekday")
            return DayReason(
                DayCode.PROVISIONAL,
                f"暂按{zh}（{day.year}年放假安排尚未公布）",
                f"{en} for now (the holidays of {day.year} are not yet published)",
            )
        if weekend:
            return DayReason(DayCode.WEEKEND, "周末", "weekend")
        return DayReason(DayCode.WEEKDAY, "工作日", "weekday")

    @cached_property
    def tables(self) -> DayTables:
        """The cumulative tables, built once when first asked for (some 20 ms)."""
        working_through = array("i")
        working_days = array("i", [FIRST_DAY - 1])
        provisional_through = array("i")
        provisional = 0
        for number in range(FIRST_DAY, LAST_DAY + 1):
            day = date.fromordinal(number + EPOCH_ORDINAL)
            if self.is_working(day):
                working_days.append(number)
            provisional += self.is_provisional(day)
            working_through.append(len(working_days) - 1)
            provisional_through.append(provisional)
        return DayTables(working_through, working_days, provisional_through)

    def working_days_through(self, day: date) -> int:
        """Number of working days from 1990-01-01 up to and including `day`.

        Raises `CalendarError` for a day outside 1990-01-01 to 2099-12-31.
        """
        number = day.toordinal() - EPOCH_ORDINAL
        if not FIRST_DAY <= number <= LAST_DAY:
            raise CalendarError(f"{day} is outside the tables (1990-01-01 to 2099-12-31)")
        return self.tables.working_through[number - FIRST_DAY]

    def _is_unpublished(self, year: int) -> bool:
        return self._covered is not None and year >= self._covered.stop and year not in self._published


def _by_day(overrides: Iterable[Override]) -> dict[date, Override]:
    decided: dict[date, Override] = {}
    for override in overrides:
        if decided.setdefault(override.day, override) != override:
            raise CalendarError(f"two overrides contradict each other on {override.day}")
    return decided


def _overridden(override: Override) -> _Named:
    zh, en = ("上班", "working day") if override.working else ("放假", "day off")
    name = override.name or "日历调整"
    reason = DayReason(DayCode.OVERRIDE, f"{name}（{zh}）", f"{override.name or 'calendar override'} ({en})")
    return _Named(override.working, reason)


def _digest(decided: Mapping[date, Override], published: frozenset[int]) -> str:
    if not decided and not published:
        return ""
    lines = [f"{day.isoformat()} {decided[day].working:d} {decided[day].name}" for day in sorted(decided)]
    lines += [f"published {year}" for year in sorted(published)]
    return "+" + sha256("\n".join(lines).encode()).hexdigest()[:16]


@cache
def _state_council() -> tuple[Mapping[date, _Named], range]:
    """The days that the State Council's notices name, and the years that they cover."""
    from chinese_calendar.constants import Holiday, holidays, workdays

    zh_of: dict[str, str] = {
        holiday.value: _OFFICIAL_NAMES.get(holiday.chinese, holiday.chinese) for holiday in Holiday
    }
    named: dict[date, _Named] = {}
    for day, en in holidays.items():
        named[day] = _Named(False, DayReason(DayCode.HOLIDAY, zh_of[en], en))
    for day, en in workdays.items():
        words = DayReason(DayCode.MAKE_UP, f"{zh_of[en]}调休上班", f"make-up working day for {en}")
        named[day] = _Named(True, words)
    return named, range(min(holidays).year, max(holidays).year + 1)
