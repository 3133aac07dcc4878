"""A domain out of its declaration: facts, parts, rules and the course of a case become what the evaluation asks for.

Most of what is supervised goes through stages (filed, decided, served, paid …) and is judged by the same few kinds of rules. Such a domain says
only what is its own (docs/domains.md): `events` its vocabulary, `facts` what it wants to know, `rules` what is wrong, `words` how that is said.
Nothing here knows a domain by name.

A *part* has a row for each event of some kinds (each payment, each reply), with the event that closed it where it is closed by one. Its rows
carry what their event says, facts of their case where asked for, and facts of their own. `closed_at` of an open one is null.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl

from node.store.rows import GATHERED
from node.supervision.backfill import late_entries, unknown_entries
from node.supervision.clock_rows import NO_PAUSES, by_name, clock_rows
from node.supervision.columns import (
    coalesce,
    constant,
    fill,
    frame,
    has,
    keep_rows,
    local_day,
    next_in,
    nth,
    nulls,
    only,
    present,
    take,
    true,
    where,
)
from node.supervision.context import Context
from node.supervision.counting import ACCEPTED, COMPLETED, LATE, ON_TIME, RECEIVED, REFUSED, counted, on_days
from node.supervision.factbook import GIVEN, Derivation, Fact, Told, tell
from node.supervision.fold import SUMMARY, CaseEvents, Domain, Facts, Ground
from node.supervision.library import Standard
from node.supervision.policy import Rule, Terms
from node.supervision.rulebook import ENTERED

_NO_WAKES: Final = pl.DataFrame(schema={"case": pl.UInt32, "at_us": pl.Int64})
_DEFERRED: Final = "version"


@dataclass(frozen=True)
class Part:
    """Rows of one kind of thing that happens in a case several times."""

    name: str
    kinds: tuple[str, ...]
    closed: tuple[str, ...] = ()
    """Kinds of the event that closes one: the next such event of its case, or the first with the same `on`."""
    on: str = ""
    """The attribute by which an end knows its beginning."""
    subject: str = "step"
    code: str = ""
    """The column that names one in the subject of a finding; else they are numbered."""
    where: pl.Expr | None = None
    closed_says: tuple[str, ...] = ()
    """What the closing event says, under `closed_<name>`."""
    borrowed: tuple[str, ...] = ()
    """Facts of the case, beside each row."""
    summed: tuple[tuple[str, str, str], ...] = ()
    """(column, kind, attribute): what events of that kind with the same `on` say together, beside each row; 0 where none does."""
    facts: tuple[Fact, ...] = ()
    """Derived facts of a row; of the senses of case facts."""


@dataclass(frozen=True)
class Course:
    """Which facts are the stages that every list and figure knows, and which rules' clocks are the whole's."""

    received: str = "first_at"
    accepted: str = ""
    completed: str = ""
    refused: str = ""
    statutory: str = ""
    """Code of the rule whose clock is the statutory limit of a case."""
    promised: str = ""
    figures: tuple[tuple[str, str, str], ...] = ()
    """(figure, instant, amount in 分 or a count; "" counts one): what a case adds to the day of that instant."""


class Staged:
    """One declared domain, or one of its gatherings."""

    def __init__(
        self,
        code: str,
        kinds: Mapping[str, Mapping[str, type]],
        *,
        facts: tuple[Fact, ...],
        rules: tuple[Rule, ...],
        course: Course | None = None,
        parts: tuple[Part, ...] = (),
        standards: tuple[Standard, ...] = (),
        name: str = "",
    ) -> None:
        """`name`: of the gathering; empty: cases. Raises `ValueError` for facts that wait for each other."""
        self._code = code
        self._kinds = kinds
        self._facts = facts
        self._rules = rules
        self._course = course or Course()
        self._parts = parts
        self._name = name
        self._standards: dict[str, list[Standard]] = {}
        for standard in standards:
            self._standards.setdefault(standard.frame, []).append(standard)
        self._derivation = Derivation(facts)
        self._of_parts = {part.name: Derivation(part.facts) for part in parts}

    def domain(
        self, gatherings: tuple["Staged", ...] = (), stages: Mapping[str, str] | None = None
    ) -> Domain:
        """What the evaluation is given; ``stages`` as in `Domain`."""
        course = self._course
        return Domain(
            code=self._code,
            kinds=self._kinds,
            rules=self._rules,
            fold=self.fold,
            ground=self.ground,
            summary=self.summary,
            figures=self.figures,
            summed_clocks=tuple(clock for clock in (course.statutory, course.promised) if clock),
            gathering=self._name,
            gatherings=tuple(one.domain() for one in gatherings),
            stages=stages or {},
            documented=(*GIVEN, *((f.name, f.sense, f.zh, f.en) for f in self._facts)),
        )

    def fold(self, events: CaseEvents, zone: str) -> Facts:
        """What happened, told by the events alone."""
        told = Told(events, self._kinds)
        cases = tell(told, zone, self._facts).hstack([unknown_entries(events).alias("entry_unknown")])
        parts = {part.name: _rows_of(part, told) for part in self._parts}
        return Facts(ids=events.ids, cases=cases, parts={**parts, ENTERED: late_entries(events)})

    def ground(self, facts: Facts, context: Context, as_of_us: int) -> Ground:
        """The facts beside libraries and catalogue, and the clocks of the rules that are applied."""
        cases = facts.cases
        for standard in self._standards.get("cases", ()):
            cases = standard.beside(cases, context.libraries)
        cases = self._derivation.derive(cases, context.calendar)
        if self._reads_catalogue:
            at = cases[self._course.received]
            version = context.catalogue.versions_on(cases["item"], local_day(at, cases["zone"]), at)
            cases = cases.hstack([version.alias(_DEFERRED)])
        frames = {"cases": cases}
        for part in self._parts:
            frames[part.name] = self._beside(part, facts.parts[part.name], cases, context)
        late = facts.parts[ENTERED]
        frames[ENTERED] = late.hstack([cases["zone"][late["case"]]])
        applied = [
            (rule, rule.terms, context.policy.limit_days(rule))
            for rule in self._rules
            if rule.terms is not None and context.policy.enabled(rule)
        ]
        made = by_name(
            _clock(rule, terms, frames[terms.frame], days, context, self._name)
            for rule, terms, days in applied
        )
        pauses = [
            _paused(made[rule.code], frames[terms.pauses], cases, self._course)
            for rule, terms, _ in applied
            if terms.pauses and rule.code in made
        ]
        silent = int((cases["entry_unknown"] & ~has(late["case"], cases.height)).sum())
        on_entries = [
            rule.code for rule in self._rules if rule.terms is not None and rule.terms.frame == ENTERED
        ]
        return Ground(
            facts=facts,
            frames=frames,
            clocks=made,
            pauses=pl.concat(pauses) if pauses else NO_PAUSES,
            clear=dict.fromkeys(on_entries, cases.height - late.height - silent),
            unclear=dict.fromkeys(on_entries, silent),
            wakes=_NO_WAKES,
        )

    def summary(self, ground: Ground, read: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Columns of `SUMMARY`. Late: past the statutory due, or the promised one where there is no statutory limit."""
        cases, course = ground.frames["cases"], self._course
        n = cases.height

        def placed(clock: str, column: str, kind: type[pl.DataType]) -> pl.Series:
            rows = read.get(clock) if clock else None
            values = nulls(n, kind)
            return values if rows is None else values.scatter(rows["case"], rows[column])

        def stage(name: str) -> pl.Series:
            return cases[name] if name else nulls(n, pl.Int64)

        completed, refused, accepted = (
            stage(one) for one in (course.completed, course.refused, course.accepted)
        )
        state = constant(GATHERED if self._name else "received", n, pl.String)
        if not self._name:
            for at, name in ((accepted, "accepted"), (refused, "refused"), (completed, "completed")):
                state = where(present(at), constant(name, n, pl.String), state)
        used = placed(course.statutory, "used", pl.Int32)
        if course.completed:
            day = [local_day(at, cases["zone"]) for at in (cases[course.received], completed)]
            used = coalesce(used, day[1] - day[0])
        nobody = constant("", n, pl.String)
        return frame(
            item=cases["item"],
            agency=cases["agency"],
            state=state,
            received_at_us=nulls(n, pl.Int64) if self._name else cases[course.received],
            accepted_at_us=accepted,
            completed_at_us=completed,
            statutory_due_us=placed(course.statutory, "due_at", pl.Int64),
            promised_due_us=placed(course.promised, "due_at", pl.Int64),
            statutory_over=placed(course.statutory, "over", pl.Int32),
            promised_over=placed(course.promised, "over", pl.Int32),
            late=coalesce(
                placed(course.statutory, "late", pl.Boolean), placed(course.promised, "late", pl.Boolean)
            ),
            duration_days=only(used, present(completed)),
            applicant=nobody if self._name else cases["applicant"],
        ).select(*SUMMARY)

    def figures(self, ground: Ground, summed: pl.DataFrame) -> pl.DataFrame:
        """What cases add to the days; a gathering adds nothing, its events count with their cases."""
        cases, course = ground.frames["cases"], self._course
        if self._name:
            return on_days((), cases["zone"])
        case, late, done = cases["case"], summed["late"], summed["completed_at_us"]
        parts = [
            counted(RECEIVED, summed["received_at_us"], case),
            counted(ACCEPTED, summed["accepted_at_us"], case),
            counted(
                REFUSED, cases[course.refused] if course.refused else nulls(cases.height, pl.Int64), case
            ),
            counted(COMPLETED, done, case),
            counted(ON_TIME, only(done, ~fill(late, True)), case),
            counted(LATE, only(done, late), case),
        ]
        for figure, at, amount in course.figures:
            parts.append(counted(figure, cases[at], case, cases[amount] if amount else None))
        return on_days(parts, cases["zone"])

    @cached_property
    def _reads_catalogue(self) -> bool:
        return any(rule.terms is not None and rule.terms.published for rule in self._rules)

    def _beside(self, part: Part, rows: pl.DataFrame, cases: pl.DataFrame, context: Context) -> pl.DataFrame:
        case = rows["case"]
        borrowed = ("zone", *(("version",) if self._reads_catalogue else ()), *part.borrowed)
        rows = rows.hstack([cases[name][case].alias(name) for name in borrowed])
        for standard in self._standards.get(part.name, ()):
            rows = standard.beside(rows, context.libraries)
        return self._of_parts[part.name].derive(rows, context.calendar)


def _rows_of(part: Part, told: Told) -> pl.DataFrame:
    """The part's rows with what closed each of them."""
    rows = told.where(part.kinds, part.where)
    begun = rows.hstack(
        [
            nth(rows["case"]).alias("nth"),
            constant(part.subject, rows.height, pl.String).alias("part"),
            (rows[part.code] if part.code else nulls(rows.height, pl.String)).alias("code"),
        ]
    )
    ends = told.of(*part.closed) if part.closed else begun.clear()
    says = ("at_us", "actor", *part.closed_says)
    if begun.is_empty() or ends.is_empty():
        at = nulls(begun.height, pl.UInt32)
    elif part.on:
        keys = ["case", part.on]
        firsts = ends.with_row_index("at").filter(pl.col(part.on).is_not_null()).unique(keys, keep="first")
        at = begun.select(keys).join(firsts.select(*keys, "at"), on=keys, how="left", maintain_order="left")[
            "at"
        ]
    else:
        at = next_in(ends, begun)
    closed = [
        take(ends[name], at).alias("closed_at" if name == "at_us" else f"closed_{name}") for name in says
    ]
    sums = [_sum_beside(begun, part.on, told.of(kind), said).alias(name) for name, kind, said in part.summed]
    return begun.hstack([*closed, *sums])


def _sum_beside(rows: pl.DataFrame, on: str, others: pl.DataFrame, said: str) -> pl.Series:
    """For each of the rows the sum of what the other events with its `on` say."""
    if rows.is_empty() or others.is_empty():
        return constant(0, rows.height, pl.Int64)
    keys = ["case", on]
    sums = others.group_by(keys).agg(pl.col(said).sum())
    met = rows.select(keys).join(sums, on=keys, how="left", maintain_order="left")[said]
    return fill(met.cast(pl.Int64), 0)


def _clock(
    rule: Rule, terms: Terms, rows: pl.DataFrame, days: int | None, context: Context, gathering: str
) -> pl.DataFrame:
    """The rule's clock for each row that has it."""
    running = present(rows[terms.start])
    if terms.both:
        running = running & present(rows[terms.stop])
    if terms.applies is not None and rows.height:
        running = running & true(rows.select_seq(terms.applies).to_series())
    rows = keep_rows(rows, running)
    height = rows.height
    amount = constant(days, height, pl.Int32) if days is not None else nulls(height, pl.Int32)
    unit = constant(terms.unit, height, pl.String)
    roll = constant(terms.roll, height, pl.Boolean)
    if terms.published and height:
        versions, version = context.catalogue.versions, rows[_DEFERRED]
        published = take(versions[f"{terms.published}_amount"], version)
        given = present(published)
        amount = coalesce(published, amount)
        unit = where(given, take(versions[f"{terms.published}_unit"], version), unit)
        roll = where(given, take(versions[f"{terms.published}_roll"], version), roll)
    if terms.stated_days:
        amount = coalesce(rows[terms.stated_days].cast(pl.Int32), amount)
    told: dict[str, pl.Series | str | int] = {
        "start_at": rows[terms.start],
        "amount": amount,
        "unit": unit,
        "roll_forward": roll,
    }
    if terms.stop:
        told["stop_at"] = rows[terms.stop]
    if terms.by:
        told["actor"] = rows[terms.by]
    for column, name in (
        ("extension", terms.extension),
        ("stated_due_day", terms.stated_due_day),
        ("stated_due_at", terms.stated_due_at),
    ):
        if name:
            told[column] = rows[name]
    if terms.frame != "cases":
        told.update(
            (column, rows[column]) for column in ("part", "code", "nth", "agency") if column in rows.columns
        )
    if "part" not in told and gathering:
        told["part"] = gathering
    return clock_rows(rows, rule.code, **told)


def _paused(clocks: pl.DataFrame, pauses: pl.DataFrame, cases: pl.DataFrame, course: Course) -> pl.DataFrame:
    """What a part's rows take out of the clocks of their cases; one that nobody ended ends with the case."""
    if pauses.is_empty():
        return NO_PAUSES
    over = cases[course.completed][pauses["case"]] if course.completed else nulls(pauses.height, pl.Int64)
    granted = "granted_days" in pauses.columns
    out = frame(
        case=pauses["case"],
        start_at=pauses["at_us"],
        end_at=coalesce(pauses["closed_at"], over),
        granted=pauses["granted_days"].cast(pl.Int32) if granted else nulls(pauses.height, pl.Int32),
    )
    return clocks.select("clock", "case").join(out, on="case").select(*NO_PAUSES.columns)
