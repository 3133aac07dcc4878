"""What is known of a complaint, of each transfer of it, and of what complaints have in common. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.complaint import events as kinds
from node.supervision.factbook import Fact, any_of, count, distinct, first, last, total
from node.supervision.staged import Course, Part

BAD: Final = pl.col("score") >= 4
"""Dissatisfied or very dissatisfied: 差评."""

PETITION: Final = ~pl.col("channel").fill_null("").is_in(["rating", "hotline"])
"""信访: neither a rating nor the hotline, which have rules of their own."""

_REGISTERED_BY: Final = 15 * 86_400_000_000
"""Where nobody took it up, it counts as taken up when that was due: 15 days after it was received (信访工作条例 §23)."""

FACTS: Final = (
    Fact("received_at", "instant", "收到时间", "when it was received", first(kinds.RECEIVED)),
    Fact("channel", "code", "渠道", "on which channel", first(kinds.RECEIVED, of="channel")),
    Fact("subject", "code", "事项类别", "the matter", first(kinds.RECEIVED, of="subject")),
    Fact("about", "code", "被投诉部门", "the agency complained of", first(kinds.RECEIVED, of="about")),
    Fact("sort", "code", "事项性质", "suggestion, accusation or appeal", first(kinds.RECEIVED, of="sort")),
    Fact("taken_up_at", "instant", "受理时间", "when it was last taken up", last(kinds.REGISTERED, where=pl.col("accepted").fill_null(True))),
    Fact("registered_at", "instant", "登记告知时间", "when it was registered and told so", first(kinds.REGISTERED, kinds.REJECTED)),
    Fact("rejected_at", "instant", "不予受理时间", "when it was rejected", first(kinds.REJECTED)),
    Fact("rejected_by", "code", "不予受理人", "who rejected it", first(kinds.REJECTED, of="actor")),
    Fact("reject_reason", "code", "不予受理理由", "why, as a digest", first(kinds.REJECTED, of="reason")),
    Fact("transfers", "count", "转送次数", "how often it was passed on", count(kinds.TRANSFERRED)),
    Fact("transferred_at", "instant", "最近转送时间", "when it was passed on last", last(kinds.TRANSFERRED)),
    Fact("transferred_by", "code", "转送人", "who passed it on", last(kinds.TRANSFERRED, of="actor")),
    Fact("extended_days", "days", "延期天数", "days granted on top", total(kinds.EXTENSION, of="granted_days")),
    Fact("extended_at", "instant", "延期时间", "when", last(kinds.EXTENSION)),
    Fact("extension_approver", "code", "延期批准人", "who approved that", last(kinds.EXTENSION, of="approver")),
    Fact("answered_at", "instant", "答复时间", "the first answer", first(kinds.ANSWERED)),
    Fact("answered_by", "code", "答复人", "who answered", first(kinds.ANSWERED, of="actor")),
    Fact("answer_agency", "code", "答复部门", "which agency answered", first(kinds.ANSWERED, of="agency")),
    Fact("called_back_at", "instant", "回访时间", "the first call back", first(kinds.CALLED_BACK)),
    Fact("dissatisfied", "flag", "回访不满意", "somebody called back was not satisfied", any_of(kinds.CALLED_BACK, where=~pl.col("satisfied"))),
    Fact("dissatisfied_at", "instant", "首次不满意时间", "when", first(kinds.CALLED_BACK, where=~pl.col("satisfied"))),
    Fact("review_asked_at", "instant", "请求复查时间", "when a review was asked for", first(kinds.REVIEW_ASKED)),
    Fact("reviewed_at", "instant", "复查时间", "when it was answered", first(kinds.REVIEW_ANSWERED)),
    Fact("reviewed_by", "code", "复查人", "who answered it", first(kinds.REVIEW_ANSWERED, of="actor")),
    Fact("second_asked_at", "instant", "请求复核时间", "when a second review was asked for", first(kinds.SECOND_ASKED)),
    Fact("second_at", "instant", "复核时间", "when it was answered", first(kinds.SECOND_ANSWERED)),
    Fact("bad_at", "instant", "差评时间", "the first bad rating", first(kinds.RATED, where=BAD)),
    Fact("rectified_at", "instant", "整改时间", "when it was put right", first(kinds.RECTIFIED)),
    Fact("closed_recorded_at", "instant", "办结时间（记录）", "when it was closed, as recorded", first(kinds.CLOSED)),
    Fact("escalated_at", "instant", "提级时间", "when it went one tier up", first(kinds.ESCALATED)),
    Fact("answer_from_at", "instant", "办理起算时间", "from when the answer is due: taken up, or to be taken up",
         pl.coalesce("taken_up_at", pl.col("received_at") + _REGISTERED_BY)),
    Fact("over_at", "instant", "了结时间", "when nothing more was to be answered",
         pl.min_horizontal("answered_at", "rejected_at", "closed_recorded_at")),
    Fact("closed_at", "instant", "办结时间", "when it was over", pl.coalesce("closed_recorded_at", "rectified_at", "answered_at")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("received_at", "first_at")),
    Fact("rated_call_at", "instant", "差评后回访时间", "the first call back, where it followed a bad rating",
         pl.when(pl.col("called_back_at") >= pl.col("bad_at")).then("called_back_at")),
)  # fmt: skip

TRANSFERS: Final = Part(
    "transfers",
    (kinds.TRANSFERRED, kinds.ESCALATED),
    closed=(kinds.SIGNED, kinds.ANSWERED),
    subject="transfer",
    borrowed=("about", "sort"),
)
ANSWERS: Final = Part("answers", (kinds.ANSWERED,), subject="answer")

COURSE: Final = Course(
    received="opened_at",
    accepted="registered_at",
    refused="rejected_at",
    completed="closed_at",
    statutory="complaint.time.answer",
    promised="complaint.time.promised",
    figures=(("bad_ratings", "bad_at", ""), ("escalated", "escalated_at", "")),
)

COMPLAINANT: Final = (
    Fact("times", "count", "投诉次数", "how many cases", distinct(kinds.RECEIVED, of=("of_case",))),
    Fact("received_at", "instant", "最近收到时间", "the last of them", last(kinds.RECEIVED)),
)
ANSWER: Final = (
    Fact("copies", "count", "雷同件数", "in how many cases", distinct(kinds.ANSWERED, of=("of_case",))),
    Fact("answered_at", "instant", "最近答复时间", "the last of them", last(kinds.ANSWERED)),
    Fact("answered_by", "code", "答复人", "who gave it", last(kinds.ANSWERED, of="actor")),
)
AGENCY_MONTH: Final = (
    Fact("bad", "count", "差评数", "bad ratings of the month", count(kinds.RATED, where=BAD)),
    Fact("rated", "count", "评价数", "ratings of the month", count(kinds.RATED)),
    Fact("bad_at", "instant", "最近差评时间", "the last bad one", last(kinds.RATED, where=BAD)),
)
