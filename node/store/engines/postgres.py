"""PostgreSQL through asyncpg, for a tier that outgrows one file.

One connection writes, a pool of others reads (REPEATABLE READ, READ ONLY: snapshots that wait for nobody). The writing
connection holds an advisory lock for as long as it lives, so a second process cannot write the same node; when the connection
is lost the lock goes with it, and the next write connects and takes it again before anything else. A commit whose answer was
lost raises ``StoreUnreachable``: the outcome is then unknown.

Bulk rows go in as one array a column (``unnest``): one round trip whatever their number.
"""

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any, Final, Self

import asyncpg

from node.store.engine import Dialect, Row, T, finished
from node.store.errors import (
    StoreConflict,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnreachable,
)

READERS: Final = 8
"""Most connections that read at the same time."""

CONNECT_S: Final = 10.0
"""Seconds the server has to accept a connection."""

LOCK_S: Final = 1.0
"""Seconds to wait for the node's lock when it is opened: a process that was killed just before may still seem to hold it."""

RELOCK_S: Final = 5.0
"""Seconds to wait for the node's own lock after a connection was lost."""

_LOCK: Final = "SELECT pg_try_advisory_lock(hashtextextended('zongheng/' || current_schema(), 0))"
_COLUMNS: Final = "SELECT table_name, column_name, udt_name FROM information_schema.columns WHERE table_schema = current_schema()"
# InternalClientError: a connection that dies between two statements may confuse asyncpg's own state.
_FAILURES: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class PostgresTransaction:
    """Statements on one connection.

    Those of the writer run to their end even when the waiting task is cancelled: asyncpg cancels a statement through a second
    connection, and such a request may arrive late and hit the statement after it.
    """

    def __init__(
        self, connection: Any, types: dict[tuple[str, str], str], server: str, *, writes: bool
    ) -> None:
        self._connection = connection
        self._types = types
        self._server = server
        self._writes = writes
        self._lost = False
        self.committed = False

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Await one exchange with the server, its errors translated."""
        try:
            return await (finished(work) if self._writes else work)
        except _FAILURES as error:
            failure = translated(error, self._server)
            self._lost = isinstance(failure, StoreUnreachable)
            raise failure from error

    async def run(self, sql: str, *parameters: Any) -> int:
        return await self.call(self._run(sql, parameters))

    async def _run(self, sql: str, parameters: Sequence[Any]) -> int:
        if not parameters:
            return _touched(await self._connection.execute(sql))
        statement = await self._connection.prepare(_numbered(sql))
        await statement.fetch(*parameters)
        return _touched(statement.get_statusmsg())

    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        await self.call(self._connection.executemany(_numbered(sql), rows))

    async def all(self, sql: str, *parameters: Any) -> list[Row]:
        return [tuple(row) for row in await self.call(self._connection.fetch(_numbered(sql), *parameters))]

    async def one(self, sql: str, *parameters: Any) -> Row | None:
        row = await self.call(self._connection.fetchrow(_numbered(sql), *parameters))
        return None if row is None else tuple(row)

    async def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str = ""
    ) -> int:
        if not rows:
            return 0
        arrays = ",".join(f"${n}::{self._types[table, column]}[]" for n, column in enumerate(columns, 1))
        sql = f"INSERT INTO {table} ({','.join(columns)}) SELECT * FROM unnest({arrays}) {conflict}"
        return await self.call(self._run(sql, list(zip(*rows, strict=True))))

    async def script(self, statements: str) -> None:
        await self.call(self._connection.execute(statements))

    async def commit(self) -> None:
        """Make it durable. Raises StoreUnreachable when the server's answer was lost."""
        await self.call(self._commit())

    async def _commit(self) -> None:
        status = await self._connection.execute("COMMIT")
        # The server answers ROLLBACK when an earlier statement failed and somebody went on regardless.
        if status != "COMMIT":
            raise StoreError("the transaction was given up after an earlier error")
        self.committed = True

    async def roll_back(self) -> None:
        """Give it up; when the server cannot be told, give up the connection, which does the same."""
        if self._lost:
            self._connection.terminate()
            return
        try:
            await finished(self._connection.execute("ROLLBACK"))
        except _FAILURES:
            self._connection.terminate()


class PostgresEngine:
    """An open database of a server. Make it with `open`."""

    dialect: Dialect = "postgres"

    def __init__(self, url: str, *, read_only: bool) -> None:
        self._url = url
        self._server = _named(url)
        self.read_only = read_only
        self._pool: Any = None
        self._writer: Any = None
        self._writing = asyncio.Lock()
        self._types: dict[tuple[str, str], str] = {}

    @classmethod
    async def open(cls, url: str, *, read_only: bool = False) -> Self:
        """Connect, and take the node's advisory lock unless only reading.

        ``url`` is a libpq URI; what is not a connection setting in its query is a setting of the session, for instance
        ``?search_path=village_1`` for a schema of its own. Raises StoreLocked when another process holds the lock,
        StoreUnreachable when the server does not let us in.
        """
        engine = cls(url, read_only=read_only)
        try:
            engine._pool = await asyncpg.create_pool(url, min_size=0, max_size=READERS, timeout=CONNECT_S)
            await engine.refresh()
            if not read_only:
                await engine._connect(LOCK_S)
        except _FAILURES as error:
            await engine.close()
            raise translated(error, engine._server) from error
        except BaseException:
            await engine.close()
            raise
        return engine

    async def _connect(self, patience_s: float) -> None:
        """Connect the writer and take the lock.

        The server may need a moment to notice that whoever held the lock before is gone: a killed process, our own lost connection.
        """
        end = asyncio.get_running_loop().time() + patience_s
        while True:
            connection = await asyncpg.connect(self._url, timeout=CONNECT_S)
            try:
                if await connection.fetchval(_LOCK):
                    self._writer = connection
                    return
            except BaseException:
                connection.terminate()
                raise
            connection.terminate()
            if asyncio.get_running_loop().time() > end:
                raise StoreLocked(
                    f"another process writes {self._server}: stop the node that runs on it, or open it for reading only"
                )
            await asyncio.sleep(0.1)

    def write(self) -> AbstractAsyncContextManager[PostgresTransaction]:
        return self._write()

    def read(self) -> AbstractAsyncContextManager[PostgresTransaction]:
        return self._read()

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[PostgresTransaction]:
        if self.read_only:
            raise StoreReadOnly("the store was opened for reading only")
        async with self._writing:
            if self._pool is None:
                raise StoreUnreachable("the store is closed")
            if self._writer is None or self._writer.is_closed():
                try:
                    await self._connect(RELOCK_S)
                except _FAILURES as error:
                    raise translated(error, self._server) from error
            transaction = PostgresTransaction(self._writer, self._types, self._server, writes=True)
            try:
                await transaction.run("BEGIN")
                yield transaction
                await transaction.commit()
            finally:
                if not transaction.committed:
                    await transaction.roll_back()

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[PostgresTransaction]:
        if self._pool is None:
            raise StoreUnreachable("the store is closed")
        pool = self._pool
        try:
            connection = await pool.acquire()
        except _FAILURES as error:
            raise translated(error, self._server) from error
        transaction = PostgresTransaction(connection, self._types, self._server, writes=False)
        try:
            await transaction.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield transaction
        finally:
            await transaction.roll_back()
            await finished(pool.release(connection))

    async def refresh(self) -> None:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_COLUMNS)
        self._types.clear()
        self._types.update({(table, column): type_name for table, column, type_name in rows})

    async def close(self) -> None:
        async with self._writing:
            if self._writer is not None:
                await self._writer.close()
                self._writer = None
            if self._pool is not None:
                pool, self._pool = self._pool, None
                await pool.close()


@functools.lru_cache(maxsize=1024)
def _numbered(sql: str) -> str:
    number = count(1)
    return re.sub(r"\?", lambda _: f"${next(number)}", sql)


def _touched(status: str) -> int:
    last = status.rsplit(" ", 1)[-1]
    return int(last) if last.isdigit() else 0


def _named(url: str) -> str:
    """The URL without its password, for messages."""
    return re.sub(r"(?<=://)([^:/@]*):[^@]*@", r"\1@", url).split("?", 1)[0]


def translated(error: BaseException, server: str) -> StoreError:
    """The house's error for one of asyncpg's."""
    match error:
        case asyncpg.DiskFullError() | asyncpg.OutOfMemoryError():
            return StoreFull(
                f"no room left at {server} ({error}): free space there; nothing of this write was kept"
            )
        case asyncpg.LockNotAvailableError() | asyncpg.DeadlockDetectedError():
            return StoreLocked(f"{server} is locked by another session ({error}): find and stop it")
        case asyncpg.IntegrityConstraintViolationError():
            return StoreConflict(f"{server}: {error}")
        case asyncpg.ReadOnlySQLTransactionError():
            return StoreReadOnly(f"{server} cannot be written ({error}): is it a replica?")
        case (
            asyncpg.PostgresConnectionError()
            | asyncpg.InvalidAuthorizationSpecificationError()
            | asyncpg.InvalidCatalogNameError()
            | asyncpg.OperatorInterventionError()
            | asyncpg.TooManyConnectionsError()
            | asyncpg.InterfaceError()
            | asyncpg.InternalClientError()
            | OSError()
            | TimeoutError()
        ):
            return StoreUnreachable(
                f"{server} does not let us in ({error or type(error).__name__}): check address, user, password and server"
            )
        case _:
            return StoreError(f"{server}: {error}")
