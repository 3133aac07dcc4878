"""Journals that disagree: the forks of children's journals, what is kept apart of them, and heads that were noted.

A fork opens a quarantine and keeps both signed heads. Its newest row says how things stand:

| state | meaning |
| --- | --- |
| open | found; waits for a person |
| refused | decided: nothing more is taken |
| mending | decided: the child adopts what is held and enters its own again |
| mended | over; the row stays as evidence |
| renewing | decided: the child goes on in another log |
| renewed | over; what was held of the log before is kept apart, as evidence |
| replaced | the child showed yet another branch; what is kept of this one stays |

Entries kept apart are never projected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from node.store.engine import Transaction

OPEN: Final = "open"
REFUSED: Final = "refused"
MENDING: Final = "mending"
MENDED: Final = "mended"
RENEWING: Final = "renewing"
RENEWED: Final = "renewed"
REPLACED: Final = "replaced"

CLOSED: Final = (MENDED, RENEWED, REPLACED)
"""States in which the child's journal is taken again."""

UNKNOWN: Final = -1
"""The last common size, while it is not known."""

_FORK: Final = "origin, n, found_at_us, state, reason, held, shown, common, kept, note, decided_by, why"


@dataclass(frozen=True, slots=True)
class Fork:
    """One fork of a child's journal."""

    origin: str
    n: int
    """From 1."""
    found_at_us: int
    state: str
    reason: str
    """In words, for the operator."""
    held: str
    """The child's signed head as it is held; empty: nothing was held."""
    shown: str
    """The signed head that contradicts it."""
    common: int
    """Last size at which both are the same; `UNKNOWN` until the child has shown its branch."""
    kept: int
    """Entries kept apart, from `common` on."""
    note: str
    """Signed head over `common + kept` entries of the branch; empty while nothing is kept."""
    decided_by: str
    why: str


@dataclass(frozen=True, slots=True)
class Noted:
    """The newest head of a log that a journal has noted."""

    origin: str
    size: int
    root: bytes
    note: str


class Forks:
    """Forks, entries kept apart, noted heads."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def newest(self, origin: str) -> Fork | None:
        """The newest fork of one journal; None: it never forked."""
        row = await self._tx.one(f"SELECT {_FORK} FROM fork WHERE origin = ? ORDER BY n DESC LIMIT 1", origin)
        return None if row is None else Fork(*row)

    async def standing(self, origin: str) -> Fork | None:
        """The quarantine that an origin is in; None: it is in none."""
        fork = await self.newest(origin)
        return None if fork is None or fork.state in CLOSED else fork

    async def all(self) -> list[Fork]:
        """Every fork, by origin and number."""
        return [Fork(*row) for row in await self._tx.all(f"SELECT {_FORK} FROM fork ORDER BY origin, n")]

    async def put(self, fork: Fork) -> None:
        """Keep a fork as it is now."""
        await self._tx.run("DELETE FROM fork WHERE origin = ? AND n = ?", fork.origin, fork.n)
        await self._tx.run(
            f"INSERT INTO fork ({_FORK}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            fork.origin, fork.n, fork.found_at_us, fork.state, fork.reason, fork.held, fork.shown, fork.common,
            fork.kept, fork.note, fork.decided_by, fork.why,
        )  # fmt: skip

    async def keep_apart(self, origin: str, n: int, first: int, leaves: Sequence[bytes]) -> None:
        """Store leaves of a branch from index ``first`` on. Raises StoreConflict when one of the indexes is taken."""
        rows = [(origin, n, index, leaf) for index, leaf in enumerate(leaves, first)]
        await self._tx.insert("aside", ("origin", "n", "idx", "leaf"), rows)

    async def set_aside(self, origin: str, n: int, first: int) -> None:
        """Keep what the journal of ``origin`` has from index ``first`` on apart too."""
        await self._tx.run(
            "INSERT INTO aside (origin, n, idx, leaf) SELECT origin, CAST(? AS BIGINT), idx, leaf FROM journal WHERE origin = ? AND idx >= ?",
            n, origin, first,
        )  # fmt: skip

    async def kept_apart(self, origin: str, n: int, lo: int, limit: int) -> list[tuple[int, bytes]]:
        """At most ``limit`` entries of a branch from index ``lo`` on, with their indexes."""
        rows = await self._tx.all(
            "SELECT idx, leaf FROM aside WHERE origin = ? AND n = ? AND idx >= ? ORDER BY idx LIMIT ?",
            origin, n, lo, limit,
        )  # fmt: skip
        return [(index, bytes(leaf)) for index, leaf in rows]

    async def drop_apart(self, origin: str, n: int, below: int | None = None) -> None:
        """Forget entries of a branch with a smaller index than ``below``; None: all of them."""
        narrow = "" if below is None else " AND idx < ?"
        more = () if below is None else (below,)
        await self._tx.run(f"DELETE FROM aside WHERE origin = ? AND n = ?{narrow}", origin, n, *more)

    async def noted(self, witness: str, log_id: str) -> Noted | None:
        """The head of a log that a journal noted last; None: it never noted one."""
        row = await self._tx.one(
            "SELECT origin, size, root, note FROM noted WHERE witness = ? AND log_id = ?", witness, log_id
        )
        return None if row is None else Noted(row[0], row[1], bytes(row[2]), row[3])

    async def note(self, witness: str, log_id: str, noted: Noted) -> None:
        """Keep the head that a journal noted last."""
        await self._tx.run(
            "INSERT INTO noted (witness, log_id, origin, size, root, note) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (witness, log_id) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note",
            witness, log_id, noted.origin, noted.size, noted.root, noted.note,
        )  # fmt: skip

    async def forget_noted(self, own: str) -> None:
        """Drop what children's journals noted: it is read from them again."""
        await self._tx.run("DELETE FROM noted WHERE witness <> ?", own)
