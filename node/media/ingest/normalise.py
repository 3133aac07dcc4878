"""What a camera sends, made alike: H.264 access units that a viewer can begin with, and packets of Opus beside them, numbered, in one time.

Pure. A camera whose pictures nobody could show as they are is told apart here, in words and with a code: `codec_unsupported` for
what is not H.264, `b_frames` for pictures that are sent in another order than they are shown (WebRTC shows them as they come). Whether it is
transcoded then is the operator's choice (a third of a core for each stream). `too_large` is a camera that would take the place of everything
else: more than `MOST_BYTES` a second.
"""

from collections import deque
from typing import Final

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, MAX_UNIT_BYTES, VIDEO, Codec, Frame
from node.media.annexb import ParameterSets
from node.media.ingest.timeline import Timeline

MOST_BYTES: Final = 4_000_000
"""Bytes in a second, on average over ``_SPAN_NS``: 32 Mb/s, twice what a 4K camera sends."""

_SPAN_NS: Final = 5_000_000_000

TRANSCODE_HINT: Final = "`zongheng camera add … --transcode`"


class Numbered:
    """The numbers and the time of one camera's frames: what goes on when the camera is reached again."""

    def __init__(self) -> None:
        self._seq = 0
        self._heard = 0
        self._last_heard = -1
        self._timeline = Timeline()

    def begin(self) -> None:
        """Another connection: its times have nothing to do with those of the one before."""
        self._timeline.begin()

    def frame(self, unit: bytes, keyframe: bool, pts_90k: int | None, came_ns: int) -> Frame:
        """The next video frame."""
        pts, taken_ns = self._timeline.place(pts_90k, came_ns)
        frame = Frame(VIDEO, self._seq, pts, taken_ns, keyframe, Codec.H264, unit)
        self._seq += 1
        return frame

    def sound(self, unit: bytes, pts_90k: int) -> Frame | None:
        """The next packet of sound; None where it belongs to no picture, or before what was heard already."""
        placed = self._timeline.beside(pts_90k)
        if placed is None or placed[0] <= self._last_heard:
            return None
        frame = Frame(AUDIO, self._heard, *placed, True, Codec.OPUS, unit)
        self._heard += 1
        self._last_heard = frame.pts_90k
        return frame


class Normaliser:
    """The access units of one connection to one camera, as frames. Instants are nanoseconds since 1970-01-01T00:00:00Z."""

    def __init__(self, numbered: Numbered, codec: str, extradata: bytes = b"") -> None:
        """``codec``: by FFmpeg's name. Raises ZonghengError `codec_unsupported`."""
        if codec != "h264":
            raise ZonghengError(
                "codec_unsupported",
                f"the camera sends {codec.upper()}, which browsers do not play over WebRTC: set it to H.264, give its H.264 substream, or have "
                f"it transcoded ({TRANSCODE_HINT})",
            )
        numbered.begin()
        self._numbered = numbered
        self._sets = ParameterSets(extradata)
        self._rate = Rate()
        self._begun = False

    def frame(self, access_unit: bytes, pts_90k: int | None, came_ns: int) -> Frame | None:
        """The next frame; None for what holds no picture, or none that could be decoded after what this connection gave before. Raises ZonghengError `b_frames`, `too_large`."""
        self._rate.count(len(access_unit), came_ns)
        picture = self._sets.picture(access_unit)
        if picture is None:
            return None
        if picture.bidirectional:
            raise ZonghengError(
                "b_frames",
                "the camera sends B-frames, which WebRTC shows in the wrong order: switch them off in the camera (profile Baseline), or have it "
                f"transcoded ({TRANSCODE_HINT})",
            )
        self._begun = self._begun or picture.keyframe
        if not self._begun:
            return None
        return self._numbered.frame(picture.unit, picture.keyframe, pts_90k, came_ns)

    def sound(self, unit: bytes, pts_90k: int | None, came_ns: int) -> Frame | None:
        """The next packet of sound (Opus); None before there are pictures that it could be heard with. Raises ZonghengError `too_large`."""
        self._rate.count(len(unit), came_ns)
        return self._numbered.sound(unit, pts_90k) if self._begun and pts_90k is not None else None


class Rate:
    """Bytes of the last seconds; raises ZonghengError `too_large` when they are more than any camera needs."""

    def __init__(self) -> None:
        self._counted: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def count(self, size: int, came_ns: int) -> None:
        self._counted.append((came_ns, size))
        self._bytes += size
        while self._counted and self._counted[0][0] < came_ns - _SPAN_NS:
            self._bytes -= self._counted.popleft()[1]
        if size > MAX_UNIT_BYTES or self._bytes > MOST_BYTES * _SPAN_NS // 1_000_000_000:
            raise ZonghengError(
                "too_large",
                f"the camera sends more than {MOST_BYTES * 8 // 1_000_000} Mb/s: lower its bit rate, or give its substream",
            )
