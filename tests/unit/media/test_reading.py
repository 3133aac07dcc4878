"""Clips and a real RTSP camera, read into frames; every way in which a camera fails, told apart."""

import asyncio
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from federation.errors import ZonghengError
from federation.link.backoff import BackoffPolicy
from federation.trunk.frame import Frame
from federation.trunk.hub import Hub, State
from node.media.annexb import IDR, PPS, SPS, units
from node.media.ingest.ingest import ingest
from node.media.ingest.normalise import MOST_BYTES, Numbered, Rate
from node.media.ingest.reading import read
from node.media.ingest.source import Mask, Source
from tests.plugins.cameras import RtspServer

PATIENCE_S = 90


class Taking:
    """Collects frames; `until` waits for what is looked for."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self._came = asyncio.Event()

    def put(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._came.set()

    async def until(self, there: Callable[[list[Frame]], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not there(self.frames):
                self._came.clear()
                await self._came.wait()

    async def count(self, wanted: int) -> list[Frame]:
        await self.until(lambda frames: len(frames) >= wanted)
        return self.frames


@asynccontextmanager
async def reading(source: Source, numbered: Numbered | None = None) -> AsyncIterator[Taking]:
    taking = Taking()
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(read(source, numbered or Numbered(), taking.put))
        yield taking
        task.cancel()


async def failing(source: Source, put: Callable[[Frame], None] = lambda frame: None) -> ZonghengError:
    """The error that reading ends with."""
    with pytest.raises(ZonghengError) as told:
        async with asyncio.timeout(PATIENCE_S):
            await read(source, Numbered(), put)
    return told.value


def decoded(frames: list[Frame]) -> int:
    """How many pictures a decoder that knows nothing else makes of the frames."""
    decoder = av.CodecContext.create("h264", "r")
    pictures = 0
    for frame in frames:
        packet = av.Packet(frame.unit)
        packet.pts, packet.time_base = frame.pts_90k, Fraction(1, 90_000)
        pictures += len(decoder.decode(packet))  # type: ignore[attr-defined]
    return pictures + len(decoder.decode(None))  # type: ignore[attr-defined]


async def test_a_clip_is_read_as_a_live_camera(clip: Path) -> None:
    async with reading(Source(f"file:{clip}")) as taking:
        frames = list(await taking.count(30))
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert [frame.pts_90k for frame in frames] == [9_000 * each for each in range(len(frames))]
    assert [each for each, frame in enumerate(frames) if frame.keyframe] == list(range(0, len(frames), 20))
    assert {unit[0] & 0x1F for unit in units(frames[20].unit)} >= {SPS, PPS, IDR}
    assert decoded(frames) == len(frames)


async def test_a_clip_begins_again_without_a_step_back_in_time(encode: Callable[..., Path]) -> None:
    short = encode("hall", "-t", "1", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "5")
    async with reading(Source(f"file:{short}")) as taking:
        frames = list(await taking.count(25))
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    steps = [after.pts_90k - before.pts_90k for before, after in pairwise(frames)]
    assert all(step > 0 for step in steps)
    assert sorted(steps)[len(steps) // 2] == 9_000
    assert decoded(frames) == len(frames)


async def test_a_camera_with_b_frames_is_told_so(shared_data: Path) -> None:
    error = await failing(Source(f"file:{shared_data / 'video' / 'hall.mp4'}"))
    assert error.code == "b_frames"
    assert "--transcode" in error.detail


async def test_a_camera_with_h265_is_told_so(encode: Callable[..., Path]) -> None:
    other = encode(
        "hall", "-t", "1", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"
    )
    error = await failing(Source(f"file:{other}"))
    assert error.code == "codec_unsupported"
    assert "HEVC" in error.detail


async def test_b_frames_are_encoded_again_where_the_operator_asks_for_it(shared_data: Path) -> None:
    source = Source(f"file:{shared_data / 'video' / 'hall.mp4'}", transcode=True)
    async with reading(source) as taking:
        frames = list(await taking.count(25))
    assert frames[0].keyframe
    assert decoded(frames) == len(frames)
    assert all(after.pts_90k > before.pts_90k for before, after in pairwise(frames))


async def test_what_nobody_is_to_see_is_painted_over(clip: Path) -> None:
    source = Source(f"file:{clip}", burnt_masks=(Mask(0.0, 0.0, 0.5, 1.0),))
    async with reading(source) as taking:
        (frame, *_) = await taking.count(1)
    decoder = av.CodecContext.create("h264", "r")
    pictures = [*decoder.decode(av.Packet(frame.unit)), *decoder.decode(None)]  # type: ignore[attr-defined]
    luma = pictures[0].planes[0]
    rows = [
        bytes(luma)[at * luma.line_size : at * luma.line_size + pictures[0].width] for at in range(0, 400, 40)
    ]
    left = [value for row in rows for value in row[: len(row) // 2 - 16]]
    right = [value for row in rows for value in row[len(row) // 2 + 16 :]]
    assert max(left) < 40
    assert max(right) > 100


async def test_a_real_rtsp_camera_is_read_with_digest_authentication(
    clip: Path, rtsp: Callable[..., RtspServer]
) -> None:
    server = rtsp(f"/main={clip}", user="viewer", password="p@ss:w/1")
    async with reading(Source(server.address("/main"), "viewer", "p@ss:w/1")) as taking:
        frames = list(await taking.count(25))
    assert frames[0].keyframe
    # The camera gives its parameter sets in the session description alone.
    assert {unit[0] & 0x1F for unit in units(frames[0].unit)} >= {SPS, PPS, IDR}
    assert decoded(frames) == len(frames)


async def test_a_camera_that_refuses_the_password_is_told_apart_and_the_password_is_in_no_words(
    clip: Path, rtsp: Callable[..., RtspServer]
) -> None:
    server = rtsp(f"/main={clip}", user="viewer", password="right")
    source = Source(server.address("/main"), "viewer", "guessed-it")
    error = await failing(source)
    assert error.code == "camera_refused"
    assert "guessed-it" not in f"{error} {error!r} {source}"


async def test_a_path_that_the_camera_does_not_have_is_told_apart(
    clip: Path, rtsp: Callable[..., RtspServer]
) -> None:
    server = rtsp(f"/main={clip}")
    assert (await failing(Source(server.address("/other")))).code == "not_found"


async def test_a_camera_that_is_off_is_lost() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"rtsp://127.0.0.1:{taken.getsockname()[1]}/main"
        assert (await failing(Source(address))).code == "camera_lost"


async def test_a_camera_that_freezes_with_its_connection_open_is_lost(
    clip: Path, rtsp: Callable[..., RtspServer]
) -> None:
    server = rtsp(f"/main={clip}")
    taking = Taking()
    async with asyncio.TaskGroup() as tasks:
        failed = tasks.create_task(failing(Source(server.address("/main")), taking.put))
        await taking.count(5)
        server.process.send_signal(signal.SIGSTOP)
        assert (await failed).code == "camera_lost"


async def test_stopped_nothing_reads_on(clip: Path, rtsp: Callable[..., RtspServer]) -> None:
    server = rtsp(f"/main={clip}")
    for source in (Source(server.address("/main")), Source(f"file:{clip}")):
        async with reading(source) as taking:
            await taking.count(1)
        assert not [each for each in threading.enumerate() if each.name == "camera"]


async def test_a_camera_that_comes_back_is_reached_again(clip: Path, rtsp: Callable[..., RtspServer]) -> None:
    server = rtsp(f"/main={clip}")
    hub = Hub("330106/c1/main", lambda: 0)
    taking = Taking()
    hub.join(taking.put)
    async with asyncio.TaskGroup() as tasks:
        policy = BackoffPolicy(first_ms=50, cap_ms=200)
        task = tasks.create_task(ingest(Source(server.address("/main")), hub, policy=policy))
        await taking.count(15)
        server.process.kill()
        await _until(lambda: hub.state is State.LOST)
        assert hub.error is not None
        assert hub.error.code == "camera_lost"
        before = len(taking.frames)
        rtsp(f"/main={clip}", port=server.port)
        await taking.count(before + 15)
        assert hub.state is State.LIVE
        task.cancel()
    assert [frame.seq for frame in taking.frames] == list(range(len(taking.frames)))
    times = [frame.pts_90k for frame in taking.frames]
    assert times == sorted(set(times))


async def test_frames_go_on_in_number_and_time_over_two_connections(clip: Path) -> None:
    numbered, hub = Numbered(), Hub("330106/c1/main", lambda: 0)
    for _ in range(2):
        async with reading(Source(f"file:{clip}"), numbered) as taking:
            await taking.count(5)
        for frame in taking.frames:
            hub.put(frame)
    assert hub.lost_frames == 0
    assert hub.gop()[0].seq > 0


async def test_a_camera_that_floods_the_node_is_refused() -> None:
    rate = Rate()
    for each in range(90):
        rate.count(MOST_BYTES // 20, each * 40_000_000)
    with pytest.raises(ZonghengError) as told:
        rate.count(3 * MOST_BYTES, 90 * 40_000_000)
    assert told.value.code == "too_large"
    usual = Rate()
    for each in range(1_000):
        usual.count(MOST_BYTES // 26, each * 40_000_000)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "http://camera/",
        "rtsp://admin:secret@camera/main",
        "rtsp:///main",
        "file:clip.mp4",
        "/clips/a.mp4",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ZonghengError) as told:
        Source(address)
    assert told.value.code == "bad_request"


async def _until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not there():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
