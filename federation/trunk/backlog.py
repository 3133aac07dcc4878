"""Frames that wait for a reader who may be slower than the camera.

A slow reader is never sent old pictures: what waits is bounded in bytes, frames and age, and beyond any of these everything goes up to the newest
keyframe that waits. Where none waits, all of it goes, and pictures are passed over until the next keyframe, which is asked for. So what a reader is given can always be
decoded, however slow it is; what it missed is a hole in the sequence.

Age is the time that a frame has waited here: frames that are given again to who joins were captured long before, and clocks differ between nodes.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from federation.trunk.frame import VIDEO, Frame
from federation.trunk.hub import GOP_BYTES, GOP_FRAMES, NS

OLDEST_NS: Final = 2 * NS

MOST_BYTES: Final = GOP_BYTES + GOP_BYTES // 2
MOST_FRAMES: Final = GOP_FRAMES + GOP_FRAMES // 2
"""More than who joins is given at once, or joining would already be too much."""


class Backlog:
    """A bounded queue between a hub and one reader."""

    def __init__(
        self,
        now_ns: Callable[[], int],
        want_keyframe: Callable[[], None] = lambda: None,
        *,
        most_bytes: int = MOST_BYTES,
        most_frames: int = MOST_FRAMES,
        oldest_ns: int = OLDEST_NS,
    ) -> None:
        self._now_ns = now_ns
        self.want_keyframe = want_keyframe
        """Called when pictures are passed over until the next keyframe."""
        self._most_bytes = most_bytes
        self._most_frames = most_frames
        self._oldest_ns = oldest_ns
        self._waiting: deque[tuple[int, Frame]] = deque()
        self._bytes = 0
        self._passing_over = False
        self.dropped = 0
        """Frames that the reader never got."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        return self._bytes

    def put(self, frame: Frame) -> None:
        if self._passing_over and frame.track == VIDEO:
            if not frame.keyframe:
                self.dropped += 1
                return
            self._passing_over = False
        self._waiting.append((self._now_ns(), frame))
        self._bytes += len(frame.unit)
        self._shorten()

    def first(self) -> Frame | None:
        """What `take` would give now."""
        self._shorten()
        return self._waiting[0][1] if self._waiting else None

    def take(self) -> Frame | None:
        """The next frame for the reader; None: nothing waits."""
        self._shorten()
        if not self._waiting:
            return None
        _, frame = self._waiting.popleft()
        self._bytes -= len(frame.unit)
        return frame

    def _shorten(self) -> None:
        if not self._too_much():
            return
        keep_from = len(self._waiting)
        for at in range(len(self._waiting) - 1, 0, -1):
            frame = self._waiting[at][1]
            if frame.track == VIDEO and frame.keyframe:
                keep_from = at
                break
        pictures = False
        for _ in range(keep_from):
            _, frame = self._waiting.popleft()
            self._bytes -= len(frame.unit)
            self.dropped += 1
            pictures = pictures or frame.track == VIDEO
        if not self._waiting and pictures:
            self._passing_over = True
            self.want_keyframe()
        elif self._too_much():  # what is kept is still too much, or waits too long
            self._shorten()

    def _too_much(self) -> bool:
        if len(self._waiting) < 2:
            return bool(self._waiting) and self._now_ns() - self._waiting[0][0] > self._oldest_ns
        return (
            self._bytes > self._most_bytes
            or len(self._waiting) > self._most_frames
            or self._now_ns() - self._waiting[0][0] > self._oldest_ns
        )
