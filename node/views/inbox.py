"""The inbox: what somebody is told of, a question about the steps of alerts."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from node.alerting.audience import told_in
from node.alerting.concerns import concerns
from node.people.caller import Caller
from node.people.roles import Role
from node.supervision.levels import STATES
from node.views import alerts
from node.views.present import time_text
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node


class InboxItem(BaseModel):
    """A step that somebody is told of."""

    index: int
    at: str | None
    state: str
    by: str
    reason: str
    unread: bool
    yours: bool
    """It is about a step whose post the reader held at the time."""
    alert: alerts.AlertView


class Inbox(BaseModel):
    """The newest first."""

    items: list[InboxItem]
    unread: int
    """Of those shown."""


class ReadMark(BaseModel):
    """Everything up to this entry is read."""

    model_config = ConfigDict(extra="forbid")

    index: int = Field(ge=0, lt=2**63)


async def inbox(node: "Node", caller: Caller, limit: int) -> Inbox:
    """What the caller is told of, the newest first; the operator sees what every role sees."""
    await node.projector.settled()
    context = await node.contexts.of(node.settings.node)
    policy = context.context.policy
    states = told_in(tuple(Role) if caller.is_operator else caller.roles, policy)
    seen = await seen_by(node, caller)
    own, zone = node.settings.node, node.settings.zone
    async with node.store.read() as session:
        told = await session.steps.told(own, states, seen, limit, newest=True)
        read_to = await session.steps.read_to(caller.who)
        about = await concerns(session, context, [one.alert for one in told])
    held = {alert for alert, one in about.items() if caller.who in one.holders}
    items = [
        InboxItem(
            index=one.step.idx,
            at=time_text(one.step.at_us, zone),
            state=STATES[one.step.state],
            by=one.step.by_whom,
            reason=one.step.reason,
            unread=one.step.idx > read_to,
            yours=one.alert.alert_id in held,
            alert=alerts.view(one.alert, zone),
        )
        for one in told
    ]
    return Inbox(items=items, unread=sum(one.unread for one in items))


async def mark_read(node: "Node", caller: Caller, form: ReadMark) -> None:
    """The caller has read everything up to an entry."""
    async with node.store.write() as session:
        await session.steps.set_read(caller.who, form.index)
