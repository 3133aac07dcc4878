"""Meetings that a journal says began, and does not say ended: what a process left that died. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.meeting_pb2 import MeetingClosed, MeetingJoined, MeetingLeft, MeetingOpened, MeetingRoster

from node.meetings.messages import SECOND_US

LAST: Final = 2**63
"""Version of the last word about a meeting."""

KINDS: Final = frozenset({"meeting_opened", "meeting_joined", "meeting_left", "meeting_closed"})
"""Bodies of entries that say something of a meeting."""


@dataclass(slots=True)
class Unfinished:
    """One meeting, as far as a journal tells."""

    opened: MeetingOpened
    nodes: set[str]
    """Those that had a part in it."""
    sitting: dict[int, tuple[int, MeetingJoined]] = field(default_factory=dict)
    """Who sat there, by seat, with when that was entered (µs since the epoch)."""

    @classmethod
    def among(cls, entries: Iterable[Entry]) -> list[Self]:
        """The meetings that these entries leave open."""
        found: dict[str, Self] = {}
        for entry in entries:
            match entry.WhichOneof("body"):
                case "meeting_opened":
                    one = entry.meeting_opened
                    nodes = {one.host, one.by_node, *(seat.node for seat in one.called)}
                    known = found.get(one.meeting)
                    found[one.meeting] = cls(one, nodes, {} if known is None else known.sitting)
                case "meeting_joined" if entry.meeting_joined.meeting in found:
                    joined = entry.meeting_joined
                    found[joined.meeting].nodes.add(joined.node)
                    found[joined.meeting].sitting[joined.seat] = entry.noted_at_us, joined
                case "meeting_left" if entry.meeting_left.meeting in found:
                    found[entry.meeting_left.meeting].sitting.pop(entry.meeting_left.seat, None)
                case "meeting_closed":
                    found.pop(entry.meeting_closed.meeting, None)
        return list(found.values())

    def roster(self, at_us: int) -> MeetingRoster:
        """What a node with a seat in it is told: it is over. Later than all that was said before."""
        opened = self.opened
        return MeetingRoster(
            meeting=opened.meeting, kind=opened.kind, title=opened.title, host=opened.host, by=opened.by,
            by_node=opened.by_node, opened_at_us=opened.opened_at_us, version=LAST, closed="interrupted", closed_at_us=at_us,
        )  # fmt: skip

    def ending(self, at_us: int) -> list[Entry]:
        """What says that it was interrupted."""
        opened = self.opened
        said = [
            Entry(
                source="node",
                meeting_left=MeetingLeft(
                    meeting=joined.meeting, seat=joined.seat, node=joined.node, who=joined.who, code="interrupted",
                    seconds=max(0, at_us - noted_us) // SECOND_US,
                ),
            )
            for noted_us, joined in self.sitting.values()
        ]  # fmt: skip
        closed = MeetingClosed(
            meeting=opened.meeting, kind=opened.kind, host=opened.host, code="interrupted",
            seconds=max(0, at_us - opened.opened_at_us) // SECOND_US,
        )  # fmt: skip
        return [*said, Entry(source="node", meeting_closed=closed)]
