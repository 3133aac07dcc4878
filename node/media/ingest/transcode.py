"""Pictures decoded and encoded again: for cameras that send what cannot be watched as it is, and for masks that are painted over here.

It takes a third of a core for each stream, so it happens only where the camera's entry asks for it. What comes out suits every viewer: H.264
without B-frames, a keyframe every two seconds.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from federation.trunk.frame import CLOCK_HZ
from node.media.ingest.source import Mask

_KEYFRAME_EVERY_S: Final = 2
_USUAL_RATE: Final = 25
_TIME_BASE: Final = Fraction(1, CLOCK_HZ)


class Transcoder:
    """One connection's pictures. Belongs to the thread that reads them."""

    def __init__(self, decoder: VideoCodecContext, rate: Fraction | None, masks: Sequence[Mask] = ()) -> None:
        self._decoder = decoder
        self._rate = rate if rate is not None and 1 <= rate <= 120 else Fraction(_USUAL_RATE)
        self._masks = masks
        self._encoder: VideoCodecContext | None = None
        self._painting: Painting | None = None
        self._size = (0, 0)

    def units(self, packet: "av.Packet[Any]") -> Iterator[tuple[bytes, int | None]]:
        """(access unit, presentation time in 90 kHz by the camera's clock) of what a packet brought to an end."""
        for picture in self._decoder.decode(packet):
            time_base = picture.time_base or packet.time_base
            pts = None if picture.pts is None else int(picture.pts * time_base * CLOCK_HZ)
            picture = self._painted(picture)
            if self._encoder is None or self._size != (picture.width, picture.height):
                self._encoder = self._opened(picture.width, picture.height)
                self._size = (picture.width, picture.height)
            picture.pts, picture.time_base = pts, _TIME_BASE
            picture.pict_type = 0
            for encoded in self._encoder.encode(picture):
                yield bytes(encoded), encoded.pts

    def _opened(self, width: int, height: int) -> VideoCodecContext:
        encoder = av.CodecContext.create("libx264", "w")
        assert isinstance(encoder, VideoCodecContext)
        encoder.width, encoder.height = width, height
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = _TIME_BASE
        encoder.framerate = self._rate
        encoder.gop_size = int(self._rate * _KEYFRAME_EVERY_S)
        encoder.max_b_frames = 0
        encoder.thread_count = 1
        encoder.options = {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline"}
        return encoder

    def _painted(self, picture: VideoFrame) -> VideoFrame:
        if picture.format.name != "yuv420p":
            picture = picture.reformat(format="yuv420p")
        if not self._masks:
            return picture
        if self._painting is None or self._size != (picture.width, picture.height):
            self._painting = Painting(picture, self._masks)
        return self._painting.painted(picture)


class Painting:
    """Paints rectangles over pictures of the size and format of ``like``."""

    def __init__(self, like: VideoFrame, masks: Sequence[Mask]) -> None:
        self._graph = av.filter.Graph()
        last = self._graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=_TIME_BASE
        )
        for mask in masks:
            box = self._graph.add(
                "drawbox",
                f"x=iw*{mask.left}:y=ih*{mask.top}:w=iw*{mask.width}:h=ih*{mask.height}:color=black:t=fill",
            )
            last.link_to(box)
            last = box
        last.link_to(self._graph.add("buffersink"))
        self._graph.configure()

    def painted(self, picture: VideoFrame) -> VideoFrame:
        self._graph.push(picture)
        painted = self._graph.pull()
        assert isinstance(painted, VideoFrame)
        return painted
