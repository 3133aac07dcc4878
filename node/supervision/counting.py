"""What cases add to the figures of a day: amounts at instants, put on the local days of their cases."""

from collections.abc import Iterable
from typing import Final

import polars as pl

from node.supervision.columns import constant, fill, frame, local_day, present

RECEIVED: Final = "received"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
COMPLETED: Final = "completed"
ON_TIME: Final = "on_time"
LATE: Final = "late"

_NOTHING: Final = pl.DataFrame(
    schema={"case": pl.UInt32, "at_us": pl.Int64, "figure": pl.String, "amount": pl.Int64}
)


def counted(
    figure: str, at: pl.Series, case: pl.Series, amount: pl.Series | None = None
) -> pl.DataFrame | None:
    """An amount (by default one) at each instant that is there; None where none is."""
    there = present(at)
    if amount is not None:
        there = there & (fill(amount, 0) != 0)
    if not there.any():
        return None
    rows = int(there.sum())
    return frame(
        case=case.filter(there),
        at_us=at.filter(there),
        figure=constant(figure, rows, pl.String),
        amount=constant(1, rows, pl.Int64) if amount is None else amount.filter(there),
    )


def on_days(parts: Iterable[pl.DataFrame | None], zone: pl.Series) -> pl.DataFrame:
    """Columns of `fold.FIGURES`; `zone` is that of each case."""
    rows = pl.concat([one for one in parts if one is not None] or [_NOTHING], rechunk=True)
    day = local_day(rows["at_us"], zone[rows["case"]])
    return frame(case=rows["case"], day=day, figure=rows["figure"], amount=rows["amount"])
