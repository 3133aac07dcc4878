"""What is known of a reconsideration, and of its suspensions. Source: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.reconsideration import events as kinds
from node.supervision.factbook import Fact, any_of, count, first, last, total
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("applied_at", "instant", "申请时间", "when it was applied for", first(kinds.APPLIED)),
    Fact("against", "code", "被申请人", "the agency whose act is contested", first(kinds.APPLIED, of="against")),
    Fact("correction_asked_at", "instant", "补正通知时间", "when a correction was asked for", first(kinds.CORRECTION_ASKED)),
    Fact("corrected_at", "instant", "补正时间", "when it was corrected last", last(kinds.CORRECTED)),
    Fact("accepted_at", "instant", "受理时间", "when it was accepted", first(kinds.ACCEPTED)),
    Fact("simple", "flag", "简易程序", "in the simplified procedure", any_of(kinds.ACCEPTED, where=pl.col("simple"))),
    Fact("refused_at", "instant", "不予受理时间", "when it was refused", first(kinds.REFUSED)),
    Fact("refused_by", "code", "不予受理人", "by whom", first(kinds.REFUSED, of="actor")),
    Fact("refusal_reason", "code", "不予受理理由", "why, as a digest", first(kinds.REFUSED, of="reason")),
    Fact("sent_on_at", "instant", "副本发送时间", "when it was sent on to the agency", first(kinds.SENT_ON)),
    Fact("replied_at", "instant", "被申请人答复时间", "when the agency replied", first(kinds.REPLIED)),
    Fact("heard_at", "instant", "听取意见时间", "when the applicant was heard", first(kinds.HEARD)),
    Fact("heard_by", "code", "听取意见人", "by whom", first(kinds.HEARD, of="actor")),
    Fact("extended_days", "days", "延长天数", "days granted on top", total(kinds.EXTENDED, of="granted_days")),
    Fact("extended_at", "instant", "延长时间", "when", last(kinds.EXTENDED)),
    Fact("extension_approver", "code", "延长批准人", "who approved that", last(kinds.EXTENDED, of="approver")),
    Fact("extension_told", "flag", "已告知延长", "the parties were told", any_of(kinds.EXTENDED, where=pl.col("told"))),
    Fact("suspensions", "count", "中止次数", "how often it was suspended", count(kinds.SUSPENDED)),
    Fact("decided_at", "instant", "决定时间", "when it was decided", first(kinds.DECIDED)),
    Fact("decided_by", "code", "承办人", "who prepared the decision", first(kinds.DECIDED, of="actor")),
    Fact("approver", "code", "批准人", "who approved the decision", first(kinds.DECIDED, of="approver")),
    Fact("collective", "flag", "集体讨论通过", "the heads passed it together", any_of(kinds.DECIDED, where=pl.col("collective"))),
    Fact("written", "flag", "书面审理", "on paper alone, for a reason that lies with the parties", any_of(kinds.DECIDED, where=pl.col("written"))),
    Fact("outcome", "code", "复议结果", "its outcome", first(kinds.DECIDED, of="outcome")),
    Fact("perform_day", "day", "履行期限", "by when it is to be carried out", first(kinds.DECIDED, of="perform_day")),
    Fact("ended_at", "instant", "终止时间", "when it ended without a decision", first(kinds.ENDED)),
    Fact("served_at", "instant", "送达时间", "when the decision was served", first(kinds.SERVED)),
    Fact("carried_out_at", "instant", "履行时间", "when it was carried out", first(kinds.CARRIED_OUT)),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("applied_at", "first_at")),
    Fact("received_at", "instant", "收到申请时间", "from when it is looked at: the application, or the corrected one", pl.coalesce("corrected_at", "applied_at")),
    Fact("answered_at", "instant", "受理决定时间", "when it was accepted or refused", pl.min_horizontal("accepted_at", "refused_at", "ended_at")),
    Fact("waits", "flag", "等待补正", "a correction was asked for and has not come",
         pl.col("correction_asked_at").is_not_null() & pl.col("corrected_at").is_null()),
    Fact("over_at", "instant", "审结时间", "when it was decided or ended", pl.min_horizontal("decided_at", "ended_at")),
    Fact("closed_at", "instant", "办结时间", "when it was over", pl.coalesce("over_at", "refused_at")),
    Fact("sends_days", "days", "副本发送期限", "working days to send it on", pl.when("simple").then(3).otherwise(7)),
    Fact("reply_days", "days", "答复期限", "days to reply", pl.when("simple").then(5).otherwise(10)),
    Fact("limit_days", "days", "审理期限", "days to decide", pl.when("simple").then(30).otherwise(60)),
)  # fmt: skip

SUSPENSIONS: Final = Part(
    "suspensions", (kinds.SUSPENDED,), closed=(kinds.RESUMED,), on="suspension", subject="suspension"
)

COURSE: Final = Course(
    received="opened_at",
    accepted="accepted_at",
    refused="refused_at",
    completed="over_at",
    statutory="reconsideration.time.decision",
)
