"""What is left in memory of those who came to watch and went again.

A running node with one camera, its web server and its media worker; others come over WHEP, stay half a second and go: most say so, some hang up, some are never heard of
again. `JOINS_SECONDS=3600 make bench ONLY=video.joins_memory` does it for an hour; else it takes two minutes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psutil
from measure import Measured, Workspace, benchmark
from watchers_pool import HERE, own_address

from tests.e2e.filmed import film
from tests.e2e.tree import Tree, until

_SECONDS: Final = float(os.environ.get("JOINS_SECONDS", "120"))
_SOME: Final = 40
_WARM: Final = 400
"""So many come before memory is looked at for the first time: pools and caches have their size by then."""
_GONE_S: Final = 45.0
"""After the last came, so long until those who were never heard of again are given up."""


@contextmanager
def _coming(url: str) -> Iterator[Callable[[int], tuple[int, int]]]:
    """Have some come and go; answers with how many came and were refused in all."""
    with subprocess.Popen(
        [sys.executable, str(HERE / "comers.py"), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "ADDRESS": own_address()},
    ) as process:  # fmt: skip

        def come(count: int) -> tuple[int, int]:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{count}\n")
            process.stdin.flush()
            told = json.loads(process.stdout.readline() or "{}")
            return told["came"], told["refused"]

        try:
            yield come
        finally:
            process.terminate()


def _resident_mb(process: psutil.Process) -> list[float]:
    """Megabytes (10⁶ bytes) of the node, and of each process that it started."""
    everyone = [process, *process.children(recursive=True)]
    return [each.memory_info().rss / 1e6 for each in everyone]


@benchmark("video.joins_memory", unit="MB/1,000 joins", aim=2.0, better="lower")
def joins_memory(workspace: Workspace) -> Measured:
    """What the node and its worker grow by for each thousand that came and went."""
    (workspace.folder / "tree").mkdir()
    with Tree(workspace.folder / "tree") as tree:
        village = tree.add("village", "990121101201").start()
        clip = film(workspace.folder / "hall.mp4")
        village.post("/api/cameras", {"camera": {"code": "hall", "name": "hall", "address": f"file:{clip}"}})
        until("the camera is seen", lambda: village.get("/api/streams")["streams"])
        assert village.process is not None
        process = psutil.Process(village.process.pid)
        url = f"http://{village.http}/api/whep/{village.code}/hall/main"
        with _coming(url) as come:
            came, _ = come(_WARM)
            time.sleep(_GONE_S)
            before, began, mb = came, time.monotonic(), _resident_mb(process)
            _say(came, mb)
            while time.monotonic() - began < _SECONDS:
                came, refused = come(_SOME)
            time.sleep(_GONE_S)
            after = _resident_mb(process)
            _say(came, after)
    print(f"  {refused} refused", file=sys.stderr)
    return Measured(max(sum(after) - sum(mb), 0.001) / (came - before) * 1_000)


def _say(came: int, mb: list[float]) -> None:
    print(f"  after {came}: {' + '.join(f'{one:.1f}' for one in mb)} MB", file=sys.stderr)
