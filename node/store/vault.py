"""Persons and free text, kept apart from the journal so that they can be forgotten.

The journal names a citizen by a random handle and a free text by a salted digest; only the vault knows what they stand for.
Erasing a handle deletes the mapping and leaves the tree as it is. The same person has one handle in one node for as long as the
mapping exists, and a new one after it was erased.

Write to the vault before the entry that uses the handle or digest: killed in between, a sealed row is left that nothing names,
never an entry whose text is lost.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from node.store.engine import Transaction
from node.store.sealing import SALT_BYTES, Sealer, digest_text, new_handle

KNOWN_HANDLES: Final = 50_000
"""How many persons' handles a vault keeps in memory to spare the database."""


@dataclass(frozen=True, slots=True)
class Person:
    """A citizen as a source names them."""

    name: str
    id_number: str


class VaultRows:
    """The vault's two tables. What is in them is sealed; see `Vault`."""

    def __init__(self, transaction: Transaction) -> None:
        self._tx = transaction

    async def handles(self, lookups: Sequence[str]) -> dict[str, str]:
        """Handles by lookup, of those that are there."""
        rows = await self._tx.all("SELECT lookup, handle FROM vault WHERE lookup = ANY(?)", list(lookups))
        return {lookup: handle for lookup, handle in rows}

    async def put(self, rows: Sequence[tuple[str, str, bytes]]) -> None:
        """Add (handle, lookup, sealed) rows. Raises StoreConflict when a handle or lookup is there already."""
        await self._tx.insert("vault", ("handle", "lookup", "sealed"), rows)

    async def get(self, handle: str) -> bytes | None:
        """What is sealed under a handle; None: erased or never there."""
        row = await self._tx.one("SELECT sealed FROM vault WHERE handle = ?", handle)
        return None if row is None else bytes(row[0])

    async def sealed(self, handles: Sequence[str]) -> dict[str, bytes]:
        """What is sealed under each of these handles, of those that are there."""
        rows = await self._tx.all("SELECT handle, sealed FROM vault WHERE handle = ANY(?)", list(handles))
        return {handle: bytes(sealed) for handle, sealed in rows}

    async def erase(self, handle: str) -> bool:
        """Delete a mapping; False: there was none."""
        return await self._tx.run("DELETE FROM vault WHERE handle = ?", handle) == 1

    async def put_texts(self, rows: Sequence[tuple[str, bytes]]) -> None:
        """Add (digest, sealed) rows."""
        await self._tx.insert("vault_text", ("digest", "sealed"), rows, "ON CONFLICT DO NOTHING")

    async def texts(self, digests: Sequence[str]) -> dict[str, bytes]:
        """Sealed texts by digest, of those that are there."""
        rows = await self._tx.all(
            "SELECT digest, sealed FROM vault_text WHERE digest = ANY(?)", list(digests)
        )
        return {digest: bytes(sealed) for digest, sealed in rows}

    async def erase_text(self, digest: str) -> bool:
        """Delete a text; False: there was none."""
        return await self._tx.run("DELETE FROM vault_text WHERE digest = ?", digest) == 1


class Vault:
    """What the vault can say to whoever holds its key (32 bytes). Methods take the rows of the session they work in."""

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)
        self._known: dict[str, str] = {}

    def known(self, persons: Sequence[Person]) -> list[str] | None:
        """The persons' handles if all of them are in memory; None: ask `handles`, in a write."""
        try:
            return [self._known[self._sealer.lookup(person.name, person.id_number)] for person in persons]
        except KeyError:
            return None

    def learn(self, persons: Sequence[Person], handles: Sequence[str]) -> None:
        """Keep in memory what `handles` gave, once its transaction has committed."""
        if len(self._known) + len(persons) > KNOWN_HANDLES:
            self._known.clear()
        for person, handle in zip(persons, handles, strict=True):
            self._known[self._sealer.lookup(person.name, person.id_number)] = handle

    async def handles(self, rows: VaultRows, persons: Sequence[Person]) -> list[str]:
        """A handle for each person, made where there is none yet; needs a write."""
        lookups = [self._sealer.lookup(person.name, person.id_number) for person in persons]
        found = await rows.handles(sorted(set(lookups)))
        fresh: list[tuple[str, str, bytes]] = []
        for lookup, person in zip(lookups, persons, strict=True):
            if lookup not in found:
                handle = found[lookup] = new_handle()
                plain = orjson.dumps([person.name, person.id_number])
                fresh.append((handle, lookup, self._sealer.seal(plain, handle)))
        await rows.put(fresh)
        return [found[lookup] for lookup in lookups]

    async def find(self, rows: VaultRows, person: Person) -> str | None:
        """The handle of a person this node knows; None: it does not."""
        lookup = self._sealer.lookup(person.name, person.id_number)
        return (await rows.handles([lookup])).get(lookup)

    async def person(self, rows: VaultRows, handle: str) -> Person | None:
        """Who a handle stands for; None: erased or never here. Raises StoreDamaged when the key does not open it."""
        sealed = await rows.get(handle)
        return None if sealed is None else Person(*orjson.loads(self._sealer.open(sealed, handle)))

    async def persons(self, rows: VaultRows, handles: Sequence[str]) -> dict[str, Person]:
        """Who these handles stand for, of those that are there. Raises StoreDamaged when the key does not open one."""
        return {
            handle: Person(*orjson.loads(self._sealer.open(sealed, handle)))
            for handle, sealed in (await rows.sealed(handles)).items()
        }

    def mac(self, purpose: str, text: str) -> bytes:
        """32 bytes that stand for a text, for one purpose; without the vault's key they say nothing."""
        return self._sealer.mac(purpose, text)

    def lock(self, secret: bytes, place: str) -> bytes:
        """Seal a secret that is no person's, for one place."""
        return self._sealer.seal(secret, place)

    def unlock(self, sealed: bytes, place: str) -> bytes:
        """Inverse of `lock`. Raises StoreDamaged when key, place or content are not the ones it was sealed with."""
        return self._sealer.open(sealed, place)

    async def erase(self, rows: VaultRows, handle: str) -> bool:
        """Forget who a handle stands for; False: nobody knew."""
        self._known = {lookup: known for lookup, known in self._known.items() if known != handle}
        return await rows.erase(handle)

    async def digests(self, rows: VaultRows, texts: Sequence[str]) -> list[str]:
        """A digest for each text, each under a salt of its own; needs a write. Equal texts get different digests."""
        sealed: list[tuple[str, bytes]] = []
        for text in texts:
            salt = os.urandom(SALT_BYTES)
            digest = digest_text(salt, text)
            sealed.append((digest, self._sealer.seal(salt + text.encode(), digest)))
        await rows.put_texts(sealed)
        return [digest for digest, _ in sealed]

    async def said(self, rows: VaultRows, digest: str) -> bytes | None:
        """Salt and text of a digest, for a reader elsewhere whose vault keeps them too; None: erased or never here."""
        sealed = (await rows.texts([digest])).get(digest)
        return None if sealed is None else self._sealer.open(sealed, digest)

    async def keep(self, rows: VaultRows, digest: str, said: bytes) -> bool:
        """Keep salt and text that came from elsewhere; False: they are not what the digest stands for. Needs a write."""
        try:
            fits = digest_text(said[:SALT_BYTES], said[SALT_BYTES:].decode()) == digest
        except UnicodeDecodeError:
            return False
        if fits:
            await rows.put_texts([(digest, self._sealer.seal(said, digest))])
        return fits

    async def text(self, rows: VaultRows, digest: str) -> str | None:
        """The text of a digest; None: erased or never here. Raises StoreDamaged when the key does not open it."""
        sealed = (await rows.texts([digest])).get(digest)
        return None if sealed is None else self._sealer.open(sealed, digest)[SALT_BYTES:].decode()

    async def texts(self, rows: VaultRows, digests: Sequence[str]) -> dict[str, str]:
        """The texts of these digests, of those that are there. Raises StoreDamaged when the key does not open one."""
        return {
            digest: self._sealer.open(sealed, digest)[SALT_BYTES:].decode()
            for digest, sealed in (await rows.texts(digests)).items()
        }

    async def salt(self, rows: VaultRows, digest: str) -> bytes | None:
        """The salt of a digest, with which anybody who has the text can check it; None: erased or never here."""
        sealed = (await rows.texts([digest])).get(digest)
        return None if sealed is None else self._sealer.open(sealed, digest)[:SALT_BYTES]
