"""What was recorded, as a stream: at the speed at which it was taken, through the same hubs and tiers as live pictures.

A stream of it is named by the camera and the instant where it begins, so everybody who opened it there sees the same, and to seek is to open another. Times in it
are the recording's own; where nothing was recorded the next picture follows at once. It ends where the recordings do.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Final, NoReturn

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, CLOCK_HZ, VIDEO, Frame
from federation.trunk.hub import Hub
from node.media.recording.archive import Archive
from node.media.recording.clip import HOLE_US, frames_from

_AHEAD: Final = 50
"""Frames that are read at once."""

_HOLE_TICKS: Final = HOLE_US * CLOCK_HZ // 1_000_000
_STEP_TICKS: Final = CLOCK_HZ // 25


async def play(archive: Archive, camera: str, from_us: int, hub: Hub, now_s: Callable[[], float]) -> NoReturn:
    """Feed the hub with what was recorded from an instant on (µs since the epoch), until it ends: raises ZonghengError `not_found`.

    ``now_s``: a clock in seconds that goes on by itself.
    """
    frames = _without_holes(frames_from(archive, camera, from_us))
    begun_s, first_pts = 0.0, 0
    while batch := await asyncio.to_thread(lambda: list(islice(frames, _AHEAD))):
        for frame in batch:
            if not begun_s:
                begun_s, first_pts = now_s(), frame.pts_90k
            await asyncio.sleep(max(0.0, begun_s + (frame.pts_90k - first_pts) / CLOCK_HZ - now_s()))
            hub.put(frame)
    raise ZonghengError("not_found", f"nothing more of camera {camera} was recorded")


def _without_holes(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Frames numbered anew. Where pictures go on after a hole their time is moved, and that of the sound with it; sound without pictures is left out."""
    skipped = last = last_heard = 0
    seqs = {VIDEO: -1, AUDIO: -1}
    for frame in frames:
        pts = frame.pts_90k - skipped
        if frame.track == AUDIO:
            if not (last_heard < pts and abs(pts - last) <= _HOLE_TICKS):
                continue
            last_heard = pts
        else:
            if seqs[VIDEO] >= 0 and not 0 < pts - last <= _HOLE_TICKS:
                skipped += pts - last - _STEP_TICKS
                pts = last + _STEP_TICKS
            last = pts
        seqs[frame.track] += 1
        yield replace(frame, pts_90k=pts, seq=seqs[frame.track])
