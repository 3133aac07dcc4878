"""Which domains a node supervises: those of its tier's profile. What is of another would be kept and never looked at, so every door refuses it."""

from collections.abc import Collection
from functools import cache

from federation.errors import ZonghengError
from tiers.profile import profile_of
from tiers.tier import tier_named


@cache
def supervised_by(tier: str) -> frozenset[str]:
    """The domains of a tier."""
    return frozenset(profile_of(tier_named(tier)).domains)


def refusal(domain: str, supervised: Collection[str]) -> str:
    """Why what is of ``domain`` is refused, and what to do."""
    return f"this node does not supervise {domain!r}, it supervises {', '.join(sorted(supervised))}: hand it in at a node that does"


def must_supervise(tier: str, domain: str) -> None:
    """Raises ZonghengError ``not_supervised`` where a node of this tier does not look at the domain."""
    supervised = supervised_by(tier)
    if domain not in supervised:
        raise ZonghengError("not_supervised", refusal(domain, supervised))
