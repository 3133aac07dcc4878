"""The five tiers and who may be whose parent.

The tree as it really is skips tiers (a city without counties, a development zone straight under a province), so the
only rule is rank: a parent is any node of a higher tier. A node that an agency runs for itself hangs below the node of
its own tier; it is a kind of node, not a tier, and `may_parent` is not asked about it.
"""

from enum import StrEnum


class UnknownTier(ValueError):
    """There is no such tier."""

    def __init__(self, name: str) -> None:
        valid = ", ".join(f"{tier} ({tier.zh})" for tier in Tier)
        super().__init__(f"there is no tier {name!r}; the tiers are {valid}")
        self.name = name


class Tier(StrEnum):
    """A tier (层级). Ordered by rank, not by name: ``VILLAGE.rank < TOWN.rank < … < PROVINCE.rank``."""

    VILLAGE = "village"
    TOWN = "town"
    COUNTY = "county"
    CITY = "city"
    PROVINCE = "province"

    @property
    def rank(self) -> int:
        """1 for a village up to 5 for a province."""
        return _RANKS[self]

    @property
    def zh(self) -> str:
        """The tier's Chinese name, as written in a division's own name."""
        return _CHINESE[self]

    @property
    def level_code(self) -> int:
        """The level in supervision records exchanged under GB/T 39046—2020: 2 province … 6 village (1 is the state)."""
        return 7 - self.rank


_RANKS = {tier: rank for rank, tier in enumerate(Tier, start=1)}
_CHINESE = dict(zip(Tier, ("村", "镇", "县", "市", "省"), strict=True))


def tier_named(name: str) -> Tier:
    """The tier of that code or Chinese name; surrounding space and case do not matter.

    Raises UnknownTier, whose message lists the valid ones.
    """
    wanted = name.strip().lower()
    for tier in Tier:
        if wanted in (tier.value, tier.zh):
            return tier
    raise UnknownTier(name)


def may_parent(parent: Tier, child: Tier) -> bool:
    """Whether a node of the one tier may have a child of the other: any higher tier may, however many lie between."""
    return parent.rank > child.rank


def skipped(parent: Tier, child: Tier) -> tuple[Tier, ...]:
    """The tiers that lie between the two, lowest first; empty where the child is directly below, or is not below."""
    return tuple(tier for tier in Tier if child.rank < tier.rank < parent.rank)
