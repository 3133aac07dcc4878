"""What the trunk carries: one encoded picture or packet of sound, as the camera's node made it once for everybody.

A frame never changes on its way: sequence and timestamps are the camera's node's at every tier, so that a viewer who joins at any hub, or
whose hub changes under it, sees one and the same stream. A stream is named `<node>/<camera>/<quality>`.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from federation.errors import ZonghengError

VIDEO: Final = 0
AUDIO: Final = 1

CLOCK_HZ: Final = 90_000
"""Ticks of `pts_90k` in a second, for sound as well."""

MAX_UNIT_BYTES: Final = 4 * 1024 * 1024
"""Largest frame: a keyframe of 4K at its best takes about 1 MiB."""

SEATS: Final = "call-"
"""How the place of the camera begins in the stream of somebody in a meeting; no registered camera's code does."""

_NODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_RECORDED = re.compile(r"rec@([1-9][0-9]{0,17})")
_CAMERA = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")


class Codec(StrEnum):
    H264 = "h264"
    VP8 = "vp8"
    OPUS = "opus"


class Quality(StrEnum):
    MAIN = "main"
    SUB = "sub"
    """The camera's small stream, for walls of pictures and slow lines."""
    RECORDED = "rec"
    """What was recorded, from an instant on: `rec@<µs since the epoch>`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One access unit."""

    track: int
    """`VIDEO` or `AUDIO`."""
    seq: int
    """One more with every frame of the track: a hole is a loss."""
    pts_90k: int
    """When it is to be shown, in ticks of 1/90,000 s from an origin of the stream's own; never less than the one before of its track."""
    captured_ns: int
    """Unix time in nanoseconds by the clock of the camera's node."""
    keyframe: bool
    """It can be decoded without any other; every frame of sound can."""
    codec: Codec
    unit: bytes
    """H.264: Annex B with SPS and PPS before each IDR picture; VP8: a frame; Opus: a packet."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The name of a stream, taken apart."""

    node: str
    camera: str
    quality: Quality = Quality.MAIN
    from_us: int = 0
    """Of what was recorded: where it begins, µs since the epoch."""

    @property
    def is_seat(self) -> bool:
        """Somebody in a meeting speaks from it; it is no camera's."""
        return self.camera.startswith(SEATS)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ZonghengError `bad_request` for anything that is not `<node>/<camera>/<quality>`."""
        parts = text.split("/")
        if len(parts) == 3 and _NODE.fullmatch(parts[0]) and _CAMERA.fullmatch(parts[1]):
            node, camera, quality = parts
            if recorded := _RECORDED.fullmatch(quality):
                return cls(node, camera, Quality.RECORDED, int(recorded[1]))
            if quality in (Quality.MAIN, Quality.SUB):
                return cls(node, camera, Quality(quality))
        raise ZonghengError(
            "bad_request",
            f"{text[:200]!r} names no stream: write NODE/CAMERA/main, NODE/CAMERA/sub or NODE/CAMERA/rec@MICROSECONDS",
        )

    def __str__(self) -> str:
        at = f"@{self.from_us}" if self.quality is Quality.RECORDED else ""
        return f"{self.node}/{self.camera}/{self.quality}{at}"
