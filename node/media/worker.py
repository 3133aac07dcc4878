"""The media worker: one process a node that holds its live streams, apart from the node's own loop.

It opens what it is told to and knows nobody: who may look, where a stream comes from and who is to have it is said by the node's main process over `Attach`. A stream
that somebody joins is asked for there, once however many join: it comes from a camera here, from a child's worker that dials `Trunk`, or is fetched from the parent's. Streams that the
parent ordered are carried up from the same hubs, and those that children may have are fetched from there.

The worker lives as long as the main process: it ends when `Attach` ends, and when its standard input does, which the kernel closes however that
process dies. It keeps nothing on disk. Killed, it is started again, and everybody who still wants a stream asks for it again.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc.aio
import structlog
from zongheng.v1 import media_pb2 as wire

from federation.errors import ZonghengError
from federation.identity.credentials import MutualTls
from federation.link.hello import failure
from federation.trunk.carry import Fetcher
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from federation.trunk.tickets import Tickets
from federation.trunk.trunk import LISTEN_OPTIONS, Passage, Shared, Trunk
from node import config, logs
from node.config import NodeSettings
from node.keyring import KeyRing
from node.media.again import LONGEST_REST_S, again
from node.media.attended import DOOR_OPTIONS, Attended
from node.media.carriers import Carriers
from node.media.frames import Frames
from node.media.ingest.source import Mask, Source
from node.media.recording.archive import recordings
from node.media.supervisor import SOCKET
from node.media.ways import Ways
from node.settling import STREAMING, settle_memory

LANDS_S: Final = 20.0
"""How long an order may take until frames come."""

_CERTIFIES_S: Final = 6 * 3_600.0

Feed = Callable[[Source, Hub], Awaitable[None]]
"""Feeds a hub from a camera of this node, until cancelled."""

log = structlog.get_logger()


class Worker(Attended):
    """One worker's streams. Make it with `serving`."""

    def __init__(self, folder: Path, settings: NodeSettings, feed: Feed, tasks: asyncio.TaskGroup) -> None:
        super().__init__()
        self._folder = folder
        self._settings = settings
        self._feed = feed
        self._tasks = tasks
        self._keyring = KeyRing.open(folder, settings)
        self._wanted: dict[bytes, _Wanted] = {}
        self._kept: dict[str, asyncio.Task[None]] = {}
        self._going_down: dict[bytes, asyncio.Task[None]] = {}
        self.trunk = Trunk(lambda: self._keyring.identity.authority.anchors, time.monotonic_ns)
        self.credentials = MutualTls(lambda: self._keyring.identity)
        self._ways = Ways(self.credentials, tasks)
        self.carriers = Carriers(self._ways, time.monotonic_ns, tasks, self._carried)
        self.hubs: Hubs

    @classmethod
    @contextlib.asynccontextmanager
    async def serving(
        cls, folder: Path, feed: Feed, services: Sequence["Service"] = ()
    ) -> AsyncIterator["Worker"]:
        """The worker of the node in ``folder``, listening for children and on the folder's socket, where ``services`` are offered as well."""
        settings = config.load(folder)
        trunk, door = grpc.aio.server(options=LISTEN_OPTIONS), grpc.aio.server(options=DOOR_OPTIONS)
        async with asyncio.TaskGroup() as tasks, contextlib.AsyncExitStack() as stack:
            worker = cls(folder, settings, feed, tasks)
            certifying = tasks.create_task(worker._certify_again())
            async with Hubs.running(worker._have, time.monotonic_ns) as worker.hubs:
                worker.trunk.add_to(trunk)
                Shared(worker.hubs, worker.trunk).add_to(door)
                Frames(worker.hubs, time.monotonic_ns).add_to(door)
                for service in services:
                    await stack.enter_async_context(service(worker.hubs, door))
                worker.port = worker.credentials.server_port(trunk, settings.media_address)
                await trunk.start()
                try:
                    async with worker.listening(folder, SOCKET, door):
                        yield worker
                finally:
                    await trunk.stop(None)
                    certifying.cancel()
                    worker.close()

    def close(self) -> None:
        for task in (*self._kept.values(), *self._going_down.values()):
            task.cancel()
        self.carriers.close()
        self._ways.close()

    # What the main process says, and what it is told.

    def obey(self, said: wire.AttachRequest) -> None:
        match said.WhichOneof("part"):
            case "identity_changed":
                self._keyring = KeyRing.open(self._folder, self._settings)
                self._ways.redial()
            case "source":
                if wanted := self._wanted.get(said.source.ticket):
                    wanted.settle(_source(said.source))
            case "expected":
                self._expect(said.expected.ticket, said.expected.key)
            case "above":
                if wanted := self._wanted.get(said.above.ticket):
                    wanted.settle(_Above(said.above.address, said.above.shown))
            case "refused":
                self._refuse(said.refused)
            case "carry":
                self._tasks.create_task(self._carry(said.carry))
            case "stopped":
                self.carriers.stop(said.stopped.ticket)
            case "carry_down" if said.carry_down.ticket not in self._going_down:
                going = self._tasks.create_task(self._carry_down(said.carry_down))
                ticket = said.carry_down.ticket
                self._going_down[ticket] = going
                going.add_done_callback(lambda _: self._going_down.pop(ticket, None))
            case "down_stopped":
                if going_down := self._going_down.get(said.down_stopped.ticket):
                    going_down.cancel()
            case "kept":
                self._keep(set(said.kept.streams))
            case "again":
                for wanted in self._wanted.values():
                    if wanted.hub.stream == said.again.stream:
                        wanted.again()

    def _expect(self, ticket: bytes, key: str) -> None:
        wanted = self._wanted.get(ticket)
        if wanted is None or wanted.origin.done():
            return
        try:
            wanted.settle(self.trunk.coming.expect(wanted.hub, ticket, key))
        except ZonghengError as error:
            wanted.refuse(error)
            return
        self.say(wire.AttachResponse(upstream_ready=wire.UpstreamReady(ticket=ticket)))

    def _refuse(self, said: wire.UpstreamRefused) -> None:
        wanted = self._wanted.get(said.ticket)
        if wanted is not None and not (said.unless_begun and wanted.has_begun):
            wanted.refuse(failure(said.code, said.words))

    async def _carry(self, order: wire.CarryUp) -> None:
        try:
            hub = await self.hubs.open(order.stream)
        except ZonghengError as error:
            self._carried(order.ticket, error)
            return
        self.carriers.carry(hub, order.ticket, order.address, bundled=order.bundled)

    def _carried(self, ticket: bytes, error: ZonghengError | None) -> None:
        self.say(wire.AttachResponse(carried=_over(ticket, error)))

    async def _carry_down(self, order: wire.CarryDownwards) -> None:
        """Hold a stream ready for a child until it has fetched it, has enough, or may not have it any more."""
        error: ZonghengError | None = ZonghengError("unreachable", "nobody below may have it any more")
        try:
            hub = await self.hubs.open(order.stream)
            passage = self.trunk.going.expect(hub, order.ticket, order.key)
            self.say(wire.AttachResponse(down_ready=wire.CarryDownReady(ticket=order.ticket)))
            error = await passage.carried(LANDS_S)
        except ZonghengError as failed:
            error = failed
        finally:
            self.trunk.going.forget(order.ticket, error)
            self.say(wire.AttachResponse(down_over=_over(order.ticket, error)))

    async def _certify_again(self) -> None:
        """Give the port for children a fresh certificate long before the one it has runs out."""
        while True:
            await asyncio.sleep(min(self._settings.certificate_days * 86_400 / 4, _CERTIFIES_S))
            self._keyring = KeyRing.open(self._folder, self._settings)

    # Streams.

    def _keep(self, streams: set[str]) -> None:
        for stream in set(self._kept) - streams:
            self._kept.pop(stream).cancel()
        for stream in streams - set(self._kept):
            self._kept[stream] = self._tasks.create_task(self._hold(stream))

    async def _hold(self, stream: str) -> None:
        """Have a stream open, for as long as it is to be kept."""
        while True:
            gone = asyncio.Event()
            try:
                hub = await self.hubs.open(stream)
                seat = hub.join(lambda frame: None, ended=lambda error, gone=gone: gone.set())  # type: ignore[misc]
                try:
                    await gone.wait()
                finally:
                    seat.leave()
            except ZonghengError as error:
                log.warning("media.not_kept", stream=stream, code=error.code, words=error.detail)
            await asyncio.sleep(LONGEST_REST_S)

    async def _have(self, hub: Hub) -> None:
        """Have a stream brought into its hub until cancelled, again and again. Raises ZonghengError where it cannot be had at all."""
        hub.changed = lambda: self._tell_state(hub)
        await again(hub, lambda: self._once(hub))

    async def _once(self, hub: Hub) -> ZonghengError | None:
        """Ask where the stream comes from and let it come; returns why it does not any more, None: it is to be asked for anew."""
        ticket = Tickets.fresh()
        wanted = self._wanted[ticket] = _Wanted(hub)
        self.say(wire.AttachResponse(wanted=wire.UpstreamWanted(ticket=ticket, stream=hub.stream)))
        try:
            origin = await wanted.origin
            if isinstance(origin, Source):
                hub.restart()
                return await wanted.unless_refused(self._fed(origin, hub))
            if isinstance(origin, Passage):
                told = await origin.carried(LANDS_S)
            else:
                told = await wanted.unless_refused(self._fetched(origin, hub))
            return told or ZonghengError("unreachable", f"{hub.stream} is not sent any more")
        except ZonghengError as error:
            return error
        finally:
            del self._wanted[ticket]
            self.trunk.coming.forget(ticket)
            self.say(wire.AttachResponse(over=wire.UpstreamOver(ticket=ticket)))

    async def _fed(self, source: Source, hub: Hub) -> None:
        await self._feed(source, hub)

    async def _fetched(self, above: "_Above", hub: Hub) -> ZonghengError | None:
        async with self._ways.to(above.address) as way:
            return await Fetcher(hub, above.shown, time.monotonic_ns).run(way.channel)

    def _tell_state(self, hub: Hub) -> None:
        code, words = (hub.error.code, hub.error.detail) if hub.error is not None else ("", "")
        state = wire.StreamState(stream=hub.stream, state=hub.state, code=code, words=words)
        self.say(wire.AttachResponse(state=state))


Service = Callable[[Hubs, grpc.aio.Server], contextlib.AbstractAsyncContextManager[None]]
"""A part of the worker with a service of its own on the folder's socket: adds it, and runs for as long as the context lasts."""


@dataclass(frozen=True, slots=True)
class _Above:
    """A stream is at the parent's worker."""

    address: str
    shown: bytes
    """The ticket."""


_Origin = Source | Passage | _Above


class _Wanted:
    """A stream that was asked for, until it is over."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.origin: asyncio.Future[_Origin] = asyncio.get_running_loop().create_future()
        self._scope: asyncio.Timeout | None = None
        self._stopped = False
        self._error: ZonghengError | None = None

    @property
    def has_begun(self) -> bool:
        """It comes already, or is read from a camera here."""
        origin = self._known()
        return origin is not None and (not isinstance(origin, Passage) or origin.has_begun)

    def settle(self, origin: _Origin) -> None:
        """Where it comes from. Only the first answer counts."""
        if not self.origin.done():
            self.origin.set_result(origin)

    def refuse(self, error: ZonghengError) -> None:
        """It cannot be had, or not any more."""
        if not self.origin.done():
            self.origin.set_exception(error)
        elif isinstance(origin := self._known(), Passage):
            origin.settle(error)
        elif origin is not None:
            self._stop(error)

    def again(self) -> None:
        """What is known of where it comes from is old."""
        if isinstance(self._known(), Source):
            self._stop(None)

    def _known(self) -> _Origin | None:
        known = self.origin.done() and not self.origin.cancelled() and self.origin.exception() is None
        return self.origin.result() if known else None

    async def unless_refused(self, work: Coroutine[Any, Any, ZonghengError | None]) -> ZonghengError | None:
        """Let the stream come until it is over, or it is said that it is not to come any more; returns why."""
        if self._stopped:
            work.close()
            return self._error
        try:
            async with asyncio.timeout(None) as scope:
                self._scope = scope
                return await work
        except TimeoutError:
            if not scope.expired():
                raise
        return self._error

    def _stop(self, error: ZonghengError | None) -> None:
        self._error, self._stopped = error, True
        if self._scope is not None:
            self._scope.reschedule(asyncio.get_running_loop().time())


def _over(ticket: bytes, error: ZonghengError | None) -> wire.CarryOver:
    code, words = (error.code, error.detail) if error is not None else ("", "")
    return wire.CarryOver(ticket=ticket, code=code, words=words)


def _source(said: wire.CameraSource) -> Source:
    masks = tuple(Mask(mask.left, mask.top, mask.width, mask.height) for mask in said.burnt_masks)
    return Source(said.address, said.user, said.password, said.transcode, masks, said.sound)


async def work(folder: Path, services: Sequence[Service] = ()) -> None:
    """Serve until the main process is gone."""
    from node.media.feeding import feeding
    from node.media.tending import tending_service
    from node.media.webrtc.limits import Limits
    from node.media.webrtc.service import WebRtc

    settings = config.load(folder)
    archive = recordings(folder, settings)
    tending = tending_service(archive, settings.recording_file_s)
    async with (
        WebRtc.running(
            settings.ice_addresses, Limits(viewers=settings.webrtc.viewers, ports=settings.webrtc.port_range)
        ) as webrtc,
        Worker.serving(
            folder, webrtc.feeding(feeding(archive)), (webrtc.offered, tending, *services)
        ) as worker,
    ):
        settle_memory(STREAMING)
        log.info("media.ready", port=worker.port)
        await worker.until_over()


def main() -> None:
    """`python -m node.media.worker DIR`, as the supervisor starts it."""
    logs.configure()
    asyncio.run(work(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
