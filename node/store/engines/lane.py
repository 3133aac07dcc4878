"""One SQLite connection on one thread of its own, and SQLite's errors in the house's words.

What is asked of a lane is done in the order it was asked, so a rollback needs no waiting for: it comes before whatever the lane
is asked next. Cancelling whoever waits does not interrupt a statement that runs.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from node.store.errors import (
    StoreConflict,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)

T = TypeVar("T")

BUSY_MS: Final = 10_000
"""How long SQLite waits for a lock of another process, for instance a backup."""


class Lane:
    """One connection on one thread."""

    def __init__(self, path: Path, *, writes: bool, synchronous: str = "FULL") -> None:
        self._thread = ThreadPoolExecutor(1, f"sqlite-{'writer' if writes else 'reader'}")
        self._path, self._writes, self._synchronous = path, writes, synchronous
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> Self:
        try:
            await self.call(self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    def _open(self) -> None:
        connection = sqlite3.connect(
            self._path,
            timeout=BUSY_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        if self._writes:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
            connection.execute("PRAGMA journal_size_limit = 67108864")
        else:
            connection.execute("PRAGMA query_only = ON")
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreUnreachable("the store is closed")
        return self._connection

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run on this lane's thread, after whatever was asked of it before."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)
        except sqlite3.Error as error:
            raise _translated(error, self._path) from error
        except RuntimeError as error:
            raise StoreUnreachable("the store is closed") from error

    def roll_back(self) -> None:
        """Give up what is open. Not waited for: the thread does it before whatever is asked of it next."""
        self._thread.submit(self._roll_back)

    def _roll_back(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await self.call(self._close)
        self._thread.shutdown(wait=True)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _translated(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return StoreFull(
                f"no room left for {path}: free space on its disk; nothing of this write was kept"
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreLocked(
                f"{path} is locked by another process for over {BUSY_MS // 1000} s: find and stop it"
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return StoreDamaged(f"{path} is not a sound database ({error}): restore it from a backup")
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return StoreUnreachable(
                f"{path} cannot be opened ({error}): check that its folder exists and is ours"
            )
        case sqlite3.SQLITE_READONLY:
            return StoreReadOnly(
                f"{path} cannot be written ({error}): check rights and how its disk is mounted"
            )
        case sqlite3.SQLITE_IOERR:
            return StoreError(f"reading or writing {path} failed ({error}): check the disk")
        case sqlite3.SQLITE_CONSTRAINT:
            return StoreConflict(f"{path}: {error}")
        case _:
            return StoreError(f"{path}: {error}")
