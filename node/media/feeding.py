"""Where a hub's frames come from at the camera's own node: the camera, or what was recorded of it."""

import asyncio
from collections.abc import Awaitable, Callable

from federation.trunk.hub import Hub
from node.media.ingest.ingest import ingest
from node.media.ingest.source import Source
from node.media.recording.archive import Archive
from node.media.recording.playing import play


def feeding(archive: Archive) -> Callable[[Source, Hub], Awaitable[None]]:
    """What feeds a hub from a source, until cancelled."""

    async def feed(source: Source, hub: Hub) -> None:
        if (recorded := source.recorded) is not None:
            await play(archive, *recorded, hub, asyncio.get_running_loop().time)
        else:
            await ingest(source, hub)

    return feed
