"""What the rules of approval that are not about time look at: one frame for each kind of subject.

Every frame says what happened beside what the catalogue asked for, and leaves the judgement to the expressions in `rules`. A
subject that is plainly in order is counted instead of listed, so that a million clean cases cost a few sums.

Sources: 行政许可法 §32, §38, §45, §58–59; DOMAIN §2.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from node.supervision.columns import (
    constant,
    fill,
    frame,
    has,
    keep_rows,
    nulls,
    pairs,
    present,
    tally,
    true,
    where,
)
from node.supervision.context import Context
from node.supervision.fold import Facts

HANDLE: Final = "handle"
APPROVE: Final = "approve"

UNDECIDED: Final = ("returned", "void", "withdrawn")
"""Results of a completion that decides nothing."""


@dataclass(frozen=True)
class Found:
    """Rows that a rule must look at, and how many subjects it need not (`clear`) or cannot (`unclear`) judge."""

    rows: pl.DataFrame
    clear: int = 0
    unclear: int = 0


def with_catalogue(steps: pl.DataFrame, cases: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Steps with what the catalogue version of their case says about them; its role goes before the stated one."""
    version = cases["version"][steps["case"]].alias("version")
    published = context.catalogue.steps
    if published.is_empty() or steps.is_empty() or version.null_count() == version.len():
        absent = [nulls(steps.height, kind).alias(name) for name, kind in _PUBLISHED.items()]
        return steps.hstack([version, *absent])
    place = context.catalogue.step_places(version, steps["step"])
    role = published["role"][place]
    role = where(role != "", role, steps["role"])
    responsible = where(steps["responsible"] != "", steps["responsible"], published["responsible"][place])
    kept = [column for column in steps.get_columns() if column.name not in ("role", "responsible")]
    told = [published[name][place] for name in _PUBLISHED]
    return pl.DataFrame([*kept, version, role.alias("role"), responsible.alias("responsible"), *told])


def orders(cases: pl.DataFrame, steps: pl.DataFrame, context: Context) -> Found:
    """Each finished step with each step that must come before it: `early` says that this one came first.

    Null while the other has not happened in an open case. In a case that is over nothing can come any more: a step that
    never happened is a matter of `skipped`. A case that is over and went through its steps as the catalogue lists them is clear.
    """
    after = context.catalogue.after
    ordered = true(steps["ordered"])
    if not ordered.any():
        return Found(_NO_ORDERS)
    over = present(cases["stop_at"])
    unlike = ~over
    if context.catalogue.listed_in_order:
        case, position = steps["case"], steps["position"]
        back = (case[1:] == case[:-1]) & true(position[1:] < position[:-1])
        unlike = unlike | has(case[1:].filter(back), cases.height)
    else:
        unlike = constant(True, cases.height, pl.Boolean)
    looked_at = unlike[steps["case"]]
    clear = int((ordered & ~looked_at).sum())
    if not looked_at.any():
        return Found(_NO_ORDERS, clear)
    once = steps.filter(looked_at & (steps["nth"] == 1))
    firsts = once.select("case", before="step", before_row="row", before_at="at_us")
    seen = (
        once.hstack([over[once["case"]].alias("over")])
        .join(after, on=["version", "step"])
        .join(firsts, on=["case", "before"], how="left")
    )
    pairs_seen = seen.filter(~pl.col("over") | pl.col("before_row").is_not_null()).select(
        "case",
        "actor",
        "agency",
        "nth",
        part=pl.lit("step"),
        code="step",
        early=pl.col("before_row") > pl.col("row"),
        since="before_at",
    )
    return Found(pairs_seen, clear)


def skipped(cases: pl.DataFrame, steps: pl.DataFrame, context: Context) -> Found:
    """Required steps that a completed case never did; a case returned, void or withdrawn needed none."""
    required_steps = fill(cases["required_steps"], 0)
    asked = present(cases["completed_at"]) & (required_steps > 0)
    if not asked.any():
        return Found(_NOT_SKIPPED)
    for result in UNDECIDED:
        asked = asked & ~true(cases["result"] == result)
    needed = keep_rows(steps[["case", "step"]], true(steps["required"]) & (steps["nth"] == 1))
    columns = ["case", "version", "completed_at", "completed_by"]
    short = keep_rows(cases[columns], asked & (tally(needed["case"], cases.height) < required_steps))
    clear = int(asked.sum()) - short.height
    if short.is_empty():
        return Found(_NOT_SKIPPED, clear)
    required = context.catalogue.steps.filter(pl.col("required")).select("version", "step")
    missing = (
        short.select("case", "version", since="completed_at", actor="completed_by")
        .join(required, on="version")
        .join(needed, on=["case", "step"], how="anti")
        .select("case", "since", "actor", part=pl.lit("step"), code="step", nth=pl.lit(1, dtype=pl.Int64))
    )
    return Found(missing, clear)


def authority(steps: pl.DataFrame, context: Context) -> Found:
    """Steps for which the catalogue names officers: `authorised` says whether the actor is one (null: no actor stated)."""
    is_named = true(steps["named_officers"])
    if not is_named.any():
        return Found(_NO_AUTHORITY)
    named = steps.filter(is_named)
    granted = context.catalogue.authorised
    others = named.join(granted, on=["version", "step", "actor"], how="anti")
    rows = others.select(
        "case",
        "actor",
        "agency",
        "at_us",
        "nth",
        part=pl.lit("step"),
        code="step",
        authorised=pl.when(pl.col("actor") != "").then(pl.lit(False)),
    )
    return Found(rows, clear=named.height - others.height)


def duties(cases: pl.DataFrame, steps: pl.DataFrame) -> Found:
    """Cases in which one person both handled and approved, with that person (不相容岗位分离).

    Checked are cases that have both duties; without the name of everybody in them nobody can be cleared.
    """
    n, role = cases.height, steps["role"]
    is_handled, is_approved = true(role == HANDLE), true(role == APPROVE)
    if not (is_handled.any() and is_approved.any()):
        return Found(_NO_DUTIES)
    columns = ["case", "actor", "agency", "at_us"]
    handled, approved = (keep_rows(steps[columns], mask) for mask in (is_handled, is_approved))
    both = has(handled["case"], n) & has(approved["case"], n)
    pair = pairs(
        pl.concat([handled["case"], approved["case"]]), pl.concat([handled["actor"], approved["actor"]])
    )
    first = keep_rows(handled.hstack([pair[: handled.height].alias("pair")]), handled["actor"] != "")
    second = frame(approved_at=approved["at_us"], pair=pair[handled.height :])
    first = keep_rows(first, first["pair"].is_in(second["pair"].implode()))
    if first.is_empty():
        rows = _NO_DUTIES
    else:
        rows = _met(first, keep_rows(second, second["pair"].is_in(first["pair"].implode())))
    nameless = [part["case"].filter(part["actor"] == "") for part in (handled, approved)]
    unsure = both & has(pl.concat(nameless), n) & ~has(rows["case"], n)
    unclear = int(unsure.sum())
    return Found(rows, clear=int(both.sum()) - rows.height - unclear, unclear=unclear)


def _met(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Of each case the one who first had both duties."""
    both = first.unique("pair", keep="first").join(second.unique("pair", keep="first"), on="pair")
    rows = both.select("case", "actor", "agency", since=pl.max_horizontal("at_us", "approved_at"))
    if rows.height < 2:
        return rows
    return rows.sort("case", "since", "actor").unique("case", keep="first", maintain_order=True)


def pauses(facts: Facts, cases: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Special procedures with what founds them: `founded` (law cited), `approved`, `allowed` by the item's own list."""
    found = facts.parts["pauses"]
    if found.is_empty():
        return _NO_PAUSES
    version = cases["version"][found["case"]].alias("version")
    named = fill(cases["named_procedures"][found["case"]], False).alias("named")
    listed = context.catalogue.procedures.with_columns(listed=pl.lit(True))
    return (
        found.with_columns(version, named)
        .join(listed, on=["version", "kind"], how="left", maintain_order="left")
        .select(
            "case",
            "actor",
            "agency",
            "at_us",
            "nth",
            part=pl.lit("pause"),
            founded=_filled("legal_basis").is_not_null(),
            approved=_filled("approver").is_not_null(),
            allowed=~pl.col("named") | pl.col("listed").fill_null(False),
        )
    )


def corrections(facts: Facts) -> pl.DataFrame:
    """Each telling of missing materials with its number."""
    told = facts.parts["corrections"]
    part = constant("correction", told.height, pl.String)
    return told[["case", "actor", "agency", "at_us", "nth"]].hstack([part.alias("part")])


def refusals(facts: Facts) -> pl.DataFrame:
    """Of each case its refusals, those without a reason first."""
    found = facts.parts["refusals"]
    if found.height < 2:
        return found
    return found.sort("case", "reasoned", "at_us").unique("case", keep="first", maintain_order=True)


def _filled(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(pl.col(column))


_PUBLISHED: Final[dict[str, type[pl.DataType]]] = {
    "position": pl.Int32,
    "amount": pl.Int32,
    "unit": pl.String,
    "roll": pl.Boolean,
    "required": pl.Boolean,
    "named_officers": pl.Boolean,
    "ordered": pl.Boolean,
}
_ROW: Final[dict[str, type[pl.DataType]]] = {
    "case": pl.UInt32,
    "actor": pl.String,
    "agency": pl.String,
    "at_us": pl.Int64,
    "nth": pl.Int64,
    "part": pl.String,
    "code": pl.String,
    "since": pl.Int64,
}
_NO_ORDERS: Final = pl.DataFrame(schema={**_ROW, "early": pl.Boolean})
_NOT_SKIPPED: Final = pl.DataFrame(schema=_ROW)
_NO_AUTHORITY: Final = pl.DataFrame(schema={**_ROW, "authorised": pl.Boolean})
_NO_DUTIES: Final = pl.DataFrame(schema=_ROW)
_NO_PAUSES: Final = pl.DataFrame(
    schema={**_ROW, "founded": pl.Boolean, "approved": pl.Boolean, "allowed": pl.Boolean}
)
