"""A node's media worker as a process: started when needed, again when it dies, and never left behind."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from zongheng.v1 import media_pb2 as wire

from federation.errors import ZonghengError
from node import config
from node.keyring import KeyRing
from node.media import supervisor as module
from node.media.supervisor import SOCKET, Attached, Supervisor
from tests.e2e.ports import free_port

STREAM = "990102001/hall/main"


class Told:
    """What a node hears of its worker."""

    def __init__(self) -> None:
        self.workers: list[Attached] = []
        self.gone = 0
        self.heard: list[wire.AttachResponse] = []

    def attached(self, worker: Attached) -> None:
        self.workers.append(worker)

    def detached(self) -> None:
        self.gone += 1

    def said(self, message: wire.AttachResponse) -> None:
        self.heard.append(message)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "node"
    port = free_port()
    settings = config.initialise(
        place, tier="village", name="村", division="990102001", grpc=f"127.0.0.1:{port}", http=None,
        media=f"127.0.0.1:{free_port()}",
    )  # fmt: skip
    KeyRing.open(place, settings)
    return place


@asynccontextmanager
async def supervised(folder: Path) -> AsyncIterator[tuple[Supervisor, Told]]:
    told = Told()
    supervisor = Supervisor(folder, told)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor.run())
        try:
            yield supervisor, told
        finally:
            running.cancel()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():  # noqa: ASYNC110  # seen from outside
            await asyncio.sleep(0.02)


async def test_without_need_there_is_no_worker(folder: Path) -> None:
    async with supervised(folder) as (supervisor, told):
        await asyncio.sleep(0.3)
        assert (supervisor.now, supervisor.starts, told.workers) == (None, 0, [])


async def test_a_worker_is_started_when_needed_and_asks_where_a_stream_comes_from(folder: Path) -> None:
    async with supervised(folder) as (supervisor, told):
        worker, same = await asyncio.gather(supervisor.worker(), supervisor.worker())
        assert worker is same
        assert (folder / SOCKET).stat().st_mode & 0o777 == 0o600
        worker.say(wire.AttachRequest(kept=wire.StreamsKept(streams=[STREAM])))
        await eventually(lambda: any(each.HasField("wanted") for each in told.heard))
        wanted = next(each.wanted for each in told.heard if each.HasField("wanted"))
        assert wanted.stream == STREAM
        refused = wire.UpstreamRefused(ticket=wanted.ticket, code="not_found", words="no such camera")
        worker.say(wire.AttachRequest(refused=refused))
        await eventually(lambda: any(each.state.state == "ended" for each in told.heard))
        assert any(each.over.ticket == wanted.ticket for each in told.heard)
        pid = worker.pid
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie"


async def test_a_worker_that_is_killed_is_started_again(folder: Path) -> None:
    async with supervised(folder) as (supervisor, told):
        first = await supervisor.worker()
        os.kill(first.pid, signal.SIGKILL)
        await eventually(lambda: len(told.workers) == 2)
        second = await supervisor.worker()
        assert second.pid != first.pid
        assert (supervisor.starts, told.gone) == (2, 1)


async def test_a_worker_that_freezes_is_killed_and_started_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = [(key, 500 if "time" in key else value) for key, value in module._OPTIONS]
    monkeypatch.setattr(module, "_OPTIONS", tuple(quick))
    async with supervised(folder) as (supervisor, told):
        first = await supervisor.worker()
        os.kill(first.pid, signal.SIGSTOP)
        await eventually(lambda: len(told.workers) == 2)
        assert not psutil.pid_exists(first.pid) or psutil.Process(first.pid).status() == "zombie"


async def test_a_worker_that_cannot_start_is_told_as_such(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / config.SETTINGS_FILE).write_text("nonsense", encoding="utf-8")
    async with supervised(folder) as (supervisor, told):
        with pytest.raises(ZonghengError) as failed:
            await supervisor.worker(within_s=3)
        assert failed.value.code == "unreachable"
        assert told.workers == []


async def test_no_worker_outlives_its_node(folder: Path) -> None:
    """The worker's standard input is all that it has of its node."""
    process = await asyncio.create_subprocess_exec(
        module.sys.executable, "-m", "node.media.worker", str(folder), stdin=asyncio.subprocess.PIPE
    )
    await eventually(lambda: (folder / SOCKET).exists())
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(120):
        await process.wait()
