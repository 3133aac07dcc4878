"""What a camera hears, as Opus, which every viewer plays: passed through where the camera sends it, else decoded and encoded again (AAC, G.711 and whatever else
FFmpeg knows).

Encoding sound costs one hundredth of a core or less, unlike pictures. Sound never costs the pictures anything: what cannot be decoded is left out, and a camera whose sound
is broken altogether is watched without it until it is reached again.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

import av
import structlog
from av.audio.codeccontext import AudioCodecContext

from federation.trunk.frame import CLOCK_HZ
from node.media.opus import MOST_BYTES, RATE, length_ticks

_BITS_PER_CHANNEL: Final = 32_000
"""Bits a second: speech in a hall, whole."""

log = structlog.get_logger(__name__)


class Sound:
    """The sound of one connection. Belongs to the thread that reads it."""

    def __init__(self, stream: Any) -> None:
        """``stream``: the camera's, of FFmpeg's demuxer."""
        self.index: int = stream.index
        self._codec: str = stream.codec_context.name
        self._decoder: AudioCodecContext | None = None if self._codec == "opus" else stream.codec_context
        self._encoder: AudioCodecContext | None = None
        self._broken = False

    def units(self, packet: "av.Packet[Any]") -> Iterator[tuple[bytes, int | None]]:
        """(packet of Opus, when it is to be heard in 90 kHz by the camera's clock) of what a packet brought to an end."""
        if self._broken:
            return
        try:
            for unit, pts in self._opus(packet):
                if len(unit) <= MOST_BYTES and length_ticks(unit):
                    yield unit, pts
        except (av.error.FFmpegError, ValueError) as error:
            self._broken = True
            log.warning("camera.not_heard", codec=self._codec, kind=type(error).__name__)

    def _opus(self, packet: "av.Packet[Any]") -> Iterator[tuple[bytes, int | None]]:
        if self._decoder is None:
            yield bytes(packet), _ticks(packet.pts, packet.time_base)
            return
        try:
            heard = self._decoder.decode(packet)
        except av.error.InvalidDataError:
            return
        for part in heard:
            if part.pts is None or part.time_base is None:
                continue
            if self._encoder is None:
                self._encoder = _opened("mono" if part.layout.nb_channels == 1 else "stereo")
            for encoded in self._encoder.encode(part):
                yield bytes(encoded), _ticks(encoded.pts, encoded.time_base)


def _ticks(pts: int | None, time_base: Fraction) -> int | None:
    return None if pts is None else int(pts * time_base * CLOCK_HZ)


def _opened(layout: str) -> AudioCodecContext:
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = RATE, layout, "s16"
    encoder.time_base = Fraction(1, RATE)
    encoder.bit_rate = _BITS_PER_CHANNEL * (1 if layout == "mono" else 2)
    encoder.options = {"frame_duration": "20"}
    return encoder
