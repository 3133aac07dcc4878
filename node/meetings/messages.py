"""A meeting as it travels and as it is entered."""

import re
from collections.abc import Iterable
from typing import Final

from zongheng.v1 import meeting_pb2 as wire
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.meetings.meeting import Called, Gone, Happened, Kind, Meeting, Over, Seat, State, Taken

SECOND_US: Final = 1_000_000
MOST_TITLE: Final = 200

_ID: Final = re.compile(r"[0-9a-z]{1,64}")
"""Part of the names of streams and of addresses."""

_NEVER_US: Final = 253_000_000_000 * SECOND_US
"""In the year 9987; later ones cannot be written down in every zone."""

_KINDS: Final = {
    Kind.HELP: wire.MEETING_KIND_HELP,
    Kind.INSPECTION: wire.MEETING_KIND_INSPECTION,
    Kind.MEETING: wire.MEETING_KIND_MEETING,
}
_KIND_OF: Final = {number: kind for kind, number in _KINDS.items()}
_STATES: Final = {
    State.RINGING: wire.MEETING_SEAT_STATE_RINGING,
    State.JOINED: wire.MEETING_SEAT_STATE_JOINED,
    State.LEFT: wire.MEETING_SEAT_STATE_LEFT,
    State.DECLINED: wire.MEETING_SEAT_STATE_DECLINED,
    State.UNANSWERED: wire.MEETING_SEAT_STATE_UNANSWERED,
}
_STATE_OF: Final = {number: state for state, number in _STATES.items()}


def roster(meeting: Meeting) -> wire.MeetingRoster:
    """How a meeting stands, for another node."""
    return wire.MeetingRoster(
        meeting=meeting.id,
        kind=_KINDS[meeting.kind],
        title=meeting.title,
        host=meeting.host,
        by=meeting.by,
        by_node=meeting.by_node,
        opened_at_us=meeting.opened_at_us,
        version=meeting.version,
        seats=[_seat(seat) for seat in meeting.seats],
        closed=meeting.closed,
        closed_by=meeting.closed_by,
        closed_by_node=meeting.closed_by_node,
        closed_at_us=meeting.closed_at_us,
    )


def meeting_in(told: wire.MeetingRoster) -> Meeting:
    """A meeting as another node says it stands. Raises ZonghengError `protocol` for what is none."""
    instants = [told.opened_at_us, told.closed_at_us]
    for seat in told.seats:
        instants += [seat.since_us, seat.rang_at_us, seat.until_us, seat.taken_at_us]
    if (
        not _ID.fullmatch(told.meeting)
        or [seat.seat for seat in told.seats] != list(range(1, len(told.seats) + 1))
        or not all(0 <= at_us < _NEVER_US for at_us in instants)
    ):
        raise ZonghengError("protocol", "a roster says what no meeting has: its name, a seat or an instant")
    try:
        return Meeting(
            told.meeting,
            _KIND_OF[told.kind],
            told.title[:MOST_TITLE],
            told.host,
            told.by,
            told.by_node,
            told.opened_at_us,
            tuple(_seat_in(seat) for seat in told.seats),
            told.version,
            told.closed,
            told.closed_by,
            told.closed_by_node,
            told.closed_at_us,
        )
    except KeyError as error:
        raise ZonghengError("protocol", f"a roster says what no meeting has: {error}") from error


def called_in(told: wire.MeetingSeat) -> Called:
    return Called(told.node, told.person, told.hall, told.window, told.officers, told.speaks)


def called_message(one: Called) -> wire.MeetingSeat:
    return wire.MeetingSeat(
        node=one.node,
        person=one.person,
        hall=one.hall,
        window=one.window,
        officers=one.officers,
        speaks=one.speaks,
    )


def opened(meeting: Meeting) -> Entry:
    """What is entered where a meeting begins, or a node begins to have a part in it: once for each host, and again after a start."""
    said = wire.MeetingOpened(
        meeting=meeting.id,
        kind=_KINDS[meeting.kind],
        title=meeting.title,
        host=meeting.host,
        by=meeting.by,
        by_node=meeting.by_node,
        opened_at_us=meeting.opened_at_us,
        called=[called_message(seat.called) for seat in meeting.seats],
    )
    return Entry(source="node", meeting_opened=said)


def closed(meeting: Meeting) -> Entry:
    """What is entered where a meeting is over."""
    answered = meeting.answered
    said = wire.MeetingClosed(
        meeting=meeting.id,
        kind=_KINDS[meeting.kind],
        host=meeting.host,
        code=meeting.closed,
        by=meeting.closed_by,
        by_node=meeting.closed_by_node,
        seconds=max(0, meeting.closed_at_us - meeting.opened_at_us) // SECOND_US,
    )
    if answered is not None:
        said.answered_by = answered.who
        said.answered_node = answered.node
        said.answered_after_s = max(0, answered.taken_at_us - meeting.opened_at_us) // SECOND_US
    return Entry(source="node", meeting_closed=said)


def entries(meeting: Meeting, happened: Iterable[Happened], only: str = "") -> list[Entry]:
    """What happened, as entries; ``only``: at that node."""
    told = []
    for one in happened:
        if isinstance(one, Over):
            told.append(closed(meeting))
        elif only in ("", one.seat.node):
            told.append(_taken(meeting, one) if isinstance(one, Taken) else _gone(meeting, one))
    return told


def _taken(meeting: Meeting, taken: Taken) -> Entry:
    seat = taken.seat
    said = wire.MeetingJoined(
        meeting=meeting.id, seat=seat.number, node=seat.node, who=seat.who, speaks=seat.called.speaks,
        rang_s=taken.rang_us // SECOND_US, host=meeting.host,
    )  # fmt: skip
    return Entry(source="node", meeting_joined=said)


def _gone(meeting: Meeting, gone: Gone) -> Entry:
    seat = gone.seat
    code = seat.code or (str(seat.state) if seat.state is not State.LEFT else "")
    said = wire.MeetingLeft(
        meeting=meeting.id, seat=seat.number, node=seat.node, who=seat.who, code=code,
        seconds=gone.sat_us // SECOND_US, rang_s=gone.rang_us // SECOND_US,
    )  # fmt: skip
    return Entry(source="node", meeting_left=said)


def _seat(seat: Seat) -> wire.MeetingSeat:
    told = called_message(seat.called)
    told.seat = seat.number
    told.who = seat.who
    told.state = _STATES[seat.state]
    told.since_us = seat.since_us
    told.rang_at_us = seat.rang_at_us
    told.until_us = seat.until_us
    told.code = seat.code
    told.taken_at_us = seat.taken_at_us
    return told


def _seat_in(told: wire.MeetingSeat) -> Seat:
    return Seat(
        told.seat, called_in(told), _STATE_OF[told.state], told.since_us, told.rang_at_us, told.until_us, told.who,
        told.code, told.taken_at_us,
    )  # fmt: skip
