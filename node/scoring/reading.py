"""Scores out of the store: what a journal says up to a size, read, folded and scored. Writes nothing.

Everything is read as of a size: events, catalogue, alerts with the states they then had, sheets, points by hand. So a score that was frozen
at a size comes out the same whenever it is computed again, here or at whichever node holds the journal.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from zongheng.v1.catalogue_pb2 import Item
from zongheng.v1.score_pb2 import ScoreSheet, ScoreStep, ScoreStepKind

from node.projection.context import Contexts, JournalContext
from node.projection.judging import judge
from node.projection.mandates import ABOVE, SHEET, Line
from node.scoring.card import Card, Charge, Given, monthly, over_months, overtaken, with_alerts
from node.scoring.figures import Case, SubjectKind, cases_of, figures_of, most_common
from node.scoring.period import Month, Period
from node.scoring.sheet import DEFAULT, Sheet
from node.store.alerts import AlertFilter
from node.store.events import event_row
from node.store.rows import AlertRecord
from node.store.store import Session, Store
from node.supervision.alert import MATCHING_DOMAIN
from node.supervision.domains.approval.events import DOMAIN as APPROVAL

_AT_ONCE = 5_000

_NOBODYS = "resupervision"
"""Domain of alerts about nodes below: they are not the cases of the journal that has them. Nor are those of matching that name no agency."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A journal up to a size."""

    origin: str
    size: int


@dataclass(frozen=True, slots=True)
class Scored:
    """What one subject came to."""

    subject: str
    agency: str
    group: str
    """Who is comparable with it."""
    ground: Ground
    card: Card
    months: tuple[tuple[str, Card], ...] = field(default=())


def run_name(node: str, kind: SubjectKind, period: str) -> str:
    """The id of the run in which ``node`` scores."""
    return f"{node}-jx-{kind}-{period}"


async def sheet_at(session: Session, scorer: Ground, kind: SubjectKind) -> Sheet:
    """The sheet by which a node scores this kind: the one of that name, else ``performance``; what is mandated goes before its own."""
    for name in (kind.value, DEFAULT.message.name):
        above = [
            (Line.parse(piece.code), piece)
            for piece in await session.catalogue.all(scorer.origin, f"{SHEET}{ABOVE}")
            if piece.idx < scorer.size
        ]
        mandated = [
            (line.steps_up, piece.version, line.sender, piece.body)
            for line, piece in above
            if line.code == name
        ]
        if mandated:
            steps_up, _, sender, body = max(mandated)
            return Sheet(ScoreSheet.FromString(body), sender if steps_up else "")
        own = [
            piece
            for piece in await session.catalogue.versions(scorer.origin, SHEET, name)
            if piece.idx < scorer.size
        ]
        if own:
            return Sheet(ScoreSheet.FromString(own[-1].body))
    return DEFAULT


async def scores(
    store: Store,
    contexts: Contexts,
    scorer: Ground,
    grounds: Sequence[Ground],
    kind: SubjectKind,
    period: Period,
    sheet: Sheet,
) -> list[Scored]:
    """Every subject of ``kind`` in these journals over ``period``, by subject. The journals have to be projected up to their sizes."""
    async with store.read() as session:
        given = await _given(session, scorer, kind, period)
    found: list[Scored] = []
    for ground in grounds:
        found += await _of_journal(store, contexts, ground, kind, period, sheet, given)
    return sorted(found, key=lambda one: one.subject)


async def _of_journal(
    store: Store,
    contexts: Contexts,
    ground: Ground,
    kind: SubjectKind,
    period: Period,
    sheet: Sheet,
    given: dict[tuple[str, str], list[Given]],
) -> list[Scored]:
    context = await contexts.at(ground.origin, ground.size)
    from_us, to_us = period.bounds_us(context.zone)
    async with store.read() as session:
        records = await _alerts(session, ground, from_us, to_us)
        charges = await _charges(session, ground, records)
        of_period = {record.case_id for record in records}
        ids = {*await session.events.cases_between(ground.origin, from_us, to_us, ground.size), *of_period}
    cases = await _cases(store, context, ground, sorted(ids))
    return await asyncio.to_thread(
        _scored, context, ground, kind, period, sheet, cases, records, charges, given
    )


async def _cases(store: Store, context: JournalContext, ground: Ground, ids: Sequence[str]) -> list[Case]:
    cases: list[Case] = []
    for start in range(0, len(ids), _AT_ONCE):
        async with store.read() as session:
            rows = await session.events.rows_of_cases(ground.origin, ids[start : start + _AT_ONCE])
        rows = [row for row in rows if row[2] < ground.size]
        if rows:
            newest = max(row[3] for row in rows)
            folded = await asyncio.to_thread(judge, rows, context, newest, ground.size, None, False)
            cases += cases_of(folded.facts, map(event_row, rows))
    return cases


async def _alerts(session: Session, ground: Ground, from_us: int, to_us: int) -> list[AlertRecord]:
    """The alerts of the period, and all others of their cases: which of a finding's alerts counts does not depend on the period."""
    narrow = AlertFilter(since_from_us=from_us, since_to_us=to_us, below_idx=ground.size)
    records: dict[str, AlertRecord] = {}
    after = -1
    while page := await session.alerts.page(ground.origin, narrow, _AT_ONCE, after):
        records.update((record.alert_id, record) for record in page)
        after = page[-1].idx
    cases = sorted({record.case_id for record in records.values()})
    for start in range(0, len(cases), _AT_ONCE):
        for record in await session.alerts.of_cases(ground.origin, cases[start : start + _AT_ONCE]):
            if record.idx < ground.size:
                records[record.alert_id] = record
    ordered = sorted(records.values(), key=lambda record: record.idx)
    return [
        record
        for record in ordered
        if record.domain != _NOBODYS and (record.agency or record.domain != MATCHING_DOMAIN)
    ]


async def _charges(session: Session, ground: Ground, records: Sequence[AlertRecord]) -> dict[str, Charge]:
    charges: dict[str, Charge] = {}
    for start in range(0, len(records), _AT_ONCE):
        batch = records[start : start + _AT_ONCE]
        steps = await session.steps.of_alerts(ground.origin, [record.alert_id for record in batch])
        for record in batch:
            then = [step for step in steps.get(record.alert_id, ()) if step.idx < ground.size]
            last = then[-1] if then else None
            charges[record.alert_id] = Charge(
                record.alert_id, record.case_id, record.subject, record.rule, record.level,
                record.state if last is None else last.state, record.since_us, record.idx,
                "" if last is None else last.reason, -1 if last is None else last.idx,
            )  # fmt: skip
    return charges


async def _given(
    session: Session, scorer: Ground, kind: SubjectKind, period: Period
) -> dict[tuple[str, str], list[Given]]:
    """(month, subject) → points that people gave; of one indicator the newest."""
    given: dict[tuple[str, str], list[Given]] = {}
    for month in period.months:
        newest: dict[tuple[str, str], Given] = {}
        for row in await session.scores.run(scorer.origin, run_name(scorer.origin, kind, str(month))):
            step = ScoreStep.FromString(row.body)
            if row.idx >= scorer.size:
                continue
            if step.kind == ScoreStepKind.SCORE_STEP_KIND_MARKED:
                key = (step.subject, step.indicator)
            elif step.kind == ScoreStepKind.SCORE_STEP_KIND_APPEAL_DECIDED and step.points:
                key = (step.subject, f"#{row.idx}")
            else:
                continue
            newest[key] = Given(step.item, step.indicator, step.points, step.reason, row.idx)
        for (subject, _), one in newest.items():
            given.setdefault((str(month), subject), []).append(one)
    return given


def _scored(
    context: JournalContext,
    ground: Ground,
    kind: SubjectKind,
    period: Period,
    sheet: Sheet,
    cases: Sequence[Case],
    records: Sequence[AlertRecord],
    charges: dict[str, Charge],
    given: dict[tuple[str, str], list[Given]],
) -> list[Scored]:
    node = ground.origin
    windows = {case.facts.case_id: case.subject(SubjectKind.WINDOW, node) for case in cases}
    of_subject: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        of_subject[case.subject(kind, node)].append(case)
    alerts: dict[str, list[AlertRecord]] = defaultdict(list)
    for record in records:
        alerts[_concerned(record, kind, node, windows)].append(record)
    from_us, to_us = period.bounds_us(context.zone)
    subjects = {
        *of_subject,
        *(one for one, raised in alerts.items() if any(from_us <= each.since_us < to_us for each in raised)),
    }
    if kind is SubjectKind.AGENCY:
        subjects |= context.agencies.keys()
    if kind is SubjectKind.NODE:
        subjects.add(node)
    else:
        subjects |= {subject for _, subject in given}
    ordered = sorted(subjects - {""})
    items = {item.code: item for item in sorted(context.context.items, key=lambda item: item.version)}
    superseded = overtaken(charges.values())
    by_month = {
        month: _month(context, sheet, month, ordered, of_subject, alerts, charges, items, superseded, given)
        for month in period.months
    }
    agencies = {one: _agency(kind, one, of_subject[one], alerts[one]) for one in ordered}
    groups = {one: _group(kind, one, agencies[one], context) for one in ordered}
    return [
        Scored(
            one, agencies[one], groups[one], ground, over_months([by_month[month][at] for month in period.months]),
            tuple((str(month), by_month[month][at]) for month in period.months),
        )
        for at, one in enumerate(ordered)
    ]  # fmt: skip


def _month(
    context: JournalContext,
    sheet: Sheet,
    month: Month,
    subjects: Sequence[str],
    cases: dict[str, list[Case]],
    alerts: dict[str, list[AlertRecord]],
    charges: dict[str, Charge],
    items: dict[str, Item],
    superseded: frozenset[str],
    given: dict[tuple[str, str], list[Given]],
) -> list[Card]:
    from_us, to_us = month.bounds_us(context.zone)
    of_month = [
        [charges[one.alert_id] for one in alerts[subject] if from_us <= one.since_us < to_us]
        for subject in subjects
    ]
    figures = [
        with_alerts(figures_of(cases[subject], items, from_us, to_us, context.zone), held, superseded)
        for subject, held in zip(subjects, of_month, strict=True)
    ]
    points = sheet.indicators(figures)
    return [
        monthly(
            sheet, figures[at], of_month[at], given.get((str(month), subject), ()), points[at], superseded
        )
        for at, subject in enumerate(subjects)
    ]


def _concerned(record: AlertRecord, kind: SubjectKind, node: str, windows: dict[str, str]) -> str:
    match kind:
        case SubjectKind.NODE:
            return node
        case SubjectKind.AGENCY:
            return record.agency
        case SubjectKind.OFFICER:
            return record.actor
        case SubjectKind.WINDOW:
            return windows.get(record.case_id, "")


def _agency(kind: SubjectKind, subject: str, cases: Sequence[Case], alerts: Sequence[AlertRecord]) -> str:
    match kind:
        case SubjectKind.NODE:
            return ""
        case SubjectKind.AGENCY:
            return subject
        case SubjectKind.WINDOW:
            return subject.rpartition("/")[0]
        case SubjectKind.OFFICER:
            return most_common([*(case.facts.agency for case in cases), *(one.agency for one in alerts)])


def _group(kind: SubjectKind, subject: str, agency: str, context: JournalContext) -> str:
    """Agencies are compared with their like (with approvals, without, vertical), officers and windows within their agency, nodes within their tier."""
    if kind is SubjectKind.NODE:
        return context.genesis.tier
    if kind is not SubjectKind.AGENCY:
        return agency
    return agency_group(subject, context)


def agency_group(code: str, context: JournalContext) -> str:
    """Which agencies of one node are comparable with this one: those with approvals, those without, those of a line (vertical)."""
    known = context.agencies.get(code)
    if known is not None and known.superior:
        return "vertical"
    approvals = any(item.agency == code and item.domain in ("", APPROVAL) for item in context.context.items)
    return "approvals" if approvals else "no_approvals"
