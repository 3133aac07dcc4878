"""What entries published: items, agencies, calendar changes, policies, every version of each, as serialised messages."""

from collections.abc import Sequence
from dataclasses import dataclass

from node.store.engine import Transaction


@dataclass(frozen=True, slots=True)
class Published:
    """One version of one thing. Key (origin, kind, code, version)."""

    origin: str
    kind: str
    """item, agency, calendar, policy; other kinds are the caller's."""
    code: str
    version: int
    idx: int
    """Index of the entry that published it."""
    body: bytes


class Catalogue:
    """Published things by kind."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, things: Sequence[Published]) -> None:
        """Keep things; the same version published by a later entry replaces the earlier."""
        newest: dict[tuple[str, str, str, int], Published] = {}
        for thing in sorted(things, key=lambda thing: thing.idx):
            newest[thing.origin, thing.kind, thing.code, thing.version] = thing
        await self._tx.insert(
            "catalogue",
            ("origin", "kind", "code", "version", "idx", "body"),
            [
                (thing.origin, thing.kind, thing.code, thing.version, thing.idx, thing.body)
                for thing in newest.values()
            ],
            "ON CONFLICT (origin, kind, code, version) DO UPDATE SET idx = excluded.idx, body = excluded.body"
            " WHERE catalogue.idx <= excluded.idx",
        )

    async def all(self, origin: str, kind: str) -> list[Published]:
        """Every version of everything of a kind, in the order it was published."""
        rows = await self._tx.all(
            "SELECT origin, kind, code, version, idx, body FROM catalogue WHERE origin = ? AND kind = ? ORDER BY idx",
            origin,
            kind,
        )
        return [Published(*row) for row in rows]

    async def versions(self, origin: str, kind: str, code: str) -> list[Published]:
        """Every version of one thing, oldest first."""
        rows = await self._tx.all(
            "SELECT origin, kind, code, version, idx, body FROM catalogue"
            " WHERE origin = ? AND kind = ? AND code = ? ORDER BY version",
            origin,
            kind,
            code,
        )
        return [Published(*row) for row in rows]
