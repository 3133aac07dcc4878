"""Which limits an approval case is under: when it counts as accepted, which catalogue version applies, what was stated.

Acceptance (行政许可法 §32): the recorded one, unless the law puts an earlier one in its place. What is missing must be told once
within five working days of the receipt of the materials; "逾期不告知的，自收到申请材料之日起即为受理". So a receipt (the application, or
materials handed in later) that nobody answered in time (by telling, passing on, accepting or refusing) is the acceptance, and an
acceptance recorded after that moves nothing: else a card could be wiped out by accepting late. The five days are the length of the rule
`approval.correction.late`; a policy that switches this rule off switches the deeming off with it. A deemed acceptance never rests on
provisional days, and is told from the application only at the node where the case was filed.

A limit that the source states wins over the catalogue's, a stated due over a stated limit. The catalogue version is the one in force
on the day of acceptance (before that: of receipt). Where no promised limit is stated or published, the statutory one is the promise.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from node.supervision.clock import CLOCK_SCHEMA, PAUSE_SCHEMA, WORKING, RunningClocks
from node.supervision.context import Context
from node.supervision.fold import Facts, local_day, nulls

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
_WAKES: Final[dict[str, type[pl.DataType]]] = {"case": pl.UInt32, "at_us": pl.Int64}
_LIMIT: Final = ("amount", "unit", "roll", "due_at", "due_day")


@dataclass(frozen=True)
class Limits:
    """The cases with `began_at` (where the whole's clocks start), `deemed`, `version`, `stop_at` and the limits in force."""

    cases: pl.DataFrame
    wakes: pl.DataFrame
    """(case, at_us): when an unanswered application will count as accepted."""


def limits(facts: Facts, context: Context, as_of_us: int, told_within: int | None) -> Limits:
    """Apply the law and the catalogue to the facts as of an instant; `told_within` None: no acceptance is deemed."""
    cases = facts.cases
    if told_within is None:
        deemed_at, wakes = nulls(cases.height, pl.Int64), pl.DataFrame(schema=_WAKES)
    else:
        deemed_at, wakes = _deemed(facts, context, as_of_us, told_within)
    cases = cases.with_columns(deemed_at.alias("deemed_at")).with_columns(
        deemed=(pl.col("deemed_at") < pl.col("accepted_at")).fill_null(pl.col("deemed_at").is_not_null()),
        accepted_at=pl.min_horizontal("deemed_at", "accepted_at"),
        stop_at=pl.coalesce("completed_at", "refused_at", pl.when(~pl.col("held")).then("left_at")),
    )
    cases = cases.with_columns(
        # Nobody completes what was not taken in: without a record the materials were complete when they were received.
        began_at=pl.coalesce(
            "accepted_at",
            pl.when(pl.col("completed_at").is_not_null() & pl.col("applied_at").is_not_null()).then(
                "received_at"
            ),
        )
    )
    accepted = cases["accepted_at"]
    day = local_day(accepted.zip_with(accepted.is_not_null(), cases["received_at"]), cases["zone"])
    version = context.catalogue.versions_on(cases["item"], day)
    published = context.catalogue.versions.select(
        pl.exclude("item", "number", "valid_from", "valid_to").gather(version)
    ).rename({f"{clock}_unit": f"{clock}_unit_published" for clock in ("statutory", "promised")})
    cases = cases.with_columns(version.alias("version"), *published.get_columns())
    return Limits(_in_force(cases), wakes)


def _deemed(
    facts: Facts, context: Context, as_of_us: int, told_within: int
) -> tuple[pl.Series, pl.DataFrame]:
    """When each case counts as accepted because nobody answered a receipt in time, and when more will."""
    cases = facts.cases
    none = nulls(cases.height, pl.Int64)
    answered = pl.min_horizontal("checked_at", "accepted_here_at", "refused_at", "told_at", "completed_at")
    here = cases.filter(cases["filed_here"] & cases["applied_at"].is_not_null()).with_columns(
        gone_at=pl.when(~pl.col("held")).then("left_at")
    )
    windows = here.select("case", "zone", start_at="applied_at", stop_at=pl.coalesce(answered, "gone_at"))
    receipts = facts.parts["receipts"]
    if receipts.height:
        later = receipts.join(here.select("case", "zone", "gone_at"), on="case").select(
            "case", "zone", start_at="at_us", stop_at=pl.coalesce("answered_at", "gone_at")
        )
        windows = pl.concat([windows, later])
    # In as many natural days no more working days can pass.
    windows = windows.filter(
        windows["stop_at"].is_null() | (windows["stop_at"] - windows["start_at"] > told_within * _DAY)
    )
    if windows.is_empty():
        return none, pl.DataFrame(schema=_WAKES)
    clocks = RunningClocks(
        _terms(windows, told_within), pl.DataFrame(schema=PAUSE_SCHEMA), context.calendar, context.hours
    )
    reached = clocks.over_reaches(1)
    reading = clocks.at(_EPOCH + timedelta(microseconds=as_of_us))
    holds = (reached <= as_of_us).fill_null(False) & ~reading["provisional"].fill_null(True)
    found = windows.filter(holds).group_by("case").agg(pl.col("start_at").min())
    later_on = (reached > as_of_us).fill_null(False)
    wakes = pl.DataFrame({"case": windows["case"].filter(later_on), "at_us": reached.filter(later_on)})
    return none.scatter(found["case"], found["start_at"]), wakes


def _terms(windows: pl.DataFrame, days: int) -> pl.DataFrame:
    height = windows.height
    return pl.DataFrame(
        {
            "clock": pl.int_range(height, eager=True),
            "zone": windows["zone"],
            "start_at": windows["start_at"],
            "stop_at": windows["stop_at"],
            "amount": pl.Series([days], dtype=pl.Int32).new_from_index(0, height),
            "unit": pl.Series([WORKING]).new_from_index(0, height),
            **{
                name: nulls(height, CLOCK_SCHEMA[name])
                for name in ("extension", "roll_forward", "stated_due_at", "stated_due_day")
            },
        }
    )


def _in_force(cases: pl.DataFrame) -> pl.DataFrame:
    """The terms of the two clocks of the whole, stated before published, and promised falling back to statutory."""
    stated = []
    for clock in ("statutory", "promised"):
        days, unit = pl.col(f"{clock}_days"), pl.col(f"{clock}_unit_published")
        due_at = pl.col(f"{clock}_due_at")
        due_day = pl.col(f"{clock}_due_day").cast(pl.Int32)
        stated += [
            pl.coalesce(days.cast(pl.Int32), pl.col(f"{clock}_amount")).alias(f"{clock}_amount"),
            pl.when(days.is_not_null())
            .then(pl.col(f"{clock}_unit").fill_null(WORKING))
            .otherwise(unit)
            # A stated due needs no unit to be due; its `over` is then read in working days.
            .fill_null(WORKING)
            .alias(f"{clock}_unit"),
            pl.col(f"{clock}_roll").fill_null(False),
            due_day.alias(f"{clock}_due_day"),
            pl.any_horizontal(
                due_at.is_not_null(),
                due_day.is_not_null(),
                days.is_not_null(),
                pl.col(f"{clock}_amount").is_not_null(),
            ).alias(f"{clock}_given"),
        ]
    cases = cases.with_columns(stated)
    fallback = [
        pl.when("promised_given")
        .then(f"promised_{name}")
        .otherwise(f"statutory_{name}")
        .alias(f"promised_{name}")
        for name in _LIMIT
    ]
    due_stated = pl.any_horizontal(
        pl.col(f"{clock}_due_{kind}").is_not_null()
        for clock in ("statutory", "promised")
        for kind in ("at", "day")
    )
    return cases.with_columns(
        *fallback,
        promised_given=pl.col("promised_given") | pl.col("statutory_given"),
        began_at=pl.coalesce("began_at", pl.when(due_stated).then("received_at")),
    )
