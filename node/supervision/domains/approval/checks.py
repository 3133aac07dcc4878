"""What the rules of approval that are not about time look at: one frame for each kind of subject.

Every frame says what happened beside what the catalogue asked for, and leaves the judgement to the expressions in `rules`. A
subject that is plainly in order is counted instead of listed, so that a million clean cases cost a few sums.

Sources: 行政许可法 §32, §38, §45, §58–59; DOMAIN §2.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from node.supervision.context import Context
from node.supervision.fold import Facts, nulls, pairs, tally

HANDLE: Final = "handle"
APPROVE: Final = "approve"


@dataclass(frozen=True)
class Found:
    """Rows that a rule must look at, and how many subjects it need not (`clear`) or cannot (`unclear`) judge."""

    rows: pl.DataFrame
    clear: int = 0
    unclear: int = 0


def with_catalogue(steps: pl.DataFrame, cases: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Steps with what the catalogue version of their case says about them; its role goes before the stated one."""
    version = cases["version"].gather(steps["case"])
    published = context.catalogue.steps
    if published.is_empty() or steps.is_empty():
        absent = [
            nulls(steps.height, published.schema[name].__class__).alias(name)
            for name in ("amount", "unit", "roll", "required", "named_officers")
        ]
        return steps.with_columns(version.alias("version"), *absent)
    told = published.rename({"role": "role_published", "responsible": "responsible_published"})
    joined = steps.with_columns(version.alias("version")).join(
        told, on=["version", "step"], how="left", maintain_order="left"
    )
    return joined.with_columns(
        role=pl.coalesce(_filled("role_published"), "role"),
        responsible=pl.coalesce(_filled("responsible"), "responsible_published"),
    )


def orders(cases: pl.DataFrame, steps: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Each finished step with each step that must come before it: `early` says that this one came first.

    Null while the other has not happened in an open case. In a case that is over nothing can come any more: a step that
    never happened is a matter of `skipped`.
    """
    after = context.catalogue.after
    if after.is_empty() or steps.is_empty():
        return _empty(steps, code=pl.String, early=pl.Boolean, since=pl.Int64)
    once = steps.filter(steps["nth"] == 1)
    firsts = once.select("case", before="step", before_row="row", before_at="at_us")
    over = cases["stop_at"].is_not_null().gather(once["case"])
    pairs = once.with_columns(over.alias("over")).join(after, on=["version", "step"])
    seen = pairs.join(firsts, on=["case", "before"], how="left")
    return seen.filter(~pl.col("over") | pl.col("before_row").is_not_null()).select(
        "case",
        "actor",
        "agency",
        "nth",
        part=pl.lit("step"),
        code="step",
        early=pl.col("before_row") > pl.col("row"),
        since="before_at",
    )


def skipped(cases: pl.DataFrame, steps: pl.DataFrame, context: Context) -> Found:
    """Required steps that a completed case never did."""
    schema = {"case": pl.UInt32, "part": pl.String, "code": pl.String, "nth": pl.Int64, "since": pl.Int64}
    asked = (
        cases["completed_at"].is_not_null() & cases["held"] & (cases["required_steps"] > 0).fill_null(False)
    )
    if not asked.any():
        return Found(pl.DataFrame(schema=schema))
    needed = steps.filter(steps["required"].fill_null(False) & (steps["nth"] == 1))
    done = tally(needed["case"], cases.height)
    short = cases.filter(asked & (done < cases["required_steps"]))
    clear = int(asked.sum()) - short.height
    if short.is_empty():
        return Found(pl.DataFrame(schema=schema), clear)
    required = context.catalogue.steps.filter(pl.col("required")).select("version", "step")
    missing = (
        short.select("case", "version", since="completed_at", actor="completed_by")
        .join(required, on="version")
        .join(needed.select("case", "step"), on=["case", "step"], how="anti")
        .select("case", "since", "actor", part=pl.lit("step"), code="step", nth=pl.lit(1, dtype=pl.Int64))
    )
    return Found(missing, clear)


def authority(steps: pl.DataFrame, context: Context) -> Found:
    """Steps for which the catalogue names officers: `authorised` says whether the actor is one (null: no actor stated)."""
    named = steps.filter(steps["named_officers"].fill_null(False))
    if named.is_empty():
        return Found(_empty(named, code=pl.String, authorised=pl.Boolean))
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
    handled, approved = steps.filter(steps["role"] == HANDLE), steps.filter(steps["role"] == APPROVE)
    n = cases.height
    both = (tally(handled["case"], n) > 0) & (tally(approved["case"], n) > 0)
    empty = pl.DataFrame(
        schema={"case": pl.UInt32, "actor": pl.String, "agency": pl.String, "since": pl.Int64}
    )
    if not both.any():
        return Found(empty)
    pair = pairs(
        pl.concat([handled["case"], approved["case"]]), pl.concat([handled["actor"], approved["actor"]])
    )
    first = handled.select("case", "actor", "agency", at_handled="at_us", pair=pair[: handled.height]).filter(
        handled["actor"] != ""
    )
    second = approved.select(at_approved="at_us", pair=pair[handled.height :])
    met = first.unique("pair", keep="first").join(second.unique("pair", keep="first"), on="pair")
    rows = met.select(
        "case", "actor", "agency", since=pl.max_horizontal("at_handled", "at_approved")
    ).sort("case", "since", "actor").unique("case", keep="first", maintain_order=True)  # fmt: skip
    nameless = pl.concat([part["case"].filter(part["actor"] == "") for part in (handled, approved)])
    unsure = both & (tally(nameless, n) > 0)
    open_question = unsure & (tally(rows["case"], n) == 0)
    unclear = int(open_question.sum())
    return Found(rows, clear=int(both.sum()) - rows.height - unclear, unclear=unclear)


def pauses(facts: Facts, cases: pl.DataFrame, context: Context) -> pl.DataFrame:
    """Special procedures with what founds them: `founded` (law cited), `approved`, `allowed` by the item's own list."""
    found = facts.parts["pauses"]
    if found.is_empty():
        return _empty(found, nth=pl.Int64, founded=pl.Boolean, approved=pl.Boolean, allowed=pl.Boolean)
    version = cases["version"].gather(found["case"]).alias("version")
    named = cases["named_procedures"].gather(found["case"]).fill_null(False).alias("named")
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
    return told.select("case", "actor", "agency", "at_us", "nth", part=pl.lit("correction"))


def refusals(facts: Facts) -> pl.DataFrame:
    """Of each case its refusals, those without a reason first."""
    found = facts.parts["refusals"]
    if found.height < 2:
        return found
    return found.sort("case", "reasoned", "at_us").unique("case", keep="first", maintain_order=True)


def _filled(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(pl.col(column))


def _empty(frame: pl.DataFrame, **columns: type[pl.DataType]) -> pl.DataFrame:
    schema: dict[str, type[pl.DataType]] = {
        "case": pl.UInt32,
        "actor": pl.String,
        "agency": pl.String,
        "at_us": pl.Int64,
        "part": pl.String,
        "nth": pl.Int64,
    }
    return pl.DataFrame(schema={**schema, **columns})
