"""What the trunk adds: a hundred streams of 1.5 Mb/s from a village to a city over two relays, and one the other way, everything TLS (see `trunk_line`)."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from measure import Measured, Workspace, benchmark

_LINE = Path(__file__).resolve().parent / "trunk_line.py"


@cache
def _line(*words: str) -> list[dict[str, Any]]:
    """What each node found, the city first."""
    ran = subprocess.run([sys.executable, str(_LINE), *words], capture_output=True, text=True, timeout=300)
    if ran.returncode:
        raise RuntimeError(ran.stderr[-3000:])
    found = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    found.sort(key=lambda one: len(one["node"]))
    (end,) = (one for one in found if "frames" in one)
    cores = ", ".join(f"{one['cores']:.2f}" for one in found)
    shares = ", ".join(f"{one['share']:.0%}" for one in found)
    print(
        f"  {end['frames']:,} frames over three hops: p50 {end['p50_ms']:.2f} ms, p95 {end['p95_ms']:.2f} ms, p99 {end['p99_ms']:.2f} ms; cores from the city down: "
        f"{cores}; of the time that they wanted a processor they had one: {shares}",
        file=sys.stderr,
    )
    return found


@benchmark("video.trunk_100", unit="ms", aim=20, better="lower")
def trunk_100(workspace: Workspace) -> Measured:
    """How late the slowest hundredth of the frames comes, over three hops."""
    return Measured(float(_line()[0]["p99_ms"]))


@benchmark("video.trunk_100_core", unit="cores", aim=0.5, better="lower")
def trunk_100_core(workspace: Workspace) -> Measured:
    """What a relay spends on them."""
    return Measured(max(float(one["cores"]) for one in _line()[1:-1]))


@benchmark("video.trunk_down", unit="ms", aim=20, better="lower")
def trunk_down(workspace: Workspace) -> Measured:
    """How late the slowest hundredth of one stream's frames comes that goes down three hops."""
    return Measured(float(_line("--down")[-1]["p99_ms"]))
