"""What the link shows of each child, kept over restarts: last sign of life, time connected, clock, what is outstanding.

Small, of this node's own observation and in no journal, so it lies with the link's other marks. Time connected is the clock by which a
child is given time to do its part: only what this node saw itself counts, and at most one look's length at a time, so that a node that
stood still for an hour believes nobody was connected for it.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Final

from federation.link.session import SessionStatus
from node.resupervision.measures import Standing
from node.store.rows import Head
from node.store.store import Session

_PREFIX: Final = "standing/"
_LISTENING: Final = "standing.listening"

LOOK_AT_MOST_US: Final = 120 * 1_000_000
"""Longest time between two looks for which a child counts as connected throughout."""

AWAY_US: Final = 15 * 60 * 1_000_000
"""A pause in this node's own looks after which it has not been listening."""


@dataclass(slots=True)
class Track:
    """One child."""

    introduced_us: int
    heard_us: int = 0
    linked_us: int = 0
    current_us: int = 0
    offset_ms: int | None = None
    offset_since_us: int = 0
    lag_size: int = 0
    lag_since_us: int = 0
    lag_from_us: int = 0
    reported: int = 0
    behind_size: int = 0
    behind_since_us: int = 0
    behind_from_us: int = 0


class Tracks:
    """Every child that was ever introduced."""

    def __init__(self, out_of_step_s: int) -> None:
        """``out_of_step_s``: how far away a clock may be before a stretch of it begins."""
        self._out_of_step_ms = out_of_step_s * 1_000
        self._tracks: dict[str, Track] = {}
        self._unsaved: set[str] = set()
        self._looked_us = 0
        self.listening_us = 0
        """Since when this node has been looking without a pause."""

    async def load(self, session: Session, now_us: int) -> None:
        """Read what is kept; call once. A pause since the last look is a time in which nobody listened."""
        for name in await session.links.names(_PREFIX):
            kept = await session.links.get_json(name)
            self._tracks[name.removeprefix(_PREFIX)] = Track(**kept)
        listening = await session.links.get_json(_LISTENING) or {"since": now_us, "looked": now_us}
        self.listening_us, self._looked_us = listening["since"], listening["looked"]

    async def save(self, session: Session) -> None:
        """Keep what changed."""
        for child in sorted(self._unsaved):
            await session.links.put_json(_PREFIX + child, asdict(self._tracks[child]))
        await session.links.put_json(_LISTENING, {"since": self.listening_us, "looked": self._looked_us})
        self._unsaved.clear()

    def look(
        self,
        now_us: int,
        children: Collection[str],
        sessions: Iterable[SessionStatus],
        heads: Iterable[Head],
        reported: dict[str, int],
        named: dict[str, int],
    ) -> None:
        """Take in what is seen now. ``named``: entries that a child's newest head names; ``reported``: what its figures stand at."""
        if not 0 <= now_us - self._looked_us <= AWAY_US:
            self.listening_us = now_us
        passed = min(max(0, now_us - self._looked_us), LOOK_AT_MOST_US)
        self._looked_us = now_us
        connected = {session.node: session for session in sessions}
        held = {head.origin: head for head in heads}
        for child in children:
            track = self._tracks.get(child)
            if track is None:
                track = self._tracks[child] = Track(introduced_us=now_us)
            self._unsaved.add(child)
            session, head = connected.get(child), held.get(child)
            size = 0
            if head is not None:
                size = head.size
                track.heard_us = max(track.heard_us, min(head.signed_at_us, now_us))
            if session is not None:
                track.heard_us = max(track.heard_us, min(session.heard_us, now_us))
                track.linked_us += min(passed, max(0, now_us - session.connected_us))
                if session.clock_offset_ms is not None:
                    self._clock(track, session.clock_offset_ms, now_us)
            track.reported = max(track.reported, min(reported.get(child, 0), size))
            _outstanding(track, "lag", size, max(named.get(child, 0), size), now_us)
            _outstanding(track, "behind", track.reported, size, now_us)
            if session is not None and not track.lag_size:
                track.current_us = now_us

    def linked_us(self, child: str) -> int:
        """How long it has been connected, in all."""
        return self._tracks[child].linked_us

    def reported(self, child: str) -> int:
        """The largest journal size that its figures have stood at."""
        return self._tracks[child].reported

    def standing(self, child: str, held: int, named: int, quarantined: bool) -> Standing:
        """The child as measured."""
        return Standing(
            child=child, held=held, named=named, quarantined=quarantined, **asdict(self._tracks[child])
        )

    def _clock(self, track: Track, offset_ms: int, now_us: int) -> None:
        track.offset_ms = offset_ms
        if abs(offset_ms) < self._out_of_step_ms:
            track.offset_since_us = 0
        elif not track.offset_since_us:
            track.offset_since_us = now_us


def _outstanding(track: Track, name: str, there: int, due: int, now_us: int) -> None:
    """Whether what was due at some look has come since; what became due meanwhile begins its own time then."""
    if there >= getattr(track, f"{name}_size"):
        waits = there < due
        setattr(track, f"{name}_size", due if waits else 0)
        setattr(track, f"{name}_since_us", now_us if waits else 0)
        setattr(track, f"{name}_from_us", track.linked_us if waits else 0)
