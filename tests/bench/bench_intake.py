"""How many events a second a running node makes durable, beside SQLite alone writing the same bytes.

A real node process takes batches over its intake socket: dedupe, checks, hashing, journal, signature and fsync before each
answer, while its projections follow by cursor in the same process. The peer is ``executemany`` of the very leaves that the node wrote,
with as many rows to a commit as the node's commits had on average, WAL and ``synchronous=FULL`` as at the node, with nothing else running.
"""

import asyncio
import sqlite3
import sys
import time
from itertools import chain, islice
from pathlib import Path

import grpc.aio
from measure import Measured, Workspace, benchmark
from running import Made, make, running, settle
from synthetic import EVENTS_A_CASE, as_submission, cases
from zongheng.v1.intake_pb2 import SubmitRequest, SubmitResponse

from node import control

_BATCH = 2_000
_EVENTS = 300_000
_WARM_UP = 20_000
_IN_FLIGHT = 4

_SUBMIT = "/zongheng.v1.IntakeService/Submit"


def _batches(seed: int, events: int) -> list[bytes]:
    """Whole requests as bytes: what a sender's own work costs is not measured."""
    stream = chain.from_iterable(cases(seed, events // EVENTS_A_CASE))
    made = []
    for number in range(events // _BATCH):
        submissions = [
            as_submission(event, f"{seed}-{number}-{place}")
            for place, event in enumerate(islice(stream, _BATCH))
        ]
        made.append(SubmitRequest(source="bench", submissions=submissions).SerializeToString())
    return made


async def _send(made: Made, batches: list[bytes]) -> tuple[float, list[int]]:
    """Seconds until every batch was answered, and the journal's sizes that the answers named."""
    waiting = iter(batches)
    sizes: list[int] = []
    with control.short_path(made.folder, control.INTAKE) as path:
        async with grpc.aio.insecure_channel(f"unix:{path}") as channel:
            submit = channel.unary_unary(_SUBMIT, response_deserializer=SubmitResponse.FromString)

            async def sender() -> None:
                for batch in waiting:
                    answer = await submit(batch)
                    if answer.accepted != _BATCH:
                        raise RuntimeError(f"{_BATCH} events were sent and {answer.accepted} accepted")
                    sizes.append(answer.journal_size)

            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for _ in range(_IN_FLIGHT):
                    group.create_task(sender())
            return time.perf_counter() - began, sizes


def _leaves(store: Path, first: int) -> list[bytes]:
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT leaf FROM journal WHERE idx >= ? ORDER BY idx", (first,)).fetchall()
    connection.close()
    return [leaf for (leaf,) in rows]


def _raw(file: Path, leaves: list[bytes], commit: int) -> float:
    """Seconds in which SQLite alone writes the leaves."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE journal (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")
        rows = list(enumerate(leaves))
        began = time.perf_counter()
        for start in range(0, len(rows), commit):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO journal VALUES (?, ?)", rows[start : start + commit])
            connection.execute("COMMIT")
        return time.perf_counter() - began
    finally:
        connection.close()


@benchmark("intake.sqlite", unit="events/s", aim=50_000, better="higher")
def intake(workspace: Workspace) -> Measured:
    """Batches of 2,000 events over gRPC, four in flight."""
    made = make(workspace.folder / "county", tier="county", division="990121")
    warm_up, batches = _batches(1, _WARM_UP), _batches(2, _EVENTS)
    with running(made):
        asyncio.run(_send(made, warm_up))
        settle(made)
        seconds, sizes = asyncio.run(_send(made, batches))
    commits = len(set(sizes))
    leaves = _leaves(made.folder / "store.sqlite", min(sizes) - _BATCH)
    commit = max(1, _EVENTS // commits)
    raw = min(_raw(workspace.folder / f"raw-{turn}.sqlite", leaves, commit) for turn in range(3))
    print(
        f"  {_EVENTS:,} events, {commits} commits, {seconds:.2f} s",
        file=sys.stderr,
    )
    beside = f"sqlite3.executemany, {_EVENTS // commits:,} rows a commit"
    return Measured(_EVENTS / seconds, beside, len(leaves) / raw)
