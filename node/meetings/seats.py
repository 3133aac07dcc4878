"""The streams of a meeting's seats: who publishes one, and who looks at one.

A stream like those of cameras, with the meeting in place of a camera's permissions: who holds a seat publishes it, at the node where they sit; whoever is in the meeting looks. The seat's own node decides, by the
roster that the host tells it.
"""

import asyncio
from typing import Final

from zongheng.v1.camera_pb2 import Viewer

from federation.errors import ZonghengError
from federation.trunk.frame import Quality, Stream
from node.meetings.book import Book
from node.meetings.meeting import Meeting, Seat, State, meeting_of

NEWS_S: Final = 3.0
"""How long the host's news of somebody who looks may take."""

_LOOK_S: Final = 0.1


class Seats:
    """The seats of one node's people."""

    def __init__(self, book: Book) -> None:
        self._book = book

    async def check(self, viewer: Viewer, stream: Stream) -> None:
        """Raises ZonghengError `not_found` where nobody sits there, `forbidden` for whoever is not in the meeting.

        Who has just sat down may ask before the host's news of it is here: it is waited for.
        """
        until_s = asyncio.get_running_loop().time() + NEWS_S
        meeting, _ = self._seat(stream)
        while not meeting.sits(viewer.who, viewer.node):
            if self._book.holds(meeting) or asyncio.get_running_loop().time() > until_s:
                words = f"{viewer.who} of {viewer.node} is not in meeting {meeting.id}"
                raise ZonghengError("forbidden", words)
            await asyncio.sleep(_LOOK_S)
            meeting, _ = self._seat(stream)

    def meeting(self, who: str, stream: Stream) -> str:
        """The meeting in which somebody of this node sits who looks at one of its streams. Raises ZonghengError `forbidden`, `not_found`."""
        meeting = self._book.get(meeting_of(stream.camera))
        if not meeting.sits(who, self._book.node):
            raise ZonghengError("forbidden", f"{who} is not in meeting {meeting.id}")
        return meeting.id

    def may_publish(self, who: str, stream: Stream) -> None:
        """Raises ZonghengError `not_found`, `forbidden` for whoever does not hold the seat."""
        meeting, seat = self._seat(stream)
        if seat.who != who:
            raise ZonghengError("forbidden", f"seat {seat.number} of meeting {meeting.id} is not {who}'s")
        if not seat.called.speaks:
            raise ZonghengError("forbidden", f"{who} watches meeting {meeting.id}: ask who runs it to speak")

    def named(self, stream: Stream) -> tuple[str, str]:
        """What a page calls a seat's stream: who sits there, and in which meeting. Raises ZonghengError `not_found`."""
        meeting = self._book.get(meeting_of(stream.camera))
        for seat in meeting.seats:
            if meeting.stream(seat) == str(stream):
                return seat.who or seat.called.window or seat.called.hall, meeting.title
        raise ZonghengError("not_found", f"meeting {meeting.id} has no seat with the stream {stream}")

    def _seat(self, stream: Stream) -> tuple[Meeting, Seat]:
        meeting = self._book.find(meeting_of(stream.camera))
        if meeting is not None and meeting.is_open and stream.quality is Quality.MAIN:
            for seat in meeting.seats:
                if seat.state is State.JOINED and meeting.stream(seat) == str(stream):
                    return meeting, seat
        raise ZonghengError("not_found", f"nobody sits at {stream}: the meeting may be over")
