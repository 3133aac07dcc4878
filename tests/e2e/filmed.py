"""A clip that behaves like a good camera: H.264 baseline without B-frames, 25 pictures a second, a keyframe every second."""

import fractions
from pathlib import Path

import av


def film(path: Path, *, seconds: int = 8, width: int = 640, height: int = 360) -> Path:
    """Write an MP4 of a pattern that moves with every picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = 25
        stream.codec_context.time_base = fractions.Fraction(1, 25)
        stream.codec_context.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
        for number in range(seconds * 25):
            frame = av.VideoFrame(width, height, "yuv420p")
            for plane in frame.planes:
                row = bytes((x * 2 + number * 5) % 256 for x in range(plane.line_size))
                plane.update(row * plane.height)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
