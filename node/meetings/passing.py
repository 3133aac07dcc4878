"""What a node knows of meetings that pass through it: whose pictures may go down to which child.

The host tells every node with a seat the whole roster, every ten seconds at least, and the nodes on the way see it pass. So one that was started anew knows again within that time, and one that sees nothing more
lets nothing more down. Of meetings that it holds, or has seats in, a node knows by itself.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from federation.trunk.frame import Stream
from node.meetings.book import Book
from node.meetings.meeting import Meeting, State, meeting_of
from node.tree import Tree

KNOWN_S: Final = 60.0
"""How long what was seen of a meeting holds: as long as a link may be broken."""

MOST: Final = 1_000
"""Meetings that pass through a node at once."""


class Passing:
    """The `MeetingStreams` of one node. Belongs to one event loop."""

    def __init__(self, book: Book, tree: Tree) -> None:
        self._book = book
        self._tree = tree
        self._seen: dict[str, tuple[float, Meeting]] = {}
        self.changed: Callable[[], None] = lambda: None
        """Told when less may go down than before, as far as can be."""

    def see(self, meeting: Meeting) -> None:
        """This passes: how a meeting stands, by its host."""
        now_s = asyncio.get_running_loop().time()
        for id in [each for each, (seen_s, _) in self._seen.items() if now_s - seen_s > KNOWN_S]:
            del self._seen[id]
        known = self._seen.get(meeting.id)
        if known is None and len(self._seen) >= MOST:
            return
        if known is not None and known[1].version > meeting.version:
            meeting = known[1]
        self._seen[meeting.id] = now_s, meeting
        self.changed()

    def may_go_down(self, stream: Stream, child: str) -> bool:
        """Whether a stream is a speaker's of an open meeting in which somebody sits at a child or below it."""
        meeting = self._known(meeting_of(stream.camera))
        if meeting is None or not meeting.is_open:
            return False
        sitting = [seat for seat in meeting.seats if seat.state is State.JOINED]
        speaks = any(seat.called.speaks and meeting.stream(seat) == str(stream) for seat in sitting)
        return speaks and any(seat.node == child or self._tree.route(seat.node) == child for seat in sitting)

    def _known(self, id: str) -> Meeting | None:
        """The newest that is known of a meeting."""
        own = self._book.find(id)
        seen_s, seen = self._seen.get(id, (float("-inf"), None))
        if asyncio.get_running_loop().time() - seen_s > KNOWN_S:
            seen = None
        known = [meeting for meeting in (own, seen) if meeting is not None]
        return max(known, key=lambda meeting: meeting.version, default=None)
