"""What is known of a coercion case, and of each measure in it. Source: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.coercion import events as kinds
from node.supervision.factbook import Days, Fact, any_of, count, first, last, total
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("approved_at", "instant", "批准时间", "when it was approved", first(kinds.APPROVED)),
    Fact("approved_by", "code", "批准人", "by whom", first(kinds.APPROVED, of="actor")),
    Fact("measured_at", "instant", "首次采取措施时间", "the first measure", first(kinds.MEASURE)),
    Fact("measured_by", "code", "采取措施人", "by whom", first(kinds.MEASURE, of="actor")),
    Fact("measures", "count", "措施数", "how many measures", count(kinds.MEASURE)),
    Fact("demanded_at", "instant", "催告时间", "when it was demanded", first(kinds.DEMANDED)),
    Fact("demands", "count", "催告次数", "how often", count(kinds.DEMANDED)),
    Fact("principal", "money", "本金", "the sum that is owed", first(kinds.DEMANDED, of="principal")),
    Fact("unanswered", "flag", "陈述申辩未答复", "some statement was not answered", any_of(kinds.STATEMENT, where=~pl.col("answered"))),
    Fact("statement_at", "instant", "陈述申辩时间", "the first statement", first(kinds.STATEMENT)),
    Fact("decided_at", "instant", "执行决定时间", "when enforcement was decided", first(kinds.DECIDED)),
    Fact("decided_by", "code", "执行决定人", "by whom", first(kinds.DECIDED, of="actor")),
    Fact("executed_at", "instant", "执行时间", "when it was carried out", first(kinds.EXECUTED)),
    Fact("executed_by", "code", "执行人", "by whom", first(kinds.EXECUTED, of="actor")),
    Fact("executed_urgently", "flag", "紧急执行", "it was carried out at once, for it was urgent", any_of(kinds.EXECUTED, where=pl.col("urgent"))),
    Fact("surcharged", "money", "加处罚款或滞纳金", "surcharges", total(kinds.SURCHARGE, of="amount")),
    Fact("surcharged_at", "instant", "加处时间", "the last surcharge", last(kinds.SURCHARGE)),
    Fact("applied_at", "instant", "申请法院执行时间", "when a court was asked", first(kinds.APPLIED)),
    Fact("closed_at", "instant", "结案时间", "when it was closed", first(kinds.CLOSED)),
    Fact("demand_days", "days", "催告至申请法院执行工作日", "working days from the demand to asking a court", Days("demanded_at", "applied_at", working=True)),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("approved_at", "measured_at", "first_at")),
)  # fmt: skip

MEASURES: Final = Part(
    "measures",
    (kinds.MEASURE,),
    closed=(kinds.LIFTED, kinds.DISPOSED),
    on="measure",
    subject="measure",
    borrowed=("approved_at",),
    summed=(("extended_days", kinds.EXTENDED, "granted_days"),),
    facts=(Fact("unapproved", "flag", "未批准", "not urgent, and not approved before", ~pl.col("urgent").fill_null(False) & ((pl.col("approved_at") > pl.col("at_us")) | pl.col("approved_at").is_null())),),
)  # fmt: skip
URGENT: Final = Part(
    "urgent",
    (kinds.MEASURE,),
    closed=(kinds.REPORTED,),
    on="measure",
    subject="measure",
    where=pl.col("urgent"),
)
DELIVERIES: Final = Part(
    "deliveries", (kinds.MEASURE,), closed=(kinds.DELIVERED,), on="measure", subject="measure", where=pl.col("means") == "freeze"
)  # fmt: skip
EXAMINATIONS: Final = Part(
    "examinations",
    (kinds.EXAMINED,),
    closed=(kinds.EXAMINATION_ENDED,),
    on="examination",
    subject="examination",
)
EXTENSIONS: Final = Part("extensions", (kinds.EXTENDED,), subject="extension")
EXECUTIONS: Final = Part("executions", (kinds.EXECUTED,), subject="execution")

COURSE: Final = Course(received="opened_at", accepted="decided_at", completed="closed_at")
