"""What is known of an act, and of each visit. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.acts import events as kinds
from node.supervision.factbook import Days, Fact, count, first, last, total
from node.supervision.library import Standard
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("act", "code", "行为类别", "payment, inspection, confirmation, reward, adjudication or other", first(kinds.APPLIED, of="act")),
    Fact("applied_at", "instant", "申请时间", "when it was applied for or begun", first(kinds.APPLIED)),
    Fact("accepted_at", "instant", "受理时间", "when it was accepted", first(kinds.ACCEPTED)),
    Fact("refused_at", "instant", "不予受理时间", "when it was refused", first(kinds.REFUSED)),
    Fact("refused_by", "code", "不予受理人", "by whom", first(kinds.REFUSED, of="actor")),
    Fact("refusal_reason", "code", "不予受理理由", "why, as a digest", first(kinds.REFUSED, of="reason")),
    Fact("heard_at", "instant", "听取意见时间", "when the parties were heard", first(kinds.HEARD)),
    Fact("listed_at", "instant", "公示时间", "when it was listed", first(kinds.LISTED)),
    Fact("visited_at", "instant", "检查时间", "the last visit", last(kinds.VISITED)),
    Fact("told_at", "instant", "结果告知时间", "when its result was told", first(kinds.RESULT_TOLD)),
    Fact("decided_at", "instant", "决定时间", "when it was decided", first(kinds.DECIDED)),
    Fact("decided_by", "code", "决定人", "by whom", first(kinds.DECIDED, of="actor")),
    Fact("approver", "code", "批准人", "who approved it", first(kinds.DECIDED, of="approver")),
    Fact("outcome", "code", "结果", "its outcome", first(kinds.DECIDED, of="outcome")),
    Fact("decision_reason", "code", "决定理由", "why, as a digest", first(kinds.DECIDED, of="reason")),
    Fact("standard", "code", "标准代码", "which standard its amount rests on", first(kinds.DECIDED, of="standard")),
    Fact("amount", "money", "决定金额", "the amount decided", first(kinds.DECIDED, of="amount")),
    Fact("served_at", "instant", "送达时间", "when it was served", first(kinds.SERVED)),
    Fact("paid", "money", "已付", "paid in all", total(kinds.PAID, of="amount")),
    Fact("paid_at", "instant", "付款时间", "the last payment", last(kinds.PAID)),
    Fact("paid_by", "code", "付款人", "by whom", last(kinds.PAID, of="actor")),
    Fact("closed_recorded_at", "instant", "办结时间（记录）", "when it was closed, as recorded", first(kinds.CLOSED)),
    Fact("listed_days", "days", "公示至决定工作日", "working days from the listing to the decision", Days("listed_at", "decided_at", working=True)),
    Fact("over_at", "instant", "了结时间", "when it was decided, refused or closed", pl.min_horizontal("decided_at", "refused_at", "closed_recorded_at")),
    Fact("closed_at", "instant", "办结时间", "when it was over", pl.coalesce("closed_recorded_at", "decided_at")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("applied_at", "first_at")),
    Fact("money", "flag", "给付奖励", "it pays something", pl.col("act").is_in(["payment", "reward"])),
)  # fmt: skip

VISITS: Final = Part("visits", (kinds.VISITED,), closed=(kinds.RESULT_TOLD,), subject="visit")
STANDARDS: Final = (Standard("lawful", "payment_standards", code="standard", at="decided_at"),)
COURSE: Final = Course(
    received="opened_at",
    accepted="accepted_at",
    refused="refused_at",
    completed="closed_at",
    statutory="acts.time.statutory",
    promised="acts.time.promised",
    figures=(("paid_fen", "paid_at", "paid"),),
)
OBJECT_MONTH: Final = (
    Fact("visits", "count", "检查次数", "visits of the month", count(kinds.VISITED)),
    Fact("visited_at", "instant", "最近检查时间", "the last of them", last(kinds.VISITED)),
    Fact("visited_by", "code", "检查人", "by whom", last(kinds.VISITED, of="actor")),
)
