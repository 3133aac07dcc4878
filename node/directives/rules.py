"""What is found about a directive: near due (blue), behind or poor (yellow), overdue (red) (DOMAIN §2).

The same findings at the issuer and at the handler: an alert of the issuer says that it is not obeyed, one of the handler that it is not doing.
Days are working days of the node that looks, by the clock of DOMAIN §1: late is what is past the due and nothing else. An answer stops the
clock where it stands, until it is sent back; a signature stops the other. What came too late stays found when the directive is closed.
That an answer lies unread is found at the issuer alone, who owes the review: yellow there, and red, which rises, once it lay a week longer.

| rule | measures | source |
| --- | --- | --- |
| directive.due | `over` in working days: near due ≥ −2 (blue), past it ≥ 1 (red) | practice |
| directive.unsigned | working days since the notice without a signature, less two allowed (yellow) | choice |
| directive.unreviewed | working days that an answer waited for its review, less three allowed (yellow; a week more: red) | choice |
| directive.poor | answers that were sent back (yellow) | practice |
"""

from collections.abc import Iterable
from typing import Final

from zongheng.v1 import directive_pb2 as wire
from zongheng.v1.directive_pb2 import DirectiveContent

from node.directives.state import Directive, Handler, Stage
from node.resupervision.opening import Opening
from node.supervision.finding import Finding
from node.supervision.policy import Level, Policy, Rule, Threshold, Words
from node.supervision.statutes import CHOICE, PRACTICE

DOMAIN: Final = "directive"

DUE: Final = f"{DOMAIN}.due"
UNSIGNED: Final = f"{DOMAIN}.unsigned"
UNREVIEWED: Final = f"{DOMAIN}.unreviewed"
POOR: Final = f"{DOMAIN}.poor"

SIGN_WITHIN_DAYS: Final = 2
"""Working days in which a handler signs (choice); a policy changes it as the rule's ``limit_days``."""

REVIEW_WITHIN_DAYS: Final = 3
"""Working days in which the issuer reviews an answer (choice); a policy changes it as the rule's ``limit_days``."""

RULES: Final = (
    Rule(
        DUE,
        DOMAIN,
        "handler",
        (Threshold(Level.NOTICE, -2), Threshold(Level.RED, 1)),
        PRACTICE,
        Words(
            "督办时限",
            "Due of a directive",
            "督办{case}（承办节点{nth}）的期限为{due}，{lapse_zh}。",
            "Directive {case} is due at {nth} by {due}; {lapse_en}.",
        ),
        reruns_elsewhere=False,
    ),
    Rule(
        UNSIGNED,
        DOMAIN,
        "handler",
        (Threshold(Level.YELLOW, 1),),
        CHOICE,
        Words(
            "督办未签收",
            "Directive not signed for",
            "督办{case}下达后，节点{nth}逾期{over}个工作日未签收。",
            "{nth} has not signed for directive {case}, {over} working days past the time for it.",
        ),
        limit_days=SIGN_WITHIN_DAYS,
        reruns_elsewhere=False,
    ),
    Rule(
        UNREVIEWED,
        DOMAIN,
        "handler",
        (Threshold(Level.YELLOW, 1), Threshold(Level.RED, 6)),
        CHOICE,
        Words(
            "督办反馈未审核",
            "Answer to a directive not reviewed",
            "节点{nth}对督办{case}的反馈逾期{over}个工作日未审核。",
            "The answer of {nth} to directive {case} has not been reviewed, {over} working days past the time for it.",
        ),
        limit_days=REVIEW_WITHIN_DAYS,
        reruns_elsewhere=False,
    ),
    Rule(
        POOR,
        DOMAIN,
        "handler",
        (Threshold(Level.YELLOW, 1),),
        PRACTICE,
        Words(
            "督办反馈被退回",
            "Answer to a directive sent back",
            "节点{nth}对督办{case}的反馈被退回{over}次。",
            "The answer of {nth} to directive {case} was sent back {over} times.",
        ),
        reruns_elsewhere=False,
    ),
)

BY_CODE: Final = {rule.code: rule for rule in RULES}

REVIEWS: Final = (wire.DIRECTIVE_KIND_ACCEPTED, wire.DIRECTIVE_KIND_SENT_BACK)
"""What an issuer says to an answer."""

_DONE: Final = frozenset({Stage.ANSWERED, Stage.ACCEPTED})


def findings(
    directive: Directive, about: Iterable[str], opening: Opening, policy: Policy, now_us: int, own: str
) -> list[Finding]:
    """What is found now at the node ``own`` about the directive's handlers among ``about``; nothing of one that was withdrawn."""
    content = directive.content
    if content is None or not directive.is_out or directive.stage is Stage.WITHDRAWN:
        return []
    wanted = set(about)
    return [
        one
        for handler in directive.handlers.values()
        if handler.node in wanted
        for one in _of(directive, handler, content, opening, policy, now_us, own)
    ]


def _of(
    directive: Directive,
    handler: Handler,
    content: DirectiveContent,
    opening: Opening,
    policy: Policy,
    now_us: int,
    own: str,
) -> Iterable[Finding]:
    due_us = handler.due_at_us(content)
    answer = handler.answered
    until = answer.at_us if answer is not None and handler.stage in _DONE else now_us
    late = until > due_us
    over = max(1, opening.working_days(due_us, until)) if late else -opening.working_days(until, due_us)
    since = due_us if late else directive.notified_us()
    yield from _reached(DUE, over, since, due_us, directive, handler, content, policy)
    signed = handler.last(wire.DIRECTIVE_KIND_SIGNED)
    notified = directive.notified_us()
    waited = opening.working_days(notified, max(notified, signed.at_us if signed is not None else now_us))
    allowed = policy.limit_days(BY_CODE[UNSIGNED]) or 0
    yield from _reached(UNSIGNED, waited - allowed, notified, 0, directive, handler, content, policy)
    if directive.issuer == own:
        yield from _unreviewed(directive, handler, content, opening, policy, now_us)
    sent_back = handler.numbers(wire.DIRECTIVE_KIND_SENT_BACK)
    if sent_back:
        at_us = handler.steps[wire.DIRECTIVE_KIND_SENT_BACK, sent_back[0]].at_us
        yield from _reached(POOR, len(sent_back), at_us, 0, directive, handler, content, policy)


def _unreviewed(
    directive: Directive,
    handler: Handler,
    content: DirectiveContent,
    opening: Opening,
    policy: Policy,
    now_us: int,
) -> Iterable[Finding]:
    """Of the answer that waited longest."""
    waited = []
    for number in handler.numbers(wire.DIRECTIVE_KIND_ANSWERED):
        answered_us = handler.steps[wire.DIRECTIVE_KIND_ANSWERED, number].at_us
        review = handler.reply(REVIEWS, number)
        until_us = max(answered_us, review.at_us if review is not None else now_us)
        waited.append((opening.working_days(answered_us, until_us), -answered_us))
    if waited:
        days, since = max(waited)
        allowed = policy.limit_days(BY_CODE[UNREVIEWED]) or 0
        yield from _reached(UNREVIEWED, days - allowed, -since, 0, directive, handler, content, policy)


def _reached(
    code: str,
    measure: int,
    since_us: int,
    due_us: int,
    directive: Directive,
    handler: Handler,
    content: DirectiveContent,
    policy: Policy,
) -> Iterable[Finding]:
    rule = BY_CODE[code]
    for threshold in policy.thresholds(rule):
        if measure >= threshold.at_least:
            yield Finding(
                case_id=directive.id,
                subject=f"handler:{handler.node}",
                domain=DOMAIN,
                rule=code,
                rule_version=rule.version,
                level=threshold.level,
                since_us=since_us,
                due_at_us=due_us,
                over=measure,
                # A review is the issuer's to make, no agency's.
                agency=content.agency if handler.node == content.lead and code != UNREVIEWED else "",
                item="",
                actor="",
            )
