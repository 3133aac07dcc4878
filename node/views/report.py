"""One period of this node and its subtree: what came in, what was done, what was late, and who is counted.

All of it is what rollup rows and alert rows say. Every count is of the period, by the day on which a thing happened in its source's zone; the
one part that is of an instant (directives that are open) says so. A share names what it is a share of and is null where that is
nothing. Figures come from every node of the subtree that reported; single cases and rules only from the journals that are held here, which are named.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from federation.errors import ZonghengError
from federation.journal.rotation import LogKeys
from federation.query.tree import Tree
from node.projection.figures import alert_day, in_months
from node.reports.period import Period, period_named
from node.resupervision.rules import DOMAIN as RESUPERVISION
from node.store.facts import RUNNING, FactsFilter
from node.store.rollups import EPOCH, add
from node.store.rows import AlertRecord, FactsRow, RollupRow
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.levels import LEVELS, STATES
from node.views.message import message, words_of
from node.views.present import time_text
from node.wallclock import instant, micros

if TYPE_CHECKING:
    from node.projection.context import JournalContext
    from node.run import Node

MOST_LATE: Final = 1_000
"""Late cases that are listed; `ReportView.late_cases` says how many there are."""

_DAY_US: Final = 86_400_000_000
_PAGE: Final = 2_000


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


class RuleCount(BaseModel):
    domain: str
    rule: str
    name: str
    notice: int
    yellow: int
    red: int
    raised: int
    before: int


class LateCase(BaseModel):
    """A case completed late in the period, or open and past its deadline at its end."""

    node: str
    case: str
    domain: str
    item: str
    agency: str
    due_at: str | None
    completed_at: str | None
    """Null: it was open at the period's end (now, where that is to come)."""
    days_past: int
    """Calendar days begun since the deadline, until it was completed or the period's end."""


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
    end_us = min(now_us, _midnight_us(period, zone))
    late = [
        one for origin in sorted(held) for one in await _late(node, contexts[origin], period, end_us, now_us)
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
        to_day=_iso(period.days[-1]),
        finished=now_us >= _midnight_us(period, zone),
        before=period.before.label,
        made_at=time_text(now_us, zone),
        zone=zone,
        total=_group(top, "", "合计", len(members), now_rows, then_rows),
        domains=_domains(top, len(members), now_rows, then_rows),
        agencies=_agencies(now_rows, then_rows, contexts),
        branches=_branches(tree, top, names, now_rows, then_rows),
        days=_days(period, now_rows),
        alerts=_levels(now_rows, then_rows),
        rules=_rules(alerts, period, contexts),
        late=late[:MOST_LATE],
        late_cases=len(late),
        findings=_findings(node, alerts.get(node.settings.node, []), period, contexts, names, set(members)),
        directives=await _directives(node, set(members), now_us),
        coverage=await _coverage(node, members, held),
    )


def _midnight_us(period: Period, zone: str) -> int:
    """The instant at which a period is over, in this node's zone."""
    return micros(datetime.combine(period.end, time(), ZoneInfo(zone)))


def _iso(day: int) -> str:
    return date.fromordinal(day + EPOCH_ORDINAL).isoformat()


def _counts(rows: Iterable[RollupRow]) -> Counts:
    total: dict[str, int] = {}
    for row in rows:
        add(total, row.figures.items())
    counts = Counts(**{name: total.get(name, 0) for name in Counts.model_fields if name != "on_time_percent"})
    judged = counts.on_time + counts.late
    counts.on_time_percent = round(100 * counts.on_time / judged, 1) if judged else None
    return counts


def _group(
    node: str, code: str, name: str, nodes: int, now: Iterable[RollupRow], then: Iterable[RollupRow]
) -> Group:
    return Group(node=node, code=code, name=name, nodes=nodes, now=_counts(now), before=_counts(then))


def _domains(top: str, nodes: int, now: Sequence[RollupRow], then: Sequence[RollupRow]) -> list[Group]:
    return [
        _group(
            top, code, "", nodes, [row for row in now if row.domain == code],
            [row for row in then if row.domain == code],
        )
        for code in sorted({row.domain for row in (*now, *then)})
    ]  # fmt: skip


def _agencies(
    now: Sequence[RollupRow], then: Sequence[RollupRow], contexts: Mapping[str, "JournalContext"]
) -> list[Group]:
    """By node and agency: two nodes may give one code to different agencies."""
    rows: dict[tuple[str, str], tuple[list[RollupRow], list[RollupRow]]] = {}
    for place, part in enumerate((now, then)):
        for row in part:
            # An alert about a node below names no agency.
            if row.domain != RESUPERVISION:
                rows.setdefault((row.node, row.agency), ([], []))[place].append(row)
    found = []
    for (node, code), (present, past) in sorted(rows.items()):
        known = contexts[node].agencies.get(code) if node in contexts else None
        found.append(_group(node, code, known.name if known else "", 1, present, past))
    return found


def _branches(
    tree: Tree, top: str, names: Mapping[str, str], now: Sequence[RollupRow], then: Sequence[RollupRow]
) -> list[Group]:
    found = []
    for nodes in ([top], *(tree.subtree(child) for child in tree.children(top))):
        members = set(nodes)
        found.append(
            _group(
                nodes[0], nodes[0], names.get(nodes[0], ""), len(nodes),
                [row for row in now if row.node in members], [row for row in then if row.node in members],
            )
        )  # fmt: skip
    return found


def _days(period: Period, rows: Sequence[RollupRow]) -> list[DayCounts]:
    found = []
    for day in period.days:
        counts = _counts(row for row in rows if row.day == day)
        found.append(
            DayCounts(day=_iso(day), received=counts.received, completed=counts.completed, late=counts.late)
        )
    return found


def _levels(now: Sequence[RollupRow], then: Sequence[RollupRow]) -> list[LevelCount]:
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


async def _late(
    node: "Node", context: "JournalContext", period: Period, end_us: int, now_us: int
) -> list[LateCase]:
    """Cases of one journal: completed late in the period, and past their deadline at its end."""
    origin, zone = context.origin, node.settings.zone
    found: dict[str, tuple[FactsRow, int | None]] = {}
    async with node.store.read() as session:
        for row in await session.facts.touching(origin, period.days):
            if any(row.figures.get(str(day), {}).get("late") for day in period.days):
                found[row.case_id] = (row, row.completed_at_us)
        # Completed since: whether it was past its deadline at the end of the period is computed back.
        since = [
            day for day in await session.facts.days(origin) if period.days[-1] < day <= now_us // _DAY_US + 1
        ]
        for days in in_months(since):
            for row in await session.facts.touching(origin, days):
                if row.state == "completed" and row.case_id not in found and _open_and_past(row, end_us):
                    found[row.case_id] = (row, None)
        offset = 0
        narrow = FactsFilter(states=RUNNING, late=True, as_of_us=end_us, received_to_us=end_us)
        while page := await session.facts.page(origin, narrow, _PAGE, offset):
            found.update((row.case_id, (row, None)) for row in page)
            offset += len(page)
    return [
        _late_case(row, completed_us, end_us, zone)
        for row, completed_us in found.values()
        if _due_us(row) is not None
    ]


def _due_us(row: FactsRow) -> int | None:
    """The statutory due; the promised one where there is no statutory."""
    return row.promised_due_us if row.statutory_due_us is None else row.statutory_due_us


def _open_and_past(row: FactsRow, at_us: int) -> bool:
    due_us = _due_us(row)
    began_us = row.received_at_us or row.accepted_at_us or 0
    return (
        due_us is not None
        and due_us < at_us
        and began_us < at_us
        and row.completed_at_us is not None
        and row.completed_at_us >= at_us
    )


def _late_case(row: FactsRow, completed_us: int | None, end_us: int, zone: str) -> LateCase:
    due_us = _due_us(row) or 0
    past_us = (end_us if completed_us is None else completed_us) - due_us
    return LateCase(
        node=row.origin,
        case=row.case_id,
        domain=row.domain,
        item=row.item,
        agency=row.agency,
        due_at=time_text(due_us, zone),
        completed_at=time_text(completed_us, zone),
        days_past=max(1, -(-past_us // _DAY_US)),
    )


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
