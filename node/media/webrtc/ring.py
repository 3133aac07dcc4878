"""The RTP packets of one track, built once for everybody who watches, and kept for a while.

Every viewer of a stream gets the same SSRC, sequence numbers and timestamps, so a packet differs between two of them in its payload type
alone: what follows the first two bytes is built when the frame arrives and stays here, for whoever joins (from the newest
keyframe on, as it was first sent), for whoever says that it was lost (NACK, RFC 4585), for whoever fell behind.

Sequence numbers in here count on past 65,535, so that two of them can be compared; on the wire go their low 16 bits. SRTP counts the overflows by
itself and begins at 0 for every viewer (RFC 3711 §3.3.1), so a viewer may join at any point.
"""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from federation.trunk.frame import Codec, Frame
from node.media.webrtc.payload import payloads

MOST_BYTES: Final = 12 << 20
"""What the packets of a track may take: 20 s at 5 Mb/s. A group of pictures that is larger is not replayed."""

KEPT_S: Final = 3.0
"""How long a packet is kept at least, for those who lost it; further back it would come too late to be shown."""

_LEAP_S: Final = 20
"""Seconds by which a timestamp may be ahead of the time that passed since the one before: more is another clock."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One frame as packets."""

    first: int
    """Sequence number of its first packet."""
    after: int
    """Sequence number after its last packet."""
    keyframe: bool
    timestamp: int
    """RTP timestamp (32 bits) in the track's clock."""
    at_s: float
    """When it came, by the clock that ``put`` is given, in seconds."""


class Track:
    """The packets of one track; belongs to one event loop."""

    def __init__(self, ssrc: int, first: int, *, most_bytes: int = MOST_BYTES) -> None:
        self.ssrc = ssrc
        self.codec: Codec | None = None
        self.packets = 0
        """Packets that were built, for sender reports."""
        self.octets = 0
        """Bytes of payload in them."""
        self._next = first
        self._base = first
        self._tails: deque[bytes] = deque()
        self._marked: deque[bool] = deque()
        self._frames: deque[Sent] = deque()
        self._bytes = 0
        self._most_bytes = most_bytes
        self._keyframe: Sent | None = None
        self._shift = 0
        self._newest: tuple[int, float] | None = None

    @property
    def next(self) -> int:
        """The sequence number of the next packet to come."""
        return self._next

    @property
    def oldest(self) -> int:
        """The sequence number of the oldest packet that is kept."""
        return self._base

    def put(self, frame: Frame, now_s: float) -> Sent | None:
        """Build the packets of a frame; None where there is nothing to send in it."""
        parts = payloads(frame.codec, frame.unit)
        if not parts:
            return None
        self.codec = frame.codec
        timestamp = self._timestamp(frame, now_s)
        first, last = self._next, len(parts) - 1
        for at, part in enumerate(parts):
            head = struct.pack("!HII", (first + at) & 0xFFFF, timestamp, self.ssrc)
            self._tails.append(head + part)
            self._marked.append(at == last)
            self._bytes += len(part)
            self.octets += len(part)
        self.packets += len(parts)
        self._next += len(parts)
        sent = Sent(first, self._next, frame.keyframe, timestamp, now_s)
        self._frames.append(sent)
        if frame.keyframe:
            self._keyframe = sent
        self._forget(now_s)
        return sent

    def take(self, first: int, after: int, payload_type: int) -> list[bytes]:
        """Packets ``first ≤ n < after`` with this payload type; KeyError when some of them are no longer, or not yet, here."""
        begin, end = first - self._base, after - self._base
        if begin < 0 or end > len(self._tails):
            raise KeyError(first)
        plain, marked = bytes((0x80, payload_type)), bytes((0x80, payload_type | 0x80))
        return [(marked if self._marked[at] else plain) + self._tails[at] for at in range(begin, end)]

    def lost(self, number: int, payload_type: int) -> bytes | None:
        """The packet with these 16 bits as its sequence number, or None when it is no longer here."""
        first = self._next - 1 - ((self._next - 1 - number) & 0xFFFF)
        if first < self._base:
            return None
        return self.take(first, first + 1, payload_type)[0]

    def newest_keyframe(self) -> Sent | None:
        """Where somebody who joins now can begin; None while no keyframe is kept."""
        return self._keyframe

    def frames(self) -> Sequence[Sent]:
        """The frames that are kept, the oldest first."""
        return tuple(self._frames)

    def _timestamp(self, frame: Frame, now_s: float) -> int:
        """The frame's RTP timestamp; a source that began anew goes on where its last frame was, by the time that passed since."""
        rate = 48_000 if frame.codec is Codec.OPUS else 90_000
        time = rtp_time(frame) + self._shift
        if self._newest is not None:
            before, before_s = self._newest
            expected = before + round((now_s - before_s) * rate)
            if not before <= time <= expected + _LEAP_S * rate:
                self._shift += max(expected, before + 1) - time
                time = rtp_time(frame) + self._shift
        self._newest = (time, now_s)
        return time & 0xFFFFFFFF

    def _forget(self, now_s: float) -> None:
        while self._frames:
            oldest = self._frames[0]
            wanted = self._keyframe is not None and oldest.first >= self._keyframe.first
            if self._bytes <= self._most_bytes and (wanted or now_s - oldest.at_s < KEPT_S):
                return
            if self._keyframe is not None and oldest.first == self._keyframe.first:
                self._keyframe = None
            self._frames.popleft()
            for _ in range(oldest.after - oldest.first):
                self._bytes -= len(self._tails.popleft()) - 10
                self._marked.popleft()
            self._base = oldest.after


def rtp_time(frame: Frame) -> int:
    """A frame's time in ticks of its RTP clock: 90 kHz for pictures, 48 kHz for sound (RFC 7587 §4.1)."""
    return frame.pts_90k * 8 // 15 if frame.codec is Codec.OPUS else frame.pts_90k
