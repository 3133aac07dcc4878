"""The process of those who watch (`watchers.py`), and what a server costs meanwhile."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

HERE = Path(__file__).resolve().parent


def own_address() -> str:
    """An address of this machine that is not loopback, since Janus offers no other; loopback where there is none. What goes there stays on the machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen in some seconds."""

    ms: float
    """CPU of the server per viewer and second, in milliseconds."""
    lost: float
    """Share of the packets that did not arrive."""
    core: float
    """Of a core that the server took."""
    first_ms: list[float]
    """From the wish to watch to the first packet, per viewer, sorted."""


class Pool:
    """Viewers in a process of their own."""

    def __init__(self, process: "subprocess.Popen[str]", server: int) -> None:
        self._process = process
        self._server = psutil.Process(server)
        self.count = 0

    def join(self, more: int) -> None:
        self.count = self._ask(f"+{more}")["connected"]

    def window(self, seconds: float) -> Window:
        """Let them watch for so long."""
        cpu, began = self._cpu(), time.monotonic()
        told = self._ask(f"{seconds}")
        took, cpu = time.monotonic() - began, self._cpu() - cpu
        if not told["received"]:
            raise RuntimeError("nobody received anything")
        return Window(
            1_000 * cpu / took / self.count,
            max(0, told["lost"]) / (told["received"] + max(0, told["lost"])),
            cpu / took,
            told["first_ms"],
        )

    def _cpu(self) -> float:
        times = self._server.cpu_times()
        return float(times.user + times.system)

    def _ask(self, line: str) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("those who watch ended")
        told: dict[str, Any] = json.loads(answer)
        return told


@contextmanager
def watching(kind: str, where: str, server: int) -> Iterator[Pool]:
    """Nobody yet, who can join the server of this kind at ``where``; ``server`` is its pid."""
    command = [sys.executable, str(HERE / "watchers.py"), kind, where]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "ADDRESS": own_address()},
    ) as process:
        try:
            yield Pool(process, server)
        finally:
            process.terminate()


@contextmanager
def ours(folder: Path, clip: Path) -> Iterator[tuple[int, str]]:
    """Our own fan-out; its pid and its socket."""
    path = folder / "s"
    with subprocess.Popen(
        [sys.executable, str(HERE / "streaming.py"), str(path), str(clip), own_address()],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the server did not start")
            yield process.pid, str(path)
        finally:
            process.terminate()
