"""Every deadline explained: each day, counted or not, and why.

A card touches a career, so whoever gets one may see the days it rests on. This module walks them one by one in plain Python
for a single clock. It shares the calendar's `is_working` with `clock` and nothing else: the same rules (stated in `clock`'s
docstring) derived a second way, so that the one can check the other. Where the two differ, one of them is wrong.

Instants are aware datetimes; results are in UTC. A clock without limit and without stated due is explained with every answer
None. A naive datetime or an unknown unit raises `ValueError`, an unknown zone `ZoneInfoNotFoundError`. The walk gives up after
`HORIZON` days: a due beyond that is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from node.supervision.calendar import Calendar, DayCode

Unit = Literal["working", "natural", "hour"]

HORIZON: Final = 10_000
"""Most days that a walk looks ahead."""

_ONE_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class ClockTerms:
    """What a clock is told: the columns of `clock.CLOCK_SCHEMA` but for the key, as Python values."""

    zone: str
    start_at: datetime
    unit: Unit
    amount: int | None = None
    extension: int = 0
    roll_forward: bool = False
    stop_at: datetime | None = None
    stated_due_at: datetime | None = None
    stated_due_day: date | None = None


@dataclass(frozen=True)
class PauseTerms:
    """A pause (特别程序): `end_at` None while it is open, `granted` counted days or None without a bound."""

    start_at: datetime
    end_at: datetime | None = None
    granted: int | None = None


@dataclass(frozen=True)
class Day:
    """A day of the walk. `running_count` is the number of counted days up to and including it."""

    day: date
    counted: bool
    zh: str
    en: str
    running_count: int


@dataclass(frozen=True)
class Explanation:
    """The answers of `clock.run_clocks` for one clock, and the days they rest on.

    `days` runs from the start day, which is never counted, to the later of the due day and the day of t (of t alone where
    an open pause holds the clock and nothing is due).
    """

    days: tuple[Day, ...]
    due_at: datetime | None
    due_day: date | None
    over: int | None
    late: bool | None
    paused: bool | None
    provisional: bool | None
    used: int | None


def explain(
    clock: ClockTerms,
    pauses: Sequence[PauseTerms],
    calendar: Calendar,
    as_of: datetime,
    hall_hours: Sequence[tuple[int, int]] = ((9 * 60, 12 * 60), (13 * 60 + 30, 17 * 60 + 30)),
) -> Explanation:
    """Walk the days of one clock as it stands at `as_of`, or when it stopped if that was earlier.

    `hall_hours` are minutes after local midnight, as in `clock.HALL_HOURS`; only a limit in hours reads them.
    """
    return _Walk(clock, pauses, calendar, hall_hours).explanation(as_of)


@dataclass(frozen=True)
class _Stretch:
    """A pause as days: those after `after` up to `through`, or for good."""

    start_at: datetime
    end_at: datetime | None
    granted: int | None
    after: date
    through: date | None
    """Last day taken out; None: it lasts."""
    grant_ends: date | None
    """Day on which what was granted is used up."""

    def takes(self, day: date) -> bool:
        return self.after < day and (self.through is None or day <= self.through)


@dataclass(frozen=True)
class _Due:
    at: datetime
    day: date
    unrolled: date | None = None
    """Last day before the roll-forward, where the rule asks for one."""


class _Walk:
    def __init__(
        self,
        clock: ClockTerms,
        pauses: Sequence[PauseTerms],
        calendar: Calendar,
        hall_hours: Sequence[tuple[int, int]],
    ) -> None:
        if clock.unit not in ("working", "natural", "hour"):
            raise ValueError(f"unknown unit of a limit: {clock.unit}")
        self.clock = clock
        self.calendar = calendar
        self.hall_hours = hall_hours
        self.zone = ZoneInfo(clock.zone)
        self.start_day = self.local_day(clock.start_at)
        stretches = [self.stretch(pause) for pause in pauses]
        self.stretches = sorted(stretches, key=lambda s: (s.start_at, s.through is not None))

    def explanation(self, as_of: datetime) -> Explanation:
        clock = self.clock
        if clock.amount is None and clock.stated_due_at is None and clock.stated_due_day is None:
            return Explanation((), None, None, None, None, None, None, None)
        t = _utc(as_of) if clock.stop_at is None else min(_utc(as_of), _utc(clock.stop_at))
        due = self.due(self.stretches)
        first = self.start_day if due is None else min(self.start_day, due.day)
        today = max(self.local_day(t), first)
        if due is None:
            late, end = False, today
            over, unrolled, last = self.held(today)
        else:
            late, end = t > due.at, max(today, due.day)
            over = max(1, self.counted(due.day, today)) if late else -self.counted(today, due.day)
            unrolled, last = due.unrolled, due.day
        provisional = clock.unit != "natural" and self.any_provisional(first, end)
        if unrolled is not None and last is not None:
            provisional = provisional or self.any_provisional(unrolled - _ONE_DAY, last)
        return Explanation(
            days=tuple(self.listed(end)),
            due_at=None if due is None else due.at,
            due_day=None if due is None else due.day,
            over=over,
            late=late,
            paused=any(self.in_force(stretch, t) for stretch in self.stretches),
            provisional=provisional,
            used=self.counted(self.start_day, today),
        )

    def held(self, today: date) -> tuple[int, date | None, date | None]:
        """`over` of a clock that an open pause holds, frozen where that pause began, with its unrolled and its rolled due day."""
        lasting = next((index for index, s in enumerate(self.stretches) if s.through is None), None)
        before = self.stretches[:lasting]
        due = None if lasting is None else self.due(before)
        if lasting is None or due is None:
            limit = max(0, (self.clock.amount or 0) + self.clock.extension)
            return self.counted(self.start_day, today) - limit, None, None
        frozen = min(today, max(self.stretches[lasting].after, self.start_day))
        return -self.counted(frozen, due.day, before), due.unrolled, due.day

    def due(self, stretches: Sequence[_Stretch]) -> _Due | None:
        """When it is due under these pauses; None: an open one holds it."""
        clock = self.clock
        if clock.stated_due_at is not None:
            return _Due(_utc(clock.stated_due_at), self.local_day(clock.stated_due_at))
        if clock.stated_due_day is not None:
            return _Due(self.end_of(clock.stated_due_day), clock.stated_due_day)
        if clock.unit == "hour":
            return self.due_in_hours(stretches)
        left = max(0, (clock.amount or 0) + clock.extension)
        day = self.start_day
        while left > 0:
            day += _ONE_DAY
            if (day - self.start_day).days > HORIZON or any(
                s.through is None and s.takes(day) for s in stretches
            ):
                return None
            left -= self.counts(day, stretches)
        if not clock.roll_forward:
            return _Due(self.end_of(day), day)
        unrolled = day
        while not self.calendar.is_working(day):
            day += _ONE_DAY
        return _Due(self.end_of(day), day, unrolled)

    def due_in_hours(self, stretches: Sequence[_Stretch]) -> _Due | None:
        """The instant at which the opening hours outside the pauses add up to the limit."""
        clock = self.clock
        start = _utc(clock.start_at)
        left = timedelta(hours=clock.amount or 0) + clock.extension * self.opening_time
        if left <= timedelta(0):
            return _Due(start, self.start_day)
        breaks = [(_utc(s.start_at), self.break_end(s)) for s in stretches]
        day = self.start_day
        while (day - self.start_day).days <= HORIZON:
            for opens, closes in self.open_hours(day):
                at = max(opens, start)
                while at < closes:
                    covering = [end for begin, end in breaks if begin <= at and (end is None or at < end)]
                    if None in covering:
                        return None
                    if covering:
                        at = max(end for end in covering if end is not None)
                        continue
                    until = min([closes, *(begin for begin, _ in breaks if at < begin < closes)])
                    if until - at >= left:
                        return _Due(at + left, self.local_day(at + left))
                    left -= until - at
                    at = until
            day += _ONE_DAY
        return None

    def break_end(self, stretch: _Stretch) -> datetime | None:
        """When the pause ends or its grant, worth so many days' opening hours, is used up; None: it lasts."""
        end = None if stretch.end_at is None else _utc(stretch.end_at)
        if stretch.granted is None:
            return end
        at = _utc(stretch.start_at)
        left = max(0, stretch.granted) * self.opening_time
        day = stretch.after
        while left > timedelta(0) and (end is None or at < end):
            for opens, closes in self.open_hours(day):
                begin = max(opens, at)
                if left > timedelta(0) and begin < closes:
                    at = begin + min(left, closes - begin)
                    left -= at - begin
            day += _ONE_DAY
        return at if end is None else min(at, end)

    @property
    def opening_time(self) -> timedelta:
        return timedelta(minutes=sum(closes - opens for opens, closes in self.hall_hours))

    def open_hours(self, day: date) -> list[tuple[datetime, datetime]]:
        """Opening and closing instants of a day, by the clock on the wall."""
        if not self.calendar.is_working(day):
            return []
        midnight = datetime.combine(day, time(), self.zone)
        return [
            (_utc(midnight + timedelta(minutes=opens)), _utc(midnight + timedelta(minutes=closes)))
            for opens, closes in self.hall_hours
        ]

    def stretch(self, pause: PauseTerms) -> _Stretch:
        after = self.local_day(pause.start_at)
        end = None if pause.end_at is None else self.local_day(pause.end_at)
        grant_ends = None
        if pause.granted is not None:
            grant_ends, left = after, pause.granted
            while left > 0:
                grant_ends += _ONE_DAY
                left -= self.is_counted(grant_ends)
        through = min((day for day in (end, grant_ends) if day is not None), default=None)
        return _Stretch(pause.start_at, pause.end_at, pause.granted, after, through, grant_ends)

    def in_force(self, stretch: _Stretch, t: datetime) -> bool:
        if t < _utc(stretch.start_at) or (stretch.end_at is not None and t >= _utc(stretch.end_at)):
            return False
        if stretch.grant_ends is None:
            return True
        return stretch.grant_ends > stretch.after and self.local_day(t) <= stretch.grant_ends

    def is_counted(self, day: date) -> bool:
        """Whether the unit counts that day, pauses aside."""
        return self.clock.unit == "natural" or self.calendar.is_working(day)

    def counts(self, day: date, stretches: Sequence[_Stretch]) -> bool:
        return self.is_counted(day) and not any(stretch.takes(day) for stretch in stretches)

    def counted(self, after: date, through: date, stretches: Sequence[_Stretch] | None = None) -> int:
        """Number of days in (after, through] that count; 0 where that is empty."""
        paused = self.stretches if stretches is None else stretches
        return sum(self.counts(day, paused) for day in _days(after, through))

    def any_provisional(self, after: date, through: date) -> bool:
        return any(self.calendar.is_provisional(day) for day in _days(after, through))

    def listed(self, end: date) -> Iterator[Day]:
        running = 0
        yield Day(
            self.start_day,
            False,
            "首日不计（民法典第二百零一条）",
            "the first day is not counted (Civil Code art. 201)",
            0,
        )
        for day in _days(self.start_day, end):
            stretch = next((s for s in self.stretches if s.takes(day)), None)
            reason = self.calendar.reason(day)
            if stretch is not None and self.is_counted(day):
                zh, en = (
                    f"特别程序期间不计（自{stretch.after}起）",
                    f"paused since {stretch.after}: not counted",
                )
            elif self.clock.unit != "natural":
                zh, en = reason.zh, reason.en
            elif reason.code in (DayCode.WEEKDAY, DayCode.PROVISIONAL):
                zh, en = "自然日", "natural day"
            else:
                zh, en = f"自然日（{reason.zh}）", f"natural day ({reason.en})"
            counted = self.counts(day, self.stretches)
            running += counted
            yield Day(day, counted, zh, en, running)

    def local_day(self, at: datetime) -> date:
        return _utc(at).astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        return _utc(datetime.combine(day + _ONE_DAY, time(), self.zone)) - _TICK


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"a naive datetime has no instant: {at}")
    return at.astimezone(UTC)


def _days(after: date, through: date) -> Iterator[date]:
    day = after
    while day < through:
        day += _ONE_DAY
        yield day
