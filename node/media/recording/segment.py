"""One stretch of a camera's pictures as a fragmented MP4 file (ISO/IEC 14496-12), written as the frames come and without decoding them.

Each fragment begins with a keyframe and is on disk when the next one begins. Killed at any moment, the file plays up to the last whole fragment: what is lost is less
than the time between two keyframes. Times in a file begin at 0; when its first picture was taken says its name (`node.media.recording.archive`).
"""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error

from federation.errors import ZonghengError
from federation.trunk.frame import CLOCK_HZ, VIDEO, Codec, Frame
from node.media.annexb import ParameterSets

_FRAGMENTED: Final = "frag_keyframe+empty_moov+default_base_moof"
_WHOLE: Final = "faststart"
_TIME_BASE: Final = Fraction(1, CLOCK_HZ)

US_PER_TICK: Final = Fraction(1_000_000, CLOCK_HZ)


class SegmentWriter:
    """Writes one file. The first frame has to be a keyframe."""

    def __init__(self, path: Path, first: Frame, *, fragmented: bool = True) -> None:
        """Raises ZonghengError `unreadable` when the keyframe is none that FFmpeg knows, OSError when the file cannot be written."""
        self.path = path
        self.began_pts = first.pts_90k
        self.last_pts = first.pts_90k
        self._last_written = -1
        try:
            with av.open(io.BytesIO(first.unit), format="h264") as probe:
                template = probe.streams.video[0]
                if not template.width or not template.height:
                    raise ZonghengError("unreadable", "the camera's keyframe has no size")
                self._file = av.open(
                    str(path),
                    "w",
                    format="mp4",
                    container_options={
                        "movflags": _FRAGMENTED if fragmented else _WHOLE,
                        "flush_packets": "1",
                    },
                )
                self._stream = self._file.add_stream_from_template(template)
        except (av.error.InvalidDataError, av.error.ArgumentError, IndexError) as error:
            raise ZonghengError("unreadable", "the camera's keyframe cannot be read") from error

    @staticmethod
    def takes(frame: Frame) -> bool:
        """Whether frames of this kind can be written: pictures in H.264."""
        return frame.track == VIDEO and frame.codec is Codec.H264

    def write(self, frame: Frame) -> None:
        """The next frame. Raises OSError when the disk takes no more."""
        ticks = max(frame.pts_90k - self.began_pts, self._last_written + 1)
        packet: av.Packet[Any] = av.Packet(frame.unit)
        packet.pts = packet.dts = ticks
        packet.time_base = _TIME_BASE
        packet.is_keyframe = frame.keyframe
        packet.stream = self._stream
        self._file.mux(packet)
        self._last_written = ticks
        self.last_pts = frame.pts_90k

    def close(self) -> None:
        """Bring the file to its end; also after a failure."""
        self._file.close()


def frames_in(path: Path, began_us: int, first_seq: int = 0) -> Iterator[Frame]:
    """The frames of a file, whole or cut short, in order; ``began_us``: when its first picture was taken (µs since the epoch).

    Presentation times are ticks since the epoch's microsecond 0, so that those of one file follow those of another. Raises ZonghengError `unreadable` when it is no recording.
    """
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            bare = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", stream)
            sets, seq = ParameterSets(), first_seq
            for packet in container.demux(stream):
                if not packet.size or packet.pts is None:
                    continue
                at_us = began_us + int(packet.pts * packet.time_base * 1_000_000)
                for each in bare.filter(packet):
                    picture = sets.picture(bytes(each))
                    if picture is not None:
                        ticks = int(at_us / US_PER_TICK)
                        yield Frame(
                            VIDEO, seq, ticks, at_us * 1_000, picture.keyframe, Codec.H264, picture.unit
                        )
                        seq += 1
    except (av.error.InvalidDataError, IndexError) as error:
        raise ZonghengError("unreadable", f"{path.name} is no recording that can be read") from error


def length_us(path: Path) -> int:
    """How much of a file can be played, in µs: from its first picture to its last. 0: nothing."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            times = [
                packet.pts * packet.time_base
                for packet in container.demux(stream)
                if packet.pts is not None and packet.size
            ]
    except (av.error.FFmpegError, IndexError):
        return 0
    return int((max(times) - min(times)) * 1_000_000) if times else 0
