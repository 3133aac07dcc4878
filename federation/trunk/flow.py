"""How much of a stream may be under way: bounds for the sender, and for what a receiver puts up with.

The sender stops when too many bytes are not yet acknowledged, or when the oldest of them has been under way for too long, whichever is first: HTTP/2's own
windows would let a reader that stalls pile up half a minute of video on the way. What cannot be sent waits in a `Backlog`, which never holds
old pictures.

A receiver gives credit as fast as it takes frames, so credit bounds no child that sends more than any camera may. `Meter` does: a bucket that fills at
the highest rate that is put up with, deep enough for the pictures since the last keyframe that come at once.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from federation.errors import ZonghengError
from federation.trunk.hub import GOP_BYTES, NS

WINDOW_BYTES: Final = 512 * 1024
OLDEST_NS: Final = NS

MOST_BYTES_PER_S: Final = 4_000_000
"""32 Mb/s: twice what a 4K camera gives."""

BURST_BYTES: Final = 2 * GOP_BYTES

_FRAME_BYTES: Final = 512
"""What a frame costs beside its unit, so that a flood of tiny ones is one too."""


class Window:
    """What a sender has under way."""

    def __init__(
        self, now_ns: Callable[[], int], most_bytes: int = WINDOW_BYTES, oldest_ns: int = OLDEST_NS
    ) -> None:
        self._now_ns = now_ns
        self._most_bytes = most_bytes
        self._oldest_ns = oldest_ns
        self._under_way: deque[tuple[int, int]] = deque()
        """When sent, and the total of bytes up to it."""
        self._sent = 0
        self._taken = 0

    @property
    def under_way_bytes(self) -> int:
        return self._sent - self._taken

    @property
    def is_open(self) -> bool:
        """Whether another frame may be sent. With nothing under way one always may, however large."""
        if not self._under_way:
            return True
        if self._now_ns() - self._under_way[0][0] > self._oldest_ns:
            return False
        return self.under_way_bytes < self._most_bytes

    def sent(self, size: int) -> None:
        self._sent += size
        self._under_way.append((self._now_ns(), self._sent))

    def acknowledge(self, taken: int) -> None:
        """The receiver took so many bytes in all. Raises ZonghengError `protocol` for what was never sent."""
        if not self._taken <= taken <= self._sent:
            raise ZonghengError("protocol", "frames are acknowledged that were not sent")
        self._taken = taken
        while self._under_way and self._under_way[0][1] <= taken:
            self._under_way.popleft()


class Meter:
    """How fast frames come in."""

    def __init__(
        self, now_ns: Callable[[], int], bytes_per_s: int = MOST_BYTES_PER_S, burst_bytes: int = BURST_BYTES
    ) -> None:
        self._now_ns = now_ns
        self._bytes_per_s = bytes_per_s
        self._burst_bytes = burst_bytes
        self._left = float(burst_bytes)
        self._at_ns = now_ns()

    def count(self, size: int) -> None:
        """A frame with so many bytes came. Raises ZonghengError `too_large` when it is too much."""
        now = self._now_ns()
        self._left = min(self._burst_bytes, self._left + (now - self._at_ns) * self._bytes_per_s / NS)
        self._at_ns = now
        self._left -= size + _FRAME_BYTES
        if self._left < 0:
            raise ZonghengError(
                "too_large",
                f"the stream brings more than {self._bytes_per_s * 8 // 1_000_000} Mb/s: set the camera to a lower rate",
            )
