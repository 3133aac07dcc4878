"""Arithmetic on columns without the query engine.

A Polars expression costs some 50 µs before it touches a row, a method of a Series about one. A case that is judged alone takes a few
hundred such steps, so what every case goes through is written with these functions; expressions are for what few cases have. The
result is the same for one row and for a million.

A null mask counts as false everywhere. No function changes its arguments.
"""

from typing import Final, Literal

import polars as pl

Keep = Literal["first", "last"]
Kind = type[pl.DataType]

_MOST_TEXTS: Final = 1 << 31
"""More than a category set can tell apart."""


def nulls(height: int, dtype: Kind) -> pl.Series:
    """A column of nulls."""
    return pl.Series([None], dtype=dtype).new_from_index(0, height)


def constant(value: int | str | bool, height: int, dtype: Kind) -> pl.Series:
    """A column of one value."""
    return pl.Series([value], dtype=dtype).new_from_index(0, height)


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
    return values.zip_with(present(values), pl.Series([default], dtype=values.dtype))


def where(mask: pl.Series, then: pl.Series, otherwise: pl.Series) -> pl.Series:
    """`then` where the mask is true, else `otherwise`."""
    return then.zip_with(true(mask), otherwise)


def only(values: pl.Series, mask: pl.Series) -> pl.Series:
    """The values where the mask is true, else null."""
    mask = true(mask)
    return values if mask.all() else values.zip_with(mask, pl.Series([None], dtype=values.dtype))


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
    sums = pl.DataFrame({"case": case, "value": values}).group_by("case").agg(pl.col("value").sum())
    return zeros.scatter(sums["case"], fill(sums["value"], 0).cast(pl.Int64))


def has(case: pl.Series, cases: int) -> pl.Series:
    """Which of `cases` have a row in `case`."""
    return constant(False, cases, pl.Boolean).scatter(case, True)


def pairs(case: pl.Series, text: pl.Series) -> pl.Series:
    """Each pair of a case and a text as one number, equal where both are."""
    # A category set of its own: its codes count from 0 and are forgotten with it.
    codes = text.cast(pl.Categorical(pl.Categories.random())).to_physical().cast(pl.Int64)
    return case.cast(pl.Int64) * _MOST_TEXTS + codes


def local_day(at: pl.Series, zone: pl.Series) -> pl.Series:
    """The day (since 1970-01-01) of each instant (µs) in the zone of its row."""
    days = nulls(at.len(), pl.Int32)
    if at.len() == 0:
        return days
    stamps = at.cast(pl.Datetime("us", "UTC")).alias("at").to_frame()
    first = zone[0]
    names = [first] if (zone == first).all() else zone.unique().to_list()
    for name in names:
        of_zone = stamps.select(pl.col("at").dt.convert_time_zone(name).dt.date().cast(pl.Int32)).to_series()
        days = of_zone if len(names) == 1 else of_zone.zip_with(zone == name, days)
    return days
