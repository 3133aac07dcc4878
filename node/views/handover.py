"""Cases that came to this node from the next tier, and signing for them (DESIGN §3: a case that crosses tiers).

The case keeps its global identity. What a child handed over is read from the child's own journal, which lies here; what was returned or sent
down from above came by the lane down, and its receipt lies in this node's journal. Either says when the case was filed and accepted, and
the limits the sender stated; so the whole's clocks go on where they stood while this tier's own clock starts with the signature. It is
counted once as received, where it was filed, and once as handled at each other node. Signing twice changes nothing, and a case that comes again is signed for again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.intake import desk
from node.people.caller import Caller
from node.projection.arriving import CROSSING
from node.projection.entries import event_row
from node.store.arrivals import ArrivalRow
from node.store.facts import FactsFilter
from node.store.rows import EventRow
from node.store.store import Session
from node.supervision.domains.approval.events import KINDS, SIGNED_FOR
from node.views.by_hand import Entered, enter
from node.views.present import time_text
from node.views.sight import must_see
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node

_AT_MOST = 10_000


class HandoverView(BaseModel):
    """A case on its way to this node."""

    case: str
    kind: str
    """handed_over, or returned from above."""
    from_node: str
    hand_over: int
    """Serial of the handing over within the case, from 1."""
    at: str | None
    item: str
    filed_at: str | None
    accepted_at: str | None


class Signature(BaseModel):
    """Who signs for a case, and which agency takes it on."""

    model_config = ConfigDict(extra="forbid")

    agency: str = Field(min_length=1)
    actor: str = ""
    """Staff number; of who is logged in, over the network; a token's program says whose."""
    at: str | None = None


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A case that waits here, and what its sender says about it."""

    case_id: str
    sender: str
    number: int
    kind: str
    at_us: int
    domain: str
    item: str
    attributes: dict[str, Any]
    """Of the sender's event, with where the clocks of the whole stand."""


async def waiting(node: "Node") -> list[HandoverView]:
    """Cases that came to this node and that nobody signed for, the oldest first."""
    zone = node.settings.zone
    return [
        HandoverView(
            case=one.case_id,
            kind=one.kind,
            from_node=one.sender,
            hand_over=one.number,
            at=time_text(one.at_us, zone),
            item=one.item,
            filed_at=time_text(one.attributes.get("filed_at"), zone),
            accepted_at=time_text(one.attributes.get("accepted_at"), zone),
        )
        for one in await _waiting(node)
    ]


async def _waiting(node: "Node") -> list[_Arrived]:
    await node.projector.settled()
    async with node.store.read() as session:
        found = [*await _from_below(session, node.settings.node), *await _from_above(session, node)]
    return sorted(found, key=lambda one: one.at_us)


async def _from_below(session: Session, own: str) -> list[_Arrived]:
    """Handed over by a child: read from the child's own journal, which lies here."""
    found: list[_Arrived] = []
    for head in await session.journal.heads():
        if head.origin == own:
            continue
        left = await session.facts.page(head.origin, FactsFilter(states=("handed_over",)), _AT_MOST)
        by_case = {row.case_id: row for row in left}
        events = await session.events.of_cases(head.origin, list(by_case))
        signed = {
            (event.case_id, event.attributes.get("from_node"), event.attributes.get("hand_over"))
            for event in await session.events.of_cases(own, list(by_case))
            if event.kind == SIGNED_FOR
        }
        count: dict[str, int] = {}
        last: dict[str, tuple[EventRow, int]] = {}
        for event in sorted(events, key=lambda event: (event.at_us, event.idx)):
            if event.kind in CROSSING:
                count[event.case_id] = count.get(event.case_id, 0) + 1
                number = int(event.attributes.get("hand_over", count[event.case_id]))
                last[event.case_id] = event, number
        for case_id, (event, number) in last.items():
            if event.attributes.get("to_node") == own and (case_id, head.origin, number) not in signed:
                facts = by_case[case_id]
                stand = {"filed_at": facts.received_at_us, "accepted_at": facts.accepted_at_us}
                found.append(_arrived(event, number, facts.domain, facts.item, stand))
    return found


async def _from_above(session: Session, node: "Node") -> list[_Arrived]:
    """Returned or sent down from above: the lane down brought it, and the receipt is an entry of this node's journal."""
    own, found = node.settings.node, []
    rows = await session.arrivals.unsigned(own, _AT_MOST)
    signatures: dict[str, list[EventRow]] = {}
    for event in await session.events.of_cases(own, sorted({row.case_id for row in rows})):
        if event.kind == SIGNED_FOR:
            signatures.setdefault(event.case_id, []).append(event)
    for row in rows:
        # Whoever signs in a system of its own may have done so before the lane brought the case.
        if any(_answers(event, row) for event in signatures.get(row.case_id, ())):
            continue
        event = event_row(row.sender, row.sender_idx, Entry(case_event=CaseEvent.FromString(row.event)))
        known = await session.facts.get(own, row.case_id)
        stand = (
            {} if known is None else {"filed_at": known.received_at_us, "accepted_at": known.accepted_at_us}
        )
        item = event.item or (known.item if known is not None else "")
        found.append(_arrived(event, row.number, event.domain, item, stand))
    return found


def _answers(signature: EventRow, row: ArrivalRow) -> bool:
    said = signature.attributes
    return (said.get("from_node"), said.get("hand_over")) == (row.sender, row.number)


def _arrived(
    event: EventRow, number: int, domain: str, item: str, stand: Mapping[str, int | None]
) -> _Arrived:
    return _Arrived(
        case_id=event.case_id,
        sender=event.origin,
        number=number,
        kind=event.kind,
        at_us=event.at_us,
        domain=domain,
        item=item,
        attributes={**stand, **event.attributes},
    )


async def sign(node: "Node", caller: Caller, case_id: str, form: Signature) -> Entered:
    """Sign for a case; ``ZonghengError`` ``not_found`` when none of that name waits here."""
    await must_see(node, caller, form.agency, f"agency {form.agency}")
    mine = next((one for one in await _waiting(node) if one.case_id == case_id), None)
    if mine is None:
        raise ZonghengError(
            "not_found", f"no case {case_id} waits to be signed for here: see `zongheng handovers`"
        )
    carried = {name: value for name, value in mine.attributes.items() if name in KINDS[SIGNED_FOR]}
    carried |= {"from_node": mine.sender, "hand_over": mine.number}
    now_us = node.now()
    submission = desk.move_case(
        case_id,
        SIGNED_FOR,
        at=form.at or instant(now_us),
        agency=form.agency,
        zone=node.settings.zone,
        now_us=now_us,
        actor=caller.acting(form.actor),
        item=mine.item,
        attributes=carried,
        domain=mine.domain,
    )
    submission.serial = f"signed/{case_id}/{mine.sender}/{mine.number}"
    return await enter(node, submission)
