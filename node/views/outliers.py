"""Who stands out among comparable agencies, nodes or children, by how large a sample (``insight.funnel``).

*Comparable* is said with each group: agencies of one node that all have approvals, or all have none, or all answer to a line (as scores rank them);
nodes of one tier; the children of a node of one tier, each with everybody below it. Out of the daily figures of whoever reported.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel

from federation.errors import ZonghengError
from federation.query.tree import Tree
from node.insight.funnel import Kind, Member, funnel
from node.insight.hot_spots import by_mix
from node.reports.counted import iso
from node.resupervision.rules import DOMAIN as RESUPERVISION
from node.scoring.reading import agency_group
from node.store.rows import RollupRow
from node.views.hot_spots import counted
from node.views.present import day_of
from node.views.trend import subtree_of
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node

By = Literal["agency", "node", "child"]
Measure = Literal["late", "cards", "cancelled"]

DAYS: Final = 180
MINIMUM: Final = {"late": 20, "cards": 20, "cancelled": 10}
"""Sample below which nothing is said."""

_WORDS: Final = {
    "approvals": "agencies of one node that handle approvals",
    "no_approvals": "agencies of one node that handle none",
    "vertical": "agencies of one node that answer to a line",
}
_KINDS: Final[dict[str, Kind]] = {"late": "share", "cards": "rate", "cancelled": "share"}
_LEVELS: Final = ("yellow", "red")


class OutlierMember(BaseModel):
    """One of a group."""

    node: str
    code: str
    name: str
    count: int
    of: int
    """The sample: cases with a deadline completed; cases; cards."""
    percent: float | None
    """``count`` of ``of``; null: there is no sample."""
    expected: float
    """What is common to the group, in a sample like this."""
    low: int
    high: int
    """Counts in between are nothing to speak of in a sample of this size."""
    surprise: float
    """In standard deviations; positive: more than is common."""
    sampled: bool
    """False: too small a sample to say anything."""
    verdict: str
    """high, low, or empty: it does not stand out."""


class OutlierGroup(BaseModel):
    """Comparable ones."""

    comparable: str
    """In words."""
    common_percent: float | None
    """The share that is common to them; of ``cards`` null: each is held to what its domains bring."""
    spread: float
    limit: float
    members: list[OutlierMember]
    """Those that stand out first, the most surprising first."""


class Outliers(BaseModel):
    node: str
    subtree: str
    by: str
    measure: str
    from_day: str
    to_day: str
    minimum_sample: int
    groups: list[OutlierGroup]
    not_compared: int
    """Agencies, nodes or children that have fewer than four comparable ones with a sample."""


@dataclass(frozen=True, slots=True)
class _One:
    """One of those compared, with its rows."""

    key: str
    node: str
    code: str
    name: str
    rows: Sequence[RollupRow]


async def outliers(
    node: "Node", by: By, measure: Measure, subtree: str, since: str | None, until: str | None
) -> Outliers:
    """Over the days ``[since, until]``; without them the last `DAYS`."""
    await node.projector.settled()
    zone = node.settings.zone
    top, members = subtree_of(node, subtree)
    last = day_of(until, zone) or day_of(instant(node.now()).isoformat(), zone)
    first = day_of(since, zone) or last - DAYS + 1
    if first > last:
        raise ZonghengError("bad_request", "the first day comes after the last")
    async with node.store.read() as session:
        rows = [
            row
            for row in await session.rollups.rows(nodes=members, days=range(first, last + 1))
            if row.domain != RESUPERVISION
        ]
    grouped = await _GROUPINGS[by](node, top, members, rows)
    groups, alone = [], 0
    for comparable, ones in sorted(grouped.items()):
        group = _group(comparable, ones, measure)
        if group is None:
            alone += len(ones)
        else:
            groups.append(group)
    return Outliers(
        node=node.settings.node,
        subtree=top,
        by=by,
        measure=measure,
        from_day=iso(first),
        to_day=iso(last),
        minimum_sample=MINIMUM[measure],
        groups=groups,
        not_compared=alone,
    )


async def _agencies(
    node: "Node", top: str, members: Sequence[str], rows: Sequence[RollupRow]
) -> dict[str, list[_One]]:
    by_agency: dict[tuple[str, str], list[RollupRow]] = {}
    for row in rows:
        if row.agency:
            by_agency.setdefault((row.node, row.agency), []).append(row)
    async with node.store.read() as session:
        held = {head.origin for head in await session.journal.heads()}
    found: dict[str, list[_One]] = {}
    for (origin, code), its in sorted(by_agency.items()):
        if origin not in held:
            continue
        context = await node.contexts.of(origin)
        known = context.agencies.get(code)
        comparable = f"{_WORDS[agency_group(code, context)]} ({origin})"
        one = _One(f"{origin}/{code}", origin, code, known.name if known else "", its)
        found.setdefault(comparable, []).append(one)
    return found


async def _nodes(
    node: "Node", top: str, members: Sequence[str], rows: Sequence[RollupRow]
) -> dict[str, list[_One]]:
    return _by_tier(node, {one: [one] for one in members}, rows, "nodes of one tier")


async def _children(
    node: "Node", top: str, members: Sequence[str], rows: Sequence[RollupRow]
) -> dict[str, list[_One]]:
    tree = Tree(node.settings.node, node.tree.descendants())
    whole = {child: list(tree.subtree(child)) for child in tree.children(top)}
    return _by_tier(node, whole, rows, f"children of {top} of one tier, each with everybody below it")


def _by_tier(
    node: "Node", nodes: dict[str, list[str]], rows: Sequence[RollupRow], words: str
) -> dict[str, list[_One]]:
    cards = {card.node: card for card in (node.tree.own, *node.tree.descendants())}
    of = {below: top for top, members in nodes.items() for below in members}
    by_top: dict[str, list[RollupRow]] = {top: [] for top in nodes}
    for row in rows:
        if row.node in of:
            by_top[of[row.node]].append(row)
    found: dict[str, list[_One]] = {}
    for top, its in by_top.items():
        card = cards[top]
        found.setdefault(f"{words}: {card.tier}", []).append(_One(top, top, top, card.name, its))
    return found


_GROUPINGS: Final[dict[str, Callable[..., Coroutine[object, object, dict[str, list[_One]]]]]] = {
    "agency": _agencies,
    "node": _nodes,
    "child": _children,
}


def _group(comparable: str, ones: Sequence[_One], measure: Measure) -> OutlierGroup | None:
    kind = _KINDS[measure]
    members = (
        _cards(ones) if measure == "cards" else [Member(one.key, *_share(one.rows, measure)) for one in ones]
    )
    found = funnel(members, MINIMUM[measure], kind)
    if found is None:
        return None
    known = {one.key: one for one in ones}
    placed = sorted(found.placed, key=lambda one: (not one.verdict, -abs(one.surprise), one.name))
    return OutlierGroup(
        comparable=comparable,
        common_percent=round(100 * found.common, 1) if kind == "share" else None,
        spread=round(found.spread, 2),
        limit=round(found.limit, 2),
        members=[
            OutlierMember(
                node=known[one.name].node,
                code=known[one.name].code,
                name=known[one.name].name,
                count=one.count,
                of=one.of,
                percent=round(100 * one.count / one.of, 1) if one.of else None,
                expected=round(one.expected, 1),
                low=one.low,
                high=one.high,
                surprise=round(one.surprise, 2),
                sampled=one.sampled,
                verdict=one.verdict,
            )
            for one in placed
        ],
    )


def _cards(ones: Sequence[_One]) -> list[Member]:
    """Cards per case, each held to what its cases of every domain would bring in this group."""
    rows = []
    for one in ones:
        rows += counted(one.rows, _LEVELS, lambda row, key=one.key: key)  # type: ignore[misc]
    bases = {base.name: base for base in by_mix(rows)}
    return [
        Member(one.key, base.alerts, base.cases, base.expected)
        if (base := bases.get(one.key)) is not None
        else Member(one.key, 0, 0)
        for one in ones
    ]


def _share(rows: Sequence[RollupRow], measure: Measure) -> tuple[int, int]:
    def total(*names: str) -> int:
        return sum(row.figures.get(name, 0) for row in rows for name in names)

    if measure == "late":
        return total("late"), total("on_time", "late")
    return total("yellow.cancelled", "red.cancelled"), total(*_LEVELS)
