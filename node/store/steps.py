"""Steps of alerts' lives: how each alert was raised, and every move since. A projection of every journal held here."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.alerts import COLUMNS as ALERT
from node.store.engine import Transaction
from node.store.rows import AlertRecord


class StepRow(NamedTuple):
    """One step."""

    origin: str
    alert_id: str
    idx: int
    at_us: int
    state: int
    """AlertState number that it led to."""
    by_whom: str
    reason: str
    text: str
    """Digest of the full text in the vault; empty: none."""
    files: str
    """JSON: a list of name, sha256, size, media_type."""
    node: str
    """The node that decided; empty: the alert's own."""


COLUMNS: Final = StepRow._fields

_BOTH: Final = (
    f"SELECT {', '.join('s.' + name for name in COLUMNS)}, {', '.join('a.' + name for name in ALERT)}"
)
_JOIN: Final = "FROM alert_step s JOIN alert a ON a.origin = s.origin AND a.alert_id = s.alert_id"


class Told(NamedTuple):
    """A step with its alert as it is now."""

    step: StepRow
    alert: AlertRecord


class Steps:
    """Steps of every journal held here."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[StepRow]) -> None:
        """Add rows; those that are there stay."""
        await self._tx.insert("alert_step", COLUMNS, rows, "ON CONFLICT DO NOTHING")

    async def of_alerts(self, origin: str, alert_ids: Sequence[str]) -> dict[str, list[StepRow]]:
        """The steps of each of these alerts, in order, the raising first."""
        rows = await self._tx.all(
            f"SELECT {', '.join(COLUMNS)} FROM alert_step WHERE origin = ? AND alert_id = ANY(?) ORDER BY idx",
            origin,
            list(alert_ids),
        )
        found: dict[str, list[StepRow]] = {}
        for row in rows:
            step = StepRow(*row)
            found.setdefault(step.alert_id, []).append(step)
        return found

    async def told(
        self,
        origin: str,
        states: Sequence[tuple[int, Sequence[int]]],
        agencies: Sequence[str] | None,
        limit: int,
        *,
        after_idx: int = -1,
        upto_idx: int | None = None,
        newest: bool = False,
    ) -> list[Told]:
        """Steps with their alerts; ``states`` are (level, states it is told in), ``agencies`` None: of all.

        Entries after ``after_idx`` and up to ``upto_idx``, in order, or the newest first.
        """
        if not states or (agencies is not None and not agencies):
            return []
        terms = " OR ".join("(a.level = ? AND s.state = ANY(?))" for _ in states)
        parameters: list[object] = [origin, after_idx]
        where = "s.origin = ? AND s.idx > ?"
        if upto_idx is not None:
            where += " AND s.idx <= ?"
            parameters.append(upto_idx)
        where += f" AND ({terms})"
        for level, numbers in states:
            parameters += [level, list(numbers)]
        if agencies is not None:
            where += " AND a.agency = ANY(?)"
            parameters.append(list(agencies))
        order = "DESC" if newest else "ASC"
        rows = await self._tx.all(
            f"{_BOTH} {_JOIN} WHERE {where} ORDER BY s.idx {order}, s.alert_id LIMIT ?", *parameters, limit
        )
        width = len(COLUMNS)
        return [Told(StepRow(*row[:width]), AlertRecord(*row[width:])) for row in rows]

    async def moved(self, origin: str, states: Sequence[int], lo: int, hi: int) -> list[str]:
        """Alerts that were moved into one of these states by entries ``lo`` up to ``hi``, not included; being raised is no move."""
        if lo >= hi:
            return []
        rows = await self._tx.all(
            "SELECT DISTINCT s.alert_id FROM alert_step s WHERE s.origin = ? AND s.idx >= ? AND s.idx < ? AND s.state = ANY(?)"
            " AND NOT EXISTS (SELECT 1 FROM alert a WHERE a.origin = s.origin AND a.alert_id = s.alert_id AND a.idx = s.idx)"
            " ORDER BY s.alert_id",
            origin,
            lo,
            hi,
            list(states),
        )
        return [alert_id for (alert_id,) in rows]

    async def read_to(self, number: str) -> int:
        """The last entry that a person has read; -1: none."""
        row = await self._tx.one("SELECT idx FROM reading WHERE number = ?", number)
        return -1 if row is None else int(row[0])

    async def set_read(self, number: str, idx: int) -> None:
        """A person has read up to an entry; never back."""
        await self._tx.run(
            "INSERT INTO reading (number, idx) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET idx = excluded.idx"
            " WHERE excluded.idx > reading.idx",
            number,
            idx,
        )
