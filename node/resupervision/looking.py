"""Looks for alerts that a child had to raise and did not.

A child's cases are judged here when their facts change and when a deadline of theirs passes (``next_at_us``, as at home), by the child's own
clock and under the imports that its journal has finished. What is found and not raised there is a *suspect*. It counts as missing only when
the child had the time: its figures stand at the journal size of the finding or beyond it, so it has folded what the finding rests on, and it has been
connected, hence running, for a while since (``settle_minutes`` of the profile). Time in which it was away, or in which nobody saw it, never
counts. A suspect is judged once more before it counts, and goes as soon as the alert is there or nothing is found any more.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace

import structlog
from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED

from node.projection.context import Contexts
from node.projection.entries import IMPORT_FINISHED
from node.projection.judging import EngineFailed, Judgement, judge
from node.resupervision.inspection import rule_of
from node.resupervision.watching import RULE
from node.store.conduct import Suspect
from node.store.rows import AlertRecord
from node.store.store import Store
from node.supervision.alert import Key, alert_id
from node.supervision.finding import Finding

log = structlog.get_logger()

CASES = 2_000
"""Cases judged at once."""

AGAIN_US = 10 * 60 * 1_000_000
"""When a case is looked at again that an unfinished import holds back, or that could not be judged."""


class Looking:
    """Judges children's cases for what is missing."""

    def __init__(self, store: Store, contexts: Contexts) -> None:
        self._store = store
        self._contexts = contexts

    async def look(
        self, origin: str, child_now_us: int, linked_us: int, reported: int, settle_us: int, found_at_us: int
    ) -> bool:
        """Judge what is due at a child; whether its suspects may be others now.

        ``child_now_us``: the instant by the child's clock; ``linked_us``: how long it has been connected, in all; ``reported``: the
        journal size that its figures stand at.
        """
        async with self._store.read() as session:
            suspects = {one.alert_id: one for one in await session.conduct.suspects(origin)}
            due = await session.facts.due(origin, child_now_us, CASES)
            ripening = {
                one.case_id
                for one in suspects.values()
                if not one.ripe and reported >= one.size and linked_us - one.linked_us >= settle_us
            }
            cases = sorted({*due, *ripening})
            if not cases:
                return False
            size = (await session.cursors.get("facts", origin)).position
            folded_at = {row.case_id: row.size for row in await session.facts.of_cases(origin, cases)}
            rows = await session.events.rows_of_cases(origin, cases)
            known = await session.alerts.of_cases(origin, cases)
            runs = {piece.code: piece.version for piece in await session.catalogue.all(origin, RULE)}
            finished = {piece.code for piece in await session.catalogue.all(origin, IMPORT_FINISHED)}
        context = await self._contexts.of(origin)
        try:
            judgement: Judgement | None = await asyncio.to_thread(
                judge, rows, context, child_now_us, size, finished, True
            )
        except (EngineFailed, ValueError, LookupError) as error:
            log.warning("inspection.failed", origin=origin, size=size, error=str(error))
            judgement = None
        absent = {}
        for finding in missing(judgement.findings if judgement else (), known):
            rule = rule_of(context, finding.rule)
            # Another version of the program may find what this one does not.
            if rule is not None and rule.reruns_elsewhere and runs.get(rule.code) == rule.version:
                one = _suspect(origin, finding, known, size, found_at_us, linked_us)
                absent[one.alert_id] = one
        fresh = [one for key, one in absent.items() if key not in suspects]
        ripe = [
            replace(suspects[key], ripe=1)
            for key, one in absent.items()
            if key in suspects and not suspects[key].ripe and one.case_id in ripening
        ]
        judged = set(judgement.next_at) if judgement else set()
        gone = [key for key, one in suspects.items() if one.case_id in judged and key not in absent]
        for one in ripe:
            log.warning("alert.missing", child=origin, case=one.case_id, rule=one.rule, level=one.level)
        later = child_now_us + AGAIN_US
        next_at = [
            (case, judgement.next_at[case] if judgement and case in judged else later) for case in cases
        ]
        async with self._store.write() as session:
            await session.conduct.suspect([*fresh, *ripe])
            await session.conduct.clear(origin, gone)
            await session.facts.set_next(origin, [one for one in next_at if one[0] in folded_at], folded_at)
        return bool(ripe or gone)


def missing(findings: Collection[Finding], known: Collection[AlertRecord]) -> list[Finding]:
    """The findings for which no alert stands: whatever a person made of one, it was raised; one that was corrected says it does not hold."""
    raised = {
        (one.case_id, one.subject, one.rule, one.level) for one in known if one.state != ALERT_STATE_CORRECTED
    }
    return [one for one in findings if (one.case_id, one.subject, one.rule, int(one.level)) not in raised]


def _suspect(
    origin: str, finding: Finding, known: Collection[AlertRecord], size: int, found_at_us: int, linked_us: int
) -> Suspect:
    key = Key(finding.case_id, finding.subject, finding.rule, int(finding.level))
    episodes = [one.episode for one in known if Key(one.case_id, one.subject, one.rule, one.level) == key]
    return Suspect(
        origin=origin,
        alert_id=alert_id(origin, key, max(episodes, default=0) + 1),
        case_id=finding.case_id,
        subject=finding.subject,
        rule=finding.rule,
        level=int(finding.level),
        since_us=finding.since_us,
        due_at_us=finding.due_at_us,
        over=finding.over,
        agency=finding.agency,
        item=finding.item,
        actor=finding.actor,
        size=size,
        found_at_us=found_at_us,
        linked_us=linked_us,
        ripe=0,
    )
