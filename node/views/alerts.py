"""Alerts as people and programs read them, and the first decision about one: issue it or cancel it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel
from zongheng.v1.entry_pb2 import ALERT_STATE_CANCELLED, ALERT_STATE_ISSUED

from federation.errors import ZonghengError
from node.people.caller import Caller
from node.store.alerts import AlertFilter
from node.store.rows import AlertRecord
from node.supervision.fold import Domain
from node.supervision.levels import LEVELS, STATES
from node.views.message import message
from node.views.present import level_number, state_number, time_text
from node.views.sight import must_see, seen_by

if TYPE_CHECKING:
    from node.run import Node


class AlertView(BaseModel):
    """One alert of this node. Times are ISO 8601 with the node's offset; null where there is none."""

    alert_id: str
    case: str
    subject: str
    domain: str
    rule: str
    level: str
    state: str
    episode: int
    since: str | None
    """The computed instant from which it holds."""
    due_at: str | None
    """The deadline it rests on."""
    raised_at: str | None
    over: int
    """Days over that deadline when it was raised (DOMAIN §1), or the rule's own number."""
    agency: str
    item: str
    actor: str
    index: int
    """Journal index of the entry that raised it."""
    journal_size: int
    policy_version: int
    calendar_version: str
    mandates: str
    """The policies from above that applied besides: ``<sender>:<version>``, with ``><node>`` where one was addressed to that node."""
    message: str


class AlertPage(BaseModel):
    """Some alerts in journal order."""

    alerts: list[AlertView]
    next: int | None
    """Pass as ``after`` for the next page; null: that was all."""


class Decision(BaseModel):
    """What a person decides about a pending alert."""

    by: str = ""
    """Staff number of who decides; over the network it is whoever asks."""
    cancel: str | None = None
    """Reason to cancel it, not empty; null: issue it."""


def view(record: AlertRecord, zone: str, domains: Sequence[Domain] = ()) -> AlertView:
    """How a record is shown; ``domains`` as for `message`."""
    return AlertView(
        alert_id=record.alert_id,
        case=record.case_id,
        subject=record.subject,
        domain=record.domain,
        rule=record.rule,
        level=LEVELS[record.level],
        state=STATES[record.state],
        episode=record.episode,
        since=time_text(record.since_us, zone),
        due_at=time_text(record.due_at_us, zone),
        raised_at=time_text(record.raised_at_us, zone),
        over=record.over,
        agency=record.agency,
        item=record.item,
        actor=record.actor,
        index=record.idx,
        journal_size=record.journal_size,
        policy_version=record.policy_version,
        calendar_version=record.calendar_version,
        mandates=record.mandates,
        message=message(record, zone, "zh", domains),
    )


async def page(
    node: "Node",
    caller: Caller,
    *,
    level: str | None,
    domain: str | None = None,
    rule: str | None,
    case: str | None,
    state: str | None,
    agency: str | None,
    after: int,
    limit: int,
) -> AlertPage:
    """Alerts by filter, once everything journalled so far has been judged."""
    await node.projector.settled()
    seen = await seen_by(node, caller)
    async with node.store.read() as session:
        narrow = AlertFilter(
            level=level_number(level) or None,
            domain=domain or "",
            rule=rule or "",
            case_id=case or "",
            states=(state_number(state),) if state else (),
            agency=agency or "",
            agencies=seen,
        )
        records = await session.alerts.page(node.settings.node, narrow, limit, after)
    domains = (await node.contexts.of(node.settings.node)).domains
    shown = [view(record, node.settings.zone, domains) for record in records]
    return AlertPage(alerts=shown, next=records[-1].idx if len(records) == limit else None)


async def newest(node: "Node", caller: Caller, count: int) -> list[AlertView]:
    """The newest alerts that the caller sees, the newest first, for the page."""
    narrow = AlertFilter(agencies=await seen_by(node, caller))
    async with node.store.read() as session:
        records = await session.alerts.latest(node.settings.node, narrow, count)
    domains = (await node.contexts.of(node.settings.node)).domains
    return [view(record, node.settings.zone, domains) for record in records]


async def decide(node: "Node", caller: Caller, alert_id: str, decision: Decision) -> AlertView:
    """Issue or cancel a pending alert; the decision is an entry. ``ZonghengError`` when it is not pending."""
    by = caller.signing(decision.by)
    if not by:
        raise ZonghengError("bad_request", "say who decides (by): a staff number")
    if not await node.projector.settled():
        raise ZonghengError("busy", "the node is still reading its journal; decide when it has caught up")
    # An empty reason is a cancellation without one, which is refused; it must not turn into a card.
    state = ALERT_STATE_ISSUED if decision.cancel is None else ALERT_STATE_CANCELLED
    async with node.store.read() as session:
        known = await session.alerts.get(node.settings.node, alert_id)
    if known is not None:
        await must_see(node, caller, known.agency, f"alert {alert_id}")
    record = await node.raising.decide(alert_id, state, by, decision.cancel or "")
    await node.projector.settled()
    return view(record, node.settings.zone)
