"""H.264 as a byte stream (ITU-T H.264, Annex B): its units, what a frame of it is, and the parameter sets that a reader needs.

A viewer can begin at a keyframe (an IDR picture) when the sequence and picture parameter sets stand before it. Cameras often give
them in the session description only, or once at the beginning; here every IDR picture gets the newest ones. Everything else of an
access unit passes as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_START: Final = b"\0\0\1"
_FULL_START: Final = b"\0\0\0\1"

SLICE: Final = 1
IDR: Final = 5
SPS: Final = 7
PPS: Final = 8
DELIMITER: Final = 9

_B_SLICES: Final = frozenset({1, 6})
"""`slice_type` of bi-predictive slices (ITU-T H.264, table 7-6)."""

_LAST_PPS: Final = 255
"""`pic_parameter_set_id` goes so far (ITU-T H.264, 7.4.2.2): a source that numbers higher fills no memory."""

_HEADER_BYTES: Final = 16
"""`first_mb_in_slice` and `slice_type` lie in fewer, also in the largest picture."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One access unit, ready to begin with where it is a keyframe."""

    unit: bytes
    keyframe: bool
    bidirectional: bool
    """It has B slices: it may have to be shown before a picture that came earlier."""


class ParameterSets:
    """The newest parameter sets of one stream. ``extradata`` are those that the container or the session description gave."""

    def __init__(self, extradata: bytes = b"") -> None:
        self._sps = b""
        self._pps: dict[int, bytes] = {}
        for unit in units(extradata):
            self._take(unit)

    def picture(self, access_unit: bytes) -> Picture | None:
        """What an access unit (Annex B) is; None when it holds no picture, or a keyframe that nobody could decode for want of its
        parameter sets."""
        kinds = set()
        own_sps = own_pps = bidirectional = False
        first = b""
        for unit in units(access_unit):
            kind = unit[0] & 0x1F
            kinds.add(kind)
            if kind in (SPS, PPS):
                self._take(unit)
                own_sps, own_pps = own_sps or kind == SPS, own_pps or kind == PPS
            elif kind == SLICE:
                bidirectional = bidirectional or slice_type(unit) in _B_SLICES
            elif kind == DELIMITER:
                first = unit
        if IDR not in kinds:
            return Picture(access_unit, False, bidirectional) if SLICE in kinds else None
        if own_sps and own_pps:
            return Picture(access_unit, True, bidirectional)
        if not self._sps or not self._pps:
            return None
        rest = [unit for unit in units(access_unit) if unit[0] & 0x1F not in (SPS, PPS, DELIMITER)]
        order = [*([first] if first else []), self._sps, *self._pps.values(), *rest]
        return Picture(b"".join(_FULL_START + unit for unit in order), True, bidirectional)

    def _take(self, unit: bytes) -> None:
        kind = unit[0] & 0x1F
        if kind == SPS:
            self._sps = unit
        elif kind == PPS and 0 <= (number := _first_number(unit)) <= _LAST_PPS:
            self._pps[number] = unit


def units(stream: bytes) -> Iterator[bytes]:
    """The NAL units of a byte stream, without start codes and trailing zeros; nothing for what is no byte stream."""
    at = stream.find(_START)
    while at >= 0:
        begin = at + 3
        at = stream.find(_START, begin)
        unit = stream[begin:at] if at >= 0 else stream[begin:]
        unit = unit.rstrip(b"\0")
        if unit:
            yield unit


def slice_type(unit: bytes) -> int:
    """`slice_type` of a slice's NAL unit (ITU-T H.264, 7.3.3); -1 when it is cut short."""
    bits, length = _header(unit)
    _, at = _golomb(bits, length, 0)
    value, _ = _golomb(bits, length, at)
    return value


def _first_number(unit: bytes) -> int:
    bits, length = _header(unit)
    return _golomb(bits, length, 0)[0]


def _header(unit: bytes) -> tuple[int, int]:
    """The first bits behind a unit's type, without emulation prevention (ITU-T H.264, 7.4.1), and how many they are."""
    header = unit[1 : 1 + _HEADER_BYTES].replace(b"\0\0\3", b"\0\0")
    return int.from_bytes(header, "big"), len(header) * 8


def _golomb(bits: int, length: int, at: int) -> tuple[int, int]:
    """One unsigned Exp-Golomb number (ITU-T H.264, 9.1) at a bit's position, and the position behind it; -1 at the end."""
    zeros = 0
    while at + zeros < length and not (bits >> (length - 1 - at - zeros)) & 1:
        zeros += 1
    end = at + 2 * zeros + 1
    if at < 0 or end > length:
        return -1, length
    value = (bits >> (length - end)) & ((1 << (zeros + 1)) - 1)
    return value - 1, end
