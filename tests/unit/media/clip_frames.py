"""A clip as frames, at once: for tests of what comes after ingest."""

from pathlib import Path

import av

from federation.trunk.frame import CLOCK_HZ, Frame
from node.media.ingest.normalise import Normaliser, Numbered

NS = 1_000_000_000


def frames_of(clip: Path, begin_ns: int = 1_709_258_400 * NS) -> list[Frame]:
    """Every frame of a clip, as a camera would have sent it from ``begin_ns`` on (Unix time, nanoseconds)."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        bare = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", stream)
        normaliser = Normaliser(Numbered(), "h264")
        frames = []
        for packet in container.demux(stream):
            pts = None if packet.pts is None else int(packet.pts * packet.time_base * CLOCK_HZ)
            for each in bare.filter(packet):
                if pts is not None and (
                    frame := normaliser.frame(bytes(each), pts, begin_ns + pts * NS // CLOCK_HZ)
                ):
                    frames.append(frame)
    return frames
