"""The files that entries name, and what is here of them. The bytes lie in the node's folder; this says what they are and where they go.

A row is made by the entry that names the file, in the transaction that reads the entry, and is never taken away: what was shed, or never
came, shows. Key (origin, sha256).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.store.engine import Transaction

ABSENT: Final = "absent"
"""Named, and not here (yet)."""
HELD: Final = "held"
"""Here, verified."""
SHED: Final = "shed"
"""Was here; given up to make room, or because a newer one replaced it."""

STAYS: Final = ""
"""Not for above."""
WAITING: Final = "waiting"
"""To be sent to the parent."""
SENT: Final = "sent"
"""The parent has it."""

_COLUMNS: Final = (
    "origin",
    "sha256",
    "idx",
    "via",
    "size",
    "media_type",
    "name",
    "reader",
    "purpose",
    "state",
    "up",
    "since_us",
    "words",
)
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM file"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file. Times are microseconds since the epoch."""

    origin: str
    """The node whose journal names it."""
    sha256: str
    idx: int
    """Index of the entry that names it."""
    via: str
    """The child it comes through; empty: it is this node's own."""
    size: int
    media_type: str
    name: str
    reader: str
    purpose: int
    """FilePurpose number."""
    state: str
    up: str
    since_us: int
    """When it came into this state."""
    words: str = ""
    """Why it is not here, or not taken above; empty: nothing is wrong."""


class Files:
    """File rows."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def name(self, rows: Sequence[FileRow]) -> None:
        """Enter files that an entry names; one that is entered already is left as it is."""
        values = [tuple(getattr(row, column) for column in _COLUMNS) for row in rows]
        await self._tx.insert("file", _COLUMNS, values, "ON CONFLICT (origin, sha256) DO NOTHING")

    async def get(self, origin: str, sha256: str) -> FileRow | None:
        row = await self._tx.one(f"{_SELECT} WHERE origin = ? AND sha256 = ?", origin, sha256)
        return None if row is None else FileRow(*row)

    async def of_digest(self, sha256: str) -> list[FileRow]:
        """Every entry's file with these bytes."""
        return [FileRow(*row) for row in await self._tx.all(f"{_SELECT} WHERE sha256 = ?", sha256)]

    async def all(self) -> list[FileRow]:
        """Every file, the newest first."""
        return [
            FileRow(*row) for row in await self._tx.all(f"{_SELECT} ORDER BY since_us DESC, origin, sha256")
        ]

    async def waiting(self) -> list[FileRow]:
        """Files that are here and are to go up, in the order they came."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE up = ? AND state = ? ORDER BY since_us, origin, sha256", WAITING, HELD
        )
        return [FileRow(*row) for row in rows]

    async def relayed(self) -> list[FileRow]:
        """Files of nodes below that are here and that the parent has too, the oldest first: what may be shed."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE up = ? AND state = ? AND via <> '' ORDER BY since_us, origin, sha256",
            SENT,
            HELD,
        )
        return [FileRow(*row) for row in rows]

    async def backups(self, origin: str, purpose: int) -> list[FileRow]:
        """A node's backups that are here, the newest first."""
        rows = await self._tx.all(
            f"{_SELECT} WHERE origin = ? AND purpose = ? AND state = ? ORDER BY idx DESC",
            origin,
            purpose,
            HELD,
        )
        return [FileRow(*row) for row in rows]

    async def is_held(self, sha256: str) -> bool:
        """Whether any entry's file with these bytes is to be kept here."""
        return (
            await self._tx.one("SELECT 1 FROM file WHERE sha256 = ? AND state = ?", sha256, HELD) is not None
        )

    async def hold(self, sha256: str, now_us: int) -> None:
        """The bytes are here, under every entry that names them."""
        await self._tx.run(
            "UPDATE file SET state = ?, since_us = ?, words = '' WHERE sha256 = ? AND state <> ?",
            HELD,
            now_us,
            sha256,
            HELD,
        )

    async def settle(self, origin: str, sha256: str, state: str, now_us: int, words: str) -> None:
        """One file came into another state."""
        await self._tx.run(
            "UPDATE file SET state = ?, since_us = ?, words = ? WHERE origin = ? AND sha256 = ?",
            state,
            now_us,
            words,
            origin,
            sha256,
        )

    async def rise(self, origin: str, sha256: str, up: str, words: str = "") -> None:
        """Where one file stands on its way up."""
        await self._tx.run(
            "UPDATE file SET up = ?, words = ? WHERE origin = ? AND sha256 = ?", up, words, origin, sha256
        )

    async def readdress(self, reader: str, up: str) -> None:
        """Files for this reader stay here, or go on up, from now on; those that are above already do not come back."""
        await self._tx.run(
            "UPDATE file SET up = ?, words = '' WHERE reader = ? AND up <> ? AND up <> ?",
            up,
            reader,
            up,
            SENT,
        )

    async def lose(self, words: str) -> None:
        """Nothing that was held is here any more."""
        await self._tx.run("UPDATE file SET state = ?, words = ? WHERE state = ?", SHED, words, HELD)

    async def counted(self) -> list[tuple[str, str, int, int]]:
        """(state, up, files, bytes) of each kind."""
        rows = await self._tx.all("SELECT state, up, COUNT(*), SUM(size) FROM file GROUP BY state, up")
        return [(state, up, int(count), int(size)) for state, up, count, size in rows]
