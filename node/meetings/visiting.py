"""The meetings that a node above holds and in which this one has seats: what it says of them, and that it is still there.

The host's word is how a meeting stands; what people do here is asked of it. A host that is not heard of for a minute is gone, and its meetings are over here.
"""

import asyncio
from contextlib import suppress
from typing import Final

import structlog
from zongheng.v1 import meeting_pb2 as wire
from zongheng.v1.meeting_pb2 import MeetingAct, MeetingRoster

from federation.errors import ZonghengError, of
from node.meetings.book import Book
from node.meetings.elsewhere import Elsewhere
from node.meetings.hosting import AWAY_S
from node.meetings.meeting import Gone, Happened, Kind, Meeting, Over, Seat, State, Step, Taken
from node.meetings.messages import meeting_in

_LOOK_S: Final = 2.0

log = structlog.get_logger(__name__)


class Visiting:
    """Belongs to one event loop."""

    def __init__(self, book: Book, elsewhere: Elsewhere, away_s: float = AWAY_S) -> None:
        self._book = book
        self._elsewhere = elsewhere
        self._away_s = away_s
        self._heard_s: dict[str, float] = {}

    async def act(self, meeting: Meeting, act: MeetingAct) -> Meeting:
        """What somebody here does in a meeting of a node above. Raises ZonghengError."""
        told = await self._elsewhere.act(meeting.host, act)
        try:
            async with self._book.turn(meeting.id):
                return await self._take(told)
        except BaseException:
            if act.kind == wire.MEETING_ACT_KIND_JOIN:
                # Nobody comes in of whom this journal does not know.
                leaves = wire.MeetingAct(
                    meeting=act.meeting, kind=wire.MEETING_ACT_KIND_LEAVE, seat=act.seat, who=act.who
                )
                with suppress(ZonghengError):  # the host finds nobody there in a minute
                    await self._elsewhere.act(meeting.host, leaves)
            raise

    async def told(self, host: str, told: MeetingRoster) -> None:
        """A node above says how a meeting of its stands. Raises ZonghengError `protocol` for a meeting that is not its own."""
        if told.host != host:
            raise ZonghengError("protocol", f"{host} says how a meeting of {told.host} stands")
        async with self._book.turn(told.meeting):
            await self._take(told)

    async def run(self) -> None:
        """End what no host is heard of, until cancelled."""
        while True:
            await self._book.some.wait()
            await asyncio.sleep(_LOOK_S)
            loop_s = asyncio.get_running_loop().time()
            for meeting in self._book.open_ones():
                if not self._book.holds(meeting):
                    heard_s = self._heard_s.setdefault(meeting.id, loop_s)
                    if loop_s - heard_s > self._away_s:
                        await self._host_gone(meeting.id)
            for id in [each for each in self._heard_s if self._book.find(each) is None]:
                del self._heard_s[id]

    async def _take(self, told: MeetingRoster) -> Meeting:
        meeting = meeting_in(told)
        known = self._book.find(meeting.id)
        if known is None:
            if self._book.node not in {meeting.by_node, *(seat.node for seat in meeting.seats)}:
                raise ZonghengError("protocol", f"{self._book.node} has no seat in meeting {meeting.id}")
        elif not known.is_open and meeting.is_open:
            raise ZonghengError("not_found", f"meeting {meeting.id} is over at {self._book.node}")
        elif meeting.host != known.host and not _goes_up(known, meeting):
            raise ZonghengError(
                "protocol", f"meeting {meeting.id} is held by {known.host}, not by {meeting.host}"
            )
        self._heard_s[meeting.id] = asyncio.get_running_loop().time()
        if known is not None and (known.closed or known.version >= meeting.version):
            return known
        if known is not None and meeting.closed and not meeting.seats:
            # Its host was started anew and knows no more than that it is over.
            step = known.close(meeting.closed, "", "", self._book.now())
            await self._book.follow(step)
            return step.meeting
        await self._book.follow(Step(meeting, changes(known, meeting)))
        return meeting

    async def _host_gone(self, id: str) -> None:
        async with self._book.turn(id):
            meeting = self._book.find(id)
            if meeting is None or meeting.closed or self._book.holds(meeting):
                return
            step = meeting.close("unreachable", "", "", self._book.now())
            try:
                await self._book.follow(step)
            except Exception as failed:  # looked at again in a moment
                log.exception("meeting.not_ended", meeting=id, code=of(failed).code)


def _goes_up(known: Meeting, told: Meeting) -> bool:
    """Whether a help call that nobody answered is held further up now."""
    same = (known.kind, known.by, known.by_node, known.opened_at_us) == (
        told.kind,
        told.by,
        told.by_node,
        told.opened_at_us,
    )
    return same and told.kind is Kind.HELP and known.answered is None


def changes(known: Meeting | None, told: Meeting) -> tuple[Happened, ...]:
    """What happened between two states of a meeting, as far as both tell; None: nothing is known yet."""
    before: dict[int, Seat] = {} if known is None else {seat.number: seat for seat in known.seats}
    happened: list[Happened] = []
    for seat in told.seats:
        was = before.get(seat.number)
        old = State.RINGING if was is None else was.state
        if old is seat.state and (was is None or was.since_us == seat.since_us):
            continue
        if seat.state is State.JOINED:
            happened.append(Taken(seat, _rang_us(seat, seat.taken_at_us)))
        elif old is State.JOINED:
            assert was is not None
            happened.append(Gone(seat, max(0, seat.since_us - was.since_us), 0))
        elif old is State.RINGING:
            happened.append(Gone(seat, 0, _rang_us(seat, seat.since_us)))
    if told.closed and (known is None or not known.closed):
        happened.append(Over())
    return tuple(happened)


def _rang_us(seat: Seat, until_us: int) -> int:
    return max(0, until_us - seat.rang_at_us)
