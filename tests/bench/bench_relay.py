"""How many entries a second pass one hop between two nodes, each verified and durable before it is acknowledged.

A town holds a backlog that it took in while its county was down; the county is started, the town finds it, and the journal
goes up. Both are real node processes. A second counts from the first batch that is durable at the county to the last, as its database says;
the county's projections follow by cursor in the same process, as always. Beside it: SQLite alone inserting the same bytes, as many rows a commit
as the link's batches have, with nothing else running; and NATS JetStream mirroring the same entries over a leaf link (see `jetstream`), which neither
verifies nor syncs them.
"""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from handing import batches, send
from measure import Measured, Workspace, benchmark
from raw import leaves, seconds_to_insert
from running import Made, join, make, resident_mb, running, settle

from federation.link.relay import Window

_EVENTS = 200_000
_PATIENCE_S = 120.0


@contextmanager
def _backlog(workspace: Workspace) -> Iterator[tuple[Made, Made, int]]:
    """A county that is not running and a running town with entries for it, and how many."""
    county = make(workspace.folder / "county", tier="county", division="990121")
    town = make(workspace.folder / "town", tier="town", division="990121101")
    with (town.folder / "node.toml").open("a", encoding="utf-8") as settings:
        settings.write("longest_rest_s = 1.0\n")
    with running(town):
        with running(county):
            join(town, "town", county)
        asyncio.run(send(town, batches(1, _EVENTS)))
        settle(town)
        yield county, town, len(leaves(town))


def _relayed(workspace: Workspace) -> tuple[float, list[bytes]]:
    """Entries a second from the first batch of the backlog that the county holds to all of it, and the entries."""
    with _backlog(workspace) as (county, town, size):
        known = _held(county, town)
        with running(county) as (process, _):
            held = partial(_held, county, town)
            first = _await(held, known + 1)
            began = time.perf_counter()
            last = _await(held, size)
            seconds = time.perf_counter() - began
            print(
                f"  {last - first:,} entries, {seconds:.2f} s, county {resident_mb(process):.0f} MB",
                file=sys.stderr,
            )
        return (last - first) / seconds, leaves(county, origin=town.node)


def _held(county: Made, town: Made) -> int:
    """How many of the town's entries the county holds."""
    with closing(sqlite3.connect(f"file:{county.folder / 'store.sqlite'}?mode=ro", uri=True)) as store:
        row = store.execute("SELECT size FROM log WHERE origin = ?", (town.node,)).fetchone()
        return row[0] if row else 0


def _await(held: Callable[[], int], size: int) -> int:
    """Wait until so many entries are held; returns how many there are then."""
    end = time.perf_counter() + _PATIENCE_S
    while (now := held()) < size:
        if time.perf_counter() > end:
            raise RuntimeError(f"the county holds {now} of {size} entries")
        time.sleep(0.002)
    return now


@benchmark("relay.hop", unit="entries/s", aim=50_000, better="higher")
def hop(workspace: Workspace) -> Measured:
    """A town's backlog to its county."""
    rate, entries = _relayed(workspace)
    rows = Window().batch_entries
    raw = seconds_to_insert(workspace.folder, entries, rows)
    return Measured(rate, f"sqlite3.executemany, {rows} rows a commit", len(entries) / raw)


@benchmark("relay.vs_jetstream", unit="entries/s", better="higher")
async def vs_jetstream(workspace: Workspace) -> Measured:
    """The same; then the same entries as messages."""
    from jetstream import mirrored, program  # make bench installs its client

    program()
    rate, entries = await asyncio.to_thread(_relayed, workspace)
    seconds = await mirrored(workspace.folder, entries)
    return Measured(rate, "JetStream mirror over a leaf link, without durability", len(entries) / seconds)
