"""What can go wrong in a case, and how often: each fault of the demo is planted in a case of its own.

A `Fault` names the rule and level that must find it. Where one fault necessarily breaks another threshold too (past the statutory limit
is past the promised one, and was near both), the course's own clocks count that; the name is what was planted on purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from node.demo import expected
from node.demo.expected import BREACHES, NOTICE, RED, YELLOW
from node.demo.items import LISTED_WRONGLY, TOWN, UPPER, VILLAGE, Matter, Task
from node.demo.places import Place
from node.demo.turn import Break, Turn
from node.demo.usual import plain, quick, split

SLOW_DESK: Final = "slow_desk"
"""The fault that the tour and the questions look at: the desk that spent the days."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault: what finds it, where it can happen, and the turn a case takes for it."""

    name: str
    words: str
    rule: str
    level: int
    share: float
    """Share of all cases that carry it."""
    fits: Callable[[Matter, Place], bool]
    turn: Callable[[Random, Matter, Place], Turn]
    matter: Matter | None = None
    """The item that it is about, where the fault is the item's own."""


def _decided_here(matter: Matter, place: Place) -> bool:
    """Filed and decided at this place, with a limit in working days that leaves room."""
    return not matter.rises and not matter.natural and matter.promised >= 5


def _tasks(matter: Matter, place: Place) -> tuple[Task, ...]:
    return matter.stages[matter.stage_at(place)]


def _spent(random: Random, matter: Matter, place: Place, days: int) -> Turn:
    """The whole takes this many days, as many as may be in time in the first steps and the rest in the last."""
    tasks = _tasks(matter, place)
    use = list(split(random, tasks[:-1], min(days, matter.promised - 1)))
    return replace(plain(random, matter, place), use={matter.stage_at(place): (*use, days - sum(use))})


def _overdue(random: Random, matter: Matter, place: Place) -> Turn:
    return _spent(random, matter, place, matter.statutory + random.randint(1, 6))


def _past_promise(random: Random, matter: Matter, place: Place) -> Turn:
    return _spent(
        random, matter, place, random.randint(matter.promised + 1, min(matter.promised + 4, matter.statutory))
    )


def _near_due(random: Random, matter: Matter, place: Place) -> Turn:
    use = {matter.stage_at(place): split(random, _tasks(matter, place), matter.promised)}
    return replace(plain(random, matter, place), use=use, running=matter.promised - random.randint(0, 2))


def _overdue_open(random: Random, matter: Matter, place: Place) -> Turn:
    days = matter.statutory + random.randint(1, 6)
    return replace(_spent(random, matter, place, days + 1), running=days)


def _slow_step(random: Random, matter: Matter, place: Place) -> Turn:
    tasks = _tasks(matter, place)
    index = random.choice([n for n, task in enumerate(tasks) if task.days and task.days < matter.promised])
    use = [0 for _ in tasks]
    use[index] = (tasks[index].days or 0) + 1
    return replace(plain(random, matter, place), use={matter.stage_at(place): tuple(use)})


def _slow_desk(random: Random, matter: Matter, place: Place) -> Turn:
    """The town spends more days than its desk has, the whole stays within what was promised."""
    turn = plain(random, matter, place)
    days = dict(zip(matter.stages, matter.desk_days, strict=True))[TOWN] + random.randint(1, 3)
    tasks = matter.stages[TOWN]
    use = list(split(random, tasks, days))
    use[-1] += days - sum(use)
    quick = {stage: tuple(0 for _ in steps) for stage, steps in matter.stages.items()}
    return replace(turn, use={**quick, TOWN: tuple(use)})


def _out_of_order(random: Random, matter: Matter, place: Place) -> Turn:
    last = len(_tasks(matter, place)) - 1
    return replace(quick(random, matter, place), order=(*range(last - 1), last, last - 1))


def _skipped(random: Random, matter: Matter, place: Place) -> Turn:
    last = len(_tasks(matter, place)) - 1
    return replace(quick(random, matter, place), order=(*range(last - 1), last))


def _unauthorised(random: Random, matter: Matter, place: Place) -> Turn:
    stranger = next(desk for desk in place.desks if desk != place.desk(matter.kind))
    return replace(quick(random, matter, place), actors={0: stranger.handlers[0]})


def _one_person(random: Random, matter: Matter, place: Place) -> Turn:
    deputy = place.desk(matter.kind).deputy
    return replace(quick(random, matter, place), actors={0: deputy, len(_tasks(matter, place)) - 1: deputy})


def _unlawful_fee(random: Random, matter: Matter, place: Place) -> Turn:
    standard = matter.fee_fen or 0
    return replace(quick(random, matter, place), charged=standard + random.choice((2_000, 5_000, 10_000)))


def _told_twice(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), corrections=2, told_after=random.randint(0, 2))


def _told_late(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), corrections=1, told_after=random.randint(7, 10))


def _refused_without_reason(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), refused=True, reason=False)


def _completed_first(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), completed_first=True)


def _unlisted(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), item=f"{matter.kind}-99")


def _pause_without_basis(random: Random, matter: Matter, place: Place) -> Turn:
    basis = random.random() < 0.5
    return replace(
        quick(random, matter, place), pause=Break(random.randint(4, 9), 12, basis=basis, approver=not basis)
    )


def _pause_overrun(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), pause=Break(12 + random.randint(2, 4), 12))


def _entered_late(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), entered_after=random.randint(8, 15))


def _collected_late(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), collected_after=random.randint(4, 8))


def _issued_unlawfully_late(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), collected_after=random.randint(11, 14))


def _share_late(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), share=expected.SHARE_DAYS + random.randint(1, 2))


def _urge_unanswered(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(
        quick(random, matter, place), urged=1, urge_after=expected.URGE_DAYS + random.randint(1, 2)
    )


def _urged_again(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), urged=3)


def _extended_too_long(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), extended=random.randint(11, 20))


def _listed_wrongly(random: Random, matter: Matter, place: Place) -> Turn:
    # Nothing is charged: a charge without a basis is another fault.
    return replace(quick(random, matter, place), charged=0, collected_after=None)


def _pre_accepted_late(random: Random, matter: Matter, place: Place) -> Turn:
    return replace(quick(random, matter, place), online=True, pre_acceptance_after=random.randint(8, 10))


def _with_steps(matter: Matter, place: Place) -> bool:
    return _decided_here(matter, place) and len(_tasks(matter, place)) >= 3


def _with_pause(matter: Matter, place: Place) -> bool:
    return _decided_here(matter, place) and bool(matter.pause_kind)


def _through_town(matter: Matter, place: Place) -> bool:
    return matter.rises and place.tier == VILLAGE and UPPER in matter.stages


def _limited(matter: Matter, place: Place) -> bool:
    """Decided here and overdue within the period."""
    return _decided_here(matter, place) and matter.promised < matter.statutory <= 30 and not matter.pause_kind


def _roomy(matter: Matter, place: Place) -> bool:
    """So many days are promised that waiting for the first answer does not use them up: for who is not answered in time, they
    count from the application (行政许可法 §32(4))."""
    return _decided_here(matter, place) and matter.promised >= 15 and not matter.pause_kind


def _online(matter: Matter, place: Place) -> bool:
    return _roomy(matter, place) and place.tier in ("county", "city")


def _at_county(matter: Matter, place: Place) -> bool:
    return place.tier == "county" and matter.kind == "SC"


def _free(matter: Matter, place: Place) -> bool:
    return _decided_here(matter, place) and matter.fee_fen is None


FAULTS: Final[tuple[Fault, ...]] = (
    Fault(SLOW_DESK, "本级超时", expected.TIER, RED, 0.004, _through_town, _slow_desk),
    Fault("overdue", "超法定时限", expected.CASE, RED, 0.012, _limited, _overdue),
    Fault("overdue_open", "超法定时限未办结", expected.CASE, RED, 0.004, _limited, _overdue_open),
    Fault("past_promise", "超承诺时限", expected.CASE, YELLOW, 0.012, _limited, _past_promise),
    Fault("near_due", "临近承诺时限", expected.CASE, NOTICE, 0.006, _limited, _near_due),
    Fault("slow_step", "环节超时", expected.STEP, YELLOW, 0.006, _with_steps, _slow_step),
    Fault(
        "out_of_order",
        "环节倒序",
        expected.ORDER,
        BREACHES[expected.ORDER],
        0.003,
        _with_steps,
        _out_of_order,
    ),
    Fault(
        "skipped_step", "缺少环节", expected.SKIPPED, BREACHES[expected.SKIPPED], 0.003, _with_steps, _skipped
    ),
    Fault(
        "unauthorised",
        "越权办理",
        expected.AUTHORITY,
        BREACHES[expected.AUTHORITY],
        0.003,
        _decided_here,
        _unauthorised,
    ),
    Fault(
        "one_person",
        "承办批准同一人",
        expected.SAME_PERSON,
        BREACHES[expected.SAME_PERSON],
        0.004,
        _decided_here,
        _one_person,
    ),
    Fault(
        "unlawful_fee", "违规收费", expected.FEE, BREACHES[expected.FEE], 0.004, _decided_here, _unlawful_fee
    ),
    Fault(
        "told_twice",
        "补正未一次告知",
        expected.REPEATED,
        BREACHES[expected.REPEATED],
        0.004,
        _decided_here,
        _told_twice,
    ),
    Fault(
        "told_late",
        "补正告知超期",
        expected.TOLD_LATE,
        YELLOW,
        0.003,
        _roomy,
        _told_late,
    ),
    Fault(
        "no_reason",
        "不予受理未说明理由",
        expected.REFUSAL_REASON,
        YELLOW,
        0.003,
        _decided_here,
        _refused_without_reason,
    ),
    Fault(
        "completed_first",
        "先办结后受理",
        expected.BEFORE_ACCEPTANCE,
        BREACHES[expected.BEFORE_ACCEPTANCE],
        0.003,
        _decided_here,
        _completed_first,
    ),
    Fault(
        "unlisted",
        "清单外事项",
        expected.UNLISTED,
        BREACHES[expected.UNLISTED],
        0.003,
        _free,
        _unlisted,
    ),
    Fault(
        "pause_basis",
        "特别程序无依据",
        expected.PAUSE_BASIS,
        BREACHES[expected.PAUSE_BASIS],
        0.002,
        _with_pause,
        _pause_without_basis,
    ),
    Fault("pause_overrun", "特别程序超期", expected.PAUSE, RED, 0.002, _with_pause, _pause_overrun),
    Fault(
        "entered_late",
        "事后补录",
        expected.ENTERED_LATE,
        YELLOW,
        0.004,
        _decided_here,
        _entered_late,
    ),
    Fault("issue", "证照送达超期", expected.ISSUE, YELLOW, 0.003, _decided_here, _collected_late),
    Fault(
        "issue_law", "证照送达超法定时限", expected.ISSUE, RED, 0.002, _decided_here, _issued_unlawfully_late
    ),
    Fault("share", "联办部门超时", expected.SHARE, YELLOW, 0.002, _roomy, _share_late),
    Fault("urge", "催办未回复", expected.URGE, YELLOW, 0.002, _roomy, _urge_unanswered),
    Fault(
        "urged_again",
        "多次催办",
        expected.URGED_AGAIN,
        BREACHES[expected.URGED_AGAIN],
        0.002,
        _roomy,
        _urged_again,
    ),
    Fault(
        "extension",
        "延期超法定天数",
        expected.EXTENSION,
        BREACHES[expected.EXTENSION],
        0.002,
        _roomy,
        _extended_too_long,
    ),
    *(
        Fault(
            matter.listed_against.removeprefix("approval.").replace(".", "_"),
            matter.name.removeprefix("演示："),
            matter.listed_against,
            BREACHES[matter.listed_against],
            0.001,
            _at_county,
            _listed_wrongly,
            matter,
        )
        for matter in LISTED_WRONGLY
    ),
    Fault("pre_acceptance", "预受理超时", expected.PRE_ACCEPTANCE, RED, 0.003, _online, _pre_accepted_late),
)
"""Every kind of fault, the share of cases that carry it, and what must find it."""
