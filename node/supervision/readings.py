"""The clocks of many cases, read at one instant and asked from when a threshold holds.

A few clocks are laid out as one table, many as a table for each name, so that a threshold of one rule is not computed for the clocks of
another. Of many clocks, those that stopped before they could possibly be over are set aside unread where nobody asks for less than
"over by one": there are at most as many counted days as natural ones. They count as checked; `frame` leaves them out.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from node.supervision.clock import HOUR, RunningClocks
from node.supervision.columns import constant, fill, keep_rows, numbers, present, true
from node.supervision.context import Context
from node.supervision.fold import Ground

FEW: Final = 2_000
"""Up to so many clocks are laid out as one table."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
_SHORT_DAY: Final = 2 * 3_600_000_000
"""What the days between two instants may lack of 24 hours each, where a zone puts its clocks on."""


class Readings:
    """The clocks of a ground as of an instant."""

    def __init__(
        self, ground: Ground, terms: pl.DataFrame, context: Context, as_of_us: int, exact: Collection[str]
    ) -> None:
        """`terms` are the ground's clocks, or others in their place row by row; clocks named in `exact` are all read."""
        as_of = _EPOCH + timedelta(microseconds=as_of_us)
        terms = terms.hstack([numbers(terms.height).cast(pl.Int64).alias("clock")])
        self._aside: dict[str, int] = {}
        self._tables: dict[str, tuple[RunningClocks, pl.DataFrame]] = {}
        self._together: tuple[RunningClocks, pl.DataFrame] | None = None
        self._reached: dict[int, pl.Series] = {}
        if terms.height <= FEW:
            self._together = self._read(terms, ground, context, as_of)
            self.frame = self._together[1]
            return
        tables = []
        for name in terms["name"].unique(maintain_order=True).to_list():
            rows = keep_rows(terms, terms["name"] == name)
            if name not in exact:
                undecided = ~_in_time(rows)
                self._aside[name] = rows.height - int(undecided.sum())
                rows = keep_rows(rows, undecided)
            self._tables[name] = self._read(rows, ground, context, as_of)
            tables.append(self._tables[name][1])
        self.frame = pl.concat(tables, rechunk=True)

    def named(self, name: str, at_least: int | None = None) -> tuple[pl.DataFrame, pl.Series]:
        """The clocks of that name with their readings, and from when their `over` ≥ `at_least` (None: no such column)."""
        if self._together is not None:
            clocks, rows = self._together
            mine = rows["name"] == name
            found = keep_rows(rows, mine)
            if at_least is None or found.is_empty():
                return found, constant(0, 0, pl.Int64)
            if at_least not in self._reached:
                self._reached[at_least] = clocks.over_reaches(at_least)
            return found, self._reached[at_least].filter(mine)
        if name not in self._tables:
            return self.frame.clear(), constant(0, 0, pl.Int64)
        clocks, rows = self._tables[name]
        return rows, constant(0, 0, pl.Int64) if at_least is None else clocks.over_reaches(at_least)

    def aside(self, name: str) -> int:
        """How many clocks of that name were set aside as in time."""
        return self._aside.get(name, 0)

    def _read(
        self, terms: pl.DataFrame, ground: Ground, context: Context, as_of: datetime
    ) -> tuple[RunningClocks, pl.DataFrame]:
        pauses = ground.pauses
        if pauses.height and self._together is None and terms.height < ground.clocks.height:
            pauses = pauses.join(terms.select("clock"), on="clock", how="semi")
        clocks = RunningClocks(terms, pauses, context.calendar, context.hours)
        return clocks, terms.hstack(clocks.at(as_of).get_columns()[1:])


def _in_time(rows: pl.DataFrame) -> pl.Series:
    """Clocks in days that stopped before as many natural days had passed as they have."""
    elapsed = rows["stop_at"] - rows["start_at"]
    stated = present(rows["stated_due_at"]) | present(rows["stated_due_day"])
    limit = rows["amount"].cast(pl.Int64) * _DAY - _SHORT_DAY
    return true(elapsed <= limit) & ~stated & (fill(rows["unit"], HOUR) != HOUR)
