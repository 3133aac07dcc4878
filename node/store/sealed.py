"""What was sealed to this node, and answers that came down to it. Key (origin, idx): the entry that carries it.

What is opened goes to the vault (`digest`); the sealed form stays, and without the key says nothing. Whether it was answered is written with the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.store.engine import Transaction

_COLUMNS: Final = ("origin", "idx", "reader_key", "body", "at_us", "digest", "words", "answered_idx")
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM sealed"


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One sealed entry."""

    origin: str
    idx: int
    reader_key: str
    """Names the key it is sealed to."""
    body: bytes
    """The serialised Sealed message."""
    at_us: int
    """When its node wrote it."""
    digest: str = ""
    """What the vault keeps its content under; empty: it is not opened (yet)."""
    words: str = ""
    """Why it cannot be opened; empty: nothing is wrong."""
    answered_idx: int | None = None
    """Index, in the own journal, of the newest answer."""


class SealedRows:
    """Sealed rows."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def put(self, rows: Sequence[SealedRow]) -> None:
        """Enter what an entry carries; what is there already stays as it is."""
        values = [tuple(getattr(row, column) for column in _COLUMNS) for row in rows]
        await self._tx.insert("sealed", _COLUMNS, values, "ON CONFLICT (origin, idx) DO NOTHING")

    async def get(self, origin: str, idx: int) -> SealedRow | None:
        row = await self._tx.one(f"{_SELECT} WHERE origin = ? AND idx = ?", origin, idx)
        return None if row is None else _row(row)

    async def closed(self, keys: Sequence[str]) -> list[SealedRow]:
        """What is sealed to one of these keys and not opened yet."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE reader_key = ANY(?) AND digest = '' ORDER BY at_us, origin, idx", list(keys)
        )
        return [_row(row) for row in rows]

    async def of_key(self, key: str) -> list[SealedRow]:
        """Everything sealed to one key."""
        return [
            _row(row) for row in await self._tx.all(f"{_SELECT} WHERE reader_key = ? ORDER BY at_us", key)
        ]

    async def all(self) -> list[SealedRow]:
        """Everything, the newest first."""
        return [_row(row) for row in await self._tx.all(f"{_SELECT} ORDER BY at_us DESC, origin, idx")]

    async def opened(self, origin: str, idx: int, digest: str, words: str) -> None:
        """The vault has its content, or it cannot be opened."""
        await self._tx.run(
            "UPDATE sealed SET digest = ?, words = ? WHERE origin = ? AND idx = ?", digest, words, origin, idx
        )

    async def answered(self, origin: str, idx: int, answer: int) -> None:
        """It was answered by this entry of the own journal."""
        await self._tx.run(
            "UPDATE sealed SET answered_idx = ? WHERE origin = ? AND idx = ?", answer, origin, idx
        )


def _row(row: tuple[object, ...]) -> SealedRow:
    origin, idx, key, body, at_us, digest, words, answered = row
    return SealedRow(origin, idx, key, bytes(body), at_us, digest, words, answered)  # type: ignore[arg-type,call-overload]
