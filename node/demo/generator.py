"""Seeded cases in the volumes of DOMAIN §7, with a known number of faults among them: what is sent, and what must be found.

The same seed and number give the same submissions and the same plan, byte by byte. A case lies somewhere in the period
before the demo's now; what would happen after it is not sent, so some cases are open. All that a node is told about one case
is sent together and in the order of first events, so that no node ever judges half a case.

The plan is computed from how the courses were laid out, by subtraction of working days; no clock, fold or rule of the
node takes part in it. Planted and found are therefore two answers to one question.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from zongheng.v1 import case_pb2, intake_pb2

from node.demo import crossing, stories
from node.demo.course import Attribute, Course, Draft, PlannedDay
from node.demo.faults import FAULTS, Fault
from node.demo.flow import walk
from node.demo.hall import PERIOD, Moment, Period
from node.demo.items import filed_at
from node.demo.people import applicant
from node.demo.places import ZONE, Place, places
from node.demo.turn import Turn
from node.demo.usual import usual
from node.supervision.domains.approval.events import DOMAIN
from tiers.profile import profile_of
from tiers.tier import tier_named

EVERY_FAULT: Final[tuple[Fault | stories.ToldFault, ...]] = (
    *FAULTS,
    *stories.TOLD.values(),
    *crossing.PLANTED.values(),
)
"""The faults of approval, those of the other domains' stories, and those that no single node can see."""

Finding = tuple[str, str, str, int]
"""(node, case, rule, level): one alert that must be there, no more and no less."""

_AT_LEAST: Final = {"village": 0.02, "town": 0.04, "county": 0.0, "city": 0.0}
"""Least share of all cases that a node of the tier gets, so that small demos show something at every desk."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault in one case."""

    fault: Fault | stories.ToldFault
    case_id: str
    node: str
    """Where its rule finds it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """All that one node is told about one case, in the order of its events."""

    node: str
    case_id: str
    at_us: int
    submissions: tuple[intake_pb2.Submission, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What was planted and what must be found for it."""

    seed: int
    planted: tuple[Planted, ...]
    findings: Counter[Finding]
    filed: Counter[str]
    """Cases of approval by the node where they were filed."""
    events: Counter[tuple[str, str]]
    """Events by (node, case): what each node is told."""

    def by_fault(self) -> dict[str, list[Planted]]:
        """What was planted, by the fault's name, in the order of the catalogue of faults."""
        grouped: dict[str, list[Planted]] = {fault.name: [] for fault in EVERY_FAULT}
        for one in self.planted:
            grouped[one.fault.name].append(one)
        return grouped

    def difference(self, found: Counter[Finding]) -> tuple[Counter[Finding], Counter[Finding]]:
        """(missing, unplanned): what was planted and not found, and what was found without having been planted."""
        return self.findings - found, found - self.findings


@dataclass(frozen=True, slots=True)
class Demo:
    """Everything that is sent, in time order, and the plan of it."""

    sent: tuple[Sent, ...]
    plan: Plan


def origin_of(case_id: str) -> str:
    """The node where a case was filed."""
    return case_id.split("-")[0]


def generate(cases: int, seed: int, period: Period = PERIOD) -> Demo:
    """So many cases, filed all over the tree; ``ValueError`` for fewer than one a node."""
    random = Random(seed)
    filed = _volumes(cases)
    faults = _faults(random, cases, filed)
    sent: list[Sent] = []
    planted: list[Planted] = []
    findings: Counter[Finding] = Counter()
    for place in places():
        wanted = faults[place.node]
        for serial in range(1, filed[place.node] + 1):
            fault = wanted.pop() if wanted else None
            course, start = _case(random, place, serial, fault, period)
            sent.extend(_on_the_calendar(random, course, start, period))
            expected = Counter(_expected(course, start, period))
            findings += expected
            if fault is not None:
                planted.append(_planted(fault, course, expected))
    for story in stories.told():
        sent.append(Sent(story.node, story.case_id, story.at_us, story.submissions))
        findings += story.findings
        if story.fault is not None:
            planted.append(Planted(story.fault, story.planted_in, story.node))
    for pair, halves in crossing.halves():
        sent += [
            Sent(half.node, half.case_id, half.submissions[0].event.at_us, half.submissions)
            for half in halves
        ]
        if pair.found_at:
            across = crossing.PLANTED[pair.name]
            findings[(pair.found_at, pair.about, across.rule, across.level)] += 1
            planted.append(Planted(across, pair.about, pair.found_at))
    sent.sort(key=lambda one: (one.at_us, one.case_id, one.node))
    events = Counter({(one.node, one.case_id): len(one.submissions) for one in sent})
    return Demo(tuple(sent), Plan(seed, tuple(planted), findings, Counter(filed), events))


def _volumes(cases: int) -> dict[str, int]:
    """Cases filed by node: in proportion to the days of DOMAIN §7, no node below its tier's least share."""
    if cases < len(places()):
        raise ValueError(f"{cases} cases are too few for {len(places())} nodes: ask for at least one each")
    a_day = {place.node: _a_day(place.tier) for place in places()}
    total = sum(a_day.values())
    shares = {place.node: max(a_day[place.node] / total, _AT_LEAST[place.tier]) for place in places()}
    spare = cases - len(places())
    filed = {node: 1 + int(spare * share / sum(shares.values())) for node, share in shares.items()}
    filed[places()[0].node] += cases - sum(filed.values())
    return filed


def _a_day(tier: str) -> float:
    """Cases a day at a node of the tier, as its profile has them."""
    usual_day = profile_of(tier_named(tier)).cases_a_day
    return (usual_day.least + usual_day.most) / 2


def _faults(random: Random, cases: int, filed: dict[str, int]) -> dict[str, list[Fault]]:
    """Which faults are planted at which node: each kind once at least, as far as half of the cases stay clean."""
    room = {node: (number + 1) // 2 for node, number in filed.items()}
    wanted: dict[str, list[Fault]] = {node: [] for node in filed}
    left = cases // 2
    for fault in FAULTS:
        able = [place for place in places() if any(fault.fits(matter, place) for matter in filed_at(place))]
        for _ in range(min(left, max(1, round(fault.share * cases)))):
            free = [place for place in able if room[place.node] > 0]
            if not free:
                break
            chosen = random.choices(free, [room[place.node] for place in free])[0]
            room[chosen.node] -= 1
            left -= 1
            wanted[chosen.node].append(fault)
    for faults in wanted.values():
        random.shuffle(faults)
    return wanted


def _case(
    random: Random, place: Place, serial: int, fault: Fault | None, period: Period
) -> tuple[Course, int]:
    """The course of a case and the working day of the period on which it begins."""
    able = [matter for matter in filed_at(place) if fault is None or fault.fits(matter, place)]
    matter = random.choices(able, [matter.weight for matter in able])[0]
    if fault is not None and fault.matter is not None:
        matter = fault.matter
    turn = usual(random, matter, place) if fault is None else fault.turn(random, matter, place)
    course = Course(random, f"{place.node}-{serial:06d}", place, matter)
    walk(course, turn)
    course.applicant = applicant(random, place)
    return course, _start(random, course, turn, fault, period)


def _start(random: Random, course: Course, turn: Turn, fault: Fault | None, period: Period) -> int:
    yesterday = period.today - 1
    if turn.running is not None:
        return period.today - turn.running - course.accepted.day
    if fault is not None:
        return random.randint(0, yesterday - course.length)
    return random.randint(0, yesterday)


def _on_the_calendar(random: Random, course: Course, start: int, period: Period) -> Iterator[Sent]:
    """What each node is told about the case by now."""
    told: dict[str, list[intake_pb2.Submission]] = {}
    for number, draft in enumerate(course.drafts, 1):
        if draft.at.day + start >= period.today:
            continue
        submissions = told.setdefault(draft.place.node, [])
        submissions.append(
            intake_pb2.Submission(
                serial=f"{course.case_id}/{number}",
                event=_event(random, course, draft, start, period),
                # Each node is told once who it is, and makes a handle of its own.
                applicant=None if submissions else course.applicant,
                texts=draft.texts,
            )
        )
    for node, submissions in told.items():
        yield Sent(node, course.case_id, submissions[0].event.at_us, tuple(submissions))


def _event(random: Random, course: Course, draft: Draft, start: int, period: Period) -> case_pb2.CaseEvent:
    at = _absolute(draft.at, start, period)
    entered = at if draft.entered is None else _absolute(draft.entered, start, period)
    return case_pb2.CaseEvent(
        case_id=course.case_id,
        domain=DOMAIN,
        kind=draft.kind,
        at_us=at,
        zone=ZONE,
        received_at_us=entered + random.randint(20, 240) * 1_000_000,
        agency=draft.agency,
        actor=draft.actor,
        item=draft.item,
        step=draft.step,
        attributes=[_attribute(name, value, start, period) for name, value in draft.attributes.items()],
    )


def _absolute(moment: Moment, start: int, period: Period) -> int:
    return period.instant(Moment(moment.day + start, moment.minute))


def _attribute(name: str, value: Attribute, start: int, period: Period) -> case_pb2.Attribute:
    match value:
        case bool():
            return case_pb2.Attribute(name=name, flag=value)
        case str():
            return case_pb2.Attribute(name=name, text=value)
        case Moment():
            return case_pb2.Attribute(name=name, integer=_absolute(value, start, period))
        case PlannedDay():
            return case_pb2.Attribute(name=name, integer=period.day_number(value.day + start))
        case _:
            return case_pb2.Attribute(name=name, integer=value)


def _expected(course: Course, start: int, period: Period) -> Iterator[Finding]:
    """What must be found in this case by now."""
    today = period.today - start
    for clock in course.clocks:
        for level in clock.levels(today):
            yield clock.node, course.case_id, clock.rule, level
    for breach in course.breaches:
        if breach.at.day < today:
            yield breach.node, course.case_id, breach.rule, breach.level


def _planted(fault: Fault, course: Course, expected: Counter[Finding]) -> Planted:
    where = [node for node, _, rule, level in expected if (rule, level) == (fault.rule, fault.level)]
    if not where:
        raise RuntimeError(
            f"{fault.name} was planted in {course.case_id} ({course.matter.code}) and cannot be found"
        )
    return Planted(fault, course.case_id, where[0])
