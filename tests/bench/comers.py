"""Many who come to watch and go again, in a process of their own, over WHEP: the server's memory is what is looked at.

    python comers.py URL

Told on standard input, a number a line: so many come, a few at a time, and go before it answers with a line of JSON `{"came": …, "refused": …}`. Of twenty, fifteen say that they go
(`DELETE`), three hang up without a word to the endpoint, and two offer and are never heard of again, as a phone that lost its network.
"""

import asyncio
import json
import os
import sys
from typing import Final

import aioice.ice
import httpx
from aiortc import RTCSessionDescription
from watchers import fresh

_AT_ONCE: Final = 8
_STAYS_S: Final = 0.5
_SAY, _HANG_UP = 15, 18


class Comers:
    """Who comes and goes; `refused` counts those whom the server did not take."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self.came = 0
        self.refused = 0

    async def some(self, count: int) -> None:
        numbers = iter(range(count))

        async def one_after_the_other() -> None:
            for number in numbers:
                await self._comes(number % 20)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(one_after_the_other())

    async def _comes(self, way: int) -> None:
        connection = fresh()
        try:
            connection.addTransceiver("video", direction="recvonly")
            await connection.setLocalDescription()
            answer = await self._client.post(
                self._url,
                content=connection.localDescription.sdp,
                headers={"Content-Type": "application/sdp"},
            )
            if answer.status_code != 201:
                self.refused += 1
                await asyncio.sleep(_STAYS_S)
                return
            self.came += 1
            if way >= _HANG_UP:
                return
            await connection.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            await asyncio.sleep(_STAYS_S)
            if way < _SAY:
                await self._client.delete(answer.headers["Location"])
        finally:
            await connection.close()


async def main(url: str) -> None:
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [os.environ.get("ADDRESS", "127.0.0.1")]
    loop, came, refused = asyncio.get_running_loop(), 0, 0
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            comers = Comers(client, url)
            await comers.some(int(line))
        came, refused = came + comers.came, refused + comers.refused
        print(json.dumps({"came": came, "refused": refused}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
