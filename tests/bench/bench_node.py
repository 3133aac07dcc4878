"""How small an idle village node is and how soon it is ready, beside a Python that only imports the same libraries."""

import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from measure import Measured, Workspace, benchmark

_STARTS = 5
_IDLE_S = 10.0
_PATIENCE_S = 60.0

_LIBRARIES = "import asyncio, fastapi, grpc.aio, polars, pydantic_settings, structlog, tortoise, uvicorn"
"""What any node has to import before it can do anything: the limit that its start and its size approach."""

_BARE = f"{_LIBRARIES}\nprint('ready', flush=True)\nimport sys\nsys.stdin.read()"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _make(folder: Path) -> int:
    """A village node that was never run; returns its HTTP port."""
    http = _free_port()
    command = [sys.executable, "-m", "node", "init", str(folder), "--tier", "village", "--name", "村"]
    addresses = ["--grpc", f"127.0.0.1:{_free_port()}", "--http", f"127.0.0.1:{http}"]
    made = subprocess.run(
        [*command, "--division", "990121101201", *addresses],
        check=False,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
    )
    if made.returncode:
        raise RuntimeError(f"no node could be made: {made.stderr}")
    return http


@contextmanager
def _running(folder: Path, http: int) -> Iterator[tuple[psutil.Process, float]]:
    """The node's process and the seconds from its start until it said that it is ready."""
    with (folder.parent / "log").open("ab") as log:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "node", "run", str(folder)], stdout=log, stderr=log)
        try:
            while not _ready(http):
                if process.poll() is not None or time.perf_counter() - began > _PATIENCE_S:
                    raise RuntimeError(
                        f"the node is not ready: {(folder.parent / 'log').read_text()[-2000:]}"
                    )
                time.sleep(0.005)
            yield psutil.Process(process.pid), time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(30)


def _ready(http: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def _imported() -> Iterator[tuple[psutil.Process, float]]:
    """The same of a Python that imports the libraries and waits."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", _BARE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield psutil.Process(process.pid), time.perf_counter() - began
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(30)


def _resident_mb(process: psutil.Process) -> float:
    """Resident megabytes (10⁶ bytes) of the process and of all its children."""
    everyone = [process, *process.children(recursive=True)]
    return sum(each.memory_info().rss for each in everyone) / 1e6


@benchmark("node.ready", unit="s", aim=2.0, better="lower")
def ready(workspace: Workspace) -> Measured:
    """Median of some starts of a node that has nothing to catch up with."""
    folder = workspace.folder / "village"
    http = _make(folder)
    ours, theirs = [], []
    for _ in range(_STARTS):
        with _running(folder, http) as (_, seconds):
            ours.append(seconds)
        with _imported() as (_, seconds):
            theirs.append(seconds)
    return Measured(statistics.median(ours), "importing its libraries", statistics.median(theirs))


@benchmark("node.idle_rss", unit="MB", aim=150.0, better="lower")
def idle_rss(workspace: Workspace) -> Measured:
    """After some seconds without work."""
    folder = workspace.folder / "village"
    http = _make(folder)
    with _running(folder, http) as (process, _):
        time.sleep(_IDLE_S)
        ours = _resident_mb(process)
    with _imported() as (process, _):
        theirs = _resident_mb(process)
    return Measured(ours, "a Python with its libraries imported", theirs)
