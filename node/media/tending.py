"""In the media worker: the node's own cameras recorded, watched over, and pictured, from the hubs that everybody else looks at too.

Each camera that is to be looked after is kept open; whoever watches besides costs it nothing. Of its pictures one keyframe in `LOOK_EVERY_S` is decoded, on a thread, to see
whether the camera still sees (`node.media.health`); all of them go to the recorder, where the camera is recorded. The main process says what is to be done and hears how
cameras are; when it goes, this ends with the worker and files are closed. When the worker is killed, what was being written is mended at its next start.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc.aio
import structlog
from av.video.frame import VideoFrame
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import camera_pb2
from zongheng.v1 import tending_pb2 as wire
from zongheng.v1.tending_pb2_grpc import TendingServiceServicer, add_TendingServiceServicer_to_server

from federation.errors import ZonghengError, abort
from federation.trunk.frame import VIDEO, Frame
from federation.trunk.hub import Hub, State
from federation.trunk.hubs import Hubs
from node.media.health import Health, Seen, Verdict
from node.media.ingest.source import Mask
from node.media.picture import Looks, decoded, jpeg, jpeg_within, looks, masked
from node.media.recording.archive import DAY_US, Archive
from node.media.recording.recorder import Recorder
from node.pictures_up import LARGEST

LOOK_S: Final = 5.0
LOOK_EVERY_S: Final = 30.0
PICTURE_EVERY_S: Final = 600.0
TIDY_S: Final = 60.0

SNAPSHOT_S: Final = 20.0
"""How long a stream may take until its first picture, opened through all tiers."""

_STALE_NS: Final = 10_000_000_000
_CARD_WIDTH: Final = 240
_SNAPSHOT_WIDTH: Final = 1_280
_SNAPSHOT_QUALITY: Final = 5
_MOST_WIDTH: Final = 4_096
_REST_S: Final = 2.0
_DAYS_OF_REMOVED: Final = 30
_RING_SPARE_US: Final = 120_000_000
"""What is in the ring stays this much longer than an alert reaches back: the file that it begins in is whole."""

_STATES: Final = {
    Seen.SEEING: camera_pb2.CAMERA_STATE_SEEING,
    Seen.LOST: camera_pb2.CAMERA_STATE_LOST,
    Seen.FROZEN: camera_pb2.CAMERA_STATE_FROZEN,
    Seen.DARK: camera_pb2.CAMERA_STATE_DARK,
}

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Camera:
    """One camera that is looked after."""

    tended: wire.TendedCamera
    health: Health = field(default_factory=Health)
    keyframe: Frame | None = None
    before: Looks | None = None
    looked_ns: int = 0
    pictured_ns: int = 0
    snapshot_us: int = 0
    """When the newest of the snapshots that are kept was taken (µs since the epoch)."""
    kept: list[tuple[int, int]] = field(default_factory=list)
    """Stretches (µs since the epoch) that alerts want; one list with `Tending`."""

    @property
    def is_recorded(self) -> bool:
        return self.tended.recording.when > camera_pb2.CAMERA_RECORDED_NEVER

    def wanted(self, from_us: int, to_us: int) -> bool:
        """Whether a stretch of its recording is to be kept."""
        spans = list(self.kept)
        match self.tended.recording.when:
            case camera_pb2.CAMERA_RECORDED_ALWAYS:
                return True
            case camera_pb2.CAMERA_RECORDED_OFFICE_HOURS:
                spans += [(span.from_us, span.to_us) for span in self.tended.open]
        return any(begin <= to_us and from_us <= end for begin, end in spans)


class Tending(TendingServiceServicer):
    """All cameras of one worker that are looked after. Make it with `offered`."""

    def __init__(
        self,
        archive: Archive,
        recorder: Recorder,
        hubs: Hubs,
        tasks: asyncio.TaskGroup,
        unix_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._archive = archive
        self._recorder = recorder
        self._hubs = hubs
        self._tasks = tasks
        self._unix_ns = unix_ns
        self._cameras: dict[str, _Camera] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._said: asyncio.Queue[wire.TendResponse] = asyncio.Queue()
        self._kept: dict[str, list[tuple[int, int]]] = {}
        self._told = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def running(cls, archive: Archive, hubs: Hubs, file_s: float) -> AsyncIterator["Tending"]:
        """For as long as the context lasts; at its end every file is closed."""
        await asyncio.to_thread(archive.mend)
        recorder = Recorder(archive, file_s)
        try:
            async with asyncio.TaskGroup() as tasks:
                tending = cls(archive, recorder, hubs, tasks)
                tidying = tasks.create_task(tending._tidy_again())
                try:
                    yield tending
                finally:
                    tidying.cancel()
                    for task in tending._running.values():
                        task.cancel()
        finally:
            await asyncio.to_thread(recorder.stop)

    async def Tend(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        async with asyncio.TaskGroup() as tasks:
            speaking = tasks.create_task(self._speak(context))
            try:
                while (said := await context.read()) is not EOF:
                    if said.WhichOneof("part") == "keep":
                        await self._keep(said.keep)
                    else:
                        self._tend(said.tended)
            finally:
                speaking.cancel()

    async def Snapshot(
        self, request: wire.SnapshotRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> wire.SnapshotResponse:
        try:
            keyframe = await self._keyframe(request.stream)
            width = min(request.width, _MOST_WIDTH)
            picture = await asyncio.to_thread(lambda: masked(decoded(keyframe), _masks(request.masks)))
            content = await asyncio.to_thread(jpeg, picture, width)
        except ZonghengError as error:
            await abort(context, error)
        return wire.SnapshotResponse(
            jpeg=content,
            taken_at_us=keyframe.captured_ns // 1_000,
            width=picture.width,
            height=picture.height,
        )

    async def _keyframe(self, stream: str) -> Frame:
        """The newest keyframe of a stream, opened for it where it is not open."""
        hub = await self._hubs.open(stream)
        came: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

        def take(frame: Frame) -> None:
            if frame.keyframe and frame.track == VIDEO and not came.done():
                came.set_result(frame)

        def ended(error: ZonghengError | None) -> None:
            if not came.done():
                came.set_exception(error or ZonghengError("not_found", f"{stream} has ended"))

        seat = hub.join(take, ended=ended)
        try:
            async with asyncio.timeout(SNAPSHOT_S):
                return await came
        except TimeoutError:
            raise hub.error or ZonghengError(
                "deadline", f"{stream} gave no picture within {SNAPSHOT_S:g} s"
            ) from None
        finally:
            seat.leave()

    async def _speak(self, context: Any) -> None:
        while True:
            await context.write(await self._said.get())

    def _tend(self, tended: wire.Tended) -> None:
        fresh = {camera.camera: camera for camera in tended.cameras}
        for code in set(self._cameras) - set(fresh):
            self._running.pop(code).cancel()
            del self._cameras[code]
        for code, camera in fresh.items():
            if (known := self._cameras.get(code)) is not None and known.tended.stream == camera.stream:
                known.tended = camera
                continue
            if code in self._running:
                self._running.pop(code).cancel()
            self._cameras[code] = _Camera(camera, kept=self._kept.setdefault(code, []))
            self._running[code] = self._tasks.create_task(self._look_after(self._cameras[code]))
        self._told.set()

    async def _keep(self, keep: wire.KeepRecorded) -> None:
        """Keep what an alert wants: what is closed now, the rest when it is."""
        span = keep.span.from_us, keep.span.to_us
        kept = self._kept.setdefault(keep.camera, [])
        since_us = self._unix_ns() // 1_000 - DAY_US
        kept[:] = {*(each for each in kept if each[1] > since_us), span}
        await asyncio.to_thread(self._archive.keep, keep.camera, *span)

    async def _look_after(self, camera: _Camera) -> None:
        """Keep a camera's stream open, record it and look at it, until cancelled."""
        code = camera.tended.camera

        def take(frame: Frame) -> None:
            if frame.keyframe and frame.track == VIDEO:
                camera.keyframe = frame
            if camera.is_recorded:
                self._recorder.take(code, camera.wanted, frame)

        try:
            while True:
                over = asyncio.Event()
                try:
                    hub = await self._hubs.open(camera.tended.stream)
                    seat = hub.join(take, ended=lambda error, over=over: over.set())  # type: ignore[misc]
                    try:
                        await self._look_until(over, camera, hub)
                    finally:
                        seat.leave()
                        self._recorder.end(code)
                except ZonghengError as error:
                    self._tell(camera, camera.health.lost(self._unix_ns() // 1_000, error.code))
                await asyncio.sleep(_REST_S)
        finally:
            self._recorder.end(code)

    async def _look_until(self, over: asyncio.Event, camera: _Camera, hub: Hub) -> None:
        while not over.is_set():
            await self._look(camera, hub)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await over.wait()
        if hub.error is not None:
            self._tell(camera, camera.health.lost(self._unix_ns() // 1_000, hub.error.code))

    async def _look(self, camera: _Camera, hub: Hub) -> None:
        now_ns = self._unix_ns()
        silent = hub.state is not State.LIVE or hub.now_ns() - hub.last_frame_ns > _STALE_NS
        if silent:
            code = hub.error.code if hub.error is not None else "camera_lost"
            self._tell(camera, camera.health.lost(now_ns // 1_000, code))
            return
        keyframe = camera.keyframe
        if keyframe is None or now_ns - camera.looked_ns < LOOK_EVERY_S * 1e9:
            return
        camera.looked_ns = now_ns
        try:
            picture = await asyncio.to_thread(decoded, keyframe)
            seen = await asyncio.to_thread(looks, picture)
        except ZonghengError as error:
            self._tell(camera, camera.health.lost(now_ns // 1_000, error.code))
            return
        change = None if camera.before is None else seen.differs(camera.before)
        camera.before = seen
        self._tell(camera, camera.health.looked(now_ns // 1_000, seen.luma, change))
        if camera.tended.pictured and now_ns - camera.pictured_ns >= PICTURE_EVERY_S * 1e9:
            camera.pictured_ns = now_ns
            await self._picture(camera, keyframe, picture)
        if snapshot_is_due(camera.tended, camera.snapshot_us, now_ns // 1_000):
            camera.snapshot_us = now_ns // 1_000
            await self._snapshot(camera, keyframe, picture)

    async def _picture(self, camera: _Camera, keyframe: Frame, picture: VideoFrame) -> None:
        """For the node's card."""
        at_us = keyframe.captured_ns // 1_000
        small = await asyncio.to_thread(
            lambda: jpeg_within(masked(picture, _masks(camera.tended.masks)), _CARD_WIDTH, LARGEST)
        )
        shown = camera_pb2.CameraPicture(
            camera=camera.tended.camera, taken_at_us=at_us, jpeg=small, in_hours=is_open(camera.tended, at_us)
        )
        self._said.put_nowait(wire.TendResponse(picture=shown))

    async def _snapshot(self, camera: _Camera, keyframe: Frame, picture: VideoFrame) -> None:
        """To be kept."""
        content = await asyncio.to_thread(
            lambda: jpeg(masked(picture, _masks(camera.tended.masks)), _SNAPSHOT_WIDTH, _SNAPSHOT_QUALITY)
        )
        taken = wire.PeriodicSnapshot(
            camera=camera.tended.camera, taken_at_us=keyframe.captured_ns // 1_000, jpeg=content
        )
        self._said.put_nowait(wire.TendResponse(snapshot=taken))

    def _tell(self, camera: _Camera, verdict: Verdict | None) -> None:
        if verdict is not None:
            look = wire.CameraLook(
                camera=camera.tended.camera,
                state=_STATES[verdict.seen],
                since_us=verdict.since_us,
                code=verdict.code,
            )
            self._said.put_nowait(wire.TendResponse(look=look))

    async def _tidy_again(self) -> None:
        """Shed what is old and make room, again and again; not before it was told what alerts want of it."""
        await self._told.wait()
        while True:
            try:
                await asyncio.to_thread(self._tidy, self._unix_ns() // 1_000)
            except OSError as error:
                log.warning("recording.not_tidied", words=str(error))
            await asyncio.sleep(TIDY_S)

    def _tidy(self, now_us: int) -> None:
        for code in self._archive.cameras():
            camera = self._cameras.get(code)
            recording = None if camera is None else camera.tended.recording
            days = _DAYS_OF_REMOVED if recording is None else recording.days
            before_min = 0 if recording is None else recording.before_min
            self._archive.shed_old(code, now_us, days, before_min * 60_000_000 + _RING_SPARE_US)
        self._archive.make_room()


def is_open(camera: wire.TendedCamera, at_us: int) -> bool:
    """Whether a camera's hall is open at an instant (µs since the epoch)."""
    return any(span.from_us <= at_us <= span.to_us for span in camera.open)


def snapshot_is_due(camera: wire.TendedCamera, newest_us: int, at_us: int) -> bool:
    """Whether it is time for the next snapshot that is kept; ``newest_us``: when the newest was taken here (µs since the epoch; 0: none)."""
    every_us = camera.snapshot_every_s * 1_000_000
    newest_us = max(newest_us, camera.snapshot_at_us)
    # A clock that was set back does not stop them.
    return bool(every_us) and is_open(camera, at_us) and not 0 <= at_us - newest_us < every_us


def _masks(said: Iterable[camera_pb2.CameraMask]) -> list[Mask]:
    return [Mask(one.left / 1_000, one.top / 1_000, one.width / 1_000, one.height / 1_000) for one in said]


def tending_service(
    archive: Archive, file_s: float
) -> Callable[[Hubs, grpc.aio.Server], contextlib.AbstractAsyncContextManager[None]]:
    """The service among the worker's own; ``file_s``: seconds that a file of a recording holds."""

    @asynccontextmanager
    async def offered(hubs: Hubs, door: grpc.aio.Server) -> AsyncIterator[None]:
        async with Tending.running(archive, hubs, file_s) as tending:
            add_TendingServiceServicer_to_server(tending, door)
            yield

    return offered
