"""A connection on which nothing is said is kept for as long as both ends live."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import grpc
import grpc.aio

from federation.identity.credentials import Options
from federation.link.channel import PARENT_OPTIONS, TAKES_PINGS
from federation.trunk.trunk import LISTEN_OPTIONS
from node.media.attended import DOOR_OPTIONS

EVERY_MS: Final = TAKES_PINGS[1] + 300
PINGS: Final = 6
"""A server that was not told otherwise takes the fourth for a flood."""


async def nothing(requests: AsyncIterator[bytes], context: object) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


async def keeps(options: Options, door: Path) -> bool:
    """Whether a server with such options keeps the call of a client that only looks whether it lives."""
    server = grpc.aio.server(options=options)
    handler = grpc.stream_stream_rpc_method_handler(nothing)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test", {"call": handler}),))
    server.add_insecure_port(f"unix:{door}")
    await server.start()
    looks = [
        ("grpc.keepalive_time_ms", EVERY_MS),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    try:
        async with grpc.aio.insecure_channel(f"unix:{door}", options=looks) as channel:
            call = channel.stream_stream("/test/call")()
            await call.write(b"here")
            assert await call.read() == b"here"
            await asyncio.sleep(PINGS * EVERY_MS / 1_000)
            kept = not call.done()
            call.cancel()
            return kept
    finally:
        await server.stop(None)


async def test_who_only_looks_whether_the_other_side_lives_is_no_flood(tmp_path: Path) -> None:
    servers = {"link": PARENT_OPTIONS, "trunk": LISTEN_OPTIONS, "worker": DOOR_OPTIONS, "untold": ()}
    kept = await asyncio.gather(*(keeps(options, tmp_path / name) for name, options in servers.items()))
    assert dict(zip(servers, kept, strict=True)) == {
        "link": True,
        "trunk": True,
        "worker": True,
        "untold": False,
    }
