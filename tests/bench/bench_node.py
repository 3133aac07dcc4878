"""How small an idle village node is and how soon it is ready, beside a Python that only imports the same libraries."""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from measure import Measured, Workspace, benchmark
from running import make, resident_mb, running

_STARTS = 5
_HOSTED = 20
_IDLE_S = 10.0

_LIBRARIES = "import asyncio, fastapi, grpc.aio, polars, pydantic_settings, structlog, tortoise, uvicorn"
"""What any node has to import before it can do anything: the limit that its start and its size approach."""

_BARE = f"{_LIBRARIES}\nprint('ready', flush=True)\nimport sys\nsys.stdin.read()"


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


@benchmark("node.ready", unit="s", aim=2.0, better="lower")
def ready(workspace: Workspace) -> Measured:
    """Median of some starts of a node that has nothing to catch up with."""
    made = make(workspace.folder / "village")
    ours, theirs = [], []
    for _ in range(_STARTS):
        with running(made) as (_, seconds):
            ours.append(seconds)
        with _imported() as (_, seconds):
            theirs.append(seconds)
    return Measured(statistics.median(ours), "importing its libraries", statistics.median(theirs))


@benchmark("node.idle_rss", unit="MB", aim=150.0, better="lower")
def idle_rss(workspace: Workspace) -> Measured:
    """After some seconds without work."""
    made = make(workspace.folder / "village")
    with running(made) as (process, _):
        time.sleep(_IDLE_S)
        ours = resident_mb(process)
    with _imported() as (process, _):
        theirs = resident_mb(process)
    return Measured(ours, "a Python with its libraries imported", theirs)


@benchmark("node.hosted_rss", unit="MB", better="lower")
def hosted_rss(workspace: Workspace) -> Measured:
    """What each further village takes in a process that hosts it beside others, beside a process of its own."""
    villages = [
        make(workspace.folder / f"village-{number}", division=f"990121101{201 + number}")
        for number in range(_HOSTED)
    ]
    with running(villages[0]) as (process, _):
        time.sleep(_IDLE_S)
        alone = resident_mb(process)
    with running(*villages) as (process, _):
        time.sleep(_IDLE_S)
        together = resident_mb(process)
    print(f"  one {alone:.0f} MB, {_HOSTED} {together:.0f} MB", file=sys.stderr)
    return Measured((together - alone) / (_HOSTED - 1), "a village in a process of its own", alone)
