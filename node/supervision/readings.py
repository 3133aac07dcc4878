"""The clocks of many cases, read at one instant and asked from when a threshold holds.

A few clocks are laid out as one table, many as a table for each name, so that a threshold of one rule is not computed for the clocks of
another. Of many clocks, those that stopped before they could possibly be over are set aside unread where nobody asks for less than
"over by one": there are at most as many counted days as natural ones. They count as checked; `frame` leaves them out.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

import polars as pl

from node.supervision.clock import HOUR, READING_SCHEMA, RunningClocks
from node.supervision.columns import fill, keep_rows, nulls, present, true
from node.supervision.context import Context
from node.supervision.fold import CLOCKS

FEW: Final = 2_000
"""Up to so many clocks are laid out as one table."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
_SHORT_DAY: Final = 2 * 3_600_000_000
"""What the days between two instants may lack of 24 hours each, where a zone puts its clocks on."""

_NONE: Final = pl.DataFrame(schema={**CLOCKS, **READING_SCHEMA})


class Readings:
    """Clocks as of an instant."""

    def __init__(
        self,
        clocks: Mapping[str, pl.DataFrame],
        pauses: pl.DataFrame,
        context: Context,
        as_of_us: int,
        exact: Collection[str],
    ) -> None:
        """`clocks` by name and their `pauses` as a ground states them; those named in `exact` are all read."""
        self._context = context
        self._as_of = _EPOCH + timedelta(microseconds=as_of_us)
        self._aside: dict[str, int] = {}
        self._tables: dict[str, tuple[RunningClocks, slice]] = {}
        self._reached: dict[tuple[int, int], pl.Series] = {}
        self.by_name: dict[str, pl.DataFrame] = {}
        """The clocks with their readings."""
        if sum(rows.height for rows in clocks.values()) <= FEW:
            self._read(clocks, pauses)
            return
        for name, rows in clocks.items():
            if name not in exact:
                undecided = ~_in_time(rows)
                self._aside[name] = rows.height - int(undecided.sum())
                rows = keep_rows(rows, undecided)
            if rows.height:
                mine = pauses.join(rows.select("clock"), on="clock", how="semi") if pauses.height else pauses
                self._read({name: rows}, mine)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The clocks of all names."""
        return pl.concat(self.by_name.values(), rechunk=True) if self.by_name else _NONE

    def named(self, name: str) -> pl.DataFrame:
        """The clocks of that name with their readings."""
        return self.by_name.get(name, _NONE)

    def reached(self, name: str, at_least: int) -> pl.Series:
        """From when the `over` of each of them is ≥ `at_least` (µs; null: never)."""
        if name not in self._tables:
            return nulls(0, pl.Int64)
        clocks, rows = self._tables[name]
        key = (id(clocks), at_least)
        if key not in self._reached:
            self._reached[key] = clocks.over_reaches(at_least)
        return self._reached[key][rows]

    def aside(self, name: str) -> int:
        """How many clocks of that name were set aside as in time."""
        return self._aside.get(name, 0)

    def _read(self, clocks: Mapping[str, pl.DataFrame], pauses: pl.DataFrame) -> None:
        if not clocks:
            return
        terms = pl.concat(clocks.values(), rechunk=True) if len(clocks) > 1 else next(iter(clocks.values()))
        running = RunningClocks(terms, pauses, self._context.calendar, self._context.hours)
        read = terms.hstack(running.at(self._as_of).get_columns()[1:])
        begin = 0
        for name, part in clocks.items():
            rows = slice(begin, begin + part.height)
            self._tables[name] = running, rows
            self.by_name[name] = read[rows]
            begin = rows.stop


def _in_time(rows: pl.DataFrame) -> pl.Series:
    """Clocks in days that stopped before as many natural days had passed as they have."""
    elapsed = rows["stop_at"] - rows["start_at"]
    stated = present(rows["stated_due_at"]) | present(rows["stated_due_day"])
    limit = rows["amount"].cast(pl.Int64) * _DAY - _SHORT_DAY
    return true(elapsed <= limit) & ~stated & (fill(rows["unit"], HOUR) != HOUR)
