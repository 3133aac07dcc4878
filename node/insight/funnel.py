"""Who stands out among comparable ones, with limits that widen as a sample gets smaller (a funnel plot; Spiegelhalter 2005).

Each has counted something in a sample: late cases of completed ones (a *share*: binomial), cards over handled cases (a *rate*: Poisson). All are
held against what is common to them. How surprising a count is, is computed exactly, as a tail of its distribution (mid-p), so three late of
three in a village are not what three hundred of three hundred are.

- **Robust**: what is common is taken without the most extreme ones, a quarter at most, so that one bad member does not make the others look good.
- **Spread**: comparable ones differ by more than chance. The spread of their surprises (median absolute deviation) widens the limits; it never
  narrows them.
- **Many looked at**: limits are set so that, were all alike, anybody at all would be named in one of ten lists (`_ANYBODY`), however many there are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, sqrt
from statistics import NormalDist, median
from typing import Final, Literal

Kind = Literal["share", "rate"]

LEAST_MEMBERS: Final = 4
"""With fewer that have a sample there is nothing to stand out from."""

_ANYBODY: Final = 0.1
_ONE: Final = 0.002
"""The chance of naming one that is like the others: at most this, both sides together (99.8 % limits)."""

_EXACT: Final = 2_000
"""Variance from which on the normal distribution takes the place of the exact one."""

_MAD: Final = 1.4826
"""Median absolute deviation of a normal distribution, as a part of its standard deviation."""

_NORMAL: Final = NormalDist()
_FAR: Final = 40.0


@dataclass(frozen=True, slots=True)
class Member:
    """One of those compared: ``count`` in a sample of ``of``. ``weight`` is what is expected of it where the common rate is 1 (a rate's `of` if 0)."""

    name: str
    count: int
    of: int
    weight: float = 0.0

    @property
    def exposure(self) -> float:
        return self.weight or float(self.of)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one stands."""

    name: str
    count: int
    of: int
    expected: float
    """What is common, in a sample like its own."""
    low: int
    high: int
    """Counts from ``low`` to ``high`` are nothing to speak of in a sample of this size."""
    surprise: float
    """In standard deviations, after the spread was taken out; positive: more than is common."""
    sampled: bool
    """False: its sample is too small to say anything."""
    verdict: Literal["", "high", "low"]


@dataclass(frozen=True, slots=True)
class Funnel:
    """All of them."""

    common: float
    """The share or rate that is common to them."""
    spread: float
    """By what the limits are wider than chance alone would have them; 1: not at all."""
    limit: float
    """Standard deviations beyond which somebody stands out."""
    placed: tuple[Placed, ...]
    """In the order given."""


def funnel(members: Sequence[Member], minimum: int, kind: Kind) -> Funnel | None:
    """Place the members; None: fewer than `LEAST_MEMBERS` have a sample of ``minimum``."""
    sampled = [one for one in members if one.of >= max(1, minimum) and one.exposure > 0]
    if len(sampled) < LEAST_MEMBERS:
        return None
    common = _common(sampled, kind)
    surprises = [surprise(one, common, kind) for one in sampled]
    middle = median(surprises)
    spread = max(1.0, _MAD * median(abs(one - middle) for one in surprises))
    limit = _NORMAL.inv_cdf(1 - min(_ONE, _ANYBODY / len(sampled)) / 2)
    able = {one.name for one in sampled}
    return Funnel(
        common,
        spread,
        limit,
        tuple(_placed(one, common, kind, spread, limit, one.name in able) for one in members),
    )


def surprise(member: Member, common: float, kind: Kind) -> float:
    """How far a count lies from what is common, as the standard deviations of a normal distribution with the same tail (mid-p)."""
    expected = common * member.exposure
    variance = expected * (1 - common) if kind == "share" else expected
    if expected <= 0:
        return 0.0 if member.count == 0 else _FAR
    if kind == "share" and common >= 1:
        return 0.0 if member.count == member.of else -_FAR
    if variance >= _EXACT:
        return (member.count - expected) / sqrt(variance)
    point = _point(member, common, kind)
    if member.count > expected:
        above = _tail(point, member.count + 1, member.of if kind == "share" else inf)
        return min(_FAR, -_NORMAL.inv_cdf(_inside(above + 0.5 * exp(point(member.count)))))
    below = _tail(lambda count: point(member.count - count), 1, member.count)
    return max(-_FAR, _NORMAL.inv_cdf(_inside(below + 0.5 * exp(point(member.count)))))


def _common(sampled: Sequence[Member], kind: Kind) -> float:
    """The pooled share or rate, without the most extreme ones: those beyond three spreads, a quarter of all at most."""
    kept = list(sampled)
    for _ in range(len(sampled) // 4):
        common = _pooled(kept)
        surprises = {one.name: surprise(one, common, kind) for one in kept}
        middle = median(surprises.values())
        spread = max(1.0, _MAD * median(abs(value - middle) for value in surprises.values()))
        farthest = max(kept, key=lambda one: (abs(surprises[one.name]), one.name))
        if abs(surprises[farthest.name]) <= 3 * spread:
            break
        kept.remove(farthest)
    return _pooled(kept)


def _pooled(members: Sequence[Member]) -> float:
    return sum(one.count for one in members) / sum(one.exposure for one in members)


def _placed(member: Member, common: float, kind: Kind, spread: float, limit: float, sampled: bool) -> Placed:
    far = surprise(member, common, kind) / spread if member.of else 0.0
    low, high = _limits(member, common, kind, spread * limit)
    verdict: Literal["", "high", "low"] = ""
    if sampled and abs(far) > limit:
        verdict = "high" if far > 0 else "low"
    return Placed(
        member.name, member.count, member.of, common * member.exposure, low, high, far, sampled, verdict
    )


def _limits(member: Member, common: float, kind: Kind, reach: float) -> tuple[int, int]:
    """The least and the greatest count within ``reach`` of what is common."""
    most = member.of if kind == "share" else int(common * member.exposure + reach * 40 + 100) * 2

    def within(count: int) -> float:
        return surprise(Member(member.name, count, member.of, member.weight), common, kind)

    low = _first(0, most, lambda count: within(count) >= -reach)
    high = _first(low, most, lambda count: within(count) > reach) - 1
    return low, high if within(most) > reach else most


def _first(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """The first number for which something holds that goes on holding; ``high`` where it holds for none before."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _point(member: Member, common: float, kind: Kind) -> Callable[[int], float]:
    """The logarithm of the chance of exactly so many."""
    if kind == "rate":
        expected = common * member.exposure
        return lambda count: count * log(expected) - expected - lgamma(count + 1)
    whole, yes, no = lgamma(member.of + 1), log(common), log(1 - common)
    return lambda count: (
        whole - lgamma(count + 1) - lgamma(member.of - count + 1) + count * yes + (member.of - count) * no
    )


def _tail(point: Callable[[int], float], first: int, last: float) -> float:
    """The sum of the chances from ``first`` on, which only fall from there."""
    total, count = 0.0, first
    while count <= last:
        chance = exp(point(count))
        total += chance
        if chance <= total * 1e-12:
            break
        count += 1
    return total


def _inside(chance: float) -> float:
    return min(max(chance, 1e-300), 1 - 1e-16)
