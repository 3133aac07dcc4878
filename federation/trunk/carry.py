"""Both ends of `Carry`: one stream from a child's worker to its parent's.

**The child** is told to carry a stream: it dials, shows the ticket and sends what its hub has, the pictures since the last keyframe first. What the parent saw
before, on a call that broke, is left out where the sequence goes on. It stops sending when too much is under way (`flow.Window`); what waits meanwhile is never old (`Backlog`). The call is
the lease on the child's seat: a parent that says nothing for some seconds, or whose call ends in whatever way, takes the seat with it.

**The parent** lets in who shows a ticket that it was told of, by the key it was told of; takes frames as fast as they come, refuses what is no frame and what is more than a camera gives, and
acknowledges. A call that ends, for whatever reason, is told to whoever waits for the stream (`Landing`), who has the order given again.

When the child's source is lost the call stays and says so; the parent's hub says it to its own viewers, and so on up. Calls are cancelled in `finally`: grpc.aio keeps
abandoned ones for ever.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import trunk_pb2 as wire
from zongheng.v1.trunk_pb2_grpc import (
    TrunkServiceServicer,
    TrunkServiceStub,
    add_TrunkServiceServicer_to_server,
)

from federation.errors import CATALOGUE, ZonghengError, abort, first_of, from_rpc, of
from federation.identity.peer import Anchors, peer_of
from federation.link.channel import CHILD_OPTIONS, PARENT_OPTIONS
from federation.trunk.backlog import Backlog
from federation.trunk.flow import Meter, Window
from federation.trunk.frame import Frame
from federation.trunk.hub import Hub, State
from federation.trunk.tickets import Tickets
from federation.trunk.wire import MAX_MESSAGE_BYTES, carried, mark, uncarried

BEAT_S: Final = 2.0
SILENCE_S: Final = 8.0
"""Without a word for this long the other side is gone, whatever its kernel acknowledges."""

_FIRST_S: Final = 10.0
_ACKNOWLEDGE_S: Final = 0.2
_ACKNOWLEDGE_BYTES: Final = 64 * 1024
_BATCH_BYTES: Final = 64 * 1024
_BATCH_FRAMES: Final = 32

_SIZES: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
)
DIAL_OPTIONS: Final = (*CHILD_OPTIONS, *_SIZES)
LISTEN_OPTIONS: Final = (*PARENT_OPTIONS, *_SIZES, ("grpc.max_concurrent_streams", 4_096))

_log = structlog.get_logger(__name__)


def _failure(code: str, words: str) -> ZonghengError:
    return ZonghengError(code if code in CATALOGUE else "internal", words)


class _Over(Exception):
    """The call has done what it was for."""

    def __init__(self, error: ZonghengError | None = None) -> None:
        super().__init__()
        self.error = error


class Carrier:
    """The child's end of one stream's way up."""

    def __init__(self, hub: Hub, ticket: bytes, now_ns: Callable[[], int]) -> None:
        self._hub = hub
        self._ticket = ticket
        self._backlog = Backlog(now_ns)
        self._window = Window(now_ns)
        self._wake = asyncio.Event()
        self._seen: dict[int, Frame] = {}
        """Of what the parent saw before: the newest frame of each track that is still here."""
        self._restart = False
        self._sent: dict[int, int] = {}
        self._ended = False
        self._error: ZonghengError | None = None

    @property
    def dropped(self) -> int:
        """Frames that the parent did not get because it was slow."""
        return self._backlog.dropped

    @property
    def waiting_bytes(self) -> int:
        return self._backlog.waiting_bytes

    @property
    def under_way_bytes(self) -> int:
        return self._window.under_way_bytes

    async def run(self, channel: grpc.aio.Channel) -> ZonghengError | None:
        """Carry until the parent has enough of it, or the stream ends; returns with which error, None in order.

        Raises ZonghengError with what the parent refused it with, or how the call broke.
        """
        stub: Any = TrunkServiceStub(channel)
        call = stub.Carry()
        try:
            return await self._carry(call)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error) from None
        except asyncio.InvalidStateError:
            raise ZonghengError("unreachable", "the way up broke off") from None
        except TimeoutError:
            raise ZonghengError("unreachable", "the parent's worker says nothing") from None
        finally:
            call.cancel()

    async def _carry(self, call: Any) -> ZonghengError | None:
        async with asyncio.timeout(_FIRST_S):
            opening = wire.CarryOpening(ticket=self._ticket, stream=self._hub.stream)
            with suppress(grpc.aio.AioRpcError):  # its words come with the read
                await call.write(wire.CarryRequest(opening=opening))
            first = await call.read()
        if first is EOF:
            raise from_rpc(await _ending(call))
        self._continue(first.seen)
        seat = self._hub.join(self._take, ended=self._end)
        self._backlog.want_keyframe = seat.want_keyframe
        over: _Over | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(call, seat.want_keyframe))
                tasks.create_task(self._speak(call))
        except* _Over as group:
            over = next(one for one in group.exceptions if isinstance(one, _Over))
        except* grpc.aio.AioRpcError as failed:
            raise from_rpc(first_of(failed)) from None
        except* (ZonghengError, TimeoutError, asyncio.InvalidStateError) as other:
            raise first_of(other) from None
        finally:
            seat.leave()
        return over.error if over else None

    def _continue(self, seen: Any) -> None:
        """Find out how much of what is kept here the parent has already."""
        kept = {
            (frame.track, frame.seq, frame.pts_90k, frame.captured_ns): frame for frame in self._hub.gop()
        }
        for one in seen:
            frame = kept.get((one.track, one.seq, one.pts_90k, one.captured_ns))
            if frame is None:
                self._restart = True
            else:
                self._seen[frame.track] = frame
        if self._restart:
            self._seen.clear()

    def _take(self, frame: Frame) -> None:
        if (seen := self._seen.get(frame.track)) is not None:
            if frame is seen:
                del self._seen[frame.track]
            return
        self._backlog.put(frame)
        self._wake.set()

    def _end(self, error: ZonghengError | None) -> None:
        self._ended, self._error = True, error
        self._wake.set()

    async def _hear(self, call: Any, want_keyframe: Callable[[], None]) -> None:
        while True:
            async with asyncio.timeout(SILENCE_S):
                said = await call.read()
            if said is EOF:
                raise _Over(self._error)
            self._window.acknowledge(said.taken_bytes)
            if said.want_keyframe:
                want_keyframe()
            self._wake.set()

    async def _speak(self, call: Any) -> None:
        told: ZonghengError | None = None
        while True:
            if self._hub.state is not State.ENDED and self._hub.error is not told:
                told = self._hub.error
                if told is not None:
                    state = wire.CarryState(code=told.code, words=told.detail)
                    await call.write(wire.CarryRequest(state=state))
            batch = self._batch()
            if batch is not None:
                await call.write(wire.CarryRequest(frames=batch))
                continue
            if self._ended:
                error = self._error
                code, words = (error.code, error.detail) if error else ("", "")
                ending = wire.CarryState(code=code, words=words, ended=True)
                await call.write(wire.CarryRequest(state=ending))
                await call.done_writing()
                return  # the parent ends the call
            self._wake.clear()
            try:
                # While the window is shut what waits must not grow old, and age shuts it without any other event.
                async with asyncio.timeout(BEAT_S):
                    await self._wake.wait()
            except TimeoutError:
                await call.write(wire.CarryRequest(frames=wire.CarriedFrames()))

    def _batch(self) -> wire.CarriedFrames | None:
        """What may be sent now; None: nothing."""
        batch = wire.CarriedFrames()
        size = 0
        while self._window.is_open and size < _BATCH_BYTES and len(batch.frames) < _BATCH_FRAMES:
            frame = self._backlog.first()
            if frame is None:
                break
            if frame.seq <= self._sent.get(frame.track, -1):
                self._restart = True  # the hub's own source began anew
            if self._restart:
                if batch.frames:
                    break
                batch.restart, self._restart = True, False
                self._sent.clear()
            self._backlog.take()
            self._sent[frame.track] = frame.seq
            batch.frames.append(carried(frame))
            size += len(frame.unit)
            self._window.sent(len(frame.unit))
        return batch if batch.frames else None


async def _ending(call: Any) -> grpc.aio.AioRpcError:
    """What a call that just ended ended with."""
    return grpc.aio.AioRpcError(
        await call.code(),
        await call.initial_metadata(),
        await call.trailing_metadata(),
        await call.details(),
        None,
    )


class Landing:
    """A stream that was ordered and is to come in through `Trunk`."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._came = asyncio.Event()
        self._over = asyncio.Event()
        self._error: ZonghengError | None = None

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def has_begun(self) -> bool:
        return self._came.is_set()

    def begin(self) -> None:
        self._came.set()

    def settle(self, error: ZonghengError | None) -> None:
        """It came to its end, or will not come. Only the first call counts."""
        if not self._over.is_set():
            self._error = error
            self._over.set()
        self._came.set()

    async def carried(self, within_s: float) -> ZonghengError | None:
        """Wait until it is over; returns why, None where the child's stream ended in order. Raises ZonghengError `unreachable` when nobody dialled within that many
        seconds.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._came.wait()
        except TimeoutError:
            raise ZonghengError("unreachable", f"{self.hub.stream} was ordered and does not come") from None
        await self._over.wait()
        return self._error


class Trunk(TrunkServiceServicer):
    """The parent's end: one a worker."""

    def __init__(self, anchors: Anchors, now_ns: Callable[[], int]) -> None:
        self._anchors = anchors
        self._now_ns = now_ns
        self.tickets = Tickets(now_ns)
        self._landings: dict[bytes, Landing] = {}

    def add_to(self, server: grpc.aio.Server) -> None:
        add_TrunkServiceServicer_to_server(self, server)

    def expect(self, hub: Hub, ticket: bytes, key: str) -> Landing:
        """From now on the peer with this key may bring this hub's stream with this ticket."""
        self.tickets.issue(ticket, hub.stream, key)
        landing = self._landings[ticket] = Landing(hub)
        return landing

    def forget(self, ticket: bytes) -> None:
        """Nobody needs it any more: a call that brings it ends."""
        self.tickets.withdraw(ticket)
        if landing := self._landings.pop(ticket, None):
            landing.settle(ZonghengError("not_found", "nobody needs this stream any more"))

    async def Carry(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        ticket, landing = b"", None
        error: ZonghengError | None = ZonghengError("unreachable", "the way from below broke off")
        try:
            ticket, landing = await self._admit(context)
            landing.begin()
            error = await self._land(context, landing)
        except (ZonghengError, grpc.aio.UsageError) as refused:
            error = of(refused)
            _log.warning("trunk.refused", code=error.code, words=error.detail, peer=context.peer())
            if landing is not None:
                landing.settle(error)
            await abort(context, error)
        finally:
            if landing is not None:
                self._landings.pop(ticket, None)
                landing.settle(error)

    async def _admit(self, context: Any) -> tuple[bytes, Landing]:
        peer = peer_of(context, self._anchors)
        try:
            async with asyncio.timeout(_FIRST_S):
                first = await context.read()
        except TimeoutError:
            raise ZonghengError("protocol", f"nothing was said for {_FIRST_S:g} s") from None
        if first is EOF or first.WhichOneof("part") != "opening":
            raise ZonghengError("protocol", "the first message shows a ticket")
        opening = first.opening
        self.tickets.redeem(opening.ticket, opening.stream, peer.key)
        return opening.ticket, self._landings[opening.ticket]

    async def _land(self, context: Any, landing: Landing) -> ZonghengError | None:
        """Take frames until the stream is over; returns why, None in order. Raises ZonghengError for what the child is refused for."""
        taking = _Taking(landing.hub, Meter(self._now_ns))
        over: _Over | None = None
        asked = landing.hub.ask_keyframe
        landing.hub.ask_keyframe = taking.want_keyframe
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(taking.hear(context))
                tasks.create_task(taking.speak(context))
                tasks.create_task(_until_settled(landing))
        except* _Over as group:
            over = next(one for one in group.exceptions if isinstance(one, _Over))
        except* ZonghengError as refused:
            raise first_of(refused) from None
        finally:
            if landing.hub.ask_keyframe == taking.want_keyframe:
                landing.hub.ask_keyframe = asked
        return over.error if over else None


async def _until_settled(landing: Landing) -> None:
    raise _Over(await landing.carried(_FIRST_S))


class _Taking:
    """The parent's side of one call under way."""

    def __init__(self, hub: Hub, meter: Meter) -> None:
        self._hub = hub
        self._meter = meter
        self._taken = self._acknowledged = 0
        self._wants_keyframe = False
        self._soon = asyncio.Event()

    def want_keyframe(self) -> None:
        self._wants_keyframe = True
        self._soon.set()

    async def hear(self, context: Any) -> None:
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    said = await context.read()
            except TimeoutError:
                raise ZonghengError("unreachable", f"the child said nothing for {SILENCE_S:g} s") from None
            if said is EOF:
                raise _Over(ZonghengError("unreachable", "the way from below broke off"))
            match said.WhichOneof("part"):
                case "frames":
                    self._take(said.frames)
                case "state":
                    self._note(said.state)
                case _:
                    raise ZonghengError("protocol", "an opening comes once, and every message says something")

    def _take(self, said: Any) -> None:
        if said.restart:
            self._hub.restart()
        for one in said.frames:
            frame = uncarried(one)
            self._meter.count(len(frame.unit))
            self._hub.put(frame)
            self._taken += len(frame.unit)
        if self._taken - self._acknowledged >= _ACKNOWLEDGE_BYTES:
            self._soon.set()

    def _note(self, said: Any) -> None:
        error = _failure(said.code, said.words) if said.code else None
        if said.ended:
            raise _Over(error)
        if error is not None:
            self._hub.lost(error)

    async def speak(self, context: Any) -> None:
        seen = [mark(frame) for frame in newest(self._hub)]
        if not seen:
            self._hub.restart()
        await context.write(wire.CarryResponse(seen=seen))
        silent_s = 0.0
        while True:
            try:
                async with asyncio.timeout(_ACKNOWLEDGE_S):
                    await self._soon.wait()
            except TimeoutError:
                silent_s += _ACKNOWLEDGE_S
                if self._taken == self._acknowledged and silent_s < BEAT_S:
                    continue
            self._soon.clear()
            silent_s = 0.0
            self._acknowledged = self._taken
            wants, self._wants_keyframe = self._wants_keyframe, False
            try:
                async with asyncio.timeout(SILENCE_S):
                    await context.write(wire.CarryResponse(taken_bytes=self._taken, want_keyframe=wants))
            except TimeoutError:
                raise ZonghengError("unreachable", "the child reads nothing") from None


def newest(hub: Hub) -> list[Frame]:
    """The newest frame of each track that a hub keeps."""
    last: dict[int, Frame] = {}
    for frame in hub.gop():
        last[frame.track] = frame
    return list(last.values())
