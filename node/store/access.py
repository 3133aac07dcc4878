"""The audit trail as rows: who came in, was refused, looked at what; which account changed. A projection of every journal held here."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from node.store.engine import Transaction


class AccessRow(NamedTuple):
    """One entry of the trail."""

    origin: str
    idx: int
    at_us: int
    kind: str
    """login, login_failed, locked, logout, refused, read; added, enabled, disabled, password, role_given, role_taken, token_made, token_revoked."""
    who: str
    """Who did it, or tried."""
    subject: str
    """What it was done to: what was read or refused, or the account and what of it changed."""
    purpose: str
    address: str


COLUMNS: Final = AccessRow._fields


class Access:
    """The trail."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[AccessRow]) -> None:
        """Add rows; those that are there stay."""
        await self._tx.insert("access", COLUMNS, rows, "ON CONFLICT DO NOTHING")

    async def page(
        self, origin: str, limit: int, *, who: str = "", kind: str = "", after_idx: int = -1
    ) -> list[AccessRow]:
        """Rows after entry ``after_idx``, in the journal's order."""
        terms, parameters = ["origin = ?", "idx > ?"], [origin, after_idx]
        for column, value in (("who", who), ("kind", kind)):
            if value:
                terms.append(f"{column} = ?")
                parameters.append(value)
        rows = await self._tx.all(
            f"SELECT {', '.join(COLUMNS)} FROM access WHERE {' AND '.join(terms)} ORDER BY idx LIMIT ?",
            *parameters,
            limit,
        )
        return [AccessRow(*row) for row in rows]
