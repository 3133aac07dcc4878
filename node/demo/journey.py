"""A case between its acceptance and its completion: from desk to desk, step by step, with the clocks it leaves at each."""

from dataclasses import dataclass, field
from typing import Final

from node.demo.course import Attribute, Course, PlannedDay
from node.demo.expected import (
    AUTHORITY,
    BEFORE_ACCEPTANCE,
    CASE,
    ENTERED_LATE,
    ENTERED_WITHIN,
    EXTENSION,
    FEE,
    ISSUE,
    ISSUE_DAYS,
    NOTICE,
    ORDER,
    PAUSE,
    PAUSE_BASIS,
    RED,
    SAME_PERSON,
    SHARE,
    SHARE_DAYS,
    SKIPPED,
    STEP,
    TIER,
    URGE,
    URGE_DAYS,
    URGED_AGAIN,
    YELLOW,
    Absence,
    Clock,
)
from node.demo.hall import Moment
from node.demo.places import Place
from node.demo.turn import Break, Turn
from node.supervision.domains.approval import events

_RETURNS: Final = ("缺入户调查表", "公示材料不全", "家庭成员信息与系统不一致")
_OPINIONS: Final = ("材料齐全，拟同意", "符合条件", "经核查属实", "同意")


@dataclass
class _Stay:
    """The times that a case was at one desk."""

    place: Place
    start: Moment
    """Where the desk's own clock starts."""
    first: Moment
    arrived: list[Moment] = field(default_factory=list)
    left: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.arrived.append(self.first)

    def absences(self) -> tuple[Absence, ...]:
        """Each leaving with the coming back that followed."""
        back = [*self.arrived[1:], *([None] * len(self.left))]
        return tuple(Absence(left, back[number]) for number, left in enumerate(self.left))


class Journey:
    """A case between its acceptance and its completion: who has it, since when, and what the whole has spent."""

    def __init__(self, course: Course, turn: Turn, filed: Moment, accepted: Moment, began: Moment) -> None:
        self.course = course
        self.turn = turn
        self.filed = filed
        self.accepted = accepted
        self.began = began
        """Where the clocks of the whole start."""
        self.hand_over = 0
        self.pauses: tuple[tuple[Moment, Moment, int], ...] = ()
        self.stays: dict[str, _Stay] = {course.place.node: _Stay(course.place, began, accepted)}

    @property
    def stay(self) -> "_Stay":
        """The stay at the desk that has the case now."""
        return self.stays[self.course.place.node]

    def cross(self, to: Place) -> None:
        """The case is handed over to the desk above, which signs for it at once or a day later."""
        course = self.course
        course.wait(0)
        self.hand_over += 1
        carried = {**self._carried(), **self._limits()}
        course.enter(events.HANDED_OVER, course.officer("handle"), {"to_node": to.node, **carried})
        self.stay.left.append(course.now)
        course.place = to
        course.wait(course.random.choice((0, 0, 0, 1)))
        self._arrive(course.enter(events.SIGNED_FOR, course.officer("handle"), carried))

    def send_back(self, to: Place) -> None:
        """The desk above returns it for what is missing; the desk below signs for it and puts it right."""
        course = self.course
        course.wait(0)
        self.hand_over += 1
        reason = {"reason": course.random.choice(_RETURNS)}
        sent = {"to_node": to.node, **self._carried()}
        course.enter(events.RETURNED, course.officer("handle"), sent, texts=reason)
        carried = {**self._carried(), **self._limits()}
        self.stay.left.append(course.now)
        course.place = to
        course.wait(0)
        self._arrive(course.enter(events.SIGNED_FOR, course.officer("handle"), carried))

    def steps(self, *, deciding: bool) -> None:
        """The desk does its steps, in the usual time and order unless the turn says otherwise."""
        course, turn = self.course, self.turn
        tasks = course.tasks
        usual = tuple(range(len(tasks)))
        order = turn.order or usual if deciding else usual
        use = turn.use.get(course.matter.stage_at(course.place)) or tuple(0 for _ in tasks)
        begun, previous = self.stay.arrived[-1], ""
        if deciding:
            self._beside()
        for index in order:
            task = tasks[index]
            if turn.pause is not None and deciding and index == order[-1]:
                self._pause(turn.pause)
            course.wait(use[index])
            actor = turn.actors.get(index, "") if deciding else ""
            actor = actor or course.officer(task.role, previous)
            entered = self._entered_late() if deciding and index == 0 else None
            done = course.enter(
                events.STEP,
                actor,
                {"outcome": "passed"},
                step=task.code,
                texts={"opinion": course.random.choice(_OPINIONS)},
                entered=entered,
            )
            self._procedure(index, actor, deciding=deciding)
            if task.days is not None and not turn.item:
                course.clock(STEP, begun, done, (YELLOW, task.days, 1), pauses=self.pauses)
            begun, previous = done, actor

    def _entered_late(self) -> Moment | None:
        """When what happens now gets entered, if that is days later."""
        now, days = self.course.now, self.turn.entered_after
        if not days:
            return None
        entered = Moment(now.day + days, now.minute)
        self.course.clock(
            ENTERED_LATE, now, entered, (NOTICE, ENTERED_WITHIN, 1), (YELLOW, ENTERED_WITHIN, 5)
        )
        return entered

    def _procedure(self, index: int, actor: str, *, deciding: bool) -> None:
        """What the step just entered breaks."""
        course, turn = self.course, self.turn
        if not deciding or turn.item:
            return
        task = course.tasks[index]
        if actor not in course.desk.authorised(task.role):
            course.breach(AUTHORITY)
        order = turn.order or (index,)
        if index - 1 in order[order.index(index) + 1 :]:
            course.breach(ORDER)

    def finish(self) -> None:
        """The decision is issued, the fee paid, the certificate given out and collected."""
        course, turn, matter = self.course, self.turn, self.course.matter
        fee = matter.fee_fen if turn.charged is None else turn.charged
        if fee:
            course.wait(0)
            course.enter(events.FEE, course.officer("handle"), {"amount": fee, "basis": matter.fee_basis})
            if fee != (matter.fee_fen or 0):
                course.breach(FEE)
        course.wait(0)
        if turn.completed_first:
            course.now = Moment(self.accepted.day, max(0, self.accepted.minute - 1))
        completed = course.enter(events.COMPLETION, course.officer("approve"), {"result": "issued"})
        self._outcome()
        if not turn.item:
            self._clocks(completed)
        if turn.collected_after is not None:
            course.wait(turn.collected_after)
            out = course.enter(events.CERTIFIED, course.officer("handle"))
            # Only when it is out it is told that there was a certificate at all.
            issue = Clock(
                course.place.node,
                ISSUE,
                out,
                completed,
                out,
                ((YELLOW, ISSUE_DAYS, 1), (RED, ISSUE_DAYS, 8)),
            )
            course.clocks.append(issue)
            course.wait(0)
            course.enter(events.COLLECTION, course.officer("handle"), {"channel": "window"})

    def _outcome(self) -> None:
        """What the completion just entered shows about the whole."""
        course, turn = self.course, self.turn
        if turn.completed_first:
            course.breach(BEFORE_ACCEPTANCE)
        if turn.order and len(turn.order) < len(course.tasks):
            course.breach(SKIPPED)
        if turn.actors.get(0) is not None and turn.actors.get(0) == turn.actors.get(len(course.tasks) - 1):
            course.breach(SAME_PERSON)

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
            course.breach(PAUSE_BASIS)
        course.wait(special.lasts)
        end = course.enter(events.RESUME, course.officer("handle"), {"pause": 1, "outcome": "done"})
        days = special.granted
        course.clock(PAUSE, begin, end, (NOTICE, days, -2), (YELLOW, days, 1), (RED, days, 2))
        self.pauses = ((begin, end, days),)

    def _beside(self) -> None:
        """What happens at the deciding desk before its first step: others are asked, it is urged, the limits are extended."""
        course, turn = self.course, self.turn
        if turn.share is not None:
            course.wait(0)
            other = next(desk for desk in course.place.desks if desk != course.desk)
            told: dict[str, Attribute] = {"joint": 1, "to_agency": other.code, "limit_days": SHARE_DAYS}
            asked = course.enter(events.JOINT_ASKED, course.officer("handle"), told)
            course.wait(turn.share)
            answer: dict[str, Attribute] = {"joint": 1, "outcome": "passed"}
            answered = course.enter(events.JOINT_ANSWERED, other.handlers[0], answer)
            course.clock(SHARE, asked, answered, (YELLOW, SHARE_DAYS, 1))
        for number in range(turn.urged):
            course.wait(0)
            urged = course.enter(events.URGED, course.officer("review"), {"within_days": URGE_DAYS})
            if number == 2:
                course.breach(URGED_AGAIN)
            course.wait(turn.urge_after)
            heard = course.enter(events.URGE_ANSWERED, course.officer("handle"))
            course.clock(URGE, urged, heard, (YELLOW, URGE_DAYS, 1))
        if turn.extended:
            course.wait(0)
            longer: dict[str, Attribute] = {
                "pause": 1,
                "kind": "extension",
                "granted_days": turn.extended,
                "legal_basis": "行政许可法 §42",
                "approver": course.desk.approvers[0],
            }
            course.enter(events.PAUSE, course.officer("handle"), longer)
            course.breach(EXTENSION)

    def _arrive(self, at: Moment) -> None:
        node = self.course.place.node
        if node in self.stays:
            self.stays[node].arrived.append(at)
        else:
            self.stays[node] = _Stay(self.course.place, at, at)

    def _clocks(self, completed: Moment) -> None:
        """At each node the whole's clock as it read it, and that of its own desk."""
        matter = self.course.matter
        whole = ((NOTICE, matter.promised, -2), (YELLOW, matter.promised, 1), (RED, matter.statutory, 1))
        desks = dict(zip(matter.stages, matter.desk_days, strict=False))
        for stay in self.stays.values():
            here = stay.place.node == self.course.place.node
            stop = completed if here else None
            absences, pauses = stay.absences(), self.pauses if here else ()
            known = stay.arrived[0]
            self.course.clocks.append(
                Clock(stay.place.node, CASE, known, self.began, stop, whole, pauses, absences)
            )
            if matter.desk_days:
                days = desks[matter.stage_at(stay.place)]
                limit = ((RED, days, 1),)
                self.course.clocks.append(
                    Clock(stay.place.node, TIER, known, stay.start, stop, limit, pauses, absences, True)
                )

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
