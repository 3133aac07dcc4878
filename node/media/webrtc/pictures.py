"""Whether a picture stands alone, read from encoded video without decoding it."""

from federation.trunk.frame import Codec
from node.media.annexb import IDR, units


def is_keyframe(codec: Codec, unit: bytes) -> bool:
    """Whether a decoder can begin with it: an IDR picture (H.264), a frame without the inter bit (VP8, RFC 6386 §9.1), any sound."""
    if codec is Codec.H264:
        return any(nal[0] & 0x1F == IDR for nal in units(unit))
    if codec is Codec.VP8:
        return len(unit) >= 10 and not unit[0] & 1 and unit[3:6] == b"\x9d\x01\x2a"
    return True
