"""Sender reports (RFC 3550 §6.4.1): which instant a track's RTP timestamps mean.

The instant is when the camera's node captured the frame, by that node's clock, for pictures and sound alike; a player that puts both at the
same instant shows lips and voices together, whatever each took on its way here. Between two frames the clock is carried on by this machine's
steady clock, so that a clock set wrong at either end shifts both tracks by the same.
"""

import struct
from dataclasses import dataclass
from typing import Final

from federation.trunk.frame import Codec, Frame

_NTP_SECONDS: Final = 2_208_988_800
"""Seconds from 1900 to 1970."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame whose RTP time and instant of capture are known."""

    rtp: int
    captured_ns: int
    rate: int
    """Hertz of the RTP clock."""
    seen_s: float
    """When it came here, by the steady clock, in seconds."""

    @classmethod
    def of(cls, frame: Frame, timestamp: int, seen_s: float) -> "Moment":
        """``timestamp``: what its packets bear."""
        rate = 48_000 if frame.codec is Codec.OPUS else 90_000
        return cls(timestamp, frame.captured_ns, rate, seen_s)

    def at(self, now_s: float) -> tuple[int, int]:
        """(NTP time as 64 bits, RTP time as 32 bits) of the instant ``now_s`` on the steady clock."""
        gone_s = max(0.0, now_s - self.seen_s)
        return ntp(self.captured_ns + int(gone_s * 1e9)), (self.rtp + int(gone_s * self.rate)) & 0xFFFFFFFF


def ntp(unix_ns: int) -> int:
    """Unix time in nanoseconds as a 64-bit NTP timestamp (RFC 5905 §6)."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    return ((seconds + _NTP_SECONDS) & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def sender_report(ssrc: int, cname: str, moment: Moment, packets: int, octets: int, now_s: float) -> bytes:
    """A compound packet: a sender report, and the name by which a receiver knows that tracks belong together (§6.5.1)."""
    ntp_time, rtp = moment.at(now_s)
    report = struct.pack(
        "!BBHIQIII", 0x80, 200, 6, ssrc, ntp_time, rtp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
    )
    item = bytes((1, len(cname))) + cname.encode("ascii")
    chunk = struct.pack("!I", ssrc) + item
    chunk += bytes(4 - len(chunk) % 4)
    return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk
