"""What can be read from encoded video without decoding it: whether a picture stands alone, and how large it is."""

from typing import Final

from federation.trunk.frame import Codec
from node.media.webrtc.payload import nal_units

_IDR: Final = 5
_SPS: Final = 7
_PPS: Final = 8


def is_keyframe(codec: Codec, unit: bytes) -> bool:
    """Whether a decoder can begin with it: an IDR picture (H.264), a frame without the inter bit (VP8, RFC 6386 §9.1), any sound."""
    if codec is Codec.H264:
        return any(nal[0] & 0x1F == _IDR for nal in nal_units(unit))
    if codec is Codec.VP8:
        return len(unit) >= 10 and not unit[0] & 1 and unit[3:6] == b"\x9d\x01\x2a"
    return True


class ParameterSets:
    """The SPS and PPS of an H.264 stream, put before each IDR picture that lacks them (RFC 6184 §8.2.1 lets them come apart)."""

    def __init__(self) -> None:
        self._sps = b""
        self._pps: dict[bytes, None] = {}

    def completed(self, unit: bytes) -> bytes:
        """The access unit, with both before its IDR picture; an IDR picture before any SPS came is given back as it is."""
        nals = list(nal_units(unit))
        kinds = {nal[0] & 0x1F for nal in nals}
        for nal in nals:
            if nal[0] & 0x1F == _SPS:
                if nal != self._sps and _PPS in kinds:
                    self._pps.clear()
                self._sps = nal
            elif nal[0] & 0x1F == _PPS:
                # What came last counts where two have one number.
                self._pps.pop(nal, None)
                self._pps[nal] = None
                while len(self._pps) > 32:
                    self._pps.pop(next(iter(self._pps)))
        if _IDR not in kinds or {_SPS, _PPS} <= kinds or not self._sps or not self._pps:
            return unit
        begin = [self._sps, *self._pps]
        rest = [nal for nal in nals if nal[0] & 0x1F not in (_SPS, _PPS)]
        return b"".join(b"\x00\x00\x00\x01" + nal for nal in (*begin, *rest))
