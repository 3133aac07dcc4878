"""Which numbers apply at this node, whose they are, and which node below goes by which version.

What is said of nodes below is their own word, as it rose with their cards; the time beside it is when their head was signed.
"""

from typing import TYPE_CHECKING

from pydantic import BaseModel
from zongheng.v1.footing_pb2 import FootingPiece
from zongheng.v1.tree_pb2 import NodeCard

from node import lane_down
from node.alerting import rules as late_steps
from node.alerting.audience import told
from node.people.roles import Role
from node.projection.footing import digest
from node.projection.mandates import DOWN, Line
from node.store.store import Session
from node.supervision import loosening
from node.supervision.policy import Level, Policy, Rule
from node.supervision.terms import NAMES, stricter
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node


class ReceivedView(BaseModel):
    """The newest of one kind from one sender under one address."""

    kind: str
    """policy, item, calendar, library or rule."""
    sender: str
    to: str
    """The node it was addressed to."""
    subtree: bool
    """To everybody below that node too."""
    code: str
    """The item's code, the library's or the rule's name."""
    version: int
    index: int
    """In the sender's journal."""
    received_at: str | None


class RuleView(BaseModel):
    """One rule as it applies here: level → the value from which it is raised."""

    rule: str
    applies: bool
    thresholds: dict[str, int]
    limit_days: int | None
    own: dict[str, int]
    """What this node's own policy names."""
    mandated: dict[str, int]
    """The strictest of what is named above."""


class LevelView(BaseModel):
    """Whether cards of a level wait for a person, and how many working days at most; 0: without end."""

    level: str
    confirm: bool
    confirm_timeout_days: int


class DeadlineView(BaseModel):
    """How long one step of an alert's life may take here."""

    step: str
    """confirm, reply, review, appeal, decide or escalated."""
    days: int
    """Working days."""
    own: int | None
    """What this node's own policy names."""
    mandated: int | None
    """The strictest of what is named above."""


class AudienceView(BaseModel):
    """Who is told of the alerts of a level."""

    level: str
    roles: list[str]


class SentView(BaseModel):
    """The newest of one kind that this node sent down under one address."""

    kind: str
    to: str
    subtree: bool
    code: str
    version: int
    index: int


class BelowView(BaseModel):
    """What one node below goes by."""

    node: str
    tier: str
    name: str
    as_of: str | None
    """When the head was signed that came with this."""
    version: int
    """Of its own policy; 0: unknown."""
    digest: str
    """Equal digests mean equal thresholds, confirmations, calendar and items."""
    ignored: int
    """Settings of its own that would loosen what is mandated, and do not hold."""
    received: list[ReceivedView]
    current: bool | None
    """It has the newest policy that was sent to it from here; null: none was."""
    acknowledged: int | None
    """Of a direct child: it entered all that is for it before this index of this node's journal."""


class PolicyView(BaseModel):
    """The policy of this node and of those below."""

    node: str
    version: int
    """Of this node's own policy."""
    digest: str
    received: list[ReceivedView]
    rules: list[RuleView]
    levels: list[LevelView]
    deadlines: list[DeadlineView]
    audiences: list[AudienceView]
    ignored: list[str]
    """What this node's own policy and items have looser than is mandated above, in words; it does not hold."""
    sent: list[SentView]
    below: list[BelowView]
    lane: str
    """Why nothing more is taken from the parent; empty: the lane down is open."""


async def policy(node: "Node") -> PolicyView:
    """The view, from what is projected so far."""
    await node.projector.settled()
    zone, own = node.settings.zone, node.settings.node
    context = await node.contexts.of(own)
    applied = context.context.policy
    footing = await node.footings.now()
    async with node.store.read() as session:
        sent = await _sent(session, own)
        acknowledged = await lane_down.descended(session)
    return PolicyView(
        node=own,
        version=applied.version,
        digest=digest(context),
        received=[_received(piece, zone) for piece in footing.received],
        rules=[
            _rule(rule, applied)
            for rule in (*(one for domain in context.domains for one in domain.rules), *late_steps.RULES)
        ],
        levels=[
            LevelView(
                level=level.word,
                confirm=(one := applied.confirmation(level)).required,
                confirm_timeout_days=one.timeout_days,
            )
            for level in Level
        ],
        deadlines=[_deadline(name, applied) for name in NAMES],
        audiences=[
            AudienceView(level=level.word, roles=[role for role in Role if role in told(level, applied)])
            for level in Level
        ],
        ignored=[str(one) for one in (*loosening.of_policy(applied), *context.ignored)],
        sent=sent,
        below=[_below(node, card, sent, acknowledged, zone) for card in node.tree.descendants()],
        lane=node.from_above.instruction,
    )


def _rule(rule: Rule, applied: Policy) -> RuleView:
    setting = applied.settings.get(rule.code)
    mandated: dict[str, int] = {}
    for demand in applied.demands(rule.code):
        for level, at_least in demand.named.items():
            mandated[level.word] = min(at_least, mandated.get(level.word, at_least))
    return RuleView(
        rule=rule.code,
        applies=applied.enabled(rule),
        thresholds={one.level.word: one.at_least for one in applied.thresholds(rule)},
        limit_days=applied.limit_days(rule),
        own={} if setting is None else {level.word: value for level, value in setting.named.items()},
        mandated=mandated,
    )


def _deadline(name: str, applied: Policy) -> DeadlineView:
    above = [one.policy.deadlines[name] for one in applied.mandates if name in one.policy.deadlines]
    return DeadlineView(
        step=name.removesuffix("_days"),
        days=getattr(applied.terms, name),
        own=applied.deadlines.get(name),
        mandated=stricter(name, above) if above else None,
    )


def _received(piece: FootingPiece, zone: str) -> ReceivedView:
    return ReceivedView(
        kind=piece.kind,
        sender=piece.sender,
        to=piece.node,
        subtree=piece.subtree,
        code=piece.code,
        version=piece.version,
        index=piece.index,
        received_at=time_text(piece.received_at_us or None, zone),
    )


async def _sent(session: Session, own: str) -> list[SentView]:
    newest: dict[tuple[str, str, bool, str], SentView] = {}
    for kind in ("policy", "item", "calendar", "library", "rule", "sheet"):
        for piece in await session.catalogue.all(own, f"{kind}{DOWN}"):
            line = Line.parse(piece.code)
            newest[kind, line.node, line.subtree, line.code] = SentView(
                kind=kind,
                to=line.node,
                subtree=line.subtree,
                code=line.code,
                version=piece.version,
                index=piece.idx,
            )
    return [newest[key] for key in sorted(newest)]


def _below(
    node: "Node", card: NodeCard, sent: list[SentView], acknowledged: dict[str, int], zone: str
) -> BelowView:
    own = node.settings.node
    held = {
        (piece.node, piece.subtree): piece.index
        for piece in card.footing.received
        if (piece.kind, piece.sender) == ("policy", own)
    }
    wanted = [one for one in sent if one.kind == "policy" and _concerns(node, one, card.node)]
    return BelowView(
        node=card.node,
        tier=card.tier,
        name=card.name,
        as_of=time_text(card.checkpoint_at_us or None, zone),
        version=card.footing.policy_version,
        digest=card.footing.digest,
        ignored=card.footing.ignored,
        received=[_received(piece, zone) for piece in card.footing.received],
        current=all(held.get((one.to, one.subtree)) == one.index for one in wanted) if wanted else None,
        acknowledged=acknowledged.get(card.node) if card.parent == own else None,
    )


def _concerns(node: "Node", sent: SentView, below: str) -> bool:
    """Whether something that was sent is for this node below."""
    if sent.to == below:
        return True
    return sent.subtree and (sent.to == node.settings.node or below in node.tree.subtree(sent.to))
