"""A server process of our own fan-out for the benchmarks: one stream of 720p25 at 1.5 Mb/s, and whoever offers on its socket watches it.

    python streaming.py SOCKET CLIP ADDRESS

Each connection to the socket is one offer: a line of JSON `{"offer": …}`, answered by `{"answer": …}` or `{"refused": …}`. The clip is a file of
access units as `clip.py` writes it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from clip import FPS, load

from federation.errors import ZonghengError
from federation.trunk.frame import VIDEO, Codec, Frame
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from node.media.webrtc.limits import Admission, Limits
from node.media.webrtc.viewing import Viewers

STREAM: Final = "990121/hall/main"


def fed(units: list[tuple[bool, bytes]]) -> Callable[[Hub], Any]:
    """A source that shows these again and again, as a camera would."""

    async def feed(hub: Hub) -> None:
        began, number = time.monotonic(), 0
        while True:
            keyframe, unit = units[number % len(units)]
            pts = number * 90_000 // FPS
            hub.put(Frame(VIDEO, number, pts, time.time_ns(), keyframe, Codec.H264, unit))
            number += 1
            await asyncio.sleep(max(0.0, began + number / FPS - time.monotonic()))

    return feed


async def main(socket: str, clip: str, address: str) -> None:
    limits = Limits(viewers=5_000, lag_s=60.0, connect_s=60.0)
    async with asyncio.TaskGroup() as tasks, Hubs.running(fed(load(Path(clip))), time.monotonic_ns) as hubs:
        viewers = Viewers(hubs, tasks, [address], limits, Admission(limits))
        # The camera is watched already: what is measured is who joins.
        await viewers.fan(STREAM)

        async def offered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked = json.loads(await reader.readline())
            try:
                told = {"answer": (await viewers.view(STREAM, asked["offer"])).answer}
            except ZonghengError as error:
                told = {"refused": str(error)}
            writer.write(json.dumps(told).encode() + b"\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_unix_server(offered, socket, limit=1 << 20) as server:
            print("ready", flush=True)
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
