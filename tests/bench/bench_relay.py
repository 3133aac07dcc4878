"""How many entries a second pass one hop between two nodes, each verified and durable before it is acknowledged.

A town that is up to date with itself and has never met its parent holds a backlog; the county is started, the town finds it, and the journal
goes up. Both are real node processes. A second counts from the first batch that is durable at the county to the last, as its database says;
the county's projections follow by cursor in the same process, as always. Beside it: SQLite alone inserting the same bytes, as many rows a commit
as the link's batches have, with nothing else running.
"""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from handing import batches, send
from measure import Measured, Workspace, benchmark
from raw import leaves, seconds_to_insert
from running import Made, make, resident_mb, running, settle

from federation.link.relay import Window

_EVENTS = 200_000
_PATIENCE_S = 120.0


@contextmanager
def _backlog(workspace: Workspace) -> Iterator[tuple[Made, Made, int]]:
    """A county that was never run and a running town with entries for it, and how many."""
    county = make(workspace.folder / "county", tier="county", division="990121")
    town = make(workspace.folder / "town", tier="town", division="990121101", parent=county.grpc)
    with running(town):
        asyncio.run(send(town, batches(1, _EVENTS)))
        settle(town)
        yield county, town, len(leaves(town))


def relayed(county: Made, town: Made, size: int) -> tuple[float, int]:
    """Seconds from the first size above zero that the county holds to all, and the number of entries in between."""
    with closing(sqlite3.connect(f"file:{county.folder / 'store.sqlite'}?mode=ro", uri=True)) as store:
        began, first, held = 0.0, 0, 0
        end = time.perf_counter() + _PATIENCE_S
        while held < size:
            if time.perf_counter() > end:
                raise RuntimeError(f"the county holds {held} of {size} entries")
            row = store.execute("SELECT size FROM log WHERE origin = ?", (town.node,)).fetchone()
            held = row[0] if row else 0
            if held and not began:
                began, first = time.perf_counter(), held
            time.sleep(0.002)
        return time.perf_counter() - began, held - first


@benchmark("relay.hop", unit="entries/s", aim=50_000, better="higher")
def hop(workspace: Workspace) -> Measured:
    """A town's backlog to its county."""
    with _backlog(workspace) as (county, town, size), running(county) as (process, _):
        seconds, entries = relayed(county, town, size)
        print(
            f"  {entries:,} entries, {seconds:.2f} s, county {resident_mb(process):.0f} MB", file=sys.stderr
        )
        written = leaves(county, origin=town.node)
    rows = Window().batch_entries
    raw = seconds_to_insert(workspace.folder, written, rows)
    return Measured(entries / seconds, f"sqlite3.executemany, {rows} rows a commit", len(written) / raw)
