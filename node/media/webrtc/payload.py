"""Encoded pictures and sound cut into the payloads of RTP packets; pure functions.

All parts of one NAL unit have one size, the last is at most shorter: the kernel can then send a run of them in a single call
(``wire``). Sources: RFC 6184 (H.264: single NAL units, STAP-A, FU-A), RFC 7741 (VP8), RFC 7587 (Opus). What is not H.264 at all
gives no payloads rather than an error: a publisher's broken frame costs that frame.
"""

from collections.abc import Iterator
from typing import Final

from federation.trunk.frame import Codec
from node.media.annexb import units

MOST: Final = 1_200
"""Bytes of one payload. With RTP, SRTP, UDP and IPv6 headers it stays below the 1,280 bytes that every IPv6 path carries."""

_STAP_A: Final = 24
_FU_A: Final = 28
_LEFT_OUT: Final = frozenset({9, 12})
"""Access unit delimiters and filler: packets mark the units themselves (RFC 6184 §1.2), and nobody needs the filler."""


def payloads(codec: Codec, unit: bytes, most: int = MOST) -> list[bytes]:
    """The payloads of one frame, in the order they are sent; the last one is sent with the marker set."""
    if codec is Codec.H264:
        return h264(unit, most)
    if codec is Codec.VP8:
        return vp8(unit, most)
    return [unit] if unit else []


def h264(unit: bytes, most: int = MOST) -> list[bytes]:
    """An access unit in Annex B: NAL units beside each other while they fit (STAP-A), large ones in parts (FU-A)."""
    cut: list[bytes] = []
    small: list[bytes] = []
    room = most - 1
    for nal in units(unit):
        if nal[0] & 0x1F in _LEFT_OUT:
            continue
        if len(nal) > most or len(nal) + 2 > room:
            _together(small, cut)
            room = most - 1
        if len(nal) > most:
            cut += _fragments(nal, most)
        else:
            small.append(nal)
            room -= len(nal) + 2
    _together(small, cut)
    return cut


def _together(small: list[bytes], cut: list[bytes]) -> None:
    if len(small) == 1:
        cut.append(small[0])
    elif small:
        importance = max(nal[0] & 0x60 for nal in small)
        parts = [bytes((importance | _STAP_A,))]
        for nal in small:
            parts += (len(nal).to_bytes(2, "big"), nal)
        cut.append(b"".join(parts))
    small.clear()


def _fragments(nal: bytes, most: int) -> Iterator[bytes]:
    indicator, kind = nal[0] & 0xE0 | _FU_A, nal[0] & 0x1F
    body = len(nal) - 1
    size = _even(body, most - 2)
    for at in range(1, len(nal), size):
        first = 0x80 if at == 1 else 0
        last = 0x40 if at + size >= len(nal) else 0
        yield bytes((indicator, first | last | kind)) + nal[at : at + size]


def vp8(frame: bytes, most: int = MOST) -> list[bytes]:
    """A VP8 frame with the one-byte payload descriptor: the start of its first partition is marked, nothing else."""
    if not frame:
        return []
    size = _even(len(frame), most - 1)
    return [(b"\x10" if at == 0 else b"\x00") + frame[at : at + size] for at in range(0, len(frame), size)]


def _even(length: int, most: int) -> int:
    """The size of the parts when ``length`` bytes are cut into as few parts as fit and all but the last are equal."""
    return -(-length // -(-length // most))
