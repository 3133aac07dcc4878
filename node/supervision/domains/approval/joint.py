"""Joint handling (联合办理) and urging (催办) in an approval case: what other agencies and an urged desk owe, and since when.

Who handles a case jointly asks each agency for its share and gets an answer; the share is stated, else the rule's own length. The
whole has forty-five working days instead of twenty, and fifteen more when the head of the government approved them (行政许可法 §42). An
urging is answered by saying so, or by what it urges: a step, a decision, a refusal, a leaving of the case.
"""

from typing import Final

import polars as pl

from node.supervision.clock import WORKING
from node.supervision.clock_rows import NO_CLOCKS, clock_rows
from node.supervision.columns import (
    coalesce,
    constant,
    fill,
    frame,
    keep_rows,
    least,
    next_in,
    nth,
    nulls,
    present,
    take,
)
from node.supervision.domains.approval import events as kinds
from node.supervision.fold import CaseEvents, Facts

JOINT: Final = "joint"
SHARE: Final = "share"
URGE: Final = "urge"

ANSWERS: Final = (
    kinds.URGE_ANSWERED,
    kinds.STEP,
    kinds.COMPLETION,
    kinds.REFUSAL,
    kinds.HANDED_OVER,
    kinds.RETURNED,
)
"""What answers an urging."""


def shares(events: CaseEvents) -> pl.DataFrame:
    """Each asking of another agency for its share, by its serial (default: its place in the case), with the answer to it."""
    asked = _serially(events.of(kinds.JOINT_ASKED, "joint", "to_agency", "limit_days", "limit_unit", "actor"))
    answered = _serially(events.of(kinds.JOINT_ANSWERED, "joint", "actor")).select(
        "case", "nth", answered_at="at_us", answered_by="actor"
    )
    return asked.join(answered, on=["case", "nth"], how="left", maintain_order="left")


def urges(events: CaseEvents) -> pl.DataFrame:
    """Each urging with its number in the case and the first thing that answers it."""
    urged = events.of(kinds.URGED, "within_days", "actor", "agency", "row")
    number = nth(urged["case"]).alias("nth")
    part = constant(URGE, urged.height, pl.String).alias("part")
    if urged.is_empty():
        return urged.hstack(
            [number, part, nulls(0, pl.Int64).alias("answered_at"), nulls(0, pl.String).alias("by")]
        )
    replies = events.of(ANSWERS, "row", "actor")
    at = next_in(replies, urged)
    return urged.hstack(
        [
            number,
            part,
            take(replies["at_us"], at).alias("answered_at"),
            take(replies["actor"], at).alias("by"),
        ]
    )


def joint_clock(cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """The whole of a case that is handled jointly, from where its clocks start."""
    running = cases["joint"] & present(cases["began_at"])
    if days is None or not running.any():
        return NO_CLOCKS
    rows = keep_rows(cases[["case", "zone", "completed_by", "began_at", "stop_at", "extension"]], running)
    return clock_rows(
        rows,
        JOINT,
        actor=rows["completed_by"],
        start_at=rows["began_at"],
        stop_at=rows["stop_at"],
        amount=days,
        extension=rows["extension"],
    )


def share_clocks(facts: Facts, cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From the asking of each agency to its answer, at the latest to the end of the case."""
    asked = facts.parts["shares"]
    if days is None or asked.is_empty():
        return NO_CLOCKS
    case = asked["case"]
    return clock_rows(
        frame(case=case, zone=cases["zone"][case]),
        SHARE,
        part="share",
        nth=asked["nth"],
        agency=fill(asked["to_agency"], ""),
        actor=fill(asked["answered_by"], ""),
        start_at=asked["at_us"],
        stop_at=least(asked["answered_at"], cases["stop_at"][case]),
        amount=fill(asked["limit_days"].cast(pl.Int32), days),
        unit=fill(asked["limit_unit"], WORKING),
    )


def urge_clocks(facts: Facts, cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From an urging to what answers it."""
    urged = facts.parts["urges"]
    if days is None or urged.is_empty():
        return NO_CLOCKS
    case = urged["case"]
    return clock_rows(
        frame(case=case, zone=cases["zone"][case]),
        URGE,
        part=URGE,
        nth=urged["nth"],
        agency=urged["agency"],
        actor=fill(urged["by"], ""),
        start_at=urged["at_us"],
        stop_at=least(urged["answered_at"], cases["stop_at"][case]),
        amount=fill(urged["within_days"].cast(pl.Int32), days),
    )


def _serially(events: pl.DataFrame) -> pl.DataFrame:
    serial = coalesce(events["joint"], nth(events["case"])).alias("nth")
    return events.hstack([serial]).unique(["case", "nth"], keep="first", maintain_order=True)
