"""Case events as columns: what every fold reads, whether it stands for one case or for ten million.

A frame has all of `BASE`, and a column for each attribute that some domain's vocabulary declares. An attribute that no event
of a frame carries may be left out of it: `completed` puts it back as nulls, and `fold.CaseEvents` reads a missing column
as null, so frames of different ages and segments of different attributes are one kind of thing.

Order within a case is (at_us, idx): when it happened, then the index in the journal. Rows of a frame may come in any order;
`by_case` brings them into the one that folds need.

What holds when something is wrong: an attribute outside every vocabulary is dropped, as at the door; one whose value is not of
the declared type is null, which is undetermined, never guessed. Two domains that declare one name with two types are a mistake in the
program and raise `TypeError` when this module is imported.

Times are microseconds since 1970-01-01T00:00:00Z, days are days since 1970-01-01.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

import orjson
import polars as pl

from node.store.rows import EventRow
from node.supervision import domains
from node.supervision.gathering import OF_CASE

BASE: Final[dict[str, type[pl.DataType]]] = {
    "case_id": pl.String,
    "idx": pl.Int64,
    "at_us": pl.Int64,
    "day_only": pl.Boolean,
    "zone": pl.String,
    "domain": pl.String,
    "kind": pl.String,
    "received_at_us": pl.Int64,
    "noted_at_us": pl.Int64,
    "agency": pl.String,
    "actor": pl.String,
    "item": pl.String,
    "step": pl.String,
    "applicant": pl.String,
    "import_id": pl.String,
}
"""The columns every frame has. Unknown text is "", unknown `received_at_us` 0."""

TUPLE: Final = (*BASE, "attributes")
"""Order of the fields of a plain tuple; `attributes` is a JSON object as text or bytes."""

_MOST_ROWS: Final = 1 << 32
"""More than there are events in one evaluation."""

_TYPES: Final[dict[type, type[pl.DataType]]] = {int: pl.Int64, str: pl.String, bool: pl.Boolean}


def _declared() -> dict[str, type[pl.DataType]]:
    declared: dict[str, type[pl.DataType]] = {OF_CASE: pl.String}
    for package in sorted(module.name for module in iter_modules(domains.__path__) if module.ispkg):
        kinds: Mapping[str, Mapping[str, type]] = import_module(f"{domains.__name__}.{package}.events").KINDS
        for attributes in kinds.values():
            for name, kind in attributes.items():
                # A few attributes share their name with a base column (the kind of a pause).
                column = attribute_column(name)
                if declared.setdefault(column, _TYPES[kind]) is not _TYPES[kind]:
                    raise TypeError(
                        f"attribute {name!r} of {package} is declared elsewhere with another type"
                    )
    return declared


def attribute_column(name: str) -> str:
    """The column that holds the attribute `name`."""
    return f"{name}_attribute" if name in BASE else name


ATTRIBUTES: Final[dict[str, type[pl.DataType]]] = _declared()
"""The attribute columns, over all installed domains."""

SCHEMA: Final[dict[str, type[pl.DataType]]] = {**BASE, **ATTRIBUTES}


def empty() -> pl.DataFrame:
    """A frame without events."""
    return pl.DataFrame(schema=SCHEMA)


def completed(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with every attribute column, in the order of `SCHEMA`."""
    height = frame.height
    return frame.with_columns(
        pl.Series(name, [None], dtype=dtype).new_from_index(0, height)
        for name, dtype in ATTRIBUTES.items()
        if name not in frame.columns
    ).select(*SCHEMA)


def from_rows(rows: Iterable[EventRow]) -> pl.DataFrame:
    """A frame of event rows, without the attribute columns that none of them fills."""
    events = list(rows)
    columns: dict[str, pl.Series] = {
        name: pl.Series(name, [getattr(event, name) for event in events], dtype=dtype)
        for name, dtype in BASE.items()
    }
    carried = sorted({name for event in events for name in event.attributes})
    for name in carried:
        column = attribute_column(name)
        if column in ATTRIBUTES:
            values = [event.attributes.get(name) for event in events]
            columns[column] = pl.Series(
                column, _of_type(values, ATTRIBUTES[column]), dtype=ATTRIBUTES[column]
            )
    return pl.DataFrame(columns)


def from_tuples(rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    """A frame of plain tuples in the order of `TUPLE`: the way rows leave a database in bulk.

    Raises `orjson.JSONDecodeError` where `attributes` is no JSON.
    """
    if not rows:
        return pl.DataFrame(schema=BASE)
    *columns, texts = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {
            # SQLite keeps a truth value as 0 or 1.
            name: pl.Series(name, column).cast(dtype)
            if dtype is pl.Boolean
            else pl.Series(name, column, dtype=dtype)
            for (name, dtype), column in zip(BASE.items(), columns, strict=True)
        }
    )
    # Most events share few attribute texts or have none: each distinct text is read once.
    distinct = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    read = [orjson.loads(text) if text else {} for text in distinct]
    place = pl.Series([distinct[text] for text in texts], dtype=pl.UInt32)
    names = {name for attributes in read for name in attributes}
    attributes = []
    for name in sorted(names):
        column = attribute_column(name)
        if column in ATTRIBUTES:
            values = _of_type([one.get(name) for one in read], ATTRIBUTES[column])
            attributes.append(pl.Series(column, values, dtype=ATTRIBUTES[column]).gather(place))
    return frame.with_columns(attributes)


def concat(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Several frames as one; attributes that only some of them have are null in the others."""
    parts = list(frames)
    return pl.concat(parts, how="diagonal") if parts else empty()


def case_begins(events: pl.DataFrame) -> pl.Series:
    """Where a row is of another case than the one before it; the first row is."""
    ids = events["case_id"]
    first = pl.Series([True])[: ids.len()]
    return first if ids.len() < 2 else first.append(ids[1:] != ids[:-1])


def by_case(events: pl.DataFrame) -> pl.DataFrame:
    """The events with those of a case one after the other, in their order; the very frame where they already are."""
    if _together(events) and _in_order(events):
        return events
    # A category set of its own: its codes count from 0 and are forgotten with it.
    case = events["case_id"].cast(pl.Categorical(pl.Categories.random())).to_physical().cast(pl.Int64)
    order = (case * _MOST_ROWS + pl.int_range(events.height, eager=True)).arg_sort()
    # Mostly a case's events come in the order in which they happened.
    times = events.select("case_id", "at_us", "idx")
    if not _in_order(times[order]):
        order = times.hstack([case.alias("case")]).select(pl.arg_sort_by("case", "at_us", "idx")).to_series()
    return events[order]


def write_segment(frame: pl.DataFrame, path: Path) -> None:
    """Write the frame as a Parquet segment, without attribute columns that are all null.

    The caller gives the file its final name when this returns; a file cut off in between is no segment.
    """
    unused = [
        name for name in ATTRIBUTES if name in frame.columns and frame[name].null_count() == frame.height
    ]
    frame.drop(unused).write_parquet(path, compression="zstd")


def read_segments(paths: Iterable[Path]) -> pl.DataFrame:
    """The events of several segments as one frame."""
    return concat(pl.read_parquet(path) for path in paths)


def _together(events: pl.DataFrame) -> bool:
    begun = events["case_id"].filter(case_begins(events))
    return begun.len() < 2 or begun.n_unique() == begun.len()


def _in_order(events: pl.DataFrame) -> bool:
    """Whether each case's events, which lie together, are in order."""
    if events.height < 2:
        return True
    at, idx = events["at_us"], events["idx"]
    follows = (at[:-1] < at[1:]) | case_begins(events)[1:]
    return bool(follows.all()) or bool((follows | ((at[:-1] == at[1:]) & (idx[:-1] < idx[1:]))).all())


def _of_type(values: list[Any], dtype: type[pl.DataType]) -> list[Any]:
    if dtype is pl.Int64:
        return [value if type(value) is int else None for value in values]
    wanted = str if dtype is pl.String else bool
    return [value if isinstance(value, wanted) else None for value in values]
