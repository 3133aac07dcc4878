"""What cameras hear: Opus whatever they send, beside the pictures that it belongs to."""

import shutil
import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest

from federation.trunk.frame import AUDIO, VIDEO, Codec, Frame
from node.media.ingest.source import Source
from node.media.opus import length_ticks
from tests.plugins.cameras import RtspServer, absent
from tests.unit.media.test_reading import reading

FLASHES = "lt(mod(t\\,1)\\,0.2)"
"""In the first fifth of each second it is bright and it beeps."""


@pytest.fixture(scope="module")
def flashing(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A clip that flashes and beeps at the same instants, 25 pictures a second, with its sound in a codec of FFmpeg's name."""
    if shutil.which("ffmpeg") is None:
        absent("ffmpeg")
    folder = tmp_path_factory.mktemp("flashing")

    def made(codec: str) -> Path:
        file = folder / f"{codec}.mp4"
        if not file.exists():
            picture = f"color=black:s=160x120:r=25,drawbox=c=white:t=fill:enable='{FLASHES}'"
            tone = f"aevalsrc=0.8*sin(2*PI*1000*t)*{FLASHES}:s=48000"
            command = [
                "ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-t", "8",
                "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25", "-c:a", codec, "-ac", "1", str(file),
            ]  # fmt: skip
            subprocess.run(command, check=True, timeout=240)
        return file

    return made


def flashes(frames: list[Frame]) -> list[int]:
    """When it became bright, in ns."""
    decoder = av.CodecContext.create("h264", "r")
    bright, found = True, []
    for frame in frames:
        if frame.track == VIDEO:
            packet = av.Packet(frame.unit)
            for picture in decoder.decode(packet):  # type: ignore[attr-defined]
                now = bytes(picture.planes[0])[60 * picture.planes[0].line_size + 80] > 128
                if now and not bright:
                    found.append(frame.captured_ns)
                bright = now
    return found


def beeps(frames: list[Frame]) -> list[int]:
    """When it became loud, in ns, to a quarter of a packet."""
    decoder = av.CodecContext.create("opus", "r")
    loud, found = True, []
    for frame in frames:
        if frame.track == AUDIO:
            for heard in decoder.decode(av.Packet(frame.unit)):  # type: ignore[attr-defined]
                level = heard.to_ndarray()[0]
                for at in range(0, len(level), 240):
                    now = max(map(abs, level[at : at + 240])) > 0.2
                    if now and not loud:
                        found.append(frame.captured_ns + at * 1_000_000_000 // 48_000)
                    loud = now
    return found


def is_in_step(frames: list[Frame]) -> None:
    """Flashes and beeps are at the same instants: one picture lasts 40 ms."""
    seen, heard = flashes(frames), beeps(frames)
    both = [each for each in seen if heard and heard[0] - 500_000_000 < each < heard[-1] + 500_000_000]
    assert len(both) >= 2
    for each in both:
        assert min(abs(each - other) for other in heard) < 60_000_000


def enough(frames: list[Frame]) -> bool:
    """Three seconds and more of both."""
    counts = [sum(frame.track == track for frame in frames) for track in (VIDEO, AUDIO)]
    return counts[VIDEO] >= 100 and counts[AUDIO] >= 175


@pytest.mark.parametrize(("codec", "sent"), [("libopus", "opus"), ("aac", "aac"), ("libopus", "pcma")])
async def test_what_an_rtsp_camera_hears_comes_as_opus_in_step_with_what_it_sees(
    flashing: Callable[[str], Path], rtsp: Callable[..., RtspServer], codec: str, sent: str
) -> None:
    server = rtsp(f"/main={flashing(codec)}", sound=sent)
    async with reading(Source(server.address("/main"), sound=True)) as taking:
        await taking.until(enough)
        frames = list(taking.frames)
    sound = [frame for frame in frames if frame.track == AUDIO]
    assert [frame.seq for frame in sound] == list(range(len(sound)))
    assert {(frame.codec, frame.keyframe) for frame in sound} == {(Codec.OPUS, True)}
    assert all(later.pts_90k > one.pts_90k for one, later in pairwise(sound))
    assert {length_ticks(frame.unit) for frame in sound} == {1_800}
    assert frames[0].track == VIDEO
    is_in_step(frames)


async def test_a_file_that_begins_again_keeps_its_sound_in_step(flashing: Callable[[str], Path]) -> None:
    def over_its_end(frames: list[Frame]) -> bool:
        return sum(frame.track == VIDEO for frame in frames) >= 260

    async with reading(Source(f"file:{flashing('aac')}", sound=True)) as taking:
        await taking.until(over_its_end)
        frames = list(taking.frames)
    sound = [frame for frame in frames if frame.track == AUDIO]
    assert all(later.pts_90k > one.pts_90k for one, later in pairwise(sound))
    is_in_step(frames)


async def test_the_sound_of_a_camera_that_is_not_to_be_heard_is_not_read(
    flashing: Callable[[str], Path], rtsp: Callable[..., RtspServer]
) -> None:
    server = rtsp(f"/main={flashing('aac')}", sound="aac")
    async with reading(Source(server.address("/main"))) as taking:
        await taking.count(60)
        assert {frame.track for frame in taking.frames} == {VIDEO}
