"""Where a stream is one at a node: frames come in once, from an ingest or from the trunk, and go out to everybody who watches here.

- Every consumer is in step or waits: it gets a picture only when it has got all that this picture refers to. After a hole everybody waits for
  the next keyframe, which is asked for.
- Who joins is given the frames since the last keyframe at once, with their own sequence and timestamps, and so needs no keyframe made for it.
  What is kept for that is bounded in bytes and frames; a stretch without a keyframe that is longer than the bounds is not kept at all, as of a browser that
  publishes: for who joins then a keyframe is asked for.
- What is older than two seconds is shown to nobody as if it were now: who joins a stream of which no pictures come waits for the next, and is given with it those that it refers to. Sound that
  comes meanwhile is given as it comes.
- Frames of a track only ever go forward. A source that has to begin anew (an ingest that was started again) says so with `restart`.
- A request for a keyframe goes upstream at most once a second; one that comes too early is remembered, unless the keyframe comes by itself.
- A seat may have a lease. Whoever took it renews it while somebody is really there; one that runs out is closed, so that a reader
  that froze holds nothing open.
- A consumer that fails is put out, and nobody else notices.

Nothing here waits: a consumer is a function that must not block, and time is asked of a clock that is given. A hub belongs to one event loop.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import structlog

from federation.errors import ZonghengError, of
from federation.trunk.frame import VIDEO, Frame

NS: Final = 1_000_000_000

GOP_BYTES: Final = 8 * 1024 * 1024
GOP_FRAMES: Final = 1_500
"""Frames of sound count as well: at 25 pictures and 50 packets a second these are 20 s."""

CURRENT_NS: Final = 2 * NS
"""A stream of which nothing came for longer shows what was, not what is."""

KEYFRAME_EVERY_NS: Final = NS
"""Least time between two requests for a keyframe."""

Take = Callable[[Frame], None]
"""Is given each frame; must neither block nor wait."""

Ended = Callable[[ZonghengError | None], None]
"""Is told once why there are no more frames; None: the stream ended in order. Not told to who left by itself."""

_log = structlog.get_logger(__name__)


class State(StrEnum):
    OPENING = "opening"
    """No frame came yet."""
    LIVE = "live"
    LOST = "lost"
    """Frames came, and the source is trying to have more."""
    ENDED = "ended"


class Seat:
    """One consumer's place at a hub."""

    def __init__(self, hub: "Hub", take: Take, ended: Ended, lease_ns: int | None) -> None:
        self._hub = hub
        self._take = take
        self._ended = ended
        self._lease_ns = lease_ns
        self._renewed_ns = hub.now_ns()
        self.in_step = False
        """The consumer was given a keyframe; from there on the hub passes nothing on that lacks what it refers to."""
        self.replays = False
        """With the next picture it is given those before it."""

    @property
    def is_taken(self) -> bool:
        return self in self._hub.seats

    @property
    def expired(self) -> bool:
        return self._lease_ns is not None and self._hub.now_ns() - self._renewed_ns > self._lease_ns

    def renew(self) -> None:
        """Whoever this seat is for is there."""
        self._renewed_ns = self._hub.now_ns()

    def leave(self) -> None:
        """No more frames, from now on. Leaving again changes nothing."""
        self._hub.vacate(self)

    def want_keyframe(self) -> None:
        """The consumer lost something."""
        if self.is_taken:
            self._hub.want_keyframe()

    def give(self, frame: Frame) -> None:
        """For the hub: hand over what the consumer can use."""
        if frame.track == VIDEO:
            self.in_step = self.in_step or frame.keyframe
            if not self.in_step:
                return
        try:
            self._take(frame)
        except Exception as error:
            _log.exception("hub.consumer_failed", stream=self._hub.stream)
            self.close(of(error))

    def close(self, error: ZonghengError | None) -> None:
        """Put the consumer out and tell it why."""
        if self.is_taken:
            self.leave()
            try:
                self._ended(error)
            except Exception:
                _log.exception("hub.consumer_failed", stream=self._hub.stream)


class Hub:
    """One stream at one node."""

    def __init__(self, stream: str, now_ns: Callable[[], int]) -> None:
        """`now_ns` need not be Unix time; it must go on by itself."""
        self.stream = stream
        self.now_ns = now_ns
        self.state = State.OPENING
        self.error: ZonghengError | None = None
        """While the stream is lost, why; once it ended, why, None where it ended in order."""
        self.seats: dict[Seat, None] = {}
        self.idle_since_ns = now_ns()
        """When the last consumer left, or the hub was made; without meaning while somebody is there."""
        self.last_frame_ns = 0
        """When the last frame came, by `now_ns`; 0 before the first."""
        self.ask_keyframe: Callable[[], None] = lambda: None
        """Set by the source that can have a keyframe made."""
        self.changed: Callable[[], None] = lambda: None
        """Told of every change of the state."""
        self.frames = 0
        self.lost_frames = 0
        """Pictures that were dropped because something before them was missing."""
        self._gop: list[Frame] = []
        self._gop_bytes = 0
        self._last: dict[int, int] = {}
        self._in_step = False
        self._wanted = False
        self._asked_ns: int | None = None
        self._shown_ns: int | None = None
        """When the last picture was passed on."""

    @property
    def watchers(self) -> int:
        return len(self.seats)

    def put(self, frame: Frame) -> None:
        """The next frame of the source."""
        if self.state is State.ENDED:
            return
        now = self.now_ns()
        self.last_frame_ns = now
        if frame.keyframe and frame.track == VIDEO:
            self._wanted = False
        if self._fits(frame):
            self.frames += 1
            self._last[frame.track] = frame.seq
            if frame.track == VIDEO:
                self._shown_ns = now
            self._keep(frame)
            for seat in list(self.seats):
                if seat in self.seats:
                    self._give(seat, frame)
            self._become(State.LIVE, None)
        self._ask()

    def join(
        self,
        take: Take,
        *,
        replay: bool = True,
        ended: Ended = lambda error: None,
        lease_ns: int | None = None,
    ) -> Seat:
        """Be given every frame from now on; with `replay` those since the last keyframe first: before this returns, or with the next picture where none come now.

        Raises ZonghengError with which the stream ended, `not_found` where it ended in order.
        """
        if self.state is State.ENDED:
            raise self.error or ZonghengError("not_found", f"{self.stream} has ended")
        seat = Seat(self, take, ended, lease_ns)
        self.seats[seat] = None
        if replay and self._gop:
            seat.replays = not self.is_current
            if not seat.replays:
                self._give_each(seat, self._gop)
        elif replay and self.state is not State.OPENING:
            self.want_keyframe()
        return seat

    @property
    def is_current(self) -> bool:
        """Pictures come now, and are passed on."""
        return self._shown_ns is not None and self.now_ns() - self._shown_ns <= CURRENT_NS

    def _give(self, seat: Seat, frame: Frame) -> None:
        """A frame that is kept already; with a picture those before it, to who has waited for one. What was to be heard before is over."""
        if not seat.replays or frame.track != VIDEO:
            seat.give(frame)
            return
        seat.replays = False
        self._give_each(seat, [one for one in self._gop if one.track == VIDEO])
        if not seat.in_step:  # with this picture it has become too much to keep
            self.want_keyframe()

    def _give_each(self, seat: Seat, frames: Sequence[Frame]) -> None:
        for frame in list(frames):
            if seat in self.seats:
                seat.give(frame)

    def vacate(self, seat: Seat) -> None:
        if seat in self.seats:
            del self.seats[seat]
            if not self.seats:
                self.idle_since_ns = self.now_ns()

    def gop(self) -> Sequence[Frame]:
        """The frames since the last keyframe, which is the first of them; empty where they are not kept."""
        return tuple(self._gop)

    def last_seq(self, track: int) -> int | None:
        """Of the newest frame of a track; None before the first, and after `restart`."""
        return self._last.get(track)

    def want_keyframe(self) -> None:
        """Ask upstream for a keyframe, now or as soon as one may be asked for."""
        self._wanted = True
        self._ask()

    def restart(self) -> None:
        """The source begins anew: sequence and timestamps may start anywhere, with a keyframe."""
        self._last.clear()
        self._in_step = False
        self._forget()

    def lost(self, error: ZonghengError) -> None:
        """The source has no frames at the moment and goes on trying."""
        if self.state is State.ENDED:
            return
        if self.state is State.OPENING:
            self.error = error
            self.changed()
        else:
            self._become(State.LOST, error)

    def end(self, error: ZonghengError | None = None) -> None:
        """There will be no more frames. Only the first call counts."""
        if self.state is State.ENDED:
            return
        self._become(State.ENDED, error)
        self._forget()
        for seat in list(self.seats):
            seat.close(error)

    def close_expired(self) -> None:
        """Put out whoever's lease ran out."""
        for seat in list(self.seats):
            if seat.expired:
                seat.close(ZonghengError("deadline", f"nobody took {self.stream} for too long"))

    def _fits(self, frame: Frame) -> bool:
        """Whether the frame continues what came before, in order and with nothing missing that it may refer to."""
        last = self._last.get(frame.track)
        if last is not None and frame.seq <= last:
            return False
        if frame.track != VIDEO or frame.keyframe:
            self._in_step = self._in_step or frame.track == VIDEO
            return True
        if self._in_step and last is not None and frame.seq == last + 1:
            return True
        self.lost_frames += 1
        self._in_step = False
        self._wanted = True
        return False

    def _keep(self, frame: Frame) -> None:
        if frame.track == VIDEO and frame.keyframe:
            self._forget()
        elif not self._gop:
            return
        self._gop.append(frame)
        self._gop_bytes += len(frame.unit)
        if self._gop_bytes > GOP_BYTES or len(self._gop) > GOP_FRAMES:
            self._forget()

    def _forget(self) -> None:
        self._gop.clear()
        self._gop_bytes = 0

    def _ask(self) -> None:
        if not self._wanted:
            return
        now = self.now_ns()
        if self._asked_ns is None or now - self._asked_ns >= KEYFRAME_EVERY_NS:
            self._wanted, self._asked_ns = False, now
            self.ask_keyframe()

    def _become(self, state: State, error: ZonghengError | None) -> None:
        if self.state is not state or self.error is not error:
            self.state, self.error = state, error
            self.changed()
