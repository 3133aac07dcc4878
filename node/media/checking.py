"""A camera tried before anybody relies on it: what it sends, and what a viewer would find wrong.

The camera is reached by a process of its own (`apart`).
"""

import asyncio
import time
from dataclasses import asdict
from typing import Any, Final

from pydantic import BaseModel

from federation.errors import ZonghengError
from federation.trunk.frame import VIDEO, Frame
from node.media.apart import answer, ask
from node.media.ingest.source import OPEN_S, READ_S, Mask, Source

LOOK_S: Final = 8.0
"""How long, in seconds, the pictures are looked at: longer than most cameras take from one keyframe to the next."""

_SLOW_KEYFRAMES_S: Final = 4.0


class Checked(BaseModel):
    """What a camera sends."""

    codec: str
    width: int
    height: int
    pictures_per_s: float
    kbit_per_s: int
    keyframe_every_s: float | None
    """Seconds between keyframes; null: no second one came while it was looked at."""
    warnings: list[str]


async def checked(source: Source, look_s: float = LOOK_S) -> Checked:
    """Look at a camera for ``look_s`` seconds. Raises ZonghengError with which reading it ends."""
    asked = {"source": asdict(source), "look_s": look_s}
    patience_s = OPEN_S + READ_S + look_s + 60
    found = await ask(
        "node.media.checking", asked, patience_s, "looking at the camera took too long: try again"
    )
    return Checked.model_validate(found)


async def look(source: Source, look_s: float) -> Checked:
    """In a process of its own: look."""
    from node.media.ingest.normalise import Numbered
    from node.media.ingest.reading import read
    from node.media.picture import size_of

    frames: list[tuple[float, Frame]] = []
    try:
        async with asyncio.timeout(OPEN_S + READ_S + look_s) as limit:

            def put(frame: Frame) -> None:
                if not frames:
                    limit.reschedule(asyncio.get_running_loop().time() + look_s)
                if frame.track == VIDEO:
                    frames.append((time.monotonic(), frame))

            await read(source, Numbered(), put)
    except TimeoutError:
        if not frames:
            raise ZonghengError("camera_lost", f"no picture from {source.address}") from None
    return _summed(frames, size_of(frames[0][1]))


def _summed(frames: list[tuple[float, Frame]], size: tuple[int, int]) -> Checked:
    seconds = max(0.001, (frames[-1][1].pts_90k - frames[0][1].pts_90k) / 90_000)
    keyframes = [frame.pts_90k / 90_000 for _, frame in frames if frame.keyframe]
    every = (keyframes[-1] - keyframes[0]) / (len(keyframes) - 1) if len(keyframes) > 1 else None
    warnings = []
    if every is None or every > _SLOW_KEYFRAMES_S:
        warnings.append(
            "keyframes are far apart: set the camera to one every two seconds, or viewers wait and recordings begin late"
        )
    return Checked(
        codec="h264",
        width=size[0],
        height=size[1],
        pictures_per_s=round((len(frames) - 1) / seconds, 1),
        kbit_per_s=round(sum(len(frame.unit) for _, frame in frames) * 8 / seconds / 1_000),
        keyframe_every_s=None if every is None else round(every, 1),
        warnings=warnings,
    )


def _look(asked: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = asked["source"]
    fields["burnt_masks"] = tuple(Mask(**mask) for mask in fields["burnt_masks"])
    return asyncio.run(look(Source(**fields), asked["look_s"])).model_dump()


if __name__ == "__main__":
    answer(_look)
