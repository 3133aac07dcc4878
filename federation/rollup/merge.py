"""Sums of rollup rows, and the comparison of what a child reported with what its journal gives (DESIGN §5).

A subtree's total is the sum of its nodes' rows and nothing else: rows are never summed on the way up, so the
sum of the parts and the total agree by construction. A difference between a reported row and the recomputed
one names key and column; it becomes an alert about the child.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from federation.rollup import sketch
from federation.rollup.row import RollupKey, RollupRow


@dataclass(frozen=True, slots=True)
class Total:
    """Sum of rows."""

    figures: dict[str, int]
    median_days: float | None
    """Half of the completed cases took at most so many counted days; None: no case was completed."""
    p90_days: float | None
    applicants: int
    """About how many different applicants there were (2.3 %)."""
    first_day: int
    last_day: int
    """Days since 1970-01-01, in each node's own zone; both 0 without rows."""
    rows: int


def total(rows: Iterable[RollupRow]) -> Total:
    """The sum of all rows. Raises ZonghengError `protocol` for a summary that is none."""
    figures: dict[str, int] = defaultdict(int)
    durations: list[bytes] = []
    applicants: list[bytes] = []
    days: list[int] = []
    for row in rows:
        for name, amount in row.figures.items():
            figures[name] += amount
        days.append(row.day)
        if row.durations:
            durations.append(row.durations)
        if row.applicants:
            applicants.append(row.applicants)
    median = p90 = None
    if durations and (marks := sketch.quantiles(sketch.merged_durations(durations), (0.5, 0.9))):
        median, p90 = marks
    return Total(
        figures={name: figures[name] for name in sorted(figures) if figures[name]},
        median_days=median,
        p90_days=p90,
        applicants=sketch.distinct(sketch.merged_applicants(applicants)) if applicants else 0,
        first_day=min(days, default=0),
        last_day=max(days, default=0),
        rows=len(days),
    )


def totals_by_node(rows: Iterable[RollupRow]) -> dict[str, Total]:
    """The sum of each node's rows, by node."""
    by_node: dict[str, list[RollupRow]] = defaultdict(list)
    for row in rows:
        by_node[row.node].append(row)
    return {node: total(by_node[node]) for node in sorted(by_node)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of one row on which report and journal disagree."""

    key: RollupKey
    column: str
    """A figure's name, `durations` or `applicants`."""
    reported: int
    computed: int
    """Of `durations` and `applicants`: fingerprints of the summaries, 0 for none."""


def compare(reported: Iterable[RollupRow], computed: Iterable[RollupRow]) -> list[Difference]:
    """Where they disagree, in order of key and column. A row that one side lacks counts as zeroes; versions
    are not compared.
    """
    theirs = {row.key: row for row in reported}
    ours = {row.key: row for row in computed}
    found: list[Difference] = []
    for key in sorted(theirs.keys() | ours.keys()):
        left, right = theirs.get(key), ours.get(key)
        left_columns, right_columns = _columns(left), _columns(right)
        for column in sorted(left_columns.keys() | right_columns.keys()):
            amounts = left_columns.get(column, 0), right_columns.get(column, 0)
            if amounts[0] != amounts[1]:
                found.append(Difference(key, column, *amounts))
    return found


def _columns(row: RollupRow | None) -> dict[str, int]:
    if row is None:
        return {}
    return {
        **row.figures,
        "durations": _fingerprint(row.durations),
        "applicants": _fingerprint(row.applicants),
    }


def _fingerprint(summary: bytes) -> int:
    """A number of 63 bits that two different summaries do not share by accident."""
    return int.from_bytes(sha256(summary).digest()[:8], "big") >> 1 if summary else 0
