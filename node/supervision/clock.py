"""Clocks (时限): when something is due, how far it is from that, and whether it is late. One clock or ten million.

This is the production path behind every alert about time. A row is one clock; the answer is arithmetic on cumulative day
tables, never a walk. `explain` derives the same answers day by day and is the oracle of this module.

The rules (民法典 §201, §203; 行政许可法 §45, §82):

- An instant belongs to the day of the clock's own zone. The first day is not counted; a clock runs over (start day, t].
- *Counted* days are working days for the units `working` and `hour`, all days for `natural`.
- A pause takes (its first day, its last day] out. Each is first cut to the counted days `granted` for it, then overlapping
  pauses are united. Days taken out are never counted, neither towards the limit nor in `over`.
- The due day is the first day on which the counted days reach `amount + extension`. A pause that starts on it or later moves
  nothing. `roll_forward` moves a due day that is not worked to the next working day. The clock runs to 23:59:59.999999.
- A stated due is the answer already: neither pause, extension nor roll-forward moves it. `unit` says which days `over` counts.
- `late` ⇔ t > due_at, with t the earlier of `as_of` and `stop_at`. `over` = −(counted days in (day of t, due day]) while
  t ≤ due_at, else max(1, counted days in (due day, day of t]).
- A pause that is open and without a granted length is taken to last: a clock held by it has no due (null) and is never late. Its
  `over` stays what it was when the pause began, read against the due it would have had but for that pause and any later one.
- A limit in hours runs in the hall's opening hours on working days, to the microsecond; its pauses take out the time between
  their instants, a granted or extended day is worth one day's opening hours, and roll-forward has nothing to do. Its `over`
  and `used` count working days like any other clock's.

What holds when things are missing: a row without a limit and without a stated due, without start or zone, with an
unknown unit, or with a start or stated due outside 1990-01-02 to 2099-12-30 has null in every column: undetermined, never
guessed. A pause without a start, or of a clock that is not there, is left out. An unknown zone name raises
`ZoneInfoNotFoundError`. A due beyond the tables counts as none. Before its start day a clock reads as on it.

Instants are microseconds since 1970-01-01T00:00:00Z, days are days since 1970-01-01. Nothing here does IO or reads the time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from node.supervision.calendar import EPOCH_ORDINAL, FIRST_DAY, LAST_DAY, Calendar

WORKING: Final = "working"
NATURAL: Final = "natural"
HOUR: Final = "hour"

HallHours = tuple[tuple[int, int], ...]
"""Opening hours of a working day: (from, to) in minutes after local midnight, ascending, apart from each other."""

HALL_HOURS: Final[HallHours] = ((9 * 60, 12 * 60), (13 * 60 + 30, 17 * 60 + 30))
"""09:00-12:00 and 13:30-17:30."""

CLOCK_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "clock": pl.Int64,
    "zone": pl.String,
    "start_at": pl.Int64,
    "stop_at": pl.Int64,
    "amount": pl.Int32,
    "unit": pl.String,
    "extension": pl.Int32,
    "roll_forward": pl.Boolean,
    "stated_due_at": pl.Int64,
    "stated_due_day": pl.Int32,
}
"""Columns of a clock. `clock` is its key, `stop_at` null while it runs, `amount` null without a limit, a null
`extension` is 0 and a null `roll_forward` false; `stated_due_at` wins over `stated_due_day` and both over `amount`."""

PAUSE_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "clock": pl.Int64,
    "start_at": pl.Int64,
    "end_at": pl.Int64,
    "granted": pl.Int32,
}
"""Columns of a pause: `end_at` null while it is open, `granted` counted days or null without a bound."""

READING_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    "clock": pl.Int64,
    "due_at": pl.Int64,
    "due_day": pl.Int32,
    "over": pl.Int32,
    "late": pl.Boolean,
    "paused": pl.Boolean,
    "provisional": pl.Boolean,
    "used": pl.Int32,
}
"""Columns of a reading; see `RunningClocks.at`."""

_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(1990, 1, 2, tzinfo=UTC)
_LATEST: Final = datetime(2099, 12, 30, tzinfo=UTC)

# In this module a day is its row in the tables, counted from 1990-01-01. A *count* is a position on a clock's own axis:
# working days so far, or days so far, or (limits in hours) microseconds of opening hours so far.
_DAYS: Final = LAST_DAY - FIRST_DAY + 1
_FOREVER: Final = 1 << 60


def run_clocks(
    clocks: pl.DataFrame,
    pauses: pl.DataFrame,
    calendar: Calendar,
    as_of: datetime,
    hall_hours: HallHours = HALL_HOURS,
) -> pl.DataFrame:
    """Read every clock at `as_of` (aware): one row of `READING_SCHEMA` a clock, in the order of `clocks`.

    `clocks` has the columns of `CLOCK_SCHEMA`, `pauses` those of `PAUSE_SCHEMA`; a missing column raises Polars's
    `ColumnNotFoundError`. Raises `ValueError` if `as_of` is naive or outside 1990-01-02 to 2099-12-30.
    """
    return RunningClocks(clocks, pauses, calendar, hall_hours).at(as_of)


def over_reaches(
    clocks: pl.DataFrame,
    pauses: pl.DataFrame,
    calendar: Calendar,
    k: int | pl.Series,
    hall_hours: HallHours = HALL_HOURS,
) -> pl.Series:
    """The instant from which `over` ≥ `k` holds for each clock; see `RunningClocks.over_reaches`."""
    return RunningClocks(clocks, pauses, calendar, hall_hours).over_reaches(k)


def percent_threshold(percent: int, limit: int) -> int:
    """The `k` for which `over` ≥ `k` says that `percent` per cent of a `limit` in days are used up.

    90 per cent of 20 days are 18 days, two before the due day: −2. A part of a day counts as a day. A promised limit's
    extension is part of `limit`. Limits in hours have no such threshold: their `over` counts days.
    """
    return -((100 - percent) * limit // 100)


def percent_thresholds(percent: int, limit: pl.Series) -> pl.Series:
    """`percent_threshold` for a column of limits; null where the limit is null (stated dues have no percentage)."""
    return -((100 - percent) * limit.cast(pl.Int64) // 100)


class RunningClocks:
    """Clocks with their pauses laid out once, to be read at any instant and asked for any threshold.

    Rows keep the order of `clocks`. To read each clock at an instant of its own, give that as `stop_at`.
    """

    def __init__(
        self,
        clocks: pl.DataFrame,
        pauses: pl.DataFrame,
        calendar: Calendar,
        hall_hours: HallHours = HALL_HOURS,
    ) -> None:
        self._key = _column(clocks, "clock", pl.Int64)
        self._rows = clocks.height
        self._zones = _Zones(_column(clocks, "zone", pl.String))
        unit = _column(clocks, "unit", pl.String)
        self._axis = _Axis(_count_tables(calendar), _or(unit == NATURAL, False))
        start_at = _column(clocks, "start_at", pl.Int64)
        self._stop_at = _column(clocks, "stop_at", pl.Int64)
        amount = _column(clocks, "amount", pl.Int32).cast(pl.Int64)
        extension = _or(_column(clocks, "extension", pl.Int32).cast(pl.Int64), 0)
        stated_at = _column(clocks, "stated_due_at", pl.Int64)
        stated_day = _column(clocks, "stated_due_day", pl.Int32).cast(pl.Int64) - FIRST_DAY
        in_hours = _or(unit == HOUR, False)

        self._start = self._zones.day(_or(start_at, 0))
        self._undetermined = (
            start_at.is_null()
            | _outside(self._start)
            | self._zones.unknown
            | ~_or((unit == WORKING) | (unit == NATURAL) | in_hours, False)
        )
        self._pauses = _Pauses(pauses, self._key, self._zones, self._axis) if pauses.height else None

        # The due from the limit: the count at which it is used up, then the first day that has that count.
        limit = _at_least(_or(amount, 0) + extension, 0)
        started = self._axis.count(self._start)
        self._used_at_start = started - self._taken(started)
        target = self._used_at_start + limit
        removed, held = self._removed_before(target)
        waited = self._waited(started, held)
        due = _where(limit == 0, self._start, self._axis.day(target + removed + waited))
        due_at = None
        if in_hours.any():
            desk = _Desk(self._axis, self._zones, hall_hours)
            due_at, desk_due, desk_held = desk.due(_or(start_at, 0), _or(amount, 0), extension, self._pauses)
            due = _where(in_hours, desk_due, due)
            if held is not None and desk_held is not None:
                held = _where(in_hours, desk_held, held)
                waited = self._waited(started, held)
        rolls = _or(_column(clocks, "roll_forward", pl.Boolean), False) & ~in_hours
        unrolled = due
        if rolls.any():
            due = _where(rolls, self._axis.next_working(due), due)
        beyond = due >= _DAYS - 1
        held = beyond if held is None else held | beyond
        beyond = beyond & ~in_hours

        # A stated due takes its place.
        stated = stated_at.is_not_null() | stated_day.is_not_null()
        any_stated = bool(stated.any())
        if any_stated:
            stated_due = _where(
                stated_at.is_not_null(), self._zones.day(_or(stated_at, 0)), _or(stated_day, 0)
            )
            due = _where(stated, stated_due, due)
            rolls = rolls & ~stated
            held = held & ~stated
            waited = _where(stated, _ZERO, waited)
            beyond = beyond & ~stated
            self._undetermined = self._undetermined | (stated & _outside(due))
        self._undetermined = self._undetermined | ~(stated | amount.is_not_null())
        self._due = _within_tables(due)
        end_of_day = self._zones.start(self._due + 1) - 1
        if due_at is not None:
            end_of_day = _where(in_hours & ~stated, due_at, end_of_day)
        self._due_at = _where(stated_at.is_not_null(), stated_at, end_of_day) if any_stated else end_of_day
        self._held = held
        self._first = _lesser(self._start, self._due) if any_stated else self._start

        # What `over` is measured from: the unpaused count at the due day.
        due_count = self._axis.count(self._due)
        used_at_due = due_count - self._taken(due_count, but_open_of=held) - waited
        self._used_at_due = _where(beyond, target, used_at_due)
        first_count = self._axis.count(self._first)
        self._used_at_first = first_count - self._taken(first_count)
        self._rolled_over_provisional = (
            rolls & self._axis.provisional(_within_tables(unrolled) - 1, self._due) if rolls.any() else None
        )

    def at(self, as_of: datetime) -> pl.DataFrame:
        """Every clock at t, the earlier of `as_of` (aware) and its `stop_at`.

        - `due_at` (µs), `due_day` (day number): null while an open pause holds the clock;
        - `over` (days, see the module), `late` (t > due_at), `paused` (a pause is in force at t and its grant not used up);
        - `provisional`: a provisional day lies between start, due and t and the answer rests on the calendar, which a natural
          limit does only where its last day may roll forward;
        - `used`: counted, unpaused days in (start day, day of t].

        All null where the clock is undetermined. Raises `ValueError` if `as_of` is naive or outside the tables.
        """
        if as_of.tzinfo is None:
            raise ValueError("as_of must be an aware datetime")
        if not _EARLIEST <= as_of < _LATEST:
            raise ValueError(f"as_of {as_of} is outside 1990-01-02 to 2099-12-30")
        t = _lesser(_or(self._stop_at, _FOREVER), _scalar((as_of - _EPOCH) // timedelta(microseconds=1)))
        today = self._zones.day(t)
        reached = _greater(today, self._first)
        count = self._axis.count(reached)
        used = count - self._taken(count)
        since_due = used - self._used_at_due
        late = (t > self._due_at) & ~self._held
        from_start = _at_least(used - self._used_at_start, 0)
        end = _where(self._held, reached, _greater(self._due, reached))
        provisional = self._axis.provisional(self._first, end) & ~self._axis.natural
        if self._rolled_over_provisional is not None:
            provisional = provisional | self._rolled_over_provisional
        if self._pauses is None:
            paused = _scalar_bool(False).new_from_index(0, self._rows)
        else:
            paused = self._pauses.in_force(t, today, self._rows)
        over = _where(late, _at_least(since_due, 1), since_due)
        no_due = self._undetermined | self._held
        return pl.DataFrame(
            {
                "clock": self._key,
                "due_at": _blank(self._due_at, no_due),
                "due_day": _blank(self._due + FIRST_DAY, no_due).cast(pl.Int32),
                "over": _blank(over, self._undetermined).cast(pl.Int32),
                "late": _blank(late, self._undetermined),
                "paused": _blank(paused, self._undetermined),
                "provisional": _blank(provisional, self._undetermined),
                "used": _blank(from_start, self._undetermined).cast(pl.Int32),
            }
        )

    def over_reaches(self, k: int | pl.Series) -> pl.Series:
        """The instant (µs) from which `over` ≥ `k` holds, if nothing else happens; a row a clock, in their order.

        `k` is one threshold for all or one a clock. For k ≤ 0 it is 00:00 of the first such day (no earlier than the start
        day's), for k = 1 the microsecond after `due_at`, for k ≥ 2 00:00 of the day on which the count reaches k. It agrees with
        `over`: for any instant t since 00:00 of the start day, over(t) ≥ k ⇔ t ≥ over_reaches(k). Null where that never comes:
        the clock stops before, an open pause lasts, the day is beyond the tables, the clock is undetermined, or k is null.
        """
        if isinstance(k, int):
            k = _scalar(k).new_from_index(0, self._rows)
        thresholds = k.cast(pl.Int64)
        wanted = _or(thresholds, 0)
        target = self._used_at_due + wanted
        removed, held = self._removed_before(target)
        day = self._axis.day(target + removed)
        never = day >= _DAYS - 1
        if held is not None:
            never = never | held
        from_first = (target <= self._used_at_first) & (wanted <= 0)
        day = _where(from_first, self._first, day)
        never = never & ~from_first
        since = self._zones.start(_within_tables(day))
        since = _where(wanted == 1, self._due_at + 1, since)
        never = (never & (wanted != 1)) | (self._held & (wanted >= 1)) | self._undetermined
        stopped = (since > _or(self._stop_at, _FOREVER)) & ~from_first
        never = never | thresholds.is_null() | stopped
        return _blank(since, never).alias("over_reaches")

    def _taken(self, count: pl.Series, but_open_of: pl.Series | None = None) -> pl.Series:
        """Counted days that pauses took out up to and including the day with that `count`.

        Where `but_open_of` is true the clock's open pause is left out.
        """
        return _ZERO if self._pauses is None else self._pauses.spans.taken(count, but_open_of)

    def _waited(self, started: pl.Series, held: pl.Series | None) -> pl.Series:
        """Counted days that the clock had already been held by its open pause when it started."""
        if self._pauses is None or held is None or not held.any():
            return _ZERO
        return self._pauses.spans.taken_by_open(started, held)

    def _removed_before(self, target: pl.Series) -> tuple[pl.Series, pl.Series | None]:
        """What pauses add to the way to an unpaused count of `target`, and whether an open pause bars it (None: nowhere)."""
        return (_ZERO, None) if self._pauses is None else self._pauses.spans.removed_before(target)


class _Zones:
    """Days of instants and instants of days, in the zone of each row.

    A day begins at its first instant and ends where the next begins, so days have 23, 24 or 25 hours and never return
    once ended (where a zone once put the clock back over midnight, the repeated hour belongs to the new day).
    """

    def __init__(self, zone: pl.Series) -> None:
        names = sorted(name for name in zone.unique().to_list() if name is not None)
        self._starts = _day_starts(tuple(names))
        self._base: pl.Series | None = None
        self.unknown = zone.is_null()
        if len(names) > 1:
            bases = {name: index * (_DAYS + 1) for index, name in enumerate(names)}
            self._base = _or(zone.replace_strict(bases, default=None, return_dtype=pl.Int64), 0)

    def day(self, at: pl.Series, rows: pl.Series | None = None) -> pl.Series:
        """Day of each instant, held within the tables; `rows` says whose zone (default: row by row)."""
        guess = _at_most(_at_least(at // _DAY - FIRST_DAY, 1), _DAYS - 2)
        begun = (at >= self.start(guess, rows)).cast(pl.Int64)
        next_begun = (at >= self.start(guess + 1, rows)).cast(pl.Int64)
        return guess - 1 + begun + next_begun

    def start(self, day: pl.Series, rows: pl.Series | None = None) -> pl.Series:
        """First instant of each day."""
        if self._base is None:
            return self._starts[day]
        return self._starts[day + (self._base if rows is None else self._base[rows])]


class _Axis:
    """The counts of each row: working days or natural days, up to and including a day, and back."""

    def __init__(self, tables: "_CountTables", natural: pl.Series) -> None:
        self._tables = tables
        self.natural = natural
        self._any_natural = bool(natural.any())

    def of(self, rows: pl.Series) -> "_Axis":
        """The axis of those rows."""
        return _Axis(self._tables, self.natural[rows])

    def count(self, day: pl.Series) -> pl.Series:
        """Counted days up to and including `day`, from an origin that is the same for all days of a row."""
        count = self._tables.working_through[day]
        return _where(self.natural, day, count) if self._any_natural else count

    def day(self, count: pl.Series) -> pl.Series:
        """First day with that count; past the last row where the tables do not reach it."""
        working = self._tables.working_days
        day = working[_at_most(_at_least(count, 0), len(working) - 1)]
        return _where(self.natural, _at_most(count, _DAYS), day) if self._any_natural else day

    def next_working(self, day: pl.Series) -> pl.Series:
        """`day` itself if it is worked, else the next working day."""
        before = self._tables.working_through[_at_least(_within_tables(day) - 1, 0)]
        return _greater(day, self._tables.working_days[before + 1])

    def working_through(self, day: pl.Series) -> pl.Series:
        """Working days up to and including `day`, whatever the row counts."""
        return self._tables.working_through[day]

    def working_day(self, number: pl.Series) -> pl.Series:
        """The working day of that number; past the last row where the tables do not reach it."""
        working = self._tables.working_days
        return working[_at_most(_at_least(number, 0), len(working) - 1)]

    def provisional(self, after: pl.Series, through: pl.Series) -> pl.Series:
        """Whether a provisional day lies in (after, through]."""
        table = self._tables.provisional_through
        return table[through] > table[_at_least(after, 0)]


class _Spans:
    """Stretches of counts that pauses take out of clocks: apart from each other, in order, open ones to `_FOREVER`.

    `row` is the clock's row; the stretches of a row lie together.
    """

    def __init__(self, rows: int, row: pl.Series, begin: pl.Series, end: pl.Series) -> None:
        # Unite: each stretch starts where all before it have ended.
        spans = pl.DataFrame({"row": row, "begin": begin, "end": end})
        if row.n_unique() < row.len():
            reach = pl.col("end").cum_max().shift(1, fill_value=0).over("row")
            spans = spans.with_columns(begin=pl.max_horizontal("begin", reach))
        spans = spans.filter(spans["end"] > spans["begin"])
        self._rows = rows
        self._row = spans["row"]
        self._begin = spans["begin"]
        self._end = spans["end"]
        self._length = self._end - self._begin
        self._open = self._end == _FOREVER
        self._several = self._row.n_unique() < self._row.len()
        before = _ZERO
        if self._several:
            # An open stretch is the last of its row: its length reaches no sum.
            closed = _where(self._open, _ZERO, self._length)
            sums = pl.DataFrame({"row": self._row, "closed": closed})
            before = sums.select((pl.col("closed").cum_sum() - pl.col("closed")).over("row")).to_series()
        self._unpaused = self._begin - before

    def taken(self, count: pl.Series, but_open_of: pl.Series | None) -> pl.Series:
        """How much of (…, count] the stretches take out, for each row."""
        taken = _at_least(_lesser(count[self._row], self._end) - self._begin, 0)
        if but_open_of is not None:
            taken = _where(self._open & but_open_of[self._row], _ZERO, taken)
        return self._sum(taken)

    def taken_by_open(self, count: pl.Series, of: pl.Series) -> pl.Series:
        """How much of (…, count] the open stretch takes out, for each row where `of` is true; else 0."""
        open_here = self._open & of[self._row]
        return self._sum(_where(open_here, _at_least(count[self._row] - self._begin, 0), _ZERO))

    def removed_before(self, target: pl.Series) -> tuple[pl.Series, pl.Series]:
        """What the stretches add to the way to an unpaused count of `target`, and whether an open one bars it."""
        on_the_way = self._unpaused < target[self._row]
        removed = self._sum(_where(on_the_way & ~self._open, self._length, _ZERO))
        barred = _scalar_bool(False).new_from_index(0, self._rows)
        return removed, barred.scatter(self._row.filter(on_the_way & self._open), True)

    def _sum(self, values: pl.Series) -> pl.Series:
        total = _ZERO.new_from_index(0, self._rows)
        if not self._several:
            return total.scatter(self._row, values)
        sums = pl.DataFrame({"row": self._row, "value": values}).group_by("row").agg(pl.col("value").sum())
        return total.scatter(sums["row"], sums["value"])


class _Pauses:
    """The pauses of all clocks, ordered by clock and start, an open one before others that start with it."""

    def __init__(self, pauses: pl.DataFrame, key: pl.Series, zones: _Zones, axis: _Axis) -> None:
        known = pl.DataFrame(
            {
                "clock": _column(pauses, "clock", pl.Int64),
                "start_at": _column(pauses, "start_at", pl.Int64),
                "end_at": _or(_column(pauses, "end_at", pl.Int64), _FOREVER),
                "granted": _granted(_column(pauses, "granted", pl.Int32).cast(pl.Int64)),
            }
        )
        rows = pl.DataFrame({"clock": key, "row": pl.int_range(key.len(), eager=True)})
        known = known.join(rows, on="clock", validate="m:1")
        if known["start_at"].null_count():
            known = known.filter(pl.col("start_at").is_not_null())
        if known.height > 1:
            bound = pl.min_horizontal("end_at", "granted")
            known = known.sort("row", "start_at", bound, descending=[False, False, True])
        self.row = known["row"]
        self.start_at = known["start_at"]
        self.end_at = known["end_at"]
        self.granted = known["granted"]
        self._zones = zones
        self._axis = axis.of(self.row)
        begin = self._axis.count(zones.day(self.start_at, self.row))
        last = zones.day(self.end_at, self.row)
        end = _where(last >= _DAYS - 1, _scalar(_FOREVER), self._axis.count(last))
        self._used_up = _at_most(begin + self.granted, _FOREVER)
        self.spans = _Spans(key.len(), self.row, begin, _lesser(end, self._used_up))

    def in_force(self, t: pl.Series, today: pl.Series, rows: int) -> pl.Series:
        """Whether some pause of the row has begun by `t`, has not ended and had grant left when the day began."""
        at = t[self.row]
        spent = self._axis.count(_at_least(today[self.row] - 1, 0))
        begun = (at >= self.start_at) & (at < self.end_at)
        in_force = begun & (self.granted > 0) & (spent < self._used_up)
        return _scalar_bool(False).new_from_index(0, rows).scatter(self.row.filter(in_force), True)


class _Desk:
    """Limits in hours: counts are microseconds of opening hours, on the clocks' own days.

    The time of day is read with the offset that the zone has at the end of that day, so a change of offset in the night does
    not move the hall's hours.
    """

    def __init__(self, axis: _Axis, zones: _Zones, hall_hours: HallHours) -> None:
        edges = [minute for hours in hall_hours for minute in hours]
        if not edges or edges != sorted(set(edges)) or edges[0] < 0 or edges[-1] > 24 * 60:
            raise ValueError(f"hall hours must be ascending and apart within one day: {hall_hours}")
        self._axis = axis
        self._zones = zones
        self._hours = [(opens * _MINUTE, closes * _MINUTE) for opens, closes in hall_hours]
        self._open_time = sum(closes - opens for opens, closes in self._hours)

    def due(
        self, start_at: pl.Series, hours: pl.Series, extension: pl.Series, pauses: _Pauses | None
    ) -> tuple[pl.Series, pl.Series, pl.Series | None]:
        """Due instant, due day and whether an open pause holds the clock, for every row as if its unit were the hour.

        A limit of zero is due at once, at the start.
        """
        limit = _at_least(hours * _HOUR + extension * self._open_time, 0)
        started = self._count(start_at, None)
        held = None
        target = started + limit
        if pauses is not None:
            begin = self._count(pauses.start_at, pauses.row)
            end = self._count(pauses.end_at, pauses.row)
            last = self._zones.day(pauses.end_at, pauses.row)
            end = _where(last >= _DAYS - 1, _scalar(_FOREVER), end)
            granted = _at_most(pauses.granted, _DAYS) * self._open_time
            used_up = _where(pauses.granted == _FOREVER, _scalar(_FOREVER), begin + granted)
            end = _lesser(end, used_up)
            spans = _Spans(start_at.len(), pauses.row, begin, end)
            target = target - spans.taken(started, None)
            removed, held = spans.removed_before(target)
            target = target + removed + spans.taken_by_open(started, held)
        whole = (target - 1) // self._open_time
        day = self._axis.working_day(whole + 1)
        rest = target - whole * self._open_time
        of_day = rest + self._hours[0][0]
        served = 0
        for (opens, closes), (reopens, _) in zip(self._hours, self._hours[1:], strict=False):
            served += closes - opens
            of_day = of_day + (rest > served).cast(pl.Int64) * (reopens - closes)
        at_once = limit == 0
        due_at = self._zones.start(_within_tables(day) + 1) - _DAY + of_day
        return _where(at_once, start_at, due_at), _where(at_once, self._zones.day(start_at), day), held

    def _count(self, at: pl.Series, rows: pl.Series | None) -> pl.Series:
        day = self._zones.day(at, rows)
        of_day = at - (self._zones.start(day + 1, rows) - _DAY)
        before = self._axis.working_through(_at_least(day - 1, 0))
        worked = self._axis.working_through(day) - before
        served = _ZERO
        for opens, closes in self._hours:
            served = served + (_at_most(_at_least(of_day, opens), closes) - opens)
        return before * self._open_time + worked * served


@dataclass(frozen=True)
class _CountTables:
    working_through: pl.Series
    working_days: pl.Series
    provisional_through: pl.Series


@lru_cache(maxsize=8)
def _count_tables(calendar: Calendar) -> _CountTables:
    tables = calendar.tables
    days = [max(day - FIRST_DAY, 0) for day in tables.working_days]
    return _CountTables(
        working_through=pl.Series(tables.working_through, dtype=pl.Int64),
        # Beyond the last working day lies a day past the last row.
        working_days=pl.Series([*days, _DAYS], dtype=pl.Int64),
        provisional_through=pl.Series(tables.provisional_through, dtype=pl.Int64),
    )


@lru_cache(maxsize=32)
def _day_starts(names: tuple[str, ...]) -> pl.Series:
    """First instant (µs) of each day of the tables and of the day after, zone after zone."""
    if len(names) == 1:
        return pl.Series(_starts_of(names[0]), dtype=pl.Int64)
    return pl.concat([_day_starts((name,)) for name in names]) if names else _day_starts(("UTC",))


def _starts_of(name: str) -> list[int]:
    zone = ZoneInfo(name)

    def start(day: int) -> int:
        # Midnight read with the offset before a change; in a gap that is the change itself or, where the gap began
        # earlier, an instant of the same new day.
        midnight = datetime.fromordinal(day + FIRST_DAY + EPOCH_ORDINAL).replace(tzinfo=zone)
        offset = midnight.utcoffset()
        assert offset is not None
        return (day + FIRST_DAY) * _DAY - offset // timedelta(microseconds=1)

    # No zone has changed its offset twice within a week and returned to it, so equal ends need no look inside.
    starts: list[int] = []
    week = 7
    begin = start(0)
    for first in range(0, _DAYS + 1, week):
        end = start(first + week) if first + week <= _DAYS else None
        if end is not None and end - begin == week * _DAY:
            starts.extend(range(begin, end, _DAY))
        else:
            starts.extend(start(day) for day in range(first, min(first + week, _DAYS + 1)))
        if end is not None:
            begin = end
    return starts


def _granted(days: pl.Series) -> pl.Series:
    """Granted days, none below zero; more than the tables hold are no bound."""
    return _at_least(_where(days <= _DAYS, days, _scalar(_FOREVER)), 0)


def _column(frame: pl.DataFrame, name: str, dtype: type[pl.DataType]) -> pl.Series:
    return frame.get_column(name).cast(dtype)


@lru_cache(maxsize=256)
def _scalar(value: int) -> pl.Series:
    return pl.Series([value], dtype=pl.Int64)


def _scalar_bool(value: bool) -> pl.Series:
    return pl.Series([value], dtype=pl.Boolean)


_ZERO: Final = _scalar(0)


def _where(mask: pl.Series, then: pl.Series, otherwise: pl.Series) -> pl.Series:
    """`then` where the mask is true, `otherwise` where it is false or null."""
    return then.zip_with(mask, otherwise)


def _or(values: pl.Series, default: int | bool) -> pl.Series:
    if values.null_count() == 0:
        return values
    return values.zip_with(values.is_not_null(), pl.Series([default], dtype=values.dtype))


def _blank(values: pl.Series, mask: pl.Series) -> pl.Series:
    """Null where the mask is true."""
    if not mask.any():
        return values
    return values.zip_with(~mask, pl.Series([None], dtype=values.dtype))


def _lesser(left: pl.Series, right: pl.Series) -> pl.Series:
    return left.zip_with(left <= right, right)


def _greater(left: pl.Series, right: pl.Series) -> pl.Series:
    return left.zip_with(left >= right, right)


def _at_least(values: pl.Series, bound: int) -> pl.Series:
    least = values.min()
    if least is None or (isinstance(least, int) and least >= bound):
        return values
    return values.zip_with(values >= bound, _scalar(bound))


def _at_most(values: pl.Series, bound: int) -> pl.Series:
    most = values.max()
    if most is None or (isinstance(most, int) and most <= bound):
        return values
    return values.zip_with(values <= bound, _scalar(bound))


def _within_tables(day: pl.Series) -> pl.Series:
    return _at_most(_at_least(day, 0), _DAYS - 1)


def _outside(day: pl.Series) -> pl.Series:
    return (day <= 0) | (day >= _DAYS - 1)
