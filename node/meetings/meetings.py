"""Meetings of one node, as its own people use them: opened, joined, left; who is present; and what other nodes say and ask about them.

A person who is in a meeting is there as long as a page of theirs waits for news, they publish or watch one of its streams, or they asked for it within the last minute. Whoever is not, has
left without saying so, and their seat is given up: no call goes on because somebody closed a window.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

import structlog
from zongheng.v1 import meeting_pb2 as wire

from federation.errors import ZonghengError, of
from node.meetings.book import Book
from node.meetings.elsewhere import Elsewhere
from node.meetings.hosting import Hosting, Terms
from node.meetings.listening import Listener
from node.meetings.meeting import Called, Kind, Meeting, Seat, State
from node.meetings.messages import called_message
from node.meetings.visiting import Visiting
from node.tree import Tree

MOST_A_MINUTE: Final = 10
"""Meetings and calls that one person opens."""

_LOOK_S: Final = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at this node."""

    who: str
    answers: Callable[[Called], bool]
    """Whether they may answer for such a seat of this node."""
    answers_help: bool = False
    runs: bool = False
    """They may invite to, remove from and close any meeting that this node holds."""


class Meetings:
    """Belongs to one event loop."""

    def __init__(
        self,
        book: Book,
        tree: Tree,
        elsewhere: Elsewhere,
        has_parent: Callable[[], bool],
        terms: Terms,
    ) -> None:
        self.book = book
        self.hosting = Hosting(book, tree, elsewhere, has_parent, terms)
        self.visiting = Visiting(book, elsewhere, terms.away_s)
        self.uses: Callable[[str, str], bool] = lambda meeting, who: False
        """Whether somebody publishes or watches a stream of a meeting."""
        self._elsewhere = elsewhere
        self._away_s = terms.away_s
        self._seen_s: dict[tuple[str, str], float] = {}
        self._serving = False
        self._opened_s: dict[str, deque[float]] = {}
        """When people opened meetings lately."""

    # What people do.

    async def open(
        self,
        person: Person,
        kind: Kind,
        title: str,
        called: Sequence[Called],
        *,
        by: str = "",
        joins: bool = True,
    ) -> Meeting:
        """Open a meeting; a help call calls whoever answers those, here or above. ``by``: for whom, by the operator. Raises ZonghengError."""
        if not self._serving:
            raise ZonghengError("unreachable", "the node is stopped: start it, and open the meeting then")
        by = by or person.who
        if kind is Kind.HELP:
            if called:
                raise ZonghengError("bad_request", "a help call rings whoever answers them: name nobody")
            asking = self._asking(by)
            if asking is not None:
                return self._see(asking, person)
            called = [Called(self.book.node, officers=True)]
        self._not_too_often(by)
        return self._see(await self.hosting.open(kind, title, by, called, joins=joins), person)

    async def join(self, person: Person, id: str) -> Meeting:
        """Take the seat that is theirs, or rings for them. Raises ZonghengError `forbidden` where there is none, `busy` where somebody else took it."""
        meeting = self.book.get(id)
        seat = self._seat(meeting, person)
        return self._see(await self._act(person, meeting, wire.MEETING_ACT_KIND_JOIN, seat.number), person)

    async def leave(self, person: Person, id: str) -> Meeting:
        meeting = self.book.get(id)
        seat = self._seat(meeting, person)
        return await self._act(person, meeting, wire.MEETING_ACT_KIND_LEAVE, seat.number)

    async def decline(self, person: Person, id: str) -> Meeting:
        """Say no to what rings for them. One of those who answer help calls says no for themselves alone: it goes on ringing for the others."""
        meeting = self.book.get(id)
        seat = self._seat(meeting, person)
        if seat.called.officers:
            return meeting
        return await self._act(person, meeting, wire.MEETING_ACT_KIND_DECLINE, seat.number)

    async def invite(self, person: Person, id: str, called: Sequence[Called]) -> Meeting:
        """Call others too. Raises ZonghengError `forbidden` for who does not run it, `at_capacity` for a thirteenth who speaks."""
        meeting = self.book.get(id)
        return await self._act(person, meeting, wire.MEETING_ACT_KIND_INVITE, 0, called)

    async def remove(self, person: Person, id: str, number: int) -> Meeting:
        return await self._act(person, self.book.get(id), wire.MEETING_ACT_KIND_REMOVE, number)

    async def close(self, person: Person, id: str) -> Meeting:
        """End it for everybody. Who asked for help ends it by leaving."""
        meeting = self.book.get(id)
        own = self.seat_of(meeting, person)
        asked = (meeting.by, meeting.by_node) == (person.who, self.book.node)
        if meeting.kind is Kind.HELP and asked and own is not None and not self.runs(meeting, person):
            return await self._act(person, meeting, wire.MEETING_ACT_KIND_LEAVE, own.number)
        return await self._act(person, meeting, wire.MEETING_ACT_KIND_CLOSE, 0)

    # What they see.

    def of(self, person: Person) -> list[Meeting]:
        """Those that concern somebody, the newest first."""
        return [meeting for meeting in self.book.all() if self.concerns(meeting, person)]

    def get(self, person: Person, id: str) -> Meeting:
        """One of those. Raises ZonghengError `not_found`, also for one that does not concern them."""
        meeting = self.book.get(id)
        if not self.concerns(meeting, person):
            raise ZonghengError("not_found", f"there is no meeting {id[:64]!r} here for {person.who}")
        return self._see(meeting, person)

    def concerns(self, meeting: Meeting, person: Person) -> bool:
        """Whether they opened it, run meetings here, or were called, by whoever it was answered then: who heard it ring hears that it rings no more."""
        opened = (meeting.by, meeting.by_node) == (person.who, self.book.node)
        return opened or person.runs or self._was_called(meeting, person)

    def runs(self, meeting: Meeting, person: Person) -> bool:
        """Whether somebody may invite, remove and close."""
        return meeting.is_run_by(person.who, self.book.node) or (person.runs and self.book.holds(meeting))

    def seat_of(self, meeting: Meeting, person: Person) -> Seat | None:
        """The seat that somebody has, had, or may take."""
        return meeting.seat_for(person.who, self.book.node, person.answers)

    def listening(self, person: Person) -> AbstractContextManager[Listener]:
        """Somebody waits for news. Raises ZonghengError `busy`."""
        return self.book.listeners.listening(person.who, person.answers_help)

    # What goes on by itself.

    async def run(self) -> None:
        """Until cancelled."""
        self._serving = True
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._end_interrupted())
                tasks.create_task(self.hosting.run())
                tasks.create_task(self.visiting.run())
                tasks.create_task(self._look_for_people())
        finally:
            self._serving = False

    async def _end_interrupted(self) -> None:
        """What went on when this node stopped is over; nodes that had a part in it are told."""
        while True:
            try:
                left = await self.book.interrupted()
                break
            except Exception as failed:  # the journal may be sealed until somebody looks at it
                log.info("meetings.not_ended", code=of(failed).code)
                await asyncio.sleep(_LOOK_S)
        held = [one for one in left if one.opened.host == self.book.node]
        to_tell = [
            (node, one.roster(self.book.now())) for one in held for node in one.nodes - {self.book.node}
        ]
        until_s = asyncio.get_running_loop().time() + self._away_s
        while to_tell and asyncio.get_running_loop().time() < until_s:
            to_tell = [each for each in to_tell if not await self._tell_interrupted(*each)]
            await asyncio.sleep(_LOOK_S)

    async def _tell_interrupted(self, node: str, roster: wire.MeetingRoster) -> bool:
        """Whether it need not be tried again. A node that hears nothing of its host ends the meeting by itself."""
        try:
            await self._elsewhere.tell(node, roster)
        except Exception as failed:
            log.info("meeting.not_told", meeting=roster.meeting, node=node, code=of(failed).code)
            return of(failed).code not in ("unreachable", "deadline", "busy")
        return True

    async def _look_for_people(self) -> None:
        while True:
            await self.book.some.wait()
            await asyncio.sleep(_LOOK_S)
            loop_s = asyncio.get_running_loop().time()
            for meeting in self.book.open_ones():
                for seat in meeting.seats:
                    if seat.state is State.JOINED and seat.node == self.book.node:
                        self._miss(meeting, seat, loop_s)
                        if loop_s - self._seen_s[meeting.id, seat.who] > self._away_s:
                            await self._absent(meeting, seat)
            for id, who in [each for each in self._seen_s if self.book.find(each[0]) is None]:
                del self._seen_s[id, who]

    def _miss(self, meeting: Meeting, seat: Seat, loop_s: float) -> None:
        if self.book.listeners.are_there(seat.who) or self.uses(meeting.id, seat.who):
            self._seen_s[meeting.id, seat.who] = loop_s
        self._seen_s.setdefault((meeting.id, seat.who), loop_s)

    async def _absent(self, meeting: Meeting, seat: Seat) -> None:
        person = Person(seat.who, lambda called: False)
        try:
            await self._act(person, meeting, wire.MEETING_ACT_KIND_LEAVE, seat.number, code="absent")
        except Exception as failed:  # looked at again in a moment
            log.info("meeting.not_left", meeting=meeting.id, seat=seat.number, code=of(failed).code)

    # What they are made of.

    async def _act(
        self,
        person: Person,
        meeting: Meeting,
        kind: "wire.MeetingActKind.ValueType",
        seat: int,
        called: Sequence[Called] = (),
        code: str = "",
    ) -> Meeting:
        act = wire.MeetingAct(
            meeting=meeting.id,
            kind=kind,
            seat=seat,
            who=person.who,
            called=map(called_message, called),
            code=code,
        )
        if self.book.holds(meeting):
            try:
                return await self.hosting.act(person.who, self.book.node, act, runs=person.runs)
            except ZonghengError:
                meeting = self.book.get(meeting.id)
                if self.book.holds(meeting):
                    raise
                # It went up while this waited for its turn: who holds it now is asked.
        return await self.visiting.act(meeting, act)

    def _seat(self, meeting: Meeting, person: Person) -> Seat:
        seat = self.seat_of(meeting, person)
        if seat is not None:
            return seat
        if not self._was_called(meeting, person):
            raise ZonghengError("forbidden", f"{person.who} was not called to meeting {meeting.id}")
        if not meeting.is_open:
            raise ZonghengError("not_found", f"meeting {meeting.id} is over")
        raise ZonghengError(
            "busy", f"meeting {meeting.id} rings for {person.who} no more: somebody else has answered"
        )

    def _was_called(self, meeting: Meeting, person: Person) -> bool:
        return meeting.was_called(person.who, self.book.node, person.answers)

    def _not_too_often(self, who: str) -> None:
        late_s = (now_s := asyncio.get_running_loop().time()) - 60
        for each in [one for one, opened_s in self._opened_s.items() if opened_s[-1] < late_s]:
            del self._opened_s[each]
        opened_s = self._opened_s.setdefault(who, deque(maxlen=MOST_A_MINUTE))
        if len(opened_s) == MOST_A_MINUTE and opened_s[0] > late_s:
            raise ZonghengError(
                "busy", f"{who} opened {MOST_A_MINUTE} meetings within a minute: wait a little"
            )
        opened_s.append(now_s)

    def _asking(self, who: str) -> Meeting | None:
        """The help call that somebody has open already."""
        for meeting in self.book.open_ones():
            if meeting.kind is Kind.HELP and (meeting.by, meeting.by_node) == (who, self.book.node):
                return meeting
        return None

    def _see(self, meeting: Meeting, person: Person) -> Meeting:
        if meeting.is_open:
            self._seen_s[meeting.id, person.who] = asyncio.get_running_loop().time()
        return meeting
