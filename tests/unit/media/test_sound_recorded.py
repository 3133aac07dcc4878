"""Recordings of whoever publishes from a browser (VP8) and of cameras that are heard (Opus)."""

import asyncio
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import pytest

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, VIDEO, Codec, Frame
from federation.trunk.hub import Hub
from node.media.opus import length_ticks
from node.media.picture import decoded
from node.media.recording.archive import Archive, kind
from node.media.recording.clip import cut, frames_from
from node.media.recording.playing import play
from node.media.recording.recorder import Recorder
from node.media.recording.segment import SegmentWriter, frames_in, suffix
from tests.unit.media import clips

T0 = 1_709_258_400_000_000  # 2024-03-01T10:00:00+08:00
S = 1_000_000
PLENTY = 10**12


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "recordings", PLENTY, 0)


def taken(frames: list[Frame], from_us: int = T0) -> list[Frame]:
    """The frames as if they had been taken from an instant on."""
    return [replace(each, captured_ns=from_us * 1_000 + each.pts_90k * 100_000 // 9) for each in frames]


@cache
def sound(seconds: int) -> tuple[Frame, ...]:
    """A tone in packets of 20 ms."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "s16"
    encoder.time_base = Fraction(1, 48_000)
    units = []
    for number in range(seconds * 50):
        tone = av.AudioFrame(format="s16", layout="stereo", samples=960)
        tone.planes[0].update(b"".join(((x * 400) % 20_000).to_bytes(2, "little") * 2 for x in range(960)))
        tone.sample_rate, tone.pts, tone.time_base = 48_000, number * 960, Fraction(1, 48_000)
        units += [bytes(packet) for packet in encoder.encode(tone)]
    return tuple(
        Frame(AUDIO, number, number * 1_800, 0, True, Codec.OPUS, unit) for number, unit in enumerate(units)
    )


def heard_and_seen(count: int, from_us: int = T0) -> list[Frame]:
    """Pictures with their sound, in the order in which they were taken."""
    both = [*clips.frames(Codec.H264, count), *sound(count // clips.FPS)]
    return taken(sorted(both, key=lambda each: (each.pts_90k, each.track)), from_us)


def recorded(archive: Archive, frames: list[Frame], segment_s: float = 60) -> None:
    recorder = Recorder(archive, segment_s)
    for frame in frames:
        recorder.take("kiosk", lambda from_us, to_us: True, frame)
    recorder.stop()


def of_track(frames: list[Frame], track: int) -> list[Frame]:
    return [frame for frame in frames if frame.track == track]


def test_the_time_that_a_packet_of_sound_holds_is_read_from_it() -> None:
    assert {length_ticks(frame.unit) for frame in sound(1)} == {1_800}
    # SILK 60 ms; CELT 2.5 ms twice; six of 20 ms; what no packet may be.
    assert [length_ticks(each) for each in (b"\x18", b"\x81", b"\xfb\x06", b"\xfb\x3f", b"\xfb", b"")] == [
        5_400, 450, 10_800, 0, 0, 0,
    ]  # fmt: skip


def test_what_a_browser_publishes_in_vp8_is_recorded_cut_and_pictured(
    archive: Archive, tmp_path: Path
) -> None:
    frames = taken(clips.frames(Codec.VP8, 75))
    recorded(archive, frames, segment_s=1)
    segments = archive.segments("kiosk")
    assert len(segments) == 3
    played = [frame for segment in segments for frame in frames_in(segment.path, segment.from_us)]
    assert [frame.unit for frame in played] == [frame.unit for frame in frames]
    assert [frame.keyframe for frame in played] == [frame.keyframe for frame in frames]
    made = cut(archive, "kiosk", T0 + S, T0 + 2 * S, tmp_path / "clip.mp4")
    with av.open(str(made.path)) as container:
        assert container.streams.video[0].codec_context.name == "vp8"
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 240)
        assert sum(1 for _ in container.decode(video=0)) == 26
    assert kind(made.path) == "webm"
    assert decoded(next(frames_from(archive, "kiosk", T0))).width == 320


def test_another_codec_begins_another_file_and_no_clip_goes_over_it(archive: Archive, tmp_path: Path) -> None:
    first = taken(clips.frames(Codec.VP8, 50))
    then = [replace(each, seq=each.seq + 50) for each in taken(clips.frames(Codec.H264, 50), T0 + 2 * S)]
    recorded(archive, [*first, *then])
    assert len(archive.segments("kiosk")) == 2
    with pytest.raises(ZonghengError) as told:
        cut(archive, "kiosk", T0, T0 + 4 * S, tmp_path / "clip.mp4")
    assert told.value.code == "codec_unsupported"
    assert cut(archive, "kiosk", T0 + 2 * S, T0 + 4 * S, tmp_path / "later.mp4").from_us == T0 + 2 * S


def test_sound_is_recorded_beside_the_pictures_and_keeps_their_time(archive: Archive, tmp_path: Path) -> None:
    frames = heard_and_seen(100)
    recorded(archive, frames)
    # That there is sound is known a little after the first picture: the second file has it.
    silent, heard = archive.segments("kiosk")
    assert not of_track(list(frames_in(silent.path, silent.from_us)), AUDIO)
    played = list(frames_in(heard.path, heard.from_us))
    asked = [frame for frame in frames if frame.captured_ns >= heard.from_us * 1_000]
    for track in (VIDEO, AUDIO):
        of_file, sent = of_track(played, track), of_track(asked, track)
        assert [frame.unit for frame in of_file] == [frame.unit for frame in sent]
        for one, other in zip(of_file, sent, strict=True):
            assert abs(one.captured_ns - other.captured_ns) <= 1_000_000
    made = cut(archive, "kiosk", T0 + 2 * S, T0 + 3 * S, tmp_path / "clip.mp4")
    with av.open(str(made.path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert abs(samples - 48_000) <= 2 * 960
    assert kind(made.path) == "mp4"
    again = cut(archive, "kiosk", T0 + 2 * S, T0 + 3 * S, tmp_path / "again.mp4")
    assert made.sha256 == again.sha256


def test_sound_that_ends_holds_up_no_pictures(archive: Archive, tmp_path: Path) -> None:
    both = heard_and_seen(100)
    rest = [replace(each, seq=each.seq + 100) for each in taken(clips.frames(Codec.H264, 100), T0 + 4 * S)]
    rest = [replace(each, pts_90k=each.pts_90k + 4 * 90_000) for each in rest]
    recorded(archive, [*both, *rest])
    played = list(frames_from(archive, "kiosk", T0))
    assert len(of_track(played, VIDEO)) == 200


async def test_a_recording_with_sound_plays_over_a_hole_with_both_beside_each_other(archive: Archive) -> None:
    recorded(archive, heard_and_seen(50))
    recorded(archive, heard_and_seen(50, T0 + 600 * S))
    hub, got = Hub("990102/kiosk/rec", lambda: 0), list[Frame]()
    hub.join(got.append)
    loop = asyncio.get_running_loop()
    with pytest.raises(ZonghengError):
        async with asyncio.timeout(90):
            await play(archive, "kiosk", T0 + S, hub, loop.time)
    assert hub.lost_frames == 0
    for track in (VIDEO, AUDIO):
        assert all(later.pts_90k - one.pts_90k > 0 for one, later in pairwise(of_track(got, track)))
    offsets = [frame.pts_90k - frame.captured_ns * 9 // 100_000 for frame in of_track(got, VIDEO)]
    heard = [frame.pts_90k - frame.captured_ns * 9 // 100_000 for frame in of_track(got, AUDIO)]
    assert heard
    assert all(min(abs(each - other) for other in offsets) <= 90 for each in heard)


def test_vp8_that_is_being_written_plays_up_to_its_last_keyframe(archive: Archive) -> None:
    frames = taken(clips.frames(Codec.VP8, 75))
    writer = SegmentWriter(archive.begin("kiosk", T0, suffix(Codec.VP8)), frames[0])
    for frame in frames[:60]:
        writer.write(frame)
    assert len(list(frames_from(archive, "kiosk", T0))) == 50
    writer.close()
    assert archive.mend() == 1
