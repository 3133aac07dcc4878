"""How long a hall was open within a span: the time in which silence is a neglect, not a night.

Pure. Whole working days between the two ends are one subtraction in the calendar's tables, so a silence of years costs what one of an
hour does.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from node.supervision.calendar import EPOCH_ORDINAL, FIRST_DAY, Calendar
from node.wallclock import instant, micros


@dataclass(frozen=True, slots=True)
class Opening:
    """When a node's hall is open."""

    calendar: Calendar
    zone: ZoneInfo
    hours: tuple[tuple[time, time], ...]
    """Stretches of a working day, in order, that do not overlap."""

    def minutes(self, from_us: int, to_us: int) -> int:
        """Whole minutes in which the hall was open between two instants (µs since the epoch); 0 where the second is not later."""
        if to_us <= from_us:
            return 0
        first, last = (instant(at).astimezone(self.zone) for at in (from_us, to_us))
        if first.date() == last.date():
            return self._within(first.date(), first.time(), last.time())
        through = self.calendar.working_days_through
        between = through(date.fromordinal(last.toordinal() - 1)) - through(first.date())
        return (
            self._within(first.date(), first.time(), time.max)
            + between * self._a_day
            + self._within(last.date(), time.min, last.time())
        )

    def working_days(self, from_us: int, to_us: int) -> int:
        """Working days after the local day of the first instant, up to and including that of the second."""
        through = self.calendar.working_days_through
        return through(self._day(to_us)) - through(self._day(from_us))

    def day(self, at_us: int) -> int:
        """Days since 1970-01-01 of the local day of an instant."""
        return self._day(at_us).toordinal() - EPOCH_ORDINAL

    def start_us(self, day: int) -> int:
        """The first instant of a local day given as days since 1970-01-01, µs since the epoch."""
        local = date.fromordinal(day + EPOCH_ORDINAL)
        return micros(datetime(local.year, local.month, local.day, tzinfo=self.zone))

    def provisional(self, from_us: int, to_us: int) -> bool:
        """Whether some day between the two rests on a calendar that is not published yet."""
        through = self.calendar.tables.provisional_through
        return through[self.day(to_us) - FIRST_DAY] > through[self.day(from_us) - FIRST_DAY]

    def month_us(self, at_us: int) -> int:
        """The first instant of the local month of an instant, µs since the epoch."""
        local = instant(at_us).astimezone(self.zone)
        return micros(datetime(local.year, local.month, 1, tzinfo=self.zone))

    @property
    def _a_day(self) -> int:
        return sum(_minutes(closes) - _minutes(opens) for opens, closes in self.hours)

    def _day(self, at_us: int) -> date:
        return instant(at_us).astimezone(self.zone).date()

    def _within(self, day: date, begins: time, ends: time) -> int:
        if not self.calendar.is_working(day):
            return 0
        return sum(
            max(0, min(_minutes(closes), _minutes(ends)) - max(_minutes(opens), _minutes(begins)))
            for opens, closes in self.hours
        )


def _minutes(of_day: time) -> int:
    return of_day.hour * 60 + of_day.minute
