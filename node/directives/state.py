"""A directive (督办) as the sum of its steps: pure, without IO and without a clock.

The issuer and the handlers each enter their own steps in their own journal, at the same time and out of each other's sight. So the state is
a function of the *set* of steps: the order in which they become known to a node does not matter, a step that comes twice counts once, and
every node that knows the same steps says the same. A step that answers another names it by number. Where two steps exclude each other (a
handler answers while the issuer withdraws), the issuer's counts.

`refusal` says why a step may not be taken by who knows this state; `of` accepts whatever was taken by somebody entitled to it, and leaves
aside, with the reason, what was not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveContent, DirectiveStep

Kind = wire.DirectiveKind

BY_HANDLER: Final = frozenset(
    {
        wire.DIRECTIVE_KIND_SIGNED,
        wire.DIRECTIVE_KIND_HANDLED,
        wire.DIRECTIVE_KIND_ANSWERED,
        wire.DIRECTIVE_KIND_EXTENSION_ASKED,
    }
)
ABOUT_ONE: Final = BY_HANDLER | {
    wire.DIRECTIVE_KIND_ACCEPTED,
    wire.DIRECTIVE_KIND_SENT_BACK,
    wire.DIRECTIVE_KIND_EXTENSION_GRANTED,
    wire.DIRECTIVE_KIND_EXTENSION_REFUSED,
}
"""Steps about one handler; the others are about the directive as a whole (a reminder may be about one or all)."""

SAID: Final = frozenset(
    {
        wire.DIRECTIVE_KIND_DRAFTED,
        wire.DIRECTIVE_KIND_ANSWERED,
        wire.DIRECTIVE_KIND_SENT_BACK,
        wire.DIRECTIVE_KIND_EXTENSION_ASKED,
        wire.DIRECTIVE_KIND_EXTENSION_REFUSED,
        wire.DIRECTIVE_KIND_WITHDRAWN,
    }
)
"""Steps that need words."""


class Stage(StrEnum):
    """How far something has come (立项, 审批, 下达, 签收, 办理, 反馈, 退回, 审核通过, 办结, 撤回)."""

    DRAFTED = "drafted"
    APPROVED = "approved"
    NOTIFIED = "notified"
    SIGNED = "signed"
    HANDLED = "handled"
    ANSWERED = "answered"
    SENT_BACK = "sent_back"
    ACCEPTED = "accepted"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


_ORDER: Final = list(Stage)


@dataclass(slots=True)
class Handler:
    """What one handler did, and what the issuer said to it."""

    node: str
    steps: dict[tuple[int, int], DirectiveStep] = field(default_factory=dict)
    """(kind, number) → step, the handler's own and the issuer's about it."""

    def numbers(self, kind: int) -> list[int]:
        """Numbers of its steps of a kind, in order."""
        return sorted(number for known, number in self.steps if known == kind)

    def last(self, kind: int) -> DirectiveStep | None:
        """Its newest step of a kind."""
        numbers = self.numbers(kind)
        return self.steps[kind, numbers[-1]] if numbers else None

    def reply(self, kinds: Iterable[int], to: int) -> DirectiveStep | None:
        """The issuer's first reply of these kinds to the step of number ``to``; of two in conflict the lower kind counts."""
        found = [one for (kind, _), one in self.steps.items() if kind in kinds and one.answers == to]
        return min(found, key=lambda one: (one.kind, one.number), default=None)

    @property
    def answered(self) -> DirectiveStep | None:
        return self.last(wire.DIRECTIVE_KIND_ANSWERED)

    @property
    def review(self) -> DirectiveStep | None:
        """What the issuer said to the newest answer."""
        answer = self.answered
        if answer is None:
            return None
        return self.reply((wire.DIRECTIVE_KIND_ACCEPTED, wire.DIRECTIVE_KIND_SENT_BACK), answer.number)

    @property
    def asked(self) -> DirectiveStep | None:
        """An extension that was asked for and is not decided yet."""
        asked = self.last(wire.DIRECTIVE_KIND_EXTENSION_ASKED)
        return None if asked is None or self.decision(asked.number) is not None else asked

    def decision(self, number: int) -> DirectiveStep | None:
        """What was decided about the extension of that number."""
        kinds = (wire.DIRECTIVE_KIND_EXTENSION_GRANTED, wire.DIRECTIVE_KIND_EXTENSION_REFUSED)
        return self.reply(kinds, number)

    @property
    def stage(self) -> Stage:
        """How far this handler has come since the notice."""
        if self.answered is not None:
            if self.review is None:
                return Stage.ANSWERED
            accepted = self.review.kind == wire.DIRECTIVE_KIND_ACCEPTED
            return Stage.ACCEPTED if accepted else Stage.SENT_BACK
        if self.numbers(wire.DIRECTIVE_KIND_HANDLED):
            return Stage.HANDLED
        return Stage.SIGNED if self.numbers(wire.DIRECTIVE_KIND_SIGNED) else Stage.NOTIFIED

    def due_at_us(self, content: DirectiveContent) -> int:
        """Its due: the one given, or the latest that was granted."""
        granted = [
            decided.due_at_us
            for number in self.numbers(wire.DIRECTIVE_KIND_EXTENSION_ASKED)
            if (decided := self.decision(number)) is not None
            and decided.kind == wire.DIRECTIVE_KIND_EXTENSION_GRANTED
        ]
        return max([content.due_at_us, *granted])


@dataclass(slots=True)
class Directive:
    """One directive as a node knows it."""

    id: str
    issuer: str
    content: DirectiveContent | None = None
    """None: nothing that says what it asks has come yet."""
    whole: dict[tuple[int, int], DirectiveStep] = field(default_factory=dict)
    """(kind, number) → step of the issuer about the directive as a whole."""
    handlers: dict[str, Handler] = field(default_factory=dict)
    aside: list[tuple[DirectiveStep, str]] = field(default_factory=list)
    """Steps that nobody entitled took, each with the reason."""

    def has(self, kind: int) -> bool:
        """Whether a step about the whole was taken."""
        return any(known == kind for known, _ in self.whole)

    @property
    def is_over(self) -> bool:
        """Closed or withdrawn: nothing more is expected of anybody."""
        return self.has(wire.DIRECTIVE_KIND_CLOSED) or self.has(wire.DIRECTIVE_KIND_WITHDRAWN)

    @property
    def is_out(self) -> bool:
        """The notice went out."""
        return self.has(wire.DIRECTIVE_KIND_NOTIFIED)

    @property
    def stage(self) -> Stage:
        """How far it has come: the least of its handlers, once it is out."""
        if self.has(wire.DIRECTIVE_KIND_WITHDRAWN):
            return Stage.WITHDRAWN
        if self.has(wire.DIRECTIVE_KIND_CLOSED):
            return Stage.CLOSED
        if self.is_out:
            return min(
                (one.stage for one in self.handlers.values()), key=_ORDER.index, default=Stage.NOTIFIED
            )
        return Stage.APPROVED if self.has(wire.DIRECTIVE_KIND_APPROVED) else Stage.DRAFTED

    def stage_at(self, node: str) -> Stage:
        """How far it has come for a node: a handler sees its own part, whatever the others do out of its sight."""
        mine = self.handlers.get(node)
        part_only = mine is not None and node != self.issuer and self.is_out and not self.is_over
        return mine.stage if mine is not None and part_only else self.stage

    def notified_us(self) -> int:
        """When the notice went out; 0: it did not."""
        found = [one.at_us for (kind, _), one in self.whole.items() if kind == wire.DIRECTIVE_KIND_NOTIFIED]
        return min(found, default=0)


def of(steps: Iterable[DirectiveStep]) -> Directive | None:
    """The directive that these steps of one directive make, in whatever order; None where there are none."""
    # In an order of their own, so that every order in which they come gives the same.
    ordered = sorted(steps, key=_place)
    if not ordered:
        return None
    directive = Directive(ordered[0].directive, issuer_of(ordered[0].directive))
    for step in ordered:
        if step.node == directive.issuer and step.HasField("content") and directive.content is None:
            directive.content = step.content
            handlers = dict.fromkeys((step.content.lead, *step.content.assisting))
            directive.handlers = {node: Handler(node) for node in handlers}
    for step in ordered:
        why = _unentitled(directive, step)
        if why:
            directive.aside.append((step, why))
        elif step.handler and step.handler in directive.handlers:
            directive.handlers[step.handler].steps.setdefault((step.kind, step.number), step)
        else:
            directive.whole.setdefault((step.kind, step.number), step)
    return directive


def issuer_of(directive: str) -> str:
    """The node that issued a directive, out of its id."""
    return directive.rpartition("-D")[0]


def handlers_of(content: DirectiveContent) -> tuple[str, ...]:
    """Lead first, then the assisting ones, each once."""
    return tuple(dict.fromkeys((content.lead, *content.assisting)))


def next_number(directive: Directive, kind: int, handler: str) -> int:
    """The number of the next step of this kind."""
    if handler in directive.handlers:
        numbers = directive.handlers[handler].numbers(kind)
    else:
        numbers = [number for known, number in directive.whole if known == kind]
    return max(numbers, default=0) + 1


def refusal(directive: Directive, step: DirectiveStep) -> str:
    """Why ``step`` may not be taken by who knows this state now; empty: it may. ``at_us`` is the step's own time."""
    content = directive.content
    if content is None:
        return "what it asks is not known here"
    why = _unentitled(directive, step)
    if why:
        return why
    if directive.is_over:
        return f"it is {directive.stage} already"
    if step.kind in SAID and not step.text:
        return "say why, or what was done (text)"
    if not step.by.strip():
        return "say who does it (by): a staff number"
    handler = directive.handlers.get(step.handler)
    match step.kind:
        case wire.DIRECTIVE_KIND_DRAFTED:
            return "it is drafted already"
        case wire.DIRECTIVE_KIND_APPROVED:
            drafted = directive.whole.get((wire.DIRECTIVE_KIND_DRAFTED, 1))
            if directive.has(wire.DIRECTIVE_KIND_APPROVED):
                return "it is approved already"
            if drafted is not None and drafted.by == step.by:
                return "who drafted it does not approve it: somebody else has to"
        case wire.DIRECTIVE_KIND_NOTIFIED:
            if not directive.has(wire.DIRECTIVE_KIND_APPROVED):
                return "it is not approved yet"
            if directive.is_out:
                return "its notice went out already"
        case wire.DIRECTIVE_KIND_WITHDRAWN:
            return ""
        case wire.DIRECTIVE_KIND_CLOSED:
            open_yet = [one.node for one in directive.handlers.values() if one.stage is not Stage.ACCEPTED]
            if not directive.is_out or open_yet:
                return f"the answer of {', '.join(open_yet)} is not accepted yet"
        case wire.DIRECTIVE_KIND_REMINDED:
            if not directive.is_out:
                return "its notice did not go out yet"
        case _:
            if not directive.is_out:
                return "its notice did not go out yet"
            return (
                _refused_about(handler, step, content) if handler else "it names no handler of the directive"
            )
    return ""


def _refused_about(handler: Handler, step: DirectiveStep, content: DirectiveContent) -> str:
    stage = handler.stage
    signed = bool(handler.numbers(wire.DIRECTIVE_KIND_SIGNED))
    match step.kind:
        case wire.DIRECTIVE_KIND_SIGNED:
            return f"{handler.node} signed for it already" if signed else ""
        case wire.DIRECTIVE_KIND_HANDLED | wire.DIRECTIVE_KIND_ANSWERED if not signed:
            return "sign for it first"
        case wire.DIRECTIVE_KIND_HANDLED | wire.DIRECTIVE_KIND_ANSWERED:
            if stage is Stage.ACCEPTED:
                return "its answer is accepted: nothing more is to be done"
            if stage is Stage.ANSWERED:
                return "its answer waits for the issuer's review"
        case wire.DIRECTIVE_KIND_ACCEPTED | wire.DIRECTIVE_KIND_SENT_BACK:
            if handler.answered is None or handler.answered.number != step.answers:
                return f"{handler.node} gave no such answer"
            if handler.review is not None:
                return f"that answer is {stage} already"
        case wire.DIRECTIVE_KIND_EXTENSION_ASKED:
            due = handler.due_at_us(content)
            if not signed:
                return "sign for it first"
            if handler.asked is not None:
                return "an extension is asked for already and not decided yet"
            if step.at_us > due:
                return "an extension is asked for before the due date, and that has passed"
            if step.due_at_us <= due:
                return "ask for a later due than it has"
            if stage in (Stage.ANSWERED, Stage.ACCEPTED):
                return "it is answered: there is nothing to extend"
        case wire.DIRECTIVE_KIND_EXTENSION_GRANTED | wire.DIRECTIVE_KIND_EXTENSION_REFUSED:
            asked = handler.asked
            if asked is None or asked.number != step.answers:
                return f"{handler.node} asked for no such extension, or it is decided already"
            if step.kind == wire.DIRECTIVE_KIND_EXTENSION_GRANTED and step.due_at_us <= handler.due_at_us(
                content
            ):
                return "grant a later due than it has"
    return ""


def _unentitled(directive: Directive, step: DirectiveStep) -> str:
    """Why whoever took this step may not take such a one, whatever the state."""
    if step.kind not in Kind.values() or step.kind == wire.DIRECTIVE_KIND_UNSPECIFIED:
        return "a later version knows what it is"
    if step.directive != directive.id or step.issuer != directive.issuer:
        return "it is of another directive"
    if step.kind in BY_HANDLER:
        if step.handler != step.node:
            return f"{step.node} speaks for {step.handler or 'nobody'}"
        if directive.content is not None and step.node not in directive.handlers:
            return f"{step.node} is no handler of it"
        return ""
    if step.node != directive.issuer:
        return f"only {directive.issuer}, which issued it, may do that"
    if step.kind in ABOUT_ONE and directive.content is not None and step.handler not in directive.handlers:
        return f"{step.handler or 'nobody'} is no handler of it"
    return ""


def _place(step: DirectiveStep) -> tuple[int, str, str, int, bytes]:
    return step.kind, step.node, step.handler, step.number, step.SerializeToString(deterministic=True)
