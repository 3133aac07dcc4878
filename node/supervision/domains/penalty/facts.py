"""What is known of a penalty case, and of each piece of evidence kept in it.

`paid` is what the source says was paid in all, where it says so, else the sum of the payments; `owed` is the fine, or what a surcharge says is
owed from then on, with expenses and further surcharges. A case is `paid_up` when nothing more is owed.

Sources: 行政处罚法 §60 (time), §67 (fifteen days), §72 (three in a hundred a day, at most the fine itself).
"""

from typing import Final

import polars as pl

from node.supervision.domains.penalty import events as kinds
from node.supervision.factbook import Days, Fact, any_of, count, distinct, first, last, most, total
from node.supervision.library import Standard
from node.supervision.staged import Course, Part

FIRM: Final = pl.col("appealed_at").is_null() & pl.col("sued_at").is_null()
_SUMS: Final = pl.sum_horizontal("expenses", "surcharged")


def _past(years: int) -> pl.Expr:
    """Natural days from so many years after the act to its discovery."""
    ended = pl.from_epoch(pl.col("act_day"), time_unit="d").dt.offset_by(f"{years}y")
    return pl.col("found_day") - ended.cast(pl.Int32).cast(pl.Int64)


FACTS: Final = (
    Fact("filed_at", "instant", "立案时间", "when the case was filed", first(kinds.FILING)),
    Fact("filed_by", "code", "立案人", "who filed it", first(kinds.FILING, of="actor")),
    Fact(
        "procedure",
        "code",
        "程序类型",
        "simple, ordinary or fast procedure",
        first(kinds.FILING, of="procedure"),
    ),
    Fact(
        "act",
        "code",
        "违法行为代码",
        "the unlawful act",
        last(kinds.FILING, kinds.CAUSE_CHANGED, kinds.DECISION, of="act"),
    ),
    Fact("act_filed", "code", "立案案由", "the act it was filed for", first(kinds.FILING, of="act")),
    Fact("act_decided", "code", "处罚案由", "the act it was decided for", first(kinds.DECISION, of="act")),
    Fact("act_day", "day", "违法行为终了日", "the day the act ended", first(kinds.FILING, of="act_day")),
    Fact("found_day", "day", "发现日", "the day the act was discovered", first(kinds.FILING, of="found_day")),
    Fact(
        "harmful",
        "flag",
        "危害生命健康或金融安全",
        "it harmed life, health or financial security",
        first(kinds.FILING, of="harmful"),
    ),
    Fact(
        "cause_changed_at", "instant", "案由变更时间", "when the cause was changed", last(kinds.CAUSE_CHANGED)
    ),
    Fact(
        "cause_approved_by",
        "code",
        "案由变更批准人",
        "who approved that",
        last(kinds.CAUSE_CHANGED, of="approver"),
    ),
    Fact(
        "investigated_at",
        "instant",
        "首次调查时间",
        "the first act of investigation",
        first(kinds.INVESTIGATION),
    ),
    Fact(
        "investigated_by", "code", "调查人", "who investigated first", first(kinds.INVESTIGATION, of="actor")
    ),
    Fact(
        "investigators",
        "count",
        "调查人数",
        "how many officers investigated",
        distinct(kinds.INVESTIGATION, of=("actor", "second_officer")),
    ),
    Fact("noticed_at", "instant", "事先告知时间", "when the notice was given", first(kinds.NOTICE)),
    Fact(
        "hearing_offered",
        "flag",
        "已告知听证权",
        "a hearing was offered",
        any_of(kinds.NOTICE, where=pl.col("hearing_offered")),
    ),
    Fact(
        "hearing_asked_at",
        "instant",
        "要求听证时间",
        "when a hearing was asked for",
        first(kinds.HEARING_ASKED),
    ),
    Fact("hearing_told_at", "instant", "听证通知时间", "when it was announced", first(kinds.HEARING_TOLD)),
    Fact("heard_at", "instant", "听证时间", "when it was held", first(kinds.HEARING)),
    Fact("presided_by", "code", "听证主持人", "who presided", first(kinds.HEARING, of="presided_by")),
    Fact("reviewed_at", "instant", "法制审核时间", "when it was legally reviewed", first(kinds.LEGAL_REVIEW)),
    Fact("reviewed_by", "code", "法制审核人", "who reviewed it", first(kinds.LEGAL_REVIEW, of="actor")),
    Fact(
        "extended_days", "days", "延长天数", "days granted on top", total(kinds.EXTENSION, of="granted_days")
    ),
    Fact(
        "decided_at",
        "instant",
        "决定时间",
        "when it was decided; where that is not recorded, when the decision was sent",
        first(kinds.DECISION, kinds.DISPATCH),
    ),
    Fact("decision_at", "instant", "决定书时间", "when the decision was recorded", first(kinds.DECISION)),
    Fact("decided_by", "code", "决定人", "who decided", first(kinds.DECISION, of="actor")),
    Fact("approved_by", "code", "批准人", "who approved the decision", first(kinds.DECISION, of="approver")),
    Fact("grade", "code", "裁量档次", "grade of discretion", first(kinds.DECISION, of="grade")),
    Fact("base", "money", "罚款基数", "what the fine is a ratio of", first(kinds.DECISION, of="base")),
    Fact(
        "major",
        "flag",
        "重大处罚",
        "a penalty that needs legal review",
        any_of(kinds.DECISION, where=pl.col("major")),
    ),
    Fact(
        "collective",
        "flag",
        "集体讨论",
        "decided by the heads together",
        any_of(kinds.DECISION, where=pl.col("collective")),
    ),
    Fact("fine", "money", "罚款", "the fine", last(kinds.FILING, kinds.DECISION, of="fine")),
    Fact(
        "fine_total",
        "money",
        "加处后应缴罚款",
        "what a surcharge made of the fine",
        last(kinds.SURCHARGE, of="fine_total"),
    ),
    Fact("expenses", "money", "费用", "expenses put on the offender", total(kinds.DISPATCH, of="expense")),
    Fact("surcharged", "money", "加处罚款", "surcharges", total(kinds.SURCHARGE, of="amount")),
    Fact(
        "surcharge_stated",
        "flag",
        "载明加处数额",
        "some surcharge says how much",
        any_of(kinds.SURCHARGE, where=pl.col("amount").is_not_null()),
    ),
    Fact("surcharged_at", "instant", "加处时间", "the last surcharge", last(kinds.SURCHARGE)),
    Fact("surcharged_by", "code", "加处人", "who put it on", last(kinds.SURCHARGE, of="actor")),
    Fact("sent_at", "instant", "寄出时间", "when the decision was sent", first(kinds.DISPATCH)),
    Fact("served_at", "instant", "送达时间", "when the decision was served", first(kinds.SERVICE)),
    Fact("appealed_at", "instant", "复议申请时间", "when reconsideration was asked for", first(kinds.APPEAL)),
    Fact("sued_at", "instant", "起诉时间", "when a court was gone to", first(kinds.LAWSUIT)),
    Fact(
        "paid_stated",
        "money",
        "累计缴款（来源载明）",
        "paid in all, as stated",
        most(kinds.PAYMENT, of="paid_total"),
    ),
    Fact("paid_summed", "money", "缴款合计", "sum of the payments", total(kinds.PAYMENT, of="amount")),
    Fact("paid_at", "instant", "最近缴款时间", "the last payment", last(kinds.PAYMENT)),
    Fact("payments", "count", "缴款次数", "how many payments", count(kinds.PAYMENT)),
    Fact("deferred_at", "instant", "暂缓分期时间", "when payment was deferred", first(kinds.DEFERRAL)),
    Fact(
        "enforced_at",
        "instant",
        "申请强制执行时间",
        "when enforcement was asked for",
        first(kinds.ENFORCEMENT),
    ),
    Fact(
        "published_at", "instant", "公开时间", "when the decision was made public", first(kinds.PUBLICATION)
    ),
    Fact(
        "unpublished_at",
        "instant",
        "撤回公开时间",
        "when it was withdrawn",
        first(kinds.PUBLICATION_WITHDRAWN),
    ),
    Fact(
        "revoked_at", "instant", "撤销时间", "when the decision was changed or revoked", first(kinds.REVOKED)
    ),
    Fact("dropped_at", "instant", "撤案时间", "when the case was dropped", first(kinds.DROPPED)),
    Fact("dropped_by", "code", "撤案批准人", "who approved that", first(kinds.DROPPED, of="approver")),
    Fact("drop_reason", "code", "撤案理由", "why, as a digest", first(kinds.DROPPED, of="reason")),
    Fact("closed_recorded_at", "instant", "结案时间", "when it was closed, as recorded", first(kinds.CLOSED)),
    Fact(
        "opened_at",
        "instant",
        "案件起始时间",
        "when it was filed, else its first event",
        pl.coalesce("filed_at", "first_at"),
    ),
    Fact(
        "hearing_notice_days",
        "days",
        "听证提前通知工作日",
        "working days from the hearing's announcement to it",
        Days("hearing_told_at", "heard_at", working=True),
    ),
    Fact(
        "hearing_asked_days",
        "days",
        "告知至要求听证工作日",
        "working days from the notice to the asking for a hearing",
        Days("noticed_at", "hearing_asked_at", working=True),
    ),
    Fact(
        "days_past_limitation",
        "days",
        "超过追责时效天数",
        "natural days past the limitation when it was discovered; unknown where it depends on harm that nobody tells of",
        pl.when(pl.col("harmful"))
        .then(_past(5))
        .when(~pl.col("harmful"))
        .then(_past(2))
        .when(_past(5) > 0)
        .then(_past(5))
        .when(_past(2) <= 0)
        .then(_past(2)),
    ),
    Fact("paid", "money", "已缴", "paid in all", pl.coalesce("paid_stated", "paid_summed")),
    Fact("owed", "money", "应缴", "owed in all", pl.coalesce("fine_total", "fine") + _SUMS),
    Fact("paid_up", "flag", "已缴清", "nothing more is owed", pl.col("paid") >= pl.col("owed")),
    Fact(
        "paid_up_at",
        "instant",
        "缴清时间",
        "when the last payment left nothing owed",
        pl.when("paid_up").then("paid_at"),
    ),
    Fact(
        "closed_at",
        "instant",
        "办结时间",
        "when it was over: closed, dropped, or all paid",
        pl.coalesce("closed_recorded_at", "dropped_at", "paid_up_at"),
    ),
    Fact(
        "settled_at",
        "instant",
        "定案时间",
        "when there was a decision, or none was needed any more",
        pl.coalesce("decided_at", "dropped_at", "closed_recorded_at", "paid_up_at"),
    ),
    Fact(
        "days_late",
        "days",
        "逾期缴款天数",
        "natural days from the last day of payment to the surcharge",
        pl.col("days_to_surcharge") - 15,
    ),
    Fact(
        "days_to_surcharge",
        "days",
        "送达至加处天数",
        "natural days from service to the surcharge",
        Days("served_at", "surcharged_at"),
    ),
    Fact(
        "days_to_decision",
        "days",
        "立案至决定天数",
        "natural days from filing to decision",
        Days("filed_at", "decided_at"),
    ),
    Fact(
        "days_to_service",
        "days",
        "立案至送达天数",
        "natural days from filing to service",
        Days("filed_at", "served_at"),
    ),
    Fact(
        "days_to_appeal",
        "days",
        "送达至复议天数",
        "natural days from service to appeal",
        Days("served_at", "appealed_at"),
    ),
    Fact(
        "surcharge_most",
        "money",
        "加处罚款上限",
        "the most that a surcharge may be",
        pl.min_horizontal(pl.col("fine"), pl.col("fine") * 3 * pl.col("days_late").clip(0, 10_000) // 100),
    ),
)

EVIDENCE: Final = Part(
    "evidence", (kinds.EVIDENCE_KEPT,), closed=(kinds.EVIDENCE_SETTLED,), on="evidence", subject="evidence"
)
INQUIRIES: Final = Part("inquiries", (kinds.INVESTIGATION,), subject="investigation")
STATEMENTS: Final = Part("statements", (kinds.STATEMENT,), subject="statement")

STANDARDS: Final = (
    Standard("lawful", "discretion", code="act", grade="grade", base="base", at="decision_at"),
    Standard("certified", "certificates", code="actor", at="at_us", frame="inquiries"),
    Standard("seconded", "certificates", code="second_officer", at="at_us", frame="inquiries"),
)

COURSE: Final = Course(
    received="opened_at",
    accepted="decided_at",
    completed="closed_at",
    statutory="penalty.time.decision",
    figures=(("fine_fen", "decided_at", "fine"), ("paid_fen", "paid_at", "paid")),
)
