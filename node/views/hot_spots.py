"""Where alerts concentrate in a subtree: which agency, item, place, line, domain, rule or step.

By agency, item, place, line and domain the daily figures of every node say it. Of rules and steps figures say nothing: there the alerts themselves
are counted, out of the journals that are held here, and the nodes further down are asked; `coverage` says who answered.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from zongheng.v1.query_pb2 import AlertQuestion, Question

from federation.errors import ZonghengError
from federation.query.coverage import Tally
from node.insight.hot_spots import MIN_CASES, Base, Counted, Spot, by_mix, spots
from node.reports.counted import iso
from node.resupervision.rules import DOMAIN as RESUPERVISION
from node.store.rows import RollupRow
from node.supervision.alert import BESIDE, INACTIVE
from node.supervision.alert import State as AlertState
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.levels import LEVELS, STATES
from node.views.message import words_of
from node.views.present import day_of, level_number
from node.views.trend import subtree_of
from node.wallclock import instant, micros

if TYPE_CHECKING:
    from node.run import Node

By = Literal["agency", "item", "place", "line", "domain", "rule", "step"]

DAYS: Final = 90
"""What is looked at where nobody says."""

BASE_DAYS: Final = 365
"""Before the period: what a rule is held against."""

PATIENCE_S: Final = 30.0
_MOST: Final = 100_000
_SETTLED: Final = tuple(
    STATES[state] for state in sorted(INACTIVE) if state != AlertState.Value("ALERT_STATE_CLOSED")
)
"""States in which an alert was nothing: cancelled or corrected."""


class HotSpot(BaseModel):
    """One of them."""

    code: str
    name: str
    node: str
    """Of an agency, whose it is; else empty."""
    alerts: int
    share_percent: float
    """Of all alerts of the period."""
    cases: int | None
    """Received or completed in the period, whichever are more; of a rule those of its domain, of a step how often it was taken; null: not known."""
    expected: float | None
    """Alerts that the base rate gives in as many; null: there is no base."""
    lift: float | None
    """``alerts`` of ``expected``."""
    sampled: bool
    """False: too few cases to say anything."""
    hot: bool
    """At least half as many again as expected, and beyond what a sample of its size brings by chance."""


class CoverageOfNodes(BaseModel):
    expected: int
    answered: int
    unreachable: list[str]


class HotSpots(BaseModel):
    """The hot ones first, then by alerts."""

    node: str
    subtree: str
    by: str
    level: str
    """``cards``: yellow and red; else the one level."""
    domain: str
    from_day: str
    to_day: str
    alerts: int
    base: str
    """What the base rate is."""
    minimum_sample: int
    spots: list[HotSpot]
    coverage: CoverageOfNodes


class _Alert(NamedTuple):
    node: str
    domain: str
    rule: str
    subject: str
    level: int
    state: int
    since_us: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked at."""

    top: str
    members: Sequence[str]
    from_day: int
    to_day: int
    """The day after the last."""
    levels: tuple[str, ...]
    domain: str
    zone: str

    def us(self, day: int) -> int:
        """When a day begins in the node's zone."""
        at = datetime.combine(date.fromordinal(day + EPOCH_ORDINAL), time(), ZoneInfo(self.zone))
        return micros(at)


async def hot_spots(
    node: "Node", by: By, subtree: str, since: str | None, until: str | None, level: str, domain: str
) -> HotSpots:
    """Of the alerts that hold since a day of ``[since, until]``; without them of the last `DAYS`."""
    await node.projector.settled()
    zone = node.settings.zone
    top, members = subtree_of(node, subtree)
    last = day_of(until, zone) or day_of(instant(node.now()).isoformat(), zone)
    first = day_of(since, zone) or last - DAYS + 1
    if first > last:
        raise ZonghengError("bad_request", "the first day comes after the last")
    levels = ("yellow", "red") if level in ("", "cards") else (LEVELS[level_number(level)],)
    asked = _Asked(top, members, first, last + 1, levels, domain, zone)
    coverage = CoverageOfNodes(expected=len(members), answered=len(members), unreachable=[])
    async with node.store.read() as session:
        all_held = {head.origin for head in await session.journal.heads()}.issuperset(members)
    names: dict[str, tuple[str, str, str]] = {}
    if by in ("rule", "step"):
        found, base, coverage = await _of_alerts(node, asked, by, names)
    else:
        found, base = await _of_figures(node, asked, by, names), "the rate of each domain in the subtree"
    return HotSpots(
        node=node.settings.node,
        subtree=top,
        by=by,
        level="cards" if len(levels) > 1 else levels[0],
        domain=domain,
        from_day=iso(first),
        to_day=iso(last),
        alerts=sum(one.alerts for one in found),
        base=base,
        minimum_sample=MIN_CASES,
        spots=[
            _view(one, names.get(one.name, (one.name, "", "")), cases_known=by != "step" or all_held)
            for one in found
        ],
        coverage=coverage,
    )


def _view(spot: Spot, named: tuple[str, str, str], *, cases_known: bool) -> HotSpot:
    based = spot.lift is not None
    return HotSpot(
        code=named[0],
        name=named[1],
        node=named[2],
        alerts=spot.alerts,
        share_percent=round(100 * spot.share, 1),
        cases=spot.cases if cases_known else None,
        expected=round(spot.expected, 1) if based else None,
        lift=None if spot.lift is None else round(spot.lift, 2),
        sampled=spot.sampled and based,
        hot=spot.hot,
    )


async def _of_figures(
    node: "Node", asked: _Asked, by: By, names: dict[str, tuple[str, str, str]]
) -> list[Spot]:
    async with node.store.read() as session:
        rows = await session.rollups.rows(nodes=asked.members, days=range(asked.from_day, asked.to_day))
        held = {head.origin for head in await session.journal.heads()}.intersection(asked.members)
    agencies = {
        (origin, code): agency.name
        for origin in held
        for code, agency in (await node.contexts.of(origin)).agencies.items()
    }
    items = {
        item.code: item.name for origin in held for item in (await node.contexts.of(origin)).context.items
    }
    cards = {card.node: card.name for card in (node.tree.own, *node.tree.descendants())}
    for row in rows:
        match by:
            case "agency":
                said = row.agency, agencies.get((row.node, row.agency), ""), row.node
            case "item":
                said = row.item, items.get(row.item, ""), ""
            case "place":
                said = row.node, cards.get(row.node, ""), ""
            case _:
                said = str(getattr(row, by)), "", ""
        names[_key(row, by)] = said
    return spots(by_mix(counted(rows, asked.levels, lambda row: _key(row, by), asked.domain)))


def _key(row: RollupRow, by: By) -> str:
    match by:
        case "agency":
            # Two nodes may give one code to different agencies.
            return f"{row.node}/{row.agency}"
        case "place":
            return row.node
        case _:
            return str(getattr(row, by))


def counted(
    rows: Sequence[RollupRow], levels: Sequence[str], key: Callable[[RollupRow], str], domain: str = ""
) -> list[Counted]:
    """Alerts that were not taken back, and cases, of each name in each domain. Alerts about nodes and about late steps are no case's."""
    alerts, received, completed = (
        Counter[tuple[str, str]](),
        Counter[tuple[str, str]](),
        Counter[tuple[str, str]](),
    )
    for row in rows:
        if row.domain in {RESUPERVISION, *BESIDE} or domain not in ("", row.domain):
            continue
        at = key(row), row.domain
        alerts[at] += sum(
            row.figures.get(level, 0) - sum(row.figures.get(f"{level}.{state}", 0) for state in _SETTLED)
            for level in levels
        )
        received[at] += row.figures.get("received", 0)
        completed[at] += row.figures.get("completed", 0)
    return [
        Counted(*at, alerts[at], max(received[at], completed[at]))
        for at in sorted(alerts.keys() | received.keys() | completed.keys())
    ]


async def _of_alerts(
    node: "Node", asked: _Asked, by: By, names: dict[str, tuple[str, str, str]]
) -> tuple[list[Spot], str, CoverageOfNodes]:
    from_day = asked.from_day - (BASE_DAYS if by == "rule" else 0)
    held, alerts = await _held_alerts(node, asked, from_day)
    others = [one for one in asked.members if one not in held]
    coverage = CoverageOfNodes(expected=len(asked.members), answered=len(held), unreachable=others)
    if others:
        further, coverage = await _asked_alerts(node, asked, from_day, set(held))
        alerts += further
    own = (await node.contexts.of(node.settings.node)).domains
    begin_us = asked.us(asked.from_day)
    wanted = [one for one in alerts if _counts(one, asked)]
    now = [one for one in wanted if one.since_us >= begin_us]
    if by == "rule":
        then = Counter(one.rule for one in wanted if one.since_us < begin_us)
        async with node.store.read() as session:
            rows = await session.rollups.rows(nodes=asked.members, days=range(from_day, asked.to_day))
        cases = {
            one.name: one.cases
            for one in counted([row for row in rows if row.day >= asked.from_day], (), _domain)
        }
        past = {
            one.name: one.cases
            for one in counted([row for row in rows if row.day < asked.from_day], (), _domain)
        }
        bases = []
        for rule, count in sorted(Counter(one.rule for one in now).items()):
            domain = next(one.domain for one in now if one.rule == rule)
            words = words_of(domain, rule, own)
            names[rule] = rule, words.name_zh if words else "", ""
            rate = then[rule] / past[domain] if past.get(domain) else 0.0
            bases.append(Base(rule, count, cases.get(domain, 0), rate * cases.get(domain, 0)))
        return spots(bases), f"the same rule's rate per case in the {BASE_DAYS} days before", coverage
    steps = Counter(step for one in now if (step := _step(one.subject)))
    taken: Mapping[str, int] = {}
    if not others:
        async with node.store.read() as session:
            taken = Counter()
            for origin in held:
                taken.update(await session.events.steps_between(origin, begin_us, asked.us(asked.to_day)))
    rate = sum(steps.values()) / sum(taken.values()) if taken else 0.0
    names.update({step: (step, "", "") for step in steps})
    bases = [
        Base(step, steps[step], taken.get(step, 0), rate * taken.get(step, 0))
        for step in sorted(steps.keys() | taken.keys())
    ]
    return spots(bases), "the rate of all steps that were taken", coverage


def _domain(row: RollupRow) -> str:
    return row.domain


def _counts(alert: _Alert, asked: _Asked) -> bool:
    return (
        LEVELS[alert.level] in asked.levels
        and STATES[alert.state] not in _SETTLED
        and alert.domain not in {RESUPERVISION, *BESIDE}
        and asked.domain in ("", alert.domain)
    )


def _step(subject: str) -> str:
    """The code of the step that an alert is about; empty: it is about none."""
    part, _, rest = subject.partition(":")
    return rest.rpartition("#")[0] if part == "step" else ""


async def _held_alerts(node: "Node", asked: _Asked, from_day: int) -> tuple[list[str], list[_Alert]]:
    found = []
    async with node.store.read() as session:
        held = sorted({head.origin for head in await session.journal.heads()}.intersection(asked.members))
        for origin in held:
            for one in await session.alerts.on_days(origin, asked.us(from_day), asked.us(asked.to_day)):
                found.append(
                    _Alert(origin, one.domain, one.rule, one.subject, one.level, one.state, one.since_us)
                )
    return held, found


async def _asked_alerts(
    node: "Node", asked: _Asked, from_day: int, held: set[str]
) -> tuple[list[_Alert], CoverageOfNodes]:
    """The alerts of the nodes whose journals are not here."""
    question = Question(subtree=asked.top, limit=_MOST)
    question.alerts.CopyFrom(AlertQuestion(from_us=asked.us(from_day), to_us=asked.us(asked.to_day)))
    tally = Tally(asked.members)
    found = []
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    try:
        async with aclosing(node.asking.answer(question, deadline)) as parts:
            async for part in parts:
                tally.add(part)
                if part.node not in held:
                    found += [
                        _Alert(
                            part.node, one.domain, one.rule, one.subject, one.level, one.state, one.since_us
                        )
                        for one in part.alerts
                    ]
    except ZonghengError as error:
        # Of a node that was never heard of nobody has a copy: it is missing, and the rest stands.
        if error.code != "unknown_node":
            raise
    answered = {one.node for one in tally.coverage().as_of} | held
    missing = sorted(set(asked.members) - answered)
    return found, CoverageOfNodes(
        expected=len(asked.members), answered=len(asked.members) - len(missing), unreachable=missing
    )
