"""Steps of runs of scores: drafts, reviews, publications, appeals, points by hand. A projection of every journal held here."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.engine import Row, Transaction


class ScoreStepRow(NamedTuple):
    """One step."""

    origin: str
    run: str
    idx: int
    at_us: int
    body: bytes
    """Serialised ``ScoreStep``."""


STEP: Final = ScoreStepRow._fields
_SELECT: Final = f"SELECT {', '.join(STEP)} FROM score_step"


class Scores:
    """Steps by journal and run."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[ScoreStepRow]) -> None:
        """Add steps; those that are there stay."""
        await self._tx.insert("score_step", STEP, rows, "ON CONFLICT DO NOTHING")

    async def run(self, origin: str, run: str) -> list[ScoreStepRow]:
        """The steps of one run, in order."""
        rows = await self._tx.all(f"{_SELECT} WHERE origin = ? AND run = ? ORDER BY idx", origin, run)
        return [_row(row) for row in rows]

    async def all(self, origin: str) -> list[ScoreStepRow]:
        """Every step of a journal's runs, by run and in order."""
        rows = await self._tx.all(f"{_SELECT} WHERE origin = ? ORDER BY run, idx", origin)
        return [_row(row) for row in rows]


def _row(row: Row) -> ScoreStepRow:
    origin, run, idx, at_us, body = row
    return ScoreStepRow(origin, run, idx, at_us, bytes(body))
