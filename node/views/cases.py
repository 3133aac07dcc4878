"""One case with its clocks explained, and lists of cases."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import BaseModel

from federation.errors import ZonghengError
from node.alerting.concerns import concerns, local_day, posts
from node.people.caller import Caller
from node.projection.context import JournalContext
from node.store.facts import RUNNING, FactsFilter, is_late
from node.store.rows import EventRow, FactsRow
from node.store.store import Session
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.concern import held_on, versions_of
from node.supervision.evaluate import Evaluation, evaluate
from node.supervision.explain import ClockTerms, PauseTerms, explain
from node.supervision.fold import subject
from node.supervision.frame import from_rows
from node.supervision.levels import LEVELS
from node.views import alerts
from node.views.explanation import ConcernView, concern_view
from node.views.present import source_time, time_text, time_us
from node.views.sight import must_see, seen_by
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node

_WEEKDAYS = "一二三四五六日"


class EventView(BaseModel):
    """Times are in the node's zone, as in lists of cases."""

    index: int
    at: str | None
    source_at: str | None
    """``at`` with its source's own offset; null where that is the node's at that instant."""
    received_at: str | None
    kind: str
    agency: str
    actor: str
    item: str
    step: str
    applicant: str
    post: str
    """The responsible post of the step, where the item names one."""
    holders: list[str]
    """Staff numbers of who held it on that day."""
    attributes: dict[str, Any]


class DayView(BaseModel):
    """One day of a derivation."""

    day: str
    weekday: str
    counted: bool
    count: int
    """Counted days up to and including it."""
    reason: str
    reason_en: str


class ClockView(BaseModel):
    """One clock (时限) of the case."""

    clock: str
    """statutory, promised, step, pause, tier, pre_acceptance …"""
    subject: str
    start_at: str | None
    stop_at: str | None
    limit: int | None
    unit: str | None
    extension: int
    due_at: str | None
    source_due_at: str | None
    """``due_at`` with the offset of the zone in which the case's days are counted; null where that is the node's then."""
    over: int | None
    """Days over the deadline; negative: days left (DOMAIN §1)."""
    late: bool | None
    paused: bool | None
    provisional: bool | None
    used: int | None
    days: list[DayView] | None = None
    """Each day, counted or not and why; with ``explain``."""


class CaseView(BaseModel):
    case: str
    origin: str
    domain: str
    item: str
    item_name: str
    agency: str
    state: str
    level: str
    """Highest level that holds as of the instant."""
    late: bool | None
    received_at: str | None
    accepted_at: str | None
    completed_at: str | None
    as_of: str | None
    journal_size: int
    events: list[EventView]
    clocks: list[ClockView]
    alerts: list[alerts.AlertView]
    concerns: dict[str, ConcernView]
    """Alert id → the step that it is about, with its risk points, its post and who held it; alerts about no step are left out."""


class CaseRowView(BaseModel):
    case: str
    item: str
    agency: str
    state: str
    late: bool
    """Completed late, or running here and past its deadline now."""
    received_at: str | None
    accepted_at: str | None
    completed_at: str | None
    statutory_due_at: str | None
    promised_due_at: str | None


class CasePage(BaseModel):
    cases: list[CaseRowView]
    total: int


async def page(
    node: "Node",
    caller: Caller,
    *,
    state: str | None,
    item: str | None,
    agency: str | None,
    from_us: int,
    to_us: int,
    offset: int,
    limit: int,
) -> CasePage:
    """Cases of this node; ``state`` may also be open or late."""
    await node.projector.settled()
    now_us = node.now()
    narrow = FactsFilter(
        states=RUNNING if state == "open" else (state,) if state and state != "late" else (),
        late=True if state == "late" else None,
        as_of_us=now_us if state == "late" else None,
        item=item or "",
        agency=agency or "",
        received_from_us=from_us or None,
        received_to_us=to_us or None,
        agencies=await seen_by(node, caller),
    )
    async with node.store.read() as session:
        rows = await session.facts.page(node.settings.node, narrow, limit, offset)
        total = await session.facts.count(node.settings.node, narrow)
    return CasePage(cases=[_row(row, node.settings.zone, now_us) for row in rows], total=total)


def _row(row: FactsRow, zone: str, now_us: int) -> CaseRowView:
    return CaseRowView(
        case=row.case_id,
        item=row.item,
        agency=row.agency,
        state=row.state,
        late=is_late(row, now_us),
        received_at=time_text(row.received_at_us, zone),
        accepted_at=time_text(row.accepted_at_us, zone),
        completed_at=time_text(row.completed_at_us, zone),
        statutory_due_at=time_text(row.statutory_due_us, zone),
        promised_due_at=time_text(row.promised_due_us, zone),
    )


async def case(node: "Node", caller: Caller, case_id: str, *, explain: bool, as_of: str | None) -> CaseView:
    """One case as of an instant, in the journal that knows most of it: the own one, else a child's."""
    await node.projector.settled()
    as_of_us = time_us(as_of, node.settings.zone) or node.now()
    async with node.store.read() as session:
        origin = node.settings.node
        known = await session.facts.everywhere(case_id)
        if known and origin not in {row.origin for row in known}:
            origin = known[0].origin
        events = await session.events.of_cases(origin, [case_id])
        records = await session.alerts.of_cases(origin, [case_id])
        size = (await session.cursors.get("events", origin)).position
        context = await node.contexts.of(origin)
        concerned = await concerns(session, context, records)
        duties = await _duties(session, context, [row for row in known if row.origin == origin])
    if not events:
        raise ZonghengError("not_found", f"there is no case {case_id} here")
    result = evaluate(from_rows(events), context.context, as_of_us, size, context.domains)
    if result.cases.is_empty():
        raise ZonghengError("not_found", f"nothing had happened in case {case_id} by then")
    facts = result.cases.row(0, named=True)
    await must_see(node, caller, facts["agency"], f"case {case_id}")
    zone = node.settings.zone
    names = {item.code: item.name for item in context.context.items}
    return CaseView(
        case=case_id,
        origin=origin,
        domain=facts["domain"],
        item=facts["item"],
        item_name=names.get(facts["item"], ""),
        agency=facts["agency"],
        state=facts["state"],
        level=LEVELS[facts["level"]],
        late=facts["late"],
        received_at=time_text(facts["received_at_us"], zone),
        accepted_at=time_text(facts["accepted_at_us"], zone),
        completed_at=time_text(facts["completed_at_us"], zone),
        as_of=time_text(as_of_us, zone),
        journal_size=size,
        events=[
            _event(event, zone, context.context.zone, duties)
            for event in sorted(events, key=lambda event: (event.at_us, event.idx))
        ],
        clocks=_clocks(
            result,
            as_of_us,
            zone,
            explain,
            node_hours=context.context.hours,
            calendar=context.context.calendar,
        ),
        alerts=[alerts.view(record, node.settings.zone, context.domains) for record in records],
        concerns={
            alert: shown for alert, one in concerned.items() if (shown := concern_view(one)) is not None
        },
    )


async def _duties(
    session: Session, context: JournalContext, cases: Sequence[FactsRow]
) -> Callable[[EventRow], tuple[str, tuple[str, ...]]]:
    """What says of an event which post its step is the duty of, and who held it then."""
    item = next(iter(versions_of(cases, context.context).values()), None)
    named = {} if item is None else {step.code: step.post for step in item.steps if step.post}
    known = await posts(session, context.origin) if named else {}

    def duty(event: EventRow) -> tuple[str, tuple[str, ...]]:
        code = named.get(event.step, "")
        post = known.get(code)
        return code, () if post is None else held_on(post, local_day(event.at_us, context.zone))

    return duty


def _event(
    event: EventRow, zone: str, unnamed: str, duty: Callable[[EventRow], tuple[str, tuple[str, ...]]]
) -> EventView:
    """``unnamed``: the zone of an event that names none, its journal's; ``duty``: see `_duties`."""
    post, holders = duty(event)
    return EventView(
        index=event.idx,
        at=time_text(event.at_us, zone),
        source_at=source_time(event.at_us, event.zone or unnamed, zone),
        received_at=time_text(event.received_at_us, zone),
        kind=event.kind,
        agency=event.agency,
        actor=event.actor,
        item=event.item,
        step=event.step,
        applicant=event.applicant,
        post=post,
        holders=list(holders),
        attributes=event.attributes,
    )


def _clocks(
    result: Evaluation, as_of_us: int, zone: str, explained: bool, *, node_hours: Any, calendar: Any
) -> list[ClockView]:
    views = []
    for judged in result.judged:
        rows = judged.clocks.with_columns(subject())
        pauses = judged.ground.pauses
        for row in rows.iter_rows(named=True):
            if row["due_at"] is None and row["over"] is None:
                continue
            views.append(
                ClockView(
                    clock=row["name"],
                    subject=row["subject"],
                    start_at=time_text(row["start_at"], zone),
                    stop_at=time_text(row["stop_at"], zone),
                    limit=row["amount"],
                    unit=row["unit"],
                    extension=row["extension"] or 0,
                    due_at=time_text(row["due_at"], zone),
                    source_due_at=source_time(row["due_at"], row["zone"], zone),
                    over=row["over"],
                    late=row["late"],
                    paused=row["paused"],
                    provisional=row["provisional"],
                    used=row["used"],
                    days=_days(
                        row, pauses.filter(pl.col("clock") == row["clock"]), as_of_us, calendar, node_hours
                    )
                    if explained
                    else None,
                )
            )
    return views


def _days(
    row: dict[str, Any], pauses: pl.DataFrame, as_of_us: int, calendar: Any, hours: Any
) -> list[DayView]:
    terms = ClockTerms(
        zone=row["zone"],
        start_at=instant(row["start_at"]),
        unit=row["unit"],
        amount=row["amount"],
        extension=row["extension"] or 0,
        roll_forward=bool(row["roll_forward"]),
        stop_at=_instant(row["stop_at"]),
        stated_due_at=_instant(row["stated_due_at"]),
        stated_due_day=date.fromordinal(row["stated_due_day"] + EPOCH_ORDINAL)
        if row["stated_due_day"] is not None
        else None,
    )
    paused = [
        PauseTerms(instant(pause["start_at"]), _instant(pause["end_at"]), pause["granted"])
        for pause in pauses.iter_rows(named=True)
        if pause["start_at"] is not None
    ]
    explanation = explain(terms, paused, calendar, instant(as_of_us), hours)
    return [
        DayView(
            day=day.day.isoformat(),
            weekday="周" + _WEEKDAYS[day.day.weekday()],
            counted=day.counted,
            count=day.running_count,
            reason=day.zh,
            reason_en=day.en,
        )
        for day in explanation.days
    ]


def _instant(at_us: int | None) -> datetime | None:
    return None if at_us is None else instant(at_us)
