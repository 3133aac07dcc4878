"""From findings to alerts: what is new is raised, what no longer holds is corrected, and each case gets its next look.

Raising is idempotent: the alert's key is guarded in the append's own transaction. ``next_at_us`` is set last, so a crash anywhere before
looks at the case again. What findings change is told by ``supervision.alert.changes``; nothing is edited or deleted.

Whoever moves an alert (a correction, a person's decision, the time-out) looks at its state and appends in one turn, so none of them
moves an alert that another has just moved: a card that was corrected a moment ago is not issued any more.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import structlog
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CORRECTED,
    ALERT_STATE_ISSUED,
    ALERT_STATE_PENDING,
    AlertMoved,
    AlertRaised,
    AlertState,
    Entry,
)

from federation.errors import ZonghengError
from node.projection.context import Contexts
from node.projection.entries import alert_record
from node.projection.judging import Judgement
from node.store.alerts import INACTIVE, AlertFilter
from node.store.drafts import Draft, Move
from node.store.rows import AlertRecord
from node.store.steps import StepRow
from node.store.store import Store
from node.store.writer import JournalWriter
from node.supervision.alert import (
    BESIDE,
    ENDED,
    AsOf,
    Changes,
    Key,
    MoveRefused,
    alert_id,
    changes,
    check_move,
)
from node.supervision.finding import Finding
from node.supervision.levels import STATES
from node.supervision.policy import Level
from node.wallclock import Now, instant

log = structlog.get_logger()

BATCH = 1_000
"""Alerts in one append."""

_DAY_US = 86_400_000_000


class Raising:
    """Raises, moves and corrects one node's own alerts."""

    def __init__(self, store: Store, writer: JournalWriter, contexts: Contexts, now: Now) -> None:
        self._store = store
        self._writer = writer
        self._contexts = contexts
        self._now = now
        self._own = writer.node
        self._turn = asyncio.Lock()

    async def raise_and_schedule(self, judgement: Judgement, folded_at: Mapping[str, int]) -> None:
        """Append what the judgement changes about its cases' alerts, then say when to look at each case again.

        ``folded_at``: the journal size each case's facts were folded at; a case folded again since keeps its own next look.
        """
        if not judgement.next_at:
            return
        policy = (await self._contexts.of(self._own)).context.policy
        as_of = AsOf(
            self._own,
            judgement.as_of_us,
            judgement.size,
            judgement.policy_version,
            judgement.calendar_version,
            judgement.mandates,
        )
        async with self._turn:
            async with self._store.read() as session:
                held = await session.alerts.of_cases(self._own, list(judgement.next_at))
            known = [alert for alert in held if alert.domain not in BESIDE]
            drafts = list(self._drafts(changes(judgement.findings, known, as_of, policy)))
            for start in range(0, len(drafts), BATCH):
                await self._writer.append(drafts[start : start + BATCH])
        async with self._store.write() as session:
            await session.facts.set_next(self._own, list(judgement.next_at.items()), folded_at)

    @property
    def size(self) -> int:
        """Entries of the own journal now."""
        return self._writer.size

    async def hold(
        self,
        about: str,
        domain: str,
        findings: Sequence[Finding],
        as_of: AsOf,
        beside: Callable[[AlertRaised], Entry] | None = None,
    ) -> Changes:
        """Make the alerts of one domain about something that is no case of this node say exactly these findings.

        What no longer holds is corrected. What a person settled stays settled for as long as the same stretch lasts (the finding holds since
        the same instant); a later stretch is the next episode. ``beside`` gives the entry that is appended with a raised alert.
        """
        policy = (await self._contexts.of(self._own)).context.policy
        since = {(one.subject, one.rule, int(one.level)): one.since_us for one in findings}
        async with self._turn:
            async with self._store.read() as session:
                known = [
                    one for one in await session.alerts.of_cases(self._own, [about]) if one.domain == domain
                ]
            ended = [
                replace(one, state=int(ALERT_STATE_CORRECTED))
                if one.state in INACTIVE and since.get((one.subject, one.rule, one.level)) != one.since_us
                else one
                for one in known
            ]
            changed = changes(findings, ended, as_of, policy, ENDED)
            noted = self._now()
            drafts: list[Draft] = []
            for raised in changed.raised:
                drafts.append(self._raised(noted, raised))
                if beside is not None:
                    entry = beside(raised)
                    entry.noted_at_us = noted
                    drafts.append(Draft.of(entry))
            for corrected in changed.corrected:
                entry = Entry(noted_at_us=noted, alert_corrected=corrected)
                drafts.append(Draft.of(entry, move=Move(corrected.alert_id, ALERT_STATE_CORRECTED)))
            for start in range(0, len(drafts), BATCH):
                await self._writer.append(drafts[start : start + BATCH])
        return changed

    def _drafts(self, changed: Changes) -> Iterator[Draft]:
        noted = self._now()
        for raised in changed.raised:
            yield self._raised(noted, raised)
        for corrected in changed.corrected:
            entry = Entry(noted_at_us=noted, alert_corrected=corrected)
            yield Draft.of(entry, move=Move(corrected.alert_id, ALERT_STATE_CORRECTED))

    def _raised(self, noted: int, raised: AlertRaised) -> Draft:
        entry = Entry(noted_at_us=noted, alert_raised=raised)
        return Draft.of(entry, alert=alert_record(self._own, 0, noted, raised))

    async def decide(self, alert_id: str, state: int, by: str, reason: str) -> AlertRecord:
        """Move a pending alert as a person decided; the decision is an entry. Returns the alert as it is then.

        ``ZonghengError`` when there is none or it is not pending any more.
        """

        def pending(alert: AlertRecord, _: Sequence[StepRow]) -> None:
            if alert.state != ALERT_STATE_PENDING:
                raise MoveRefused(f"{alert_id} is {STATES[alert.state]}, not pending")
            check_move(alert.state, state, reason)

        moved = AlertMoved(alert_id=alert_id, state=AlertState.ValueType(state), by=by, reason=reason)
        return await self.move(moved, pending)

    async def move(
        self,
        moved: AlertMoved,
        permit: Callable[[AlertRecord, Sequence[StepRow]], None],
        source: str = "",
        serial: str = "",
    ) -> AlertRecord:
        """Move an alert unless ``permit``, which is shown it with its steps as projected, raises `MoveRefused`. Returns it as it is then.

        ``ZonghengError`` ``not_found`` when there is none, ``bad_request`` with the refusal's words. With ``source`` and ``serial`` the
        entry is appended once only.
        """
        alert_id = moved.alert_id
        async with self._turn:
            async with self._store.read() as session:
                alert = await session.alerts.get(self._own, alert_id)
                steps = await session.steps.of_alerts(self._own, [alert_id])
            if alert is None:
                raise ZonghengError("not_found", f"there is no alert {alert_id} here")
            try:
                permit(alert, steps.get(alert_id, []))
            except MoveRefused as refused:
                raise ZonghengError("bad_request", str(refused)) from None
            entry = Entry(noted_at_us=self._now(), source=source, serial=serial, alert_moved=moved)
            await self._writer.append([Draft.of(entry, move=Move(alert_id, int(moved.state)))])
            async with self._store.read() as session:
                return (await session.alerts.known(self._own, [alert_id]))[0]

    async def raise_one(self, key: Key, made: Callable[[str, int], AlertRaised]) -> tuple[AlertRecord, bool]:
        """Raise an alert that no finding stands behind; ``made`` is given its id and episode.

        Returns it and True, or, where one with this key still stands, that one and False.
        """
        async with self._turn:
            async with self._store.read() as session:
                known = await session.alerts.of_cases(self._own, [key.case_id])
            same = [one for one in known if (one.case_id, one.subject, one.rule, one.level) == tuple(key)]
            standing = next((one for one in same if one.state not in INACTIVE), None)
            if standing is not None:
                return standing, False
            episode = max((one.episode for one in same), default=0) + 1
            identity = alert_id(self._own, key, episode)
            await self._writer.append([self._raised(self._now(), made(identity, episode))])
            async with self._store.read() as session:
                return (await session.alerts.known(self._own, [identity]))[0], True

    async def issue_overdue(self) -> None:
        """Issue pending alerts whose time for confirmation has run out (working days of the node's own calendar)."""
        context = (await self._contexts.of(self._own)).context
        zone = ZoneInfo(context.zone)
        now_us = self._now()
        passed = context.calendar.working_days_through
        today = passed(instant(now_us).astimezone(zone).date())
        issued = 0
        for level in Level:
            days = context.policy.confirmation(level).timeout_days
            if not days:
                continue
            # So many working days have not passed before as many days have.
            pending = AlertFilter(
                level=int(level), states=(int(ALERT_STATE_PENDING),), raised_to_us=now_us - days * _DAY_US
            )
            after = -1
            while True:
                async with self._turn:
                    async with self._store.read() as session:
                        alerts = await session.alerts.page(self._own, pending, BATCH, after)
                    drafts = [
                        self._moved(
                            alert.alert_id,
                            ALERT_STATE_ISSUED,
                            "",
                            f"nobody decided within {days} working days",
                        )
                        for alert in alerts
                        if today - passed(instant(alert.raised_at_us).astimezone(zone).date()) > days
                    ]
                    if drafts:
                        await self._writer.append(drafts)
                issued += len(drafts)
                if len(alerts) < BATCH:
                    break
                after = alerts[-1].idx
        if issued:
            log.info("alert.issued_unconfirmed", count=issued)

    def _moved(self, alert_id: str, state: int, by: str, reason: str) -> Draft:
        moved = AlertMoved(alert_id=alert_id, state=AlertState.ValueType(state), by=by, reason=reason)
        return Draft.of(Entry(noted_at_us=self._now(), alert_moved=moved), move=Move(alert_id, int(state)))
