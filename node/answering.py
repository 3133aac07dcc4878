"""A node's own answer to a question: from its store at one journal size, each row with its proof where that is asked.

The same code answers for a child from the copy its parent holds, with ``origin`` the child. Everything in one part is at one
journal size, the size of the signed head that the proofs lead to; if the asker names a head it already holds, the part
shows that the new head continues it (RFC 9162 §2.1.4), so that a rewritten history cannot answer.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from federation.errors import ZonghengError
from node.projection.context import Contexts
from node.store.rows import AlertRecord, FactsRow, Head
from node.store.store import Session, Store
from node.supervision.evaluate import rerun
from node.supervision.frame import frame_of
from node.wallclock import Now
from zongheng.v1.catalogue_pb2 import Level
from zongheng.v1.entry_pb2 import AlertState
from zongheng.v1.query_pb2 import AlertRow, AnswerPart, CaseRow, ProvenEntry, Question, RerunQuestion, RerunRow

CHUNK = 500
"""Rows in one part on the wire."""

MOST = 100_000
"""Rows a node returns at most, whatever the question says."""


class Answering:
    """Answers from what a store holds of one journal."""

    def __init__(self, store: Store, contexts: Contexts, now: Now) -> None:
        self._store = store
        self._contexts = contexts
        self._now = now

    async def answer(self, question: Question, origin: str, *, stale: bool = False) -> AsyncIterator[AnswerPart]:
        """Parts of ``origin``'s answer; all but the last are marked ``more``. ``ZonghengError`` for a malformed question."""
        most = min(question.limit or MOST, MOST)
        async with self._store.read() as session:
            head = await session.journal.head(origin)
            if head is None or head.size == 0:
                raise ZonghengError("unknown_node", f"nothing of {origin} is held here")
            kind = question.WhichOneof("kind")
            alerts: list[AlertRecord] = []
            cases: list[FactsRow] = []
            indexes: list[int] = []
            reruns: list[RerunRow] = []
            if kind == "alerts":
                wanted = question.alerts
                alerts = await session.alerts.list(
                    origin,
                    level=wanted.level or None,
                    rule=wanted.rule or None,
                    agency=wanted.agency or None,
                    state=wanted.state or None,
                    case_id=wanted.case_id or None,
                    since_from=wanted.from_us or None,
                    since_to=wanted.to_us or None,
                    limit=most + 1,
                )
                alerts = [alert for alert in alerts if alert.idx < head.size]
                indexes = [alert.idx for alert in alerts[:most]]
            elif kind == "cases":
                cases = await session.facts.list(
                    origin,
                    state=question.cases.state or None,
                    item=question.cases.item or None,
                    agency=question.cases.agency or None,
                    received_from=question.cases.from_us or None,
                    received_to=question.cases.to_us or None,
                    limit=most + 1,
                )
            elif kind == "trail":
                events = await session.events.of_cases(origin, [question.trail.case_id])
                alerts = await session.alerts.of_cases(origin, [question.trail.case_id])
                indexes = sorted({event.idx for event in events} | {alert.idx for alert in alerts})
                cases = [row for row in [await session.facts.get(origin, question.trail.case_id)] if row]
            elif kind == "rerun":
                reruns = await self._rerun(session, question.rerun, origin, head.size)
            else:
                raise ZonghengError("bad_request", "the question has no kind this version knows")
            indexes = [index for index in indexes if index < head.size]
            entries = await self._proven(session, head, indexes, question.proof) if (question.proof or kind == "trail") else []
            held = question.held.get(origin, 0)
            consistency: list[bytes] = []
            if question.proof and 0 < held <= head.size:
                consistency = await session.journal.reader(origin, head.size).consistency_proof(held, head.size)
        truncated = max(len(alerts), len(cases), len(reruns)) > most
        rows = _Rows(
            [_alert_row(alert) for alert in alerts[:most]], [_case_row(row) for row in cases[:most]], entries, reruns[:most]
        )
        chunks = max(1, -(-rows.longest() // CHUNK))
        for number in range(chunks):
            part = rows.part(number)
            part.node = origin
            part.journal_size = head.size
            part.checkpoint = head.note
            part.verifier = head.verifier
            part.checkpoint_at_us = head.signed_at_us
            part.held_size = held if consistency or held == head.size else 0
            part.consistency.extend(consistency)
            part.stale = stale
            part.truncated = truncated
            part.more = number + 1 < chunks
            yield part

    async def _proven(self, session: Session, head: Head, indexes: Sequence[int], proof: bool) -> list[ProvenEntry]:
        reader = session.journal.reader(head.origin, head.size)
        entries = []
        for index in indexes:
            leaf = (await session.journal.leaves(head.origin, index, index + 1))[0]
            nodes = await reader.inclusion_proof(index, head.size) if proof else []
            entries.append(ProvenEntry(index=index, leaf=leaf, proof=nodes))
        return entries

    async def _rerun(self, session: Session, wanted: RerunQuestion, origin: str, size: int) -> list[RerunRow]:
        context = (await self._contexts.of(origin)).context
        rows = await session.events.all_rows(origin)
        issued = {
            (alert.case_id, alert.subject, alert.level)
            for alert in await session.alerts.list(origin, rule=wanted.rule, limit=None)
        }
        as_of = wanted.as_of_us or self._now()

        def work() -> list[RerunRow]:
            findings = rerun(
                frame_of(rows),
                context,
                wanted.rule,
                as_of_us=as_of,
                journal_size=size,
                threshold=wanted.threshold if wanted.HasField("threshold") else None,
                limit_days=wanted.limit_days if wanted.HasField("limit_days") else None,
                from_us=wanted.from_us or None,
                to_us=wanted.to_us or None,
            )
            return [
                RerunRow(
                    case_id=row["case_id"],
                    subject=row["subject"],
                    level=Level.Name(row["level"]),
                    since_us=row["since_us"] or 0,
                    over=row["over"] or 0,
                    issued=(row["case_id"], row["subject"], row["level"]) in issued,
                )
                for row in findings.iter_rows(named=True)
            ]

        return await asyncio.to_thread(work)


class _Rows:
    """Everything a part may carry, cut into chunks."""

    def __init__(
        self, alerts: list[AlertRow], cases: list[CaseRow], entries: list[ProvenEntry], reruns: list[RerunRow]
    ) -> None:
        self._alerts, self._cases, self._entries, self._reruns = alerts, cases, entries, reruns

    def longest(self) -> int:
        return max(len(self._alerts), len(self._cases), len(self._entries), len(self._reruns))

    def part(self, number: int) -> AnswerPart:
        window = slice(number * CHUNK, (number + 1) * CHUNK)
        return AnswerPart(
            alerts=self._alerts[window],
            cases=self._cases[window],
            entries=self._entries[window],
            rerun=self._reruns[window],
        )


def _alert_row(alert: AlertRecord) -> AlertRow:
    return AlertRow(
        alert_id=alert.alert_id,
        case_id=alert.case_id,
        subject=alert.subject,
        rule=alert.rule,
        level=Level.Name(alert.level),  # type: ignore[arg-type]
        state=AlertState.Name(alert.state),  # type: ignore[arg-type]
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
        calendar_version=alert.calendar_version,
        journal_size=alert.journal_size,
    )


def _case_row(row: FactsRow) -> CaseRow:
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
        late=bool(row.late),
    )
