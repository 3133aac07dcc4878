"""The twin that forgets: a store for tests and trials, gone when it is closed.

It is SQLite in a private temporary folder without a single fsync, not ``:memory:``: only a database in a folder gives several
connections their own snapshots, and a twin that made readers wait for the writer would hide what tests should find.
"""

import tempfile
from pathlib import Path
from typing import Self

from node.store.engines.sqlite import SqliteEngine


class MemoryEngine(SqliteEngine):
    """A store that nobody keeps. Make it with `create`."""

    _folder: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    async def create(cls) -> Self:
        """An empty store of its own."""
        folder = tempfile.TemporaryDirectory(prefix="zongheng-")
        try:
            engine = await cls.open(Path(folder.name) / "memory.db", synchronous="OFF")
        except BaseException:
            folder.cleanup()
            raise
        engine._folder = folder
        return engine

    async def close(self) -> None:
        await super().close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
