"""How one case goes through the desks: what is entered about it, and which clocks run meanwhile.

A course is laid out in working time from its own first day on (`Moment`), then put on the calendar by `generator`. Beside the events it
keeps the clocks that run and the breaches it makes, so that what a node must find can be counted without asking the node.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from zongheng.v1 import intake_pb2

from node.demo.expected import BREACHES, Breach, Clock
from node.demo.hall import OPEN_MINUTES, Moment
from node.demo.items import Matter, Task
from node.demo.places import Desk, Place


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """A working day of the course, for attributes that hold a day number."""

    day: int


Attribute = int | str | bool | Moment | PlannedDay


@dataclass(frozen=True, slots=True)
class Draft:
    """One event of a course, not yet on the calendar."""

    place: Place
    at: Moment
    kind: str
    agency: str
    actor: str
    item: str
    step: str = ""
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    entered: Moment | None = None
    """When it was entered; None: within minutes."""


class Course:
    """The events of one case, written down in order; the clock on the wall goes forward only."""

    def __init__(self, random: Random, case_id: str, place: Place, matter: Matter) -> None:
        self.random = random
        self.case_id = case_id
        self.place = place
        self.matter = matter
        self.now = Moment(0, random.randint(0, 150))
        self.accepted = self.now
        """When it was accepted; its first moment as long as it is not."""
        self.item = matter.code
        """The item code that its events name."""
        self.drafts: list[Draft] = []
        self.clocks: list[Clock] = []
        self.breaches: list[Breach] = []
        self.applicant: intake_pb2.Person | None = None

    @property
    def desk(self) -> Desk:
        """The desk that has the case now."""
        return self.place.desk(self.matter.kind)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The steps of the stage that the case is at."""
        return self.matter.stages[self.matter.stage_at(self.place)]

    def officer(self, role: str, *others: str) -> str:
        """Somebody who may do a step of this role and is none of the others; the deputy only stands by."""
        staff = {"review": self.desk.reviewers, "approve": self.desk.approvers}.get(role, self.desk.handlers)
        free = [one for one in staff if one not in others] or list(staff)
        return self.random.choice(free)

    def wait(self, days: int) -> None:
        """Let working days pass, or a few minutes where `days` is 0."""
        if days:
            self.now = Moment(self.now.day + days, self.random.randint(0, 150))
        else:
            self.now = Moment(
                self.now.day, min(OPEN_MINUTES - 1, self.now.minute + self.random.randint(3, 25))
            )

    def enter(
        self,
        kind: str,
        actor: str,
        attributes: Mapping[str, Attribute] | None = None,
        *,
        step: str = "",
        texts: Mapping[str, str] | None = None,
        entered: Moment | None = None,
    ) -> Moment:
        """Write an event down as happening now; returns when that is."""
        self.drafts.append(
            Draft(
                self.place,
                self.now,
                kind,
                self.desk.code,
                actor,
                self.item,
                step,
                attributes or {},
                texts or {},
                entered,
            )
        )
        return self.now

    def breach(self, rule: str) -> None:
        """What was just entered breaks this rule."""
        self.breaches.append(Breach(self.place.node, rule, BREACHES[rule], self.now))

    def clock(
        self,
        rule: str,
        start: Moment,
        stop: Moment | None,
        *thresholds: tuple[int, int, int],
        pauses: tuple[tuple[Moment, Moment, int], ...] = (),
    ) -> None:
        """A clock of one stay ran at this place."""
        self.clocks.append(Clock(self.place.node, rule, start, start, stop, thresholds, pauses))

    @property
    def length(self) -> int:
        """Working days from its first event to the last event or entry."""
        return max(max(draft.at.day, draft.entered.day if draft.entered else 0) for draft in self.drafts)
