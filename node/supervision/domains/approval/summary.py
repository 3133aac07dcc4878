"""One line about each approval case, and what it adds to the figures of a day.

Figures never depend on now: everything they count is an event with a day of its own, and whether a completed case was late is
settled by its completion. Days are local days of the case's zone. A case is received where it was filed, never where it was signed
for; it is handled once at every other node that signed for it.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from node.supervision.columns import (
    coalesce,
    constant,
    fill,
    frame,
    has,
    keep_rows,
    nulls,
    only,
    present,
    where,
)
from node.supervision.counting import ACCEPTED, COMPLETED, LATE, ON_TIME, RECEIVED, REFUSED, counted, on_days
from node.supervision.domains.approval import clocks
from node.supervision.domains.approval import events as kinds
from node.supervision.domains.approval.facts import EXTENSION
from node.supervision.fold import SUMMARY, Ground

HANDED_OVER: Final = "handed_over"
HANDLED: Final = "handled"
RETURNED: Final = "returned"
FEE_DUE: Final = "fee_due_fen"
FEE_CHARGED: Final = "fee_charged_fen"


_STATES: Final = pl.Series(["received", "accepted", "paused", "handed_over", "refused", "completed"])


def summary(ground: Ground, read: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Columns of `SUMMARY`, in case order. Late: past the statutory due, or the promised one where there is no statutory limit."""
    cases = ground.frames["cases"]
    n = cases.height

    def placed(clock: str, column: str) -> pl.Series:
        values = nulls(n, SUMMARY[_PLACED[column]])
        rows = read.get(clock)
        return values if rows is None else values.scatter(rows["case"], rows[column])

    pauses = ground.facts.parts["pauses"]
    lasting = keep_rows(pauses, (pauses["kind"] != EXTENSION) & pauses["counts"] & ~present(pauses["end_at"]))
    completed = present(cases["completed_at"])
    # Of several states that are true the last one is the case's.
    state = constant(0, n, pl.UInt32)
    for number, mask in enumerate(
        (
            present(cases["accepted_at"]),
            has(lasting["case"], n),
            ~cases["held"],
            present(cases["refused_at"]),
            completed,
        ),
        1,
    ):
        state = where(mask, constant(number, n, pl.UInt32), state)
    used = coalesce(placed(clocks.STATUTORY, "used"), placed(clocks.LENGTH, "used"))
    return frame(
        item=cases["item"],
        agency=cases["agency"],
        state=_STATES[state],
        received_at_us=cases["received_at"],
        accepted_at_us=cases["accepted_at"],
        completed_at_us=cases["completed_at"],
        statutory_due_us=placed(clocks.STATUTORY, "due_at"),
        promised_due_us=placed(clocks.PROMISED, "due_at"),
        statutory_over=placed(clocks.STATUTORY, "over"),
        promised_over=placed(clocks.PROMISED, "over"),
        late=coalesce(placed(clocks.STATUTORY, "late"), placed(clocks.PROMISED, "late")),
        duration_days=only(used, completed),
        applicant=cases["applicant"],
    )


def figures(ground: Ground, summed: pl.DataFrame) -> pl.DataFrame:
    """Columns of `FIGURES`: every amount that a case adds to a day."""
    cases, parts = ground.frames["cases"], ground.facts.parts
    filed_here, completed_at, late = cases["filed_here"], cases["completed_at"], summed["late"]
    case = cases["case"]
    # The fee falls due with the acceptance here; of a case filed and completed here without one, with the completion.
    due_at = coalesce(cases["accepted_here_at"], only(completed_at, filed_here))
    due = coalesce(cases["fee_stated"], cases["fee_due"])
    left, fees = parts["left"], parts["fees"]
    parts_counted = [
        counted(RECEIVED, only(coalesce(cases["applied_at"], cases["first_at"]), filed_here), case),
        counted(ACCEPTED, cases["accepted_here_at"], case),
        counted(REFUSED, cases["refused_at"], case),
        counted(COMPLETED, completed_at, case),
        counted(ON_TIME, only(completed_at, ~fill(late, True)), case),
        counted(LATE, only(completed_at, late), case),
        counted(HANDLED, only(cases["first_entered_at"], ~filed_here), case),
        counted(FEE_DUE, due_at, case, due),
        counted(HANDED_OVER, only(left["at_us"], left["kind"] == kinds.HANDED_OVER), left["case"]),
        counted(RETURNED, only(left["at_us"], left["kind"] == kinds.RETURNED), left["case"]),
        counted(FEE_CHARGED, fees["at_us"], fees["case"], fees["amount"]),
    ]
    return on_days(parts_counted, cases["zone"])


_PLACED: Final = {
    "due_at": "statutory_due_us",
    "over": "statutory_over",
    "late": "late",
    "used": "duration_days",
}
"""Which summary column has the type of a reading's column."""
