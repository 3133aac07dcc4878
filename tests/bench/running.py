"""Real node processes for benchmarks: made by ``zongheng init``, run by ``zongheng run``, ended by their process id."""

import json
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

_PORTS = iter(random.sample(range(20_000, 32_000), 12_000))

PATIENCE_S = 60.0
"""How long a node may take to be made, to become ready and to stop."""


@dataclass(frozen=True, slots=True)
class Made:
    """A node's folder and addresses."""

    folder: Path
    node: str
    grpc: str
    http: str


def free_address() -> str:
    """A loopback address that nobody listens on just now; none is given twice.

    Its port lies below those that the kernel hands out for outgoing connections.
    """
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"127.0.0.1:{port}"
    raise RuntimeError("no free port on 127.0.0.1")


def make(folder: Path, *, tier: str = "village", division: str = "990121101201") -> Made:
    """A node that was never run and whose cards wait for nobody's confirmation."""
    made = Made(folder, division, free_address(), free_address())
    command = [sys.executable, "-m", "node", "init", str(folder), "--tier", tier, "--name", tier]
    command += ["--division", division, "--grpc", made.grpc, "--http", made.http, "--no-confirm"]
    command += ["--enrolment", free_address()]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    if done.returncode:
        raise RuntimeError(f"no node could be made: {done.stderr}")
    return made


@contextmanager
def running(*nodes: Made, patience_s: float = PATIENCE_S) -> Iterator[tuple[psutil.Process, float]]:
    """The process of one node, or of several, and the seconds from its start until all said that they are ready."""
    made = nodes[0]
    log_file = made.folder.with_name(made.folder.name + ".log")
    with log_file.open("ab") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "node", "run", *(str(one.folder) for one in nodes)], stdout=log, stderr=log
        )
        try:
            while not all(is_ready(one.http) for one in nodes):
                if process.poll() is not None or time.perf_counter() - began > patience_s:
                    raise RuntimeError(f"the node is not ready: {log_file.read_text()[-2000:]}")
                time.sleep(0.005)
            yield psutil.Process(process.pid), time.perf_counter() - began
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def join(child: Made, tier: str, parent: Made) -> None:
    """The running parent invites, the running child joins."""
    token = _post(parent.http, "/api/invitations", {"node": child.node, "tier": tier})["token"]
    joined = _post(child.http, "/api/join", {"parent": parent.grpc, "token": token})
    if not joined["joined"]:
        raise RuntimeError(f"{child.node} did not join {parent.node}: {joined}")


def _post(http: str, path: str, body: dict[str, str]) -> dict[str, object]:
    request = urllib.request.Request(
        f"http://{http}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        decoded: dict[str, object] = json.load(answer)
        return decoded


def is_ready(http: str) -> bool:
    """Whether the node at ``http`` says that it is ready."""
    try:
        with urllib.request.urlopen(f"http://{http}/readyz", timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def settle(made: Made, patience_s: float = 300.0) -> float:
    """Wait until the running node has projected and judged everything it journalled; returns the seconds it took."""
    began = time.perf_counter()
    while True:
        with urllib.request.urlopen(f"http://{made.http}/api/status", timeout=patience_s) as answer:
            status = json.load(answer)
        if status["cursors"]["facts"] == status["journal"]["size"] and not status["due"]:
            return time.perf_counter() - began
        if time.perf_counter() - began > patience_s:
            raise RuntimeError(f"{made.node} is still behind: {status['cursors']}, {status['due']} due")
        time.sleep(0.5)


def resident_mb(process: psutil.Process) -> float:
    """Resident megabytes (10⁶ bytes) of the process and of all its children."""
    everyone = [process, *process.children(recursive=True)]
    return sum(each.memory_info().rss for each in everyone) / 1e6
