"""Arithmetic on columns without the query engine.

A Polars expression costs some 50 µs before it touches a row, a method of a Series about one. A case that is judged alone takes a few
hundred such steps, so what every case goes through is written with these functions; expressions are for what few cases have. The
result is the same for one row and for a million.

A null mask counts as false everywhere. No function changes its arguments.
"""

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

Keep = Literal["first", "last"]
Kind = pl.DataType | type[pl.DataType]

_MOST_TEXTS: Final = 1 << 31
"""More than a category set can tell apart."""

_DAY: Final = 86_400_000_000
_WEEK: Final = 7 * _DAY
_FIRST_WEEK: Final = datetime(1990, 1, 1, tzinfo=UTC)
_WEEKS_FROM: Final = (_FIRST_WEEK - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
_WEEKS: Final = 110 * 53
"""From 1990 past 2099."""


def nulls(height: int, dtype: Kind) -> pl.Series:
    """A column of nulls."""
    return _single(None, dtype).new_from_index(0, height)


def constant(value: int | str | bool, height: int, dtype: Kind) -> pl.Series:
    """A column of one value."""
    return _single(value, dtype).new_from_index(0, height)


@lru_cache(maxsize=1_000)
def _single(value: int | str | bool | None, dtype: Kind) -> pl.Series:
    # Never handed out: a scatter into it would stay.
    return pl.Series([value], dtype=dtype)


def numbers(height: int) -> pl.Series:
    """0, 1, 2, …"""
    return pl.int_range(height, dtype=pl.UInt32, eager=True)


def frame(**columns: pl.Series) -> pl.DataFrame:
    """A frame of columns under these names."""
    return pl.DataFrame([column.alias(name) for name, column in columns.items()])


def keep_rows(rows: pl.DataFrame, mask: pl.Series) -> pl.DataFrame:
    """The rows where the mask is true."""
    return pl.DataFrame([column.filter(mask) for column in rows.get_columns()])


def take(values: pl.Series, at: pl.Series) -> pl.Series:
    """The values at these positions; null where the position is."""
    return values[at]


def present(values: pl.Series) -> pl.Series:
    """Where there is a value."""
    missing = values.null_count()
    if missing == 0:
        return constant(True, values.len(), pl.Boolean)
    if missing == values.len():
        return constant(False, values.len(), pl.Boolean)
    return values.is_not_null()


def true(mask: pl.Series) -> pl.Series:
    """The mask with false for null."""
    return fill(mask, False)


def fill(values: pl.Series, default: int | str | bool) -> pl.Series:
    """The values, with a default for null."""
    if values.null_count() == 0:
        return values
    return values.zip_with(present(values), constant(default, 1, values.dtype))


def where(mask: pl.Series, then: pl.Series, otherwise: pl.Series) -> pl.Series:
    """`then` where the mask is true, else `otherwise`."""
    return then.zip_with(true(mask), otherwise)


def only(values: pl.Series, mask: pl.Series) -> pl.Series:
    """The values where the mask is true, else null."""
    mask = true(mask)
    return values if mask.all() else values.zip_with(mask, nulls(1, values.dtype))


def coalesce(*columns: pl.Series) -> pl.Series:
    """For each row the first value that is there."""
    result = columns[0]
    for other in columns[1:]:
        if result.null_count() == 0:
            return result
        result = result.zip_with(present(result), other)
    return result


def least(*columns: pl.Series) -> pl.Series:
    """For each row the smallest value that is there."""
    result = columns[0]
    for other in columns[1:]:
        if other.null_count() < other.len():
            result = result.zip_with(true(result <= other) | ~present(other), other)
    return result


def greatest(*columns: pl.Series) -> pl.Series:
    """For each row the largest value that is there."""
    result = columns[0]
    for other in columns[1:]:
        if other.null_count() < other.len():
            result = result.zip_with(true(result >= other) | ~present(other), other)
    return result


def positions(case: pl.Series, cases: int, keep: Keep) -> pl.Series:
    """For each of `cases` the position in `case` of its first or last row; null where it has none. Use with `take`."""
    rows = case.len()
    if rows == 0:
        return nulls(cases, pl.UInt32)
    at = numbers(rows)
    if keep == "first":
        at = pl.Series([rows - 1], dtype=pl.UInt32) - at
        case = case[at]
    # Of several rows of a case the one written last stays.
    return nulls(cases, pl.UInt32).scatter(case, at)


def spread(values: pl.Series, case: pl.Series, cases: int, keep: Keep) -> pl.Series:
    """For each of `cases` the first or last of its `values`; null where it has none."""
    return values[positions(case, cases, keep)]


def tally(case: pl.Series, cases: int) -> pl.Series:
    """How many rows of `case` each of `cases` has."""
    return total(constant(1, case.len(), pl.Int64), case, cases)


def total(values: pl.Series, case: pl.Series, cases: int) -> pl.Series:
    """The sum of `values` for each of `cases`; 0 where it has none."""
    zeros = constant(0, cases, pl.Int64)
    if values.len() == 0:
        return zeros
    if case.n_unique() == case.len():
        return zeros.scatter(case, fill(values.cast(pl.Int64), 0))
    sums = pl.DataFrame({"case": case, "value": values}).group_by("case").agg(pl.col("value").sum())
    return zeros.scatter(sums["case"], fill(sums["value"].cast(pl.Int64), 0))


def has(case: pl.Series, cases: int) -> pl.Series:
    """Which of `cases` have a row in `case`."""
    return constant(False, cases, pl.Boolean).scatter(case, True)


def nth(keys: pl.Series) -> pl.Series:
    """How many rows up to and including each one have its key: 1 for the first, 2 for the next."""
    if keys.n_unique() == keys.len():
        return constant(1, keys.len(), pl.Int64)
    return keys.rank("ordinal").cast(pl.Int64) - keys.rank("min") + 1


def next_in(others: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """For each of `rows` the position in `others` of the first one later in its case; null where none is.

    Both have `case` and `row` and are in the order of all events, case after case.
    """
    return _of_same_case(others["row"].search_sorted(rows["row"], "right").cast(pl.Int64), others, rows)


def last_in(others: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """For each of `rows` the position in `others` of the last one earlier in its case; null where none is. See `next_in`."""
    return _of_same_case(others["row"].search_sorted(rows["row"], "left").cast(pl.Int64) - 1, others, rows)


def _of_same_case(at: pl.Series, others: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    at = only(at, (at >= 0) & (at < others.height)).cast(pl.UInt32)
    return only(at, others["case"][at] == rows["case"])


def pairs(case: pl.Series, text: pl.Series) -> pl.Series:
    """Each pair of a case and a text as one number, equal where both are."""
    # A category set of its own: its codes count from 0 and are forgotten with it.
    codes = text.cast(pl.Categorical(pl.Categories.random())).to_physical().cast(pl.Int64)
    return case.cast(pl.Int64) * _MOST_TEXTS + codes


def local_day(at: pl.Series, zone: pl.Series) -> pl.Series:
    """The day (since 1970-01-01) of each instant (µs) in the zone of its row. Raises `ZoneInfoNotFoundError` for a zone that is none."""
    if at.null_count() == at.len():
        return nulls(at.len(), pl.Int32)
    name = zone[0]
    if (zone == name).all():
        return _day_in(at, name)
    days = nulls(at.len(), pl.Int32)
    for name in zone.unique().to_list():
        days = _day_in(at, name).zip_with(zone == name, days)
    return days


def _day_in(at: pl.Series, zone: str) -> pl.Series:
    first, last = at.min(), at.max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    offset = _steady_offset(zone, first, last)
    if offset is not None:
        return ((at + offset) // _DAY).cast(pl.Int32)
    stamps = at.cast(pl.Datetime("us", "UTC")).alias("at").to_frame()
    return stamps.select(pl.col("at").dt.convert_time_zone(zone).dt.date().cast(pl.Int32)).to_series()


def _steady_offset(zone: str, first: int, last: int) -> int | None:
    """The zone's offset (µs) where it is one throughout (first, last); None where it changes or the tables do not reach."""
    offsets = _weekly_offsets(zone)
    begin, end = (first - _WEEKS_FROM) // _WEEK, (last - _WEEKS_FROM) // _WEEK + 1
    if begin < 0 or end >= len(offsets):
        return None
    seen = set(offsets[begin : end + 1])
    return seen.pop() if len(seen) == 1 else None


@cache
def _weekly_offsets(zone: str) -> tuple[int, ...]:
    """The zone's offset (µs) every week. No zone has changed its offset twice within a week and returned to it."""
    info = ZoneInfo(zone)
    instants = (_FIRST_WEEK + timedelta(weeks=week) for week in range(_WEEKS))
    return tuple(
        (instant.astimezone(info).utcoffset() or timedelta()) // timedelta(microseconds=1)
        for instant in instants
    )
