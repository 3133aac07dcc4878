"""How long an event takes from a village to a red card stored at the city: three hops, every node a process of its own.

Idle nodes, cards that wait for nobody. Each event makes a new case red; the clock starts before it is handed in over the village's intake
socket and stops when the city's own journal holds the ``Forwarded`` entry, as a reader of the city's store sees it. The peer is one small
durable commit of SQLite for each tier on the same disk: what four nodes that each sync once would take at the very least.
"""

import asyncio
import contextlib
import json
import math
import sqlite3
import statistics
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import grpc.aio
from measure import Measured, Workspace, benchmark
from running import PATIENCE_S, Made, join, make, running
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.intake_pb2 import Submission, SubmitRequest
from zongheng.v1.intake_pb2_grpc import IntakeServiceStub

from node import control

_EVENTS = 20
_TIERS = (
    ("city", "990100"),
    ("county", "990121"),
    ("town", "990121101"),
    ("village", "990121101201"),
)
_DAY_US = 86_400_000_000
_REST_S = 0.6
_PATIENCE_S = 20.0


def _tree(folder: Path) -> list[Made]:
    """A city, a county, a town and a village, each to be the child of the one before."""
    made: list[Made] = []
    for tier, division in _TIERS:
        made.append(make(folder / tier, tier=tier, division=division))
    return made


def _late_case(number: int) -> SubmitRequest:
    """One event of a new case whose deadline passed long ago."""
    now_us = time.time_ns() // 1_000
    event = CaseEvent(
        case_id=f"{_TIERS[-1][1]}-{number:04d}",
        domain="approval",
        kind="acceptance",
        at_us=now_us - 40 * _DAY_US,
        zone="Asia/Shanghai",
        agency="hall",
        actor="A001",
        item="item01",
        attributes=[Attribute(name="statutory_due_at", integer=now_us - 20 * _DAY_US)],
    )
    return SubmitRequest(source="bench", submissions=[Submission(serial=f"case/{number}", event=event)])


def _arrived(city: sqlite3.Connection, beyond: int, case_id: str) -> int | None:
    """The index at which the city's journal holds the case's red card; None: not yet."""
    rows = city.execute(
        "SELECT idx, leaf FROM journal WHERE origin = ? AND idx > ?", (_TIERS[0][1], beyond)
    ).fetchall()
    for idx, leaf in rows:
        entry = Entry.FromString(leaf)
        if entry.HasField("forwarded"):
            raised = Entry.FromString(entry.forwarded.leaf).alert_raised
            if raised.case_id == case_id and raised.level == 3:
                return int(idx)
    return None


async def _times(village: Made, city: Made) -> list[float]:
    seconds: list[float] = []
    connection = sqlite3.connect(
        f"file:{city.folder / 'store.sqlite'}?mode=ro", uri=True, isolation_level=None
    )
    with (
        contextlib.closing(connection),
        control.short_path(village.folder, control.INTAKE) as path,
    ):
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            stub = IntakeServiceStub(channel)
            position = -1
            for number in range(_EVENTS + 1):
                await asyncio.sleep(_REST_S)
                request = _late_case(number)
                began = time.perf_counter()
                await stub.Submit(request)
                while (found := _arrived(connection, position, request.submissions[0].event.case_id)) is None:
                    if time.perf_counter() - began > _PATIENCE_S:
                        raise RuntimeError(f"the red card of case {number} did not reach the city")
                    await asyncio.sleep(0.002)
                seconds.append(time.perf_counter() - began)
                position = found
    # The first one pays for what every node loads on first use.
    return sorted(seconds[1:])


def _connected(made: list[Made]) -> None:
    """Wait until every child's link stands."""
    began = time.perf_counter()
    for child in made[1:]:
        while True:
            with urlopen(f"http://{child.http}/api/status", timeout=5) as answer:
                if json.load(answer)["link"]["state"] == "linked":
                    break
            if time.perf_counter() - began > PATIENCE_S:
                raise RuntimeError(f"{child.node} does not reach its parent")
            time.sleep(0.05)


def _commits(file: Path) -> float:
    """Median seconds of four durable commits of one row each."""
    connection = sqlite3.connect(file, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE journal (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")
        seconds = []
        for _ in range(_EVENTS):
            began = time.perf_counter()
            for _ in _TIERS:
                connection.execute("INSERT INTO journal (leaf) VALUES (?)", (bytes(300),))
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


@benchmark("alert.to_city", unit="s", aim=0.5, better="lower")
def to_city(workspace: Workspace) -> Measured:
    """The median of twenty events, one at a time."""
    made = _tree(workspace.folder)
    with contextlib.ExitStack() as processes:
        for one in made:
            processes.enter_context(running(one))
        for (tier, _), child, parent in zip(_TIERS[1:], made[1:], made, strict=False):
            join(child, tier, parent)
        _connected(made)
        seconds = asyncio.run(_times(made[-1], made[0]))
    p99 = seconds[math.ceil(0.99 * len(seconds)) - 1]
    median = statistics.median(seconds)
    print(
        f"  {len(seconds)} events: p50 {median * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, fastest {seconds[0] * 1e3:.0f} ms",
        file=sys.stderr,
    )
    return Measured(median, "four durable commits", _commits(workspace.folder / "raw.sqlite"))
