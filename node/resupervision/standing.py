"""Standing re-supervision (再监察): a node looks after its children all the time, and what it finds is an alert about the child.

A look takes in what the link shows (`tracks`), reads on in the children's journals (`watching`), judges their cases again (`looking`), measures
(`measures`) and holds the measures against the rules (`rules`). What reached a threshold is raised through the very path of every other
alert, so it is guarded, confirmed, corrected, counted and forwarded like one; beside it stands an entry with the numbers it rests on.

What a look costs: three reads for all children together, and work only for a child of which something changed. What holds when things fail:
a look that fails is logged and comes again; what was raised is not raised again; while projections are built anew nothing is raised and
nothing corrected, since a part of a journal would accuse, or clear, somebody of a race.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from zoneinfo import ZoneInfo

import structlog
from zongheng.v1.entry_pb2 import AlertRaised, Entry
from zongheng.v1.identity_pb2 import ENROLMENT_STATE_ENROLLED
from zongheng.v1.standing_pb2 import ChildMeasured, MeasuredFigure

from federation.journal.checkpoint import CheckpointError, Verifier, open_note
from federation.link.session import SessionStatus
from node.projection.context import Contexts
from node.projection.raising import Raising
from node.resupervision import rules
from node.resupervision.inspection import Inspection
from node.resupervision.looking import Looking
from node.resupervision.measures import SILENT, Conducted, Measure, finding, measures, reached
from node.resupervision.observed import Terms
from node.resupervision.opening import Opening
from node.resupervision.tracks import Tracks
from node.resupervision.watching import CURSOR, Watching
from node.resupervision.words import INSTANTS
from node.store.alerts import INACTIVE
from node.store.conduct import Conduct
from node.store.forks import CLOSED
from node.store.rows import AlertRecord
from node.store.store import Store
from node.supervision.alert import AsOf
from node.supervision.policy import Level, Policy, Rule
from node.supervision.terms import Terms as StepTerms
from node.tree import Tree
from node.wallclock import Now
from tiers.profile import profile_of
from tiers.tier import Tier, tier_named

log = structlog.get_logger()

LOOK_S = 10.0
"""How often a node looks after its children."""

CHUNKS_A_LOOK = 5
"""Stretches of one child's journal read in one look; the rest waits for the next."""

SEARCH_US = 60 * 1_000_000
"""How often a child's cases are judged again at most: what came meanwhile is judged together, at little more than the cost of one."""

SAVE_US = 60 * 1_000_000
"""How often what the link shows is written down: a crash forgets at most so much time connected."""

_Key = tuple[str, str, int]
"""(rule, subject, level) of an alert about one child."""


class StandingLook:
    """Looks after the children of one node."""

    def __init__(
        self,
        store: Store,
        contexts: Contexts,
        raising: Raising,
        tree: Tree,
        tier: str,
        sessions: Callable[[], Iterable[SessionStatus]],
        at_rest: Callable[[], bool],
        now: Now,
    ) -> None:
        """``sessions``: the children connected now; ``at_rest``: projections are whole, so that nobody is judged by a part."""
        self._store = store
        self._contexts = contexts
        self._raising = raising
        self._tree = tree
        self._own = tree.own.node
        self._profile = profile_of(tier_named(tier))
        self._sessions = sessions
        self._at_rest = at_rest
        self._now = now
        held_to = self._profile.resupervision
        self._rules = {rule.code: rule for rule in rules.rules_of(held_to)} if held_to else {}
        lowest = held_to.clock if held_to else None
        least = min(one for one in (lowest.notice, lowest.yellow, lowest.red) if one) if lowest else 0
        self._tracks = Tracks(least)
        self.inspection = Inspection(store, contexts)
        self._watching = Watching(store, contexts, self.inspection, self._own, self._terms)
        self._looking = Looking(store, contexts)
        self._loaded = False
        self._saved_us = 0
        self._searched: dict[str, int] = {}
        """Child → when its cases were judged last."""
        self._openings: dict[str, Opening] = {}
        self._tiers: dict[str, Tier] = {}
        """Of the children that the register knows."""
        self._calendar = ""
        self._policy = Policy()
        self._conducted: dict[str, tuple[int, Conducted]] = {}
        """Child → the local day it was read on, and what was read."""
        self._whole_at: dict[str, int] = {}
        """Child → entries that have to be watched before it is judged: those that were held at the start."""
        self._standing: dict[str, dict[_Key, AlertRecord]] | None = None
        """Child → its alerts that stand; None: not read since the start."""

    async def look(self) -> None:
        """Look once. What fails about one child is logged and holds up nobody else."""
        held_to = self._profile.resupervision
        if held_to is None or not self._at_rest():
            self.forget()
            return
        now = self._now()
        async with self._store.read() as session:
            if not self._loaded:
                await self._tracks.load(session, now)
                self._loaded = True
            heads = [head for head in await session.journal.heads() if head.origin != self._own]
            reported = await session.cursors.of("reported")
            projected = await session.cursors.of("facts")
            watched = await session.cursors.of(CURSOR)
            registered = {row.node: row for row in await session.children.all()}
            forks = {fork.origin: fork.state for fork in await session.forks.all()}
            quarantined = {child for child, state in forks.items() if state not in CLOSED}
        await self._understand()
        # Whom the register does not know yet, or any more, is not looked after: nobody is expected to be heard of who was revoked.
        enrolled = {name for name, row in registered.items() if row.state == ENROLMENT_STATE_ENROLLED}
        self._tiers = {name: tier_named(row.tier) for name, row in registered.items()}
        gone = registered.keys() - enrolled
        heads = [head for head in heads if head.origin not in gone]
        held = {head.origin: head.size for head in heads}
        children = sorted(enrolled | held.keys())
        connected = {session.node: session for session in self._sessions()}
        named = {child: self._named(child) for child in children}
        self._tracks.look(now, children, connected.values(), heads, reported, named)
        if watched.get(self._own, 0) < projected.get(self._own, 0):
            while await self._watching.follow(self._own):
                self._conducted.clear()
        for child in children:
            try:
                if watched.get(child, 0) < projected.get(child, 0):
                    watched[child] = await self._follow(child)
                    self._conducted.pop(child, None)
                size = held.get(child, 0)
                if watched.get(child, 0) < self._whole_at.setdefault(child, size):
                    continue
                if size:
                    await self._search(child, connected.get(child), held_to.settle_minutes, now)
                await self._judge(child, size, named[child], child in quarantined, now)
            except Exception:
                # Whatever one child's journal holds, the others are looked after.
                log.exception("child.look_failed", child=child, instruction="the next look tries again")
        if now - self._saved_us >= SAVE_US or now < self._saved_us:
            async with self._store.write() as session:
                await self._tracks.save(session)
            self._saved_us = now

    async def close(self) -> None:
        """Write down what the link showed."""
        if self._loaded:
            async with self._store.write() as session:
                await self._tracks.save(session)

    def forget(self) -> None:
        """Projections are built anew: what was read of them is read again."""
        self._conducted.clear()
        self._whole_at.clear()
        self._standing = None

    def compared(self, child: str) -> None:
        """A child's figures were compared: what differs may be another now."""
        self._conducted.pop(child, None)

    # What is read.

    async def _follow(self, child: str) -> int:
        """Read on in its journal; returns how far it is read."""
        for _ in range(CHUNKS_A_LOOK):
            if not await self._watching.follow(child):
                break
        async with self._store.read() as session:
            return (await session.cursors.get(CURSOR, child)).position

    async def _search(self, child: str, session: SessionStatus | None, settle_minutes: int, now: int) -> None:
        """Judge its cases by its own clock, while it is connected and its clock is known."""
        since_us = now - self._searched.get(child, 0)
        if session is None or session.clock_offset_ms is None or 0 <= since_us < SEARCH_US:
            return
        self._searched[child] = now
        changed = await self._looking.look(
            child,
            now + session.clock_offset_ms * 1_000,
            self._tracks.linked_us(child),
            self._tracks.reported(child),
            settle_minutes * 60_000_000,
            now,
        )
        if changed:
            self._conducted.pop(child, None)

    def _named(self, child: str) -> int:
        """Entries that its newest head names; 0 where it has shown none that its key signed."""
        card = self._tree.get(child)
        if card is None or not card.checkpoint:
            return 0
        return _named_size(card.checkpoint, card.verifier, card.log_id)

    async def _understand(self) -> None:
        context = (await self._contexts.of(self._own)).context
        self._policy = context.policy
        if context.calendar.version != self._calendar:
            self._calendar = context.calendar.version
            self._openings.clear()
            self._conducted.clear()
        for tier in Tier:
            if tier not in self._openings:
                hours = tuple((one.opens, one.closes) for one in profile_of(tier).place.hall_hours)
                self._openings[tier] = Opening(context.calendar, ZoneInfo(context.zone), hours)

    def _tier(self, child: str) -> Tier:
        card = self._tree.get(child)
        if card is not None and card.tier:
            return tier_named(card.tier)
        return self._tiers.get(child, Tier.VILLAGE)

    def _terms(self, child: str, own: StepTerms) -> Terms:
        """``own``: the terms of the child's policy, which bind it where they are tighter than its tier's and free it of nothing."""
        tier = self._tier(child)
        policy = profile_of(tier).policy
        held_to = self._profile.resupervision
        assert held_to is not None
        waits = {int(Level.YELLOW): policy.yellow, int(Level.RED): policy.red}
        return Terms(
            origin=child,
            opening=self._openings[tier],
            entered_within_days=held_to.entered_within_days,
            reply_days=min(policy.reply_days, own.reply_days),
            confirm_days={
                level: min(one.confirm_timeout_days or policy.confirm_days, own.confirmation(level))
                for level, one in waits.items()
            },
        )

    # What is found.

    async def _judge(self, child: str, held: int, named: int, quarantined: bool, now: int) -> None:
        held_to = self._profile.resupervision
        assert held_to is not None
        tier = self._tier(child)
        opening = self._openings[tier]
        today = opening.day(now)
        day, conducted = self._conducted.get(child, (-1, Conducted()))
        if day != today:
            async with self._store.read() as session:
                conducted = await _conducted(session.conduct, child, today, held_to.days)
            self._conducted[child] = (today, conducted)
        measured = measures(
            self._tracks.standing(child, held, named, quarantined),
            conducted,
            opening,
            profile_of(tier).journal.head_period_minutes,
            held_to,
            self._tracks.listening_us,
            now,
        )
        stands = await self._stands(child)
        found: dict[_Key, tuple[Rule, Level, Measure, int]] = {}
        for measure in measured:
            rule = self._rules.get(measure.rule)
            if rule is None:
                continue
            for threshold in reached(rule, self._policy, measure):
                key = (rule.code, measure.subject, int(threshold.level))
                found[key] = (rule, threshold.level, measure, threshold.at_least)
            if rule.code in SILENT:
                for key, alert in stands.items():
                    if key[:2] == (rule.code, measure.subject) and alert.since_us == measure.since_us:
                        found.setdefault(key, (rule, Level(alert.level), measure, measure.value))
        if found.keys() == stands.keys():
            return
        as_of = AsOf(
            self._own, now, self._raising.size, self._policy.version, self._calendar, self._policy.mandated
        )
        evidence = {key: (measure, at_least) for key, (_, _, measure, at_least) in found.items()}

        def beside(raised: AlertRaised) -> Entry:
            measure, at_least = evidence[raised.rule, raised.subject, raised.level]
            return _measured(raised, measure, at_least)

        findings = [finding(child, rule, level, measure) for rule, level, measure, _ in found.values()]
        changed = await self._raising.hold(child, rules.DOMAIN, findings, as_of, beside)
        for raised in changed.raised:
            log.warning(
                "child.alert", child=child, rule=raised.rule, subject=raised.subject, level=raised.level, over=raised.over
            )  # fmt: skip
        self._standing = (
            None if self._standing is None else {**self._standing, child: await self._alerts(child)}
        )

    async def _stands(self, child: str) -> dict[_Key, AlertRecord]:
        if self._standing is None:
            self._standing = {}
        if child not in self._standing:
            self._standing[child] = await self._alerts(child)
        return self._standing[child]

    async def _alerts(self, child: str) -> dict[_Key, AlertRecord]:
        async with self._store.read() as session:
            alerts = await session.alerts.of_cases(self._own, [child])
        return {
            (one.rule, one.subject, one.level): one
            for one in alerts
            if one.domain == rules.DOMAIN and one.state not in INACTIVE
        }


async def _conducted(conduct: Conduct, child: str, today: int, days: int) -> Conducted:
    from_day = today - days + 1
    cards, cancelled = await conduct.decided(child, from_day)
    return Conducted(
        overdue=await conduct.overdue(child, today),
        cards=cards,
        cancelled=cancelled,
        entered=await conduct.entered(child, from_day),
        remarks=await conduct.remarks(child),
        differing=await conduct.differing(child),
        ripe=[one for one in await conduct.suspects(child) if one.ripe],
    )


def _measured(raised: AlertRaised, measure: Measure, at_least: int) -> Entry:
    return Entry(
        source="measured",
        serial=raised.alert_id,
        child_measured=ChildMeasured(
            alert_id=raised.alert_id,
            child=raised.case_id,
            rule=raised.rule,
            subject=raised.subject,
            measure=measure.value,
            at_least=at_least,
            figures=[_figure(name, value) for name, value in measure.figures.items()],
        ),
    )


def _figure(name: str, value: int | str) -> MeasuredFigure:
    if isinstance(value, str):
        return MeasuredFigure(name=name, text=value)
    return (
        MeasuredFigure(name=name, at_us=value)
        if name in INSTANTS
        else MeasuredFigure(name=name, number=value)
    )


@lru_cache(4_096)
def _named_size(note: str, verifier: str, log_id: str) -> int:
    try:
        checkpoint = open_note(note, [Verifier.parse(verifier)])
    except CheckpointError:
        return 0
    return checkpoint.size if checkpoint.origin == log_id else 0
