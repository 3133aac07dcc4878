"""What is known of a directive, and of each milestone. Source: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.directive import events as kinds
from node.supervision.factbook import Day, Fact, any_of, count, first, last
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("issued_at", "instant", "交办时间", "when it was issued", first(kinds.ISSUED)),
    Fact("issuer", "code", "交办方", "who issued it", first(kinds.ISSUED, of="issuer")),
    Fact("lead", "code", "牵头单位", "the agency that leads", first(kinds.ISSUED, of="lead")),
    Fact("key", "flag", "实事工程", "one of the works promised to the people", any_of(kinds.ISSUED, where=pl.col("key"))),
    Fact("due_first_day", "day", "原定期限", "the day it was first due", first(kinds.ISSUED, of="due_day")),
    Fact("due_day", "day", "期限", "the day it is due, extensions counted", last(kinds.ISSUED, kinds.EXTENDED, of="due_day")),
    Fact("signed_at", "instant", "签收时间", "when it was signed for", first(kinds.SIGNED)),
    Fact("extensions", "count", "延期次数", "how often it was extended", count(kinds.EXTENDED)),
    Fact("extended_at", "instant", "延期批准时间", "when it was last extended", last(kinds.EXTENDED)),
    Fact("extension_approver", "code", "延期批准人", "who approved that", last(kinds.EXTENDED, of="approver")),
    Fact("extension_asked_at", "instant", "申请延期时间", "when an extension was first asked for", first(kinds.EXTENSION_ASKED)),
    Fact("urged", "count", "催办次数", "how often it was urged", count(kinds.URGED)),
    Fact("feedback_at", "instant", "反馈时间", "when its end was reported", last(kinds.FEEDBACK)),
    Fact("feedback_by", "code", "反馈人", "by whom", last(kinds.FEEDBACK, of="actor")),
    Fact("sent_back_at", "instant", "最近退回时间", "when it was last sent back", last(kinds.SENT_BACK)),
    Fact("sent_back", "count", "退回次数", "how often it was sent back", count(kinds.SENT_BACK)),
    Fact("progress_at", "instant", "最近进展时间", "when progress was last reported", last(kinds.PROGRESS, kinds.REACHED)),
    Fact("reviewed_at", "instant", "审核时间", "when it was reviewed", last(kinds.REVIEWED)),
    Fact("reviewed_by", "code", "审核人", "by whom", last(kinds.REVIEWED, of="actor")),
    Fact("verdict", "code", "审核结论", "good, fair or poor", last(kinds.REVIEWED, of="outcome")),
    Fact("closed_recorded_at", "instant", "办结时间（记录）", "when it was closed, as recorded", first(kinds.CLOSED)),
    Fact("closed_by", "code", "办结人", "by whom", first(kinds.CLOSED, of="actor")),
    Fact("withdrawn_at", "instant", "撤销时间", "when it was withdrawn", first(kinds.WITHDRAWN)),
    Fact("done_at", "instant", "完成时间", "when it was done: reported and not sent back, closed or withdrawn",
         pl.min_horizontal(
             pl.when(~(pl.col("sent_back_at") >= pl.col("feedback_at")).fill_null(False)).then("feedback_at"),
             "closed_recorded_at", "withdrawn_at")),
    Fact("closed_at", "instant", "办结时间", "when it was over", pl.coalesce("closed_recorded_at", "withdrawn_at")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("issued_at", "first_at")),
    Fact("asked_day", "day", "申请延期日", "the day of asking for an extension", Day("extension_asked_at")),
    Fact("asked_late", "flag", "逾期申请延期", "it was asked for after the day it was due", pl.col("asked_day") > pl.col("due_first_day")),
    Fact("heard_at", "instant", "最近音讯时间", "when something was last heard of it",
         pl.max_horizontal("progress_at", "signed_at", "extended_at", "sent_back_at")),
)  # fmt: skip

MILESTONES: Final = Part(
    "milestones",
    (kinds.PLANNED,),
    closed=(kinds.REACHED,),
    on="milestone",
    subject="milestone",
    code="milestone",
    closed_says=("quality",),
    borrowed=("withdrawn_at",),
    facts=(
        Fact(
            "stop_at",
            "instant",
            "节点完成时间",
            "when it was reached, or the whole withdrawn",
            pl.coalesce("closed_at", "withdrawn_at"),
        ),
    ),
)

COURSE: Final = Course(
    received="opened_at", accepted="signed_at", completed="closed_at", statutory="directive.time.whole"
)
