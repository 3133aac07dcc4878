"""The way of a case through its desks: the usual one, and every turn it can take from it.

`Turn` says in which respect a case differs from the usual; a turn that does nothing gives a clean case. The clocks that the course keeps
follow DOMAIN §1 and §2: a clock a case, a step, a pause, a pre-acceptance and a desk that a crossing case passes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from node.demo.course import NOTICE, RED, YELLOW, Attribute, Course, PlannedDay
from node.demo.hall import Moment
from node.demo.items import VILLAGE
from node.demo.places import Place, place
from node.supervision.domains.approval import events

CASE: Final = "approval.time.case"
STEP: Final = "approval.time.step"
PAUSE: Final = "approval.time.pause"
PRE_ACCEPTANCE: Final = "approval.time.pre_acceptance"
TIER: Final = "approval.time.tier"
ISSUE: Final = "approval.time.issue"
REPEATED: Final = "approval.correction.repeated"
TOLD_LATE: Final = "approval.correction.late"
REFUSAL_REASON: Final = "approval.refusal.reason"
ORDER: Final = "approval.procedure.order"
SKIPPED: Final = "approval.procedure.skipped"
AUTHORITY: Final = "approval.procedure.authority"
SAME_PERSON: Final = "approval.procedure.same_person"
BEFORE_ACCEPTANCE: Final = "approval.procedure.before_acceptance"
UNLISTED: Final = "approval.procedure.unlisted"
FEE: Final = "approval.fee.unlawful"
PAUSE_BASIS: Final = "approval.pause.basis"
ENTERED_LATE: Final = "approval.entered_late"

BREACHES: Final[Mapping[str, int]] = {
    ORDER: YELLOW,
    SKIPPED: YELLOW,
    AUTHORITY: RED,
    SAME_PERSON: YELLOW,
    BEFORE_ACCEPTANCE: RED,
    UNLISTED: YELLOW,
    FEE: RED,
    REPEATED: YELLOW,
    TOLD_LATE: YELLOW,
    REFUSAL_REASON: YELLOW,
    PAUSE_BASIS: YELLOW,
    ENTERED_LATE: YELLOW,
}
"""Levels of what is not about time, under the policy the nodes begin with."""

PRE_ACCEPTANCE_DAYS: Final = 2
ISSUE_DAYS: Final = 3
TOLD_WITHIN: Final = 5
"""Working days in which what is missing must be told (行政许可法 §32(4))."""


@dataclass(frozen=True, slots=True)
class Break:
    """A special procedure (特别程序) that a case goes through: working days it lasts and was granted."""

    lasts: int
    granted: int
    basis: bool = True
    approver: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """In which respect a case differs from the usual one. Days are working days."""

    online: bool = False
    pre_acceptance_after: int = 0
    corrections: int = 0
    told_after: int = 0
    """Days from the application to the (first) notice of what is missing."""
    refused: bool = False
    reason: bool = True
    use: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Days that each step of a stage takes, by stage; a stage left out is done in the usual time."""
    order: tuple[int, ...] = ()
    """The order in which the steps of the deciding stage are done; a step left out is skipped."""
    actors: Mapping[int, str] = field(default_factory=dict)
    """Who does a step of the deciding stage, where it is not just anybody who may."""
    pause: Break | None = None
    charged: int | None = None
    """分 charged where it is not the standard fee."""
    completed_first: bool = False
    """The completion is dated before the acceptance."""
    collected_after: int | None = None
    entered_after: int = 0
    """Days after which the first step of the deciding stage was entered."""
    returned: bool = False
    """The first desk above sends it back once, and gets it again."""
    running: int | None = None
    """Days since its acceptance by the demo's now, with the case still open; None: it lies anywhere in the period."""
    item: str = ""
    """Code of the item in its events where it is not the catalogue's."""


def walk(course: Course, turn: Turn) -> None:
    """Write the whole course of a case down, from its application to its collection."""
    course.item = turn.item or course.matter.code
    filed = _apply(course, turn)
    if turn.refused:
        _refuse(course, turn)
        return
    course.wait(0)
    course.accepted = course.enter(events.ACCEPTANCE, course.officer("handle"))
    if turn.item:
        course.breach(UNLISTED, BREACHES[UNLISTED])
    journey = _Journey(course, turn, filed)
    stages = _stages(course)
    for number, where in enumerate(stages):
        if number:
            journey.cross(where)
            if turn.returned and number == 1:
                journey.send_back(stages[0])
                journey.cross(where)
        journey.steps(deciding=number == len(stages) - 1)
    journey.finish()


def _stages(course: Course) -> tuple[Place, ...]:
    """The places that the case passes, the one where it was filed first."""
    passed = [course.place]
    if course.matter.rises:
        stages = list(course.matter.stages)
        for _ in stages[stages.index(course.matter.stage_at(course.place)) + 1 :]:
            passed.append(place(passed[-1].parent))
    return tuple(passed)


def _apply(course: Course, turn: Turn) -> Moment:
    village = course.place.tier == VILLAGE
    channel = "online" if turn.online else ("on_behalf" if village else "window")
    filed = course.enter(events.APPLICATION, course.officer("handle"), {"channel": channel})
    if turn.online:
        course.wait(turn.pre_acceptance_after)
        passed = course.enter(events.PRE_ACCEPTANCE, course.officer("handle"), {"outcome": "passed"})
        days = PRE_ACCEPTANCE_DAYS
        course.clock(PRE_ACCEPTANCE, filed, passed, (NOTICE, days, 1), (YELLOW, days, 4), (RED, days, 6))
    for number in range(turn.corrections):
        course.wait(turn.told_after if number == 0 else 1)
        course.enter(
            events.CORRECTION_TOLD,
            course.officer("handle"),
            {"count": course.random.randint(1, 3)},
            texts={"materials": course.random.choice(_MATERIALS)},
        )
        if number == 1:
            course.breach(REPEATED, BREACHES[REPEATED])
        if number == 0 and turn.told_after > TOLD_WITHIN:
            course.breach(TOLD_LATE, BREACHES[TOLD_LATE])
        course.wait(course.random.randint(1, 4))
        complete = number == turn.corrections - 1
        course.enter(events.CORRECTION_RECEIVED, course.officer("handle"), {"complete": complete})
    return filed


def _refuse(course: Course, turn: Turn) -> None:
    course.wait(1)
    texts = {"reason": course.random.choice(_REFUSALS)} if turn.reason else {}
    course.enter(events.REFUSAL, course.officer("handle"), texts=texts)
    if not turn.reason:
        course.breach(REFUSAL_REASON, BREACHES[REFUSAL_REASON])


class _Journey:
    """A case between its acceptance and its completion: who has it, since when, and what the whole has spent."""

    def __init__(self, course: Course, turn: Turn, filed: Moment) -> None:
        self.course = course
        self.turn = turn
        self.filed = filed
        self.accepted = self.arrived = course.accepted
        self.hand_over = 0
        self.pauses: tuple[tuple[Moment, Moment, int], ...] = ()

    def cross(self, to: Place) -> None:
        """The case is handed over to the desk above, which signs for it at once or a day later."""
        course = self.course
        course.wait(0)
        self.hand_over += 1
        carried = {**self._carried(), **self._limits()}
        course.enter(events.HANDED_OVER, course.officer("handle"), {"to_node": to.node, **carried})
        self._leave()
        course.place = to
        course.wait(course.random.choice((0, 0, 0, 1)))
        self.arrived = course.enter(events.SIGNED_FOR, course.officer("handle"), carried)

    def send_back(self, to: Place) -> None:
        """The desk above returns it for what is missing; the desk below signs for it and puts it right."""
        course = self.course
        course.wait(0)
        self.hand_over += 1
        reason = {"reason": course.random.choice(_RETURNS)}
        sent = {"to_node": to.node, **self._carried()}
        course.enter(events.RETURNED, course.officer("handle"), sent, texts=reason)
        carried = {**self._carried(), **self._limits()}
        self._leave()
        course.place = to
        course.wait(0)
        self.arrived = course.enter(events.SIGNED_FOR, course.officer("handle"), carried)

    def steps(self, *, deciding: bool) -> None:
        """The desk does its steps, in the usual time and order unless the turn says otherwise."""
        course, turn = self.course, self.turn
        tasks = course.tasks
        usual = tuple(range(len(tasks)))
        order = turn.order or usual if deciding else usual
        use = turn.use.get(course.matter.stage_at(course.place)) or tuple(0 for _ in tasks)
        begun, previous = self.arrived, ""
        for index in order:
            task = tasks[index]
            if turn.pause is not None and deciding and index == order[-1]:
                self._pause(turn.pause)
            course.wait(use[index])
            actor = turn.actors.get(index, "") if deciding else ""
            actor = actor or course.officer(task.role, previous)
            late_entry = turn.entered_after if deciding and index == 0 else 0
            done = course.enter(
                events.STEP,
                actor,
                {"outcome": "passed"},
                step=task.code,
                texts={"opinion": course.random.choice(_OPINIONS)},
                entered=Moment(course.now.day + late_entry, course.now.minute) if late_entry else None,
            )
            self._procedure(index, actor, late_entry, deciding=deciding)
            if task.days is not None and not turn.item:
                course.clock(STEP, begun, done, (YELLOW, task.days, 1), pauses=self.pauses)
            begun, previous = done, actor

    def _procedure(self, index: int, actor: str, late_entry: int, *, deciding: bool) -> None:
        """What the step just entered breaks."""
        course, turn = self.course, self.turn
        if not deciding or turn.item:
            return
        task = course.tasks[index]
        if actor not in course.desk.authorised(task.role):
            course.breach(AUTHORITY, BREACHES[AUTHORITY])
        if turn.order and index and index - 1 not in turn.order[: turn.order.index(index)]:
            course.breach(ORDER, BREACHES[ORDER])
        if late_entry:
            course.breach(ENTERED_LATE, BREACHES[ENTERED_LATE])

    def finish(self) -> None:
        """The decision is issued, the fee paid and the certificate collected."""
        course, turn, matter = self.course, self.turn, self.course.matter
        fee = matter.fee_fen if turn.charged is None else turn.charged
        if fee:
            course.wait(0)
            course.enter(events.FEE, course.officer("handle"), {"amount": fee, "basis": matter.fee_basis})
            if fee != (matter.fee_fen or 0):
                course.breach(FEE, BREACHES[FEE])
        course.wait(0)
        if turn.completed_first:
            course.now = Moment(self.accepted.day, max(0, self.accepted.minute - 1))
        completed = course.enter(events.COMPLETION, course.officer("approve"), {"result": "issued"})
        self._outcome()
        self._case_clock(completed)
        self._leave()
        if turn.collected_after is not None:
            course.wait(turn.collected_after)
            course.enter(events.COLLECTION, course.officer("handle"), {"channel": "window"})

    def _outcome(self) -> None:
        """What the completion just entered shows about the whole."""
        course, turn = self.course, self.turn
        if turn.completed_first:
            course.breach(BEFORE_ACCEPTANCE, BREACHES[BEFORE_ACCEPTANCE])
        if turn.order and len(turn.order) < len(course.tasks):
            course.breach(SKIPPED, BREACHES[SKIPPED])
        if turn.actors.get(0) is not None and turn.actors.get(0) == turn.actors.get(len(course.tasks) - 1):
            course.breach(SAME_PERSON, BREACHES[SAME_PERSON])

    def _pause(self, special: Break) -> None:
        course, matter = self.course, self.course.matter
        course.wait(0)
        attributes: dict[str, Attribute] = {
            "pause": 1,
            "kind": matter.pause_kind,
            "granted_days": special.granted,
            "planned_end_day": PlannedDay(course.now.day + special.granted),
        }
        if special.basis:
            attributes["legal_basis"] = matter.pause_basis
        if special.approver:
            attributes["approver"] = course.desk.approvers[0]
        notice = {"notice": "特别程序所需时间告知书"}
        begin = course.enter(events.PAUSE, course.officer("handle"), attributes, texts=notice)
        if not (special.basis and special.approver):
            course.breach(PAUSE_BASIS, BREACHES[PAUSE_BASIS])
        course.wait(special.lasts)
        end = course.enter(events.RESUME, course.officer("handle"), {"pause": 1, "outcome": "done"})
        days = special.granted
        course.clock(PAUSE, begin, end, (NOTICE, days, -2), (YELLOW, days, 1), (RED, days, 2))
        self.pauses = ((begin, end, days),)

    def _case_clock(self, completed: Moment) -> None:
        matter = self.course.matter
        self.course.clock(
            CASE,
            self.accepted,
            completed,
            (NOTICE, matter.promised, -2),
            (YELLOW, matter.promised, 1),
            (RED, matter.statutory, 1),
            pauses=self.pauses,
        )

    def _leave(self) -> None:
        """The case leaves the desk that has it: the days it spent there are that desk's."""
        matter = self.course.matter
        days = dict(zip(matter.stages, matter.desk_days, strict=False)).get(
            matter.stage_at(self.course.place)
        )
        if days is not None:
            self.course.clock(TIER, self.arrived, self.course.now, (RED, days, 1), pauses=self.pauses)

    def _carried(self) -> dict[str, Attribute]:
        return {
            "filed_at": self.filed,
            "accepted_at": self.accepted,
            "from_node": self.course.place.node,
            "hand_over": self.hand_over,
        }

    def _limits(self) -> dict[str, Attribute]:
        matter = self.course.matter
        return {
            "statutory_days": matter.statutory,
            "statutory_unit": "natural" if matter.natural else "working",
            "promised_days": matter.promised,
            "promised_unit": "working",
        }


_MATERIALS: Final = ("身份证明复印件", "权属证明", "申请表签字页", "平面布局图", "银行账户信息")
_REFUSALS: Final = ("不属于本机关职权范围", "申请人不具备申请资格", "依法不需要取得许可")
_RETURNS: Final = ("缺入户调查表", "公示材料不全", "家庭成员信息与系统不一致")
_OPINIONS: Final = ("材料齐全，拟同意", "符合条件", "经核查属实", "同意")
