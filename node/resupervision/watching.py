"""Reads every journal held here once more, for how its node works: by a cursor of its own, behind the projection.

A stretch is read, judged and kept in one transaction with the cursor (``watched``; its version holds the latest time noted so far), so a
process killed anywhere reads it again and keeps nothing twice. The projection goes first: what an alert was about is known when its moves
are read. The own journal is read too, for what the link found out about children.
"""

from collections.abc import Callable, Sequence

import structlog
from google.protobuf.message import DecodeError
from zongheng.v1.down_pb2 import Withheld
from zongheng.v1.entry_pb2 import Entry

from node.projection.context import Contexts
from node.resupervision import rules
from node.resupervision.inspection import Inspection, Mark, Verdict, inspected
from node.resupervision.observed import Cancelled, Terms, observe, parsed, spoken_of, unfounded
from node.store.catalogue import Published
from node.store.conduct import Remark
from node.store.store import Store
from node.supervision.terms import Terms as StepTerms

log = structlog.get_logger()

CHUNK = 2_000
"""Leaves read at once."""

CURSOR = "watched"

RULE = "rule_registered"
"""Kind of the catalogue's piece that says which version of a rule a node runs."""


class Watching:
    """Follows the journals of one node and its children."""

    def __init__(
        self,
        store: Store,
        contexts: Contexts,
        inspection: Inspection,
        own: str,
        terms: Callable[[str, StepTerms], Terms],
    ) -> None:
        """``terms``: what a child's journal is read by, given the terms of its own policy."""
        self._store = store
        self._contexts = contexts
        self._inspection = inspection
        self._own = own
        self._terms = terms

    async def follow(self, origin: str) -> bool:
        """Read the next stretch of a journal; False: there was nothing to read. True also when more may follow."""
        async with self._store.read() as session:
            cursor = await session.cursors.get(CURSOR, origin)
            projected = (await session.cursors.get("facts", origin)).position
            top = min(projected, cursor.position + CHUNK)
            if cursor.position >= top:
                return False
            leaves = await session.journal.leaves(origin, cursor.position, top)
            entries = parsed(cursor.position, leaves)
            known = {
                one.alert_id: one for one in await session.alerts.known(origin, sorted(spoken_of(entries)))
            }
        if origin == self._own:
            async with self._store.write() as session:
                await session.conduct.remark(_found_by_the_link(entries))
                await session.cursors.set(CURSOR, origin, top)
            return True
        context = await self._contexts.of(origin)
        terms = self._terms(origin, context.context.policy.terms)
        observed = observe(terms, entries, known, cursor.version)
        raised = [one for one in observed.raised if inspected(one.alert, context)]
        verdicts = await self._inspection.of(origin, raised)
        wrong = [_wrong(origin, one) for one in verdicts if one.mark is Mark.WRONG]
        remarks = [*observed.remarks, *wrong, *await self._unfounded(origin, observed.cancelled)]
        for remark in wrong:
            log.warning("alert.wrongly_issued", child=origin, **remark.figures)
        registered = [
            Published(origin, RULE, entry.rule_registered.rule, entry.rule_registered.version, idx, b"")
            for idx, entry in entries
            if entry.HasField("rule_registered")
        ]
        async with self._store.write() as session:
            await session.catalogue.put(registered)
            # What was answered in this stretch may have been owed before it; what is owed at its end was not answered since.
            await session.conduct.answered(origin, observed.answered)
            await session.conduct.owe(observed.owed)
            await session.conduct.count_entered(origin, observed.entered)
            await session.conduct.count_decided(origin, observed.decided)
            await session.conduct.remark(remarks)
            await session.facts.set_next(origin, [(case, 0) for case in sorted(observed.touched)])
            await session.cursors.set(CURSOR, origin, top, version=observed.newest_us)
        return True

    async def _unfounded(self, origin: str, cancelled: Sequence[Cancelled]) -> list[Remark]:
        cases = sorted({one.case_id for one in cancelled if one.case_id})
        handlers: dict[str, set[str]] = {}
        if cases:
            async with self._store.read() as session:
                for event in await session.events.of_cases(origin, cases):
                    handlers.setdefault(event.case_id, set()).add(event.actor)
        found = (unfounded(origin, one, handlers.get(one.case_id, ())) for one in cancelled)
        return [one for one in found if one is not None]


def _wrong(origin: str, verdict: Verdict) -> Remark:
    alert = verdict.alert
    return Remark(
        origin=origin,
        rule=rules.WRONGLY_ISSUED,
        subject=f"rerun:{alert.alert_id}",
        idx=verdict.idx,
        since_us=alert.since_us,
        measure=alert.level,
        agency=alert.agency,
        item=alert.item,
        actor=alert.actor,
        figures={
            "case": alert.case_id,
            "what": alert.subject,
            "rule": alert.rule,
            "level": alert.level,
            "why": verdict.why,
            "as_of": alert.as_of_us,
            "journal_size": alert.journal_size,
            "index": verdict.idx,
        },
    )


def _found_by_the_link(entries: Sequence[tuple[int, Entry]]) -> list[Remark]:
    """Facts about children that the link entered in the own journal."""
    remarks = []
    for idx, entry in entries:
        at_us = entry.noted_at_us
        match entry.WhichOneof("body"):
            case "fork_found":
                fork = entry.fork_found
                figures: dict[str, int | str] = {"why": fork.reason, "index": idx}
                remarks.append(Remark(fork.origin, rules.FORK, f"fork:{idx}", idx, at_us, 1, figures=figures))
            case "child_restored":
                back = entry.child_restored
                figures = {"shown": back.shown_size, "held": back.held_size, "index": idx}
                lost = back.held_size - back.shown_size
                subject = f"restored:{idx}"
                remarks.append(
                    Remark(back.origin, rules.RESTORED, subject, idx, at_us, lost, figures=figures)
                )
            case "forwarded":
                kept = _withheld(entry)
                if kept is not None:
                    figures = {"sender": kept.sender, "node": kept.node, "index": idx}
                    subject = f"withheld:{idx}"
                    remarks.append(
                        Remark(kept.parent, rules.WITHHELD, subject, idx, at_us, 1, figures=figures)
                    )
    return remarks


def _withheld(entry: Entry) -> Withheld | None:
    """What somebody below says that its parent kept from it."""
    try:
        inner = Entry.FromString(entry.forwarded.leaf)
    except DecodeError:
        return None
    return inner.withheld if inner.HasField("withheld") else None
