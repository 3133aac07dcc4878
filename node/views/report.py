"""One period of this node and its subtree: what came in, what was done, what was late, and who is counted.

All of it is what rollup rows and alert rows say. Every count is of the period, by the day on which a thing happened in its source's zone; the
one part that is of an instant (directives that are open) says so. A share names what it is a share of and is null where that is
nothing. Figures come from every node of the subtree that reported; single cases and rules only from the journals that are held here, which are named.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from federation.errors import ZonghengError
from federation.journal.rotation import LogKeys
from federation.query.tree import Tree
from node.alerting.acted import acted
from node.projection.figures import alert_day
from node.reports.counted import (
    DayCounts,
    Group,
    LevelCount,
    by_agency,
    by_branch,
    by_day,
    by_domain,
    by_level,
    group,
    iso,
)
from node.reports.late import LateCase, late_cases
from node.reports.period import Period, period_named
from node.resupervision.rules import DOMAIN as RESUPERVISION
from node.store.rollups import EPOCH
from node.store.rows import AlertRecord
from node.supervision.levels import LEVELS, STATES
from node.views.alert_times import TimesRow, rows_of
from node.views.hot_spots import By, HotSpot, hot_spots
from node.views.message import message, words_of
from node.views.present import time_text
from node.views.trend import TrendPeriod, recent
from node.wallclock import instant, micros

if TYPE_CHECKING:
    from node.projection.context import JournalContext
    from node.run import Node

MOST_LATE: Final = 1_000
"""Late cases that are listed; `ReportView.late_cases` says how many there are."""

_HOT_BY: Final[tuple[By, ...]] = ("agency", "item", "place")

_DAY_US: Final = 86_400_000_000
_PAGE: Final = 2_000


class RuleCount(BaseModel):
    domain: str
    rule: str
    name: str
    notice: int
    yellow: int
    red: int
    raised: int
    before: int


class Finding(BaseModel):
    """What re-supervision found about a node below, in the period."""

    child: str
    name: str
    rule: str
    level: str
    state: str
    since: str | None
    message: str


class DirectiveRow(BaseModel):
    """A directive that is open when the report is made, one row a handler."""

    directive: str
    title: str
    handler: str
    stage: str
    due_at: str | None
    overdue: bool


class HotRow(HotSpot):
    """A hot spot of the period."""

    by: str
    """agency, item or place."""


class NodeRow(BaseModel):
    """Whether a node's figures are in."""

    node: str
    name: str
    tier: str
    journal_size: int
    """Of its newest signed head that is known here."""
    signed_at: str | None
    figures_size: int
    """Its journal size at which a figure of it changed last; 0: no figures of it are here."""
    held: bool
    """Its journal is held here: its cases and rules can be listed."""


class ReportView(BaseModel):
    """A report. Whatever names no instant is of the period."""

    node: str
    subtree: str
    name: str
    """Of the subtree's node."""
    period: str
    label: str
    words: str
    from_day: str
    to_day: str
    """The last day."""
    finished: bool
    """False: the period is not over, and its counts go up to ``made_at``."""
    before: str
    """The label of the period that is compared with."""
    made_at: str | None
    zone: str
    total: Group
    domains: list[Group]
    agencies: list[Group]
    branches: list[Group]
    """The subtree's node alone, then each of its children with everybody below it."""
    days: list[DayCounts]
    alerts: list[LevelCount]
    rules: list[RuleCount]
    late: list[LateCase]
    late_cases: int
    acted: list[TimesRow]
    """Steps of alerts, directives and appeals that fell due in the period, of the journals that are held here."""
    trend: list[TrendPeriod]
    hot: list[HotRow]
    findings: list[Finding]
    directives: list[DirectiveRow]
    coverage: list[NodeRow]


async def report(node: "Node", kind: str, of: str, subtree: str) -> ReportView:
    """The report of a period (``node.reports.period``). ``ZonghengError``: there is no such period or no such node."""
    await node.projector.settled()
    now_us, zone = node.now(), node.settings.zone
    today = instant(now_us).astimezone(ZoneInfo(zone)).date()
    period = period_named(kind, of, today)
    top = node.settings.node if subtree in ("", ".") else subtree
    tree = Tree(node.settings.node, node.tree.descendants())
    members = tree.subtree(top)
    if not members:
        raise ZonghengError("unknown_node", f"{top} is not known below {node.settings.node}")
    async with node.store.read() as session:
        now_rows = await session.rollups.rows(nodes=members, days=period.days)
        then_rows = await session.rollups.rows(nodes=members, days=period.before.days)
        held = {head.origin for head in await session.journal.heads()}.intersection(members)
    contexts = {origin: await node.contexts.of(origin) for origin in sorted(held)}
    names = {card.node: card.name for card in (node.tree.own, *node.tree.descendants())}
    begin_us, end_us = (
        micros(datetime.combine(period.first, time(), ZoneInfo(zone))),
        min(now_us, _midnight_us(period, zone)),
    )
    late = [
        one
        for origin in sorted(held)
        for one in await late_cases(node.store, origin, period, end_us, now_us, zone)
    ]
    late.sort(key=lambda one: (-one.days_past, one.node, one.case))
    alerts = {origin: await _alerts(node, contexts[origin], period) for origin in contexts}
    return ReportView(
        node=node.settings.node,
        subtree=top,
        name=names.get(top, ""),
        period=period.kind,
        label=period.label,
        words=period.words,
        from_day=period.first.isoformat(),
        to_day=iso(period.days[-1]),
        finished=now_us >= _midnight_us(period, zone),
        before=period.before.label,
        made_at=time_text(now_us, zone),
        zone=zone,
        total=group(top, "", "合计", len(members), now_rows, then_rows),
        domains=by_domain(top, len(members), now_rows, then_rows),
        agencies=by_agency(now_rows, then_rows, {origin: one.agencies for origin, one in contexts.items()}),
        branches=by_branch(tree, top, names, now_rows, then_rows),
        days=by_day(period, now_rows),
        alerts=by_level(now_rows, then_rows),
        rules=_rules(alerts, period, contexts),
        late=late[:MOST_LATE],
        late_cases=len(late),
        acted=rows_of(
            [one for one in await acted(node, begin_us, _midnight_us(period, zone)) if one.node in members],
            now_us,
        ),
        trend=await recent(node, period, members, today),
        hot=await _hot(node, period, top),
        findings=_findings(node, alerts.get(node.settings.node, []), period, contexts, names, set(members)),
        directives=await _directives(node, set(members), now_us),
        coverage=await _coverage(node, members, held),
    )


async def _hot(node: "Node", period: Period, top: str) -> list[HotRow]:
    """What is hot by agency, item and place, out of the daily figures."""
    first, last = period.first.isoformat(), iso(period.days[-1])
    found: list[HotRow] = []
    for by in _HOT_BY:
        spots = await hot_spots(node, by, top, first, last, "cards", "")
        found += [HotRow(by=by, **one.model_dump()) for one in spots.spots if one.hot]
    return found


def _midnight_us(period: Period, zone: str) -> int:
    """The instant at which a period is over, in this node's zone."""
    return micros(datetime.combine(period.end, time(), ZoneInfo(zone)))


async def _alerts(node: "Node", context: "JournalContext", period: Period) -> list[AlertRecord]:
    """Alerts of a journal of this period and the one before, as its figures count them."""
    days = (*period.before.days, *period.days)
    async with node.store.read() as session:
        # A local day lies within 14 hours of the same UTC day.
        found = await session.alerts.on_days(
            context.origin, (days[0] - 1) * _DAY_US, (days[-1] + 2) * _DAY_US
        )
    return [alert for alert in found if days[0] <= alert_day(alert, context.zone) <= days[-1]]


def _rules(
    alerts: Mapping[str, Sequence[AlertRecord]], period: Period, contexts: Mapping[str, "JournalContext"]
) -> list[RuleCount]:
    found: dict[tuple[str, str], RuleCount] = {}
    for origin, records in alerts.items():
        context = contexts[origin]
        for alert in records:
            key = (alert.domain, alert.rule)
            if key not in found:
                words = words_of(*key, context.domains)
                name = words.name_zh if words else alert.rule
                found[key] = RuleCount(
                    domain=alert.domain, rule=alert.rule, name=name, notice=0, yellow=0, red=0, raised=0, before=0
                )  # fmt: skip
            count = found[key]
            if alert_day(alert, context.zone) in period.days:
                level = LEVELS[alert.level]
                setattr(count, level, getattr(count, level) + 1)
                count.raised += 1
            else:
                count.before += 1
    return sorted(found.values(), key=lambda one: (-one.raised, one.domain, one.rule))


def _findings(
    node: "Node",
    alerts: Sequence[AlertRecord],
    period: Period,
    contexts: Mapping[str, "JournalContext"],
    names: Mapping[str, str],
    members: set[str],
) -> list[Finding]:
    found = []
    for alert in alerts:
        if alert.domain != RESUPERVISION or alert.case_id not in members:
            continue
        context = contexts[alert.origin]
        if alert_day(alert, context.zone) in period.days:
            words = words_of(alert.domain, alert.rule)
            zone = node.settings.zone
            found.append(
                Finding(
                    child=alert.case_id,
                    name=names.get(alert.case_id, ""),
                    rule=words.name_zh if words else alert.rule,
                    level=LEVELS[alert.level],
                    state=STATES[alert.state],
                    since=time_text(alert.since_us or alert.raised_at_us, zone),
                    message=message(alert, zone, "zh", context.domains),
                )
            )
    return found


async def _directives(node: "Node", members: set[str], now_us: int) -> list[DirectiveRow]:
    found, after = [], ""
    while page := await node.directives.directives(after, _PAGE):
        after = page[-1].id
        for one in page:
            content = one.content
            if content is None or one.is_over or not one.is_out:
                continue
            for handler in one.handlers.values():
                if handler.node in members and handler.stage != "accepted":
                    due_us = handler.due_at_us(content)
                    found.append(
                        DirectiveRow(
                            directive=one.id,
                            title=content.title,
                            handler=handler.node,
                            stage=handler.stage,
                            due_at=time_text(due_us, node.settings.zone),
                            overdue=now_us > due_us,
                        )
                    )
    return found


async def _coverage(node: "Node", members: Sequence[str], held: set[str]) -> list[NodeRow]:
    found = []
    async with node.store.read() as session:
        heads = {head.origin: head for head in await session.journal.heads()}
        versions = {member: await session.rollups.version(member) for member in members}
    for member in members:
        card = node.tree.own if member == node.settings.node else node.tree.get(member)
        if card is None:
            continue
        if member in held:
            size, signed_us = heads[member].size, heads[member].signed_at_us
        else:
            size = LogKeys.of(card).open(card.checkpoint).size if card.checkpoint else 0
            signed_us = card.checkpoint_at_us
        found.append(
            NodeRow(
                node=member,
                name=card.name,
                tier=card.tier,
                journal_size=size,
                signed_at=time_text(signed_us, node.settings.zone),
                figures_size=versions[member] % EPOCH,
                held=member in held,
            )
        )
    return found
