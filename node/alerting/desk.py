"""The desk at which people take the steps of an alert's life, and raise what no rule found.

What somebody writes in full goes to the vault before the entry that names its digest; a short reason stands in the entry. Files are named by
the digest of their bytes. Each step is checked and appended in one turn, so that of two people who act at once the second is told how things
stand; a step that was taken is never taken back, another step follows it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from zongheng.v1 import catalogue_pb2
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CANCELLED,
    ALERT_STATE_ESCALATED,
    ALERT_STATE_ISSUED,
    ALERT_STATE_UPHELD,
    AlertMoved,
    AlertRaised,
    AlertState,
    Entry,
)
from zongheng.v1.life_pb2 import APPEAL_VERDICT_CANCELLED, APPEAL_VERDICT_UPHELD, AlertDecided, FileRef

from federation.errors import ZonghengError
from node.alerting.words import BY_HAND_RULE
from node.intake.secrecy import is_marked
from node.projection.context import Contexts
from node.projection.raising import Raising
from node.projection.terms import TermsHistories
from node.sealed.texts import SealedTexts
from node.store.drafts import Draft
from node.store.rows import AlertRecord
from node.store.steps import StepRow
from node.store.store import Store
from node.store.vault import Vault
from node.store.writer import JournalWriter
from node.supervision.alert import BY_HAND_DOMAIN, Key, MoveRefused
from node.supervision.life import LEADS_TO, Days, Life, Step, Taken, check, lived
from node.supervision.policy import Level
from node.supervision.terms import InForce
from node.wallclock import Now

_DECIDED: Final = "alert_decided"
_VERDICTS: Final = {
    Step.CANCEL: APPEAL_VERDICT_CANCELLED,
    Step.UPHOLD: APPEAL_VERDICT_UPHELD,
}
_STATES: Final = {
    APPEAL_VERDICT_CANCELLED: ALERT_STATE_CANCELLED,
    APPEAL_VERDICT_UPHELD: ALERT_STATE_UPHELD,
}


class AlertDesk:
    """The alerts of one node, as people act on them."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        writer: JournalWriter,
        raising: Raising,
        contexts: Contexts,
        parent: Callable[[], str],
        texts: SealedTexts,
        now: Now,
    ) -> None:
        self._store = store
        self._vault = vault
        self._writer = writer
        self._raising = raising
        self._contexts = contexts
        self._parent = parent
        self._texts = texts
        self._now = now
        self._own = writer.node
        self._histories = TermsHistories(store, contexts, self._own)

    async def days(self, origin: str = "") -> Days:
        """The calendar by which a journal's steps are due; the own one's by default."""
        context = await self._contexts.of(origin or self._own)
        return Days(context.context.calendar, context.zone)

    async def terms(self, origin: str = "") -> InForce:
        """By which terms a journal's steps are due; the own one's by default."""
        return await self._histories.of(origin or self._own)

    async def take(
        self,
        alert_id: str,
        step: Step,
        *,
        by: str,
        reason: str = "",
        text: str = "",
        files: Sequence[FileRef] = (),
    ) -> AlertRecord:
        """Take a step; ``ZonghengError`` ``bad_request`` says why it may not be taken, ``not_found`` that there is no such alert."""
        _public(reason, text)
        parent = self._parent()
        if step is Step.ESCALATE and not parent:
            raise ZonghengError("bad_request", "this node has no parent to escalate to: decide it here")
        days, terms, now_us = await self.days(), await self.terms(), self._now()

        def permit(alert: AlertRecord, steps: Sequence[StepRow]) -> None:
            # The full text speaks for itself where the short reason is left out.
            check(
                life_of(alert, steps), step, by=by, reason=reason or text, now_us=now_us, terms=terms, days=days,
            )  # fmt: skip

        async with self._store.read() as session:
            alert = await session.alerts.get(self._own, alert_id)
            known = (await session.steps.of_alerts(self._own, [alert_id])).get(alert_id, [])
        if alert is None:
            raise ZonghengError("not_found", f"there is no alert {alert_id} here")
        try:
            permit(alert, known)
        except MoveRefused as refused:
            raise ZonghengError("bad_request", str(refused)) from None
        moved = AlertMoved(
            alert_id=alert_id,
            state=AlertState.ValueType(LEADS_TO[step]),
            by=by,
            reason=reason,
            text=await self._kept(text),
            files=files,
        )
        if step is Step.ESCALATE:
            # Who decides there reads what was said here.
            moved.texts.extend(await self._texts.enclosed([one.text for one in known if one.text], parent))
        return await self._raising.move(moved, permit)

    async def raise_by_hand(
        self,
        *,
        by: str,
        level: Level,
        case_id: str,
        agency: str,
        item: str,
        actor: str,
        subject: str,
        reason: str,
        text: str = "",
        files: Sequence[FileRef] = (),
    ) -> AlertRecord:
        """An alert that somebody raises. It is issued at once: a person stands behind it already.

        ``bad_request`` where one of the same subject and level stands.
        """
        _public(reason, text)
        if not by.strip() or not reason.strip():
            raise ZonghengError("bad_request", "say who raises it and why")
        context = (await self._contexts.of(self._own)).context
        digest, now_us = await self._kept(text), self._now()

        def made(identity: str, episode: int) -> AlertRaised:
            return AlertRaised(
                alert_id=identity,
                case_id=case_id,
                subject=subject,
                domain=BY_HAND_DOMAIN,
                rule=BY_HAND_RULE,
                level=catalogue_pb2.Level.ValueType(level),
                episode=episode,
                since_us=now_us,
                as_of_us=now_us,
                journal_size=self._writer.size,
                policy_version=context.policy.version,
                calendar_version=context.calendar.version,
                rule_version=1,
                agency=agency,
                item=item,
                actor=actor,
                state=ALERT_STATE_ISSUED,
                by=by,
                reason=reason,
                text=digest,
                files=files,
            )

        key = Key(case_id, subject, BY_HAND_RULE, int(level))
        alert, new = await self._raising.raise_one(key, made)
        if not new:
            raise ZonghengError(
                "bad_request", f"alert {alert.alert_id} of that subject and level stands already"
            )
        return alert

    async def decide_below(
        self, origin: str, alert_id: str, step: Step, *, by: str, reason: str
    ) -> AlertRecord:
        """Decide an appeal that a node below escalated: an entry addressed to it. Returns its alert as it is known here.

        ``bad_request`` unless it waits for this decision; deciding it twice is refused.
        """
        _public(reason)
        if step not in _VERDICTS:
            raise ZonghengError("bad_request", "an escalated appeal is upheld or cancelled")
        if not by.strip() or not reason.strip():
            raise ZonghengError("bad_request", "say who decides, and why")
        async with self._store.read() as session:
            alert = await session.alerts.get(origin, alert_id)
            steps = (await session.steps.of_alerts(origin, [alert_id])).get(alert_id, [])
        if alert is None:
            raise ZonghengError("not_found", f"{origin} has no alert {alert_id}, as far as is known here")
        escalated = [one for one in steps if one.state == ALERT_STATE_ESCALATED]
        if alert.state != ALERT_STATE_ESCALATED or not escalated:
            raise ZonghengError("bad_request", f"{alert_id} of {origin} is not escalated")
        decided = AlertDecided(
            origin=origin, alert_id=alert_id, verdict=_VERDICTS[step], by=by, reason=reason
        )
        entry = Entry(
            noted_at_us=self._now(),
            source=_DECIDED,
            serial=f"{origin}/{alert_id}/{escalated[-1].idx}",
            alert_decided=decided,
        )
        entry.address.node = origin
        appended = await self._writer.append([Draft.of(entry)])
        if appended.repeated:
            raise ZonghengError("bad_request", f"{alert_id} of {origin} was decided already")
        return alert

    async def said_below(self, origin: str, index: int) -> dict[str, str]:
        """The full texts that came with the escalation at ``index`` of a child's journal, by digest."""
        async with self._store.write() as session:
            leaf = await session.journal.leaf(origin, index)
            texts = list(Entry.FromString(leaf).alert_moved.texts) if leaf is not None else []
            await self._texts.kept(session, texts, self._own)
            return await self._vault.texts(session.vault, [one.text for one in texts])

    async def take_decision(self, decided: AlertDecided, node: str, serial: str) -> bool:
        """An ancestor's decision about an own alert, once; False: it waits for none (any more)."""
        state = _STATES.get(decided.verdict)
        if state is None or decided.origin != self._own:
            return False

        def permit(alert: AlertRecord, _: Sequence[StepRow]) -> None:
            if alert.state != ALERT_STATE_ESCALATED:
                raise MoveRefused("it is not escalated")

        moved = AlertMoved(
            alert_id=decided.alert_id, state=state, by=decided.by, reason=decided.reason, node=node
        )
        try:
            await self._raising.move(moved, permit, _DECIDED, serial)
        except ZonghengError as refused:
            if refused.code in {"bad_request", "not_found"}:
                return False
            raise
        return True

    async def _kept(self, text: str) -> str:
        if not text.strip():
            return ""
        async with self._store.write() as session:
            return (await self._vault.digests(session.vault, [text]))[0]


def _public(*texts: str) -> None:
    """``classified`` where a text carries a marking of a state secret."""
    if any(map(is_marked, texts)):
        raise ZonghengError(
            "classified", "a text marked as a state secret (涉密) does not belong into this system"
        )


def taken(steps: Sequence[StepRow]) -> list[Taken]:
    """Steps after the raising, as the machine reads them."""
    return [Taken(one.at_us, one.state, one.by_whom, one.node, one.idx) for one in steps[1:]]


def life_of(alert: AlertRecord, steps: Sequence[StepRow]) -> Life:
    """An alert's life out of its row and its steps; the row's state counts, being written with the entry itself."""
    if not steps:
        return lived(alert.level, alert.state, alert.raised_at_us, (), alert.idx)
    life = lived(alert.level, steps[0].state, steps[0].at_us, taken(steps), steps[0].idx)
    if life.state == alert.state:
        return life
    return life.after(Taken(life.since_us, alert.state, index=life.since_index))
