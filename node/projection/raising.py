"""From findings to alerts: what is new is raised, what no longer holds is corrected, and each case gets its next look.

Raising is idempotent: the alert's key is guarded in the append's own transaction. ``next_at_us`` is set last, so a crash anywhere before
looks at the case again. Nothing is edited or deleted: a finding that a late event took away leaves its alert with an
``AlertCorrected`` beside it, and one that comes back begins a new episode.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import structlog
from zongheng.v1.catalogue_pb2 import Level as LevelMessage
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CORRECTED,
    ALERT_STATE_ISSUED,
    ALERT_STATE_PENDING,
    AlertCorrected,
    AlertMoved,
    AlertRaised,
    Entry,
)

from node.projection.context import Contexts
from node.projection.entries import alert_record
from node.projection.judging import Judgement
from node.store.alerts import INACTIVE, AlertFilter
from node.store.rows import AlertRecord
from node.store.store import Store
from node.store.writer import Draft, JournalWriter, Move
from node.supervision.policy import Level, Policy
from node.wallclock import Now, instant

log = structlog.get_logger()

BATCH = 1_000
"""Alerts in one append."""

_LOOKED_AT = 10_000

_Key = tuple[str, str, str, int]
"""(case, subject, rule, level)"""


class Raising:
    """Raises and corrects one node's own alerts."""

    def __init__(self, store: Store, writer: JournalWriter, contexts: Contexts, now: Now) -> None:
        self._store = store
        self._writer = writer
        self._contexts = contexts
        self._now = now
        self._own = writer.node

    async def raise_and_schedule(self, judgement: Judgement, folded_at: Mapping[str, int]) -> None:
        """Append what the judgement changes about its cases' alerts, then say when to look at each case again.

        ``folded_at``: the journal size each case's facts were folded at; a case folded again since keeps its own next look.
        """
        if not judgement.next_at:
            return
        context = await self._contexts.of(self._own)
        async with self._store.read() as session:
            known = await session.alerts.of_cases(self._own, list(judgement.next_at))
        drafts = [
            *self._raised(judgement, known, context.context.policy),
            *self._corrected(judgement, known),
        ]
        for start in range(0, len(drafts), BATCH):
            await self._writer.append(drafts[start : start + BATCH])
        async with self._store.write() as session:
            await session.facts.set_next(self._own, list(judgement.next_at.items()), folded_at)

    def _raised(self, judgement: Judgement, known: Sequence[AlertRecord], policy: Policy) -> Iterator[Draft]:
        episodes: dict[_Key, int] = {}
        standing: set[_Key] = set()
        for alert in known:
            key = (alert.case_id, alert.subject, alert.rule, alert.level)
            episodes[key] = max(episodes.get(key, 0), alert.episode)
            # What a person cancelled or closed is settled for as long as the finding stands; what was corrected can come back.
            if alert.state != ALERT_STATE_CORRECTED:
                standing.add(key)
        noted = self._now()
        for finding in judgement.findings:
            key = (finding.case_id, finding.subject, finding.rule, int(finding.level))
            if key in standing:
                continue
            episode = episodes.get(key, 0) + 1
            pending = policy.confirmation(finding.level).required
            raised = AlertRaised(
                alert_id=alert_id(self._own, *key, episode),
                case_id=finding.case_id,
                subject=finding.subject,
                domain=finding.domain,
                rule=finding.rule,
                level=LevelMessage.ValueType(finding.level),
                episode=episode,
                since_us=finding.since_us,
                due_at_us=finding.due_at_us,
                as_of_us=judgement.as_of_us,
                journal_size=judgement.size,
                policy_version=judgement.policy_version,
                calendar_version=judgement.calendar_version,
                rule_version=finding.rule_version,
                agency=finding.agency,
                item=finding.item,
                actor=finding.actor,
                state=ALERT_STATE_PENDING if pending else ALERT_STATE_ISSUED,
                over=finding.over,
            )
            entry = Entry(noted_at_us=noted, alert_raised=raised)
            yield Draft.of(entry, alert=alert_record(self._own, 0, noted, raised))

    def _corrected(self, judgement: Judgement, known: Sequence[AlertRecord]) -> Iterator[Draft]:
        holds = {(one.case_id, one.subject, one.rule, int(one.level)) for one in judgement.findings}
        for alert in known:
            if alert.state in INACTIVE or (alert.case_id, alert.subject, alert.rule, alert.level) in holds:
                continue
            corrected = AlertCorrected(
                alert_id=alert.alert_id,
                cause=_cause(alert, judgement),
                as_of_us=judgement.as_of_us,
                journal_size=judgement.size,
            )
            entry = Entry(noted_at_us=self._now(), alert_corrected=corrected)
            yield Draft.of(entry, move=Move(alert.alert_id, ALERT_STATE_CORRECTED))

    async def issue_overdue(self) -> None:
        """Issue pending alerts whose time for confirmation has run out (working days of the node's own calendar)."""
        context = (await self._contexts.of(self._own)).context
        now_us = self._now()
        today = instant(now_us).astimezone(ZoneInfo(context.zone)).date()
        drafts = []
        async with self._store.read() as session:
            pending = AlertFilter(states=(int(ALERT_STATE_PENDING),))
            for alert in await session.alerts.page(self._own, pending, _LOOKED_AT):
                days = context.policy.confirmation(Level(alert.level)).timeout_days
                raised = instant(alert.raised_at_us).astimezone(ZoneInfo(context.zone)).date()
                waited = context.calendar.working_days_through(today) - context.calendar.working_days_through(
                    raised
                )
                if days and waited > days:
                    moved = AlertMoved(
                        alert_id=alert.alert_id,
                        state=ALERT_STATE_ISSUED,
                        reason=f"nobody decided within {days} working days",
                    )
                    entry = Entry(noted_at_us=now_us, alert_moved=moved)
                    drafts.append(Draft.of(entry, move=Move(alert.alert_id, int(ALERT_STATE_ISSUED))))
        for start in range(0, len(drafts), BATCH):
            await self._writer.append(drafts[start : start + BATCH])
        if drafts:
            log.info("alert.issued_unconfirmed", count=len(drafts))


def alert_id(origin: str, case_id: str, subject: str, rule: str, level: int, episode: int) -> str:
    """The alert's id out of its key: the same finding has the same id wherever it is computed."""
    key = "\x1f".join((origin, case_id, subject, rule, str(level), str(episode)))
    return base64.b32encode(hashlib.sha256(key.encode()).digest()[:15]).decode().lower()


def _cause(alert: AlertRecord, judgement: Judgement) -> str:
    if alert.calendar_version != judgement.calendar_version:
        return "calendar"
    if alert.policy_version != judgement.policy_version:
        return "policy"
    return "late event"
