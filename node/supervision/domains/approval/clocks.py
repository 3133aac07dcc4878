"""The clocks that run for an approval case: of the whole, of each step, pause and tier, and of the duties around it.

A clock of the whole is judged by the node that holds the case: where it was handed over it stops at the leaving, as late as it
was then, and goes on with the node that signed for it. The clock of the tier counts a node's own days and nobody else's: from
acceptance (or signing for) to the last leaving, the time away taken out like a pause.

A step's clock runs from when the step began: as stated, else from the end of what came before it at this node (the step before, the
acceptance, the signing for). A step that has not been done yet has a clock only where the catalogue says that it must come and what
comes before it, and all of that is done; so nobody is accused of a step that may never be due.

Sources: DOMAIN §1, §2; 行政许可法 §32(4), §42–45.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from node.supervision.clock import WORKING
from node.supervision.context import Context
from node.supervision.domains.approval.limits import Limits
from node.supervision.fold import CLOCKS, GROUND_PAUSES, Facts, nulls, positions

STATUTORY: Final = "statutory"
PROMISED: Final = "promised"
STEP: Final = "step"
PAUSE: Final = "pause"
TIER: Final = "tier"
PRE_ACCEPTANCE: Final = "pre_acceptance"
CORRECTION: Final = "correction"
ISSUE: Final = "issue"
ENTRY: Final = "entry"
LENGTH: Final = "length"
"""Of a completed case without a limit: no rule reads it, but how many days it took is still a figure."""

ONLINE: Final = "online"

_PAUSED: Final = (STATUTORY, PROMISED, STEP, TIER, LENGTH)


def clocks(
    facts: Facts,
    limits: Limits,
    steps: pl.DataFrame,
    context: Context,
    days: Mapping[str, int | None],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All clocks, and their pauses. `steps` have their catalogue columns; `days` are the rules' own lengths by clock."""
    cases = limits.cases
    found = [
        _whole(cases, STATUTORY),
        _whole(cases, PROMISED),
        _length(cases),
        _done_steps(facts, cases, steps),
        _pending_steps(facts, cases, steps, context),
        _pauses(facts, cases),
        _tier(cases),
        _pre_acceptance(cases, days[PRE_ACCEPTANCE]),
        _corrections(facts, cases, days[CORRECTION]),
        _issue(cases, days[ISSUE]),
        _entries(facts, cases, days[ENTRY]),
    ]
    all_clocks = pl.concat([one for one in found if one.height] or [pl.DataFrame(schema=CLOCKS)])
    return all_clocks, _pauses_of(all_clocks, facts, cases)


def _rows(frame: pl.DataFrame, name: str, **terms: pl.Expr | str) -> pl.DataFrame:
    """Clocks called `name` out of rows of `frame`; what is not given is null, `part` is the case and the unit working days."""
    given: dict[str, pl.Expr | str] = {"case": "case", "zone": "zone", **terms}
    defaults = {"part": "case", "name": name, "unit": WORKING}
    columns = []
    for column, kind in CLOCKS.items():
        if column in given:
            value = given[column]
            expr = pl.col(value) if isinstance(value, str) else value
        else:
            expr = pl.lit(defaults.get(column), dtype=kind)
        columns.append(expr.cast(kind).alias(column))
    return frame.select(columns)


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema=CLOCKS)


def _whole(cases: pl.DataFrame, name: str) -> pl.DataFrame:
    """The statutory or promised clock of cases that have begun (行政许可法 §42); without a limit it is undetermined."""
    running = cases.filter(cases["began_at"].is_not_null())
    return _rows(
        running,
        name,
        actor="completed_by",
        start_at="began_at",
        stop_at="stop_at",
        amount=f"{name}_amount",
        unit=f"{name}_unit",
        extension="extension",
        roll_forward=f"{name}_roll",
        stated_due_at=f"{name}_due_at",
        stated_due_day=f"{name}_due_day",
    )


def _length(cases: pl.DataFrame) -> pl.DataFrame:
    unlimited = cases.filter(
        cases["completed_at"].is_not_null() & cases["began_at"].is_not_null() & ~cases["statutory_given"]
    )
    if unlimited.is_empty():
        return _none()
    return _rows(unlimited, LENGTH, start_at="began_at", stop_at="stop_at", amount=pl.lit(0))


def _done_steps(facts: Facts, cases: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Steps that were done and have a limit, stated by the event or published."""
    limited = steps["limit_days"].is_not_null() | steps["amount"].is_not_null()
    if not limited.any():
        return _none()
    began = _began(facts, cases, steps)
    stated = pl.col("limit_days").is_not_null()
    return _rows(
        steps.with_columns(began.alias("began_at"), cases["zone"].gather(steps["case"])).filter(limited),
        STEP,
        part=pl.lit("step"),
        code="step",
        nth="nth",
        agency="agency",
        actor=pl.when(pl.col("actor") != "").then("actor").otherwise("responsible"),
        start_at="began_at",
        stop_at="at_us",
        amount=pl.coalesce("limit_days", "amount"),
        unit=pl.when(stated).then(pl.col("limit_unit")).otherwise("unit").fill_null(WORKING),
        roll_forward="roll",
    )


def _began(facts: Facts, cases: pl.DataFrame, steps: pl.DataFrame) -> pl.Series:
    """When each step began: as stated, else at the end of what came before it here, else with the case."""
    place = pl.int_range(steps.height, dtype=pl.UInt32, eager=True)
    marks = [steps.select("case", "row", "at_us", place.alias("place"))]
    for name in ("accepted", "entered"):
        part = facts.parts[name]
        marks.append(part.select("case", "row", "at_us", nulls(part.height, pl.UInt32).alias("place")))
    ordered = pl.concat(marks).sort("case", "row")
    before = pl.when(pl.col("case") == pl.col("case").shift(1)).then(pl.col("at_us").shift(1))
    known = ordered.select("place", before.alias("before_at")).filter(pl.col("place").is_not_null())
    previous = nulls(steps.height, pl.Int64).scatter(known["place"], known["before_at"])
    return pl.select(
        pl.coalesce(
            steps["started_at"],
            previous,
            cases["accepted_at"].gather(steps["case"]),
            cases["received_at"].gather(steps["case"]),
        )
    ).to_series()


def _pending_steps(facts: Facts, cases: pl.DataFrame, steps: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Steps with a published limit that must come next in an open case held here."""
    catalogue = context.catalogue
    ahead = catalogue.steps.filter(catalogue.steps["required"] & catalogue.steps["amount"].is_not_null())
    open_cases = cases.filter(
        cases["stop_at"].is_null() & cases["accepted_at"].is_not_null() & cases["version"].is_not_null()
    )
    if ahead.is_empty() or open_cases.is_empty():
        return _none()
    done = (
        steps.filter(pl.col("case").is_in(open_cases["case"].implode()))
        .group_by("case", "step")
        .agg(pl.col("at_us").min())
    )
    pending = (
        open_cases.select(
            "case",
            "zone",
            "version",
            from_at=pl.max_horizontal(
                "accepted_at",
                # Signed for here again: the step begins no sooner.
                _last_entered(facts, cases).gather(open_cases["case"]),
            ),
        )
        .join(ahead, on="version")
        .join(done, on=["case", "step"], how="anti")
    )
    links = catalogue.after.join(
        pending.select("case", "version", "step"), on=["version", "step"], how="inner"
    ).join(done, left_on=["case", "before"], right_on=["case", "step"], how="left")
    ready = links.group_by("case", "step").agg(
        pl.col("at_us").max().alias("after_at"), pl.col("at_us").is_null().any().alias("waits")
    )
    pending = pending.join(ready, on=["case", "step"], how="left").filter(
        # Without anything named before it only the first step is known to be next.
        ~pl.col("waits").fill_null(pl.col("position") > 0)
    )
    return _rows(
        pending,
        STEP,
        part=pl.lit("step"),
        code="step",
        nth=pl.lit(1),
        actor="responsible",
        start_at=pl.max_horizontal("from_at", "after_at"),
        amount="amount",
        unit="unit",
        roll_forward="roll",
    )


def _last_entered(facts: Facts, cases: pl.DataFrame) -> pl.Series:
    entered = facts.parts["entered"]
    return entered["at_us"].gather(positions(entered["case"], cases.height, "last"))


def _pauses(facts: Facts, cases: pl.DataFrame) -> pl.DataFrame:
    """Special procedures with the days granted for them (§45); an extension has no clock of its own."""
    pauses = facts.parts["pauses"]
    granted = pauses.filter(
        pauses["counts"] & (pauses["granted_days"].is_not_null() | pauses["planned_end_day"].is_not_null())
    )
    if granted.is_empty():
        return _none()
    with_case = granted.with_columns(
        cases["zone"].gather(granted["case"]), cases["stop_at"].gather(granted["case"])
    )
    return _rows(
        with_case,
        PAUSE,
        part=pl.lit("pause"),
        nth="nth",
        agency="agency",
        actor="actor",
        start_at="at_us",
        stop_at=pl.min_horizontal("end_at", "stop_at"),
        amount="granted_days",
        # The days granted are the measure; a planned end stands in where they are not stated.
        stated_due_day=pl.when(pl.col("granted_days").is_null()).then("planned_end_day"),
    )


def _tier(cases: pl.DataFrame) -> pl.DataFrame:
    """The days of this node, for items whose cases cross tiers."""
    limited = cases.filter(cases["tier_amount"].is_not_null())
    if limited.is_empty():
        return _none()
    return _rows(
        limited,
        TIER,
        part=pl.lit("tier"),
        start_at=pl.when("filed_here")
        .then(pl.coalesce("accepted_at", "received_at"))
        .otherwise("first_entered_at"),
        stop_at="stop_at",
        amount="tier_amount",
        unit="tier_unit",
        roll_forward="tier_roll",
    )


def _pre_acceptance(cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From an application online to the agency's first answer (DOMAIN §2: two days)."""
    asked = cases["applied_at"].is_not_null() & (
        (cases["channel"] == ONLINE).fill_null(False) | cases["checked_at"].is_not_null()
    )
    if days is None or not asked.any():
        return _none()
    answered = pl.min_horizontal(
        "checked_at", "accepted_here_at", "refused_at", "told_at", "completed_at", "stop_at"
    )
    return _rows(
        cases.filter(asked),
        PRE_ACCEPTANCE,
        start_at="applied_at",
        stop_at=answered,
        amount=pl.lit(days),
    )


def _corrections(facts: Facts, cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From the receipt of materials to the telling of what is missing (§32(4): five working days)."""
    told = facts.parts["corrections"]
    if days is None or told.is_empty():
        return _none()
    return _rows(
        told.with_columns(cases["zone"].gather(told["case"])),
        CORRECTION,
        part=pl.lit("correction"),
        nth="nth",
        agency="agency",
        actor="actor",
        start_at="since_at",
        stop_at="at_us",
        amount=pl.lit(days),
    )


def _issue(cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From completion to the collection of the certificate, where the source records collections at all."""
    both = cases["completed_at"].is_not_null() & cases["collected_at"].is_not_null()
    if days is None or not both.any():
        return _none()
    return _rows(
        cases.filter(both),
        ISSUE,
        actor="completed_by",
        start_at="completed_at",
        stop_at="collected_at",
        amount=pl.lit(days),
    )


def _entries(facts: Facts, cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From an event to its entry, for the event of each case that was entered latest."""
    late = facts.parts["late_entries"]
    if days is None or late.is_empty():
        return _none()
    return _rows(
        late.with_columns(cases["zone"].gather(late["case"])),
        ENTRY,
        agency="agency",
        actor="actor",
        start_at="at_us",
        stop_at="received_at_us",
        amount=pl.lit(days),
    )


def _pauses_of(all_clocks: pl.DataFrame, facts: Facts, cases: pl.DataFrame) -> pl.DataFrame:
    """What is taken out of the clocks: pauses that count, and for the tier's clock the time away."""
    pauses = facts.parts["pauses"].filter(pl.col("counts"))
    away = facts.parts["away"]
    if pauses.is_empty() and away.is_empty():
        return pl.DataFrame(schema=GROUND_PAUSES)
    numbered = all_clocks.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("clock"), "case", "name")
    taken = [
        numbered.filter(numbered["name"].is_in(_PAUSED)).join(
            pauses.select(
                "case",
                start_at="at_us",
                # A pause that nobody ended ends with the case.
                end_at=pl.coalesce("end_at", cases["stop_at"].gather(pauses["case"])),
                granted=pl.col("granted_days").cast(pl.Int32),
            ),
            on="case",
        ),
        numbered.filter(numbered["name"] == TIER).join(
            away.select("case", start_at="at_us", end_at="end_at", granted=pl.lit(None, dtype=pl.Int32)),
            on="case",
        ),
    ]
    return pl.concat(taken).select(*GROUND_PAUSES)
