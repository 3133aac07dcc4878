"""Which limits an approval case is under: when it counts as accepted, which catalogue version applies, what was stated.

Acceptance (行政许可法 §32): the recorded one, unless the law puts an earlier one in its place. What is missing must be told once
within five working days of the receipt of the materials; "逾期不告知的，自收到申请材料之日起即为受理". So a receipt (the application, or
materials handed in later) that nobody answered in time (by telling, passing on, accepting or refusing) is the acceptance, and an
acceptance recorded after that moves nothing: else a card could be wiped out by accepting late. The five days are the length of the rule
`approval.correction.late`; a policy that switches this rule off switches the deeming off with it. A deemed acceptance never rests on
provisional days, and is told from the application only at the node where the case was filed.

A limit that the source states wins over the catalogue's, a stated due over a stated limit. The catalogue version is the one in force
on the day of acceptance (before that: of receipt), to the instant where it rules from one. Where no promised limit is stated or published, the statutory one is the promise. The fee is the one published with the version, or what the library of fee
standards says on that day.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from node.supervision.clock import CLOCK_SCHEMA, NATURAL, PAUSE_SCHEMA, WORKING, RunningClocks
from node.supervision.columns import (
    coalesce,
    constant,
    fill,
    frame,
    keep_rows,
    least,
    nulls,
    numbers,
    only,
    present,
    take,
    true,
    where,
)
from node.supervision.context import Context
from node.supervision.fold import Facts
from node.supervision.library import FEE_STANDARDS, Standard

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000_000
_CLOCKS: Final = ("statutory", "promised")
_FEE: Final = Standard("fee", FEE_STANDARDS, code="code", grade="grade", at="at")
_NO_WAKES: Final = pl.DataFrame(schema={"case": pl.UInt32, "at_us": pl.Int64})
_NO_PAUSES: Final = pl.DataFrame(schema=PAUSE_SCHEMA)
_PUBLISHED: Final = (
    "fee_due",
    "fee_basis",
    "required_steps",
    "named_procedures",
    "tier_amount",
    "tier_unit",
    "tier_roll",
)


@dataclass(frozen=True)
class Limits:
    """The cases with `began_at` (where the whole's clocks start), `deemed`, `version`, `stop_at` and the limits in force."""

    cases: pl.DataFrame
    wakes: pl.DataFrame
    """(case, at_us): when an unanswered application will count as accepted."""


def limits(facts: Facts, context: Context, as_of_us: int, told_within: int | None) -> Limits:
    """Apply the law and the catalogue to the facts as of an instant; `told_within` None: no acceptance is deemed."""
    cases = facts.cases
    deemed_at, wakes = nulls(cases.height, pl.Int64), _NO_WAKES
    if told_within is not None:
        deemed_at, wakes = _deemed(facts, context, as_of_us, told_within)
    recorded_at, received_at, completed_at = cases["accepted_at"], cases["received_at"], cases["completed_at"]
    accepted_at = least(recorded_at, deemed_at)
    deemed = present(deemed_at) & ~true(recorded_at <= deemed_at)
    began_at = coalesce(accepted_at, received_at)
    version = context.catalogue.versions_begun(cases["item"], began_at, received_at, cases["zone"])
    published = context.catalogue.versions
    terms = _in_force(cases, published, version)
    due_stated = present(
        coalesce(*(cases[f"{clock}_due_{kind}"] for clock in _CLOCKS for kind in ("at", "day")))
    )
    # Nobody completes what was not taken in: without a record the materials were complete when they were received.
    taken_in = present(completed_at) & present(cases["applied_at"])
    replaced = ("accepted_at", *(name for name in terms if name in cases.columns))
    applied = frame(
        accepted_at=accepted_at,
        deemed=deemed,
        began_at=coalesce(accepted_at, only(received_at, taken_in | due_stated)),
        stop_at=coalesce(completed_at, cases["refused_at"], only(cases["left_at"], ~cases["held"])),
        version=version,
        **terms,
        **{name: take(published[name], version) for name in _PUBLISHED},
    )
    if context.catalogue.by_standard:
        applied = _priced(applied, cases["zone"], began_at, context)
    kept = [column for column in cases.get_columns() if column.name not in replaced]
    return Limits(pl.DataFrame(kept + applied.get_columns()), wakes)


def _priced(applied: pl.DataFrame, zone: pl.Series, began_at: pl.Series, context: Context) -> pl.DataFrame:
    """With the fee of the items that name a standard, as the library had it when the case began; undetermined where it has none, or a range."""
    published, version = context.catalogue.versions, applied["version"]
    asked = frame(
        zone=zone,
        at=began_at,
        code=take(published["fee_standard"], version),
        grade=take(published["fee_grade"], version),
    )
    told = _FEE.beside(asked, context.libraries)
    exact = only(told["fee_low"], true(told["fee_low"] == told["fee_high"]))
    by_standard = fill(asked["code"], "") != ""
    return applied.with_columns(fee_due=where(by_standard, exact, applied["fee_due"]))


def _deemed(
    facts: Facts, context: Context, as_of_us: int, told_within: int
) -> tuple[pl.Series, pl.DataFrame]:
    """When each case counts as accepted because nobody answered a receipt in time, and when more will."""
    cases = facts.cases
    answered = least(
        *(cases[name] for name in ("checked_at", "accepted_here_at", "refused_at", "told_at", "completed_at"))
    )
    gone_at = only(cases["left_at"], ~cases["held"])
    here = cases["filed_here"] & present(cases["applied_at"])
    windows = frame(
        case=cases["case"],
        zone=cases["zone"],
        start_at=cases["applied_at"],
        stop_at=coalesce(answered, gone_at),
    )
    # In as many natural days no more working days can pass.
    windows = keep_rows(windows, here & ~true(windows["stop_at"] - windows["start_at"] <= told_within * _DAY))
    receipts = facts.parts["receipts"]
    # What is handed in after the decision waits for no acceptance; else the figures of a decided case would change with time.
    decided_at = least(cases["completed_at"], cases["refused_at"])
    receipts = keep_rows(receipts, ~true(receipts["at_us"] >= decided_at[receipts["case"]]))
    if receipts.height:
        case = receipts["case"]
        later = frame(
            case=case,
            zone=cases["zone"][case],
            start_at=receipts["at_us"],
            stop_at=coalesce(receipts["answered_at"], gone_at[case]),
        )
        windows = windows.vstack(keep_rows(later, here[case]))
    none = nulls(cases.height, pl.Int64)
    if windows.is_empty():
        return none, _NO_WAKES
    clocks = RunningClocks(_terms(windows, told_within), _NO_PAUSES, context.calendar, context.hours)
    reached = clocks.over_reaches(1)
    reading = clocks.at(_EPOCH + timedelta(microseconds=as_of_us))
    holds = true(reached <= as_of_us) & ~fill(reading["provisional"], True)
    found = windows.filter(holds).group_by("case").agg(pl.col("start_at").min())
    later_on = true(reached > as_of_us)
    wakes = frame(case=windows["case"].filter(later_on), at_us=reached.filter(later_on))
    return none.scatter(found["case"], found["start_at"]), wakes


def _terms(windows: pl.DataFrame, days: int) -> pl.DataFrame:
    height = windows.height
    return frame(
        clock=numbers(height).cast(pl.Int64),
        zone=windows["zone"],
        start_at=windows["start_at"],
        stop_at=windows["stop_at"],
        amount=constant(days, height, pl.Int32),
        unit=constant(WORKING, height, pl.String),
        **{
            name: nulls(height, CLOCK_SCHEMA[name])
            for name in ("extension", "roll_forward", "stated_due_at", "stated_due_day")
        },
    )


def stated_roll(published_unit: pl.Series, published_roll: pl.Series) -> pl.Series:
    """Whether the last day of a limit that the source states rolls forward: as published for natural days, else it does (民法典 §203).

    A source states days and their unit, never this; in working days it makes no difference.
    """
    return fill(only(published_roll, true(published_unit == NATURAL)), True)


def _in_force(cases: pl.DataFrame, published: pl.DataFrame, version: pl.Series) -> dict[str, pl.Series]:
    """The terms of the two clocks of the whole, stated before published, and promised falling back to statutory."""
    terms: dict[str, pl.Series] = {}
    for clock in _CLOCKS:
        days = cases[f"{clock}_days"].cast(pl.Int32)
        due_at, due_day = cases[f"{clock}_due_at"], cases[f"{clock}_due_day"].cast(pl.Int32)
        amount = coalesce(days, take(published[f"{clock}_amount"], version))
        published_unit, published_roll = (
            take(published[f"{clock}_{name}"], version) for name in ("unit", "roll")
        )
        unit = where(present(days), cases[f"{clock}_unit"], published_unit)
        mine = {
            "amount": amount,
            # A stated due needs no unit to be due; its `over` is then read in working days.
            "unit": fill(unit, WORKING),
            "roll": where(
                present(days), stated_roll(published_unit, published_roll), fill(published_roll, False)
            ),
            "due_at": due_at,
            "due_day": due_day,
        }
        given = present(amount) | present(due_at) | present(due_day)
        if clock == "promised" and not given.all():
            mine = {name: where(given, column, terms[f"statutory_{name}"]) for name, column in mine.items()}
        terms.update({f"{clock}_{name}": column for name, column in mine.items()})
    return terms
