"""Computes the tokens of the own journal: for each event that names somebody, under each open key whose stretch it falls in.

It follows the journal behind everything else, by a position for each key, which is written in the transaction of the tokens: killed anywhere it
goes on where it was. So a key that comes late, or another one for the same days, finds everything that was entered before. Who was erased
from the vault has no identifier any more and gives no token; tokens of before are called back by an entry.

What bounds it: `CHUNK` entries are looked at, and only those that name somebody are parsed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.matching_pb2 import LinkageTokens, Linked

from node.matching.identifiers import normal
from node.matching.keys import LinkageKeys, OpenKey
from node.matching.reading import Own, identified
from node.matching.tokens import REGISTERS, KeyName, token
from node.store.drafts import Draft
from node.store.rows import EventRow
from node.store.store import Session, Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.gathering import ZONE
from node.supervision.linkage import APPLICANT, Link, links
from node.wallclock import Now

log = structlog.get_logger()

CHUNK: Final = 5_000
"""Entries looked at in one step."""

AT_ONCE: Final = 300
"""Tokens in one entry: some 40 KiB."""

_DAY_US: Final = 86_400_000_000


class Linking:
    """Computes one node's tokens."""

    def __init__(
        self, store: Store, writer: JournalWriter, vault: Vault, keys: LinkageKeys, now: Now
    ) -> None:
        self._store = store
        self._writer = writer
        self._vault = vault
        self._keys = keys
        self._now = now
        self._own = writer.node
        self._domains = sorted({domain.encode() for domain, _ in links()})

    async def step(self, upto: int) -> bool:
        """Compute the next stretch, of the journal's first ``upto`` entries; False: there was nothing to do."""
        keys = await self._keys.open_keys()
        behind = sorted({key.position for key in keys})
        if not behind or behind[0] >= upto:
            return False
        lo = behind[0]
        hi = min(upto, lo + CHUNK, *behind[1:2])
        here = [key for key in keys if key.position == lo]
        async with self._store.read() as session:
            leaves = await session.journal.leaves(self._own, lo, hi)
            own = identified(self._own, lo, leaves, self._domains)
            made = await self._links(session, own, here)
        entries = [
            LinkageTokens(issuer=name.issuer, purpose=name.purpose, number=name.number, links=some)
            for name, all_of_it in made.items()
            for some in _runs(all_of_it)
        ]
        if own.erased:
            # Whether there are tokens of theirs is not asked: some may have been entered a moment ago.
            entries += [
                LinkageTokens(
                    issuer=key.name.issuer,
                    purpose=key.name.purpose,
                    number=key.name.number,
                    forgotten=own.erased,
                )
                for key in here
            ]
        names = [str(key.name) for key in here]

        async def beside(session: Session) -> None:
            await session.linkage.linked(names, hi)

        if entries:
            drafts = [Draft.of(Entry(noted_at_us=self._now(), linkage_tokens=told)) for told in entries]
            await self._writer.append(drafts, beside)
        else:
            async with self._store.write() as session:
                await beside(session)
        return True

    async def _links(
        self, session: Session, own: Own, keys: Sequence[OpenKey]
    ) -> dict[KeyName, list[Linked]]:
        events = [*own.events, *await self._undone(session, own)]
        handles = {event.applicant for event, _ in events} | {row[2] for row in own.registers}
        handles.discard("")
        persons = await self._vault.persons(session.vault, sorted(handles))
        texts = await self._vault.texts(session.vault, sorted(set(_digests(events))))
        there = {
            (row.key, row.idx, row.role, row.handle)
            for row in await session.linkage.of_handles(self._own, sorted(handles))
        }
        made: dict[KeyName, list[Linked]] = {}
        for event, link in events:
            found = {}
            for role, place in link.roles:
                if place == APPLICANT:
                    person = persons.get(event.applicant)
                    said = person.id_number if person is not None else ""
                else:
                    said = str(event.attributes.get(place, ""))
                    said = texts.get(said, "") if said.startswith("sha256:") else said
                if identifier := normal(role, said):
                    found[role] = identifier
            day = _day(event)
            for key in keys:
                if key.name.purpose == link.purpose and key.from_day <= day <= key.to_day:
                    linked = _linked(event, link, key, found)
                    new = [
                        one for one in linked if (str(key.name), one.index, one.role, one.handle) not in there
                    ]
                    made.setdefault(key.name, []).extend(new)
        for idx, register, handle, day in own.registers:
            purpose, role = REGISTERS.get(register, ("", ""))
            person = persons.get(handle)
            if not purpose or person is None or not (identifier := normal(role, person.id_number)):
                continue
            for key in keys:
                if key.name.purpose == purpose and (str(key.name), idx, register, handle) not in there:
                    one = Linked(
                        index=idx,
                        role=register,
                        token=token(key.secret, purpose, role, identifier),
                        handle=handle,
                        at_us=day * _DAY_US,
                    )
                    made.setdefault(key.name, []).append(one)
        return {name: all_of_it for name, all_of_it in made.items() if all_of_it}

    async def _undone(self, session: Session, own: Own) -> list[tuple[EventRow, Link]]:
        """What takes an earlier event back, as that event with the amount negated; what gives it again, as it was."""
        cases = sorted({event.case_id for event, _ in own.undone})
        if not cases:
            return []
        known = links()
        earlier: dict[tuple[str, str, object], EventRow] = {}
        for event in await session.events.of_cases(self._own, cases):
            link = known.get((event.domain, event.kind))
            if link is not None and link.serial:
                earlier[event.case_id, event.kind, event.attributes.get(link.serial)] = event
        found = []
        for event, link in own.undone:
            of = earlier.get((event.case_id, link.kind, event.attributes.get(link.serial)))
            if of is not None:
                amount = abs(int(of.attributes.get(link.amount) or 1))
                amount = -amount if event.kind == link.undone[0] else amount
                attributes = {**of.attributes, link.amount: amount}
                found.append((replace(of, idx=event.idx, at_us=event.at_us, attributes=attributes), link))
        return found


def _digests(events: Iterable[tuple[EventRow, Link]]) -> Iterable[str]:
    for event, link in events:
        for _, place in link.roles:
            said = event.attributes.get(place)
            if isinstance(said, str) and said.startswith("sha256:"):
                yield said


def _day(event: EventRow) -> int:
    """The event's local day, days since 1970-01-01."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=event.at_us)
    return at.astimezone(ZoneInfo(event.zone or ZONE)).toordinal() - EPOCH_ORDINAL


def _linked(event: EventRow, link: Link, key: OpenKey, found: Mapping[str, str]) -> list[Linked]:
    tokens = {role: token(key.secret, link.purpose, role, said) for role, said in found.items()}
    party = ""
    if link.party:
        of = tokens.get(link.party)
        party = of.hex() if of is not None else event.applicant or f"{event.origin}/{event.idx}"
    return [
        Linked(
            index=event.idx,
            case_id=event.case_id,
            role=role,
            token=of,
            group=_group(event, link),
            party=party,
            handle=event.applicant,
            at_us=event.at_us,
            amount=int(event.attributes.get(link.amount) or 0),
            agency=event.agency,
            actor=event.actor,
        )
        for role, of in tokens.items()
    ]


def _group(event: EventRow, link: Link) -> str:
    for names in link.groups:
        parts = [
            str(event.attributes.get(name) or "") if name != "case_id" else event.case_id for name in names
        ]
        if all(parts):
            return "/".join(parts)
    return ""


def _runs(all_of_it: Sequence[Linked]) -> Iterable[Sequence[Linked]]:
    for start in range(0, len(all_of_it), AT_ONCE):
        yield all_of_it[start : start + AT_ONCE]
