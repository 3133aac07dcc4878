"""Recordings on a disk that fills: the journal's reserve is not theirs, however long a file is."""

import shutil
import time
from dataclasses import replace

import av

from federation.trunk.frame import VIDEO, Codec, Frame
from node.media.recording.archive import Archive
from node.media.recording.recorder import Recorder
from tests.plugins.disk import SmallDisk
from tests.unit.media import clips

MB = 1_000_000
T0 = 1_709_258_400_000_000  # 2024-03-01T10:00:00+08:00
SLICE = b"\0\0\0\1\x41" + bytes(range(1, 256)) * 160


def heavy(seconds: int) -> list[Frame]:
    """One megabyte a second: a keyframe, and slices that say nothing."""
    keyframe = clips.units(Codec.H264, 1)[0]
    return [
        Frame(
            VIDEO, at, at * 3_600, T0 * 1_000 + at * 40_000_000, at % 25 == 0, Codec.H264,
            keyframe if at % 25 == 0 else SLICE,
        )
        for at in range(seconds * 25)
    ]  # fmt: skip


def test_a_file_without_end_leaves_the_disk_its_reserve(small_disk: SmallDisk) -> None:
    disk = small_disk(24 * MB)
    archive = Archive(disk / "recordings", 10**12, 8 * MB)
    recorder = Recorder(archive, segment_s=10**6, check_bytes=MB)
    for frame in heavy(40):
        for camera in ("hall", "door"):
            recorder.take(camera, lambda from_us, to_us: True, frame)
        while recorder.waiting:
            time.sleep(0.01)
    recorder.stop()
    # What the muxer had not written yet when they ended is one fragment of each.
    assert shutil.disk_usage(disk).free >= 8 * MB - 4 * MB
    assert archive.cameras()
    for camera in archive.cameras():
        for segment in archive.segments(camera):
            with av.open(str(segment.path)) as container:
                assert sum(1 for packet in container.demux(video=0) if packet.size) > 0


def test_the_oldest_goes_while_a_file_is_written(small_disk: SmallDisk) -> None:
    disk = small_disk(24 * MB)
    archive = Archive(disk / "recordings", 10**12, 8 * MB)
    old = Recorder(archive, segment_s=2)
    for frame in heavy(12):
        old.take("hall", lambda from_us, to_us: True, frame)
    old.stop()
    began = archive.segments("hall")[0].from_us
    recorder = Recorder(archive, segment_s=10**6, check_bytes=MB)
    for frame in heavy(9):
        later = replace(frame, captured_ns=frame.captured_ns + 3_600 * 10**9)
        recorder.take("hall", lambda from_us, to_us: True, later)
    recorder.stop()
    segments = archive.segments("hall")
    assert segments[0].from_us > began
    assert segments[-1].to_us - segments[-1].from_us >= 8_900_000
    assert shutil.disk_usage(disk).free >= 8 * MB - 4 * MB
