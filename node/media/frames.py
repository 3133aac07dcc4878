"""The worker's streams frame by frame, for the node's own programs: a snapshot, a recording, a look whether a stream comes at all."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

import grpc.aio
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1.media_pb2 import TakeRequest, TakeResponse
from zongheng.v1.media_pb2_grpc import (
    FramesServiceServicer,
    FramesServiceStub,
    add_FramesServiceServicer_to_server,
)
from zongheng.v1.trunk_pb2 import CarriedFrames

from federation.errors import ZonghengError, abort, from_rpc
from federation.trunk.backlog import Backlog
from federation.trunk.frame import Frame
from federation.trunk.hubs import Hubs
from federation.trunk.wire import carried, uncarried

_BATCH: Final = 32
_BATCH_BYTES: Final = 256 * 1024


class Frames(FramesServiceServicer):
    """The worker's end."""

    def __init__(self, hubs: Hubs, now_ns: Callable[[], int]) -> None:
        self._hubs = hubs
        self._now_ns = now_ns

    def add_to(self, server: grpc.aio.Server) -> None:
        add_FramesServiceServicer_to_server(self, server)

    async def Take(self, request: TakeRequest, context: Any) -> None:  # type: ignore[override]
        backlog, wake = Backlog(self._now_ns), asyncio.Event()
        over: list[ZonghengError | None] = []

        def take(frame: Frame) -> None:
            backlog.put(frame)
            wake.set()

        def end(error: ZonghengError | None) -> None:
            over.append(error)
            wake.set()

        try:
            hub = await self._hubs.open(request.stream)
            seat = hub.join(take, ended=end)
        except ZonghengError as error:
            await abort(context, error)
        backlog.want_keyframe = seat.want_keyframe
        try:
            while True:
                await wake.wait()
                wake.clear()
                while (batch := _batch(backlog)) is not None:
                    await context.write(TakeResponse(frames=batch))
                if over:
                    break
        finally:
            seat.leave()
        if over[0] is not None:
            await abort(context, over[0])


def _batch(backlog: Backlog) -> CarriedFrames | None:
    batch, size = CarriedFrames(), 0
    while size < _BATCH_BYTES and len(batch.frames) < _BATCH and (frame := backlog.take()) is not None:
        batch.frames.append(carried(frame))
        size += len(frame.unit)
    return batch if batch.frames else None


async def frames(channel: grpc.aio.Channel, stream: str) -> AsyncGenerator[Frame, None]:
    """A stream's frames, the pictures since the last keyframe first, until it ends; use it under `contextlib.aclosing`.

    Raises ZonghengError with which it ends.
    """
    stub: Any = FramesServiceStub(channel)
    call = stub.Take(TakeRequest(stream=stream))
    try:
        while (said := await call.read()) is not EOF:
            for one in said.frames.frames:
                yield uncarried(one)
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error) from None
    finally:
        call.cancel()
