"""SQLite in a file: the embedded default, from a village's small box to a county.

One connection on a thread of its own writes; a few more, each on its own thread, read. With WAL a reader keeps its snapshot
while the writer goes on, and neither waits for the other (a connection shared by both made a reader wait 0.8 s behind a
transaction of 1 s). ``synchronous=FULL``: when ``write()`` returns, the WAL has been fsynced, and a power cut loses nothing.

A lock file beside the database keeps a second process from writing; the system lets go of it when the process dies, however it
dies. Bulk rows go in as one statement with many VALUES: ``executemany`` gives the interpreter lock away at every row, and under
a busy event loop has to wait, row by row, to get it back.
"""

import asyncio
import fcntl
import functools
import os
import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self

import orjson

from node.store.engine import Dialect, Row, finished, pieces
from node.store.engines.lane import Lane
from node.store.errors import (
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)

READERS: Final = 6
"""Most connections that read at the same time; a seventh reader waits for one of them."""

_MEMBERSHIP: Final = re.compile(r"=\s*ANY\(\?\)", re.IGNORECASE)
_ROWS_AT_ONCE: Final = 256
_PARAMETERS_AT_ONCE: Final = 32_000  # SQLite's own limit is 32,766.


class SqliteTransaction:
    """Statements on one lane, between BEGIN and COMMIT. BEGIN goes with the first statement and costs no hop of its own."""

    def __init__(self, lane: Lane, begin: str) -> None:
        self._lane = lane
        self._begin = begin
        self._begun = False
        self.committed = False

    async def run(self, sql: str, *parameters: Any) -> int:
        return await self._lane.call(self._run, _text(sql), _bound(parameters))

    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        await self._lane.call(self._many, _text(sql), rows)

    async def all(self, sql: str, *parameters: Any) -> list[Row]:
        return await self._lane.call(self._all, _text(sql), _bound(parameters))

    async def one(self, sql: str, *parameters: Any) -> Row | None:
        return await self._lane.call(self._one, _text(sql), _bound(parameters))

    async def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str = ""
    ) -> int:
        if not rows:
            return 0
        return await self._lane.call(self._insert, table, tuple(columns), rows, conflict)

    async def script(self, statements: str) -> None:
        await self._lane.call(self._script, statements)

    def _connection(self) -> sqlite3.Connection:
        """The lane's connection inside the transaction; called on the lane's thread."""
        connection = self._lane.connection
        if not self._begun:
            connection.execute(self._begin)
            self._begun = True
        elif not connection.in_transaction:
            raise sqlite3.OperationalError("the transaction was given up after an earlier error")
        return connection

    def _run(self, sql: str, parameters: Sequence[Any]) -> int:
        return self._connection().execute(sql, parameters).rowcount

    def _many(self, sql: str, rows: Sequence[Row]) -> None:
        self._connection().executemany(sql, rows)

    def _all(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        return self._connection().execute(sql, parameters).fetchall()

    def _one(self, sql: str, parameters: Sequence[Any]) -> Row | None:
        cursor = self._connection().execute(sql, parameters)
        row: Row | None = cursor.fetchone()
        cursor.close()
        return row

    def _insert(self, table: str, columns: tuple[str, ...], rows: Sequence[Row], conflict: str) -> int:
        execute = self._connection().execute
        largest = min(_ROWS_AT_ONCE, _PARAMETERS_AT_ONCE // len(columns))
        written = at = 0
        for count in pieces(len(rows), largest):
            values = list(chain.from_iterable(rows[at : at + count]))
            written += execute(_insert_text(table, columns, count, conflict), values).rowcount
            at += count
        return written

    def _script(self, statements: str) -> None:
        connection = self._connection()
        pending = ""
        for line in statements.splitlines(keepends=True):
            pending += line
            if sqlite3.complete_statement(pending):
                connection.execute(pending)
                pending = ""
        if pending.strip():
            connection.execute(pending)

    def _commit(self) -> None:
        if self._begun:
            self._lane.connection.execute("COMMIT")
        self.committed = True


class SqliteEngine:
    """An open SQLite file. Make it with `open`."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path, *, read_only: bool, synchronous: str) -> None:
        self._path = path
        self.read_only = read_only
        self._synchronous = synchronous
        self._writer: Lane | None = None
        self._writing = asyncio.Lock()
        self._idle: list[Lane] = []
        self._readers = asyncio.Semaphore(READERS)
        self._lock_file: int | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path, *, read_only: bool = False, synchronous: str = "FULL") -> Self:
        """Open the file, made if it is not there, and take its lock.

        Raises StoreLocked when another process holds it, StoreUnreachable when the file cannot be opened, StoreDamaged when it
        is not a database.
        """
        engine = cls(path, read_only=read_only, synchronous=synchronous)
        if read_only:
            if not await asyncio.to_thread(path.is_file):
                raise StoreUnreachable(f"there is no store at {path}")
            return engine
        try:
            engine._lock_file = _lock(path)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # For its owner alone.
            engine._writer = await Lane(path, writes=True, synchronous=synchronous).open()
        except OSError as error:
            await engine.close()
            raise StoreUnreachable(f"{path} cannot be opened: {error.strerror}") from error
        except BaseException:
            await engine.close()
            raise
        return engine

    def write(self) -> AbstractAsyncContextManager[SqliteTransaction]:
        return self._write()

    def read(self) -> AbstractAsyncContextManager[SqliteTransaction]:
        return self._read()

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[SqliteTransaction]:
        if self.read_only:
            raise StoreReadOnly("the store was opened for reading only")
        async with self._writing:
            lane = self._writer
            if lane is None:
                raise StoreUnreachable("the store is closed")
            transaction = SqliteTransaction(lane, "BEGIN IMMEDIATE")
            try:
                yield transaction
                await finished(lane.call(transaction._commit))
            finally:
                if not transaction.committed:
                    lane.roll_back()

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[SqliteTransaction]:
        async with self._readers:
            if self._closed:
                raise StoreUnreachable("the store is closed")
            lane = self._idle.pop() if self._idle else await Lane(self._path, writes=False).open()
            try:
                yield SqliteTransaction(lane, "BEGIN")
            finally:
                lane.roll_back()
                self._idle.append(lane)

    async def refresh(self) -> None:
        """SQLite needs no knowledge of its tables."""

    async def close(self) -> None:
        self._closed = True
        async with self._writing:
            for _ in range(READERS):
                await self._readers.acquire()
            try:
                while self._idle:
                    await self._idle.pop().close()
                if self._writer is not None:
                    await self._writer.close()
                    self._writer = None
                if self._lock_file is not None:
                    os.close(self._lock_file)
                    self._lock_file = None
            finally:
                for _ in range(READERS):
                    self._readers.release()


def _lock(path: Path) -> int:
    """Take the lock file beside the database; it belongs to this process until it is closed."""
    name = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnreachable(
            f"cannot write {name}: {error.strerror}; check that its folder exists and is ours"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreLocked(
            f"another process writes {path}: stop the node that runs on it, or open it for reading only"
        ) from error
    return descriptor


@functools.lru_cache(maxsize=1024)
def _text(sql: str) -> str:
    return _MEMBERSHIP.sub("IN (SELECT value FROM json_each(?))", sql)


@functools.lru_cache(maxsize=1024)
def _insert_text(table: str, columns: tuple[str, ...], count: int, conflict: str) -> str:
    row = f"({','.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {','.join([row] * count)} {conflict}"


def _bound(parameters: Sequence[Any]) -> Sequence[Any]:
    if any(type(value) in (list, tuple) for value in parameters):
        return [
            orjson.dumps(value).decode() if isinstance(value, (list, tuple)) else value
            for value in parameters
        ]
    return parameters
