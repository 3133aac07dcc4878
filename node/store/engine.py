"""The seam between repositories and databases: one SQL text, two dialects, three engines.

Guarantees every engine gives, and the conformance suite checks:

- ``write()`` is the only writer. Writers queue in the order they asked. The transaction commits when the block ends, durably
  (fsync) unless the engine says otherwise, and rolls back when the block raises. A commit once begun is finished even when the
  waiting task is cancelled; ``Transaction.committed`` then tells which it was.
- ``read()`` is a consistent snapshot, taken at its first statement, on a connection of its own. It never waits for the writer
  and never sees half of what it does.
- Another process that tries to write the same store gets ``StoreLocked`` when it opens it.

SQL uses ``?`` for parameters and ``= ANY(?)`` for membership in a list of texts or integers. ``ON CONFLICT`` and row values
mean the same in both dialects.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")

Row = tuple[Any, ...]

Dialect = Literal["sqlite", "postgres"]


class Transaction(Protocol):
    """Statements of one transaction. All raise ``StoreError``."""

    @property
    def committed(self) -> bool:
        """Whether what was written is durable; False while the block runs and after a rollback."""
        ...

    async def run(self, sql: str, *parameters: Any) -> int:
        """Run one statement; returns how many rows it touched."""
        ...

    async def many(self, sql: str, rows: Sequence[Row]) -> None:
        """Run one statement once for each row of parameters."""
        ...

    async def all(self, sql: str, *parameters: Any) -> list[Row]:
        """Every row of a query."""
        ...

    async def one(self, sql: str, *parameters: Any) -> Row | None:
        """The first row of a query, or None."""
        ...

    async def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str = ""
    ) -> int:
        """Insert rows in bulk; ``conflict`` is an ON CONFLICT clause. Returns how many rows were written."""
        ...

    async def script(self, statements: str) -> None:
        """Run several statements without parameters, for the schema."""
        ...


class Engine(Protocol):
    """One open database."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def read_only(self) -> bool: ...

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """The one writer. Raises ``StoreReadOnly`` where the store was opened for reading only."""
        ...

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A snapshot."""
        ...

    async def refresh(self) -> None:
        """Learn the tables again after the schema changed."""
        ...

    async def close(self) -> None:
        """Wait for what runs, then let go of the database and of its lock. May be called twice."""
        ...


def pieces(count: int, largest: int) -> Iterable[int]:
    """Cut ``count`` rows into runs of ``largest`` and then of falling powers of two.

    So a bulk statement comes in a few shapes only, and each stays in the connection's cache of prepared statements.
    """
    while count >= largest:
        yield largest
        count -= largest
    while count:
        run = 1 << count.bit_length() - 1
        yield run
        count -= run


async def finished(work: Coroutine[Any, Any, T]) -> T:
    """Await something that must not be left half done: a cancellation is passed on after it has ended, never into it."""
    # The task does not outlive this call, so it needs no supervisor.
    task = asyncio.get_running_loop().create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()
