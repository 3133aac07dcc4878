"""Where alerts concentrate: of each agency, item, place, rule or step its share of them, and its lift against what the base rate gives. Pure.

What is expected of one is what its cases would have brought at the rate that each domain has on the whole (so an agency of penalties is not held
against permits). *Hot* is who has at least `LEAST_LIFT` times as many and lies beyond the limits that a sample of its size allows
(`insight.funnel`): a village with two cards of three cases is no hot spot.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from node.insight.funnel import Member, funnel

LEAST_LIFT: Final = 1.5
MIN_CASES: Final = 20
"""Cases below which nobody is hot."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Alerts and cases of one name in one domain."""

    name: str
    domain: str
    alerts: int
    cases: int


@dataclass(frozen=True, slots=True)
class Base:
    """One name with what is expected of it."""

    name: str
    alerts: int
    cases: int
    expected: float


@dataclass(frozen=True, slots=True)
class Spot:
    """One name."""

    name: str
    alerts: int
    cases: int
    share: float
    """Of all alerts."""
    expected: float
    lift: float | None
    """``alerts`` of ``expected``; None: nothing is expected."""
    sampled: bool
    hot: bool


def by_mix(counted: Iterable[Counted]) -> list[Base]:
    """What is expected of each name: its cases of every domain at the rate of that domain."""
    rows = list(counted)
    alerts, cases = Counter[str](), Counter[str]()
    for one in rows:
        alerts[one.domain] += one.alerts
        cases[one.domain] += one.cases
    expected: dict[str, float] = defaultdict(float)
    held: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for one in rows:
        if cases[one.domain]:
            expected[one.name] += one.cases * alerts[one.domain] / cases[one.domain]
        held[one.name] = held[one.name][0] + one.alerts, held[one.name][1] + one.cases
    return [Base(name, *held[name], expected[name]) for name in sorted(held)]


def spots(bases: Sequence[Base], minimum: int = MIN_CASES) -> list[Spot]:
    """Every name, the hot ones first, then by alerts."""
    total = sum(one.alerts for one in bases)
    members = [Member(one.name, one.alerts, one.cases, one.expected) for one in bases if one.expected > 0]
    placed = funnel(members, minimum, "rate")
    far = {one.name: one for one in placed.placed} if placed is not None else {}
    found = []
    for one in bases:
        lift = one.alerts / one.expected if one.expected > 0 else None
        place = far.get(one.name)
        hot = place is not None and place.verdict == "high" and (lift or 0) >= LEAST_LIFT
        found.append(
            Spot(
                one.name, one.alerts, one.cases, one.alerts / total if total else 0.0, one.expected, lift,
                one.cases >= minimum, hot,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (not one.hot, -one.alerts, one.name))
