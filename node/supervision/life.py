"""The steps of an alert's life (DOMAIN §2): which may be taken when, what is owed next, by whom and by when. Pure.

The journal is the truth: `Life` is a fold of what happened to one alert. `check` says whether a person may take a step now; `owed` says what
somebody has to do next. Days are working days of the node's calendar; what is due ends at 23:59:59.999999 of the last day in the node's zone
(民法典 §201, §203). How many days there are is policy (`terms`), as it was in force when the entry was written that began the step.

An agency is owed nothing for a notice: it warns before anything went wrong. An alert is appealed once: what was upheld stays upheld.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from zongheng.v1 import entry_pb2

from node.supervision.alert import INACTIVE, MoveRefused, check_move
from node.supervision.calendar import EPOCH_ORDINAL, FIRST_DAY, Calendar
from node.supervision.policy import Level
from node.supervision.terms import InForce, Terms
from node.wallclock import instant, micros

PENDING: Final = int(entry_pb2.ALERT_STATE_PENDING)
ISSUED: Final = int(entry_pb2.ALERT_STATE_ISSUED)
EXPLAINED: Final = int(entry_pb2.ALERT_STATE_EXPLAINED)
RECTIFIED: Final = int(entry_pb2.ALERT_STATE_RECTIFIED)
APPEALED: Final = int(entry_pb2.ALERT_STATE_APPEALED)
CANCELLED: Final = int(entry_pb2.ALERT_STATE_CANCELLED)
UPHELD: Final = int(entry_pb2.ALERT_STATE_UPHELD)
ESCALATED: Final = int(entry_pb2.ALERT_STATE_ESCALATED)
URGED: Final = int(entry_pb2.ALERT_STATE_URGED)
CLOSED: Final = int(entry_pb2.ALERT_STATE_CLOSED)
CORRECTED: Final = int(entry_pb2.ALERT_STATE_CORRECTED)


class Step(StrEnum):
    """What a person does about an alert."""

    ISSUE = "issue"
    CANCEL = "cancel"
    EXPLAIN = "explain"
    RECTIFY = "rectify"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    ESCALATE = "escalate"
    URGE = "urge"
    CLOSE = "close"


LEADS_TO: Final = {
    Step.ISSUE: ISSUED,
    Step.CANCEL: CANCELLED,
    Step.EXPLAIN: EXPLAINED,
    Step.RECTIFY: RECTIFIED,
    Step.APPEAL: APPEALED,
    Step.UPHOLD: UPHELD,
    Step.ESCALATE: ESCALATED,
    Step.URGE: URGED,
    Step.CLOSE: CLOSED,
}

ANSWERS: Final = frozenset({Step.EXPLAIN, Step.RECTIFY, Step.APPEAL})
"""Steps of the agency concerned; all others are of who supervises it."""


class Layer(StrEnum):
    """Who owes a step."""

    AGENCY = "agency"
    BUREAU = "bureau"
    PARENT = "parent"


class Duty(StrEnum):
    """What is owed."""

    CONFIRMATION = "confirmation"
    REPLY = "reply"
    REVIEW = "review"
    APPEAL_DECISION = "appeal_decision"
    ESCALATED_DECISION = "escalated_decision"


DUTIES: Final = {
    PENDING: (Duty.CONFIRMATION, Layer.BUREAU),
    ISSUED: (Duty.REPLY, Layer.AGENCY),
    URGED: (Duty.REPLY, Layer.AGENCY),
    UPHELD: (Duty.REPLY, Layer.AGENCY),
    EXPLAINED: (Duty.REVIEW, Layer.BUREAU),
    RECTIFIED: (Duty.REVIEW, Layer.BUREAU),
    APPEALED: (Duty.APPEAL_DECISION, Layer.BUREAU),
    ESCALATED: (Duty.ESCALATED_DECISION, Layer.PARENT),
}
"""State → what is owed in it, and by whom."""


@dataclass(frozen=True, slots=True)
class Days:
    """A calendar in a zone."""

    calendar: Calendar
    zone: ZoneInfo

    def due_us(self, from_us: int, days: int) -> int:
        """The last microsecond of the Nth working day after the local day of an instant."""
        start = instant(from_us).astimezone(self.zone).date()
        tables = self.calendar.tables
        nth = tables.working_through[start.toordinal() - EPOCH_ORDINAL - FIRST_DAY] + days
        last = date.fromordinal(tables.working_days[min(nth, len(tables.working_days) - 1)] + EPOCH_ORDINAL)
        next_day = datetime.combine(last + timedelta(days=1), time.min, self.zone)
        return micros(next_day) - 1

    def working_days(self, from_us: int, to_us: int) -> int:
        """Working days after the local day of the first instant, up to and including that of the second."""
        through = self.calendar.working_days_through
        first, last = (instant(one).astimezone(self.zone).date() for one in (from_us, to_us))
        return through(last) - through(first)

    def over(self, due_us: int, at_us: int) -> int:
        """Working days past the day that was due; 0 while it is in time, at least 1 when it is late."""
        if at_us <= due_us:
            return 0
        return max(1, self.working_days(due_us, at_us))


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken, as the journal has it."""

    at_us: int
    state: int
    """AlertState number that it led to."""
    by: str = ""
    node: str = ""
    """The node that decided; empty: the alert's own."""
    index: int = 0
    """The entry that says so."""


@dataclass(frozen=True, slots=True)
class Life:
    """What has become of an alert so far."""

    level: int
    state: int
    since_us: int
    """When it came into this state."""
    issued_at_us: int = 0
    """0: not issued yet."""
    since_index: int = 0
    """The entry by which it came into this state."""
    issued_index: int = 0
    appealed_by: str = ""
    appealed: bool = False

    @property
    def active(self) -> bool:
        """Whether it still counts."""
        return self.state not in INACTIVE

    def after(self, taken: Taken) -> "Life":
        """The life with one more step. What the journal says is taken as it is."""
        life = replace(self, state=taken.state, since_us=taken.at_us, since_index=taken.index)
        if taken.state == ISSUED and not life.issued_at_us:
            life = replace(life, issued_at_us=taken.at_us, issued_index=taken.index)
        if taken.state == APPEALED:
            life = replace(life, appealed=True, appealed_by=taken.by)
        return life


def lived(
    level: int, state: int, raised_at_us: int, steps: Iterable[Taken] = (), raised_index: int = 0
) -> Life:
    """The life of an alert that was raised in ``state``, by the entry ``raised_index``, and went through ``steps`` in their order."""
    issued = (raised_at_us, raised_index) if state == ISSUED else (0, 0)
    life = Life(level, state, raised_at_us, issued[0], raised_index, issued[1])
    for taken in steps:
        life = life.after(taken)
    return life


def check(life: Life, step: Step, *, by: str, reason: str, now_us: int, terms: InForce, days: Days) -> None:
    """Raise `MoveRefused`, saying why, unless ``by`` may take this step now."""
    check_move(life.state, LEADS_TO[step], reason)
    if not by.strip():
        raise MoveRefused("say who takes this step: a staff number")
    if step is Step.APPEAL:
        if life.appealed:
            raise MoveRefused("it was appealed already, and decided")
        due_us = appeal_until_us(life, terms, days)
        if now_us > due_us:
            last = instant(due_us).astimezone(days.zone).date()
            raise MoveRefused(f"the time for an appeal ended on {last}")
    if life.state == ESCALATED:
        raise MoveRefused("it was escalated: the node above decides")
    if life.state == APPEALED and by == life.appealed_by:
        raise MoveRefused("who appealed does not decide")


def appeal_until_us(life: Life, terms: InForce, days: Days) -> int:
    """Until when an alert that was issued can be appealed."""
    return days.due_us(life.issued_at_us, terms.at(life.issued_index).appeal_days)


@dataclass(frozen=True, slots=True)
class Owed:
    """What somebody has to do."""

    duty: Duty
    layer: Layer
    from_us: int
    due_us: int
    terms: Terms
    """By which it is due: they name the policy."""


_LENGTHS: Final = {
    Duty.REPLY: "reply_days",
    Duty.REVIEW: "review_days",
    Duty.APPEAL_DECISION: "decide_days",
    Duty.ESCALATED_DECISION: "escalated_days",
}


def owed(life: Life, terms: InForce, days: Days) -> Owed | None:
    """What is owed now; None: nothing, it is settled or asks for nothing."""
    if life.state not in DUTIES or (life.level <= Level.NOTICE and life.state != APPEALED):
        return None
    duty, layer = DUTIES[life.state]
    held = terms.above(life.since_us) if layer is Layer.PARENT else terms.at(life.since_index)
    length = held.confirmation(life.level) if duty is Duty.CONFIRMATION else getattr(held, _LENGTHS[duty])
    return Owed(duty, layer, life.since_us, days.due_us(life.since_us, length), held)


@dataclass(frozen=True, slots=True)
class Done:
    """A duty that was done, or is still owed."""

    owed: Owed
    done_us: int
    """0: still owed."""
    by: str = ""
    """Who did it; empty: nobody, it was done by itself, or is still owed."""


def measured(
    level: int,
    state: int,
    raised_at_us: int,
    steps: Iterable[Taken],
    terms: InForce,
    days: Days,
    raised_index: int = 0,
) -> list[Done]:
    """Every duty of an alert's life, in order, with when it was done. A correction ends a duty without anybody having done it."""
    life = lived(level, state, raised_at_us, (), raised_index)
    found: list[Done] = []
    for taken in steps:
        due = owed(life, terms, days)
        if due is not None and taken.state != CORRECTED:
            found.append(Done(due, taken.at_us, taken.by))
        life = life.after(taken)
    last = owed(life, terms, days) if life.active else None
    if last is not None:
        found.append(Done(last, 0))
    return found
