"""How far each projector has read each journal. Written in the transaction of what it read, so neither runs ahead."""

from dataclasses import dataclass

from node.store.engine import Transaction


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next index to read, and the version of the projector that read what is before it."""

    position: int
    version: int


class Cursors:
    """Cursors by (projector, origin)."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def get(self, projector: str, origin: str) -> Cursor:
        """Where a projector stands; position 0 and version 0 where it never was."""
        row = await self._tx.one(
            "SELECT position, version FROM cursor WHERE projector = ? AND origin = ?", projector, origin
        )
        return Cursor(0, 0) if row is None else Cursor(*row)

    async def set(self, projector: str, origin: str, position: int, version: int = 0) -> None:
        """Everything before ``position`` is done."""
        await self._tx.run(
            "INSERT INTO cursor (projector, origin, position, version) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (projector, origin) DO UPDATE SET position = excluded.position, version = excluded.version",
            projector,
            origin,
            position,
            version,
        )

    async def of(self, projector: str) -> dict[str, int]:
        """Where one projector stands in each journal it has begun."""
        rows = await self._tx.all(
            "SELECT origin, position FROM cursor WHERE projector = ? ORDER BY origin", projector
        )
        return {origin: position for origin, position in rows}

    async def all(self) -> dict[tuple[str, str], Cursor]:
        """Every cursor by (projector, origin)."""
        rows = await self._tx.all(
            "SELECT projector, origin, position, version FROM cursor ORDER BY projector, origin"
        )
        return {
            (projector, origin): Cursor(position, version) for projector, origin, position, version in rows
        }
