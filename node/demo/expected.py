"""What must be found in a case: the clocks that run for it and the breaches it makes, by the numbers of DOMAIN §2.

This is the other side of the demo's account. It repeats no code of the node: a clock here is a subtraction of working days between
moments that the demo laid out itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zongheng.v1 import catalogue_pb2

from node.demo.hall import Moment

NOTICE: Final = int(catalogue_pb2.LEVEL_NOTICE)
YELLOW: Final = int(catalogue_pb2.LEVEL_YELLOW)
RED: Final = int(catalogue_pb2.LEVEL_RED)

CASE: Final = "approval.time.case"
STEP: Final = "approval.time.step"
PAUSE: Final = "approval.time.pause"
PRE_ACCEPTANCE: Final = "approval.time.pre_acceptance"
TIER: Final = "approval.time.tier"
ISSUE: Final = "approval.time.issue"
SHARE: Final = "approval.time.share"
URGE: Final = "approval.time.urge"
URGED_AGAIN: Final = "approval.urge.repeated"
EXTENSION: Final = "approval.extension.long"
LISTED_LIMIT: Final = "approval.listing.limit"
LISTED_PROMISE: Final = "approval.listing.promise"
LISTED_FEE: Final = "approval.listing.fee"
LISTED_PROCEDURE: Final = "approval.listing.procedure"
ORDER: Final = "approval.procedure.order"
SKIPPED: Final = "approval.procedure.skipped"
AUTHORITY: Final = "approval.procedure.authority"
SAME_PERSON: Final = "approval.procedure.same_person"
BEFORE_ACCEPTANCE: Final = "approval.procedure.before_acceptance"
UNLISTED: Final = "approval.procedure.unlisted"
FEE: Final = "approval.fee.unlawful"
REPEATED: Final = "approval.correction.repeated"
TOLD_LATE: Final = "approval.correction.late"
REFUSAL_REASON: Final = "approval.refusal.reason"
PAUSE_BASIS: Final = "approval.pause.basis"
ENTERED_LATE: Final = "approval.entered_late"

BREACHES: Final[Mapping[str, int]] = {
    ORDER: YELLOW,
    SKIPPED: YELLOW,
    AUTHORITY: RED,
    SAME_PERSON: YELLOW,
    BEFORE_ACCEPTANCE: YELLOW,
    UNLISTED: YELLOW,
    FEE: RED,
    REPEATED: YELLOW,
    REFUSAL_REASON: YELLOW,
    PAUSE_BASIS: YELLOW,
    URGED_AGAIN: YELLOW,
    LISTED_LIMIT: YELLOW,
    LISTED_PROMISE: YELLOW,
    LISTED_FEE: YELLOW,
    LISTED_PROCEDURE: YELLOW,
    EXTENSION: YELLOW,
}
"""Level of what is not about time, under the policy that nodes begin with."""

PRE_ACCEPTANCE_DAYS: Final = 2
ISSUE_DAYS: Final = 3
SHARE_DAYS: Final = 2
URGE_DAYS: Final = 2
ENTERED_WITHIN: Final = 1
TOLD_WITHIN: Final = 5
"""Working days in which missing materials must be told; else the case counts as accepted (行政许可法 §32(4))."""

Thresholds = tuple[tuple[int, int, int], ...]
"""(level, limit in working days, the least `over` that reaches the level)."""


@dataclass(frozen=True, slots=True)
class Absence:
    """The case was handed over to another node, and came `back` (None: it did not)."""

    left: Moment
    back: Moment | None


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock at a node, from `start` to `stop` (None: it has none).

    It stands still at the last leaving for as long as the case is away. Days of `pauses` (begin, end, granted) are taken out, each up
    to what was granted; days of `absences` only where `away_is_free`.
    """

    node: str
    rule: str
    known: Moment
    """When the node learns of it."""
    start: Moment
    stop: Moment | None
    thresholds: Thresholds
    pauses: tuple[tuple[Moment, Moment, int], ...] = ()
    absences: tuple[Absence, ...] = ()
    away_is_free: bool = False

    def levels(self, today: int) -> tuple[int, ...]:
        """The levels it has reached by working day `today`, of which nothing has happened yet."""
        if self.known.day >= today:
            return ()
        stop = self._stop(today)
        used = stop - self.start.day
        for begin, end, granted in self.pauses:
            used -= max(0, min(min(end.day, stop) - begin.day, granted))
        if self.away_is_free:
            for one in self.absences:
                if one.back is not None and one.back.day < today:
                    used -= one.back.day - one.left.day
        return tuple(level for level, limit, least in self.thresholds if used - limit >= least)

    def _stop(self, today: int) -> int:
        if self.stop is not None and self.stop.day < today:
            return self.stop.day
        for one in self.absences:
            if one.left.day < today and (one.back is None or one.back.day >= today):
                return one.left.day
        return today


@dataclass(frozen=True, slots=True)
class Breach:
    """Something done wrongly: the rule finds it as soon as the event of `at` is there."""

    node: str
    rule: str
    level: int
    at: Moment
