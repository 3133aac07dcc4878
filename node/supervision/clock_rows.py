"""Clocks laid out as a domain states them: rows of `fold.CLOCKS` out of columns and constants."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from node.supervision.clock import WORKING
from node.supervision.columns import constant, frame, nulls, numbers
from node.supervision.fold import CLOCKS, GROUND_PAUSES

NO_CLOCKS: Final = pl.DataFrame(schema=CLOCKS)
NO_PAUSES: Final = pl.DataFrame(schema=GROUND_PAUSES)


def clock_rows(rows: pl.DataFrame, name: str, **terms: pl.Series | str | int) -> pl.DataFrame:
    """Clocks called `name`, one for each of `rows` (which have `case` and `zone`).

    A term is a column or one value for all; what is not given is null, `part` is the case and the unit working days.
    """
    height = rows.height
    given: dict[str, pl.Series | str | int] = {
        "part": "case",
        "name": name,
        "unit": WORKING,
        "case": rows["case"],
        "zone": rows["zone"],
        **terms,
    }
    columns = {}
    for column, kind in CLOCKS.items():
        value = given.get(column)
        if value is None:
            columns[column] = nulls(height, kind)
        elif isinstance(value, pl.Series):
            columns[column] = value if value.dtype == kind else value.cast(kind)
        else:
            columns[column] = constant(value, height, kind)
    return frame(**columns)


def by_name(found: Iterable[pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The clocks by name, numbered throughout; frames of one name are put together."""
    named: dict[str, pl.DataFrame] = {}
    counted = 0
    for one in found:
        if one.height:
            name = one["name"][0]
            clock = (numbers(one.height).cast(pl.Int64) + counted).alias("clock")
            numbered = pl.DataFrame([clock, *one.get_columns()[1:]])
            before = named.get(name)
            named[name] = numbered if before is None else pl.concat([before, numbered], rechunk=True)
            counted += one.height
    return named
