"""Frames for the tests of the trunk: what a camera would give, without the camera."""

from collections.abc import Iterator

from federation.trunk.frame import AUDIO, VIDEO, Codec, Frame
from federation.trunk.hub import NS

STREAM = "990102001/hall/main"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ns = 1_000 * NS

    def __call__(self) -> int:
        return self.ns

    def move(self, seconds: float) -> None:
        self.ns += int(seconds * NS)


def picture(seq: int, keyframe: bool = False, size: int = 100) -> Frame:
    return Frame(VIDEO, seq, seq * 3_600, seq * NS // 25, keyframe, Codec.H264, bytes([seq % 256]) * size)


def sound(seq: int) -> Frame:
    return Frame(AUDIO, seq, seq * 1_800, seq * NS // 50, True, Codec.OPUS, b"\x05" * 40)


def pictures(first: int, count: int, every: int = 10) -> Iterator[Frame]:
    """A run of pictures, a keyframe at each multiple of `every`."""
    for seq in range(first, first + count):
        yield picture(seq, seq % every == 0)


def seqs(frames: list[Frame]) -> list[int]:
    return [frame.seq for frame in frames]
