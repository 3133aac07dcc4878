"""The way of a case through its desks, from the application to the collection: the usual one and every turn from it."""

from typing import Final

from node.demo.course import Course
from node.demo.expected import (
    NOTICE,
    PRE_ACCEPTANCE,
    PRE_ACCEPTANCE_DAYS,
    RED,
    REFUSAL_REASON,
    REPEATED,
    TOLD_LATE,
    TOLD_WITHIN,
    UNLISTED,
    YELLOW,
)
from node.demo.hall import Moment
from node.demo.items import VILLAGE
from node.demo.journey import Journey
from node.demo.places import Place, place
from node.demo.turn import Turn
from node.supervision.domains.approval import events

_MATERIALS: Final = ("身份证明复印件", "权属证明", "申请表签字页", "平面布局图", "银行账户信息")
_REFUSALS: Final = ("不属于本机关职权范围", "申请人不具备申请资格", "依法不需要取得许可")


def walk(course: Course, turn: Turn) -> None:
    """Write the whole course of a case down, from its application to its collection."""
    course.item = turn.item or course.matter.code
    filed, waited = _apply(course, turn)
    if course.matter.listed_against:
        course.breach(course.matter.listed_against)
    if turn.refused:
        _refuse(course, turn)
        return
    course.wait(0)
    accepted = course.enter(events.ACCEPTANCE, course.officer("handle"))
    course.accepted = accepted
    if turn.item:
        course.breach(UNLISTED)
    # Who is not answered within the days of §32(4) counts as accepted from the day of the application.
    began = filed if waited > TOLD_WITHIN else accepted
    journey = Journey(course, turn, filed, accepted, began)
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


def _apply(course: Course, turn: Turn) -> tuple[Moment, int]:
    """The application and what comes before acceptance; when it was, and the days it waited for the first answer."""
    village = course.place.tier == VILLAGE
    channel = "online" if turn.online else ("on_behalf" if village else "window")
    filed = course.enter(events.APPLICATION, course.officer("handle"), {"channel": channel})
    if turn.online:
        course.wait(turn.pre_acceptance_after)
        passed = course.enter(events.PRE_ACCEPTANCE, course.officer("handle"), {"outcome": "passed"})
        days = PRE_ACCEPTANCE_DAYS
        course.clock(PRE_ACCEPTANCE, filed, passed, (NOTICE, days, 1), (YELLOW, days, 4), (RED, days, 6))
    since = filed
    for number in range(turn.corrections):
        course.wait(turn.told_after if number == 0 else 1)
        course.enter(
            events.CORRECTION_TOLD,
            course.officer("handle"),
            {"count": course.random.randint(1, 3)},
            texts={"materials": course.random.choice(_MATERIALS)},
        )
        if number == 1:
            course.breach(REPEATED)
        course.clock(TOLD_LATE, since, course.now, (YELLOW, TOLD_WITHIN, 1))
        course.wait(course.random.randint(1, 4))
        since = course.now
        complete = number == turn.corrections - 1
        course.enter(events.CORRECTION_RECEIVED, course.officer("handle"), {"complete": complete})
    waited = turn.pre_acceptance_after if turn.online else turn.told_after if turn.corrections else 0
    return filed, waited


def _refuse(course: Course, turn: Turn) -> None:
    course.wait(1)
    texts = {"reason": course.random.choice(_REFUSALS)} if turn.reason else {}
    course.enter(events.REFUSAL, course.officer("handle"), texts=texts)
    if not turn.reason:
        course.breach(REFUSAL_REASON)
