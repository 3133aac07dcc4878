"""A stream goes from one process of a node to another, over a socket in its folder."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from zongheng.v1 import trunk_pb2 as wire
from zongheng.v1.trunk_pb2_grpc import TrunkServiceStub

from federation.errors import ZonghengError, from_rpc
from federation.trunk.carry import Fetcher
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from federation.trunk.trunk import Shared, Trunk
from federation.trunk.wire import MESSAGE_SIZES
from tests.unit.trunk.pair import eventually
from tests.unit.trunk.units import STREAM, pictures, seqs


class Having:
    """The process that has the streams."""

    def __init__(self, hubs: Hubs, channel: grpc.aio.Channel) -> None:
        self.hubs = hubs
        self.channel = channel


@pytest.fixture
async def having(tmp_path: Path) -> AsyncIterator[Having]:
    async def source(hub: Hub) -> None:
        if hub.stream != STREAM:
            raise ZonghengError("forbidden", "not this one")
        await asyncio.Event().wait()

    def nobody() -> list[bytes]:
        raise AssertionError("whoever reaches the socket is let in")

    async with Hubs.running(source, time.monotonic_ns) as hubs:
        server = grpc.aio.server(options=MESSAGE_SIZES)
        Shared(hubs, Trunk(nobody, time.monotonic_ns)).add_to(server)  # type: ignore[arg-type]
        server.add_insecure_port(f"unix:{tmp_path}/door")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"unix:{tmp_path}/door", MESSAGE_SIZES) as channel:
                yield Having(hubs, channel)
        finally:
            await server.stop(None)


async def test_a_stream_is_opened_by_who_asks_for_it_and_goes_over_whole(having: Having) -> None:
    here = Hub(STREAM, time.monotonic_ns)
    got = []
    seat = here.join(got.append)
    async with asyncio.TaskGroup() as tasks:
        fetching = tasks.create_task(Fetcher(here, b"", time.monotonic_ns).run(having.channel))
        await eventually(lambda: having.hubs.find(STREAM) is not None)
        there = await having.hubs.open(STREAM)
        await eventually(lambda: there.watchers == 1)
        asked = []
        there.ask_keyframe = lambda: asked.append(True)
        for frame in pictures(0, 25):
            there.put(frame)
        await eventually(lambda: len(got) == 25)
        assert seqs(got) == list(range(25))
        seat.want_keyframe()
        await eventually(lambda: bool(asked))
        there.end()
        assert await fetching is None
    assert there.watchers == 0


async def test_why_there_is_no_stream_is_told(having: Having) -> None:
    here = Hub("990102001/door/main", time.monotonic_ns)
    with pytest.raises(ZonghengError, match="not this one") as told:
        await Fetcher(here, b"", time.monotonic_ns).run(having.channel)
    assert told.value.code == "forbidden"


async def test_nothing_is_brought_there(having: Having) -> None:
    call = TrunkServiceStub(having.channel).Carry()
    await call.write(wire.CarryRequest(opening=wire.CarryOpening(stream=STREAM)))
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await call.read()
    assert from_rpc(told.value).code == "forbidden"
    assert having.hubs.find(STREAM) is None
