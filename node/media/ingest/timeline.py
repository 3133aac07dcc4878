"""One time for everything a camera sends, pictures and sound, whatever its own clock does.

Presentation times come out in 90 kHz and never go back: over a file that begins again, a camera that was away, a camera whose clock was
set. Within a stretch in which the camera's times go on, distances are the camera's own, since playing smoothly depends on them; a stretch
that does not fit the one before begins where the machine's clock says.

When a frame was taken follows from these times and from when frames came: the network only ever adds delay, so the frame that came soonest for
its time tells best. A camera's clock that runs slow or fast is followed within minutes.
"""

from typing import Final

RATE: Final = 90_000
"""Ticks of a presentation time in a second (RFC 6184, 8.2.1)."""

_NS: Final = 1_000_000_000
_FORWARD_TICKS: Final = 2 * RATE
"""A step further than this beyond what the machine's clock says is another stretch."""
_FOLLOW: Final = 256
"""How slowly a camera's clock that falls behind is followed: by this part of the difference a frame."""


class Timeline:
    """The time of one camera's frames. Instants are nanoseconds since 1970-01-01T00:00:00Z."""

    def __init__(self) -> None:
        self._shift: int | None = None
        self._last = 0
        self._last_ns = 0
        self._delay_ns: int | None = None
        self._goes_on = True

    def begin(self) -> None:
        """The camera was reached anew: its times have nothing to do with those before."""
        self._goes_on = False

    def place(self, pts_90k: int | None, came_ns: int) -> tuple[int, int]:
        """(presentation time, when it was taken) of the next frame in order of presentation.

        ``pts_90k``: by the camera's clock; None: it gave none. ``came_ns``: when it arrived.
        """
        elapsed = max(0, came_ns - self._last_ns) * RATE // _NS
        if self._shift is None:
            self._shift = -pts_90k if pts_90k is not None else 0
            pts = 0
        elif pts_90k is None:
            pts = self._last + max(1, elapsed)
        else:
            pts = pts_90k + self._shift
            if not self._goes_on or pts <= self._last or pts - self._last > elapsed + _FORWARD_TICKS:
                pts = self._last + max(1, elapsed)
                self._shift = pts - pts_90k
                self._delay_ns = None
        self._last, self._last_ns, self._goes_on = pts, came_ns, True
        return pts, self._taken(pts, came_ns)

    def beside(self, pts_90k: int) -> tuple[int, int] | None:
        """(presentation time, when it was taken) of sound, which goes by the pictures' time. None where it cannot be told: before a connection's first
        picture, and two seconds away from the newest one."""
        if self._shift is None or self._delay_ns is None or not self._goes_on:
            return None
        pts = pts_90k + self._shift
        if pts < 0 or abs(pts - self._last) > _FORWARD_TICKS:
            return None
        return pts, pts * _NS // RATE + self._delay_ns

    def _taken(self, pts: int, came_ns: int) -> int:
        delay_ns = came_ns - pts * _NS // RATE
        if self._delay_ns is None or delay_ns < self._delay_ns:
            self._delay_ns = delay_ns
        else:
            self._delay_ns += (delay_ns - self._delay_ns) // _FOLLOW
        return pts * _NS // RATE + self._delay_ns
