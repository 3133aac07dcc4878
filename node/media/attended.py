"""What every process of a node that holds live streams has in common: a socket in the node's folder, on which its main process attaches, and an end together with that.

It lives as long as the main process: it ends when `Attach` ends, and when its standard input does, which the kernel closes however that process dies. Killed, it is started again.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import media_pb2 as wire
from zongheng.v1.media_pb2_grpc import MediaServiceServicer, add_MediaServiceServicer_to_server

from federation.link.channel import TAKES_PINGS
from node import control

DOOR_OPTIONS: Final = (TAKES_PINGS,)


class Attended(MediaServiceServicer):
    """One process. Belongs to one event loop."""

    def __init__(self) -> None:
        self.port = 0
        """Where other nodes dial in; 0: nowhere."""
        self.over = asyncio.Event()
        """Nobody is there for whom to work."""
        self._attached = False
        self._said: asyncio.Queue[wire.AttachResponse] = asyncio.Queue()

    def say(self, message: wire.AttachResponse) -> None:
        """Tell the main process, as soon as it is attached."""
        self._said.put_nowait(message)

    def obey(self, said: wire.AttachRequest) -> None:
        """What the main process says."""

    @contextlib.asynccontextmanager
    async def listening(self, folder: Path, name: str, door: grpc.aio.Server) -> AsyncIterator[None]:
        """Serve on ``folder/name`` whatever was added to ``door``, and this, for as long as the context lasts."""
        add_MediaServiceServicer_to_server(self, door)
        with control.short_path(folder, name) as path:
            with contextlib.suppress(FileNotFoundError):
                (folder / name).unlink()
            door.add_insecure_port(f"unix:{path}")
            await door.start()
            (folder / name).chmod(0o600)
            try:
                yield
            finally:
                await door.stop(None)

    async def until_over(self) -> None:
        """Work until the main process is gone, or this one is asked to end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.over.set)
        loop.add_reader(sys.stdin.fileno(), self._read_end)
        await self.over.wait()
        loop.remove_reader(sys.stdin.fileno())

    async def Attach(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        if self._attached:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "this worker has its node")
        self._attached = True
        try:
            await context.write(wire.AttachResponse(ready=wire.WorkerReady(port=self.port)))
            async with asyncio.TaskGroup() as tasks:
                speaking = tasks.create_task(self._speak(context))
                while (said := await context.read()) is not EOF:
                    self.obey(said)
                speaking.cancel()
        finally:
            self.over.set()

    async def _speak(self, context: Any) -> None:
        while True:
            await context.write(await self._said.get())

    def _read_end(self) -> None:
        if not sys.stdin.buffer.raw.read(1):  # type: ignore[union-attr]
            self.over.set()
