"""What SQLite alone does with the leaves that a node wrote: the limit that intake and relay approach."""

import sqlite3
import time
from pathlib import Path

from running import Made


def leaves(made: Made, first: int = 0, origin: str = "") -> list[bytes]:
    """The stored leaves of one of a node's journals, its own by default, from index ``first`` on."""
    with sqlite3.connect(f"file:{made.folder / 'store.sqlite'}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT leaf FROM journal WHERE origin = ? AND idx >= ? ORDER BY idx",
            (origin or made.node, first),
        ).fetchall()
    connection.close()
    return [leaf for (leaf,) in rows]


def seconds_to_insert(folder: Path, written: list[bytes], commit: int, turns: int = 3) -> float:
    """Seconds for ``executemany`` of the leaves, ``commit`` rows a transaction, WAL and ``synchronous=FULL`` as at a node.

    The best of some turns, each into a file of its own.
    """
    return min(_insert(folder / f"raw-{turn}.sqlite", written, commit) for turn in range(turns))


def _insert(file: Path, written: list[bytes], commit: int) -> float:
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE journal (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")
        rows = list(enumerate(written))
        began = time.perf_counter()
        for start in range(0, len(rows), commit):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO journal VALUES (?, ?)", rows[start : start + commit])
            connection.execute("COMMIT")
        return time.perf_counter() - began
    finally:
        connection.close()
