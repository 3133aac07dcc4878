"""What is known of a publication or request, of each objection, and of a matter over time. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.openness import events as kinds
from node.supervision.factbook import Days, Fact, any_of, count, first, last, total
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("made_at", "instant", "信息形成时间", "when it was made or changed", last(kinds.MADE)),
    Fact("matter", "code", "公开事项", "the matter of the catalogue", first(kinds.MADE, kinds.PUBLISHED, of="matter")),
    Fact("village", "flag", "村务", "it is a village's", any_of(kinds.MADE, where=pl.col("village"))),
    Fact("finance", "flag", "财务", "it is about money", any_of(kinds.MADE, where=pl.col("finance"))),
    Fact("due_day", "day", "应公开日", "the day it is due, where it is stated", last(kinds.MADE, of="due_day")),
    Fact("reviewed_at", "instant", "监督委员会审核时间", "when the committee reviewed it", first(kinds.REVIEWED)),
    Fact("reviewed_by", "code", "审核人", "who reviewed it", first(kinds.REVIEWED, of="actor")),
    Fact("checked_at", "instant", "保密审查时间", "when it was checked for secrets", first(kinds.CHECKED)),
    Fact("withheld", "flag", "不予公开", "it is not to be published", any_of(kinds.CHECKED, where=pl.col("outcome") == "withheld")),
    Fact("published_at", "instant", "公开时间", "when it was published", first(kinds.PUBLISHED)),
    Fact("published_by", "code", "公开人", "who published it", first(kinds.PUBLISHED, of="actor")),
    Fact("vouchers", "flag", "附凭证", "with vouchers", any_of(kinds.PUBLISHED, where=pl.col("vouchers"))),
    Fact("taken_down_at", "instant", "撤下时间", "when it was taken down", first(kinds.TAKEN_DOWN)),
    Fact("requested_at", "instant", "申请时间", "when it was requested", first(kinds.REQUEST)),
    Fact("correction_asked_at", "instant", "要求补正时间", "when a correction was asked for", first(kinds.CORRECTION_ASKED)),
    Fact("corrections", "count", "要求补正次数", "how often", count(kinds.CORRECTION_ASKED)),
    Fact("corrected_at", "instant", "补正时间", "when the request was corrected last", last(kinds.CORRECTED)),
    Fact("extended_days", "days", "延长天数", "days granted on top", total(kinds.EXTENSION, of="granted_days")),
    Fact("extended_at", "instant", "延长时间", "when", last(kinds.EXTENSION)),
    Fact("extension_approver", "code", "延长批准人", "who approved that", last(kinds.EXTENSION, of="approver")),
    Fact("extension_told", "flag", "已告知延长", "the applicant was told", any_of(kinds.EXTENSION, where=pl.col("told"))),
    Fact("answered_at", "instant", "答复时间", "when it was answered", first(kinds.ANSWERED)),
    Fact("answered_by", "code", "答复人", "who answered", first(kinds.ANSWERED, of="actor")),
    Fact("outcome", "code", "答复结果", "its outcome", first(kinds.ANSWERED, of="outcome")),
    Fact("refusal_reason", "code", "不予公开理由", "why, as a digest", first(kinds.ANSWERED, of="reason")),
    Fact("clock_from_at", "instant", "答复起算时间", "from when the answer is due: the receipt, or of the corrected request",
         pl.coalesce("corrected_at", "requested_at")),
    Fact("waits", "flag", "等待补正", "a correction was asked for and has not come",
         pl.col("correction_asked_at").is_not_null() & pl.col("corrected_at").is_null()),
    Fact("shown_days", "days", "公示天数", "natural days that it was shown", Days("published_at", "taken_down_at")),
    Fact("opened_at", "instant", "起始时间", "when it began", pl.coalesce("requested_at", "made_at", "first_at")),
    Fact("closed_at", "instant", "办结时间", "when it was published or answered", pl.coalesce("answered_at", "published_at")),
    Fact("decided_at", "instant", "了结时间", "when nothing more was to be published", pl.coalesce("published_at", pl.when("withheld").then("checked_at"))),
)  # fmt: skip

OBJECTIONS: Final = Part(
    "objections", (kinds.OBJECTION,), closed=(kinds.OBJECTION_ANSWERED,), on="objection", subject="objection"
)
THIRD_PARTIES: Final = Part(
    "third_parties", (kinds.THIRD_PARTY_ASKED,), closed=(kinds.THIRD_PARTY_ANSWERED,), on="third_party", subject="third_party"
)  # fmt: skip

COURSE: Final = Course(
    received="opened_at",
    completed="closed_at",
    statutory="openness.time.answer",
    figures=(("published", "published_at", ""), ("requests", "requested_at", "")),
)

MATTER: Final = (
    Fact("listed_at", "instant", "列入目录时间", "when it was listed", last(kinds.LISTED)),
    Fact(
        "every_days",
        "days",
        "公开周期",
        "how often it is to be published, in days",
        last(kinds.LISTED, of="every_days"),
    ),
    Fact("published_at", "instant", "最近公开时间", "when it was published last", last(kinds.PUBLISHED)),
    Fact("published_by", "code", "公开人", "by whom", last(kinds.PUBLISHED, of="actor")),
    Fact("times", "count", "公开次数", "how often it was published", count(kinds.PUBLISHED)),
    Fact(
        "since_at",
        "instant",
        "本期起算时间",
        "from when the next is due",
        pl.coalesce("published_at", "listed_at"),
    ),
)
