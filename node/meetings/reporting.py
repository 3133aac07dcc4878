"""Help calls as the service hall's rules know them: how long each rang at this node, and whether somebody here answered.

Each node at which a call rings supervises its own answering: where a town let it ring and the county answered, the town did not. A node without a service hall (a village) reports nothing; its parent rings next.
"""

import asyncio

import structlog
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.intake_pb2 import Submission, SubmitRequest

from federation.errors import of
from node.intake.service import Intake
from node.meetings.book import Book
from node.meetings.meeting import Kind, Meeting, Seat, State
from node.wallclock import Now

_SOURCE = "meetings"

log = structlog.get_logger(__name__)


class Reporting:
    """Belongs to one event loop."""

    def __init__(self, book: Book, intake: Intake, has_hall: bool, now: Now) -> None:
        """`has_hall`: this node supervises a service hall."""
        self._book = book
        self._intake = intake
        self._now = now
        self._rings: dict[str, dict[int, Seat]] = {}
        """Seats of this node that ring for help, by meeting."""
        self._over: asyncio.Queue[tuple[Meeting, Seat, Seat]] = asyncio.Queue()
        if has_hall:
            book.changed.append(self._look)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            meeting, rang, seat = await self._over.get()
            try:
                await self._report(meeting, rang, seat)
            except Exception as failed:
                log.exception("meeting.not_reported", meeting=meeting.id, code=of(failed).code)

    def _look(self, meeting: Meeting) -> None:
        if meeting.kind is not Kind.HELP:
            return
        rings = self._rings.setdefault(meeting.id, {})
        for seat in meeting.seats:
            if not seat.called.officers or seat.node != self._book.node:
                continue
            if seat.state is State.RINGING:
                rings[seat.number] = seat
            elif (rang := rings.pop(seat.number, None)) is not None:
                self._over.put_nowait((meeting, rang, seat))
        if not rings:
            del self._rings[meeting.id]

    async def _report(self, meeting: Meeting, rang: Seat, seat: Seat) -> None:
        answered = seat.state is State.JOINED
        begun = CaseEvent(kind="help", at_us=rang.rang_at_us, actor=meeting.by)
        begun.attributes.append(Attribute(name="caller_node", text=meeting.by_node))
        ended = CaseEvent(
            kind="help_answered" if answered else "help_unanswered",
            at_us=max(seat.since_us, rang.rang_at_us),
            actor=seat.who if answered else "",
        )
        submissions = []
        for event in (begun, ended):
            event.case_id = f"{self._book.node}-help-{meeting.id}-{seat.number}"
            event.domain = "hall"
            event.received_at_us = self._now()
            event.agency = self._book.node
            submissions.append(Submission(serial=f"{meeting.id}/{seat.number}/{event.kind}", event=event))
        answer = await self._intake.submit(SubmitRequest(source=_SOURCE, submissions=submissions))
        for rejected in answer.rejected:
            log.warning(
                "meeting.help_rejected", meeting=meeting.id, code=rejected.code, words=rejected.reason
            )
