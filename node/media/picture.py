"""One picture out of a stream: a keyframe decoded, measured, and written as a JPEG.

Only keyframes are decoded, one at a time, for a snapshot or for a look at whether a camera still sees; it takes some ten milliseconds of a 1080p picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from federation.errors import ZonghengError
from federation.trunk.frame import Codec, Frame
from node.media.ingest.source import Mask
from node.media.ingest.transcode import Painting

_DECODERS: Final = {Codec.H264: "h264", Codec.VP8: "vp8"}
_LARGEST_SIDE: Final = 8_192
_SMALLEST: Final = 64
"""Pixels across, of a picture that is to take few bytes."""
_LOOKED_AT: Final = (64, 36)
"""What a picture is made small to before it is measured: noise and a clock in the corner vanish, a scene does not."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What a picture looks like as a whole."""

    luma: float
    """Mean brightness, 0 to 255."""
    small: bytes
    """The picture at 64x36, brightness alone."""

    def differs(self, other: "Looks") -> float:
        """Mean difference in brightness, 0 to 255."""
        total = sum(abs(one - two) for one, two in zip(self.small, other.small, strict=True))
        return total / len(self.small)


def size_of(keyframe: Frame) -> tuple[int, int]:
    """Width and height of a keyframe's picture."""
    picture = decoded(keyframe)
    return picture.width, picture.height


def decoded(keyframe: Frame) -> VideoFrame:
    """The picture of a keyframe. Raises ZonghengError `unreadable`."""
    if keyframe.codec not in _DECODERS:
        raise ZonghengError("unreadable", f"{keyframe.codec} has no picture")
    decoder = av.CodecContext.create(_DECODERS[keyframe.codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    packet = av.Packet(keyframe.unit)
    packet.pts, packet.time_base = keyframe.pts_90k, Fraction(1, 90_000)
    try:
        for picture in [*decoder.decode(packet), *decoder.decode(None)]:
            if max(picture.width, picture.height) <= _LARGEST_SIDE:
                return picture
    except av.error.FFmpegError:
        pass
    raise ZonghengError("unreadable", "the camera's picture cannot be decoded")


def jpeg(picture: VideoFrame, width: int = 0, quality: int = 3) -> bytes:
    """The picture as a JPEG, made smaller to ``width`` where it is wider; ``quality``: 2 best to 31."""
    if width and picture.width > width:
        height = max(2, picture.height * width // picture.width // 2 * 2)
        size = (width // 2 * 2, height)
    else:
        size = (picture.width, picture.height)
    fitting = picture.reformat(width=size[0], height=size[1], format="yuvj420p")
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = quality
    fitting.pts, fitting.time_base = 0, encoder.time_base
    return b"".join(bytes(packet) for packet in [*encoder.encode(fitting), *encoder.encode(None)])


def jpeg_within(picture: VideoFrame, width: int, most: int) -> bytes:
    """The picture as a JPEG of at most ``most`` bytes, ``width`` wide or less: worse first, then smaller."""
    while True:
        for quality in (8, 14, 22, 31):
            content = jpeg(picture, width, quality)
            if len(content) <= most or width <= _SMALLEST:
                return content
        width = max(_SMALLEST, width * 2 // 3)


def masked(picture: VideoFrame, masks: Sequence[Mask]) -> VideoFrame:
    """The picture with rectangles that nobody is to see painted over."""
    return Painting(picture, masks).painted(picture) if masks else picture


def looks(picture: VideoFrame) -> Looks:
    """What the picture looks like as a whole."""
    small = picture.reformat(width=_LOOKED_AT[0], height=_LOOKED_AT[1], format="gray")
    plane = small.planes[0]
    rows = bytes(plane)
    pixels = b"".join(
        rows[at * plane.line_size : at * plane.line_size + _LOOKED_AT[0]] for at in range(_LOOKED_AT[1])
    )
    return Looks(sum(pixels) / len(pixels), pixels)
