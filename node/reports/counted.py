"""Sums of daily figures for a report: of a subtree, by domain, agency, branch, day and level, beside those of the period before. Pure.

A share names what it is a share of and is null where that is nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from pydantic import BaseModel
from zongheng.v1.catalogue_pb2 import Agency

from federation.query.tree import Tree
from node.reports.period import Period
from node.resupervision.rules import DOMAIN as RESUPERVISION
from node.store.rollups import add
from node.store.rows import RollupRow
from node.supervision.alert import MATCHING_DOMAIN
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.levels import LEVELS, STATES


class Counts(BaseModel):
    """What happened in one period. ``on_time`` and ``late`` are of the cases completed in it that have a deadline."""

    received: int = 0
    accepted: int = 0
    completed: int = 0
    on_time: int = 0
    late: int = 0
    notice: int = 0
    yellow: int = 0
    red: int = 0
    on_time_percent: float | None = None
    """``on_time`` of ``on_time`` + ``late``; null: there were none."""


class Group(BaseModel):
    """A part of the subtree, in this period and the one before."""

    node: str
    code: str
    """The domain's or agency's; of a node, its id."""
    name: str
    nodes: int
    """How many nodes are summed up in it."""
    now: Counts
    before: Counts


class DayCounts(BaseModel):
    day: str
    received: int
    completed: int
    late: int


class LevelCount(BaseModel):
    """Alerts of one level that hold since a day of the period, corrected ones included."""

    level: str
    raised: int
    before: int
    """As ``raised``, in the period before."""
    states: dict[str, int]
    """State now → how many of ``raised``."""


def iso(day: int) -> str:
    """A day since 1970-01-01, as ISO 8601 writes it."""
    return date.fromordinal(day + EPOCH_ORDINAL).isoformat()


def counts_of(rows: Iterable[RollupRow]) -> Counts:
    """The sum of rows."""
    total: dict[str, int] = {}
    for row in rows:
        add(total, row.figures.items())
    counts = Counts(**{name: total.get(name, 0) for name in Counts.model_fields if name != "on_time_percent"})
    judged = counts.on_time + counts.late
    counts.on_time_percent = round(100 * counts.on_time / judged, 1) if judged else None
    return counts


def group(
    node: str, code: str, name: str, nodes: int, now: Iterable[RollupRow], then: Iterable[RollupRow]
) -> Group:
    """A part of the subtree, out of its rows in the period and in the one before."""
    return Group(node=node, code=code, name=name, nodes=nodes, now=counts_of(now), before=counts_of(then))


def by_domain(top: str, nodes: int, now: Sequence[RollupRow], then: Sequence[RollupRow]) -> list[Group]:
    """A group a domain."""
    return [
        group(
            top, code, "", nodes, [row for row in now if row.domain == code],
            [row for row in then if row.domain == code],
        )
        for code in sorted({row.domain for row in (*now, *then)})
    ]  # fmt: skip


def by_agency(
    now: Sequence[RollupRow], then: Sequence[RollupRow], agencies: Mapping[str, Mapping[str, Agency]]
) -> list[Group]:
    """By node and agency: two nodes may give one code to different agencies. ``agencies``: node → code → agency, of the journals held here."""
    rows: dict[tuple[str, str], tuple[list[RollupRow], list[RollupRow]]] = {}
    for place, part in enumerate((now, then)):
        for row in part:
            # An alert about a node below names no agency, nor does one about what several nodes show.
            if row.domain != RESUPERVISION and (row.agency or row.domain != MATCHING_DOMAIN):
                rows.setdefault((row.node, row.agency), ([], []))[place].append(row)
    found = []
    for (node, code), (present, past) in sorted(rows.items()):
        known = agencies.get(node, {}).get(code)
        found.append(group(node, code, known.name if known else "", 1, present, past))
    return found


def by_branch(
    tree: Tree, top: str, names: Mapping[str, str], now: Sequence[RollupRow], then: Sequence[RollupRow]
) -> list[Group]:
    """The subtree's node alone, then each of its children with everybody below it."""
    found = []
    for nodes in ([top], *(tree.subtree(child) for child in tree.children(top))):
        members = set(nodes)
        found.append(
            group(
                nodes[0], nodes[0], names.get(nodes[0], ""), len(nodes),
                [row for row in now if row.node in members], [row for row in then if row.node in members],
            )
        )  # fmt: skip
    return found


def by_day(period: Period, rows: Sequence[RollupRow]) -> list[DayCounts]:
    """Every day of the period, those without anything too."""
    found = []
    for day in period.days:
        counts = counts_of(row for row in rows if row.day == day)
        found.append(
            DayCounts(day=iso(day), received=counts.received, completed=counts.completed, late=counts.late)
        )
    return found


def by_level(now: Sequence[RollupRow], then: Sequence[RollupRow]) -> list[LevelCount]:
    """Every level, with what became of its alerts."""
    total: dict[str, int] = {}
    past: dict[str, int] = {}
    for rows, sums in ((now, total), (then, past)):
        for row in rows:
            add(sums, row.figures.items())
    return [
        LevelCount(
            level=level,
            raised=total.get(level, 0),
            before=past.get(level, 0),
            states={state: count for state in STATES.values() if (count := total.get(f"{level}.{state}", 0))},
        )
        for level in LEVELS[1:]
    ]
