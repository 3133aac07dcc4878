"""How many events a second a running node makes durable, beside SQLite alone writing the same bytes.

A real node process takes batches over its intake socket: dedupe, checks, hashing, journal, signature and fsync before each
answer, while its projections follow by cursor in the same process. The peer is ``executemany`` of the very leaves that the node wrote,
with as many rows to a commit as the node's commits had on average, WAL and ``synchronous=FULL`` as at the node, with nothing else running.
"""

import asyncio
import sys

from handing import BATCH, batches, send
from measure import Measured, Workspace, benchmark
from raw import leaves, seconds_to_insert
from running import make, running, settle

_EVENTS = 300_000
_WARM_UP = 20_000


@benchmark("intake.sqlite", unit="events/s", aim=50_000, better="higher")
def intake(workspace: Workspace) -> Measured:
    """Batches of 2,000 events over gRPC, four in flight."""
    made = make(workspace.folder / "county", tier="county", division="990121")
    warm_up, rush = batches(1, _WARM_UP), batches(2, _EVENTS)
    with running(made):
        asyncio.run(send(made, warm_up))
        settle(made)
        seconds, sizes = asyncio.run(send(made, rush))
    commits = len(set(sizes))
    written = leaves(made, min(sizes) - BATCH)
    raw = seconds_to_insert(workspace.folder, written, max(1, _EVENTS // commits))
    print(
        f"  {_EVENTS:,} events, {commits} commits, {seconds:.2f} s",
        file=sys.stderr,
    )
    beside = f"sqlite3.executemany, {_EVENTS // commits:,} rows a commit"
    return Measured(_EVENTS / seconds, beside, len(written) / raw)
