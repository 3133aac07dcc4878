"""Inspection of alerts (发牌巡检) on demand: every alert of every journal held here marked right, wrong or undetermined, and what is missing."""

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.projection.entries import IMPORT_FINISHED
from node.projection.judging import judge
from node.resupervision.inspection import Mark, inspected, rule_of
from node.resupervision.looking import missing
from node.resupervision.observed import Raised
from node.resupervision.watching import CURSOR, RULE
from node.store.alerts import AlertFilter
from node.store.rows import Head
from node.supervision.levels import LEVELS
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node

_AT_ONCE = 2_000


class InspectedAlert(BaseModel):
    """One alert that is not simply right."""

    mark: str
    """wrong, missing, undetermined, early."""
    alert_id: str
    """Of a missing one: the id it would have."""
    case: str
    subject: str
    rule: str
    level: str
    since: str | None
    index: int | None
    """The entry that raised it; null: none did."""
    why: str


class InspectedNode(BaseModel):
    """What the inspection of one journal comes to."""

    node: str
    journal_size: int
    as_of: str | None
    """The instant, by the child's own clock, up to which its cases were judged for what is missing."""
    right: int
    wrong: int
    missing: int
    undetermined: int
    early: int
    """Found here and not raised there, of which it is not certain that the child had the time."""
    alerts: list[InspectedAlert]


class InspectionView(BaseModel):
    """The inspection of some journals."""

    agreed: bool
    """Nothing is wrong and nothing is missing."""
    nodes: list[InspectedNode]


async def inspect(node: "Node", child: str | None) -> InspectionView:
    """Inspect one child's alerts, or those of every child. ``ZonghengError`` for a node whose journal is not here."""
    await node.projector.settled()
    async with node.store.read() as session:
        heads = [head for head in await session.journal.heads() if head.origin != node.settings.node]
    if child is not None:
        heads = [head for head in heads if head.origin == child]
        if not heads:
            raise ZonghengError("unknown_node", f"no journal of {child} is held here")
    nodes = [await _inspected(node, head) for head in heads]
    return InspectionView(agreed=all(not one.wrong and not one.missing for one in nodes), nodes=nodes)


async def _inspected(node: "Node", head: Head) -> InspectedNode:
    origin, zone = head.origin, node.settings.zone
    counts = dict.fromkeys(Mark, 0)
    listed: list[InspectedAlert] = []
    context = await node.contexts.of(origin)
    after = -1
    while True:
        async with node.store.read() as session:
            page = await session.alerts.page(origin, AlertFilter(), _AT_ONCE, after)
            leaves = await session.journal.entries(origin, [alert.idx for alert in page])
        entries = [(idx, Entry.FromString(leaf)) for idx, leaf in leaves]
        raised = [Raised(idx, entry.noted_at_us, entry.alert_raised) for idx, entry in entries]
        asked = [one for one in raised if inspected(one.alert, context)]
        for verdict in await node.standing.inspection.of(origin, asked):
            counts[verdict.mark] += 1
            if verdict.mark is not Mark.RIGHT:
                alert = verdict.alert
                listed.append(
                    InspectedAlert(
                        mark=verdict.mark,
                        alert_id=alert.alert_id,
                        case=alert.case_id,
                        subject=alert.subject,
                        rule=alert.rule,
                        level=LEVELS[alert.level],
                        since=time_text(alert.since_us, zone),
                        index=verdict.idx,
                        why=verdict.why,
                    )
                )
        if len(page) < _AT_ONCE:
            break
        after = page[-1].idx
    as_of = await _absent(node, origin, counts, listed)
    return InspectedNode(
        node=origin,
        journal_size=head.size,
        as_of=time_text(as_of, zone),
        right=counts[Mark.RIGHT],
        wrong=counts[Mark.WRONG],
        missing=counts[Mark.MISSING],
        undetermined=counts[Mark.UNDETERMINED],
        early=counts[Mark.EARLY],
        alerts=listed,
    )


async def _absent(node: "Node", origin: str, counts: dict[Mark, int], listed: list[InspectedAlert]) -> int:
    """Judge every case of a child for what it did not raise; returns the instant up to which."""
    zone = node.settings.zone
    async with node.store.read() as session:
        ripe = [one for one in await session.conduct.suspects(origin) if one.ripe]
        as_of = (await session.cursors.get(CURSOR, origin)).version
        size = (await session.cursors.get("facts", origin)).position
        cases = await session.facts.cases_of_item(origin, None)
        finished = {piece.code for piece in await session.catalogue.all(origin, IMPORT_FINISHED)}
        runs = {piece.code: piece.version for piece in await session.catalogue.all(origin, RULE)}
    for one in ripe:
        counts[Mark.MISSING] += 1
        listed.append(
            InspectedAlert(
                mark=Mark.MISSING,
                alert_id=one.alert_id,
                case=one.case_id,
                subject=one.subject,
                rule=one.rule,
                level=LEVELS[one.level],
                since=time_text(one.since_us, zone),
                index=None,
                why=f"found at journal size {one.size}; it had the time to raise it",
            )
        )
    known_missing = {(one.case_id, one.subject, one.rule, one.level) for one in ripe}
    context = await node.contexts.of(origin)
    for start in range(0, len(cases), _AT_ONCE):
        batch = cases[start : start + _AT_ONCE]
        async with node.store.read() as session:
            rows = await session.events.rows_of_cases(origin, batch)
            known = await session.alerts.of_cases(origin, batch)
        if not rows or not as_of:
            continue
        judgement = await asyncio.to_thread(judge, rows, context, as_of, size, finished, True)
        for finding in missing(judgement.findings, known):
            rule = rule_of(context, finding.rule)
            runs_here = rule is not None and rule.reruns_elsewhere and runs.get(rule.code) == rule.version
            key = (finding.case_id, finding.subject, finding.rule, int(finding.level))
            if not runs_here or key in known_missing:
                continue
            counts[Mark.EARLY] += 1
            listed.append(
                InspectedAlert(
                    mark=Mark.EARLY,
                    alert_id="",
                    case=finding.case_id,
                    subject=finding.subject,
                    rule=finding.rule,
                    level=finding.level.word,
                    since=time_text(finding.since_us, zone),
                    index=None,
                    why="not raised so far; it may be on its way",
                )
            )
    return as_of
