"""Opening days and hours of the demo's halls, as two small counts: the n-th working day, the n-th open minute of it.

Cases are laid out in these counts, where every limit is a subtraction, and only at the end put on the calendar. So what the demo
plants does not depend on the clocks that are to find it.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from node.demo.places import ZONE
from node.supervision.calendar import Calendar
from node.supervision.clock import HALL_HOURS
from node.wallclock import micros

NOW: Final = datetime(2026, 6, 30, 10, 0, tzinfo=ZoneInfo(ZONE))
"""The demo's now: where the nodes' clocks start. Every clock of the demo ends in a published year."""

OPEN_MINUTES: Final = sum(until - since for since, until in HALL_HOURS)
"""Minutes that a hall is open on a working day."""


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in working time: the `day`-th working day of a case or of the period, the `minute`-th open minute of it."""

    day: int
    minute: int


@dataclass(frozen=True)
class Period:
    """The working days before the demo's now; day 0 is the first, `today` the day of now itself."""

    first: date
    now: datetime

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The working days from the first to a month past now, so that planned ends have a date too."""
        calendar = Calendar.china()
        span = (self.now.date() - self.first).days + 60
        every = (self.first + timedelta(days=n) for n in range(span))
        return tuple(day for day in every if calendar.is_working(day))

    @cached_property
    def today(self) -> int:
        """Number of the working day on which now lies."""
        return self.days.index(self.now.date())

    def instant(self, moment: Moment) -> int:
        """Microseconds since the epoch of a moment in the halls' zone."""
        left = moment.minute
        for since, until in HALL_HOURS:
            if left < until - since:
                minute = since + left
                break
            left -= until - since
        else:
            raise ValueError(f"the hall has closed by minute {moment.minute}")
        at = datetime.combine(self.days[moment.day], time(minute // 60, minute % 60), ZoneInfo(ZONE))
        return micros(at)

    def day_number(self, day: int) -> int:
        """Days since 1970-01-01 of a working day of the period."""
        return (self.days[day] - date(1970, 1, 1)).days


PERIOD: Final = Period(date(2026, 3, 2), NOW)
"""What the demo's nodes look back on: from the first Monday of March."""
