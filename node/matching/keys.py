"""Keys of the matching: issued by the node at its top, sealed to each node that computes tokens, destroyed when their time is over.

    issuer ──▶ its journal: the key, sealed to its own sealing key
           ──▶ for each node below whose domains name such persons: the same, sealed to that node's key and addressed to it
    node   ──▶ opens what came down, keeps it sealed by the vault's key, computes its tokens
    issuer ──▶ everybody below: forget it

A key goes to nobody else: those in between carry an envelope that they cannot open. It is handed out again to a node that comes later, or comes
back with another sealing key. A key is for a stretch of local days; stretches overlap, so that what is paid for one period in December and
in January meets under one of them. A yearly key is followed by the next one by itself; by order (`issue`) there is another any time, and an older
one can be closed: then nobody can make or test its tokens any more, and those that were entered are still equal where they were equal.

Killed anywhere: what was entered is known by its serial and is not entered twice; a key whose entry is there and which is not kept is read
from the journal again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.identity_pb2 import ENROLMENT_STATE_REVOKED
from zongheng.v1.matching_pb2 import LinkageKey

from federation.errors import ZonghengError
from federation.sealing.envelope import ALGORITHM, key_id, padded, public_bytes, seal, unpadded, unseal
from node.lane_down import AddressedEntries
from node.matching.tokens import PURPOSES, KeyName, new_key
from node.passports import Passports
from node.sealed.keys import sealing_keys
from node.store.drafts import Draft
from node.store.linkage import KeyRow
from node.store.store import Session, Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.linkage import purposes
from node.tree import Tree
from node.wallclock import Now
from tiers.profile import profile_of
from tiers.tier import tier_named

log = structlog.get_logger()

SOURCE: Final = "linkage"

OVERLAP_DAYS: Final = 92
"""How long before its year a yearly key begins: a quarter of a year's payments are comparable with the next year's."""

KEEP_DAYS: Final = 366
"""How long after its stretch a key is kept for what is entered late; then it is closed by itself."""

_PURPOSE: Final = "linkage"


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key that tokens are computed under."""

    name: KeyName
    from_day: int
    to_day: int
    secret: bytes
    position: int


class LinkageKeys:
    """The keys of one node: those it issued, and those it was given."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        writer: JournalWriter,
        vault: Vault,
        sealing: X25519PrivateKey,
        passports: Passports,
        tree: Tree,
        addressed: AddressedEntries,
        now: Now,
    ) -> None:
        self._folder = folder
        self._store = store
        self._writer = writer
        self._vault = vault
        self._sealing = sealing
        self._passports = passports
        self._tree = tree
        self._addressed = addressed
        self._now = now
        self._own = writer.node
        self._sent: set[str] = set()
        """Serials of what was handed out."""
        self._readers: dict[str, tuple[bytes, bytes]] = {}
        """Node → its passport, and the sealing key in it."""

    # What is known.

    async def rows(self) -> list[KeyRow]:
        """Every key that was ever here."""
        async with self._store.read() as session:
            return await session.linkage.keys()

    async def open_keys(self) -> list[OpenKey]:
        """The keys that are not closed, with their secrets."""
        return [
            OpenKey(
                KeyName.parse(row.name),
                row.from_day,
                row.to_day,
                self._vault.unlock(row.secret, f"{_PURPOSE} {row.name}"),
                row.position,
            )
            for row in await self.rows()
            if not row.closed
        ]

    # What is ordered.

    async def issue(
        self, purpose: str, from_day: int, to_day: int, by: str, reason: str, replaces: Sequence[int] = ()
    ) -> KeyName:
        """Issue a key, and close those that it replaces. ``bad_request`` for what makes none."""
        if purpose not in PURPOSES:
            raise ZonghengError("bad_request", f"{purpose!r} is no purpose: {', '.join(PURPOSES)}")
        if not from_day < to_day:
            raise ZonghengError("bad_request", "its last day comes after its first")
        numbers = [
            row.number for row in await self.rows() if (row.issuer, row.purpose) == (self._own, purpose)
        ]
        strange = sorted(set(replaces) - set(numbers))
        if strange:
            raise ZonghengError("not_found", f"{self._own} issued no key {strange[0]} for {purpose}")
        name = KeyName(self._own, purpose, max(numbers, default=0) + 1)
        secret = new_key()
        told = LinkageKey(
            purpose=purpose, number=name.number, from_day=from_day, to_day=to_day, by=by, reason=reason
        )
        row = self._row(name, told, secret)

        async def beside(session: Session) -> None:
            await session.linkage.put_key(row)

        entry = self._sealed(told, secret, self._own, public_bytes(self._sealing))
        await self._writer.append([Draft.of(entry)], beside)
        log.info("linkage.issued", key=str(name), from_day=from_day, to_day=to_day)
        for number in replaces:
            await self.close(purpose, number, by, f"replaced by {name.number}: {reason}")
        await self.hand_out()
        return name

    async def close(self, purpose: str, number: int, by: str, reason: str) -> None:
        """Destroy a key here, and order so below. ``not_found`` where this node issued none of that number."""
        name = KeyName(self._own, purpose, number)
        row = next((one for one in await self.rows() if one.name == str(name)), None)
        if row is None:
            raise ZonghengError("not_found", f"{self._own} issued no key {number} for {purpose}")
        if row.closed:
            return
        told = LinkageKey(
            purpose=purpose, number=number, from_day=row.from_day, to_day=row.to_day, closed=True, by=by, reason=reason
        )  # fmt: skip

        async def beside(session: Session) -> None:
            await session.linkage.close_key(row._replace(closed=1, secret=b""))

        entry = self._entry(told, f"closed/{name}")
        entry.address.CopyFrom(self._addressed.address(self._own, subtree=True))
        await self._writer.append([Draft.of(entry)], beside)
        log.info("linkage.closed", key=str(name), reason=reason)

    async def look(self, today: int) -> None:
        """Issue next year's keys when their time comes, close those whose time is over, hand out what somebody has not got."""
        own = [row for row in await self.rows() if row.issuer == self._own]
        for purpose in PURPOSES:
            of_it = [row for row in own if row.purpose == purpose]
            newest = max(of_it, key=lambda row: row.to_day, default=None)
            if newest is not None and not newest.closed and _ends_year(newest.to_day):
                from_day, to_day = year_of(newest.to_day + 1)
                if from_day <= today <= to_day:
                    await self.issue(purpose, from_day, to_day, "", "the next year")
        for row in own:
            if not row.closed and row.to_day + KEEP_DAYS < today:
                await self.close(row.purpose, row.number, "", "its time is over")
        await self.hand_out()

    async def hand_out(self) -> None:
        """Enter every open key that this node issued for every node below that is to have it, once each."""
        own = [key for key in await self.open_keys() if key.name.issuer == self._own]
        if not own:
            return
        async with self._store.read() as session:
            children = {row.node: row.state for row in await session.children.all()}
        revoked = {child for child, state in children.items() if state == ENROLMENT_STATE_REVOKED}
        wanted: dict[str, tuple[OpenKey, str, bytes]] = {}
        for node, sealing_key, asked_for in self._reading():
            if self._tree.route(node) in revoked:
                continue
            for key in own:
                serial = f"{key.name}/{node}/{key_id(sealing_key)}"
                if key.name.purpose in asked_for and serial not in self._sent:
                    wanted[serial] = key, node, sealing_key
        if not wanted:
            return
        async with self._store.read() as session:
            seen = await session.journal.seen(SOURCE, list(wanted))
        drafts = []
        for serial, (key, node, sealing_key) in wanted.items():
            if serial in seen:
                continue
            told = LinkageKey(
                purpose=key.name.purpose, number=key.name.number, from_day=key.from_day, to_day=key.to_day
            )
            entry = self._sealed(told, key.secret, node, sealing_key)
            entry.address.CopyFrom(self._addressed.address(node))
            drafts.append(Draft.of(entry))
        if drafts:
            await self._writer.append(drafts)
            log.info("linkage.handed_out", nodes=len(drafts))
        self._sent.update(wanted)

    # What came.

    async def take(self, session: Session, name: KeyName, told: LinkageKey) -> None:
        """Keep a key that a journal shows, or destroy one; what is sealed to others is passed over."""
        if told.closed:
            await session.linkage.close_key(self._row(name, told, None))
            return
        private = sealing_keys(self._folder, self._sealing).get(told.reader_key)
        if told.reader != self._own or private is None:
            return
        try:
            secret = unpadded(unseal(private, told.algorithm, told.sealed, _PURPOSE, str(name), self._own))
        except ZonghengError as error:
            log.warning("linkage.unopened", key=str(name), words=error.detail)
            return
        await session.linkage.put_key(self._row(name, told, secret))

    def _reading(self) -> Iterator[tuple[str, bytes, frozenset[str]]]:
        """Nodes below that compute tokens: (node, sealing key, purposes)."""
        for card in self._tree.descendants():
            asked_for = purposes(profile_of(tier_named(card.tier)).domains) if card.tier else frozenset()
            if not asked_for or not card.passport:
                continue
            known = self._readers.get(card.node)
            if known is None or known[0] != card.passport:
                holder = self._passports.of(card.node)
                if holder is None:
                    continue
                known = self._readers[card.node] = card.passport, holder.sealing_key
            yield card.node, known[1], asked_for

    def _row(self, name: KeyName, told: LinkageKey, secret: bytes | None) -> KeyRow:
        return KeyRow(
            str(name),
            name.issuer,
            name.purpose,
            name.number,
            told.from_day,
            told.to_day,
            secret is None,
            b"" if secret is None else self._vault.lock(secret, f"{_PURPOSE} {name}"),
            0,
        )

    def _sealed(self, told: LinkageKey, secret: bytes, reader: str, public: bytes) -> Entry:
        name = KeyName(self._own, told.purpose, told.number)
        sealed = LinkageKey()
        sealed.CopyFrom(told)
        sealed.algorithm, sealed.reader, sealed.reader_key = ALGORITHM, reader, key_id(public)
        sealed.sealed = seal(public, padded(secret), _PURPOSE, str(name), reader)
        return self._entry(sealed, f"{name}/{reader}/{sealed.reader_key}")

    def _entry(self, told: LinkageKey, serial: str) -> Entry:
        return Entry(noted_at_us=self._now(), source=SOURCE, serial=serial, linkage_key=told)


def year_of(day: int) -> tuple[int, int]:
    """First and last day of the stretch of a yearly key that ends with the year of ``day``; days since 1970-01-01."""
    year = date.fromordinal(day + EPOCH_ORDINAL).year
    first, last = date(year, 1, 1) - timedelta(OVERLAP_DAYS), date(year, 12, 31)
    return first.toordinal() - EPOCH_ORDINAL, last.toordinal() - EPOCH_ORDINAL


def _ends_year(day: int) -> bool:
    ends = date.fromordinal(day + EPOCH_ORDINAL)
    return (ends.month, ends.day) == (12, 31)
