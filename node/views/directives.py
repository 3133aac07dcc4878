"""Directives (督办) as people and programs read them, and the steps that they take."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveContent, DirectiveStep

from federation.errors import ZonghengError
from node.directives.desk import Act
from node.directives.state import Directive
from node.people.caller import Caller
from node.views.present import time_text, time_us
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node

SOURCES = {
    "instruction": wire.DIRECTIVE_SOURCE_INSTRUCTION,
    "office": wire.DIRECTIVE_SOURCE_OFFICE,
    "bureau": wire.DIRECTIVE_SOURCE_BUREAU,
}
"""On whose behalf: a leader's instruction (批示), the supervision office (督查室), the bureau (监察局)."""

_SOURCE_WORDS = {number: word for word, number in SOURCES.items()}

Step = Literal[
    "approval", "signature", "handling", "answer", "review", "extension", "decision", "reminder", "closing", "withdrawal"
]  # fmt: skip


class IssueDirective(BaseModel):
    """A new directive."""

    model_config = ConfigDict(extra="forbid")

    title: str
    text: str
    """What is asked; sealed to its handlers on the way. The title travels in clear."""
    source: str
    """instruction, office or bureau."""
    lead: str
    """The node that leads the handling: this one or one below."""
    assisting: list[str] = Field(default=[], max_length=50)
    agency: str = ""
    due: str
    """ISO 8601; a day means its end."""
    about: str = ""
    """The node whose alert or case it is about."""
    alert: str = ""
    case: str = ""
    by: str = ""
    approved_by: str = ""
    """Approves it at once and sends it out; somebody else than ``by``."""


class TakeStep(BaseModel):
    """One step."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    text: str = ""
    node: str = ""
    """The handler that a step of the issuer is about, where there are several."""
    accept: bool | None = None
    """Of a review: accepted, or sent back. Of a decision: granted, or refused."""
    due: str = ""
    """Of an extension asked for or granted: the new due."""


class StepView(BaseModel):
    step: str
    node: str
    handler: str
    number: int
    answers: int
    """The number of the step it answers; 0: none."""
    by: str
    at: str | None
    text: str | None
    """What was said; null: nothing, or it is not kept here."""
    due_at: str | None


class HandlerView(BaseModel):
    node: str
    lead: bool
    stage: str
    due_at: str | None
    """With what was granted."""
    signed_at: str | None
    answers: int
    """Answers given."""
    extension_asked: str | None
    """The due that is asked for and not decided yet."""


class DirectiveView(BaseModel):
    directive: str
    issuer: str
    stage: str
    title: str
    source: str
    due_at: str | None
    agency: str
    about: str
    alert: str
    case: str
    handlers: list[HandlerView]
    steps: list[StepView]


class DirectivePage(BaseModel):
    directives: list[DirectiveView]
    next: str | None
    """Pass as ``after`` for the next page; null: that was all."""


async def issue(node: "Node", caller: Caller, form: IssueDirective) -> DirectiveView:
    """Enter a directive as an item; with ``approved_by`` also approve it and send it out."""
    if form.source not in SOURCES:
        raise ZonghengError("bad_request", f"there is no source {form.source!r}: {', '.join(SOURCES)}")
    content = DirectiveContent(
        title=form.title.strip(),
        source=SOURCES[form.source],
        lead=form.lead,
        assisting=form.assisting,
        agency=form.agency,
        due_at_us=_due(form.due, node.settings.zone),
        about_node=form.about or (node.settings.node if form.alert or form.case else ""),
        alert_id=form.alert,
        case_id=form.case,
    )
    directive = await node.directives.issue(content, form.text, caller.signing(form.by))
    if form.approved_by:
        # Over the network nobody signs for somebody else.
        approver = form.approved_by if caller.is_operator else caller.signing(form.approved_by)
        return await approve(node, directive.id, approver)
    return await _view(node, directive)


async def page(node: "Node", caller: Caller, after: str, limit: int, stage: str | None) -> DirectivePage:
    """Directives that this node issued, handles or has seen pass, by id; of those for an agency, only the caller's own."""
    seen = await seen_by(node, caller)
    found = await node.directives.directives(after, limit)
    shown = [
        await _view(node, one)
        for one in found
        if _is_seen(one, seen) and (stage is None or one.stage_at(node.settings.node) == stage)
    ]
    return DirectivePage(directives=shown, next=found[-1].id if len(found) == limit else None)


async def directive(node: "Node", caller: Caller, of: str) -> DirectiveView:
    """One directive. ``ZonghengError`` ``not_found``, also for one of an agency that the caller does not see."""
    known = await node.directives.directive(of)
    if not _is_seen(known, await seen_by(node, caller)):
        raise ZonghengError("not_found", f"there is no directive {of} here")
    return await _view(node, known)


async def take(node: "Node", caller: Caller, of: str, step: Step, form: TakeStep) -> DirectiveView:
    """Take one step; saying again what was said already changes nothing."""
    by = caller.signing(form.by)
    await directive(node, caller, of)
    if step == "approval":
        return await approve(node, of, by)
    kind = _kind(step, form.accept)
    due = _due(form.due, node.settings.zone) if form.due else 0
    act = Act(kind, by, form.text, form.node, due)
    return await _view(node, await node.directives.take(of, act))


def _is_seen(known: Directive, seen: tuple[str, ...] | None) -> bool:
    agency = known.content.agency if known.content else ""
    return seen is None or not agency or agency in seen


async def approve(node: "Node", of: str, by: str) -> DirectiveView:
    """Approve a directive and send it out."""
    await node.directives.take(of, Act(wire.DIRECTIVE_KIND_APPROVED, by))
    return await _view(node, await node.directives.take(of, Act(wire.DIRECTIVE_KIND_NOTIFIED, by)))


def _kind(step: Step, accept: bool | None) -> int:
    if step in ("review", "decision") and accept is None:
        raise ZonghengError("bad_request", f"a {step} says accept: true or false")
    match step:
        case "signature":
            return wire.DIRECTIVE_KIND_SIGNED
        case "handling":
            return wire.DIRECTIVE_KIND_HANDLED
        case "answer":
            return wire.DIRECTIVE_KIND_ANSWERED
        case "review":
            return wire.DIRECTIVE_KIND_ACCEPTED if accept else wire.DIRECTIVE_KIND_SENT_BACK
        case "extension":
            return wire.DIRECTIVE_KIND_EXTENSION_ASKED
        case "decision":
            return wire.DIRECTIVE_KIND_EXTENSION_GRANTED if accept else wire.DIRECTIVE_KIND_EXTENSION_REFUSED
        case "reminder":
            return wire.DIRECTIVE_KIND_REMINDED
        case "closing":
            return wire.DIRECTIVE_KIND_CLOSED
        case _:
            return wire.DIRECTIVE_KIND_WITHDRAWN


def _due(text: str, zone: str) -> int:
    """A day means its last microsecond (DOMAIN §1)."""
    at_us = time_us(text, zone)
    return at_us + 86_400_000_000 - 1 if len(text) == len("2026-06-30") else at_us


async def _view(node: "Node", known: Directive) -> DirectiveView:
    zone = node.settings.zone
    content = known.content or DirectiveContent()
    steps = [*known.whole.values(), *(step for one in known.handlers.values() for step in one.steps.values())]
    return DirectiveView(
        directive=known.id,
        issuer=known.issuer,
        stage=known.stage_at(node.settings.node),
        title=content.title,
        source=_SOURCE_WORDS.get(content.source, ""),
        due_at=time_text(content.due_at_us, zone),
        agency=content.agency,
        about=content.about_node,
        alert=content.alert_id,
        case=content.case_id,
        handlers=[
            HandlerView(
                node=one.node,
                lead=one.node == content.lead,
                stage=one.stage,
                due_at=time_text(one.due_at_us(content), zone),
                signed_at=time_text(signed.at_us, zone)
                if (signed := one.last(wire.DIRECTIVE_KIND_SIGNED))
                else None,
                answers=len(one.numbers(wire.DIRECTIVE_KIND_ANSWERED)),
                extension_asked=time_text(one.asked.due_at_us, zone) if one.asked else None,
            )
            for one in known.handlers.values()
        ],
        steps=[await _step(node, one, zone) for one in sorted(steps, key=lambda one: (one.at_us, one.kind))],
    )


async def _step(node: "Node", step: DirectiveStep, zone: str) -> StepView:
    return StepView(
        step=wire.DirectiveKind.Name(step.kind).removeprefix("DIRECTIVE_KIND_").lower(),
        node=step.node,
        handler=step.handler,
        number=step.number,
        answers=step.answers,
        by=step.by,
        at=time_text(step.at_us, zone),
        text=await node.directives.text(step.text) if step.text else None,
        due_at=time_text(step.due_at_us, zone),
    )
