"""A camera for the demo: a film of a hall that never was, in a loop, at a village; drawn when it is needed, so that no film lies in the program."""

import asyncio
from pathlib import Path
from typing import Final

from node.demo.federation import Federation, Member

CODE: Final = "hall"

_WIDTH, _HEIGHT, _FPS, _SECONDS = 640, 360, 25, 12
_PEOPLE: Final = ((7, 60, 200), (11, 210, 150), (5, 380, 110))
"""Of those who walk through: by how much each moves a picture, where they begin, how bright they are."""


async def hang(federation: Federation, village: Member) -> str:
    """Register a camera at a village; returns its stream."""
    film = federation.directory / "hall.mp4"
    await asyncio.to_thread(draw, film)
    camera = {"code": CODE, "name": "便民服务大厅", "hall": "便民服务大厅", "address": f"file:{film}"}
    await village.post("/api/cameras", {"camera": camera})
    return f"{village.node}/{CODE}/main"


def draw(path: Path) -> None:
    """Write it: H.264 without B-frames, a keyframe a second, and people who come round again where the film does."""
    import av

    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=_FPS)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.codec_context.gop_size = _FPS
        stream.codec_context.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
        for number in range(_FPS * _SECONDS):
            frame = av.VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
            frame.planes[0].update(_hall(frame.planes[0].line_size, number))
            for plane in frame.planes[1:]:
                plane.update(bytes([126]) * plane.buffer_size)
            frame.pts = number
            film.mux(stream.encode(frame))
        film.mux(stream.encode())


def _hall(line: int, number: int) -> bytes:
    """Brightness: a wall, a counter with windows, a floor, and who walks over it."""
    rows = [bytearray([90 + y // 6]) * line for y in range(_HEIGHT)]
    for y in range(90, 190):
        for window in range(4):
            left = 40 + window * 150
            rows[y][left : left + 110] = bytes([200 - (y - 90) // 4]) * 110
    for y in range(190, 230):
        rows[y][:_WIDTH] = bytes([60]) * _WIDTH
    for speed, begin, luma in _PEOPLE:
        left = (begin + number * speed * _WIDTH // (_FPS * _SECONDS)) % (_WIDTH - 40)
        for y in range(200, 340):
            width = 18 if y < 232 else 40
            at = left + (40 - width) // 2
            rows[y][at : at + width] = bytes([luma]) * width
    return b"".join(rows)
