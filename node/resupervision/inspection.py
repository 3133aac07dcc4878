"""Inspection of alerts (发牌巡检, DOMAIN §2): a child's alert computed again at its own instant, and what it should have raised besides.

An alert names the instant and the journal size it was judged at. The inspection folds exactly the journal's first entries up to that
size, under the calendar, catalogue and policy that these entries give, and looks whether the same finding holds. Nothing that came later is
seen, so nobody is accused by hindsight; what the child could not know then it is not blamed for.

What cannot be computed here accuses nobody: a rule or a calendar of another version of the program, a rule that only its origin can run, a
broken engine. Such an alert is undetermined, and counted as that.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import structlog
from zongheng.v1.entry_pb2 import AlertRaised

from node.projection.context import Contexts, JournalContext
from node.projection.entries import LATEST_US
from node.projection.judging import EngineFailed, judge
from node.resupervision.observed import Raised
from node.store.store import Store
from node.supervision.finding import Finding
from node.supervision.policy import Rule

log = structlog.get_logger()

FIRST_US = 636_000_000_000_000
"""1990-02-26: what was judged as of earlier lies outside the calendar's tables."""

AHEAD_US = 5 * 60 * 1_000_000
"""How far an alert's instant may lie past the time it was noted at: clocks are read a moment apart."""


class Mark(StrEnum):
    """What an inspection comes to."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    UNDETERMINED = "undetermined"
    EARLY = "early"
    """Found here and not raised there, and the child has not had the time yet."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One alert of a child, judged again."""

    idx: int
    alert: AlertRaised
    mark: Mark
    why: str
    """Empty where it is right."""


class Inspection:
    """Judges children's alerts again."""

    def __init__(self, store: Store, contexts: Contexts) -> None:
        self._store = store
        self._contexts = contexts

    async def of(self, origin: str, raised: Sequence[Raised]) -> list[Verdict]:
        """A verdict for each, in their order; what was judged together is judged together again."""
        verdicts: dict[int, Verdict] = {}
        together: dict[tuple[int, int], list[Raised]] = {}
        for one in raised:
            if one.alert.journal_size > one.idx:
                why = f"it rests on {one.alert.journal_size} entries, {one.idx} were there"
                verdicts[one.idx] = Verdict(one.idx, one.alert, Mark.WRONG, why)
            elif one.alert.as_of_us > one.noted_at_us + AHEAD_US:
                why = "it was judged as of an instant that had not come"
                verdicts[one.idx] = Verdict(one.idx, one.alert, Mark.WRONG, why)
            elif not FIRST_US < one.alert.as_of_us < LATEST_US:
                why = "it was judged as of an instant that cannot be"
                verdicts[one.idx] = Verdict(one.idx, one.alert, Mark.WRONG, why)
            else:
                together.setdefault((one.alert.as_of_us, one.alert.journal_size), []).append(one)
        for (as_of_us, size), group in together.items():
            for verdict in await self._group(origin, as_of_us, size, group):
                verdicts[verdict.idx] = verdict
        return [verdicts[one.idx] for one in raised]

    async def _group(self, origin: str, as_of_us: int, size: int, group: Sequence[Raised]) -> list[Verdict]:
        context = await self._contexts.at(origin, size)
        verdicts = []
        asked = []
        for one in group:
            mark, why = _beforehand(one.alert, context)
            if mark is None:
                asked.append(one)
            else:
                verdicts.append(Verdict(one.idx, one.alert, mark, why))
        if not asked:
            return verdicts
        cases = sorted({one.alert.case_id for one in asked})
        async with self._store.read() as session:
            rows = [row for row in await session.events.rows_of_cases(origin, cases) if row[2] < size]
        try:
            judgement = await asyncio.to_thread(judge, rows, context, as_of_us, size, None, False)
        except (EngineFailed, ValueError, LookupError) as error:
            log.warning("inspection.failed", origin=origin, size=size, error=str(error))
            return verdicts + [
                Verdict(one.idx, one.alert, Mark.UNDETERMINED, "it could not be computed") for one in asked
            ]
        found: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in judgement.findings:
            found.setdefault((finding.case_id, finding.subject, finding.rule), []).append(finding)
        for one in asked:
            key = (one.alert.case_id, one.alert.subject, one.alert.rule)
            mark, why = _held_against(one.alert, found.get(key, []))
            verdicts.append(Verdict(one.idx, one.alert, mark, why))
        return verdicts


def inspected(alert: AlertRaised, context: JournalContext) -> bool:
    """Whether an alert is of a domain that is judged from cases: those about children are not, they rest on journals held below."""
    return any(domain.code == alert.domain for domain in context.domains)


def rule_of(context: JournalContext, code: str) -> Rule | None:
    """The rule of that code among the journal's domains."""
    return next((rule for domain in context.domains if (rule := domain.rule(code)) is not None), None)


def _beforehand(alert: AlertRaised, context: JournalContext) -> tuple[Mark | None, str]:
    """What is settled without computing."""
    rule = rule_of(context, alert.rule)
    if rule is None or not rule.reruns_elsewhere:
        return Mark.UNDETERMINED, "its rule cannot be run here"
    if alert.rule_version != rule.version:
        return Mark.UNDETERMINED, f"it was raised by version {alert.rule_version} of its rule"
    if alert.policy_version != context.context.policy.version:
        return Mark.WRONG, (
            f"it names policy {alert.policy_version}, its journal was under {context.context.policy.version}"
        )
    if alert.mandates != context.context.policy.mandated:
        under = context.context.policy.mandated or "none"
        return (
            Mark.WRONG,
            f"it names {alert.mandates or 'no policy'} from above, its journal was under {under}",
        )
    if alert.mandates != context.context.policy.mandated:
        return Mark.WRONG, "it names other policies from above than its journal received"
    base, _, decided = alert.calendar_version.partition("+")
    own_base, _, own_decided = context.context.calendar.version.partition("+")
    if decided != own_decided:
        return Mark.WRONG, "it names a calendar that its journal does not give"
    if base != own_base:
        return Mark.UNDETERMINED, f"it rests on {base}, this node has {own_base}"
    return None, ""


def _held_against(alert: AlertRaised, findings: Sequence[Finding]) -> tuple[Mark, str]:
    same = [finding for finding in findings if int(finding.level) == alert.level]
    if not findings:
        return Mark.WRONG, "its rule finds nothing there"
    if not same:
        levels = ", ".join(sorted(finding.level.word for finding in findings))
        return Mark.WRONG, f"its rule finds it at another level: {levels}"
    finding = same[0]
    if (finding.since_us, finding.due_at_us) != (alert.since_us, alert.due_at_us):
        return Mark.WRONG, "it holds since another instant, or rests on another deadline"
    return Mark.RIGHT, ""
