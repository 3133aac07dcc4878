"""The child's two ends of the trunk: a stream that it carries up to its parent's worker, and one that it fetches down from there. The child dials, always.

Up it is told to carry a stream: it dials, shows the ticket and sends (`sending.Sender`). Down it was given a ticket for a stream that it asked for: it dials, shows it and takes (`taking.Taker`). Either
call ends with the stream, with what the other side refuses, or when it breaks; nothing is tried again from here. Calls are cancelled in `finally`: grpc.aio keeps abandoned ones for ever.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import grpc
import grpc.aio
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import trunk_pb2 as wire
from zongheng.v1.trunk_pb2_grpc import TrunkServiceStub

from federation.errors import ZonghengError, first_of, from_rpc
from federation.link.channel import CHILD_OPTIONS
from federation.trunk.flow import Meter
from federation.trunk.hub import Hub
from federation.trunk.sending import Over, Sender, first_over
from federation.trunk.taking import Taker
from federation.trunk.wire import MESSAGE_SIZES

FIRST_S: Final = 10.0

DIAL_OPTIONS: Final = (*CHILD_OPTIONS, *MESSAGE_SIZES)


class Carrier:
    """The child's end of one stream's way up."""

    def __init__(self, hub: Hub, ticket: bytes, now_ns: Callable[[], int]) -> None:
        self._hub = hub
        self._ticket = ticket
        self.sender = Sender(hub, now_ns, wire.CarryRequest)

    async def run(self, channel: grpc.aio.Channel) -> ZonghengError | None:
        """Carry until the parent has enough of it, or the stream ends; returns with which error, None in order.

        Raises ZonghengError with what the parent refused it with, or how the call broke.
        """
        stub: Any = TrunkServiceStub(channel)
        return await self.run_over(stub.Carry())

    async def run_over(self, call: Any) -> ZonghengError | None:
        """The same over a call, or a lane of a bundle, that nothing was said on yet."""
        over: Over | None = None
        try:
            async with asyncio.timeout(FIRST_S):
                opening = wire.CarryOpening(ticket=self._ticket, stream=self._hub.stream)
                with suppress(grpc.aio.AioRpcError):  # its words come with the read
                    await call.write(wire.CarryRequest(opening=opening))
                first = await call.read()
            if first is EOF:
                raise from_rpc(await _ending(call))
            # The parent ends the call when it has heard of the end.
            await self.sender.send(first.seen, call.read, call.write, call.done_writing)
        except* Over as group:
            over = first_over(group)
        except* (ZonghengError, grpc.aio.AioRpcError, TimeoutError, asyncio.InvalidStateError) as broken:
            raise _reading(first_of(broken)) from None
        finally:
            call.cancel()
        return over.error if over else None


class Fetcher:
    """The child's end of one stream's way down."""

    def __init__(self, hub: Hub, ticket: bytes, now_ns: Callable[[], int]) -> None:
        """`ticket`: empty where none is needed, between processes of one node."""
        self._hub = hub
        self._ticket = ticket
        self._meter = Meter(now_ns)

    async def run(self, channel: grpc.aio.Channel) -> ZonghengError | None:
        """Take the stream until it ends; returns with which error, None in order.

        Raises ZonghengError with what the parent refused it with, or how the call broke; a ticket that is not good any more is `unreachable`, since a fresh
        one may be had.
        """
        stub: Any = TrunkServiceStub(channel)
        call = stub.CarryDown()
        taker = Taker(self._hub, self._meter, "the parent's worker")

        async def say(taken: wire.CarryResponse) -> None:
            await call.write(wire.CarryDownRequest(taken=taken))

        over: Over | None = None
        try:
            opening = wire.CarryOpening(ticket=self._ticket, stream=self._hub.stream)
            with suppress(grpc.aio.AioRpcError):
                await call.write(wire.CarryDownRequest(opening=opening))
            with taker.asked_for_keyframes():
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(taker.hear(call.read))
                    tasks.create_task(taker.speak(say))
        except* Over as group:
            over = first_over(group)
        except* (ZonghengError, grpc.aio.AioRpcError, TimeoutError, asyncio.InvalidStateError) as broken:
            error = _reading(first_of(broken))
            if error.code == "forbidden" and self._ticket:
                raise ZonghengError("unreachable", error.detail) from None
            raise error from None
        finally:
            call.cancel()
        return over.error if over else None


def _reading(broken: BaseException) -> ZonghengError:
    """What broke a call, in words."""
    if isinstance(broken, ZonghengError):
        return broken
    if isinstance(broken, grpc.aio.AioRpcError) and not _broke_here(broken):
        return from_rpc(broken)
    words = "says nothing" if isinstance(broken, TimeoutError) else "broke the call off"
    return ZonghengError("unreachable", f"the parent's worker {words}")


def _broke_here(broken: grpc.aio.AioRpcError) -> bool:
    """Something was being written when the other side ended the call: gRPC then knows nothing of why it did."""
    return broken.code() is grpc.StatusCode.INTERNAL and not broken.trailing_metadata()


async def _ending(call: Any) -> grpc.aio.AioRpcError:
    """What a call that just ended ended with."""
    return grpc.aio.AioRpcError(
        await call.code(),
        await call.initial_metadata(),
        await call.trailing_metadata(),
        await call.details(),
        None,
    )
