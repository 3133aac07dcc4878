"""Alerts that departments issued themselves, and who was held to account: projections of every journal held here."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.engine import Transaction


class DepartmentAlertRow(NamedTuple):
    """An alert of a department's own."""

    origin: str
    idx: int
    source: str
    serial: str
    case_id: str
    agency: str
    level: int
    rule: str
    issued_at_us: int
    state: str
    actor: str


class AccountabilityRow(NamedTuple):
    """A step of holding somebody to account."""

    origin: str
    record: str
    idx: int
    at_us: int
    kind: str
    """opened, decided, document, appealed, appeal_decided, circulated, closed."""
    who: str
    agency: str
    alerts: str
    """JSON: ids."""
    measure: str
    document: str
    by_whom: str
    reason: str
    text: str
    files: str
    """JSON: a list of name, sha256, size, media_type."""


ALERT: Final = DepartmentAlertRow._fields
STEP: Final = AccountabilityRow._fields


class Accountability:
    """Both."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put_alerts(self, rows: Sequence[DepartmentAlertRow]) -> None:
        """Add alerts; those that are there stay."""
        await self._tx.insert("department_alert", ALERT, rows, "ON CONFLICT DO NOTHING")

    async def put_steps(self, rows: Sequence[AccountabilityRow]) -> None:
        """Add steps; those that are there stay."""
        await self._tx.insert("accountability_step", STEP, rows, "ON CONFLICT DO NOTHING")

    async def alerts(self, origin: str, from_us: int, to_us: int) -> list[DepartmentAlertRow]:
        """Departments' alerts that were issued in ``[from_us, to_us)``, by case."""
        rows = await self._tx.all(
            f"SELECT {', '.join(ALERT)} FROM department_alert WHERE origin = ? AND issued_at_us >= ? AND issued_at_us < ?"
            " ORDER BY case_id, idx",
            origin,
            from_us,
            to_us,
        )
        return [DepartmentAlertRow(*row) for row in rows]

    async def record(self, origin: str, record: str) -> list[AccountabilityRow]:
        """The steps of one record, in order."""
        rows = await self._tx.all(
            f"SELECT {', '.join(STEP)} FROM accountability_step WHERE origin = ? AND record = ? ORDER BY idx",
            origin,
            record,
        )
        return [AccountabilityRow(*row) for row in rows]

    async def steps(self, origin: str) -> list[AccountabilityRow]:
        """Every step of every record, by record and in order."""
        rows = await self._tx.all(
            f"SELECT {', '.join(STEP)} FROM accountability_step WHERE origin = ? ORDER BY record, idx", origin
        )
        return [AccountabilityRow(*row) for row in rows]
