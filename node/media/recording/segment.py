"""One stretch of a camera's pictures as a fragmented MP4 file (ISO/IEC 14496-12), or as WebM, written as the frames come and without decoding them.

Each fragment begins with a keyframe and is on disk when the next one begins. Killed at any moment, the file plays up to the last whole fragment: what is lost is less
than the time between two keyframes. Times in a file begin at 0; when its first picture was taken says its name (`node.media.recording.archive`).

Pictures are H.264, or VP8, which no MP4 holds: then the file is WebM, where a cluster begins with each keyframe. Sound is Opus. Which tracks a file has is said at its beginning and stays so.
"""

import io
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, CLOCK_HZ, VIDEO, Codec, Frame
from node.media.annexb import ParameterSets
from node.media.opus import RATE, length_ticks

_FRAGMENTED: Final = "frag_keyframe+empty_moov+default_base_moof"
_WHOLE: Final = "faststart"
_TIME_BASE: Final = Fraction(1, CLOCK_HZ)

_TOGETHER_US: Final = 1_000_000
"""Tracks wait for each other so long: pictures are written, also when the sound ends."""

_PICTURES: Final = {"h264": Codec.H264, "vp8": Codec.VP8}
_FORMATS: Final = {Codec.H264: "mp4", Codec.VP8: "webm"}

US_PER_TICK: Final = Fraction(1_000_000, CLOCK_HZ)


class SegmentWriter:
    """Writes one file. The first frame has to be a keyframe."""

    def __init__(self, path: Path, first: Frame, *, sound: bool = False, fragmented: bool = True) -> None:
        """``sound``: the file has a track for it; without one, sound is left out.

        Raises ZonghengError `unreadable` when the keyframe is none that FFmpeg knows, OSError when the file cannot be written.
        """
        self.path = path
        self.codec = first.codec
        self.has_sound = sound
        self.began_pts = first.pts_90k
        self.last_pts = first.pts_90k
        self._last_written = {VIDEO: -1, AUDIO: -1}
        try:
            with _probed(first) as probe:
                template = probe.streams.video[0]
                if not template.width or not template.height:
                    raise ZonghengError("unreadable", "the camera's keyframe has no size")
                self._file = av.open(
                    str(path), "w", format=_FORMATS[first.codec], container_options=_options(fragmented)
                )
                self._streams: dict[int, Any] = {VIDEO: self._file.add_stream_from_template(template)}
                if sound:
                    self._streams[AUDIO] = self._file.add_stream("libopus", rate=RATE, layout="stereo")
        except (av.error.InvalidDataError, av.error.ArgumentError, IndexError) as error:
            raise ZonghengError("unreadable", "the camera's keyframe cannot be read") from error

    def write(self, frame: Frame) -> None:
        """The next frame. Raises OSError when the disk takes no more."""
        stream = self._streams.get(frame.track)
        if stream is None or (frame.track == AUDIO and frame.pts_90k < self.began_pts):
            return
        ticks = max(frame.pts_90k - self.began_pts, self._last_written[frame.track] + 1)
        packet: av.Packet[Any] = av.Packet(frame.unit)
        packet.pts = packet.dts = ticks
        packet.time_base = _TIME_BASE
        packet.is_keyframe = frame.keyframe
        packet.stream = stream
        if frame.track == AUDIO:
            packet.duration = length_ticks(frame.unit)
        self._file.mux(packet)
        self._last_written[frame.track] = ticks
        if frame.track == VIDEO:
            self.last_pts = frame.pts_90k

    def close(self) -> None:
        """Bring the file to its end; also after a failure."""
        self._file.close()


def suffix(codec: Codec) -> str:
    """How the names of files with such pictures end."""
    return f".{_FORMATS[codec]}"


def _options(fragmented: bool) -> dict[str, str]:
    """Of the muxers. The same frames give the same bytes: nothing random, and no version of FFmpeg, is written."""
    return {
        "movflags": _FRAGMENTED if fragmented else _WHOLE,
        "flush_packets": "1",
        "fflags": "+bitexact",
        "max_interleave_delta": str(_TOGETHER_US),
    }


def _probed(keyframe: Frame) -> "av.container.InputContainer":
    """A keyframe as FFmpeg's demuxer understands it: a byte stream of H.264, or an IVF file with one frame of VP8."""
    if keyframe.codec is not Codec.VP8:
        return av.open(io.BytesIO(keyframe.unit), "r", format="h264")
    # The size is in the keyframe (RFC 6386, 9.1), but FFmpeg's parser reads it for a packet of a known file only.
    width, height = struct.unpack_from("<HH", keyframe.unit.ljust(10, b"\0"), 6)
    head = struct.pack("<4sHH4sHHIIII", b"DKIF", 0, 32, b"VP80", width & 0x3FFF, height & 0x3FFF, 30, 1, 1, 0)
    file = head + struct.pack("<IQ", len(keyframe.unit), 0) + keyframe.unit
    return av.open(io.BytesIO(file), "r", format="ivf")


def has_sound(path: Path) -> bool:
    """Whether a file has a track of sound; False for what cannot be read."""
    try:
        with av.open(str(path)) as container:
            return bool(container.streams.audio)
    except (av.error.FFmpegError, FileNotFoundError):
        return False


def frames_in(path: Path, began_us: int) -> Iterator[Frame]:
    """The frames of a file, whole or cut short, in order; ``began_us``: when its first picture was taken (µs since the epoch). The numbers of a track begin at 0.

    Presentation times are ticks since the epoch's microsecond 0, so that those of one file follow those of another. Raises ZonghengError `unreadable` when it is no recording.
    """
    seqs = {VIDEO: 0, AUDIO: 0}
    try:
        with av.open(str(path)) as container:
            pictures = container.streams.video[0]
            sound = container.streams.audio[:1]
            codec = _PICTURES[pictures.codec_context.name]
            bare = sets = None
            if codec is Codec.H264:
                bare = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", pictures)
                sets = ParameterSets()
            for packet in container.demux(pictures, *sound):
                if not packet.size or packet.pts is None:
                    continue
                at_us = began_us + int(packet.pts * packet.time_base * 1_000_000)
                ticks = int(at_us / US_PER_TICK)
                for track, kind, keyframe, unit in _units(packet, pictures.index, codec, bare, sets):
                    yield Frame(track, seqs[track], ticks, at_us * 1_000, keyframe, kind, unit)
                    seqs[track] += 1
    except (av.error.InvalidDataError, IndexError, KeyError) as error:
        raise ZonghengError("unreadable", f"{path.name} is no recording that can be read") from error


def _units(
    packet: "av.Packet[Any]",
    pictures: int,
    codec: Codec,
    bare: "av.bitstream.BitStreamFilterContext | None",
    sets: ParameterSets | None,
) -> Iterator[tuple[int, Codec, bool, bytes]]:
    """What a packet of a file holds, each with its track, its codec and whether it is a keyframe."""
    if packet.stream_index != pictures:
        yield AUDIO, Codec.OPUS, True, bytes(packet)
    elif bare is None or sets is None:
        yield VIDEO, codec, packet.is_keyframe, bytes(packet)
    else:
        for each in bare.filter(packet):
            picture = sets.picture(bytes(each))
            if picture is not None:
                yield VIDEO, codec, picture.keyframe, picture.unit


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
