"""Cases opened and moved on by hand, where there is no business system: most towns, every village.

A case is moved on where it is: by hand nothing is added to one that left, from the moment it left on. What happened before and is entered
late is taken. A business system is not refused, since what it says happened is what supervision is to find.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from federation.errors import ZonghengError
from node.intake import desk
from node.people.caller import Caller
from node.projection.arriving import CROSSING
from node.store.rows import EventRow
from node.supervision.domains.approval.events import SIGNED_FOR
from node.views.present import time_text
from node.views.sight import must_see
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node


class OpenCase(BaseModel):
    """A case opened by hand."""

    model_config = ConfigDict(extra="forbid")

    item: str = Field(min_length=1)
    agency: str = Field(min_length=1)
    actor: str = ""
    """Staff number; of who is logged in, over the network; a token's program says whose."""
    domain: str = "approval"
    kind: str = "application"
    at: str | None = None
    applicant: str = ""
    id_number: str = ""
    attributes: dict[str, str] = {}
    """By the domain's names; text is read as an import reads a cell. Free text goes to the vault."""


class MoveCase(BaseModel):
    """One event of a case, by hand."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(min_length=1)
    actor: str = ""
    """Staff number; of who is logged in, over the network; a token's program says whose."""
    step: str = ""
    agency: str = ""
    at: str | None = None
    attributes: dict[str, str] = {}
    """By the domain's names; text is read as an import reads a cell. Free text goes to the vault."""


class Entered(BaseModel):
    case: str
    journal_size: int
    """The event lies below this size, durably."""


async def open_by_hand(node: "Node", caller: Caller, form: OpenCase) -> Entered:
    """Open a case; the answer names it. ``ZonghengError`` with the door's reason when it is refused."""
    await must_see(node, caller, form.agency, f"agency {form.agency}")
    now_us, zone = node.now(), node.settings.zone
    submission = desk.open_case(
        node.settings.node,
        at=form.at or instant(now_us),
        agency=form.agency,
        item=form.item,
        zone=zone,
        now_us=now_us,
        actor=caller.acting(form.actor),
        applicant_name=form.applicant,
        applicant_id_number=form.id_number,
        attributes=form.attributes,
        domain=form.domain,
        kind=form.kind,
    )
    return await enter(node, submission)


async def move_by_hand(node: "Node", caller: Caller, case_id: str, form: MoveCase) -> Entered:
    """Add one event to a case that this node's journal knows. ``ZonghengError`` ``case_elsewhere`` when it is with another node by then."""
    await node.projector.settled()
    async with node.store.read() as session:
        known = await session.facts.get(node.settings.node, case_id)
        events = await session.events.of_cases(node.settings.node, [case_id])
    if known is not None:
        await must_see(node, caller, known.agency, f"case {case_id}")
    if known is None and form.kind != SIGNED_FOR:
        raise ZonghengError("not_found", f"there is no case {case_id} here: open it first")
    now_us = node.now()
    attributes: dict[str, Any] = dict(form.attributes)
    if form.kind in CROSSING and known is not None:
        # Who signs for it needs to know where the clocks of the whole stand.
        attributes.setdefault("filed_at", known.received_at_us)
        attributes.setdefault("accepted_at", known.accepted_at_us)
        attributes.setdefault("hand_over", str(_crossings(events) + 1))
    submission = desk.move_case(
        case_id,
        form.kind,
        at=form.at or instant(now_us),
        agency=form.agency or (known.agency if known else ""),
        zone=node.settings.zone,
        now_us=now_us,
        actor=caller.acting(form.actor),
        item=known.item if known else "",
        step=form.step,
        attributes=attributes,
        domain=known.domain if known else "approval",
    )
    _must_be_here(events, submission.event, node.settings.zone)
    return await enter(node, submission)


def _must_be_here(events: Sequence[EventRow], more: CaseEvent, zone: str) -> None:
    """Refuse what happened while the case was elsewhere."""
    crossed = sorted(
        (one for one in events if one.kind in (*CROSSING, SIGNED_FOR)), key=lambda one: (one.at_us, one.idx)
    )
    last = crossed[-1] if crossed else None
    if last is None or last.kind == SIGNED_FOR or more.kind == SIGNED_FOR or more.at_us < last.at_us:
        return
    to, when = last.attributes.get("to_node", "another node"), time_text(last.at_us, zone)
    raise ZonghengError(
        "case_elsewhere",
        f"case {more.case_id} went to {to} at {when}: it is moved on there, and here again after it was signed for here",
    )


def _crossings(events: Sequence[EventRow]) -> int:
    """How often the case has crossed so far, as this node knows."""
    serials = [int(event.attributes.get("hand_over", 0)) for event in events]
    left = sum(event.kind in CROSSING for event in events)
    return max([left, *serials])


async def enter(node: "Node", submission: Submission) -> Entered:
    """Submit one event by hand; ``ZonghengError`` with the door's reason when it is refused."""
    answer = await node.intake.submit(SubmitRequest(source=desk.SOURCE, submissions=[submission]))
    if answer.rejected:
        raise ZonghengError(answer.rejected[0].code, answer.rejected[0].reason)
    if not node.serving:
        # Nobody else will: the next command should see the case as it is now.
        await node.projector.settled()
    return Entered(case=submission.event.case_id, journal_size=answer.journal_size)
