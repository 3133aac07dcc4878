"""What the demo tells beside the cases of approval: short stories of every domain, each with all that must be found in it, written down by hand.

A story's lines are a day (or time), a kind, and what the event says, as in the tests of the domains; every node of its tiers is told it once, as a case of
its own. Its first finding is the fault that was planted; those after it are what the fault brings along. A story without findings is a case in
order. Nothing here asks a rule: the findings are read off the law (the domains' tables) and the calendar of 2026, in which the nodes' now is 30 June.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from zongheng.v1 import case_pb2, intake_pb2

from node.demo.expected import NOTICE, RED, YELLOW
from node.demo.places import ZONE, Place, places
from node.intake.vocabulary import Sense, vocabulary
from node.wallclock import micros

_LEVELS: Final = {"notice": NOTICE, "yellow": YELLOW, "red": RED}


@dataclass(frozen=True, slots=True)
class Story:
    """One case of a domain. `findings` are lines `rule level` or `rule level @gathering`; {node}, {case} and {agency} stand for its own."""

    name: str
    words: str
    domain: str
    tiers: tuple[str, ...]
    lines: str
    findings: str = ""


_CITY: Final = ("city",)
_COUNTY: Final = ("county",)
_TOWN: Final = ("town", "county")
_VILLAGE: Final = ("village", "town")

_TENDER: Final = """
2026-03-02 notice trade=tender means=open estimate=100000000
2026-03-02 documents_offered
2026-03-09 documents_ended
2026-03-20 bid who=甲公司{case} amount=90000000 machine={case}-A
2026-03-20 bid who=乙公司{case} amount=91000000 machine={case}-B
2026-03-20 bid who=丙公司{case} amount=92000000 machine={case}-C
2026-03-25 opened
2026-03-25 drawn count=5
2026-03-26 evaluated experts=5 outside=4
2026-03-26 reported
2026-03-27 candidates
2026-03-31 candidates_ended
2026-04-01 awarded amount=90000000 rank=1 who=甲公司{case}
2026-04-15 contract amount=90000000
2026-04-16 closed
"""

_PENALTY: Final = """
2026-03-02 filing act=A1
2026-03-03 investigation second_officer=W2 certificates_shown=yes
2026-03-04 notice hearing_offered=yes
2026-03-20 decision by=D1 approver=D2 fine=200000
2026-03-23 service
2026-03-30 payment amount=200000
2026-03-31 closed
"""

STORIES: Final = (
    Story("penalty_in_order", "行政处罚，程序完备", "penalty", _COUNTY, _PENALTY),
    Story(
        "penalty_undecided", "立案九十日未作出处罚决定", "penalty", _COUNTY, "2026-03-02 filing act=A1",
        "penalty.time.decision yellow\npenalty.time.decision notice",
    ),
    Story(
        "penalty_no_notice", "处罚前未告知", "penalty", _COUNTY,
        _PENALTY.replace("2026-03-04 notice hearing_offered=yes\n", ""), "penalty.procedure.notice red",
    ),
    Story(
        "penalty_one_officer", "一名执法人员调查", "penalty", _COUNTY,
        _PENALTY.replace(" second_officer=W2", ""), "penalty.subject.officers yellow",
    ),
    Story(
        "penalty_surcharge", "加处罚款超过本数", "penalty", _COUNTY,
        _PENALTY.replace("2026-03-30 payment amount=200000", "2026-06-01 surcharge amount=200001\n2026-06-02 payment amount=400001").replace("2026-03-31", "2026-06-03"),
        "penalty.surcharge.cap red",
    ),
    Story(
        "seizure_too_long", "扣押超过三十日", "coercion", _COUNTY,
        "2026-03-02 approved by=L1\n2026-03-03 measure measure=1 means=seize second_officer=W2 inventory=yes",
        "coercion.time.measure red\ncoercion.time.measure notice",
    ),
    Story(
        "seizure_unapproved", "未经批准扣押", "coercion", _COUNTY,
        "2026-03-03 measure measure=1 means=seize second_officer=W2 inventory=yes\n2026-03-10 lifted measure=1\n2026-03-11 closed",
        "coercion.measure.unapproved red",
    ),
    Story(
        "levy_without_receipt", "收款未开票据", "collection", _COUNTY,
        "2026-03-02 assessed levy=L1 amount=100000 approver=L9\n2026-03-03 notified due_day=2026-03-31\n2026-03-20 paid amount=100000\n2026-03-23 deposited amount=100000",
        "collection.receipt.absent yellow",
    ),
    Story(
        "levy_kept", "收款未入库", "collection", _COUNTY,
        "2026-03-02 assessed levy=L1 amount=100000 approver=L9\n2026-03-03 notified due_day=2026-03-31\n2026-03-20 paid amount=100000 receipt=R1",
        "collection.time.deposit red\ncollection.time.deposit yellow\ncollection.time.deposit notice",
    ),
    Story(
        "inspection_alone", "一人检查", "acts", _COUNTY,
        "2026-03-02 applied act=inspection\n2026-03-02 accepted\n2026-03-03 visited certificates_shown=yes planned=yes\n2026-03-05 result_told\n2026-03-06 closed",
        "acts.visit.officers yellow",
    ),
    Story(
        "inspected_too_often", "同一企业当月检查过频", "acts", _COUNTY,
        "\n".join(
            f"2026-03-{day:02} visited object={{node}}-Q second_officer=W2 certificates_shown=yes planned=yes\n2026-03-{day + 1:02} result_told"
            for day in (3, 10, 17)
        ),
        "acts.object_month.often yellow @acts.object_month/{agency}/{node}-Q/2026-03",
    ),
    Story("tender_in_order", "公开招标，程序完备", "trading", _COUNTY, _TENDER),
    Story(
        "tender_without_draw", "未随机抽取评标专家", "trading", _COUNTY, _TENDER.replace("2026-03-25 drawn count=5\n", ""),
        "trading.procedure.draw red",
    ),
    Story(
        "tender_one_machine", "投标文件出自同一设备", "trading", _COUNTY, _TENDER.replace("{case}-B", "{case}-A"),
        "trading.machine.shared red @trading.machine/{case}/{case}-A",
    ),
    Story(
        "contract_differs", "合同金额与中标金额不符", "trading", _COUNTY, _TENDER.replace("contract amount=90000000", "contract amount=95000000"),
        "trading.contract.amount red",
    ),
    Story(
        "joint_too_long", "联合办理超四十五日", "approval", _COUNTY,
        "2026-03-02 application\n2026-03-02 acceptance\n2026-03-03 joint_asked joint=1 to_agency=X limit_days=45\n2026-03-20 joint_answered joint=1",
        "approval.time.joint red",
    ),
    Story(
        "medicines_unpaid", "药品货款逾期未付", "trading", _CITY, "2026-03-02 notice trade=medicine\n2026-03-09 delivered",
        "trading.time.medicine yellow\ntrading.time.medicine notice",
    ),
    Story(
        "land_notice_short", "土地出让公告期不足", "trading", _COUNTY, "2026-03-02 notice trade=land\n2026-03-12 opened",
        "trading.period.bids red",
    ),
    Story(
        "property_notice_short", "产权转让公告期不足", "trading", _COUNTY, "2026-03-02 notice trade=property sale=equity\n2026-03-12 opened",
        "trading.period.property red",
    ),
    Story(
        "over_budget", "超预算支付", "funds", _TOWN,
        "2026-03-02 budget amount=10000000\n2026-03-20 payment amount=12000000 approver=L9", "funds.amount.budget red",
    ),
    Story(
        "paid_by_one_person", "经办与审批为同一人", "funds", _TOWN,
        "2026-03-02 budget amount=10000000\n2026-03-20 payment amount=2000000 approver=W1", "funds.duty.same_person yellow",
    ),
    Story(
        "object_never_inspected", "监管对象未按期检查", "duty", _TOWN,
        "2026-03-02 assigned object={node}-O every_days=30 responsible=R1",
        "duty.object.missed red @duty.object/{node}-O\nduty.object.missed yellow @duty.object/{node}-O\nduty.object.missed notice @duty.object/{node}-O",
    ),
    Story(
        "closed_unverified", "未核查即结案", "duty", _TOWN,
        "2026-03-02 collected cell=G1\n2026-03-03 opened\n2026-03-04 dispatched\n2026-03-06 handled by=H1\n2026-03-09 closed",
        "duty.procedure.verify red",
    ),
    Story(
        "finances_without_vouchers", "村级财务公开无凭证", "openness", ("village",),
        "2026-03-02 made matter=CW village=yes finance=yes\n2026-03-03 reviewed by=C1\n2026-03-04 published matter=CW vouchers=no",
        "openness.display.vouchers yellow",
    ),
    Story(
        "matter_not_published", "公开事项逾期未公开", "openness", _VILLAGE,
        "2026-03-02 listed matter={case} every_days=31",
        "openness.matter.due red @openness.matter/{agency}/{case}\nopenness.matter.due yellow @openness.matter/{agency}/{case}\nopenness.matter.due notice @openness.matter/{agency}/{case}",
    ),
    Story(
        "request_unanswered", "依申请公开逾期未答复", "openness", _TOWN, "2026-03-02 request",
        "openness.time.answer red\nopenness.time.answer notice",
    ),
    Story(
        "corrected_request_unanswered", "补正后重新起算仍逾期未答复", "openness", _TOWN,
        "2026-03-02 request\n2026-03-05 correction_asked\n2026-03-30 corrected",
        "openness.time.answer red\nopenness.time.answer notice",
    ),
    Story(
        "complaint_unanswered", "信访事项逾期未答复", "complaint", _VILLAGE, "2026-03-02 received channel=petition\n2026-03-05 registered accepted=yes",
        "complaint.time.answer red\ncomplaint.time.answer notice",
    ),
    Story(
        "bad_rating_ignored", "差评逾期未整改", "complaint", _TOWN, "2026-03-02 rated score=5\n2026-03-04 called_back satisfied=yes",
        "complaint.time.rectify red\ncomplaint.time.rectify yellow\ncomplaint.time.rectify notice",
    ),
    Story(
        "directive_overdue", "督办事项逾期", "directive", _VILLAGE, "2026-03-02 issued issuer=leader due_day=2026-04-30\n2026-03-03 signed",
        "directive.time.whole red\ndirective.time.whole notice\ndirective.time.progress yellow",
    ),
    Story(
        "directive_unreviewed", "未审核即办结", "directive", _TOWN,
        "2026-03-02 issued issuer=leader due_day=2026-04-30\n2026-03-03 signed\n2026-03-20 feedback\n2026-03-23 closed",
        "directive.procedure.review yellow",
    ),
    Story(
        "works_without_permit", "未取得施工许可开工", "investment", _COUNTY,
        "2026-03-02 proposed\n2026-03-09 feasible amount=100000000\n2026-03-16 designed amount=100000000 due_day=2026-12-31\n2026-04-01 started",
        "investment.procedure.permit red",
    ),
    Story(
        "school_without_receipt", "学校收费未开票据", "school", _COUNTY,
        "2026-03-02 published\n2026-03-03 enrolled stage=high\n2026-03-04 charged charge=F1 amount=80000 terms=1\n2026-03-06 deposited amount=80000",
        "school.charge.receipt yellow",
    ),
    Story(
        "tuition_in_compulsory", "义务教育阶段收取学费", "school", _COUNTY,
        "2026-03-02 published\n2026-03-03 enrolled stage=compulsory\n2026-03-04 charged charge=F1 amount=80000 terms=1 receipt=R1\n2026-03-06 deposited amount=80000",
        "school.charge.tuition red",
    ),
    Story(
        "reconsideration_undecided", "复议逾期未决定", "reconsideration", _COUNTY,
        "2026-03-02 applied\n2026-03-03 accepted\n2026-03-04 sent_on\n2026-03-10 replied\n2026-03-11 heard",
        "reconsideration.time.decision red\nreconsideration.time.decision notice",
    ),
    Story(
        "reconsideration_refused", "不予受理未说明理由", "reconsideration", _COUNTY, "2026-03-02 applied\n2026-03-05 refused",
        "reconsideration.refusal.reason yellow",
    ),
    Story(
        "waited_long", "等候过长", "hall", _TOWN, "2026-03-02T10:00 ticket window=3\n2026-03-02T10:35 called\n2026-03-02T10:45 served",
        "hall.wait.long notice",
    ),
    Story(
        "window_late", "窗口晚开", "hall", _TOWN, "2026-03-02T09:00 due_open window=3\n2026-03-02T09:20 opened window=3",
        "hall.window.late yellow",
    ),
    Story("nobody_came", "窗口人员缺勤", "hall", _TOWN, "2026-03-02T09:00 due_present by=W7", "hall.staff.absent yellow"),
    Story(
        "camera_dark", "办公时间摄像头离线", "hall", _TOWN, "2026-03-02T09:30 dark camera={node}-C1 outage=1 open_hours=yes",
        "hall.camera.dark yellow",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ToldFault:
    """What a story plants, and what finds it."""

    name: str
    words: str
    rule: str
    level: int


def _fault(story: Story) -> ToldFault:
    rule, level, *_ = story.findings.split("\n")[0].split()
    return ToldFault(story.name, story.words, rule, _LEVELS[level])


TOLD: Final = {story.name: _fault(story) for story in STORIES if story.findings}
"""The fault of each story that has one, by its name."""


@dataclass(frozen=True, slots=True)
class Told:
    """One story as one node is told it."""

    node: str
    case_id: str
    at_us: int
    submissions: tuple[intake_pb2.Submission, ...]
    fault: ToldFault | None
    planted_in: str
    """The case, or what cases have in common, that its first finding is about."""
    findings: Counter[tuple[str, str, str, int]]
    """(node, case, rule, level)."""


def told() -> Iterator[Told]:
    """Every story at every node of its tiers, in a fixed order."""
    for number, story in enumerate(STORIES, 1):
        for here in places():
            if here.tier in story.tiers:
                yield _told(story, here, f"{here.node}-{story.domain}-{number:03d}")


def _told(story: Story, here: Place, case_id: str) -> Told:
    agency = here.desks[0].code
    own = {"node": here.node, "case": case_id, "agency": agency}
    lines = [line for line in story.lines.format_map(own).splitlines() if line]
    submissions = tuple(
        submission(story.domain, case_id, agency, line, number) for number, line in enumerate(lines, 1)
    )
    findings: Counter[tuple[str, str, str, int]] = Counter()
    about = []
    for line in filter(None, story.findings.format_map(own).splitlines()):
        rule, level, *gathering = line.split()
        about.append(gathering[0] if gathering else case_id)
        findings[(here.node, about[-1], rule, _LEVELS[level])] += 1
    return Told(
        node=here.node,
        case_id=case_id,
        at_us=submissions[0].event.at_us,
        submissions=submissions,
        fault=TOLD.get(story.name),
        planted_in=about[0] if about else case_id,
        findings=findings,
    )


def submission(domain: str, case_id: str, agency: str, line: str, number: int) -> intake_pb2.Submission:
    """One line of a story as it is handed in."""
    at, kind, *said = line.split()
    at_us = _instant(at, number)
    event = case_pb2.CaseEvent(
        case_id=case_id,
        domain=domain,
        kind=kind,
        at_us=at_us,
        zone=ZONE,
        received_at_us=at_us + 60_000_000,
        agency=agency,
        actor="W1",
    )
    applicant: intake_pb2.Person | None = None
    senses = vocabulary(domain).kinds[kind]
    for word in said:
        name, _, value = word.partition("=")
        if name == "by":
            event.actor = value
        elif name == "who":
            applicant = intake_pb2.Person(name=value)
        elif name == "number" and applicant is not None:
            applicant.id_number = value
        else:
            event.attributes.append(_attribute(name, value, senses[name]))
    return intake_pb2.Submission(serial=f"{case_id}/{number}", event=event, applicant=applicant)


def _attribute(name: str, value: str, sense: Sense) -> case_pb2.Attribute:
    match sense:
        case Sense.FLAG:
            return case_pb2.Attribute(name=name, flag=value == "yes")
        case Sense.DAY:
            days = (date.fromisoformat(value) - date(1970, 1, 1)).days
            return case_pb2.Attribute(name=name, integer=days)
        case Sense.COUNT | Sense.MONEY:
            return case_pb2.Attribute(name=name, integer=int(value))
        case _:
            return case_pb2.Attribute(name=name, text=value)


def _instant(text: str, number: int) -> int:
    """The time of a line; a day alone is ten in the morning and some minutes, so that a case's events follow one another."""
    at = datetime.fromisoformat(text if "T" in text else f"{text}T10:{number:02d}")
    return micros(at.replace(tzinfo=ZoneInfo(ZONE)))
