"""The main process's hold on its media worker, and on each process beside it for viewers: started when it is needed, watched, started again.

A node that nobody watches through has none. Once there was a reason for one it stays, and when it dies, however it dies, it is started again after a rest that grows while it keeps dying; the rest
of the node notices nothing but that streams are asked for again. A worker that does not answer is killed.

The worker's standard input is a pipe from here, which ends when this process does: no worker outlives its node.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import media_pb2 as wire
from zongheng.v1.media_pb2_grpc import MediaServiceStub

from federation.errors import ZonghengError
from federation.trunk.wire import MAX_MESSAGE_BYTES
from node import control

SOCKET: Final = "media.sock"
"""Of the media worker, in the node's folder."""

STARTS_S: Final = 60.0
"""Longest time, in seconds, from the start of a worker until it answers."""

FIRST_REST_S: Final = 0.2
LONGEST_REST_S: Final = 10.0
WELL_S: Final = 30.0

_OPTIONS: Final = (
    *control.DOOR_OPTIONS,
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
)
"""A worker that froze answers no pings."""

log = structlog.get_logger()


class ForWorker(Protocol):
    """What a node does about its worker."""

    def attached(self, worker: "Attached") -> None:
        """A worker is there that knows nothing yet."""
        ...

    def detached(self) -> None:
        """It is gone, with every stream it had."""
        ...

    def said(self, message: wire.AttachResponse) -> None: ...


@dataclass(frozen=True, slots=True)
class Program:
    """What is started, as `python -m MODULE DIR WORDS`."""

    module: str
    socket: str
    """Where it listens, in the node's folder."""
    words: tuple[str, ...] = ()


WORKER: Final = Program("node.media.worker", SOCKET)


def showing(number: int) -> Program:
    """A process for viewers; they are counted from 1."""
    socket = f"media-{number}.sock"
    return Program("node.media.showing", socket, (socket,))


class Attached:
    """A worker that runs."""

    def __init__(self, pid: int, port: int, channel: grpc.aio.Channel) -> None:
        self.pid = pid
        self.port = port
        """Where children's workers dial in."""
        self.channel = channel
        """For the other services of the worker; good as long as it lives."""
        self.outbox: asyncio.Queue[wire.AttachRequest] = asyncio.Queue()

    def say(self, message: wire.AttachRequest) -> None:
        self.outbox.put_nowait(message)


class Alone:
    """For a process of which the rest of the node notices nothing."""

    def attached(self, worker: Attached) -> None: ...

    def detached(self) -> None: ...

    def said(self, message: wire.AttachResponse) -> None: ...


class Supervisor:
    """Of one process. Belongs to one event loop."""

    def __init__(self, folder: Path, node: ForWorker, program: Program = WORKER) -> None:
        self._folder = folder
        self._node = node
        self._program = program
        self._needed = asyncio.Event()
        self._attached: Attached | None = None
        self._there = asyncio.Event()
        self._error = ZonghengError("unreachable", "the media worker does not run")
        self.starts = 0
        """How often a worker was started since the node was."""

    @property
    def now(self) -> Attached | None:
        """The worker, where one runs now."""
        return self._attached

    def need(self) -> None:
        """Start a worker if none runs; wait for nothing."""
        self._needed.set()

    async def worker(self, within_s: float = STARTS_S) -> Attached:
        """The worker, started where none runs. Raises ZonghengError why there is none within that many seconds."""
        self._needed.set()
        try:
            async with asyncio.timeout(within_s):
                await self._there.wait()
        except TimeoutError:
            raise self._error from None
        assert self._attached is not None
        return self._attached

    async def channel(self) -> grpc.aio.Channel:
        """To the worker's services. Raises ZonghengError as `worker`."""
        return (await self.worker()).channel

    async def run(self) -> None:
        """Until cancelled; the worker ends with it."""
        loop = asyncio.get_running_loop()
        rest_s = 0.0
        while True:
            await self._needed.wait()
            began = loop.time()
            try:
                # A task of its own: what a failing task group leaves behind ends with it.
                async with asyncio.TaskGroup() as one:
                    one.create_task(self._serve())
            except* (ZonghengError, grpc.aio.AioRpcError, OSError, asyncio.InvalidStateError) as failed:
                self._error = ZonghengError(
                    "unreachable",
                    "the media worker does not run: see the node's log, it is started again by itself",
                )
                log.error("media.worker_failed", words=str(failed.exceptions[0])[:500])
            if loop.time() - began > WELL_S:
                rest_s = 0.0
            await asyncio.sleep(rest_s)
            rest_s = min(max(2 * rest_s, FIRST_REST_S), LONGEST_REST_S)

    async def _serve(self) -> None:
        """Start a worker and serve it until it ends."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / self._program.socket).unlink()
        program = self._program
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            program.module,
            str(self._folder),
            *program.words,
            stdin=asyncio.subprocess.PIPE,
        )
        self.starts += 1
        try:
            async with self._channel(process) as channel:
                await self._attend(process, channel)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()
            log.warning("media.worker_ended", pid=process.pid, code=process.returncode)

    @contextlib.asynccontextmanager
    async def _channel(self, process: asyncio.subprocess.Process) -> AsyncIterator[grpc.aio.Channel]:
        """A channel to the worker as soon as it listens. Raises ZonghengError when it does not come to that."""
        until = asyncio.get_running_loop().time() + STARTS_S
        while not (self._folder / self._program.socket).exists():
            if process.returncode is not None:
                raise ZonghengError("unreachable", f"the media worker ended with {process.returncode}")
            if asyncio.get_running_loop().time() > until:
                raise ZonghengError("unreachable", "the media worker does not come up")
            await asyncio.sleep(0.02)
        with control.short_path(self._folder, self._program.socket) as path:
            channel = grpc.aio.insecure_channel(f"unix:{path}", options=_OPTIONS)
            try:
                yield channel
            finally:
                await channel.close(None)

    async def _attend(self, process: asyncio.subprocess.Process, channel: grpc.aio.Channel) -> None:
        stub: Any = MediaServiceStub(channel)
        call = stub.Attach()
        try:
            async with asyncio.timeout(STARTS_S):
                await channel.channel_ready()
                first = await call.read()
            if first is EOF or first.WhichOneof("part") != "ready":
                raise ZonghengError("unreachable", "the media worker says nothing")
            worker = Attached(process.pid, first.ready.port, channel)
            log.info("media.worker_ready", pid=process.pid, port=worker.port)
            self._attached = worker
            self._node.attached(worker)
            self._there.set()
            async with asyncio.TaskGroup() as tasks:
                speaking = tasks.create_task(self._speak(call, worker))
                while (message := await call.read()) is not EOF:
                    self._node.said(message)
                speaking.cancel()
        except TimeoutError:
            raise ZonghengError("unreachable", "the media worker does not come up") from None
        finally:
            call.cancel()
            if self._attached is not None:
                self._attached = None
                self._there.clear()
                self._node.detached()

    async def _speak(self, call: Any, worker: Attached) -> None:
        while True:
            await call.write(await worker.outbox.get())
