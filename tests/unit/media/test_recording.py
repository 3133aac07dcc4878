"""Recordings: written, killed, kept, shed, cut out and played."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import av
import pytest

from federation.errors import ZonghengError
from federation.trunk.frame import Frame
from federation.trunk.hub import Hub
from node.media.recording import ring
from node.media.recording.archive import DAY_US, Archive
from node.media.recording.clip import cut, frames_from
from node.media.recording.playing import play
from node.media.recording.recorder import Recorder
from node.media.recording.segment import SegmentWriter, frames_in, length_us
from node.models.cameras import RecordingForm
from tests.unit.media.clip_frames import NS, frames_of

T0 = 1_709_258_400_000_000  # 2024-03-01T10:00:00+08:00
S = 1_000_000
PLENTY = 10**12

KILLED = """
import os, sys
from pathlib import Path
from node.media.recording.archive import Archive
from node.media.recording.recorder import Recorder
from tests.unit.media.clip_frames import frames_of
recorder = Recorder(Archive(Path(sys.argv[2]), 10**12, 0), 1000)
for frame in frames_of(Path(sys.argv[1]))[:110]:
    recorder.take("hall-1", lambda a, b: True, frame)
while recorder._queue.qsize():
    pass
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "recordings", PLENTY, 0)


def recorded(archive: Archive, frames: list[Frame], *, kept: bool = True, segment_s: float = 5) -> None:
    recorder = Recorder(archive, segment_s)
    for frame in frames:
        recorder.take("hall-1", lambda from_us, to_us: kept, frame)
    recorder.stop()
    assert recorder.dropped == 0


def pictures(path: Path) -> int:
    """How many pictures a player decodes."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_what_a_camera_sends_is_written_in_files_that_follow_each_other(archive: Archive, clip: Path) -> None:
    frames = frames_of(clip)
    recorded(archive, frames)
    segments = archive.segments("hall-1")
    assert segments[0].from_us == T0
    assert all(later.from_us - earlier.to_us == 100_000 for earlier, later in pairwise(segments))
    played = [frame for segment in segments for frame in frames_in(segment.path, segment.from_us)]
    assert [frame.unit for frame in played] == [frame.unit for frame in frames]
    assert [frame.captured_ns for frame in played] == [frame.captured_ns for frame in frames]
    assert sum(pictures(segment.path) for segment in segments) == len(frames)


def test_killed_in_the_middle_what_was_written_before_the_last_keyframe_plays(
    archive: Archive, clip: Path, tmp_path: Path, repository: Path
) -> None:
    command = [sys.executable, "-c", KILLED, str(clip), str(tmp_path / "recordings")]
    ended = subprocess.run(command, cwd=repository, timeout=200, check=False)
    assert ended.returncode == -9
    assert archive.segments("hall-1") == []
    assert archive.mend() == 1
    (segment,) = archive.segments("hall-1")
    assert pictures(segment.path) == 100
    assert (segment.from_us, segment.to_us) == (T0, T0 + 9_900_000)


def test_a_file_that_was_begun_and_never_written_goes(archive: Archive) -> None:
    archive.begin("hall-1", T0).touch()
    assert archive.mend() == 0
    assert archive.used() == 0


def test_missing_frames_end_a_file_and_the_next_keyframe_begins_another(archive: Archive, clip: Path) -> None:
    frames = frames_of(clip)
    recorded(archive, [*frames[:30], *frames[33:70]], segment_s=1_000)
    first, second = archive.segments("hall-1")
    assert (pictures(first.path), pictures(second.path)) == (30, 30)


def test_what_nobody_wants_goes_after_some_minutes_and_what_an_alert_wants_stays(
    archive: Archive, clip: Path
) -> None:
    recorded(archive, frames_of(clip), kept=False)
    segments = archive.segments("hall-1")
    assert all(segment.ring for segment in segments)
    assert archive.keep("hall-1", T0 + 7 * S, T0 + 12 * S) == 2
    gone = archive.shed_old("hall-1", T0 + 600 * S, days=30, ring_us=300 * S)
    left = archive.segments("hall-1")
    assert gone == len(segments) - len(left)
    assert [segment.ring for segment in left] == [False, False]
    assert left[0].from_us <= T0 + 7 * S <= T0 + 12 * S <= left[-1].to_us


def test_what_is_older_than_its_days_goes(archive: Archive, clip: Path) -> None:
    recorded(archive, frames_of(clip))
    assert archive.shed_old("hall-1", T0 + 29 * DAY_US, days=30, ring_us=0) == 0
    assert archive.shed_old("hall-1", T0 + 31 * DAY_US, days=30, ring_us=0) > 0
    assert archive.cameras() == []


def test_over_its_budget_the_oldest_goes_and_the_minutes_before_an_alert_stay(
    tmp_path: Path, clip: Path
) -> None:
    folder = tmp_path / "recordings"
    recorded(Archive(folder, PLENTY, 0), frames_of(clip)[:200])
    recorded(Archive(folder, PLENTY, 0), frames_of(clip, (T0 + 600 * S) * 1_000)[:200], kept=False)
    before = Archive(folder, PLENTY, 0).segments("hall-1")
    oldest = before[0].path.stat().st_size
    tight = Archive(folder, Archive(folder, 0, 0).used() - oldest - 1, 0)
    assert tight.make_room()
    assert tight.segments("hall-1") == before[2:]
    assert any(segment.ring for segment in before[2:])


def test_with_the_disk_full_nothing_is_begun_and_somebody_is_told(tmp_path: Path) -> None:
    with pytest.raises(ZonghengError) as told:
        Archive(tmp_path / "recordings", PLENTY, 2**62).begin("hall-1", T0)
    assert told.value.code == "disk_full"


def test_a_clip_begins_with_the_keyframe_before_and_is_the_same_bytes_each_time(
    archive: Archive, clip: Path, tmp_path: Path
) -> None:
    recorded(archive, frames_of(clip))
    one = cut(archive, "hall-1", T0 + 7_500_000, T0 + 12 * S, tmp_path / "one.mp4")
    two = cut(archive, "hall-1", T0 + 7_500_000, T0 + 12 * S, tmp_path / "two.mp4")
    assert one.sha256 == two.sha256 == sha256(one.path.read_bytes()).hexdigest()
    assert (one.from_us, one.to_us, one.gaps) == (T0 + 6 * S, T0 + 12 * S, 0)
    assert pictures(one.path) == 61
    assert one.bytes == one.path.stat().st_size


def test_a_clip_over_a_hole_says_so(archive: Archive, clip: Path, tmp_path: Path) -> None:
    frames = frames_of(clip)
    recorded(archive, frames[:100])
    recorded(archive, frames_of(clip, (T0 + 60 * S) * 1_000)[:100])
    made = cut(archive, "hall-1", T0, T0 + 65 * S, tmp_path / "clip.mp4")
    assert made.gaps == 1
    assert abs(length_us(made.path) - 65 * S) <= 100_000


def test_what_was_not_recorded_cannot_be_cut(archive: Archive, clip: Path, tmp_path: Path) -> None:
    recorded(archive, frames_of(clip)[:50])
    for from_us, to_us, code in (
        (T0 + 100 * S, T0 + 110 * S, "not_found"),
        (T0, T0, "bad_request"),
        (T0, T0 + 100 * 3_600 * S, "too_large"),
    ):
        with pytest.raises(ZonghengError) as told:
            cut(archive, "hall-1", from_us, to_us, tmp_path / "clip.mp4")
        assert told.value.code == code


async def test_what_was_recorded_plays_as_a_stream_at_its_own_speed_and_over_holes(
    archive: Archive, clip: Path
) -> None:
    recorded(archive, frames_of(clip)[:40])
    recorded(archive, frames_of(clip, (T0 + 600 * S) * 1_000)[:20])
    hub, taken = Hub("990102/hall-1/rec", lambda: 0), list[Frame]()
    hub.join(taken.append)
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    with pytest.raises(ZonghengError) as told:
        async with asyncio.timeout(90):
            await play(archive, "hall-1", T0 + 2_050_000, hub, loop.time)
    assert told.value.code == "not_found"
    assert loop.time() - begun_s >= 3.8
    assert [frame.captured_ns for frame in taken] == [
        *(T0 * 1_000 + each * NS // 10 for each in range(20, 40)),
        *((T0 + 600 * S) * 1_000 + each * NS // 10 for each in range(20)),
    ]
    assert hub.lost_frames == 0
    assert max(later.pts_90k - earlier.pts_90k for earlier, later in pairwise(taken)) <= 9_000


def test_seeking_begins_with_a_picture_that_can_be_shown(archive: Archive, clip: Path) -> None:
    recorded(archive, frames_of(clip))
    for second in range(0, 39, 7):
        first = next(frames_from(archive, "hall-1", T0 + second * S + 1))
        assert first.keyframe
        assert 0 <= T0 + second * S - first.captured_ns // 1_000 <= 2 * S


def test_a_picture_that_is_no_keyframe_begins_no_file(archive: Archive, clip: Path) -> None:
    first = replace(frames_of(clip)[0], unit=b"\0\0\0\1\x65broken")
    recorded(archive, [first])
    assert archive.segments("hall-1") == []
    with pytest.raises(ZonghengError):
        SegmentWriter(archive.begin("hall-1", T0), first)


def test_what_is_being_written_can_be_cut_and_played_up_to_its_last_whole_fragment(
    archive: Archive, clip: Path, tmp_path: Path
) -> None:
    frames = frames_of(clip)
    recorded(archive, frames[:60], segment_s=1_000)
    path = archive.begin("hall-1", frames[60].captured_ns // 1_000)
    writer = SegmentWriter(path, frames[60])
    assert len(list(frames_from(archive, "hall-1", T0))) == 60
    for frame in frames[60:91]:
        writer.write(frame)
    made = cut(archive, "hall-1", T0 + 3 * S, T0 + 60 * S, tmp_path / "clip.mp4")
    assert pictures(made.path) == 60
    assert made.to_us == frames[79].captured_ns // 1_000
    again = frames_from(archive, "hall-1", T0 + 6 * S)
    writer.close()
    archive.close(path, frames[90].captured_ns // 1_000, ring=True)
    # It was closed under another name after it was listed.
    assert len(list(again)) == 31


def test_minutes_before_an_alert_that_do_not_fit_are_told() -> None:
    wanted = [RecordingForm(when="on_alert", before_min=7), RecordingForm(when="office_hours", before_min=7)]
    others = [RecordingForm(when="always", before_min=60), RecordingForm(when="never", before_min=60)]
    assert ring.warnings([*wanted, *others], 600) == []
    (words,) = ring.warnings([*wanted, *others], 599)
    assert "600 MB" in words
    assert "recordings_budget_mb" in words
