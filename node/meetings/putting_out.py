"""With their seat, people lose the streams of a meeting: those that they publish, and those that they watch.

Everybody is looked at again with each change of a meeting: who left, was removed, or sits in a meeting that is over, is put out, at the node where they sit and at the node of the seat that they look at. Either is enough;
one may be cut off from the other.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from federation.errors import ZonghengError, of
from federation.trunk.frame import Stream
from node.media.viewing import Viewing
from node.media.viewings import Viewings
from node.media.webrtc.places import Held
from node.meetings.book import Book
from node.meetings.meeting import Meeting, State, meeting_of

_BY: Final = "meeting"

log = structlog.get_logger(__name__)


class Sessions(Protocol):
    """Who of this node publishes or watches."""

    def holds(self, picked: Callable[[Held], bool]) -> bool: ...

    async def end_those(self, picked: Callable[[Held], bool], error: ZonghengError) -> None: ...


class PuttingOut:
    """Belongs to one event loop."""

    def __init__(self, book: Book, viewings: Viewings, sessions: Sessions) -> None:
        self._book = book
        self._viewings = viewings
        self._sessions = sessions
        self._changed: asyncio.Queue[str] = asyncio.Queue()
        book.changed.append(lambda meeting: self._changed.put_nowait(meeting.id))

    def are_used(self, meeting: str, who: str) -> bool:
        """Whether somebody here publishes or watches a stream of a meeting."""
        return self._sessions.holds(
            lambda held: held.who == who and meeting_of(Stream.parse(held.stream).camera) == meeting
        )

    async def run(self) -> None:
        """End what is over, until cancelled."""
        while True:
            meeting = self._book.find(await self._changed.get())
            if meeting is not None:
                try:
                    await self._put_out(meeting)
                except Exception as failed:
                    log.exception("meeting.not_put_out", meeting=meeting.id, code=of(failed).code)

    async def _put_out(self, meeting: Meeting) -> None:
        """Whoever has no right to it any more."""
        over = ZonghengError("viewer_removed", f"meeting {meeting.id} is over, or you have left it")

        def has_ended(held: Held) -> bool:
            stream = Stream.parse(held.stream)
            if meeting_of(stream.camera) != meeting.id:
                return False
            if held.viewing:
                return not meeting.sits(held.who, self._book.node)
            return not _is_held(meeting, held.stream, held.who)

        await self._sessions.end_those(has_ended, over)
        for viewing in self._viewings.now_looking:
            if self._looks_in_vain(meeting, viewing):
                try:
                    await self._viewings.remove(viewing.id, _BY, over.detail)
                except ZonghengError as gone:
                    log.info("meeting.viewer_gone", viewing=viewing.id, code=gone.code)

    def _looks_in_vain(self, meeting: Meeting, viewing: Viewing) -> bool:
        """At a seat of this node in which nobody sits, or without being in the meeting."""
        stream = viewing.stream
        if stream.node != self._book.node or meeting_of(stream.camera) != meeting.id:
            return False
        taken = any(
            seat.state is State.JOINED and meeting.stream(seat) == str(stream) for seat in meeting.seats
        )
        return not meeting.is_open or not taken or not meeting.sits(viewing.viewer.who, viewing.viewer.node)


def _is_held(meeting: Meeting, stream: str, who: str) -> bool:
    return meeting.is_open and any(
        seat.state is State.JOINED and seat.who == who and meeting.stream(seat) == stream
        for seat in meeting.seats
    )
