"""Keys that signed a journal once: what they signed while they spoke for it stays proven."""

from typing import NamedTuple

from node.store.engine import Transaction


class FormerKey(NamedTuple):
    """A key that was given up, or lost with its box."""

    verifier: str
    """C2SP vkey."""
    until_size: int
    """It is believed for checkpoints over at most so many entries."""
    statement: bytes
    """The ``KeyRotated`` message; empty where the key was lost."""


class FormerKeys:
    """Former keys by log."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, log_id: str, key: FormerKey) -> None:
        """A key was given up; said again it changes nothing."""
        await self._tx.insert(
            "former_key",
            ("log_id", "verifier", "until_size", "statement"),
            [(log_id, *key)],
            "ON CONFLICT (log_id, verifier) DO NOTHING",
        )

    async def of(self, log_id: str) -> list[FormerKey]:
        """The former keys of one log, the oldest first."""
        rows = await self._tx.all(
            "SELECT verifier, until_size, statement FROM former_key WHERE log_id = ? ORDER BY until_size, verifier",
            log_id,
        )
        return [FormerKey(verifier, size, bytes(statement)) for verifier, size, statement in rows]
