"""Whether each layer acted in time: every step of an alert, a directive or an appeal that fell due, with when it was done and how long it took.

| layer | owes |
| --- | --- |
| agency | the reply to an alert |
| embedded | what the bureau owes, where somebody did it who supervises within the agency (派驻) |
| bureau | confirmation, review, of the answer to a directive too, the decision of an appeal, of a score too |
| handler | the signature and the answer of a directive |
| parent | the decision of what a node below escalated; here, of what children did |

What nobody did is the bureau's, not the embedded supervisor's: the bureau answers for it. A card that was issued because nobody decided in time was
not confirmed by anybody. Steps are due by the policy in force when they began (`supervision.terms`).
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.score_pb2 import ScoreStep, ScoreStepKind

from node.alerting.desk import taken
from node.alerting.elsewhere import is_answered_elsewhere
from node.directives.rules import BY_CODE, REVIEWS, UNREVIEWED, UNSIGNED
from node.people.roles import Role
from node.store.alerts import AlertFilter
from node.supervision.alert import LIFE_DOMAIN
from node.supervision.life import Duty, Layer, measured

if TYPE_CHECKING:
    from node.run import Node

SIGNATURE: Final = "directive_signature"
ANSWER: Final = "directive_answer"
REVIEW: Final = "directive_review"
SCORE_APPEAL: Final = "score_appeal_decision"

_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Acted:
    """One step that somebody owed."""

    layer: str
    node: str
    """Whose journal it is in; of a directive the handler."""
    agency: str
    duty: str
    due_us: int
    done_us: int
    """0: still owed."""
    days: int | None
    """Working days that it took; None: it is not done."""

    def late(self, now_us: int) -> bool:
        """Done late, or still owed and late."""
        return (self.done_us or now_us) > self.due_us


async def acted(node: "Node", from_us: int, to_us: int) -> list[Acted]:
    """Everything that fell due in ``[from_us, to_us)``; ``to_us`` 0: without end."""
    embedded = await _embedded(node)
    found = [one async for one in _alerts(node, embedded)]
    found += [one async for one in _directives(node)]
    found += [one async for one in _score_appeals(node, embedded)]
    return [one for one in found if one.due_us >= from_us and (not to_us or one.due_us < to_us)]


async def _embedded(node: "Node") -> frozenset[str]:
    """Staff numbers of those who supervise within an agency and not for the whole node."""
    accounts = await (await node.people()).accounts.rows.all()
    return frozenset(
        one.number
        for one in accounts
        if Role.EMBEDDED_SUPERVISOR in one.roles and Role.SUPERVISOR not in one.roles
    )


async def _alerts(node: "Node", embedded: Collection[str]) -> AsyncIterator[Acted]:
    own = node.settings.node
    async with node.store.read() as session:
        origins = [head.origin for head in await session.journal.heads()]
    for origin in origins:
        days, terms = await node.alert_desk.days(origin), await node.alert_desk.terms(origin)
        after = -1
        while True:
            async with node.store.read() as session:
                page = await session.alerts.page(origin, AlertFilter(), _AT_ONCE, after)
                steps = await session.steps.of_alerts(origin, [one.alert_id for one in page])
            for record in page:
                its = steps.get(record.alert_id, [])
                if record.domain == LIFE_DOMAIN or not its:
                    continue
                elsewhere = is_answered_elsewhere(record.domain, record.rule, record.case_id)
                for one in measured(
                    record.level, its[0].state, its[0].at_us, taken(its), terms, days, its[0].idx
                ):
                    due = one.owed
                    if (due.layer is Layer.PARENT) == (origin == own):
                        continue
                    if elsewhere and due.duty in {Duty.REPLY, Duty.REVIEW}:
                        continue
                    layer = str(due.layer)
                    if due.layer is Layer.BUREAU and one.by in embedded:
                        layer = "embedded"
                    took = days.working_days(due.from_us, one.done_us) if one.done_us else None
                    agency = record.agency if layer in ("agency", "embedded") else ""
                    yield Acted(layer, origin, agency, str(due.duty), due.due_us, one.done_us, took)
            if len(page) < _AT_ONCE:
                break
            after = page[-1].idx


async def _directives(node: "Node") -> AsyncIterator[Acted]:
    """Signatures and answers, of the handlers whose steps come here, and this node's own reviews of answers."""
    own = node.settings.node
    days = await node.alert_desk.days()
    policy = (await node.contexts.of(node.settings.node)).context.policy
    allowed = policy.limit_days(BY_CODE[UNSIGNED]) or 0
    to_review = policy.limit_days(BY_CODE[UNREVIEWED]) or 0
    after = ""
    while page := await node.directives.directives(after, _AT_ONCE):
        after = page[-1].id
        for directive in page:
            content, notified = directive.content, directive.notified_us()
            if content is None or not directive.is_out or not notified:
                continue
            for handler in directive.handlers.values():
                agency = content.agency if handler.node == content.lead else ""
                signed = handler.last(wire.DIRECTIVE_KIND_SIGNED)
                answered = handler.last(wire.DIRECTIVE_KIND_ANSWERED)
                for duty, due_us, done in (
                    (SIGNATURE, days.due_us(notified, allowed), signed),
                    (ANSWER, handler.due_at_us(content), answered),
                ):
                    done_us = 0 if done is None else done.at_us
                    # One that was withdrawn is owed no more.
                    if done_us or not directive.is_over:
                        took = days.working_days(notified, max(notified, done_us)) if done_us else None
                        yield Acted("handler", handler.node, agency, duty, due_us, done_us, took)
                if directive.issuer != own:
                    continue
                for number in handler.numbers(wire.DIRECTIVE_KIND_ANSWERED):
                    from_us = handler.steps[wire.DIRECTIVE_KIND_ANSWERED, number].at_us
                    review = handler.reply(REVIEWS, number)
                    if review is not None or not directive.is_over:
                        done_us = 0 if review is None else review.at_us
                        took = days.working_days(from_us, max(from_us, done_us)) if done_us else None
                        due_us = days.due_us(from_us, to_review)
                        yield Acted("bureau", own, "", REVIEW, due_us, done_us, took)


async def _score_appeals(node: "Node", embedded: Collection[str]) -> AsyncIterator[Acted]:
    """Appeals of this node's own scores: decided within the days for any appeal."""
    own = node.settings.node
    days, terms = await node.alert_desk.days(), await node.alert_desk.terms()
    async with node.store.read() as session:
        rows = await session.scores.all(own)
    waiting: dict[tuple[str, str, str], tuple[int, int]] = {}
    for row in rows:
        step = ScoreStep.FromString(row.body)
        key = row.run, step.subject, step.item
        if step.kind == ScoreStepKind.SCORE_STEP_KIND_APPEALED:
            waiting[key] = row.at_us, days.due_us(row.at_us, terms.at(row.idx).decide_days)
        elif step.kind == ScoreStepKind.SCORE_STEP_KIND_APPEAL_DECIDED and key in waiting:
            from_us, due_us = waiting.pop(key)
            layer = "embedded" if step.by in embedded else "bureau"
            yield Acted(
                layer, own, "", SCORE_APPEAL, due_us, row.at_us, days.working_days(from_us, row.at_us)
            )
    for _, due_us in waiting.values():
        yield Acted("bureau", own, "", SCORE_APPEAL, due_us, 0, None)
