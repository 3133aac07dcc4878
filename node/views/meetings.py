"""Meetings (会商), help calls (求助) and inspection calls (视频抽查), as somebody of this node sees them."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from federation.errors import ZonghengError
from node.meetings.meeting import Called, Kind, Meeting, Seat
from node.meetings.messages import MOST_TITLE
from node.meetings.rights import check_opening, person_of
from node.people.caller import Caller
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node

EVENTS_S: Final = 300.0
"""How long one connection for news lasts; then the page asks again, and who asks is looked at anew."""

_BREATH_S: Final = 15.0
_LOOK_S: Final = 1.0


class MemberForm(BaseModel):
    """Somebody to call: a person, or whoever is at a hall or a window of it."""

    model_config = ConfigDict(extra="forbid")

    node: str = Field(max_length=64)
    person: str = Field("", max_length=64)
    """Staff number there."""
    hall: str = Field("", max_length=200)
    window: str = Field("", max_length=200)
    role: Literal["speaker", "watcher"] = "speaker"


class MeetingForm(BaseModel):
    """A meeting to open."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    title: str = Field("", max_length=MOST_TITLE)
    members: Annotated[list[MemberForm], Field(max_length=400)] = []
    """Nobody for a help call: it rings whoever answers those."""
    by: str = ""
    """For whom, where the operator opens it."""
    joins: bool = True
    """Whoever opens it sits in it at once; false: their seat rings like the others."""


class InviteForm(BaseModel):
    """Who is called too."""

    model_config = ConfigDict(extra="forbid")

    members: Annotated[list[MemberForm], Field(min_length=1, max_length=400)]


class RemoveForm(BaseModel):
    """Who is asked to leave."""

    model_config = ConfigDict(extra="forbid")

    seat: int = Field(ge=1)


class MemberView(BaseModel):
    """One seat."""

    seat: int
    node: str
    node_name: str
    person: str
    """Who was called, where it was one person."""
    hall: str
    window: str
    officers: bool
    """Whoever answers help calls at that node was called."""
    role: Literal["speaker", "watcher"]
    who: str
    """Who took the seat, or declined; empty: nobody."""
    state: str
    """``ringing``, ``joined``, ``left``, ``declined``, ``unanswered``."""
    since: str | None
    rings_until: str | None
    code: str
    """Why it was left, where not by themselves: ``removed``, ``absent``, ``unreachable``, ``answered``, ``closed``."""
    stream: str
    """The stream of who speaks from it; empty: they watch."""


class Yours(BaseModel):
    """The seat of who asks."""

    seat: int
    role: Literal["speaker", "watcher"]
    state: str
    stream: str
    whip: str
    """Where the own picture goes (WHIP), while they are in it; empty: they watch, or are not in it."""


class MeetingView(BaseModel):
    """A meeting."""

    meeting: str
    kind: str
    title: str
    host: str
    """The node that holds it."""
    host_name: str
    by: str
    by_node: str
    opened_at: str | None
    state: Literal["open", "closed"]
    code: str
    """Why it is over: ``ended``, ``closed``, ``unanswered``, ``declined``, ``given_up``, ``unreachable``, ``interrupted``, ``too_long``."""
    closed_by: str
    closed_by_node: str
    closed_at: str | None
    members: list[MemberView]
    you: Yours | None
    """Null: they have no seat, nor may take one."""
    runs: bool
    """They may invite, remove and close."""


async def open_meeting(node: "Node", caller: Caller, form: MeetingForm) -> MeetingView:
    """Open a meeting. Raises ZonghengError `forbidden` by role."""
    check_opening(caller, form.kind)
    meeting = await node.meetings.open(
        person_of(caller), form.kind, form.title, [_called(one) for one in form.members],
        by=caller.signing(form.by), joins=form.joins,
    )  # fmt: skip
    return view(node, caller, meeting)


def meetings(node: "Node", caller: Caller, *, every: bool = False) -> list[MeetingView]:
    """The meetings that concern somebody, the newest first; ``every``: also those that ended lately."""
    found = node.meetings.of(person_of(caller))
    return [view(node, caller, one) for one in found if every or one.is_open]


def meeting(node: "Node", caller: Caller, id: str) -> MeetingView:
    return view(node, caller, node.meetings.get(person_of(caller), id))


async def join(node: "Node", caller: Caller, id: str) -> MeetingView:
    return view(node, caller, await node.meetings.join(person_of(caller), id))


async def leave(node: "Node", caller: Caller, id: str) -> MeetingView:
    return view(node, caller, await node.meetings.leave(person_of(caller), id))


async def decline(node: "Node", caller: Caller, id: str) -> MeetingView:
    return view(node, caller, await node.meetings.decline(person_of(caller), id))


async def invite(node: "Node", caller: Caller, id: str, form: InviteForm) -> MeetingView:
    called = [_called(one) for one in form.members]
    return view(node, caller, await node.meetings.invite(person_of(caller), id, called))


async def remove(node: "Node", caller: Caller, id: str, form: RemoveForm) -> MeetingView:
    return view(node, caller, await node.meetings.remove(person_of(caller), id, form.seat))


async def close(node: "Node", caller: Caller, id: str) -> MeetingView:
    return view(node, caller, await node.meetings.close(person_of(caller), id))


async def events(node: "Node", caller: Caller) -> AsyncIterator[str]:
    """What concerns somebody, as server-sent events: at first every meeting that is open or ended lately, so that whoever was cut off knows how each stands; then each that changes, as a whole."""
    person = person_of(caller)
    clock = asyncio.get_running_loop().time
    began_s = said_s = clock()
    with node.meetings.listening(person) as listener:
        for one in node.meetings.of(person):
            yield _event(view(node, caller, one))
        yield "retry: 1000\n\n"
        while clock() - began_s < EVENTS_S and not node.ending.is_set():
            for id in await listener.news(_LOOK_S):
                known = node.meetings.book.find(id)
                if known is not None and node.meetings.concerns(known, person):
                    yield _event(view(node, caller, known))
            if clock() - said_s >= _BREATH_S:
                said_s = clock()
                yield ": here\n\n"


def view(node: "Node", caller: Caller, one: Meeting) -> MeetingView:
    """A meeting as somebody of this node sees it."""
    zone = node.settings.zone
    person = person_of(caller)
    own = node.meetings.seat_of(one, person)
    return MeetingView(
        meeting=one.id,
        kind=str(one.kind),
        title=one.title,
        host=one.host,
        host_name=_name(node, one.host),
        by=one.by,
        by_node=one.by_node,
        opened_at=time_text(one.opened_at_us, zone),
        state="open" if one.is_open else "closed",
        code=one.closed,
        closed_by=one.closed_by,
        closed_by_node=one.closed_by_node,
        closed_at=time_text(one.closed_at_us, zone),
        members=[_member(node, one, seat) for seat in one.seats],
        you=None if own is None else _yours(one, own, caller.who),
        runs=one.is_open and node.meetings.runs(one, person),
    )


def _called(form: MemberForm) -> Called:
    if bool(form.person) == bool(form.hall or form.window):
        raise ZonghengError("bad_request", f"say who is called at {form.node}: person, or hall and window")
    return Called(form.node, form.person, form.hall, form.window, speaks=form.role == "speaker")


def _member(node: "Node", one: Meeting, seat: Seat) -> MemberView:
    zone, called = node.settings.zone, seat.called
    return MemberView(
        seat=seat.number,
        node=seat.node,
        node_name=_name(node, seat.node),
        person=called.person,
        hall=called.hall,
        window=called.window,
        officers=called.officers,
        role=_role(seat),
        who=seat.who,
        state=str(seat.state),
        since=time_text(seat.since_us, zone),
        rings_until=time_text(seat.until_us, zone),
        code=seat.code,
        stream=one.stream(seat) if called.speaks else "",
    )


def _yours(one: Meeting, seat: Seat, who: str) -> Yours:
    stream = one.stream(seat) if seat.called.speaks else ""
    sits = one.is_open and seat.state == "joined" and seat.who == who
    return Yours(
        seat=seat.number,
        role=_role(seat),
        state=str(seat.state),
        stream=stream,
        whip=f"/api/whip/{quote(stream)}" if stream and sits else "",
    )


def _role(seat: Seat) -> Literal["speaker", "watcher"]:
    return "speaker" if seat.called.speaks else "watcher"


def _name(node: "Node", of: str) -> str:
    if of == node.settings.node:
        return node.settings.name
    card = node.tree.get(of)
    return of if card is None else card.name


def _event(told: MeetingView) -> str:
    return f"event: meeting\ndata: {told.model_dump_json()}\n\n"
