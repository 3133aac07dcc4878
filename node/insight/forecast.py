"""Which open cases are likely to be late, from how cases of the same item and step went: pure, and tested on the past before it is believed.

What is followed is the part of its limit that a case has used, and the step that it has come to. Of all cases of the item that were open and in the
same step when they had used as much, the share that went beyond the limit is the chance (a landmark, looked at in twentieths of the limit). Too few
came so: the cases of the item are taken, whatever step they were in; still too few: all cases. Those that are still open count for as far as they have
come (the product-limit estimate of Kaplan and Meier), so that slow ones that are not completed yet are not left out. A forecast accuses nobody: no
alert rests on it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

MIN_SAMPLE: Final = 20
"""Cases that came as far: with fewer of the item all items are taken together, and with fewer of these nothing is said."""

_DAY_US: Final = 86_400_000_000
STEP_US: Final = 30 * _DAY_US
"""Between two instants of the test on the past."""

STEPS: Final = 12

LANDMARK: Final = 0.05
"""Parts of the limit at which it is looked which step a case was in."""

FLAGGED: Final = 0.5
"""A chance from which on a case counts as foretold to be late, for the hit rates."""

BINS: Final = 5
"""Into so many parts chances are laid for the calibration."""


@dataclass(frozen=True, slots=True)
class Course:
    """One case with a limit: when it was received, is or was due, and was completed. Microseconds since the epoch; ``due_us`` > ``began_us``."""

    case: str
    item: str
    began_us: int
    due_us: int
    ended_us: int | None
    stages: tuple[tuple[int, str], ...] = ()
    """(since when, step) in the order in which it came to them; empty: nothing is known of steps."""

    def stage(self, at_us: int) -> str:
        """The step that it had come to at an instant; empty: none."""
        place = bisect_right(self.stages, at_us, key=lambda one: one[0])
        return self.stages[place - 1][1] if place else ""

    def used(self, at_us: int) -> float:
        """The part of its limit that has passed at an instant; over 1: it is past it."""
        return (at_us - self.began_us) / (self.due_us - self.began_us)

    def late(self, now_us: int) -> bool | None:
        """Whether it went past its limit; None: that is not known yet."""
        if self.ended_us is not None and self.ended_us <= now_us:
            return self.ended_us > self.due_us
        return True if now_us > self.due_us else None


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance of one open case to be late."""

    course: Course
    chance: float
    sample: int
    """Cases that came as far."""
    of_item: bool
    """False: too few of the item did, so that cases of all items are counted."""
    of_step: bool = False
    """They were in the same step then."""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Bin:
    """Forecasts of about one chance, and what came: calibration."""

    low: float
    high: float
    forecasts: int
    expected: float
    late: int


@dataclass(frozen=True, slots=True)
class Tested:
    """What the same forecast would have said in the past, and what came. A case counts once at each instant at which it was open."""

    forecasts: int
    expected: float
    """The sum of the chances."""
    late: int
    """How many were late."""
    error: float
    """Mean squared difference between chance and what came (Brier score): 0 is perfect."""
    error_of_share: float
    """The same, had everybody been given the share of late cases known at the time."""
    error_without_steps: float
    """The same, had only the items of cases been looked at."""
    flagged: int
    """Forecasts with a chance of at least `FLAGGED`."""
    flagged_late: int
    """How many of those were late."""
    bins: tuple[Bin, ...]


class Survival:
    """How far cases go, as a share of their limit."""

    def __init__(self, courses: Iterable[Course], at_us: int) -> None:
        """Of what was known at ``at_us``."""
        ends: list[tuple[float, int]] = []
        for one in courses:
            done = one.ended_us is not None and one.ended_us <= at_us
            ends.append((one.used(one.ended_us if done and one.ended_us is not None else at_us), not done))
        ends.sort()
        self._reached = [used for used, _ in ends]
        self._at: list[float] = []
        self._left: list[float] = []
        left = 1.0
        for place, (used, is_open) in enumerate(ends):
            if not is_open:
                left *= 1 - 1 / (len(ends) - place)
                self._at.append(used)
                self._left.append(left)

    def sample(self, used: float) -> int:
        """Cases that came as far."""
        return len(self._reached) - bisect_left(self._reached, used)

    def beyond(self, used: float) -> float:
        """The share that goes further."""
        place = bisect_right(self._at, used)
        return self._left[place - 1] if place else 1.0

    def chance(self, used: float) -> float:
        """Of those that come this far, the share that goes past the limit."""
        left = self.beyond(used)
        return self.beyond(1.0) / left if left else 1.0


class _Landmarks:
    """The cases of each item by the step that they were in when so much of their limit was used."""

    def __init__(self, by_item: dict[str, list[Course]], at_us: int) -> None:
        self._by_item = by_item
        self._at_us = at_us
        self._steps: dict[tuple[str, int], dict[str, list[Course]]] = {}
        self._survivals: dict[tuple[str, int, str], Survival] = {}

    def survival(self, item: str, step: str, used: float) -> Survival:
        """How far those go that were in this step."""
        mark = int(used / LANDMARK)
        key = item, mark, step
        if key not in self._survivals:
            if (item, mark) not in self._steps:
                self._steps[item, mark] = self._laid(item, mark * LANDMARK)
            self._survivals[key] = Survival(self._steps[item, mark].get(step, ()), self._at_us)
        return self._survivals[key]

    def _laid(self, item: str, mark: float) -> dict[str, list[Course]]:
        steps: dict[str, list[Course]] = {}
        for one in self._by_item[item]:
            then_us = one.began_us + round(mark * (one.due_us - one.began_us))
            if then_us <= self._at_us and (one.ended_us is None or one.ended_us > then_us):
                steps.setdefault(one.stage(then_us), []).append(one)
        return steps


def forecast(courses: Sequence[Course], at_us: int, *, steps: bool = True) -> list[Chance]:
    """The open cases that are not late yet, the likeliest first; those of which too little is known are left out. ``steps``: look at them."""
    known = [one for one in courses if one.began_us < at_us]
    by_item: dict[str, list[Course]] = {}
    for one in known:
        by_item.setdefault(one.item, []).append(one)
    survivals = {item: Survival(cases, at_us) for item, cases in by_item.items()}
    everything = Survival(known, at_us)
    landmarks = _Landmarks(by_item, at_us)
    found = []
    for one in known:
        if (one.ended_us is not None and one.ended_us <= at_us) or one.due_us <= at_us:
            continue
        used, step = one.used(at_us), one.stage(at_us)
        in_step = landmarks.survival(one.item, step, used) if steps and step else None
        if in_step is not None and in_step.sample(used) >= MIN_SAMPLE:
            found.append(Chance(one, in_step.chance(used), in_step.sample(used), True, True, step))
            continue
        of_item = survivals[one.item].sample(used) >= MIN_SAMPLE
        survival = survivals[one.item] if of_item else everything
        if survival.sample(used) >= MIN_SAMPLE:
            found.append(Chance(one, survival.chance(used), survival.sample(used), of_item, False, step))
    return sorted(found, key=lambda one: (-one.chance, one.course.due_us, one.course.case))


def back_test(courses: Sequence[Course], now_us: int) -> Tested | None:
    """The forecast of every thirty days of the last 360, held against what came; None: there was nothing to forecast."""
    pairs: list[tuple[float, float, float, bool]] = []
    for step in range(1, STEPS + 1):
        at_us = now_us - step * STEP_US
        before = [late for one in courses if (late := one.late(at_us)) is not None and one.began_us < at_us]
        share = sum(before) / len(before) if before else 0.0
        plain = {one.course.case: one.chance for one in forecast(courses, at_us, steps=False)}
        for one in forecast(courses, at_us):
            came = one.course.late(now_us)
            if came is not None:
                pairs.append((one.chance, plain.get(one.course.case, share), share, came))
    if not pairs:
        return None
    flagged = [came for chance, _, _, came in pairs if chance >= FLAGGED]
    return Tested(
        forecasts=len(pairs),
        expected=sum(chance for chance, _, _, _ in pairs),
        late=sum(came for _, _, _, came in pairs),
        error=_brier((chance, came) for chance, _, _, came in pairs),
        error_of_share=_brier((share, came) for _, _, share, came in pairs),
        error_without_steps=_brier((plain, came) for _, plain, _, came in pairs),
        flagged=len(flagged),
        flagged_late=sum(flagged),
        bins=_bins([(chance, came) for chance, _, _, came in pairs]),
    )


def _brier(pairs: Iterable[tuple[float, bool]]) -> float:
    errors = [(chance - came) ** 2 for chance, came in pairs]
    return fsum(errors) / len(errors)


def _bins(pairs: Sequence[tuple[float, bool]]) -> tuple[Bin, ...]:
    """Parts of equal width; those without a forecast are left out."""
    laid: dict[int, list[tuple[float, bool]]] = {}
    for chance, came in pairs:
        laid.setdefault(min(BINS - 1, int(chance * BINS)), []).append((chance, came))
    return tuple(
        Bin(
            at / BINS,
            (at + 1) / BINS,
            len(its),
            sum(chance for chance, _ in its),
            sum(came for _, came in its),
        )
        for at, its in sorted(laid.items())
    )
