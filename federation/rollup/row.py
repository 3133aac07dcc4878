"""One row of daily figures and its form on the wire (DESIGN §5).

A row belongs to (node, day, domain, agency, line, item) and rises unchanged to every ancestor, so any subtree
is a sum and nothing is counted twice. On the wire rows are columns: packed integers, not a message each.
`unpack` takes nothing half: a table whose columns disagree in length, that names a column or a key twice, or
that has more rows than allowed raises ZonghengError `protocol`.

The vocabulary of figures is open: a name this version does not know passes unchanged, so that an old ancestor
does not lose what a new village counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from zongheng.v1.rollup_pb2 import RollupColumn, RollupTable

from federation.errors import ZonghengError

FIGURES: Final = (
    "received",
    "accepted",
    "refused",
    "completed",
    "on_time",
    "late",
    "fee_fen",
    "notice",
    "yellow",
    "red",
)
"""The order in which columns stand; names that are not listed follow in alphabetical order."""

MAX_ROWS: Final = 100_000
"""Most rows in one table."""

MAX_FIGURES: Final = 1_000
"""Most columns of figures in one table."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
_ORDER: Final = {name: place for place, name in enumerate(FIGURES)}


class RollupKey(NamedTuple):
    """What a row's figures are about. `day` counts from 1970-01-01 in the node's own zone."""

    node: str
    day: int
    domain: str
    agency: str
    line: str
    item: str

    def __str__(self) -> str:
        try:
            day = date.fromordinal(self.day + _EPOCH).isoformat()
        except (ValueError, OverflowError):
            day = str(self.day)
        return "|".join((self.node, day, self.domain, self.agency, self.line, self.item))


@dataclass(frozen=True, slots=True)
class RollupRow:
    """Figures of one (node, day, domain, agency, line, item)."""

    node: str
    day: int
    domain: str
    agency: str
    line: str
    item: str
    figures: dict[str, int]
    """Additive figures that are not zero."""
    durations: bytes
    """Serialised DDSketch of handling time in counted days; empty: none."""
    applicants: bytes
    """Serialised HyperLogLog of applicant handles; empty: none."""
    version: int
    """Journal size of the node at which the row last changed."""

    @property
    def key(self) -> RollupKey:
        return RollupKey(self.node, self.day, self.domain, self.agency, self.line, self.item)


def pack(rows: Sequence[RollupRow]) -> RollupTable:
    """The rows as columns, in the order given."""
    names = sorted({name for row in rows for name in row.figures}, key=_place)
    return RollupTable(
        node=[row.node for row in rows],
        day=[row.day for row in rows],
        domain=[row.domain for row in rows],
        agency=[row.agency for row in rows],
        line=[row.line for row in rows],
        item=[row.item for row in rows],
        figures=[
            RollupColumn(name=name, values=[row.figures.get(name, 0) for row in rows]) for name in names
        ],
        durations=[row.durations for row in rows],
        applicants=[row.applicants for row in rows],
        version=[row.version for row in rows],
    )


def unpack(table: RollupTable) -> list[RollupRow]:
    """Inverse of `pack`, without the figures that are zero. Raises ZonghengError `protocol` for a table that
    is none.
    """
    count = len(table.node)
    if count > MAX_ROWS or len(table.figures) > MAX_FIGURES:
        raise ZonghengError(
            "protocol", f"a rollup table has at most {MAX_ROWS} rows and {MAX_FIGURES} figures"
        )
    lengths = {len(table.day), len(table.domain), len(table.agency), len(table.line), len(table.item)}
    lengths |= {len(table.durations), len(table.applicants), len(table.version)}
    lengths |= {len(column.values) for column in table.figures}
    if lengths != {count}:
        raise ZonghengError("protocol", f"the columns of a rollup table of {count} rows differ in length")
    names = [column.name for column in table.figures]
    if len(set(names)) != len(names) or "" in names:
        raise ZonghengError("protocol", "a rollup table names each of its figures once")
    figures: list[dict[str, int]] = [{} for _ in range(count)]
    for column in table.figures:
        for row, amount in zip(figures, column.values, strict=True):
            if amount:
                row[column.name] = amount
    texts = zip(table.domain, table.agency, table.line, table.item, strict=True)
    sketches = zip(table.durations, table.applicants, strict=True)
    rows = [
        RollupRow(node, day, domain, agency, line, item, amounts, durations, applicants, version)
        for node, day, (domain, agency, line, item), amounts, (durations, applicants), version in zip(
            table.node, table.day, texts, figures, sketches, table.version, strict=True
        )
    ]
    if len({row.key for row in rows}) != count:
        raise ZonghengError("protocol", "a rollup table has each key once")
    return rows


def slices(rows: Sequence[RollupRow], per_table: int = 2_000) -> Iterable[Sequence[RollupRow]]:
    """The rows in pieces that each fit a message."""
    return (rows[at : at + per_table] for at in range(0, len(rows), per_table))


def _place(name: str) -> tuple[int, str]:
    return _ORDER.get(name, len(FIGURES)), name
