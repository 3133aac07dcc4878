"""What is known of a levy, and of each payment of it. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.collection import events as kinds
from node.supervision.factbook import Fact, any_of, count, distinct, first, last, total
from node.supervision.library import FEE_STANDARDS, Standard
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("assessed_at", "instant", "核定时间", "when it was assessed", first(kinds.ASSESSED)),
    Fact("assessed_by", "code", "核定人", "by whom", first(kinds.ASSESSED, of="actor")),
    Fact("approver", "code", "批准人", "who approved it", first(kinds.ASSESSED, of="approver")),
    Fact("levy", "code", "征收项目", "the levy", first(kinds.ASSESSED, of="levy")),
    Fact("grade", "code", "标准档次", "the grade of its standard", first(kinds.ASSESSED, of="grade")),
    Fact("amount", "money", "核定金额", "what was assessed", last(kinds.ASSESSED, of="amount")),
    Fact("base", "money", "计征基数", "what it is a ratio of", last(kinds.ASSESSED, of="base")),
    Fact("notified_at", "instant", "通知时间", "when it was notified", first(kinds.NOTIFIED)),
    Fact("due_day", "day", "缴款期限", "by when it is to be paid", last(kinds.NOTIFIED, of="due_day")),
    Fact("relieved", "money", "减免金额", "what was relieved", total(kinds.RELIEVED, of="amount")),
    Fact("relieved_at", "instant", "减免时间", "when", last(kinds.RELIEVED)),
    Fact("relief_basis", "code", "减免依据", "on which law", last(kinds.RELIEVED, of="legal_basis")),
    Fact("relief_approver", "code", "减免批准人", "who approved that", last(kinds.RELIEVED, of="approver")),
    Fact("paid", "money", "已缴", "paid in all", total(kinds.PAID, of="amount")),
    Fact("paid_at", "instant", "最近缴款时间", "the last payment", last(kinds.PAID)),
    Fact("paid_by", "code", "经办人", "who took it", last(kinds.PAID, of="actor")),
    Fact("unreceipted", "flag", "未开票据", "some payment has no receipt", any_of(kinds.PAID, where=pl.col("receipt").fill_null("") == "")),
    Fact("deposited", "money", "已入库", "paid into the treasury", total(kinds.DEPOSITED, of="amount")),
    Fact("deposited_at", "instant", "入库时间", "when", last(kinds.DEPOSITED)),
    Fact("surcharged", "money", "滞纳金", "surcharges", total(kinds.SURCHARGE, of="amount")),
    Fact("surcharged_at", "instant", "滞纳金时间", "the last surcharge", last(kinds.SURCHARGE)),
    Fact("refunded", "money", "已退付", "refunded", total(kinds.REFUNDED, of="amount")),
    Fact("closed_recorded_at", "instant", "办结时间（记录）", "when it was closed, as recorded", first(kinds.CLOSED)),
    Fact("owed", "money", "应缴", "owed in all", pl.col("amount") - pl.col("relieved") + pl.col("surcharged")),
    Fact("paid_up", "flag", "已缴清", "nothing more is owed", pl.col("paid") >= pl.col("owed")),
    Fact("paid_up_at", "instant", "缴清时间", "when the last payment left nothing owed", pl.when("paid_up").then("paid_at")),
    Fact("kept", "money", "未入库金额", "paid and not in the treasury", pl.col("paid") - pl.col("refunded") - pl.col("deposited")),
    Fact("deposited_all_at", "instant", "全部入库时间", "when all that was paid was in the treasury", pl.when(pl.col("kept") <= 0).then("deposited_at")),
    Fact("closed_at", "instant", "办结时间", "when it was over", pl.coalesce("closed_recorded_at", "paid_up_at")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("assessed_at", "first_at")),
)  # fmt: skip

OBJECTIONS: Final = Part(
    "objections", (kinds.OBJECTION,), closed=(kinds.OBJECTION_ANSWERED,), on="objection", subject="objection"
)
STANDARDS: Final = (
    Standard("lawful", FEE_STANDARDS, code="levy", grade="grade", base="base", at="assessed_at"),
)
COURSE: Final = Course(
    received="opened_at",
    accepted="notified_at",
    completed="closed_at",
    figures=(("assessed_fen", "assessed_at", "amount"), ("paid_fen", "paid_at", "paid")),
)
PAYER: Final = (
    Fact(
        "assessments",
        "count",
        "核定次数",
        "cases of one payer, levy and period",
        distinct(kinds.ASSESSED, of=("of_case",)),
    ),
    Fact("assessed_at", "instant", "最近核定时间", "the last of them", last(kinds.ASSESSED)),
    Fact("assessed_by", "code", "核定人", "by whom", last(kinds.ASSESSED, of="actor")),
    Fact("times", "count", "事件数", "assessments in all", count(kinds.ASSESSED)),
)
