"""Packets of Opus (RFC 6716): how much time one holds, read from its first bytes. Pure."""

from typing import Final

RATE: Final = 48_000
"""Samples of Opus in a second, whatever it was made of (RFC 7587, 4.1)."""

MOST_BYTES: Final = 1_200
"""A packet of sound goes out as one packet of RTP (`node.media.webrtc.payload`); 20 ms at the highest bit rate take as much."""

_TICKS_PER_10_MS: Final = 900
_TENTHS: Final = (1, 2, 4, 6)
_LONGEST: Final = 12 * _TICKS_PER_10_MS
"""120 ms (RFC 6716, 3.4, R5)."""


def length_ticks(packet: bytes) -> int:
    """The time that a packet holds, in ticks of 1/90,000 s (RFC 6716, 3.1 and 3.2); 0 for what is no packet."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        frame = _TENTHS[config & 3] * _TICKS_PER_10_MS
    elif config < 16:
        frame = (1 + (config & 1)) * _TICKS_PER_10_MS
    else:
        frame = _TICKS_PER_10_MS // 4 << (config & 3)
    if code == 3 and len(packet) < 2:
        return 0
    count = packet[1] & 0x3F if code == 3 else min(code + 1, 2)
    return frame * count if frame * count <= _LONGEST else 0
