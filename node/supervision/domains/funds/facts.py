"""What is known of a project or batch, of each payment, and of what one payee gets in all.

Sources: as in `events`.
"""

from typing import Final

import polars as pl

from node.supervision.domains.funds import events as kinds
from node.supervision.factbook import Days, Fact, any_of, count, distinct, first, last, most, total
from node.supervision.library import Standard
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("budgeted_at", "instant", "预算下达时间", "when the budget was given", first(kinds.BUDGET)),
    Fact("budget", "money", "预算", "the budget in all", total(kinds.BUDGET, of="amount")),
    Fact("has_budget", "flag", "有预算", "a budget is recorded", any_of(kinds.BUDGET)),
    Fact("received_from_above_at", "instant", "收到上级资金时间", "when money came from above", first(kinds.RECEIVED)),
    Fact("passed_on_at", "instant", "下达时间", "when it was passed on", first(kinds.PASSED_ON)),
    Fact("passed_on", "money", "下达金额", "passed on in all", total(kinds.PASSED_ON, of="amount")),
    Fact("listed_at", "instant", "公示时间", "when it was listed", first(kinds.LISTED)),
    Fact("unlisted_at", "instant", "公示结束时间", "when the list was taken down", last(kinds.UNLISTED)),
    Fact("contracted_at", "instant", "合同时间", "when it was contracted", first(kinds.CONTRACT)),
    Fact("contract", "money", "合同金额", "the contract's amount", first(kinds.CONTRACT, of="amount")),
    Fact("payment_days", "days", "约定付款天数", "days to pay in, as agreed", first(kinds.CONTRACT, of="payment_days")),
    Fact("small", "flag", "中小企业", "with a small or medium-sized firm", first(kinds.CONTRACT, of="small")),
    Fact("agreed_days", "days", "付款期限天数", "days to pay in, as agreed, 60 at the longest", pl.when(pl.col("payment_days") > 60).then(60).otherwise("payment_days")),
    Fact("accepted_at", "instant", "验收时间", "when it was accepted", first(kinds.ACCEPTANCE, where=pl.col("outcome").fill_null("passed") == "passed")),
    Fact("paid_first_at", "instant", "首次支付时间", "the first payment", first(kinds.PAYMENT)),
    Fact("paid_at", "instant", "最近支付时间", "the last payment", last(kinds.PAYMENT)),
    Fact("paid_by", "code", "经办人", "who made the last payment", last(kinds.PAYMENT, of="actor")),
    Fact("paid", "money", "已支付", "paid in all", total(kinds.PAYMENT, of="amount")),
    Fact("payments", "count", "支付笔数", "how many payments", count(kinds.PAYMENT)),
    Fact("subsidies", "count", "补贴笔数", "how many of them are subsidies", count(kinds.PAYMENT, where=pl.col("subsidy"))),
    Fact("used", "money", "已使用", "used in all", total(kinds.USE, of="amount")),
    Fact("misused", "flag", "改变用途", "some use was not as planned", any_of(kinds.USE, where=~pl.col("as_planned"))),
    Fact("misused_at", "instant", "改变用途时间", "when", first(kinds.USE, where=~pl.col("as_planned"))),
    Fact("audited_at", "instant", "审计时间", "when it was audited", first(kinds.AUDIT)),
    Fact("issues", "count", "审计问题数", "how many issues the audit found", count(kinds.ISSUE)),
    Fact("closed_at", "instant", "结清时间", "when it was closed", first(kinds.CLOSED)),
    Fact("closed_by", "code", "结清经办人", "who closed it", first(kinds.CLOSED, of="actor")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("budgeted_at", "received_from_above_at", "first_at")),
    Fact("paid_after_acceptance_at", "instant", "验收后支付时间", "the last payment, where it followed the acceptance",
         pl.when(pl.col("paid_at") >= pl.col("accepted_at")).then("paid_at")),
    Fact("listed_days", "days", "公示工作日", "working days that it was listed", Days("listed_at", "unlisted_at", working=True)),
    Fact("listed_before_days", "days", "公示至支付工作日", "working days from the listing to the first payment",
         Days("listed_at", "paid_first_at", working=True)),
)  # fmt: skip

PAYMENTS: Final = Part("payments", (kinds.PAYMENT,), subject="payment", borrowed=("accepted_at",))
BOUNCES: Final = Part("bounces", (kinds.BOUNCED,), closed=(kinds.RESENT,), on="payment", subject="bounce")
ISSUES: Final = Part("issues", (kinds.ISSUE,), closed=(kinds.RECTIFIED,), on="issue", subject="issue")

COURSE: Final = Course(
    received="opened_at",
    accepted="paid_first_at",
    completed="closed_at",
    figures=(("budget_fen", "budgeted_at", "budget"), ("paid_fen", "paid_at", "paid")),
)

_SUM: Final = Fact("paid", "money", "合计", "paid in all", total(kinds.PAYMENT, of="amount"))
_TIMES: Final = Fact("payments", "count", "笔数", "how many payments", count(kinds.PAYMENT))
_LAST: Final = Fact("paid_at", "instant", "最近支付时间", "the last payment", last(kinds.PAYMENT))
_BY: Final = Fact("paid_by", "code", "经办人", "who made it", last(kinds.PAYMENT, of="actor"))

PAYEE: Final = (_SUM, _TIMES, _LAST, _BY)
PAYEE_MONTH: Final = (
    _SUM,
    _TIMES,
    _LAST,
    _BY,
    Fact("largest", "money", "最大一笔", "the largest payment", most(kinds.PAYMENT, of="amount")),
    Fact("cases", "count", "涉及项目数", "of how many cases", distinct(kinds.PAYMENT, of=("of_case",))),
    Fact("category", "code", "类别", "the category", first(kinds.PAYMENT, of="category")),
)
LIMITS: Final = (Standard("limit", "payment_limits", code="category", at="paid_at"),)
