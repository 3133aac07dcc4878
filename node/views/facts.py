"""What a local rule may be written about, and the rules that are applied here."""

from typing import TYPE_CHECKING

from pydantic import BaseModel

from node.supervision.levels import LEVELS

if TYPE_CHECKING:
    from node.run import Node


class FactView(BaseModel):
    domain: str
    """A domain, or one of its gatherings (`funds.payee_month`)."""
    fact: str
    sense: str
    """instant, day, days, money, count, flag or code."""
    zh: str
    en: str


class RuleView(BaseModel):
    rule: str
    domain: str
    subject: str
    """case, a part of it (step, payment …), or what cases have in common (payee, object …)."""
    name_zh: str
    name_en: str
    legal_basis: str
    thresholds: dict[str, int]
    """Level → the least `over` or number at which it is raised, as the policy in force has it."""
    limit_days: int | None
    """Length of the rule's own clock."""
    applied: bool
    version: int


async def facts(node: "Node", domain: str) -> list[FactView]:
    """Facts of the domains that are supervised here, or of one."""
    context = await node.contexts.of(node.settings.node)
    return [
        FactView(domain=one.stream, fact=name, sense=sense, zh=zh, en=en)
        for one in context.domains
        if not domain or domain in (one.code, one.stream)
        for name, sense, zh, en in one.documented
    ]


async def rules(node: "Node", domain: str) -> list[RuleView]:
    """Rules of the domains that are supervised here, or of one; local ones among them."""
    context = await node.contexts.of(node.settings.node)
    policy = context.context.policy
    return [
        RuleView(
            rule=rule.code,
            domain=rule.domain,
            subject=rule.subject,
            name_zh=rule.words.name_zh,
            name_en=rule.words.name_en,
            legal_basis=rule.legal_basis,
            thresholds={LEVELS[one.level]: one.at_least for one in policy.thresholds(rule)},
            limit_days=policy.limit_days(rule),
            applied=policy.enabled(rule),
            version=rule.version,
        )
        for one in context.domains
        if not domain or one.code == domain
        for rule in one.rules
    ]
