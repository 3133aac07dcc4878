"""Imports under way: which rows of the file are settled, so that one that was killed goes on where it stopped."""

from dataclasses import astuple, dataclass
from typing import Final

from node.store.engine import Transaction

UNDER_WAY: Final = "under_way"
FINISHED: Final = "finished"

_SELECT: Final = "SELECT import_id, source, state, settled_row, accepted, rejected FROM import_run"


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One import. Rows up to ``settled_row``, from 1, are journalled or rejected."""

    import_id: str
    source: str
    state: str
    settled_row: int
    accepted: int
    rejected: int


class Imports:
    """Imports by id."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def get(self, import_id: str) -> ImportRun | None:
        """One import; None: never begun."""
        row = await self._tx.one(f"{_SELECT} WHERE import_id = ?", import_id)
        return None if row is None else ImportRun(*row)

    async def put(self, run: ImportRun) -> None:
        """Keep an import's progress in place of what was there."""
        await self._tx.run(
            "INSERT INTO import_run (import_id, source, state, settled_row, accepted, rejected) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (import_id) DO UPDATE SET source = excluded.source, state = excluded.state,"
            " settled_row = excluded.settled_row, accepted = excluded.accepted, rejected = excluded.rejected",
            *astuple(run),
        )

    async def under_way(self) -> list[ImportRun]:
        """Imports that are not finished, by id."""
        return [
            ImportRun(*row)
            for row in await self._tx.all(f"{_SELECT} WHERE state = ? ORDER BY import_id", UNDER_WAY)
        ]
