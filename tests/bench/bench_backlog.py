"""How long a town takes to catch up with a hundred villages after seven days without a link, and how much memory that takes.

The villages are real nodes, a hundred in one process, all enrolled at the town and each with what the busiest village enters in a week: three cases a
day, eight events each, and the alerts that follow from them. They come back together, as after a power cut, each after a rest of its own. A
second counts from the town's being ready until it holds every entry of every village, has read and folded all of them and compared their figures.
"""

import asyncio
import json
import sys
import time
import urllib.request
from itertools import chain
from pathlib import Path
from typing import Any

import grpc.aio
import psutil
from measure import Measured, Workspace, benchmark
from running import Made, free_address, join, make, resident_mb, running, settle
from synthetic import as_submission, cases
from zongheng.v1.intake_pb2 import SubmitRequest
from zongheng.v1.intake_pb2_grpc import IntakeServiceStub

from node import config, control

_VILLAGES = 100
_CASES = 3 * 7
_PATIENCE_S = 600.0


def _village(folder: Path, number: int) -> Made:
    """A village of the town, made as `zongheng init` makes it, a hundred times faster."""
    code = f"990121101{201 + number:03d}"
    made = Made(folder, code, free_address(), free_address())
    config.initialise(
        folder,
        tier="village",
        name=f"village {number}",
        division=code,
        grpc=made.grpc,
        http=made.http,
        enrolment=free_address(),
        confirm=False,
    )
    with (folder / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write("longest_rest_s = 5.0\n")
    return made


async def _hand_in(villages: list[Made]) -> None:
    for number, village in enumerate(villages):
        events = chain.from_iterable(cases(number, _CASES, village.node))
        submissions = [as_submission(event, f"s{place}") for place, event in enumerate(events)]
        with control.short_path(village.folder, control.INTAKE) as path:
            async with grpc.aio.insecure_channel(f"unix:{path}", options=control.DOOR_OPTIONS) as channel:
                answer = await IntakeServiceStub(channel).Submit(  # type: ignore[misc]
                    SubmitRequest(source="bench", submissions=submissions)
                )
        if answer.accepted != len(submissions):
            raise RuntimeError(f"{len(submissions)} events were sent and {answer.accepted} accepted")


def _status(made: Made) -> Any:
    with urllib.request.urlopen(f"http://{made.http}/api/status", timeout=60) as answer:
        return json.load(answer)


def _caught_up(town: Made, sizes: dict[str, int]) -> float:
    """Wait until the town is through with all of it; returns the seconds until it held all of it."""
    began = time.perf_counter()
    held_after = 0.0
    while True:
        children = {child["node"]: child for child in _status(town)["children"]}
        missing = [code for code, size in sizes.items() if (children[code]["held"] or 0) < size]
        if not missing and not held_after:
            held_after = time.perf_counter() - began
        if all((children[code]["compared"] or 0) >= size for code, size in sizes.items()):
            return held_after
        if time.perf_counter() - began > _PATIENCE_S:
            raise RuntimeError(f"{len(missing)} of {len(sizes)} villages are not held")
        time.sleep(0.25)


def _peak_mb(process: psutil.Process) -> float:
    """The most memory (10⁶ bytes) that the process ever had resident."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1_024 / 1e6


@benchmark("backlog.100_villages", unit="s", better="lower")
def backlog(workspace: Workspace) -> Measured:
    """Beside it: the same town with nobody below it that is behind, from start to ready."""
    town = make(workspace.folder / "town", tier="town", division="990121101")
    villages = [_village(workspace.folder / f"village-{number}", number) for number in range(_VILLAGES)]
    with running(*villages, patience_s=_PATIENCE_S) as (hosting, _):
        with running(town):
            for village in villages:
                join(village, "village", town)
        asyncio.run(_hand_in(villages))
        for village in villages:
            settle(village)
        sizes = {village.node: _status(village)["journal"]["size"] for village in villages}
        with running(town) as (process, ready_s):
            began = time.perf_counter()
            held_s = _caught_up(town, sizes)
            seconds = time.perf_counter() - began
            print(
                f"  {sum(sizes.values()):,} entries of {_VILLAGES} villages: held after {held_s:.1f} s, through after {seconds:.1f} s;"
                f" town at most {_peak_mb(process):.0f} MB, the villages' process {resident_mb(hosting):.0f} MB",
                file=sys.stderr,
            )
            return Measured(seconds, "the town's own start", ready_s)
