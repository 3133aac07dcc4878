"""What is known of a project, and of each milestone, change and payment. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.investment import events as kinds
from node.supervision.factbook import Fact, any_of, count, first, last, total
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("proposed_at", "instant", "立项时间", "when it was proposed", first(kinds.PROPOSED)),
    Fact("feasible_at", "instant", "可研批复时间", "when its feasibility was approved", first(kinds.FEASIBLE)),
    Fact("estimated", "money", "可研估算", "the estimate of the feasibility study", first(kinds.FEASIBLE, of="amount")),
    Fact("designed_at", "instant", "概算批复时间", "when design and budget were approved", first(kinds.DESIGNED)),
    Fact("budget_first", "money", "批复概算", "the budget first approved", first(kinds.DESIGNED, of="amount")),
    Fact("budget_adjusted", "money", "调整后概算", "the budget as adjusted", last(kinds.ADJUSTED, of="amount")),
    Fact("due_day", "day", "计划完工日", "the day it is due", last(kinds.DESIGNED, of="due_day")),
    Fact("simplified", "flag", "简化审批", "approved with fewer papers, as the law allows", any_of(kinds.DESIGNED, where=pl.col("simplified"))),
    Fact("permit_exempt", "flag", "无需施工许可", "works that need no permit", any_of(kinds.STARTED, where=pl.col("permit_exempt"))),
    Fact("permitted_at", "instant", "施工许可时间", "when construction was permitted", first(kinds.PERMITTED)),
    Fact("started_at", "instant", "开工时间", "when it was begun", first(kinds.STARTED)),
    Fact("started_by", "code", "开工经办人", "by whom", first(kinds.STARTED, of="actor")),
    Fact("changes", "count", "设计变更次数", "how many changes of design", count(kinds.CHANGED)),
    Fact("changed", "money", "变更金额", "what changes add", total(kinds.CHANGED, of="amount")),
    Fact("changed_at", "instant", "最近变更时间", "the last change", last(kinds.CHANGED)),
    Fact("paid", "money", "已拨付", "paid in all", total(kinds.PAID, of="amount")),
    Fact("paid_at", "instant", "最近拨付时间", "the last payment", last(kinds.PAID)),
    Fact("paid_by", "code", "经办人", "by whom", last(kinds.PAID, of="actor")),
    Fact("completed_at", "instant", "完工时间", "when it was completed", first(kinds.COMPLETED)),
    Fact("accepted_at", "instant", "验收时间", "when it was accepted", first(kinds.ACCEPTED, where=pl.col("outcome").fill_null("passed") == "passed")),
    Fact("recorded_at", "instant", "备案时间", "when the acceptance was put on record", first(kinds.RECORDED)),
    Fact("accounted_at", "instant", "决算时间", "when its final accounts were made", first(kinds.ACCOUNTED)),
    Fact("accounted", "money", "决算金额", "its final accounts", first(kinds.ACCOUNTED, of="amount")),
    Fact("transferred_at", "instant", "移交时间", "when it was handed over", first(kinds.TRANSFERRED)),
    Fact("transferred_by", "code", "移交人", "by whom", first(kinds.TRANSFERRED, of="actor")),
    Fact("budget", "money", "概算", "the budget in force", pl.coalesce("budget_adjusted", "budget_first")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("proposed_at", "first_at")),
    Fact("closed_at", "instant", "结项时间", "when it was over", pl.coalesce("transferred_at", "accounted_at")),
)  # fmt: skip

MILESTONES: Final = Part(
    "milestones",
    (kinds.PLANNED,),
    closed=(kinds.REACHED,),
    on="milestone",
    subject="milestone",
    code="milestone",
)
CHANGES: Final = Part("changes", (kinds.CHANGED,), subject="change")
PAYMENTS: Final = Part("payments", (kinds.PAID,), subject="payment")
COURSE: Final = Course(
    received="opened_at",
    accepted="started_at",
    completed="closed_at",
    statutory="investment.time.completion",
    figures=(("budget_fen", "designed_at", "budget_first"), ("paid_fen", "paid_at", "paid")),
)
