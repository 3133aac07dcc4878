"""Packets of one track put together to frames, in order and as soon as each is whole; pure.

- A frame of a picture is whole with the packet that bears the marker, or that comes before another timestamp; each packet of sound is a frame (RFC 7587 §4.2).
- What is missing is waited for: the publisher is asked for it (NACK) and may send it again. After ``patience_s``, or when ``most`` packets have come since, it is
  lost: what there is of its frame is dropped, and ``add`` says so. So is a frame of more than four times as many packets.
- Nothing waits where nothing is missing: a call's voice is handed on with the packet that brings it.
"""

from dataclasses import dataclass
from typing import Final

_RESTART: Final = 3_000
"""Numbers so far from those expected are another sequence."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one packet carries."""

    number: int
    """RTP sequence number, 16 bits."""
    timestamp: int
    last: bool
    """The marker: with it a frame ends."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Whole:
    """A frame."""

    timestamp: int
    unit: bytes


class Assembly:
    """One track. ``whole``: each packet is a frame."""

    def __init__(self, *, whole: bool, most: int, patience_s: float) -> None:
        self._whole = whole
        self._most = most
        self._patience_s = patience_s
        self._next: int | None = None
        self._parts: dict[int, Part] = {}
        """Beyond a hole, by number without overflow."""
        self._pending: list[Part] = []
        """Of the frame that is not whole yet, without a hole."""
        self._ragged = False
        """The frame that is not whole yet lacks its beginning."""
        self._waiting_since_s: float | None = None

    def add(self, part: Part, now_s: float) -> tuple[list[Whole], bool]:
        """One packet came at ``now_s`` on the steady clock: the frames that are whole by it, and whether something is lost for good."""
        if self._next is None:
            self._next = part.number
        step = (part.number - self._next + 0x8000 & 0xFFFF) - 0x8000
        lost = abs(step) > _RESTART
        if lost:
            self._drop(part.number)
            step = 0
        if step < 0:
            return [], False
        self._parts.setdefault(self._next + step, part)
        found = self._taken()
        if not self._parts:
            self._waiting_since_s = None
        elif found or self._waiting_since_s is None:
            self._waiting_since_s = now_s
        elif now_s - self._waiting_since_s > self._patience_s or max(self._parts) - self._next >= self._most:
            self._skip()
            lost, self._waiting_since_s = True, None
            found = self._taken()
        return found, lost

    def _taken(self) -> list[Whole]:
        """The frames that are whole up to the next hole."""
        assert self._next is not None
        found: list[Whole] = []
        while (part := self._parts.pop(self._next, None)) is not None:
            self._next += 1
            if self._pending and part.timestamp != self._pending[0].timestamp:
                self._end(found)
            if len(self._pending) >= 4 * self._most:
                self._pending, self._ragged = [], True
            self._pending.append(part)
            if part.last or self._whole:
                self._end(found)
        return found

    def _end(self, found: list[Whole]) -> None:
        """The pending frame is whole, as far as it goes."""
        if not self._ragged:
            unit = b"".join(part.content for part in self._pending)
            # Packets that only probe the line are empty, behind a picture's last.
            if unit:
                found.append(Whole(self._pending[0].timestamp, unit))
        self._pending, self._ragged = [], False

    def _skip(self) -> None:
        """Go on behind the hole."""
        self._next = min(self._parts)
        self._pending, self._ragged = [], not self._whole

    def _drop(self, number: int) -> None:
        """Begin anew with this number."""
        self._next = number
        self._parts.clear()
        self._pending, self._ragged, self._waiting_since_s = [], False, None
