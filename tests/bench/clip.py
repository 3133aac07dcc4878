"""The clip that the video benchmarks stream: 720p at 25 pictures a second and 1.5 Mb/s, baseline, a keyframe every two seconds.

Made here, of a moving pattern with noise, so that the benchmarks need no file of their own and every run streams the same bytes.
"""

import fractions
import random
import struct
from pathlib import Path
from typing import Final

import av

FPS: Final = 25
_SECONDS: Final = 10
_WIDTH: Final = 1280
_HEIGHT: Final = 720


def make(path: Path) -> None:
    """Encode the clip into a file of (length, keyframe, unit)."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
    encoder.time_base, encoder.framerate = fractions.Fraction(1, FPS), fractions.Fraction(FPS)
    encoder.gop_size, encoder.bit_rate = 2 * FPS, 1_500_000
    encoder.options = {
        "preset": "superfast", "tune": "zerolatency", "profile": "baseline",
        "x264-params": "nal-hrd=cbr:vbv-maxrate=1500:vbv-bufsize=1500:scenecut=0:sliced-threads=0",
    }  # fmt: skip
    noise = random.Random(1).randbytes(_WIDTH * _HEIGHT * 2)
    units: list[tuple[bool, bytes]] = []

    def keep(packets: list[av.Packet]) -> None:
        units.extend((packet.is_keyframe, bytes(packet)) for packet in packets)

    for number in range(FPS * _SECONDS):
        frame = av.VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
        for at, plane in enumerate(frame.planes):
            start = number * 1_237 * (at + 1) % (_WIDTH * _HEIGHT)
            plane.update(noise[start : start + plane.buffer_size])
        frame.pts = number
        keep(encoder.encode(frame))
    keep(encoder.encode(None))
    with path.open("wb") as file:
        for keyframe, unit in units:
            file.write(struct.pack("!I?", len(unit), keyframe) + unit)


def load(path: Path) -> list[tuple[bool, bytes]]:
    """Its access units: (whether a decoder can begin there, Annex B)."""
    content, at, units = path.read_bytes(), 0, []
    while at < len(content):
        length, keyframe = struct.unpack_from("!I?", content, at)
        units.append((keyframe, content[at + 5 : at + 5 + length]))
        at += 5 + length
    return units
