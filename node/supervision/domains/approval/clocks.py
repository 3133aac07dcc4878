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
from node.supervision.clock_rows import NO_CLOCKS, NO_PAUSES, by_name, clock_rows
from node.supervision.columns import (
    coalesce,
    fill,
    frame,
    greatest,
    keep_rows,
    least,
    nulls,
    only,
    present,
    true,
    where,
)
from node.supervision.context import Context
from node.supervision.domains.approval import events as kinds
from node.supervision.domains.approval import joint
from node.supervision.domains.approval.limits import Limits, stated_roll
from node.supervision.fold import GROUND_PAUSES, Facts

STATUTORY: Final = "statutory"
PROMISED: Final = "promised"
STEP: Final = "step"
PAUSE: Final = "pause"
TIER: Final = "tier"
PRE_ACCEPTANCE: Final = "pre_acceptance"
CORRECTION: Final = "correction"
ISSUE: Final = "issue"
JOINT: Final = joint.JOINT
SHARE: Final = joint.SHARE
URGE: Final = joint.URGE
ENTRY: Final = "entry"
LENGTH: Final = "length"
"""Of a completed case without a limit: no rule reads it, but how many days it took is still a figure."""

ONLINE: Final = "online"


_WHOLE: Final = {
    name: (
        "case",
        "zone",
        "completed_by",
        "began_at",
        "stop_at",
        "extension",
        *(f"{name}_{term}" for term in ("amount", "unit", "roll", "due_at", "due_day")),
    )
    for name in (STATUTORY, PROMISED)
}

_TIER: Final = [
    "case",
    "zone",
    "filed_here",
    "accepted_at",
    "received_at",
    "told_at",
    "first_entered_at",
    "stop_at",
    "tier_amount",
    "tier_unit",
    "tier_roll",
]
_ANSWERS: Final = ["checked_at", "accepted_here_at", "refused_at", "told_at", "completed_at", "stop_at"]

_PAUSED: Final = (STATUTORY, PROMISED, STEP, TIER, LENGTH, JOINT)


def clocks(
    facts: Facts,
    limits: Limits,
    steps: pl.DataFrame,
    context: Context,
    days: Mapping[str, int | None],
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """All clocks by name, and their pauses. `steps` have their catalogue columns; `days` are the rules' own lengths by clock."""
    cases = limits.cases
    found = [
        _whole(cases, STATUTORY),
        _whole(cases, PROMISED),
        _length(cases),
        _done_steps(facts, cases, steps),
        _pending_steps(cases, steps, context),
        _pauses(facts, cases),
        _tier(cases),
        _pre_acceptance(cases, days[PRE_ACCEPTANCE]),
        _corrections(facts, cases, days[CORRECTION]),
        _issue(cases, days[ISSUE]),
        _entries(facts, cases, days[ENTRY]),
        joint.joint_clock(cases, days[JOINT]),
        joint.share_clocks(facts, cases, days[SHARE]),
        joint.urge_clocks(facts, cases, days[URGE]),
    ]
    named = by_name(found)
    return named, _pauses_of(named, facts, cases)


def _whole(cases: pl.DataFrame, name: str) -> pl.DataFrame:
    """The statutory or promised clock of cases that have begun (行政许可法 §42); without a limit it is undetermined."""
    began = present(cases["began_at"])
    if not began.any():
        return NO_CLOCKS
    running = cases if began.all() else keep_rows(cases.select(*_WHOLE[name]), began)
    return clock_rows(
        running,
        name,
        actor=running["completed_by"],
        start_at=running["began_at"],
        stop_at=running["stop_at"],
        amount=running[f"{name}_amount"],
        unit=running[f"{name}_unit"],
        extension=running["extension"],
        roll_forward=running[f"{name}_roll"],
        stated_due_at=running[f"{name}_due_at"],
        stated_due_day=running[f"{name}_due_day"],
    )


def _length(cases: pl.DataFrame) -> pl.DataFrame:
    limited = present(coalesce(*(cases[f"statutory_{name}"] for name in ("amount", "due_at", "due_day"))))
    if limited.all():
        return NO_CLOCKS
    unlimited = cases.filter(present(cases["completed_at"]) & present(cases["began_at"]) & ~limited)
    if unlimited.is_empty():
        return NO_CLOCKS
    return clock_rows(
        unlimited, LENGTH, start_at=unlimited["began_at"], stop_at=unlimited["stop_at"], amount=0
    )


def _done_steps(facts: Facts, cases: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Steps that were done and have a limit, stated by the event or published."""
    limited = present(steps["limit_days"]) | present(steps["amount"])
    if not limited.any():
        return NO_CLOCKS
    began_at = _began(facts, cases, steps).filter(limited)
    done = steps if limited.all() else keep_rows(steps, limited)
    stated = present(done["limit_days"])
    rows = frame(case=done["case"], zone=cases["zone"][done["case"]])
    return clock_rows(
        rows,
        STEP,
        part="step",
        code=done["step"],
        nth=done["nth"],
        agency=done["agency"],
        actor=where(done["actor"] != "", done["actor"], done["responsible"]),
        start_at=began_at,
        stop_at=done["at_us"],
        amount=coalesce(done["limit_days"].cast(pl.Int32), done["amount"]),
        unit=fill(where(stated, done["limit_unit"], done["unit"]), WORKING),
        roll_forward=where(stated, stated_roll(done["unit"], done["roll"]), fill(done["roll"], False)),
    )


def _began(facts: Facts, cases: pl.DataFrame, steps: pl.DataFrame) -> pl.Series:
    """When each step began: as stated, else at the end of what came before it here, else with the case."""
    marks = facts.parts["marks"]
    case, at = marks["case"], marks["at_us"]
    done = marks["kind"] == kinds.STEP
    before = nulls(1, pl.Int64).append(only(at[:-1], case[1:] == case[:-1]))
    return coalesce(
        steps["started_at"],
        before.filter(done),
        cases["accepted_at"][steps["case"]],
        cases["received_at"][steps["case"]],
    )


def _pending_steps(cases: pl.DataFrame, steps: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Steps with a published limit that must come next in an open case held here."""
    ahead = context.catalogue.due_steps
    open_cases = ~present(cases["stop_at"]) & present(cases["accepted_at"]) & present(cases["version"])
    if ahead.is_empty() or not open_cases.any():
        return NO_CLOCKS
    opened = cases.filter(open_cases)
    done = steps.filter(open_cases[steps["case"]]).group_by("case", "step").agg(pl.col("at_us").min())
    pending = (
        # Signed for here again: the step begins no sooner.
        opened.select("case", "zone", "version", from_at=pl.max_horizontal("accepted_at", "last_entered_at"))
        .join(ahead, on="version")
        .join(done, on=["case", "step"], how="anti")
    )
    links = context.catalogue.after.join(
        pending.select("case", "version", "step"), on=["version", "step"], how="inner"
    ).join(done, left_on=["case", "before"], right_on=["case", "step"], how="left")
    ready = links.group_by("case", "step").agg(
        pl.col("at_us").max().alias("after_at"), pl.col("at_us").is_null().any().alias("waits")
    )
    pending = pending.join(ready, on=["case", "step"], how="left").filter(
        # Without anything named before it only the first step is known to be next.
        ~pl.col("waits").fill_null(pl.col("position") > 0)
    )
    return clock_rows(
        pending,
        STEP,
        part="step",
        code=pending["step"],
        nth=1,
        actor=pending["responsible"],
        start_at=greatest(pending["from_at"], pending["after_at"]),
        amount=pending["amount"],
        unit=pending["unit"],
        roll_forward=pending["roll"],
    )


def _pauses(facts: Facts, cases: pl.DataFrame) -> pl.DataFrame:
    """Special procedures with the days granted for them (§45); an extension has no clock of its own."""
    pauses = facts.parts["pauses"]
    if pauses.is_empty():
        return NO_CLOCKS
    granted = pauses.filter(
        pauses["counts"] & (present(pauses["granted_days"]) | present(pauses["planned_end_day"]))
    )
    case = granted["case"]
    return clock_rows(
        frame(case=case, zone=cases["zone"][case]),
        PAUSE,
        part="pause",
        nth=granted["nth"],
        agency=granted["agency"],
        actor=granted["actor"],
        start_at=granted["at_us"],
        stop_at=least(granted["end_at"], cases["stop_at"][case]),
        amount=granted["granted_days"],
        # The days granted are the measure; a planned end stands in where they are not stated.
        stated_due_day=only(granted["planned_end_day"], ~present(granted["granted_days"])),
    )


def _tier(cases: pl.DataFrame) -> pl.DataFrame:
    """The days of this node, for items whose cases cross tiers."""
    limited = present(cases["tier_amount"])
    if not limited.any():
        return NO_CLOCKS
    rows = keep_rows(cases[_TIER], limited)
    # Once corrections were told the applicant is waited for, and nobody's desk is, until there is an acceptance.
    unaccepted = where(present(rows["told_at"]), rows["accepted_at"], rows["received_at"])
    filed_at = coalesce(rows["accepted_at"], unaccepted)
    return clock_rows(
        rows,
        TIER,
        part="tier",
        start_at=where(rows["filed_here"], filed_at, rows["first_entered_at"]),
        stop_at=rows["stop_at"],
        amount=rows["tier_amount"],
        unit=rows["tier_unit"],
        roll_forward=rows["tier_roll"],
    )


def _pre_acceptance(cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From an application online to the agency's first answer (DOMAIN §2: two days)."""
    online = true(cases["channel"] == ONLINE) | present(cases["checked_at"])
    asked = present(cases["applied_at"]) & online
    if days is None or not asked.any():
        return NO_CLOCKS
    rows = keep_rows(cases[["case", "zone", "applied_at", *_ANSWERS]], asked)
    return clock_rows(
        rows,
        PRE_ACCEPTANCE,
        start_at=rows["applied_at"],
        stop_at=least(*(rows[name] for name in _ANSWERS)),
        amount=days,
    )


def _corrections(facts: Facts, cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From the receipt of materials to the telling of what is missing (§32(4): five working days)."""
    told = facts.parts["corrections"]
    if days is None or told.is_empty():
        return NO_CLOCKS
    return clock_rows(
        frame(case=told["case"], zone=cases["zone"][told["case"]]),
        CORRECTION,
        part="correction",
        nth=told["nth"],
        agency=told["agency"],
        actor=told["actor"],
        start_at=told["since_at"],
        stop_at=told["at_us"],
        amount=days,
    )


def _issue(cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From completion until the certificate was out, where that is told or was promised to be told.

    When somebody comes for it is nobody's delay here: a collection ends the clock of what was to be told, and begins none.
    """
    told = present(cases["completed_at"]) & (present(cases["certified_at"]) | cases["to_issue"])
    if days is None or not told.any():
        return NO_CLOCKS
    columns = ["case", "zone", "completed_by", "completed_at", "certified_at", "collected_at"]
    rows = keep_rows(cases[columns], told)
    return clock_rows(
        rows,
        ISSUE,
        actor=rows["completed_by"],
        start_at=rows["completed_at"],
        stop_at=coalesce(rows["certified_at"], rows["collected_at"]),
        amount=days,
    )


def _entries(facts: Facts, cases: pl.DataFrame, days: int | None) -> pl.DataFrame:
    """From an event to its entry, for the event of each case that was entered latest."""
    late = facts.parts["late_entries"]
    if days is None or late.is_empty():
        return NO_CLOCKS
    return clock_rows(
        frame(case=late["case"], zone=cases["zone"][late["case"]]),
        ENTRY,
        agency=late["agency"],
        actor=late["actor"],
        start_at=late["at_us"],
        stop_at=late["received_at_us"],
        amount=days,
    )


def _pauses_of(named: Mapping[str, pl.DataFrame], facts: Facts, cases: pl.DataFrame) -> pl.DataFrame:
    """What is taken out of the clocks: pauses that count, and for the tier's clock the time away."""
    pauses, away = facts.parts["pauses"], facts.parts["away"]
    if pauses.is_empty() and away.is_empty():
        return NO_PAUSES
    pauses = pauses.filter(pauses["counts"])
    counting = pauses.select(
        "case",
        start_at="at_us",
        # A pause that nobody ended ends with the case.
        end_at=pl.coalesce("end_at", cases["stop_at"][pauses["case"]]),
        granted=pl.col("granted_days").cast(pl.Int32),
    )
    gone = away.select("case", start_at="at_us", end_at="end_at", granted=pl.lit(None, dtype=pl.Int32))
    taken = [
        named[name].select("clock", "case").join(out, on="case")
        for names, out in ((_PAUSED, counting), ((TIER,), gone))
        for name in names
        if name in named and out.height
    ]
    if not taken:
        return NO_PAUSES
    return pl.concat(taken).select(*GROUND_PAUSES)
