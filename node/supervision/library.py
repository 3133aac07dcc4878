"""Libraries (库): published tables that a value is held against, such as discretion grades, officers' certificates, fee standards.

A row is known by its code and, where the library has them, its grade; it holds for a stretch of days. It says a fixed value, a range, or a
range in thousandths of a base (基数×倍率). A *standard* says which of a case's facts are looked up where, and gives columns beside the facts:

| column | holds |
| --- | --- |
| `<name>_found` | a row of that code and grade was in force on that day; null where nothing was looked up: no code, no day, or no such library here |
| `<name>_coded` | the library knows the code at all, whatever the grade |
| `<name>_low`, `<name>_high` | the bounds; of a range in thousandths with the base applied |
| `<name>_text` | what the row says in words or codes |

A library that nobody published accuses nobody. Money is in 分, days are local days of the case's zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
from zongheng.v1 import engine_pb2

from node.supervision.columns import frame, local_day, nulls, numbers, only, present

_FOREVER: Final = 2**31 - 1

_ROWS: Final[dict[str, type[pl.DataType]]] = {
    "code": pl.String,
    "grade": pl.String,
    "ratio": pl.Boolean,
    "low": pl.Int64,
    "high": pl.Int64,
    "text": pl.String,
    "valid_from": pl.Int32,
    "valid_to": pl.Int32,
}

FEE_STANDARDS: Final = "fee_standards"
"""What is lawful to charge: one table for the items of approval, for levies and for schools."""

Libraries = Mapping[str, pl.DataFrame]
"""By name, with the columns of `_ROWS`."""


def library_rows(message: engine_pb2.Library) -> pl.DataFrame:
    """A published library as columns."""
    rows = [
        (
            row.code,
            row.grade,
            row.ratio,
            row.low if row.HasField("low") else None,
            row.high if row.HasField("high") else None,
            row.text,
            row.valid_from_day,
            row.valid_to_day or _FOREVER,
        )
        for row in message.rows
    ]
    return pl.DataFrame(rows, schema=_ROWS, orient="row")


def libraries(messages: Iterable[engine_pb2.Library]) -> dict[str, pl.DataFrame]:
    """The newest version of each library."""
    newest: dict[str, engine_pb2.Library] = {}
    for message in messages:
        known = newest.get(message.name)
        if known is None or message.version >= known.version:
            newest[message.name] = message
    return {name: library_rows(message) for name, message in newest.items()}


@dataclass(frozen=True)
class Standard:
    """One look-up: `code` and `grade` are columns, `at` the instant whose day counts, `base` what a ratio is of."""

    name: str
    library: str
    code: str
    at: str
    grade: str = ""
    base: str = ""
    frame: str = "cases"

    def beside(self, rows: pl.DataFrame, known: Libraries) -> pl.DataFrame:
        """The rows with the look-up's columns; they have `zone`."""
        held = known.get(self.library)
        height = rows.height
        if held is None or held.is_empty() or not height:
            absent = {
                "found": pl.Boolean,
                "coded": pl.Boolean,
                "low": pl.Int64,
                "high": pl.Int64,
                "text": pl.String,
            }
            return rows.hstack(
                [nulls(height, kind).alias(f"{self.name}_{name}") for name, kind in absent.items()]
            )
        asked = frame(
            row=numbers(height),
            code=rows[self.code],
            day=local_day(rows[self.at], rows["zone"]),
            grade=rows[self.grade] if self.grade else nulls(height, pl.String),
        )
        looked_up = present(asked["code"]) & (asked["code"].fill_null("") != "") & present(asked["day"])
        asked = asked.filter(looked_up).with_columns(pl.col("grade").fill_null(""))
        met = asked.join(held, on=["code", "grade"]).filter(
            pl.col("day").is_between(pl.col("valid_from"), pl.col("valid_to"))
        )
        met = met.unique("row", keep="last", maintain_order=True)
        found = nulls(height, pl.Boolean).scatter(asked["row"], False).scatter(met["row"], True)
        coded = only(rows[self.code].is_in(held["code"].unique().implode()), looked_up)
        bounds = {}
        ratio = (
            pl.Series([False], dtype=pl.Boolean).new_from_index(0, height).scatter(met["row"], met["ratio"])
        )
        for side in ("low", "high"):
            bound = nulls(height, pl.Int64).scatter(met["row"], met[side])
            if self.base:
                bound = (bound * rows[self.base] // 1_000).zip_with(ratio, bound)
            bounds[side] = bound
        text = nulls(height, pl.String).scatter(met["row"], met["text"])
        told = {"found": found, "coded": coded, **bounds, "text": text}
        return rows.hstack([column.alias(f"{self.name}_{name}") for name, column in told.items()])
