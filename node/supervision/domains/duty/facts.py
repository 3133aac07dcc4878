"""What is known of a matter of the grid, of each dispatch of it, of an object and of a cell. Sources: as in `events`."""

from typing import Final

import polars as pl

from node.supervision.domains.duty import events as kinds
from node.supervision.factbook import Fact, any_of, count, first, last
from node.supervision.staged import Course, Part

FACTS: Final = (
    Fact("collected_at", "instant", "采集时间", "when it was reported", first(kinds.COLLECTED)),
    Fact("collected_by", "code", "采集人", "by whom", first(kinds.COLLECTED, of="actor")),
    Fact("matter", "code", "事项", "what it is", last(kinds.COLLECTED, kinds.OPENED, of="matter")),
    Fact("opened_at", "instant", "立案时间", "when the case was opened", first(kinds.OPENED)),
    Fact("severity", "code", "严重程度", "how grave it is", first(kinds.OPENED, of="severity")),
    Fact("dispatched_at", "instant", "派遣时间", "when it was first dispatched", first(kinds.DISPATCHED)),
    Fact("redispatched_at", "instant", "最近派遣时间", "when it was last dispatched", last(kinds.DISPATCHED)),
    Fact("dispatches", "count", "派遣次数", "how often", count(kinds.DISPATCHED)),
    Fact("dispatched_by", "code", "派遣人", "by whom", last(kinds.DISPATCHED, of="actor")),
    Fact("limit_stated", "days", "处置时限", "working days to handle it, as dispatched", last(kinds.DISPATCHED, of="limit_days")),
    Fact("handled_at", "instant", "处置时间", "when it was handled", last(kinds.HANDLED)),
    Fact("handled_by", "code", "处置人", "by whom", last(kinds.HANDLED, of="actor")),
    Fact("feedback_at", "instant", "反馈时间", "when that was reported back", last(kinds.FEEDBACK)),
    Fact("verified_at", "instant", "核查时间", "when it was verified", last(kinds.VERIFIED)),
    Fact("verified_by", "code", "核查人", "by whom", last(kinds.VERIFIED, of="actor")),
    Fact("verdict", "code", "核查结论", "what the last verification says", last(kinds.VERIFIED, of="outcome")),
    Fact("passed_at", "instant", "核查通过时间", "when it last passed a verification", last(kinds.VERIFIED, where=pl.col("outcome").fill_null("passed") != "failed")),
    Fact("feedback_or_later_at", "instant", "反馈、核查或结案时间", "when it was reported back, verified or closed",
         pl.min_horizontal(*(pl.when(pl.col(one) >= pl.col("handled_at")).then(one) for one in ("feedback_at", "verified_at", "closed_at")))),
    Fact("closed_at", "instant", "结案时间", "when it was closed", first(kinds.CLOSED)),
    Fact("closed_by", "code", "结案人", "by whom", first(kinds.CLOSED, of="actor")),
    Fact("evaluated_at", "instant", "评价时间", "when it was evaluated", first(kinds.EVALUATED)),
    Fact("object_case", "flag", "非案卷事件", "it is about objects or cells and no matter of the grid",
         any_of(kinds.ASSIGNED, kinds.INSPECTED, kinds.RECTIFIED, kinds.RELEASED, kinds.CELL_ASSIGNED, kinds.PATROLLED, kinds.CELL_RELEASED)),
    Fact("began_at", "instant", "起始时间", "when it began", pl.coalesce("collected_at", "opened_at", "first_at")),
    Fact("reported_at", "instant", "处置或反馈时间", "when it was handled or reported back", pl.coalesce("handled_at", "feedback_at")),
)  # fmt: skip

DISPATCHES: Final = Part(
    "dispatches", (kinds.DISPATCHED,), closed=(kinds.HANDLED, kinds.FEEDBACK, kinds.REFUSED, kinds.CLOSED), subject="dispatch"
)  # fmt: skip
VISITS: Final = Part("visits", (kinds.INSPECTED,), subject="inspection")

COURSE: Final = Course(
    received="began_at",
    accepted="opened_at",
    completed="closed_at",
    figures=(("inspections_dispatched", "dispatched_at", ""),),
)

OBJECT: Final = (
    Fact("assigned_at", "instant", "计划时间", "when its inspection was planned", last(kinds.ASSIGNED)),
    Fact("every_days", "days", "检查周期", "how often it is to be inspected, in days", last(kinds.ASSIGNED, of="every_days")),
    Fact("responsible", "code", "责任人", "who is responsible", last(kinds.ASSIGNED, of="responsible")),
    Fact("inspected_at", "instant", "最近检查时间", "when it was last inspected", last(kinds.INSPECTED)),
    Fact("found_at", "instant", "最近发现隐患时间", "when something was last found", last(kinds.INSPECTED, where=pl.col("outcome") == "found")),
    Fact("found_by", "code", "检查人", "by whom", last(kinds.INSPECTED, of="actor", where=pl.col("outcome") == "found")),
    Fact("found_due_day", "day", "整改限期", "by when it is to be put right", last(kinds.INSPECTED, of="due_day", where=pl.col("outcome") == "found")),
    Fact("rectified_last_at", "instant", "最近整改时间", "when something was last put right", last(kinds.RECTIFIED)),
    Fact("released_at", "instant", "注销时间", "when it ceased to be supervised", first(kinds.RELEASED)),
    Fact("since_at", "instant", "本期起算时间", "from when the next inspection is due", pl.max_horizontal("inspected_at", "assigned_at")),
    Fact("rectified_at", "instant", "整改时间", "when what was found last was put right",
         pl.when(pl.col("rectified_last_at") >= pl.col("found_at")).then("rectified_last_at")),
)  # fmt: skip

CELL: Final = (
    Fact("assigned_at", "instant", "划定时间", "when it was assigned", last(kinds.CELL_ASSIGNED)),
    Fact(
        "every_days",
        "days",
        "巡查周期",
        "how often it is to be walked, in days",
        last(kinds.CELL_ASSIGNED, of="every_days"),
    ),
    Fact("responsible", "code", "网格员", "who is responsible", last(kinds.CELL_ASSIGNED, of="responsible")),
    Fact("patrolled_at", "instant", "最近巡查时间", "when it was last walked", last(kinds.PATROLLED)),
    Fact(
        "released_last_at", "instant", "最近撤销时间", "when it was last released", last(kinds.CELL_RELEASED)
    ),
    Fact(
        "since_at",
        "instant",
        "本期起算时间",
        "from when the next is due",
        pl.max_horizontal("patrolled_at", "assigned_at"),
    ),
    Fact(
        "released_at",
        "instant",
        "撤销时间",
        "when it ceased to be walked",
        pl.when(pl.col("released_last_at") >= pl.col("assigned_at")).then("released_last_at"),
    ),
)
