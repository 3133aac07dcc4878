"""Processes for viewers share those who come, and what becomes of a session is told of the process that has it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
from zongheng.v1 import webrtc_pb2 as wire
from zongheng.v1 import webrtc_pb2_grpc as wire_grpc

from federation.errors import ZonghengError
from node.media.webrtc.desk import Shown, WebRtcDesk
from node.people.caller import Caller

WHO = Caller("J001")
STREAM = "990102001/hall/main"


class Process(wire_grpc.WebRtcServiceServicer):
    """One that answers every offer at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sessions: list[str] = []
        self.ends: asyncio.Queue[str] = asyncio.Queue()

    async def Watch(self, request: wire.WatchRequest, context: Any) -> wire.WatchResponse:  # type: ignore[override]
        self.sessions.append(f"{self.name}-{len(self.sessions)}")
        return wire.WatchResponse(session=self.sessions[-1])

    async def FollowSessions(self, request: wire.FollowSessionsRequest, context: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        for session in self.sessions:
            yield wire.FollowSessionsResponse(session=wire.SessionTold(session=session))
        yield wire.FollowSessionsResponse()
        while True:
            yield wire.FollowSessionsResponse(ended=wire.SessionEnd(session=await self.ends.get()))


class Everybody:
    """Whoever asks may look, once the nodes on the way have said so, which takes a moment."""

    def __init__(self) -> None:
        self.open = 0

    async def opened(
        self, caller: Caller, stream: str, purpose: str, removed: Callable[[ZonghengError], None]
    ) -> str:
        await asyncio.sleep(0.01)
        self.open += 1
        return f"v{self.open}"

    async def closed(self, viewing: str, error: ZonghengError | None) -> None:
        self.open -= 1

    async def shown(self, caller: Caller, stream: str) -> Shown:
        return Shown(stream, "")

    async def may_publish(self, caller: Caller, stream: str) -> None: ...


@asynccontextmanager
async def served(folder: Path, process: Process) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server()
    wire_grpc.add_WebRtcServiceServicer_to_server(process, server)
    server.add_insecure_port(f"unix:{folder}/{process.name}")
    await server.start()
    try:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(f"unix:{folder}/{process.name}", options) as channel:
            yield channel
    finally:
        await server.stop(None)


async def test_many_who_come_at_once_are_shared_and_each_end_is_told(tmp_path: Path) -> None:
    worker, one, two = Process("worker"), Process("one"), Process("two")
    async with AsyncExitStack() as stack:
        ways = [await stack.enter_async_context(served(tmp_path, each)) for each in (worker, one, two)]

        def way(number: int) -> Callable[[], Any]:
            async def reached() -> grpc.aio.Channel:
                return ways[number]

            return reached

        people = Everybody()
        desk = WebRtcDesk(way(0), people, [way(1), way(2)])
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(desk.run())
            begun = await asyncio.gather(*(desk.watch(WHO, STREAM, "offer") for _ in range(20)))
            assert desk.watching == [10, 10]
            assert worker.sessions == []
            two.ends.put_nowait(two.sessions[0])
            async with asyncio.timeout(60):
                while desk.watching != [10, 9]:  # noqa: ASYNC110  # seen from outside
                    await asyncio.sleep(0.01)
            assert people.open == 19
            await desk.watch(WHO, STREAM, "offer")
            assert desk.watching == [10, 10]
            assert desk.mine(WHO, begun[0].held.session) == begun[0].held
            running.cancel()
