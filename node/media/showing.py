"""A process for those who watch, beside the media worker: what one core does not serve several do.

It has each stream that somebody watches through it once from the media worker, as a worker has it from another node's, and hands it on to any number of viewers. Who may watch is said by the node's main
process; cameras, recordings, publishers and other nodes stay with the media worker. It keeps nothing. Killed, it is started again, and its viewers ask again; when the media worker is, viewers here stay, and
their pictures go on as soon as it has them.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

import grpc.aio
import structlog

from federation.errors import ZonghengError
from federation.trunk.carry import Fetcher
from federation.trunk.hub import NS, Hub
from federation.trunk.hubs import Hubs
from federation.trunk.wire import MESSAGE_SIZES
from node import config, control, logs
from node.media.again import again
from node.media.attended import DOOR_OPTIONS, Attended
from node.media.supervisor import SOCKET
from node.settling import STREAMING, settle_memory

LINGER_NS: Final = 2 * NS
"""The media worker's own lingering begins when this is over."""

_DIAL_OPTIONS: Final = (
    *control.DOOR_OPTIONS,
    *MESSAGE_SIZES,
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)

log = structlog.get_logger()


async def show(folder: Path, socket: str) -> None:
    """Serve until the main process is gone."""
    from node.media.webrtc.limits import Limits
    from node.media.webrtc.service import WebRtc

    settings = config.load(folder)
    limits = Limits(viewers=settings.webrtc.viewers, ports=settings.webrtc.port_range)
    with control.short_path(folder, SOCKET) as path:
        async with (
            grpc.aio.insecure_channel(f"unix:{path}", options=_DIAL_OPTIONS) as worker,
            WebRtc.running(settings.ice_addresses, limits) as webrtc,
            Hubs.running(lambda hub: _fetched(worker, hub), time.monotonic_ns, linger_ns=LINGER_NS) as hubs,
        ):
            process, door = Attended(), grpc.aio.server(options=DOOR_OPTIONS)
            async with webrtc.offered(hubs, door), process.listening(folder, socket, door):
                settle_memory(STREAMING)
                log.info("showing.ready", socket=socket)
                await process.until_over()


async def _fetched(worker: grpc.aio.Channel, hub: Hub) -> None:
    async def once() -> ZonghengError:
        try:
            error = await Fetcher(hub, b"", time.monotonic_ns).run(worker)
        except ZonghengError as failed:
            return failed
        return error or ZonghengError("unreachable", f"{hub.stream} is not sent any more")

    await again(hub, once)


def main() -> None:
    """`python -m node.media.showing DIR SOCKET`, as the supervisor starts it."""
    logs.configure()
    asyncio.run(show(Path(sys.argv[1]), sys.argv[2]))


if __name__ == "__main__":
    main()
