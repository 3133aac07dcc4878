"""Rounds of video patrols: begun, each stop, ended. A projection of every journal held here."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.engine import Row, Transaction

BEGUN: Final = "begun"
CHECKED: Final = "checked"
ENDED: Final = "ended"


class PatrolRow(NamedTuple):
    """One step of a round."""

    origin: str
    round: str
    idx: int
    at_us: int
    kind: str
    """begun, checked, ended."""
    plan: str
    """Of what begins a round; empty otherwise."""
    body: bytes
    """Serialised ``PatrolBegun``, ``PatrolChecked`` or ``PatrolEnded``."""


STEP: Final = PatrolRow._fields
_SELECT: Final = f"SELECT {', '.join(STEP)} FROM patrol_step"


class Patrols:
    """Steps by journal and round."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[PatrolRow]) -> None:
        """Add steps; those that are there stay."""
        await self._tx.insert("patrol_step", STEP, rows, "ON CONFLICT DO NOTHING")

    async def round(self, origin: str, round_id: str) -> list[PatrolRow]:
        """The steps of one round, in order."""
        rows = await self._tx.all(f"{_SELECT} WHERE origin = ? AND round = ? ORDER BY idx", origin, round_id)
        return [_row(row) for row in rows]

    async def rounds(self, origin: str, plan: str = "", limit: int = 100) -> list[str]:
        """Rounds of a journal, of one plan or of all, the newest first."""
        rows = await self._tx.all(
            "SELECT round FROM patrol_step WHERE origin = ? AND kind = ? AND (? = '' OR plan = ?) ORDER BY idx DESC LIMIT ?",
            origin,
            BEGUN,
            plan,
            plan,
            limit,
        )
        return [str(round_id) for (round_id,) in rows]

    async def count(self, origin: str) -> int:
        """How many rounds were begun."""
        row = await self._tx.one(
            "SELECT COUNT(*) FROM patrol_step WHERE origin = ? AND kind = ?", origin, BEGUN
        )
        return 0 if row is None else int(row[0])


def _row(row: Row) -> PatrolRow:
    origin, round_id, idx, at_us, kind, plan, body = row
    return PatrolRow(origin, round_id, idx, at_us, kind, plan, bytes(body))
