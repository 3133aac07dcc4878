"""Which streams may be taken from a node to one below it: those of meetings, and nothing else. The port through which meetings say so."""

from typing import Protocol

from federation.trunk.frame import Stream


class MeetingStreams(Protocol):
    """What the meetings of one node let go down. Asked for every viewer who looks from below, at every node on the way down, again when the stream is fetched, and
    every two seconds for as long as they look; `Viewings.recheck` asks at once, for meetings that are over or have lost somebody."""

    def may_go_down(self, stream: Stream, child: str) -> bool:
        """Whether a stream is a speaker's of an open meeting, as far as this node knows, in which somebody sits at `child` or below it.

        `child` is one of this node's own children; the stream's node is this one, above it, or below another child. Raises nothing, and waits for nothing.
        """
        ...


class NoMeetings:
    """Nothing goes down."""

    def may_go_down(self, stream: Stream, child: str) -> bool:
        return False
