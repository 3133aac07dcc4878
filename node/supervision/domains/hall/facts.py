"""What is known of a ticket, of a day at a window, and of each pause, absence and outage. Sources: as in `events`. Times are minutes; of a call for help, seconds."""

from typing import Final

import polars as pl

from node.supervision.domains.hall import events as kinds
from node.supervision.factbook import Fact, any_of, count, first, last
from node.supervision.staged import Course, Part

SECOND: Final = 1_000_000
MINUTE: Final = 60_000_000


def minutes(begin: str, end: str) -> pl.Expr:
    """Whole minutes from one instant to another; null where one is missing."""
    return (pl.col(end) - pl.col(begin)) // MINUTE


FACTS: Final = (
    Fact("ticket_at", "instant", "取号时间", "when a ticket was taken", first(kinds.TICKET)),
    Fact("window", "code", "窗口", "the window", first(kinds.TICKET, kinds.DUE_OPEN, kinds.OPENED, of="window")),
    Fact("called_at", "instant", "叫号时间", "when it was called", first(kinds.CALLED)),
    Fact("called_by", "code", "叫号人", "by whom", first(kinds.CALLED, of="actor")),
    Fact("served_at", "instant", "办完时间", "when it was served", first(kinds.SERVED)),
    Fact("served_by", "code", "办理人", "by whom", first(kinds.SERVED, of="actor")),
    Fact("abandoned_at", "instant", "弃号时间", "when it was given up", first(kinds.ABANDONED)),
    Fact("due_open_at", "instant", "应开窗时间", "when the window was to open", first(kinds.DUE_OPEN)),
    Fact("opened_at", "instant", "开窗时间", "when it opened", first(kinds.OPENED)),
    Fact("opened_by", "code", "窗口人员", "by whom", first(kinds.OPENED, of="actor")),
    Fact("shut_at", "instant", "关窗时间", "when it closed", last(kinds.CLOSED)),
    Fact("shut_by", "code", "关窗人", "by whom", last(kinds.CLOSED, of="actor")),
    Fact("shut_due_at", "instant", "应关窗时间", "when it was to close", last(kinds.CLOSED, of="due_at")),
    Fact("due_present_at", "instant", "应到岗时间", "when somebody was to be there", first(kinds.DUE_PRESENT)),
    Fact("due_person", "code", "应到岗人员", "who", first(kinds.DUE_PRESENT, of="actor")),
    Fact("present_at", "instant", "到岗时间", "when he or she came", first(kinds.PRESENT)),
    Fact("on_leave", "flag", "已请假", "on approved leave", any_of(kinds.LEAVE, where=pl.col("approver").fill_null("") != "")),
    Fact("wait", "count", "等候分钟", "minutes from the ticket to the call, or to giving up",
         (pl.coalesce("called_at", "abandoned_at") - pl.col("ticket_at")) // MINUTE),
    Fact("service", "count", "办理分钟", "minutes from the call to the end", minutes("called_at", "served_at")),
    Fact("open_late", "count", "晚开窗分钟", "minutes that the window opened late", minutes("due_open_at", "opened_at")),
    Fact("shut_early", "count", "早关窗分钟", "minutes that it closed early", minutes("shut_at", "shut_due_at")),
    Fact("late", "count", "迟到分钟", "minutes that somebody came late", minutes("due_present_at", "present_at")),
    Fact("help_at", "instant", "求助时间", "when somebody called for help", first(kinds.HELP)),
    Fact("help_answered_at", "instant", "求助应答时间", "when the call was answered here", first(kinds.HELP_ANSWERED)),
    Fact("help_answered_by", "code", "求助应答人", "by whom", first(kinds.HELP_ANSWERED, of="actor")),
    Fact("help_unanswered_at", "instant", "求助落空时间", "when it rang no more and nobody here had answered", first(kinds.HELP_UNANSWERED)),
    Fact("help_wait", "count", "求助等候秒数", "seconds for which it rang here",
         (pl.coalesce("help_answered_at", "help_unanswered_at") - pl.col("help_at")) // SECOND),
    Fact("waited_at", "instant", "等候结束时间", "when the waiting ended", pl.coalesce("called_at", "abandoned_at")),
    Fact("closed_at", "instant", "结束时间", "when it was over", pl.coalesce("served_at", "abandoned_at", "shut_at", "present_at", "help_answered_at", "help_unanswered_at")),
)  # fmt: skip

PAUSES: Final = Part(
    "pauses", (kinds.PAUSED,), closed=(kinds.RESUMED, kinds.CLOSED), subject="pause",
    facts=(Fact("length", "count", "暂停分钟", "minutes that it lasted", minutes("at_us", "closed_at")),),
)  # fmt: skip
ABSENCES: Final = Part(
    "absences", (kinds.GONE,), closed=(kinds.BACK,), on="absence", subject="absence",
    facts=(Fact("length", "count", "离岗分钟", "minutes that it lasted", minutes("at_us", "closed_at")),),
)  # fmt: skip
OUTAGES: Final = Part(
    "outages", (kinds.DARK,), closed=(kinds.SEEING,), on="outage", subject="outage", code="camera"
)

COURSE: Final = Course(
    accepted="called_at",
    completed="closed_at",
    figures=(
        ("tickets", "ticket_at", ""),
        ("abandoned", "abandoned_at", ""),
        ("help_calls", "help_at", ""),
        ("help_answered", "help_answered_at", ""),
        ("help_unanswered", "help_unanswered_at", ""),
    ),
)

WINDOW_MONTH: Final = (
    Fact("abandoned", "count", "弃号数", "tickets given up", count(kinds.ABANDONED)),
    Fact("abandoned_at", "instant", "最近弃号时间", "the last of them", last(kinds.ABANDONED)),
)
CAMERA_MONTH: Final = (
    Fact(
        "outages",
        "count",
        "离线次数",
        "how often it was dark in opening hours",
        count(kinds.DARK, where=pl.col("open_hours")),
    ),
    Fact("dark_at", "instant", "最近离线时间", "the last time", last(kinds.DARK)),
)
HELP_MONTH: Final = (
    Fact("unanswered", "count", "无人应答求助数", "calls for help that nobody answered here", count(kinds.HELP_UNANSWERED)),
    Fact("unanswered_at", "instant", "最近无人应答时间", "the last of them", last(kinds.HELP_UNANSWERED)),
)  # fmt: skip
