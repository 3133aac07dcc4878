"""Division codes (行政区划代码): which tier a code is made for, and which divisions lie inside which.

A statutory code tells its own place in the tree: province, city and county have six digits (GB/T 2260), a town nine
(GB/T 10114), a village twelve (the statistical division code). A development zone may have no statutory code, and a
city without counties has towns of its own, so a code that does not fit is a warning to the operator and never a
refusal; only a code that could not be a node's name is refused. A node's id *is* its division code: the same division
is written in one way only.

Codes that start with 99 are assigned to nobody; demonstrations and tests use them.
"""

import re
from dataclasses import dataclass

from tiers.tier import Tier, may_parent, skipped

_NODE_NAME = re.compile(r"[0-9A-Z]{2,24}")
_STATUTORY = re.compile(r"\d{6}(\d{3}){0,2}")


class MalformedDivision(ValueError):
    """The text cannot be a division code, and so not a node's id."""


class UnfitParent(ValueError):
    """The parent's tier is not higher than the child's, or the two are the same division."""


@dataclass(frozen=True, slots=True)
class Division:
    """One division's code, in the one way it is written."""

    code: str

    def __post_init__(self) -> None:
        if not _NODE_NAME.fullmatch(self.code):
            raise MalformedDivision(
                f"{self.code!r} is not a division code: write 6 digits for a province, city or county, 9 for a town, "
                f"12 for a village, or 2 to 24 digits and capital letters for a zone without a statutory code"
            )
        if (short := _shortened(self.code)) != self.code:
            raise MalformedDivision(f"division code {self.code} is {short} written long: write {short}")

    @property
    def node_id(self) -> str:
        """The id of the division's own node."""
        return self.code

    @property
    def tier(self) -> Tier | None:
        """The tier that the code's own form says; None for a code that is not statutory."""
        if not _STATUTORY.fullmatch(self.code):
            return None
        if len(self.code) == 12:
            return Tier.VILLAGE
        if len(self.code) == 9:
            return Tier.TOWN
        if self.code.endswith("0000"):
            return Tier.PROVINCE
        return Tier.CITY if self.code.endswith("00") else Tier.COUNTY

    @property
    def made_up(self) -> bool:
        """Whether the code is one that nobody is assigned (it starts with 99)."""
        return self.code.startswith("99")

    def contains(self, other: "Division") -> bool | None:
        """Whether the other division lies strictly inside this one; None where one of the codes does not tell."""
        if self.tier is None or other.tier is None:
            return None
        return self != other and other.code.startswith(_stem(self.code))


def _stem(code: str) -> str:
    """What the codes of all divisions inside a statutory one start with."""
    if len(code) > 6:
        return code
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


def _shortened(code: str) -> str:
    """A statutory code without the groups of zeros that only fill it up to a longer form."""
    if _STATUTORY.fullmatch(code):
        while len(code) > 6 and code.endswith("000"):
            code = code[:-3]
    return code


def doubts(division: Division, tier: Tier) -> tuple[str, ...]:
    """What an operator should be told before a node of this tier takes this code; empty where the two fit."""
    if division.tier is None:
        return (
            f"{division.code} is not a statutory division code: whether it lies inside its parent cannot be seen",
        )
    if division.tier is not tier:
        return (f"{division.code} has the form of a {division.tier}'s code, not of a {tier}'s",)
    return ()


def doubts_about_parent(
    division: Division, tier: Tier, parent: Division, parent_tier: Tier
) -> tuple[str, ...]:
    """What should be said about a parent: tiers skipped, a code that lies elsewhere.

    Raises UnfitParent where the parent's tier is not higher than the child's.
    """
    if not may_parent(parent_tier, tier):
        raise UnfitParent(
            f"{parent.code}, a {parent_tier}, cannot be the parent of {division.code}, a {tier}: "
            f"a parent is of a higher tier"
        )
    if division == parent:
        raise UnfitParent(f"{division.code} cannot be its own parent")
    said = []
    if between := skipped(parent_tier, tier):
        said.append(f"no {' and no '.join(between)} between {division.code} and its parent {parent.code}")
    if parent.contains(division) is False:
        said.append(f"by its code, {division.code} does not lie inside {parent.code}")
    return tuple(said)
