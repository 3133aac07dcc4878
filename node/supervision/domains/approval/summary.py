"""One line about each approval case, and what it adds to the figures of a day.

Figures never depend on now: everything they count is an event with a day of its own, and whether a completed case was late is
settled by its completion. Days are local days of the case's zone. A case is received where it was filed, never where it was signed
for; it is handled once at every other node that signed for it.
"""

from typing import Final

import polars as pl

from node.supervision.domains.approval import clocks
from node.supervision.domains.approval import events as kinds
from node.supervision.domains.approval.facts import EXTENSION
from node.supervision.fold import FIGURES, SUMMARY, Ground, local_day, nulls

RECEIVED: Final = "received"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
COMPLETED: Final = "completed"
ON_TIME: Final = "on_time"
LATE: Final = "late"
HANDED_OVER: Final = "handed_over"
HANDLED: Final = "handled"
RETURNED: Final = "returned"
FEE_DUE: Final = "fee_due_fen"
FEE_CHARGED: Final = "fee_charged_fen"


def summary(ground: Ground, read: pl.DataFrame) -> pl.DataFrame:
    """Columns of `SUMMARY`, in case order. Late: past the statutory due, or the promised one where there is no statutory limit."""
    cases = ground.frames["cases"]
    n = cases.height
    statutory, promised, length = (
        read.filter(read["name"] == name) for name in (clocks.STATUTORY, clocks.PROMISED, clocks.LENGTH)
    )

    def placed(rows: pl.DataFrame, column: str) -> pl.Series:
        return nulls(n, rows.schema[column].__class__).scatter(rows["case"], rows[column])

    used = placed(statutory, "used")
    if length.height:
        used = used.zip_with(used.is_not_null(), placed(length, "used"))
    by_statute, by_promise = placed(statutory, "late"), placed(promised, "late")
    paused = ground.facts.parts["pauses"].filter(
        (pl.col("kind") != EXTENSION) & pl.col("counts") & pl.col("end_at").is_null()
    )
    is_paused = pl.Series([False]).new_from_index(0, n).scatter(paused["case"], True)
    completed = cases["completed_at"].is_not_null()
    return cases.select(
        "item",
        "agency",
        pl.when(completed)
        .then(pl.lit("completed"))
        .when(pl.col("refused_at").is_not_null())
        .then(pl.lit("refused"))
        .when(~pl.col("held"))
        .then(pl.lit("handed_over"))
        .when(is_paused)
        .then(pl.lit("paused"))
        .when(pl.col("accepted_at").is_not_null())
        .then(pl.lit("accepted"))
        .otherwise(pl.lit("received"))
        .alias("state"),
        pl.col("received_at").alias("received_at_us"),
        pl.col("accepted_at").alias("accepted_at_us"),
        pl.col("completed_at").alias("completed_at_us"),
        placed(statutory, "due_at").alias("statutory_due_us"),
        placed(promised, "due_at").alias("promised_due_us"),
        placed(statutory, "over").alias("statutory_over"),
        placed(promised, "over").alias("promised_over"),
        by_statute.zip_with(by_statute.is_not_null(), by_promise).alias("late"),
        used.zip_with(completed, nulls(n, pl.Int32)).alias("duration_days"),
        "applicant",
    ).select(pl.col(name).cast(kind) for name, kind in SUMMARY.items())


def figures(ground: Ground, summed: pl.DataFrame) -> pl.DataFrame:
    """Columns of `FIGURES`: every amount that a case adds to a day."""
    cases, parts = ground.frames["cases"], ground.facts.parts
    zone = cases["zone"]
    due = cases.select(pl.coalesce("fee_stated", "fee_due")).to_series()
    late = summed["late"]
    received = pl.coalesce("applied_at", "first_at")
    received_at = cases.select(pl.when("filed_here").then(received)).to_series()
    completed_at = cases["completed_at"]
    handled_at = cases.select(pl.when(~pl.col("filed_here")).then("first_entered_at")).to_series()
    # The fee falls due with the acceptance here; of a case filed and completed here without one, with the completion.
    due_at = cases.select(
        pl.coalesce("accepted_here_at", pl.when("filed_here").then("completed_at"))
    ).to_series()
    left, fees = parts["left"], parts["fees"]
    counted = [
        _counted(RECEIVED, received_at, zone),
        _counted(ACCEPTED, cases["accepted_here_at"], zone),
        _counted(REFUSED, cases["refused_at"], zone),
        _counted(COMPLETED, completed_at, zone),
        _counted(ON_TIME, completed_at.zip_with((~late).fill_null(False), nulls(1, pl.Int64)), zone),
        _counted(LATE, completed_at.zip_with(late.fill_null(False), nulls(1, pl.Int64)), zone),
        _counted(HANDLED, handled_at, zone),
        _counted(FEE_DUE, due_at, zone, due),
    ]
    for figure, kind in ((HANDED_OVER, kinds.HANDED_OVER), (RETURNED, kinds.RETURNED)):
        gone = left.filter(left["kind"] == kind)
        counted.append(_counted(figure, gone["at_us"], zone.gather(gone["case"]), case=gone["case"]))
    counted.append(
        _counted(FEE_CHARGED, fees["at_us"], zone.gather(fees["case"]), fees["amount"], fees["case"])
    )
    return pl.concat([one for one in counted if one.height] or [pl.DataFrame(schema=FIGURES)])


def _counted(
    figure: str,
    at: pl.Series,
    zone: pl.Series,
    amount: pl.Series | None = None,
    case: pl.Series | None = None,
) -> pl.DataFrame:
    """An amount (by default one) on the local day of each instant that is there."""
    rows = at.len()
    if case is None:
        case = pl.int_range(rows, dtype=pl.UInt32, eager=True)
    there = at.is_not_null()
    if amount is not None:
        there = there & (amount.fill_null(0) != 0)
    if not there.all():
        at, zone, case = at.filter(there), zone.filter(there), case.filter(there)
        amount = None if amount is None else amount.filter(there)
    ones = pl.Series([1], dtype=pl.Int64).new_from_index(0, at.len())
    return pl.DataFrame(
        {
            "case": case,
            "day": local_day(at, zone),
            "figure": pl.Series([figure]).new_from_index(0, at.len()),
            "amount": ones if amount is None else amount,
        }
    )
