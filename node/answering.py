"""A node's own answer to a question: from its store at one journal size, each row with its proof where that is asked.

The same code answers for a child from the copy its parent holds, with ``origin`` the child. Everything in one part is at one
journal size, the size of the signed head that the proofs lead to; if the asker names a head it already holds, the part
shows that the new head continues it (RFC 9162 §2.1.4), so that a rewritten history cannot answer.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence

import polars as pl
from zongheng.v1.catalogue_pb2 import Level as LevelMessage
from zongheng.v1.entry_pb2 import ALERT_STATE_CORRECTED, AlertState
from zongheng.v1.query_pb2 import (
    AlertRow,
    AnswerPart,
    CaseQuestion,
    CaseRow,
    CompareQuestion,
    ProvenEntry,
    Question,
    RerunQuestion,
    RerunRow,
)
from zongheng.v1.rollup_pb2 import RollupTable

from federation.errors import ZonghengError
from federation.query.part import split
from federation.rollup.row import RollupRow, pack
from federation.rollup.sketch import merged_applicants, merged_durations
from node.intake.vocabulary import UnknownDomain, vocabulary
from node.projection.context import Contexts
from node.projection.forwarding import Edge
from node.projection.history import History
from node.store.alerts import AlertFilter
from node.store.facts import RUNNING, FactsFilter, is_late
from node.store.rows import AlertRecord, FactsRow, Head
from node.store.store import Session, Store
from node.supervision.evaluate import finding_values, rerun
from node.supervision.fold import Domain, installed
from node.wallclock import Now

_RAISED = tuple(state for state in AlertState.values() if state != ALERT_STATE_CORRECTED)
"""States of an alert that was raised and not taken back: one that was closed or cancelled was raised all the same."""

MOST = 100_000
"""Rows a node returns at most, whatever the question says."""


class Answering:
    """Answers from what a store holds of one journal."""

    def __init__(self, store: Store, contexts: Contexts, history: History, edge: Edge, now: Now) -> None:
        self._store = store
        self._edge = edge
        self._history = history
        self._contexts = contexts
        self._now = now

    async def answer(
        self, question: Question, origin: str, *, stale: bool = False
    ) -> AsyncGenerator[AnswerPart, None]:
        """Parts of ``origin``'s answer; all but the last are marked ``more``. ``ZonghengError`` for a malformed question."""
        most = min(question.limit or MOST, MOST)
        async with self._store.read() as session:
            head = await session.journal.head(origin)
            if head is None or head.size == 0:
                raise ZonghengError("unknown_node", f"nothing of {origin} is held here")
            kind = question.WhichOneof("kind")
            figures: RollupTable | None = None
            alerts: list[AlertRecord] = []
            cases: list[FactsRow] = []
            indexes: list[int] = []
            reruns: list[RerunRow] = []
            if kind == "alerts":
                wanted = question.alerts
                narrow = AlertFilter(
                    level=wanted.level or None,
                    rule=wanted.rule,
                    domain=wanted.domain,
                    agency=wanted.agency,
                    agencies=await self._of_line(origin, wanted.line),
                    case_id=wanted.case_id,
                    states=(wanted.state,) if wanted.state else (),
                    since_from_us=wanted.from_us or None,
                    since_to_us=wanted.to_us or None,
                    below_idx=head.size,
                )
                alerts = await session.alerts.page(origin, narrow, most + 1)
                indexes = [alert.idx for alert in alerts[:most]]
            elif kind == "cases":
                cases = await session.facts.page(origin, await self._narrow(origin, question.cases), most + 1)
            elif kind == "trail":
                events = await session.events.of_cases(origin, [question.trail.case_id])
                alerts = await session.alerts.of_cases(origin, [question.trail.case_id])
                indexes = sorted({event.idx for event in events} | {alert.idx for alert in alerts})
                cases = [row for row in [await session.facts.get(origin, question.trail.case_id)] if row]
            elif kind == "compare":
                figures = _summed(origin, question.compare, await session.rollups.rows(origin))
            elif kind == "rerun":
                reruns = await self._rerun(session, question.rerun, origin)
            else:
                raise ZonghengError("bad_request", "the question has no kind this version knows")
            indexes = [index for index in indexes if index < head.size]
            entries = (
                await self._proven(session, head, indexes, question.proof)
                if (question.proof or kind == "trail")
                else []
            )
            held = question.held.get(origin, 0)
            consistency: list[bytes] = []
            if question.proof and 0 < held <= head.size:
                reader = session.journal.reader(origin, head.size, self._edge(origin, head.size))
                consistency = await reader.consistency_proof(held, head.size)
        part = AnswerPart(
            node=origin,
            journal_size=head.size,
            checkpoint=head.note,
            verifier=head.verifier,
            checkpoint_at_us=head.signed_at_us,
            held_size=held if consistency or held == head.size else 0,
            consistency=consistency,
            entries=entries,
            alerts=[_alert_row(alert) for alert in alerts[:most]],
            cases=[_case_row(row, self._now()) for row in cases[:most]],
            rerun=reruns[:most],
            figures=figures,
            stale=stale,
            truncated=max(len(alerts), len(cases), len(reruns)) > most,
        )
        for chunk in split(part):
            yield chunk

    async def _of_line(self, origin: str, line: str) -> tuple[str, ...] | None:
        """The agencies of a line (条); None: every agency will do."""
        if not line:
            return None
        lines = (await self._contexts.of(origin)).lines
        return tuple(sorted(agency for agency, its in lines.items() if its == line))

    async def _narrow(self, origin: str, wanted: CaseQuestion) -> FactsFilter:
        late = wanted.state == "late"
        states = RUNNING if wanted.state == "open" else (wanted.state,) if wanted.state and not late else ()
        return FactsFilter(
            states=states,
            item=wanted.item,
            agency=wanted.agency,
            agencies=await self._of_line(origin, wanted.line),
            received_from_us=wanted.from_us or None,
            received_to_us=wanted.to_us or None,
            late=True if late else None,
            as_of_us=self._now() if late else None,
        )

    async def _proven(
        self, session: Session, head: Head, indexes: Sequence[int], proof: bool
    ) -> list[ProvenEntry]:
        reader = session.journal.reader(head.origin, head.size, self._edge(head.origin, head.size))
        entries = []
        for index, leaf in await session.journal.entries(head.origin, indexes):
            nodes = await reader.inclusion_proof(index, head.size) if proof else []
            entries.append(ProvenEntry(index=index, leaf=leaf, proof=nodes))
        return entries

    async def _rerun(self, session: Session, wanted: RerunQuestion, origin: str) -> list[RerunRow]:
        context = await self._contexts.of(origin)
        size = (await session.cursors.get("events", origin)).position
        history = await self._history.events(session, origin, size)
        raised = await session.alerts.page(origin, AlertFilter(rule=wanted.rule, states=_RAISED), MOST)
        issued = {(alert.case_id, alert.subject, alert.level) for alert in raised}
        as_of = wanted.as_of_us or self._now()

        def work() -> list[RerunRow]:
            events = received_between(history, wanted.from_us, wanted.to_us)
            findings = rerun(
                events,
                context.context,
                as_of,
                context.domains,
                wanted.rule,
                threshold=wanted.threshold if wanted.HasField("threshold") else None,
                limit_days=wanted.limit_days if wanted.HasField("limit_days") else None,
            )
            return [
                RerunRow(
                    case_id=finding.case_id,
                    subject=finding.subject,
                    level=LevelMessage.ValueType(finding.level),
                    since_us=finding.since_us,
                    over=finding.over,
                    issued=(finding.case_id, finding.subject, int(finding.level)) in issued,
                )
                for finding in finding_values(findings)
            ]

        try:
            return await asyncio.to_thread(work)
        except LookupError as error:
            if _of_another_tier(wanted.rule, context.domains):
                return []
            raise ZonghengError("bad_request", str(error)) from error
        except ValueError as error:
            raise ZonghengError("bad_request", str(error)) from error


def _of_another_tier(rule: str, domains: Sequence[Domain]) -> bool:
    """Whether the rule is of a domain that is not supervised here. Nothing of it is found here then, which is an answer."""
    code = rule.partition(".")[0]
    if code in {one.code for one in domains}:
        return False
    try:
        vocabulary(code)
    except UnknownDomain:
        return False
    return any(one.rule(rule) is not None for one in installed((code,)))


def _summed(origin: str, wanted: CompareQuestion, rows: Sequence[RollupRow]) -> RollupTable:
    """One row: all figures of the days and kinds that are wanted."""
    kept = [
        row
        for row in rows
        if wanted.from_day <= row.day < (wanted.to_day or row.day + 1)
        and all(
            not value or getattr(row, name) == value
            for name, value in (
                ("domain", wanted.domain),
                ("agency", wanted.agency),
                ("line", wanted.line),
                ("item", wanted.item),
            )
        )
    ]
    figures: Counter[str] = Counter()
    for row in kept:
        figures.update(row.figures)
    durations = [row.durations for row in kept if row.durations]
    applicants = [row.applicants for row in kept if row.applicants]
    whole = RollupRow(
        origin,
        wanted.from_day,
        wanted.domain,
        wanted.agency,
        wanted.line,
        wanted.item,
        dict(figures),
        merged_durations(durations) if durations else b"",
        merged_applicants(applicants) if applicants else b"",
        max((row.version for row in kept), default=0),
    )
    return pack([whole])


def received_between(events: pl.DataFrame, from_us: int, to_us: int) -> pl.DataFrame:
    """The events of cases whose first event lies in ``[from_us, to_us)``; 0 is open."""
    if not from_us and not to_us:
        return events
    received = pl.col("at_us").min().over("case_id")
    kept = pl.lit(True)
    if from_us:
        kept &= received >= from_us
    if to_us:
        kept &= received < to_us
    return events.filter(kept)


def _alert_row(alert: AlertRecord) -> AlertRow:
    return AlertRow(
        alert_id=alert.alert_id,
        case_id=alert.case_id,
        subject=alert.subject,
        rule=alert.rule,
        level=LevelMessage.ValueType(alert.level),
        state=AlertState.ValueType(alert.state),
        since_us=alert.since_us,
        due_at_us=alert.due_at_us,
        raised_at_us=alert.raised_at_us,
        agency=alert.agency,
        item=alert.item,
        actor=alert.actor,
        index=alert.idx,
        over=alert.over,
        episode=alert.episode,
        domain=alert.domain,
        policy_version=alert.policy_version,
        mandates=alert.mandates,
        calendar_version=alert.calendar_version,
        journal_size=alert.journal_size,
    )


def _case_row(row: FactsRow, now_us: int) -> CaseRow:
    return CaseRow(
        case_id=row.case_id,
        domain=row.domain,
        item=row.item,
        agency=row.agency,
        state=row.state,
        received_at_us=row.received_at_us or 0,
        accepted_at_us=row.accepted_at_us or 0,
        completed_at_us=row.completed_at_us or 0,
        statutory_due_us=row.statutory_due_us or 0,
        promised_due_us=row.promised_due_us or 0,
        late=is_late(row, now_us),
    )
