"""Questions to a subtree, and answers with how complete and how proven they are (DESIGN §6).

Each node's part is checked here, at the asker: its head is signed by the key this node knows for that journal, continues the head this node
already held, and every row's entry lies under it and says what the row says. A part that fails any of this is shown as not verified; it is never
mixed with what is.
"""

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.catalogue_pb2 import Level
from zongheng.v1.entry_pb2 import AlertState, Entry
from zongheng.v1.query_pb2 import (
    AlertQuestion,
    AnswerPart,
    CaseQuestion,
    CompareQuestion,
    Question,
    RerunQuestion,
    TrailQuestion,
)
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import CheckpointError, Verifier
from federation.journal.rotation import LogKeys
from federation.query.coverage import Tally
from federation.query.part import whole
from federation.query.proof import HeldHead, verify_part
from federation.query.question import check, describe
from federation.query.tree import Tree
from node.supervision.levels import LEVELS, STATES
from node.views.comparing import ComparedView, compared
from node.views.present import day_of, level_number, state_number, time_text, time_us

if TYPE_CHECKING:
    from node.run import Node


class Ask(BaseModel):
    """A question. ``question`` is alerts, cases, case, rerun or compare; the other fields narrow it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    subtree: str
    question: str
    subject: str | None = None
    level: str | None = None
    domain: str | None = None
    rule: str | None = None
    state: str | None = None
    agency: str | None = None
    item: str | None = None
    line: str | None = None
    limit_days: int | None = Field(None, ge=0, le=100_000)
    threshold: int | None = Field(None, ge=-100_000, le=100_000)
    since: str | None = Field(None, alias="from")
    until: str | None = Field(None, alias="to")
    proof: bool = True
    verdict: bool = False
    deadline_s: float = Field(30.0, gt=0, le=600)
    most: int = Field(10_000, ge=1, le=100_000)


class CoverageView(BaseModel):
    expected: int
    answered: int
    stale: list[str]
    """Answered from the copy its parent holds."""
    unreachable: list[str]
    truncated: list[str]
    hinted: list[str]
    """Did not have to be asked: what they hold has nothing of it. They count as answered."""


class AsOfView(BaseModel):
    journal_size: int
    checkpoint_time: str | None
    root: str | None


class PartView(BaseModel):
    """One node's part."""

    node: str
    name: str
    as_of: AsOfView
    stale: bool
    hinted: bool
    verified: bool | None
    """True: every row proven; False: something did not verify; null: no proofs asked."""
    problem: str
    """Why it is not verified."""
    alerts: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    rerun: list[dict[str, Any]]
    entries: list[dict[str, Any]]


class AnswerView(BaseModel):
    question: str
    subtree: str
    words: str
    coverage: CoverageView
    complete: bool
    verified: bool | None
    nodes: list[PartView]
    comparison: list[ComparedView]
    ms: float


async def ask(node: "Node", form: Ask) -> AnswerView:
    """Ask, wait at most the deadline, verify, and say how complete it is."""
    begun = time.perf_counter()
    question = _question(node, form)
    # What this node held before it asked; newer heads may arrive while the answer is under way.
    held = _held_heads(node, question.subtree) if form.proof else {}
    question.held.update({name: head.size for name, head in held.items()})
    check(question)
    deadline = asyncio.get_running_loop().time() + form.deadline_s
    expected = [question.subtree, *_below(node, question.subtree)]
    # Nobody is linked to a stopped node: its own store is all there is.
    if not node.serving and node.settings.node not in expected:
        raise ZonghengError(
            "unreachable", f"{node.settings.node} is stopped: run it to ask {question.subtree}"
        )
    tally = Tally(expected)
    chunks: list[AnswerPart] = []
    async with aclosing(node.asking.answer(question, deadline)) as parts:
        async for part in parts:
            tally.add(part)
            chunks.append(part)
    coverage = tally.coverage()
    answers = sorted(whole(chunks), key=lambda part: part.node)
    views = [_part_view(node, part, form.proof, held.get(part.node)) for part in answers]
    if form.verdict and not coverage.complete():
        missing = sorted(set(expected) - {as_of.node for as_of in coverage.as_of if not as_of.stale})
        raise ZonghengError(
            "incomplete", f"these did not answer for themselves: {', '.join(missing or coverage.truncated)}"
        )
    verified = all(view.verified for view in views) if form.proof else None
    return AnswerView(
        question=form.question,
        subtree=question.subtree,
        words=describe(question),
        coverage=CoverageView(
            expected=coverage.expected,
            answered=coverage.answered,
            stale=[as_of.node for as_of in coverage.as_of if as_of.stale],
            unreachable=list(coverage.unreachable),
            truncated=list(coverage.truncated),
            hinted=list(coverage.hinted),
        ),
        complete=coverage.complete(),
        verified=verified,
        nodes=views,
        comparison=compared(node, question.subtree, answers) if form.question == "compare" else [],
        ms=round((time.perf_counter() - begun) * 1_000, 1),
    )


def _question(node: "Node", form: Ask) -> Question:
    zone = node.settings.zone
    from_us, to_us = time_us(form.since, zone), time_us(form.until, zone)
    subtree = node.settings.node if form.subtree in (".", "") else form.subtree
    question = Question(subtree=subtree, proof=form.proof, limit=form.most, verdict=form.verdict)
    match form.question:
        case "alerts":
            question.alerts.CopyFrom(
                AlertQuestion(
                    level=Level.ValueType(level_number(form.level)),
                    domain=form.domain or "",
                    rule=form.rule or "",
                    agency=form.agency or "",
                    line=form.line or "",
                    state=AlertState.ValueType(state_number(form.state)),
                    case_id=form.subject or "",
                    from_us=from_us,
                    to_us=to_us,
                )
            )
        case "cases":
            question.cases.CopyFrom(
                CaseQuestion(
                    state=form.state or "",
                    item=form.item or "",
                    agency=form.agency or "",
                    line=form.line or "",
                    from_us=from_us,
                    to_us=to_us,
                )
            )
        case "case":
            if not form.subject:
                raise ZonghengError("bad_request", "say which case: ask DIR SUBTREE case CASE")
            question.trail.CopyFrom(TrailQuestion(case_id=form.subject))
        case "rerun":
            rule = form.subject or form.rule
            if not rule:
                raise ZonghengError("bad_request", "say which rule: ask DIR SUBTREE rerun RULE --limit N")
            question.rerun.CopyFrom(
                RerunQuestion(
                    rule=rule,
                    threshold=form.threshold,
                    from_us=from_us,
                    to_us=to_us,
                    limit_days=form.limit_days,
                    as_of_us=node.now(),
                )
            )
        case "compare":
            question.verdict = True
            question.compare.CopyFrom(
                CompareQuestion(
                    from_day=day_of(form.since, zone),
                    to_day=day_of(form.until, zone),
                    domain=form.domain or "",
                    agency=form.agency or "",
                    line=form.line or "",
                    item=form.item or "",
                )
            )
        case other:
            raise ZonghengError(
                "bad_request", f"there is no question {other!r}: alerts, cases, case, rerun or compare"
            )
    return question


def _held_heads(node: "Node", subtree: str) -> dict[str, HeldHead]:
    """The heads this node holds of the nodes of a subtree; a node of which none came yet is left out."""
    heads = {}
    for name in [subtree, *_below(node, subtree)]:
        card = node.tree.get(name)
        if card is not None and card.checkpoint:
            checkpoint = LogKeys.of(card).open(card.checkpoint)
            heads[name] = HeldHead(checkpoint.size, checkpoint.root)
    return heads


def _below(node: "Node", subtree: str) -> list[str]:
    """Known nodes below ``subtree``."""
    tree = Tree(node.settings.node, node.tree.descendants())
    return tree.subtree(subtree)[1:]


def _part_view(node: "Node", part: AnswerPart, proof: bool, held: HeldHead | None) -> PartView:
    card = node.tree.own if part.node == node.settings.node else node.tree.get(part.node)
    verified: bool | None = None
    trouble = ""
    root: str | None = None
    if proof:
        verified, trouble, root = _verified(part, card, held)
    zone = node.settings.zone
    return PartView(
        node=part.node,
        name=card.name if card else "",
        as_of=AsOfView(
            journal_size=part.journal_size, checkpoint_time=time_text(part.checkpoint_at_us, zone), root=root
        ),
        stale=part.stale,
        hinted=part.hinted,
        verified=verified,
        problem=trouble,
        alerts=[
            {
                "case": row.case_id,
                "subject": row.subject,
                "rule": row.rule,
                "level": LEVELS[row.level],
                "state": STATES[row.state],
                "since": time_text(row.since_us, zone),
                "due_at": time_text(row.due_at_us, zone),
                "raised_at": time_text(row.raised_at_us, zone),
                "over": row.over,
                "agency": row.agency,
                "item": row.item,
                "actor": row.actor,
                "index": row.index,
                "alert_id": row.alert_id,
                "proven": verified,
            }
            for row in part.alerts
        ],
        cases=[
            {
                "case": row.case_id,
                "item": row.item,
                "agency": row.agency,
                "state": row.state,
                "late": row.late,
                "received_at": time_text(row.received_at_us, zone),
                "completed_at": time_text(row.completed_at_us, zone),
                "statutory_due_at": time_text(row.statutory_due_us, zone),
                "promised_due_at": time_text(row.promised_due_us, zone),
            }
            for row in part.cases
        ],
        rerun=[
            {
                "case": row.case_id,
                "subject": row.subject,
                "level": LEVELS[row.level],
                "since": time_text(row.since_us, zone),
                "over": row.over,
                "issued": row.issued,
            }
            for row in part.rerun
        ],
        entries=[
            {
                "index": entry.index,
                "kind": (read := Entry.FromString(entry.leaf)).WhichOneof("body"),
                "entry": MessageToDict(read, preserving_proto_field_name=True),
            }
            for entry in part.entries
        ],
    )


def _verified(part: AnswerPart, card: NodeCard | None, held: HeldHead | None) -> tuple[bool, str, str | None]:
    if card is None:
        return False, f"{part.node} is not known here", None
    try:
        checkpoint = verify_part(part, Verifier.parse(card.verifier), held)
    except (ZonghengError, CheckpointError, ValueError) as error:
        return False, str(error), None
    return True, "", checkpoint.root.hex()
