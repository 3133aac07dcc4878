"""A process that reads cameras over RTSP, as a media worker does, and says what that took of a processor: `camera_cost.py ADDRESS COUNT SECONDS FOLDER [record] [sound]`.

Prints one JSON object: `cpu_ms` and `camera_s` (seconds times cameras), `pictures`, `sounds`, `bytes` (of both), `disk` (bytes of the recordings that were made of them).
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Final

from federation.trunk.frame import VIDEO, Frame
from node.media.ingest.normalise import Numbered
from node.media.ingest.reading import read
from node.media.ingest.source import Source
from node.media.recording.archive import Archive
from node.media.recording.recorder import Recorder

_OPEN_S: Final = 120.0


class _Counted:
    """What came of all cameras since it was last asked."""

    def __init__(self, recorder: Recorder | None) -> None:
        self.seen: set[int] = set()
        self.everybody = asyncio.Event()
        self.pictures = self.sounds = self.bytes = 0
        self._recorder = recorder

    def put(self, camera: int, count: int, frame: Frame) -> None:
        self.seen.add(camera)
        if len(self.seen) == count:
            self.everybody.set()
        self.bytes += len(frame.unit)
        if frame.track == VIDEO:
            self.pictures += 1
        else:
            self.sounds += 1
        if self._recorder is not None:
            self._recorder.take(f"camera-{camera}", lambda from_us, to_us: True, frame)


async def work(address: str, count: int, seconds: float, folder: Path, how: set[str]) -> dict[str, float]:
    """Read until so many seconds are over since all cameras were there."""
    archive = Archive(folder, 10**12, 0)
    recorder = Recorder(archive) if "record" in how else None
    counted = _Counted(recorder)
    source = Source(address, sound="sound" in how)
    async with asyncio.TaskGroup() as tasks:
        reading = [
            tasks.create_task(
                read(source, Numbered(), lambda frame, each=each: counted.put(each, count, frame))  # type: ignore[misc]
            )
            for each in range(count)
        ]
        async with asyncio.timeout(_OPEN_S):
            await counted.everybody.wait()
        counted.pictures = counted.sounds = counted.bytes = 0
        disk, cpu_s, begun_s = archive.used(), time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        took_s, lasted_s = time.process_time() - cpu_s, time.monotonic() - begun_s
        found = {
            "cpu_ms": took_s * 1_000, "camera_s": lasted_s * count, "pictures": counted.pictures,
            "sounds": counted.sounds, "bytes": counted.bytes, "disk": archive.used() - disk,
        }  # fmt: skip
        for task in reading:
            task.cancel()
    if recorder is not None:
        recorder.stop()
    return found


def main() -> None:
    """By the command line."""
    address, count, seconds, folder, *how = sys.argv[1:]
    print(json.dumps(asyncio.run(work(address, int(count), float(seconds), Path(folder), set(how)))))


if __name__ == "__main__":
    main()
