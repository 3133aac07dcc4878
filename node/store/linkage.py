"""Linkage tokens of every journal held here, the keys that this node computes them under, and what is still to be compared.

What is new is queued by token, and by party where there is one, in the transaction that writes it; whoever compares takes from the queue and
takes it off when what was found is entered. So a crash in between compares once more and finds the same.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from node.store.engine import Transaction

PARTY: Final = "party"
TENDER: Final = "tender"
"""Roles under which a party, and what it bids for, are queued."""

_DUE: Final = "ON CONFLICT DO NOTHING"


class LinkRow(NamedTuple):
    """One identifier of one event. Key (key, token, role, origin, idx)."""

    key: str
    """Name of the key: issuer/purpose/number."""
    token: str
    """Hexadecimal."""
    role: str
    origin: str
    idx: int
    case_id: str
    grp: str
    party: str
    handle: str
    at_us: int
    amount: int
    agency: str
    actor: str


class KeyRow(NamedTuple):
    """A key. Key (name)."""

    name: str
    issuer: str
    purpose: str
    number: int
    from_day: int
    to_day: int
    closed: int
    secret: bytes
    """Sealed; empty once the key is closed."""
    position: int
    """How far the own journal is read for it."""


class DueRow(NamedTuple):
    """Something to compare."""

    key: str
    role: str
    token: str


class Linkage:
    """Tokens, keys and what is due."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    # Keys.

    async def keys(self) -> list[KeyRow]:
        """Every key that was ever here, by name."""
        rows = await self._tx.all(f"SELECT {', '.join(KeyRow._fields)} FROM linkage_key ORDER BY name")
        return [KeyRow(*row)._replace(secret=bytes(row[7])) for row in rows]

    async def put_key(self, key: KeyRow) -> None:
        """Keep a key; one that is known stays as it is."""
        await self._tx.insert("linkage_key", KeyRow._fields, [key], "ON CONFLICT DO NOTHING")

    async def close_key(self, key: KeyRow) -> None:
        """Destroy a key; that it was there stays, also when it comes later than this."""
        await self.put_key(key)
        await self._tx.run("UPDATE linkage_key SET closed = 1, secret = ? WHERE name = ?", b"", key.name)

    async def linked(self, names: Sequence[str], position: int) -> None:
        """The own journal is read up to ``position`` for these keys."""
        await self._tx.run("UPDATE linkage_key SET position = ? WHERE name = ANY(?)", position, list(names))

    async def link_again(self) -> None:
        """The own journal is to be read again for every key."""
        await self._tx.run("UPDATE linkage_key SET position = 0")

    # Tokens.

    async def put(self, rows: Sequence[LinkRow]) -> None:
        """Keep tokens, but those of persons who were erased, and queue what there is to compare."""
        erased = await self._erased({(row.origin, row.handle) for row in rows if row.handle})
        kept = [row for row in rows if (row.origin, row.handle) not in erased]
        await self._tx.insert("linkage", LinkRow._fields, kept, "ON CONFLICT DO NOTHING")
        await self._queue(kept)

    async def _erased(self, handles: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        rows = await self._tx.all(
            "SELECT origin, handle FROM linkage_erased WHERE handle = ANY(?)",
            sorted({handle for _, handle in handles}),
        )
        return {(origin, handle) for origin, handle in rows}

    async def _queue(self, rows: Iterable[LinkRow]) -> None:
        due = {DueRow(row.key, "", row.token) for row in rows if not row.party}
        due |= {DueRow(row.key, PARTY, row.party) for row in rows if row.party}
        due |= {DueRow(row.key, TENDER, row.grp) for row in rows if row.party}
        await self._tx.insert("linkage_due", DueRow._fields, sorted(due), _DUE)

    async def erase(self, origin: str, handle: str) -> None:
        """Forget the tokens of a person who was erased, for good; what they were compared with is queued."""
        await self._tx.insert("linkage_erased", ("origin", "handle"), [(origin, handle)], _DUE)
        rows = await self._of("origin = ? AND handle = ?", origin, handle)
        await self._queue(rows)
        await self._tx.run("DELETE FROM linkage WHERE origin = ? AND handle = ?", origin, handle)

    async def of_handles(self, origin: str, handles: Sequence[str]) -> list[LinkRow]:
        """Tokens of one journal's persons."""
        return await self._of("origin = ? AND handle = ANY(?)", origin, list(handles))

    async def of_tokens(self, key: str, tokens: Sequence[str], most: int) -> list[LinkRow]:
        """Everything that has one of these tokens, at most so many rows."""
        return await self._of("key = ? AND token = ANY(?)", key, list(tokens), most=most)

    async def of_parties(self, key: str, parties: Sequence[str], most: int) -> list[LinkRow]:
        """Everything that stands beside one of these parties, at most so many rows."""
        return await self._of("key = ? AND party = ANY(?) AND party <> ''", key, list(parties), most=most)

    async def of_tenders(self, key: str, tenders: Sequence[str], most: int) -> list[LinkRow]:
        """Everything that was bid for these, at most so many rows."""
        return await self._of("key = ? AND grp = ANY(?) AND party <> ''", key, list(tenders), most=most)

    async def shared(self, key: str, tokens: Sequence[str]) -> list[str]:
        """Those of these tokens that more than one event has."""
        rows = await self._tx.all(
            "SELECT token FROM linkage WHERE key = ? AND token = ANY(?) GROUP BY token HAVING COUNT(*) > 1",
            key,
            list(tokens),
        )
        return [token for (token,) in rows]

    async def _of(self, where: str, *parameters: object, most: int = 1_000_000) -> list[LinkRow]:
        rows = await self._tx.all(
            f"SELECT {', '.join(LinkRow._fields)} FROM linkage WHERE {where}"
            " ORDER BY key, token, role, origin, idx LIMIT ?",
            *parameters,
            most,
        )
        return [LinkRow(*row) for row in rows]

    async def counts(self) -> dict[str, tuple[int, int]]:
        """For each key how many tokens are held under it, and of how many journals."""
        rows = await self._tx.all(
            "SELECT key, COUNT(*), COUNT(DISTINCT origin) FROM linkage GROUP BY key ORDER BY key"
        )
        return {key: (tokens, origins) for key, tokens, origins in rows}

    # What is due.

    async def due(self, most: int) -> list[DueRow]:
        """The next of what is to be compared."""
        rows = await self._tx.all(
            "SELECT key, role, token FROM linkage_due ORDER BY key, role, token LIMIT ?", most
        )
        return [DueRow(*row) for row in rows]

    async def compare_again(self) -> None:
        """Queue everything: what is too much has changed."""
        for role, name, where in (
            ("", "token", "party = ''"),
            (PARTY, "party", "party <> ''"),
            (TENDER, "grp", "party <> ''"),
        ):
            await self._tx.run(
                f"INSERT INTO linkage_due (key, role, token) SELECT DISTINCT key, '{role}', {name} FROM linkage"
                f" WHERE {where} ON CONFLICT DO NOTHING"
            )

    async def waiting(self) -> int:
        """How much is to be compared."""
        row = await self._tx.one("SELECT COUNT(*) FROM linkage_due")
        return 0 if row is None else int(row[0])

    async def done(self, due: Sequence[DueRow]) -> None:
        """These are compared."""
        await self._tx.many("DELETE FROM linkage_due WHERE key = ? AND role = ? AND token = ?", due)

    async def matches(self, key: str, members: Sequence[str]) -> dict[str, set[str]]:
        """What was found by these tokens or parties and may still stand: member → subjects of alerts."""
        rows = await self._tx.all(
            "SELECT member, about FROM linkage_match WHERE key = ? AND member = ANY(?)", key, list(members)
        )
        found: dict[str, set[str]] = {}
        for member, about in rows:
            found.setdefault(member, set()).add(about)
        return found

    async def matched(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Keep (key, member, about): what was found by a member."""
        await self._tx.insert("linkage_match", ("key", "member", "about"), rows, _DUE)

    async def unmatched(self, abouts: Sequence[str]) -> None:
        """These hold no more."""
        await self._tx.run("DELETE FROM linkage_match WHERE about = ANY(?)", list(abouts))

    # Seeds of draws.

    async def put_seed(self, request_idx: int, idx: int) -> None:
        """The seed for a request came, as entry ``idx`` of the own journal; the first counts."""
        await self._tx.insert("draw_seed", ("request_idx", "idx"), [(request_idx, idx)], _DUE)

    async def seed(self, request_idx: int) -> int | None:
        """Where the seed for a request is; None: it has not come."""
        row = await self._tx.one("SELECT idx FROM draw_seed WHERE request_idx = ?", request_idx)
        return None if row is None else int(row[0])
