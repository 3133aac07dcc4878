"""Steps of alerts that are late are alerts themselves: about the agency that did not answer, the bureau that did not decide, the node above.

The finding is that a duty was not done by its due; it holds from the first moment after, and goes on holding when the duty is done at last: it
was late. So looking again raises nothing twice and corrects nothing. An alert about a late step is answered like any other, but a late answer
to it is no further alert, or there would be no end.

When a step is due, and from how many days past it a card is raised, is policy.

A decision that a node below waits for is looked at here, where it is owed; everything else where the alert is.
"""

from collections.abc import Collection, Iterable
from typing import Final

from node.alerting.desk import AlertDesk, taken
from node.alerting.elsewhere import is_answered_elsewhere
from node.alerting.rules import BY_CODE
from node.alerting.words import rule_of
from node.projection.context import Contexts
from node.projection.raising import Raising
from node.store.alerts import AlertFilter
from node.store.rows import AlertRecord
from node.store.steps import StepRow
from node.store.store import Store
from node.supervision.alert import LIFE_DOMAIN, AsOf
from node.supervision.finding import Finding
from node.supervision.life import APPEALED, CORRECTED, DUTIES, ESCALATED, Days, Done, Duty, Layer, measured
from node.supervision.policy import Level, Policy
from node.supervision.terms import InForce
from node.wallclock import Now

_LOOKED_AT: Final = (
    (Level.NOTICE, (APPEALED, ESCALATED)),
    (Level.YELLOW, tuple(DUTIES)),
    (Level.RED, tuple(DUTIES)),
)
_LOOKED_AT_BELOW: Final = tuple((level, (ESCALATED,)) for level in Level)
"""Alerts that may owe something: level, states."""

_DAY_US: Final = 86_400_000_000
_BATCH: Final = 1_000


class LateSteps:
    """Raises alerts about late steps."""

    def __init__(
        self, store: Store, contexts: Contexts, raising: Raising, desk: AlertDesk, own: str, now: Now
    ) -> None:
        self._store = store
        self._contexts = contexts
        self._raising = raising
        self._desk = desk
        self._own = own
        self._now = now

    async def look(self, moved: Collection[str] = ()) -> int:
        """Look at every alert that may owe something, and at ``moved`` ones that may have owed it. Returns how many were raised."""
        raised = await self.look_at(moved)
        async with self._store.read() as session:
            origins = [head.origin for head in await session.journal.heads()]
        for origin in origins:
            for level, states in _LOOKED_AT if origin == self._own else _LOOKED_AT_BELOW:
                raised += await self._page_by_page(origin, level, states)
        return raised

    async def look_at(self, moved: Collection[str]) -> int:
        """Look at own alerts that were just moved: what they owed may have been done late."""
        async with self._store.read() as session:
            known = await session.alerts.known(self._own, sorted(moved))
        return await self._about(self._own, {alert.case_id for alert in known}) if known else 0

    async def _page_by_page(self, origin: str, level: Level, states: tuple[int, ...]) -> int:
        narrow = AlertFilter(level=int(level), states=states, raised_to_us=self._now() - _DAY_US)
        raised, after = 0, -1
        while True:
            async with self._store.read() as session:
                page = await session.alerts.page(origin, narrow, _BATCH, after)
            cases = {alert.case_id for alert in page if alert.domain != LIFE_DOMAIN}
            raised += await self._about(origin, cases)
            if len(page) < _BATCH:
                return raised
            after = page[-1].idx

    async def _about(self, origin: str, cases: Collection[str]) -> int:
        """Hold the own alerts about late steps in these cases against what is late there."""
        here = origin == self._own
        async with self._store.read() as session:
            alerts = [
                alert
                for alert in await session.alerts.of_cases(origin, sorted(cases))
                if alert.domain != LIFE_DOMAIN
            ]
            steps = await session.steps.of_alerts(origin, [alert.alert_id for alert in alerts])
            names = [case_id if here else f"{origin}/{case_id}" for case_id in sorted(cases)]
            standing: dict[str, set[tuple[str, str, int, int]]] = {}
            for alert in await session.alerts.of_cases(self._own, names):
                if alert.domain == LIFE_DOMAIN and alert.state != CORRECTED:
                    key = (alert.subject, alert.rule, alert.level, alert.since_us)
                    standing.setdefault(alert.case_id, set()).add(key)
        days, terms, now_us = await self._desk.days(origin), await self._desk.terms(origin), self._now()
        context = (await self._contexts.of(self._own)).context
        found: dict[str, list[Finding]] = {}
        for alert in alerts:
            for one, nth in _owed(alert, steps.get(alert.alert_id, []), terms, days, here):
                for finding in _levels(alert, one, nth, days, now_us, here, context.policy):
                    found.setdefault(finding.case_id, []).append(finding)
        as_of = AsOf(
            self._own,
            now_us,
            self._raising.size,
            context.policy.version,
            context.calendar.version,
            context.policy.mandated,
        )
        raised = 0
        for about in sorted(found.keys() | standing.keys()):
            findings = found.get(about, [])
            keys = {(one.subject, one.rule, int(one.level), one.since_us) for one in findings}
            if keys != standing.get(about, set()):
                changed = await self._raising.hold(about, LIFE_DOMAIN, findings, as_of)
                raised += len(changed.raised)
        return raised


def _owed(
    alert: AlertRecord, steps: list[StepRow], terms: InForce, days: Days, here: bool
) -> Iterable[tuple[Done, int]]:
    """What is owed here about an alert, done or not, each with its number among those of its kind."""
    if not steps:
        return
    counted: dict[Duty, int] = {}
    raised = steps[0]
    elsewhere = is_answered_elsewhere(alert.domain, alert.rule, alert.case_id)
    for one in measured(alert.level, raised.state, raised.at_us, taken(steps), terms, days, raised.idx):
        duty = one.owed.duty
        if elsewhere and duty in {Duty.REPLY, Duty.REVIEW}:
            continue
        counted[duty] = counted.get(duty, 0) + 1
        if (one.owed.layer is Layer.PARENT) != here:
            yield one, counted[duty]


def _levels(
    alert: AlertRecord, one: Done, nth: int, days: Days, now_us: int, here: bool, policy: Policy
) -> Iterable[Finding]:
    duty, due_us = one.owed.duty, one.owed.due_us
    over = days.over(due_us, one.done_us or now_us)
    rule = BY_CODE[rule_of(duty)]
    for threshold in policy.thresholds(rule) if over else ():
        if over >= threshold.at_least:
            yield Finding(
                case_id=alert.case_id if here else f"{alert.origin}/{alert.case_id}",
                subject=f"{alert.alert_id}#{nth}",
                domain=LIFE_DOMAIN,
                rule=rule.code,
                rule_version=rule.version,
                level=threshold.level,
                since_us=due_us + 1,
                due_at_us=due_us,
                over=over,
                agency=alert.agency if one.owed.layer is Layer.AGENCY else "",
                item=alert.item,
                actor="",
            )
