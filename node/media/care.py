"""In the main process: the node's cameras are looked after by its media worker, and what comes of that is entered.

A node with cameras has a worker; one without starts none for this. What is to be done is said again whenever a camera changes, the worker is another, or an hour has passed:
office hours are told as instants, so that the worker needs no calendar. What the worker saw becomes an entry, stands on the node's card, and is told to the service hall's rules as an
outage (`dark`, `seeing`), by which a camera that is dark in office hours is an alert. An alert in turn has what the cameras of its hall or window showed around it kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import camera_pb2
from zongheng.v1 import tending_pb2 as wire
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import AlertRaised, Entry
from zongheng.v1.intake_pb2 import Submission, SubmitRequest
from zongheng.v1.tending_pb2_grpc import TendingServiceStub

from federation.errors import ZonghengError, of
from federation.trunk.frame import Quality, Stream
from node.intake.service import Intake
from node.media.cameras import Cameras
from node.media.cameras import pictured as first_of_halls
from node.media.permission import Hours
from node.media.snapshots import Snapshots
from node.models.cameras import CameraForm
from node.store.store import Store
from node.store.writer import JournalWriter
from node.wallclock import Now, instant, micros

AGAIN_S: Final = 3_600.0
AFTER_US: Final = 120_000_000
"""How much of what came after an alert is kept with it."""

BY_ITSELF: Final = "node"
"""The viewer of a picture that was taken as the camera's setting has it."""

_DAYS_OF_REMOVED: Final = 30
_DAYS_TOLD: Final = 3
_REST_S: Final = 2.0
_SOURCE: Final = "cameras"
_WINDOW: Final = "window"
_LEAVES: Final = 5_000

KEPT_US: Final = 86_400_000_000
"""A worker that is started is told what alerts of so long wanted kept: none that died, and no node, loses what they wait for."""

_RECORDED: Final = {
    "never": camera_pb2.CAMERA_RECORDED_NEVER,
    "on_alert": camera_pb2.CAMERA_RECORDED_ON_ALERT,
    "office_hours": camera_pb2.CAMERA_RECORDED_OFFICE_HOURS,
    "always": camera_pb2.CAMERA_RECORDED_ALWAYS,
}

Channel = Callable[[], Awaitable[grpc.aio.Channel]]
"""The channel to the media worker, started where none runs. Raises ZonghengError `unreachable`."""

log = structlog.get_logger(__name__)


class Care:
    """Looks after the cameras of one node."""

    def __init__(
        self,
        cameras: Cameras,
        store: Store,
        writer: JournalWriter,
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
        intake: Intake,
        channel: Channel,
        snapshots: Snapshots,
        now: Now,
    ) -> None:
        self.snapshots = snapshots
        self._cameras = cameras
        self._store = store
        self._writer = writer
        self._write = write
        self._intake = intake
        self._channel = channel
        self._now = now
        self._changed = asyncio.Event()
        self._to_say: asyncio.Queue[wire.TendRequest] = asyncio.Queue()
        cameras.listen_registered(self._changed.set)

    async def run(self) -> None:
        """Until cancelled; what fails is tried again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_alerts())
            while True:
                await self._shed_snapshots()
                if not self._cameras.cards:
                    self._changed.clear()
                    await self._changed.wait()
                try:
                    await self._attend(await self._channel())
                except (ZonghengError, grpc.aio.AioRpcError) as error:
                    log.info("cameras.not_attended", code=of(error).code, words=str(of(error)))
                except Exception:
                    log.exception("cameras.not_attended", instruction="it is tried again by itself")
                await asyncio.sleep(_REST_S)

    async def snapshot(
        self, stream: str, width: int, masks: Iterable[camera_pb2.CameraMask]
    ) -> wire.SnapshotResponse:
        """One picture out of a stream, with ``masks`` painted over. Raises ZonghengError as the stream does."""
        stub: Any = TendingServiceStub(await self._channel())
        call = stub.Snapshot(wire.SnapshotRequest(stream=stream, width=width, masks=masks))
        try:
            answer: wire.SnapshotResponse = await call
        finally:
            call.cancel()
        return answer

    async def _attend(self, channel: grpc.aio.Channel) -> None:
        stub: Any = TendingServiceStub(channel)
        wanted = await self.wanted_lately()
        call = stub.Tend()
        try:
            for keep in wanted:
                await call.write(wire.TendRequest(keep=keep))
            async with asyncio.TaskGroup() as tasks:
                speaking = [
                    tasks.create_task(self._tell_again(call)),
                    tasks.create_task(self._pass_on(call)),
                ]
                try:
                    while (said := await call.read()) is not EOF:
                        await self.take(said)
                finally:
                    for task in speaking:
                        task.cancel()
        except* (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError):
            raise ZonghengError("unreachable", "the media worker ended, and is started again") from None
        finally:
            call.cancel()

    async def wanted_lately(self) -> list[wire.KeepRecorded]:
        """What the journal's newest alerts want, for a worker that knows of none."""
        wanted: list[wire.KeepRecorded] = []
        since_us, until = self._now() - KEPT_US, self._writer.size
        while until > 0:
            begin = max(0, until - _LEAVES)
            async with self._store.read() as session:
                leaves = await session.journal.leaves(self._cameras.node, begin, until)
            entries = [Entry.FromString(leaf) for leaf in leaves]
            for entry in entries:
                if entry.HasField("alert_raised") and entry.noted_at_us >= since_us:
                    wanted += await self._wants(entry.alert_raised)
            if not entries or entries[0].noted_at_us < since_us:
                break
            until = begin
        return wanted

    async def _tell_again(self, call: Any) -> None:
        while True:
            self._changed.clear()
            await self._shed_snapshots()
            await call.write(wire.TendRequest(tended=await self.tended()))
            try:
                async with asyncio.timeout(AGAIN_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _pass_on(self, call: Any) -> None:
        while True:
            await call.write(await self._to_say.get())

    async def tended(self) -> wire.Tended:
        """What is to be done for every camera."""
        tended = wire.Tended()
        covered = {card.camera: card.masks for card in self._cameras.cards}
        first = first_of_halls(self._cameras.cards)
        for form in await self._cameras.all():
            hours = await self._cameras.hours(form)
            every_s = form.snapshots.every_min * 60
            newest_us = await asyncio.to_thread(self.snapshots.newest_us, form.code) if every_s else 0
            tended.cameras.append(
                wire.TendedCamera(
                    camera=form.code,
                    stream=str(Stream(self._cameras.node, form.code, Quality.MAIN)),
                    recording=camera_pb2.CameraRecording(
                        when=_RECORDED[form.recording.when],
                        days=form.recording.days,
                        before_min=form.recording.before_min,
                    ),
                    open=open_spans(hours, self._now(), _DAYS_TOLD),
                    masks=covered.get(form.code, ()),
                    pictured=form.code in first,
                    snapshot_every_s=every_s,
                    snapshot_at_us=newest_us,
                )
            )
        return tended

    async def take(self, said: wire.TendResponse) -> None:
        """What the worker saw, or took."""
        if said.WhichOneof("part") == "picture":
            await self._cameras.show(said.picture)
            return
        if said.WhichOneof("part") == "snapshot":
            await self._keep_snapshot(said.snapshot)
            return
        look = said.look
        outage = await self._cameras.note_state(look.camera, look.state, look.since_us, look.code)
        if outage is not None and outage.outage:
            await self._tell_hall(await self._cameras.get(look.camera), look, outage)

    async def _keep_snapshot(self, taken: wire.PeriodicSnapshot) -> None:
        """One that was taken by itself: entered, and then kept."""
        node, code = self._cameras.node, taken.camera
        viewer = camera_pb2.Viewer(who=BY_ITSELF, node=node, tier=self._cameras.kind, purpose="periodic")
        entry = camera_pb2.SnapshotTaken(
            stream=str(Stream(node, code, Quality.MAIN)),
            viewer=viewer,
            taken_at_us=taken.taken_at_us,
            sha256=sha256(taken.jpeg).hexdigest(),
            bytes=len(taken.jpeg),
        )
        await self._write([Entry(source="node", snapshot_taken=entry)])
        try:
            await asyncio.to_thread(self.snapshots.keep, code, taken.taken_at_us, taken.jpeg)
        except ZonghengError as error:
            log.warning("camera.snapshot_not_kept", camera=code, code=error.code, words=error.detail)

    async def _shed_snapshots(self) -> None:
        """Delete those whose days are over; of cameras that were removed, after a month."""
        kept = await asyncio.to_thread(self.snapshots.cameras)
        days = {form.code: form.snapshots.days for form in await self._cameras.all()} if kept else {}
        for code in kept:
            await asyncio.to_thread(
                self.snapshots.shed_old, code, self._now(), days.get(code, _DAYS_OF_REMOVED)
            )

    async def _tell_hall(
        self, form: CameraForm, look: wire.CameraLook, outage: "camera_pb2.CameraStateNoted"
    ) -> None:
        """An outage as the service hall's rules know it: `dark` when it begins, `seeing` when it ends."""
        seeing = look.state == camera_pb2.CAMERA_STATE_SEEING
        # Each outage is a case of its own.
        said = [Attribute(name="camera", text=form.code), Attribute(name="outage", integer=1)]
        if not seeing:
            said.append(Attribute(name="open_hours", flag=outage.open_hours))
        kind = "seeing" if seeing else "dark"
        event = CaseEvent(
            case_id=f"{self._cameras.node}-camera-{form.code}-{outage.outage}",
            domain="hall",
            kind=kind,
            at_us=look.since_us,
            received_at_us=self._now(),
            agency=form.agency or self._cameras.node,
            attributes=said,
        )
        submission = Submission(serial=f"{form.code}/{outage.outage}/{kind}", event=event)
        answer = await self._intake.submit(SubmitRequest(source=_SOURCE, submissions=[submission]))
        for rejected in answer.rejected:
            log.warning("camera.outage_rejected", camera=form.code, code=rejected.code, words=rejected.reason)

    async def _follow_alerts(self) -> None:
        """Have what cameras showed around each new alert kept."""
        size = self._writer.size
        while True:
            upto = await self._writer.wait_beyond(size)
            while size < upto:
                until = min(upto, size + _LEAVES)
                if self._cameras.cards:
                    async with self._store.read() as session:
                        leaves = await session.journal.leaves(self._cameras.node, size, until)
                    raised = [entry.alert_raised for entry in map(Entry.FromString, leaves)]
                    try:
                        for alert in raised:
                            if alert.alert_id:
                                for keep in await self._wants(alert):
                                    self._to_say.put_nowait(wire.TendRequest(keep=keep))
                    except Exception:
                        log.exception(
                            "cameras.not_kept", instruction="cut the clip by hand while the ring has it"
                        )
                size = until

    async def _wants(self, alert: AlertRaised) -> list[wire.KeepRecorded]:
        """Nothing for what is long over, as in a log that is imported: it has left the ring."""
        if alert.since_us and alert.since_us < self._now() - KEPT_US:
            return []
        found = await self.witnesses(alert.case_id, alert.agency, alert.since_us or self._now())
        return [
            wire.KeepRecorded(camera=form.code, span=wire.TimeSpan(from_us=from_us, to_us=to_us))
            for form, from_us, to_us in found
            if form.recording.when != "never"
        ]

    async def witnesses(self, case_id: str, agency: str, at_us: int) -> Sequence[tuple[CameraForm, int, int]]:
        """The cameras that saw what an alert is about: those of the windows that its case names, or else of its agency's hall; each with the stretch that tells of it."""
        async with self._store.read() as session:
            events = await session.events.of_cases(self._cameras.node, [case_id])
        windows = {str(event.attributes[_WINDOW]) for event in events if _WINDOW in event.attributes}
        at_windows = [each for window in sorted(windows) for each in await self._concerned("", window, at_us)]
        return at_windows or await self._concerned(agency, "", at_us)

    async def _concerned(self, agency: str, window: str, at_us: int) -> Sequence[tuple[CameraForm, int, int]]:
        found = []
        for form in await self._cameras.all():
            if (agency and form.agency == agency) or (window and form.window == window):
                before_us = form.recording.before_min * 60_000_000
                found.append((form, at_us - before_us, at_us + AFTER_US))
        return found


def open_spans(hours: Hours, at_us: int, days: int) -> list[wire.TimeSpan]:
    """When a hall is open, from the day of an instant on for some days."""
    today = instant(at_us).astimezone(hours.zone).date()
    spans = []
    for day in (today + timedelta(days=each) for each in range(days)):
        if hours.days.is_working(day):
            midnight = datetime(day.year, day.month, day.day, tzinfo=hours.zone)
            # Minutes of the wall clock: a day on which clocks are set has another number of them.
            opens, closes = (
                midnight.replace(hour=minute // 60 % 24, minute=minute % 60) + timedelta(days=minute // 1_440)
                for minute in (hours.opens_min, hours.closes_min)
            )
            spans.append(wire.TimeSpan(from_us=micros(opens), to_us=micros(closes)))
    return spans
