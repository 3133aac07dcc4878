"""The parent's two ends of the trunk: streams that children bring, and streams that they fetch.

Who dials in is let in by a ticket that it was told of, by the key it was told of. What a child brings is taken into the hub that it was ordered for, what it fetches is sent from the hub that
it was given for. A call that ends, for whatever reason, is told to whoever waits for the stream (`Passage`); and a passage that is settled ends its call.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import trunk_pb2 as wire
from zongheng.v1.trunk_pb2_grpc import TrunkServiceServicer, add_TrunkServiceServicer_to_server

from federation.errors import ZonghengError, abort, first_of, of
from federation.identity.peer import Anchors, Peer, peer_of
from federation.link.channel import PARENT_OPTIONS
from federation.trunk.bundle import Incoming, Lane
from federation.trunk.carry import FIRST_S
from federation.trunk.flow import Meter
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from federation.trunk.sending import Over, Sender, first_over
from federation.trunk.taking import Taker
from federation.trunk.tickets import Tickets
from federation.trunk.wire import MESSAGE_SIZES

LISTEN_OPTIONS: Final = (*PARENT_OPTIONS, *MESSAGE_SIZES, ("grpc.max_concurrent_streams", 4_096))

_SETTLES_S: Final = 2.0
_NOTHING_COMES: Final = ZonghengError("forbidden", "streams are fetched here, and none is brought")

_log = structlog.get_logger(__name__)


class Passage:
    """A stream that is to pass through `Trunk`: one that was ordered and is to come, or one that a child may fetch."""

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
        """Wait until it is over; returns why, None where it ended in order. Raises ZonghengError `unreachable` when nobody dialled within that many
        seconds.
        """
        try:
            async with asyncio.timeout(within_s):
                await self._came.wait()
        except TimeoutError:
            raise ZonghengError("unreachable", f"{self.hub.stream} was ordered and does not come") from None
        await self._over.wait()
        return self._error


class _Call:
    """A call in which what is being written is written, also when whoever writes is cancelled: until then gRPC takes no status, and the other side would wait for one."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._writing: asyncio.Task[None] | None = None

    async def read(self) -> Any:
        return await self._context.read()

    async def write(self, message: Any) -> None:
        # Ends with the call, so it needs no supervisor.
        self._writing = asyncio.get_running_loop().create_task(self._context.write(message))
        self._writing.add_done_callback(_noted)
        await asyncio.shield(self._writing)

    async def settle(self) -> None:
        """Before the status. Whoever reads nothing is not waited for."""
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=_SETTLES_S)


def _noted(written: asyncio.Task[None]) -> None:
    if not written.cancelled():
        written.exception()


Passes = Callable[[Any, Passage], Awaitable[ZonghengError | None]]


class Gate:
    """Who may come for which passage, once, in one direction."""

    def __init__(self, anchors: Anchors, now_ns: Callable[[], int]) -> None:
        self.anchors = anchors
        self.tickets = Tickets(now_ns)
        self._passages: dict[bytes, Passage] = {}

    def expect(self, hub: Hub, ticket: bytes, key: str) -> Passage:
        """From now on the peer with this key may come for this hub's stream with this ticket. Raises ZonghengError `busy`."""
        self.tickets.issue(ticket, hub.stream, key)
        passage = self._passages[ticket] = Passage(hub)
        return passage

    def forget(self, ticket: bytes, error: ZonghengError | None = None) -> None:
        """Nobody needs it any more, or may have it: a call that was let in with it ends."""
        self.tickets.withdraw(ticket)
        if passage := self._passages.pop(ticket, None):
            passage.settle(error or ZonghengError("not_found", "nobody needs this stream any more"))

    async def serve(self, context: Any, passes: Passes) -> None:
        """One call: let in who has a ticket, and let the stream pass."""
        call, error = _Call(context), None
        try:
            await self.let_pass(call, peer_of(context, self.anchors), passes)
        except ZonghengError as refused:
            error = refused
        await call.settle()
        if error is not None:
            await abort(context, error)

    async def let_pass(self, call: Any, peer: Peer, passes: Passes) -> None:
        """The same for a call, or a lane of a bundle, of this peer. Raises ZonghengError for what it is refused for."""
        ticket, passage = b"", None
        error: ZonghengError | None = ZonghengError("unreachable", "the way from below broke off")
        try:
            ticket, passage = await self._admit(call, peer)
            passage.begin()
            error = await passes(call, passage)
        except (ZonghengError, grpc.aio.UsageError) as refused:
            error = of(refused)
            _log.warning("trunk.refused", code=error.code, words=error.detail, peer=str(peer.name))
            if passage is not None:
                passage.settle(error)
            raise error from None
        finally:
            if passage is not None:
                self._passages.pop(ticket, None)
                passage.settle(error)

    async def _admit(self, call: Any, peer: Peer) -> tuple[bytes, Passage]:
        opening = await _opening(call)
        self.tickets.redeem(opening.ticket, opening.stream, peer.key)
        return opening.ticket, self._passages[opening.ticket]


class Trunk(TrunkServiceServicer):
    """One a worker."""

    def __init__(self, anchors: Anchors, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self.coming = Gate(anchors, now_ns)
        """What children are to bring."""
        self.going = Gate(anchors, now_ns)
        """What children may fetch."""

    def add_to(self, server: grpc.aio.Server) -> None:
        add_TrunkServiceServicer_to_server(self, server)

    async def Carry(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        await self.coming.serve(context, self.land)

    async def CarryMany(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        try:
            peer = peer_of(context, self.coming.anchors)
        except ZonghengError as refused:
            await abort(context, refused)
        call = _Call(context)
        async with asyncio.TaskGroup() as tasks:

            def begin(lane: Lane) -> None:
                tasks.create_task(self._carry_lane(lane, peer))

            bundle = Incoming(begin)
            speaking = tasks.create_task(bundle.speak(call.write, wire.CarryManyResponse))
            try:
                await bundle.hear(context)
            finally:
                bundle.break_off(ZonghengError("unreachable", "the way from below broke off"))
                speaking.cancel()
        await call.settle()

    async def _carry_lane(self, lane: Lane, peer: Peer) -> None:
        error: ZonghengError | None = None
        try:
            await self.coming.let_pass(lane, peer, self.land)
        except ZonghengError as refused:
            error = refused
        finally:
            lane.end(error)

    async def CarryDown(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        await self.going.serve(context, self.depart)

    async def land(self, context: Any, passage: Passage) -> ZonghengError | None:
        """Take frames until the stream is over; returns why, None in order. Raises ZonghengError for what the child is refused for."""
        taker = Taker(passage.hub, Meter(self._now_ns), "the child")
        with taker.asked_for_keyframes():
            return await _until_over(passage, taker.hear(context.read), taker.speak(context.write))

    async def depart(self, context: Any, passage: Passage) -> ZonghengError | None:
        """Send frames until the child has enough or the stream is over; returns why. Raises ZonghengError for what the child is refused for, and what the passage was settled with."""

        async def read() -> Any:
            said = await context.read()
            if said is not EOF and said.WhichOneof("part") != "taken":
                raise ZonghengError("protocol", "an opening comes once, and then what was taken")
            return said if said is EOF else said.taken

        async def ended() -> None:
            raise Over(passage.hub.error)

        first = await _first(read)
        if first is EOF:
            return None
        sender = Sender(passage.hub, self._now_ns, wire.CarryDownResponse)
        error = await _until_over(passage, sender.send(first.seen, read, context.write, ended))
        if passage.is_over and error is not None:
            raise error
        return error


class Shared(TrunkServiceServicer):
    """Streams for other processes of the same node, on a socket that nobody else reaches: without a ticket, any stream, opened for the first of them."""

    def __init__(self, hubs: Hubs, trunk: Trunk) -> None:
        self._hubs = hubs
        self._trunk = trunk

    def add_to(self, server: grpc.aio.Server) -> None:
        add_TrunkServiceServicer_to_server(self, server)

    async def Carry(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        await abort(context, _NOTHING_COMES)

    async def CarryMany(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        await abort(context, _NOTHING_COMES)

    async def CarryDown(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        call, error = _Call(context), None
        try:
            opening = await _opening(call)
            passage = Passage(await self._hubs.open(opening.stream))
            passage.begin()
            await self._trunk.depart(call, passage)
        except (ZonghengError, grpc.aio.UsageError) as refused:
            error = of(refused)
        await call.settle()
        if error is not None:
            await abort(context, error)


async def _until_over(passage: Passage, *works: Any) -> ZonghengError | None:
    """Let a call's two directions work until one of them, or whoever settles the passage, says that it is over; returns why, None in order."""
    over: Over | None = None

    async def settled() -> None:
        raise Over(await passage.carried(FIRST_S))

    try:
        async with asyncio.TaskGroup() as tasks:
            for work in works:
                tasks.create_task(work)
            tasks.create_task(settled())
    except* Over as group:
        over = first_over(group)
    except* (ZonghengError, TimeoutError) as refused:
        broken = first_of(refused)
        if isinstance(broken, TimeoutError):
            raise ZonghengError("unreachable", "the child's worker says nothing") from None
        raise broken from None
    return over.error if over else None


async def _opening(call: Any) -> wire.CarryOpening:
    first = await _first(call.read)
    if first is EOF or first.WhichOneof("part") != "opening":
        raise ZonghengError("protocol", "the first message shows a ticket")
    opening: wire.CarryOpening = first.opening
    return opening


async def _first(read: Callable[[], Awaitable[Any]]) -> Any:
    try:
        async with asyncio.timeout(FIRST_S):
            return await read()
    except TimeoutError:
        raise ZonghengError("protocol", f"nothing was said for {FIRST_S:g} s") from None
