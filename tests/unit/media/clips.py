"""Encoded pictures made here, as an ingest would hand them on."""

import fractions
from functools import cache
from typing import Final

import av

from federation.trunk.frame import VIDEO, Codec, Frame

FPS: Final = 25
_ENCODERS: Final = {Codec.H264: "libx264", Codec.VP8: "libvpx"}


@cache
def units(
    codec: Codec = Codec.H264, count: int = 50, width: int = 320, height: int = 240
) -> tuple[bytes, ...]:
    """Access units of a moving pattern with a keyframe every 25."""
    encoder = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = fractions.Fraction(1, FPS), fractions.Fraction(FPS)
    encoder.bit_rate = 1_500_000
    encoder.gop_size = 25
    if codec is Codec.H264:
        encoder.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "x264-params": "scenecut=0",
        }
    else:
        encoder.options = {
            "deadline": "realtime",
            "cpu-used": "8",
            "lag-in-frames": "0",
            "error-resilient": "1",
        }
    made: list[bytes] = []
    for number in range(count):
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane in frame.planes:
            row = bytes((number * 7 + x * 3) % 256 for x in range(plane.line_size))
            plane.update(row * plane.height)
        frame.pts = number
        made += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(made)


def frames(codec: Codec = Codec.H264, count: int = 50, **size: int) -> list[Frame]:
    """The same as frames of a stream."""
    return [
        Frame(VIDEO, number, number * 90_000 // FPS, number * 10**9 // FPS, number % 25 == 0, codec, unit)
        for number, unit in enumerate(units(codec, count, **size))
    ]


def pictures(codec: Codec, encoded: list[bytes]) -> int:
    """How many pictures a decoder makes of them."""
    decoder = av.CodecContext.create("h264" if codec is Codec.H264 else "vp8", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    shown = sum(len(decoder.decode(av.Packet(unit))) for unit in encoded)
    return shown + len(decoder.decode(None))
