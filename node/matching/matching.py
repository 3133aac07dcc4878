"""The matching of one node: reads what journals say about tokens, computes its own, compares, and raises what several records show together.

    journals ──▶ tokens (cursor `matching` per journal, queue of what is new) ──▶ comparison ──▶ alerts, with the rows they rest on
    own events ──▶ tokens under every open key ──▶ own journal ──▶ rises to the issuer of the key

Nobody here knows a person: what is compared are tokens, and what a match names are nodes, cases and officers. An issued alert is told to every
node that has a half of it, by an addressed notice; there it is an alert of that node's own, which its agency explains, and whose life rises
with the journal.

What holds when things fail: a stretch is read in one transaction with its cursor; what was queued is taken off when what was found is
entered; alerts are guarded by their keys. So a process killed anywhere does again what it did not finish and raises nothing twice. While
projections are built anew nothing is read, computed or raised. Work for what did not change: one read a look.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from zongheng.v1.entry_pb2 import AlertRaised, Entry
from zongheng.v1.matching_pb2 import MatchFound, MatchHalf

from node.matching.comparing import Match, of_bidder, of_payee, of_tender
from node.matching.keys import LinkageKeys
from node.matching.linking import Linking
from node.matching.notices import Notices
from node.matching.reading import Said, said
from node.matching.rules import BY_CODE, CEILINGS, DOMAIN
from node.matching.tokens import KeyName
from node.projection.context import Contexts
from node.projection.raising import Raising
from node.seeding import Seeding
from node.store.linkage import PARTY, TENDER, DueRow, LinkRow
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.supervision.alert import AsOf
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.context import Context
from node.supervision.finding import Finding
from node.supervision.policy import Threshold
from node.tree import Tree
from node.wallclock import Now

log = structlog.get_logger()

LOOK_S: Final = 5.0
"""How often a node looks."""

CURSOR: Final = "matching"

CHUNK: Final = 5_000
"""Leaves read at once."""

COMPARED: Final = 2_000
"""Tokens compared at once: bounds memory."""

TOGETHER: Final = 100
"""Tokens, or tenders, whose rows are read at once."""

ROWS: Final = 20_000
"""Rows that one reading gives at most; what has more is read alone, and of one token or tender so many are enough."""

_MEASURED: Final = "matching.measured_by"

HALVES: Final = 50
"""Rows named beside an alert; the alert's number counts all."""


class Matching:
    """Matches for one node."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        contexts: Contexts,
        raising: Raising,
        tree: Tree,
        keys: LinkageKeys,
        linking: Linking,
        notices: Notices,
        seeding: Seeding,
        at_rest: Callable[[], bool],
        now: Now,
    ) -> None:
        """``at_rest``: projections are whole."""
        self._store = store
        self._writer = writer
        self._contexts = contexts
        self._raising = raising
        self._tree = tree
        self._keys = keys
        self._linking = linking
        self._notices = notices
        self._seeding = seeding
        self._at_rest = at_rest
        self._now = now
        self._own = writer.node
        self._by = ""
        """By which policy and ceilings everything was compared last."""

    async def run(self) -> None:
        """Look, until cancelled; what fails is logged and comes again."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception:
                log.exception("matching.failed", instruction="it is tried again by itself")

    async def look(self) -> None:
        """Look once: read on, compute, compare, tell."""
        if not (self._at_rest() and self._writer.accepts):
            return
        async with self._store.read() as session:
            heads = [head.origin for head in await session.journal.heads()]
            folded = await session.cursors.of("facts")
            at = await session.cursors.of(CURSOR)
            began = at.get(self._own, 0)
        if not began:
            async with self._store.write() as session:
                await session.linkage.link_again()
        for origin in heads:
            while self._at_rest() and at.get(origin, 0) < folded.get(origin, 0):
                at[origin] = await self._read(origin, at.get(origin, 0), folded[origin])
        context = (await self._contexts.of(self._own)).context
        today = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self._now())
        await self._keys.look(today.astimezone(ZoneInfo(context.zone)).toordinal() - EPOCH_ORDINAL)
        while self._at_rest() and await self._linking.step(at.get(self._own, 0)):
            pass
        await self._measured_by(context)
        while self._at_rest() and await self._compare(context):
            pass
        await self._notices.tell()

    # What is read.

    async def _read(self, origin: str, lo: int, upto: int) -> int:
        """Read the next stretch of a journal; returns how far it is read."""
        hi = min(upto, lo + CHUNK)
        async with self._store.read() as session:
            leaves = await session.journal.leaves(origin, lo, hi)
        found = said(origin, lo, leaves, own=origin == self._own)
        await self._seeding.give(origin, found.requests)
        for sender, notice in found.notices:
            await self._notices.take(sender, notice)
        async with self._store.write() as session:
            await self._keep(session, found)
            await session.cursors.set(CURSOR, origin, hi)
        return hi

    async def _keep(self, session: Session, found: Said) -> None:
        for name, told in found.keys:
            await self._keys.take(session, name, told)
        for origin, handle in found.forgotten:
            await session.linkage.erase(origin, handle)
        await session.linkage.put(found.tokens)
        for seed, idx in found.seeds:
            if seed.child == self._own:
                await session.linkage.put_seed(seed.request_index, idx)

    # What is found.

    async def _measured_by(self, context: Context) -> None:
        """Under another policy, or other ceilings, everything is compared again."""
        ceilings = sorted(_ceilings(context).items())
        by = f"{context.policy.version} {context.policy.mandated} {ceilings}"
        if by == self._by:
            return
        digest = sha256(by.encode()).digest()
        async with self._store.write() as session:
            if await session.links.get(_MEASURED) != digest:
                await session.linkage.compare_again()
                await session.links.put(_MEASURED, digest)
        self._by = by

    async def _compare(self, context: Context) -> bool:
        """Compare the next of what is due; False: nothing was."""
        async with self._store.read() as session:
            due = await session.linkage.due(COMPARED)
            if not due:
                return False
            found: dict[str, list[Match]] = {}
            standing: set[str] = set()
            members: list[tuple[str, str, str]] = []
            for (key, role), names in _by_key(due).items():
                known = await session.linkage.matches(key, [_member(role, name) for name in names])
                standing |= {about for abouts in known.values() for about in abouts}
                for name, matches in await self._matches(session, context, key, role, names):
                    for match in matches:
                        found.setdefault(match.about, []).append(match)
                        members.append((key, _member(role, name), match.about))
            found = {about: await self._of_older_key(session, matches) for about, matches in found.items()}
        async with self._store.write() as session:
            await session.linkage.matched(members)
        for about in sorted(found.keys() | standing):
            await self._hold(context, about, found.get(about, []))
        async with self._store.write() as session:
            await session.linkage.unmatched(
                sorted(standing - {about for about, some in found.items() if some})
            )
            await session.linkage.done(due)
        return True

    async def _matches(
        self, session: Session, context: Context, key: str, role: str, names: Sequence[str]
    ) -> Iterable[tuple[str, list[Match]]]:
        """For each of these tokens, parties or tenders what it shows."""
        if role == TENDER:
            rows = await _rows(
                lambda some: session.linkage.of_tenders(key, some, ROWS), names, lambda row: row.grp
            )
            return [
                (name, of_tender(self._own, key, name, rows.get(name, ()), self._branch)) for name in names
            ]
        if role == PARTY:
            return [(name, await self._of_party(session, key, name)) for name in names]
        ceilings = _ceilings(context)
        # One payment alone is no match, but may be above a ceiling.
        wanted = names if ceilings else await session.linkage.shared(key, names)
        rows = await _rows(
            lambda some: session.linkage.of_tokens(key, some, ROWS), wanted, lambda row: row.token
        )
        return [(name, of_payee(self._own, rows.get(name, ()), self._branch, ceilings)) for name in wanted]

    async def _of_party(self, session: Session, key: str, party: str) -> list[Match]:
        own = await session.linkage.of_parties(key, [party], ROWS)
        tokens = sorted({row.token for row in own if row.role != "company"})
        beside = {row.party for row in await session.linkage.of_tokens(key, tokens, ROWS)} - {party, ""}
        if not beside:
            return []
        others = await session.linkage.of_parties(key, sorted(beside), ROWS)
        return of_bidder(self._own, key, party, [*own, *others], self._branch)

    async def _of_older_key(self, session: Session, matches: Sequence[Match]) -> list[Match]:
        """Without those whose every row an older key shows too: where two keys overlap, one alert is enough."""
        kept = []
        for match in matches:
            name = KeyName.parse(match.rows[0].key)
            shown: set[tuple[str, str, int]] = set()
            for origin in {row.origin for row in match.rows}:
                handles = sorted({row.handle for row in match.rows if row.origin == origin and row.handle})
                shown |= {
                    (row.role, row.origin, row.idx)
                    for row in await session.linkage.of_handles(origin, handles)
                    if _is_older(KeyName.parse(row.key), name)
                }
            if not all((row.role, row.origin, row.idx) in shown for row in match.rows):
                kept.append(match)
        return kept

    async def _hold(self, context: Context, about: str, matches: Sequence[Match]) -> None:
        policy = context.policy
        found: dict[tuple[str, str, int], tuple[Match, Threshold]] = {}
        for match in matches:
            rule = BY_CODE[match.rule]
            for threshold in policy.thresholds(rule) if policy.enabled(rule) else ():
                if match.measure >= threshold.at_least:
                    found[match.rule, match.subject, int(threshold.level)] = match, threshold
        as_of = AsOf(
            self._own,
            self._now(),
            self._raising.size,
            policy.version,
            context.calendar.version,
            policy.mandated,
        )
        findings = [
            Finding(
                case_id=about,
                subject=subject,
                domain=DOMAIN,
                rule=rule,
                rule_version=BY_CODE[rule].version,
                level=threshold.level,
                since_us=match.since_us,
                due_at_us=0,
                over=match.measure,
                agency="",
                item="",
                actor="",
            )
            for (rule, subject, _), (match, threshold) in found.items()
        ]

        def beside(raised: AlertRaised) -> Entry:
            match, threshold = found[raised.rule, raised.subject, raised.level]
            return _found(raised, match, threshold.at_least)

        changed = await self._raising.hold(about, DOMAIN, findings, as_of, beside)
        for raised in changed.raised:
            log.warning("matching.alert", rule=raised.rule, level=raised.level, about=about, over=raised.over)

    def _branch(self, origin: str) -> str:
        return self._tree.route(origin) or origin


def _member(role: str, name: str) -> str:
    return f"{role}:{name}" if role else name


def _by_key(due: Iterable[DueRow]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for one in due:
        found.setdefault((one.key, one.role), []).append(one.token)
    return found


async def _rows(
    read: Callable[[Sequence[str]], Awaitable[list[LinkRow]]],
    names: Sequence[str],
    by: Callable[[LinkRow], str],
) -> dict[str, list[LinkRow]]:
    """The rows of each of these, read some at a time."""
    found: dict[str, list[LinkRow]] = {}
    for start in range(0, len(names), TOGETHER):
        some = names[start : start + TOGETHER]
        rows = await read(some)
        if len(rows) >= ROWS:
            rows = [row for name in some for row in await read([name])]
        for row in rows:
            found.setdefault(by(row), []).append(row)
    return found


def _is_older(one: KeyName, other: KeyName) -> bool:
    """Of two keys of one purpose the nearer issuer's (whose id is longer) counts, of one issuer's the earlier."""
    if one.purpose != other.purpose:
        return False
    return (-len(one.issuer), one.issuer, one.number) < (-len(other.issuer), other.issuer, other.number)


def _ceilings(context: Context) -> Mapping[str, int]:
    library = context.libraries.get(CEILINGS)
    if library is None:
        return {}
    return {code: high for code, high in library.select("code", "high").iter_rows() if high}


def _found(raised: AlertRaised, match: Match, at_least: int) -> Entry:
    key = KeyName.parse(match.rows[0].key)
    return Entry(
        source="matched",
        serial=raised.alert_id,
        match_found=MatchFound(
            alert_id=raised.alert_id,
            rule=raised.rule,
            subject=raised.subject,
            measure=match.measure,
            at_least=at_least,
            issuer=key.issuer,
            purpose=key.purpose,
            number=key.number,
            halves=[_half(row) for row in match.rows[:HALVES]],
        ),
    )


def _half(row: LinkRow) -> MatchHalf:
    return MatchHalf(
        node=row.origin,
        index=row.idx,
        case_id=row.case_id,
        role=row.role,
        group=row.grp,
        at_us=row.at_us,
        amount=row.amount,
        agency=row.agency,
        actor=row.actor,
    )
