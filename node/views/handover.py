"""Cases that a child handed over to this node, and signing for them (DESIGN §3: a case that crosses tiers).

The case keeps its global identity. What arrives is read from the child's own journal, which lies here: when it was filed and accepted, and
the limits the sender stated; so the whole's clocks go on where they stood while this tier's own clock starts with the signature. It is
counted once as received, where it was filed, and once as handled here. Signing twice changes nothing.
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from federation.errors import ZonghengError
from node.intake import desk
from node.people.caller import Caller
from node.store.facts import FactsFilter
from node.store.rows import EventRow, FactsRow
from node.supervision.domains.approval.events import HANDED_OVER, KINDS, SIGNED_FOR
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
    actor: str = Field(min_length=1)
    at: str | None = None


async def waiting(node: "Node") -> list[HandoverView]:
    """Cases handed over to this node that nobody signed for, the oldest first."""
    zone = node.settings.zone
    return [
        HandoverView(
            case=event.case_id,
            from_node=event.origin,
            hand_over=number,
            at=time_text(event.at_us, zone),
            item=facts.item,
            filed_at=time_text(facts.received_at_us, zone),
            accepted_at=time_text(facts.accepted_at_us, zone),
        )
        for event, number, facts in await _waiting(node)
    ]


async def _waiting(node: "Node") -> list[tuple[EventRow, int, FactsRow]]:
    """The handing over, its serial and the sender's facts of each case that waits here."""
    await node.projector.settled()
    own = node.settings.node
    found: list[tuple[EventRow, int, FactsRow]] = []
    async with node.store.read() as session:
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
            last: dict[str, tuple[EventRow, int, FactsRow]] = {}
            for event in sorted(events, key=lambda event: (event.at_us, event.idx)):
                if event.kind == HANDED_OVER:
                    count[event.case_id] = count.get(event.case_id, 0) + 1
                    number = int(event.attributes.get("hand_over", count[event.case_id]))
                    last[event.case_id] = (event, number, by_case[event.case_id])
            found += [
                one
                for case_id, one in last.items()
                if one[0].attributes.get("to_node") == own and (case_id, head.origin, one[1]) not in signed
            ]
    return sorted(found, key=lambda one: one[0].at_us)


async def sign(node: "Node", caller: Caller, case_id: str, form: Signature) -> Entered:
    """Sign for a case; ``ZonghengError`` ``not_found`` when none of that name waits here."""
    await must_see(node, caller, form.agency, f"agency {form.agency}")
    mine = next((one for one in await _waiting(node) if one[0].case_id == case_id), None)
    if mine is None:
        raise ZonghengError(
            "not_found", f"no case {case_id} waits to be signed for here: see `zongheng handovers`"
        )
    event, number, facts = mine
    carried = {name: value for name, value in event.attributes.items() if name in KINDS[SIGNED_FOR]}
    carried |= {"from_node": event.origin, "hand_over": number}
    carried.setdefault("filed_at", facts.received_at_us)
    carried.setdefault("accepted_at", facts.accepted_at_us)
    now_us = node.now()
    submission = desk.move_case(
        case_id,
        SIGNED_FOR,
        at=form.at or instant(now_us),
        agency=form.agency,
        zone=node.settings.zone,
        now_us=now_us,
        actor=form.actor,
        item=facts.item,
        attributes=carried,
        domain=facts.domain,
    )
    submission.serial = f"signed/{case_id}/{event.origin}/{number}"
    return await enter(node, submission)
