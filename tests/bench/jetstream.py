"""Two NATS servers on loopback, joined by a leaf link, the upper one mirroring a JetStream stream of the lower.

That is the nearest thing to a relay hop that can be had ready-made: the lower server stores messages in order, the upper asks for what it
lacks and stores it too. Both keep their streams in files, but this server neither checks hashes nor syncs a file before it acknowledges
(it does so every two minutes), so what it mirrors in a second is mirrored without durability.
"""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import nats
from nats.aio.client import Client
from nats.js.api import ExternalStream, StorageType, StreamConfig, StreamSource
from running import free_address

_PATIENCE_S = 120.0
_STREAM = "journal"


def program() -> str:
    """The server's path. RuntimeError where it is not installed."""
    found = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if found is None:
        raise RuntimeError("nats-server is not installed: on Debian and Ubuntu, apt-get install nats-server")
    return found


async def mirrored(folder: Path, messages: list[bytes]) -> float:
    """Seconds in which the upper server mirrors the messages that the lower one holds, from the first that it has to all."""
    county, town, leaf = free_address(), free_address(), free_address()
    upper = {"listen": county, "leafnodes": {"listen": leaf}}
    lower = {"listen": town, "leafnodes": {"remotes": [{"url": f"nats://{leaf}"}]}}
    with _server(folder / "upper", "upper", upper), _server(folder / "lower", "lower", lower):
        async with _client(town) as below, _client(county) as above:
            await below.jetstream().add_stream(
                StreamConfig(name=_STREAM, subjects=["entry"], storage=StorageType.FILE)
            )
            for message in messages:
                await below.publish("entry", message)
            await below.flush(timeout=60)
            await _holds(below, _STREAM, len(messages))
            origin = StreamSource(name=_STREAM, external=ExternalStream(api="$JS.lower.API", deliver=""))
            await above.jetstream().add_stream(
                StreamConfig(name="copy", storage=StorageType.FILE, mirror=origin)
            )
            first = await _holds(above, "copy", 1)
            began = time.perf_counter()
            await _holds(above, "copy", len(messages))
            return (time.perf_counter() - began) * len(messages) / (len(messages) - first)


@contextmanager
def _server(folder: Path, domain: str, settings: dict[str, object]) -> Iterator[None]:
    folder.mkdir()
    file = folder / "nats.conf"
    storage = {"store_dir": str(folder / "store"), "domain": domain}
    file.write_text(json.dumps({**settings, "server_name": domain, "jetstream": storage}), encoding="utf-8")
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([program(), "-c", str(file)], stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@asynccontextmanager
async def _client(address: str) -> AsyncIterator[Client]:
    end = time.monotonic() + 30
    while True:
        try:
            client = await nats.connect(f"nats://{address}", allow_reconnect=False, error_cb=_unheard)
            break
        except (OSError, nats.errors.Error):
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.05)
    try:
        yield client
    finally:
        await client.close()


async def _unheard(error: Exception) -> None:
    """The server is still starting; whoever connects tries again."""


async def _holds(client: Client, stream: str, messages: int) -> int:
    """Wait until a stream holds so many messages; returns how many it holds then."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        held = (await client.jetstream().stream_info(stream)).state.messages
        if held >= messages:
            return held
        if time.monotonic() > end:
            raise RuntimeError(f"the stream {stream} holds {held} of {messages} messages")
        await asyncio.sleep(0.002)
