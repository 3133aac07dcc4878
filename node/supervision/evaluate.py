"""From events to findings: the one path by which cases are judged, a new event's case or the history of ten years.

    findings = f(facts, policy version, calendar version, as_of), as_of = (instant, journal size)

The caller gives the events that a journal of that size holds; of these, only what happened by the instant is folded, so an instant in
the past is judged by what had happened then. Nothing here reads the time, does IO or knows a domain by name. What is wrong
with one case never stops the others: what cannot be determined is null, is counted, and raises nothing.

`since_us` is computed from the facts: from when the finding holds, whenever somebody looked. `next_at_us` is the next instant at which
anything about the case can change by itself; until then it need not be looked at again. No yellow or red rests on a
provisional day (DOMAIN §1); what is held back by one comes up when the calendar is published and the case evaluated again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from node.store.rows import FactsRow
from node.supervision.columns import constant, fill, frame, keep_rows, nulls, present, true
from node.supervision.context import Context
from node.supervision.fold import SUMMARY, CaseEvents, Domain, Ground, subject
from node.supervision.policy import Level, Rule, Threshold
from node.supervision.readings import Readings

__all__ = ["CASES", "FINDINGS", "Context", "Evaluation", "Finding", "Judged", "evaluate", "rerun"]

CASES: Final[dict[str, type[pl.DataType]]] = {
    "case_id": pl.String,
    "domain": pl.String,
    **SUMMARY,
    "level": pl.Int32,
    "next_at_us": pl.Int64,
}
"""One row a case: what its domain says of it, its highest level (0: none), and when to look again (null: only on an event)."""

FINDINGS: Final[dict[str, type[pl.DataType]]] = {
    "case_id": pl.String,
    "subject": pl.String,
    "domain": pl.String,
    "rule": pl.String,
    "rule_version": pl.Int32,
    "level": pl.Int32,
    "since_us": pl.Int64,
    "due_at_us": pl.Int64,
    "over": pl.Int32,
    "agency": pl.String,
    "item": pl.String,
    "actor": pl.String,
}
"""One row a finding; (case_id, subject, rule, level) is unique. `due_at_us` null: it rests on no deadline."""

COUNTS: Final[dict[str, type[pl.DataType]]] = {
    "rule": pl.String,
    "checked": pl.Int64,
    "undetermined": pl.Int64,
    "notice": pl.Int64,
    "yellow": pl.Int64,
    "red": pl.Int64,
}
"""For each rule: subjects it could judge, subjects it could not, and findings by level."""

_FIGURES: Final[dict[str, type[pl.DataType]]] = {
    "case_id": pl.String,
    "domain": pl.String,
    "day": pl.Int32,
    "figure": pl.String,
    "amount": pl.Int64,
}

_FOUND: Final[dict[str, type[pl.DataType]]] = {
    "case": pl.UInt32,
    "part": pl.String,
    "code": pl.String,
    "nth": pl.Int64,
    "since_us": pl.Int64,
    "due_at_us": pl.Int64,
    "over": pl.Int32,
    "agency": pl.String,
    "actor": pl.String,
}

_OF_CLOCK: Final = ["case", "part", "code", "nth", "due_at", "over", "agency", "actor"]
_OF_TEST: Final = ("part", "code", "nth", "agency", "actor")

Applied = Sequence[tuple[Rule, tuple[Threshold, ...]]]
"""Rules with the thresholds in force."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding as a value, for those who handle few of them."""

    case_id: str
    subject: str
    domain: str
    rule: str
    rule_version: int
    level: Level
    since_us: int
    due_at_us: int
    """0: it rests on no deadline."""
    over: int
    agency: str
    item: str
    actor: str


@dataclass(frozen=True)
class Judged:
    """The cases of one domain with everything the judgement rests on."""

    domain: Domain
    ids: pl.Series
    ground: Ground
    clocks: pl.DataFrame
    """The clocks with their readings (`clock.READING_SCHEMA`) as of the instant; of many cases at once, without those
    of steps and the like that stopped well in time (`readings`)."""


@dataclass(frozen=True)
class Evaluation:
    """All cases as of an instant and a journal size."""

    as_of_us: int
    journal_size: int
    policy_version: int
    calendar_version: str
    cases: pl.DataFrame
    findings: pl.DataFrame
    rules: pl.DataFrame
    figures: pl.DataFrame
    """(case_id, domain, day, figure, amount): what cases add to the daily figures; independent of now."""
    judged: tuple[Judged, ...]

    def finding_values(self) -> list[Finding]:
        """The findings as values."""
        return finding_values(self.findings)

    def facts_rows(self, origin: str) -> list[FactsRow]:
        """The cases as the rows that the store keeps; `import_id` is left empty."""
        figures: dict[str, dict[str, dict[str, int]]] = {}
        columns = self.figures.select("case_id", "day", "figure", "amount")
        for case_id, day, figure, amount in columns.iter_rows():
            of_day = figures.setdefault(case_id, {}).setdefault(str(day), {})
            of_day[figure] = of_day.get(figure, 0) + amount
        return [
            FactsRow(
                origin=origin,
                case_id=row["case_id"],
                domain=row["domain"],
                item=row["item"],
                agency=row["agency"],
                state=row["state"],
                received_at_us=row["received_at_us"],
                accepted_at_us=row["accepted_at_us"],
                completed_at_us=row["completed_at_us"],
                statutory_due_us=row["statutory_due_us"],
                promised_due_us=row["promised_due_us"],
                late=row["late"] if row["state"] == "completed" else None,
                figures=figures.get(row["case_id"], {}),
                duration_days=row["duration_days"],
                applicant=row["applicant"],
                next_at_us=row["next_at_us"],
                import_id="",
                size=self.journal_size,
            )
            for row in self.cases.iter_rows(named=True)
        ]


def evaluate(
    events: pl.DataFrame,
    context: Context,
    as_of_us: int,
    journal_size: int,
    domains: Sequence[Domain],
) -> Evaluation:
    """Judge every case of `events` (`frame.SCHEMA`, any order) as of `as_of_us`.

    Events of a domain that is not among `domains` are left aside. A case of which nothing had happened yet by then is not in
    the result. Raises `ValueError` for an instant outside 1990-01-02 to 2099-12-30 and where base columns are missing,
    `ZoneInfoNotFoundError` for a zone that is none.
    """
    cases = [
        one
        for domain in domains
        if (one := _Cases.of(domain, events, context, as_of_us, _applied(domain, context))) is not None
    ]
    verdicts = [one.judge() for one in cases]
    return Evaluation(
        as_of_us=as_of_us,
        journal_size=journal_size,
        policy_version=context.policy.version,
        calendar_version=context.calendar.version,
        cases=_concat([one.cases(verdict) for one, verdict in zip(cases, verdicts, strict=True)], CASES),
        findings=_concat([verdict.findings for verdict in verdicts], FINDINGS),
        rules=_concat([verdict.counts for verdict in verdicts], COUNTS),
        figures=_concat([one.figures() for one in cases], _FIGURES),
        judged=tuple(Judged(one.domain, one.ids, one.ground, one.readings.frame) for one in cases),
    )


def rerun(
    events: pl.DataFrame,
    context: Context,
    as_of_us: int,
    domains: Sequence[Domain],
    rule: str,
    *,
    threshold: int | None = None,
    limit_days: int | None = None,
) -> pl.DataFrame:
    """The findings (`FINDINGS`) of one rule with another threshold, another limit, or both.

    `threshold` stands for the rule's highest level, which is then the only one; `limit_days` replaces the limit that each
    clock of the rule carries, stated dues included, in the clock's own unit. A rule that the policy switched off is run all the same.
    Raises `LookupError` for a rule that no domain has, `ValueError` for a limit where the rule reads no clock.
    """
    domain, found = next(
        ((one, known) for one in domains if (known := one.rule(rule)) is not None), (None, None)
    )
    if domain is None or found is None:
        raise LookupError(f"no domain has a rule {rule!r}")
    if limit_days is not None and not found.clocks:
        raise ValueError(f"{rule} reads no clock, so it has no limit in days")
    policy = context.policy
    if not policy.enabled(found):
        on = replace(policy.settings[rule], disabled=False)
        policy = replace(policy, settings={**policy.settings, rule: on})
        context = replace(context, policy=policy)
    thresholds = policy.thresholds(found)
    if threshold is not None:
        thresholds = (replace(thresholds[-1], at_least=threshold),)
    limits = {} if limit_days is None else dict.fromkeys(found.clocks, limit_days)
    cases = _Cases.of(domain, events, context, as_of_us, [(found, thresholds)], limits)
    return pl.DataFrame(schema=FINDINGS) if cases is None else cases.judge().findings


def _applied(domain: Domain, context: Context) -> Applied:
    """The rules of a domain that the context's policy applies, with their thresholds."""
    policy = context.policy
    return [(rule, policy.thresholds(rule)) for rule in domain.rules if policy.enabled(rule)]


def finding_values(findings: pl.DataFrame) -> list[Finding]:
    """The rows of `FINDINGS` as values."""
    return [
        Finding(
            case_id, subject, domain, rule, version, Level(level), since, due or 0, over, agency, item, actor
        )
        for case_id, subject, domain, rule, version, level, since, due, over, agency, item, actor in (
            findings.select(*FINDINGS).iter_rows()
        )
    ]


@dataclass(frozen=True)
class _Verdict:
    findings: pl.DataFrame
    counts: pl.DataFrame
    level: pl.Series
    next_at: pl.Series


class _Cases:
    """The cases of one domain, folded, with their clocks read at the instant."""

    def __init__(
        self,
        domain: Domain,
        events: CaseEvents,
        later: pl.DataFrame,
        context: Context,
        as_of_us: int,
        rules: Applied,
        limits: Mapping[str, int],
    ) -> None:
        self.domain = domain
        self.ids = events.ids
        self._later = later
        self._as_of = as_of_us
        self._rules = rules
        self.ground = domain.ground(domain.fold(events, context.zone), context, as_of_us)
        terms = _with_limits(self.ground.clocks, limits) if limits else self.ground.clocks
        early = {one.clock for _, thresholds in rules for one in thresholds if one.at_least < 1}
        self.readings = Readings(self.ground, terms, context, as_of_us, early.union(domain.summed_clocks))
        self._summary = domain.summary(self.ground, self.readings.frame)

    @classmethod
    def of(
        cls,
        domain: Domain,
        events: pl.DataFrame,
        context: Context,
        as_of_us: int,
        rules: Applied,
        limits: Mapping[str, int] | None = None,
    ) -> "_Cases | None":
        """The cases of `domain` among the events by the instant; None where there are none."""
        mine = events["domain"] == domain.code
        if not mine.all():
            events = events.filter(mine)
        by_then = events["at_us"] <= as_of_us
        later = events.clear()
        if not by_then.all():
            later, events = events.filter(~by_then), events.filter(by_then)
        if events.is_empty():
            return None
        return cls(domain, CaseEvents(events), later, context, as_of_us, rules, limits or {})

    def judge(self) -> _Verdict:
        """Apply the rules."""
        found: list[pl.DataFrame] = []
        counts: list[tuple[str, int, int, dict[Level, int]]] = []
        wakes = [self.ground.wakes]
        for rule, thresholds in self._rules:
            rows: list[tuple[Threshold, pl.DataFrame]]
            if rule.test is None:
                rows, checked, unclear = self._by_clock(thresholds, wakes)
            else:
                rows, checked, unclear = self._by_test(rule, thresholds)
            levels: dict[Level, int] = {}
            for threshold, one in rows:
                levels[threshold.level] = one.height
                found.append(
                    one.hstack(
                        [
                            constant(rule.code, one.height, pl.String).alias("rule"),
                            constant(rule.version, one.height, pl.Int32).alias("rule_version"),
                            constant(int(threshold.level), one.height, pl.Int32).alias("level"),
                        ]
                    )
                )
            checked += self.ground.clear.get(rule.code, 0)
            unclear += self.ground.unclear.get(rule.code, 0)
            counts.append((rule.code, checked, unclear, levels))
        n = len(self.ids)
        level = constant(0, n, pl.Int32)
        findings = pl.DataFrame(schema=FINDINGS)
        if found:
            # In one piece: Polars 2.1 panics on texts formatted out of columns cut in unlike pieces.
            all_found = pl.concat(found, rechunk=True)
            highest = all_found.group_by("case").agg(pl.col("level").max())
            level = level.scatter(highest["case"], highest["level"])
            findings = self._findings(all_found)
        return _Verdict(findings, _counts(counts), level, self._next(wakes))

    def cases(self, verdict: _Verdict) -> pl.DataFrame:
        """One row a case (`CASES`)."""
        return pl.DataFrame(
            [
                self.ids.alias("case_id"),
                constant(self.domain.code, len(self.ids), pl.String).alias("domain"),
                *self._summary.get_columns(),
                verdict.level.alias("level"),
                verdict.next_at.alias("next_at_us"),
            ]
        )

    def figures(self) -> pl.DataFrame:
        """What the cases add to the daily figures."""
        added = self.domain.figures(self.ground, self._summary)
        return pl.DataFrame(
            [
                self.ids[added["case"]].alias("case_id"),
                constant(self.domain.code, added.height, pl.String).alias("domain"),
                *added.get_columns()[1:],
            ]
        )

    def _by_clock(
        self, thresholds: tuple[Threshold, ...], wakes: list[pl.DataFrame]
    ) -> tuple[list[tuple[Threshold, pl.DataFrame]], int, int]:
        rows = []
        checked = unclear = 0
        for place, threshold in enumerate(thresholds):
            clocks, reached = self.readings.named(threshold.clock, threshold.at_least)
            if not place:
                unclear = clocks["over"].null_count()
                checked = clocks.height - unclear + self.readings.aside(threshold.clock)
            if clocks.is_empty():
                continue
            by_now = true(reached <= self._as_of)
            waits = ~by_now & present(reached)
            if waits.any():
                wakes.append(frame(case=clocks["case"].filter(waits), at_us=reached.filter(waits)))
            holds = by_now
            if threshold.level > Level.NOTICE:
                holds = holds & ~fill(clocks["provisional"], True)
            if holds.any():
                found = keep_rows(clocks[_OF_CLOCK], holds).rename({"due_at": "due_at_us"})
                since = reached.filter(holds).alias("since_us")
                rows.append((threshold, found.hstack([since])[list(_FOUND)]))
        return rows, checked, unclear

    def _by_test(
        self, rule: Rule, thresholds: tuple[Threshold, ...]
    ) -> tuple[list[tuple[Threshold, pl.DataFrame]], int, int]:
        assert rule.test is not None
        test = rule.test
        asked = self.ground.frames[test.frame]
        if asked.is_empty():
            return [], 0, 0
        absent = [name for name in _OF_TEST if name not in asked.columns]
        for name in absent:
            whole = name == "part"
            kind = _FOUND[name]
            column = constant("case", asked.height, kind) if whole else nulls(asked.height, kind)
            asked = asked.hstack([column.alias(name)])
        measured = (
            asked.lazy()
            .filter(test.applies)
            .select(
                "case",
                "part",
                "code",
                "nth",
                test.since.cast(pl.Int64).alias("since_us"),
                test.due.cast(pl.Int64).alias("due_at_us"),
                test.measure.cast(pl.Int32).alias("over"),
                "agency",
                test.actor.cast(pl.String).alias("actor"),
            )
            .collect()
        )
        unclear = measured["over"].null_count()
        rows = []
        for threshold in thresholds:
            holds = true(measured["over"] >= threshold.at_least)
            if holds.any():
                # A subject that breaks a rule twice (two steps that should have come first) breaks it once.
                broken = measured.filter(holds).sort("since_us")
                once = broken.unique(["case", "part", "code", "nth"], keep="first", maintain_order=True)
                rows.append((threshold, once))
        return rows, measured.height - unclear, unclear

    def _findings(self, found: pl.DataFrame) -> pl.DataFrame:
        case = found["case"]
        agency, item = (self._summary[name][case] for name in ("agency", "item"))
        return found.select(
            self.ids[case].alias("case_id"),
            subject(),
            pl.lit(self.domain.code).alias("domain"),
            "rule",
            "rule_version",
            "level",
            "since_us",
            "due_at_us",
            "over",
            pl.when(pl.col("agency") != "").then("agency").otherwise(agency).alias("agency"),
            item.alias("item"),
            pl.col("actor").fill_null(""),
        )

    def _next(self, wakes: list[pl.DataFrame]) -> pl.Series:
        none = nulls(len(self.ids), pl.Int64)
        if self._later.height:
            numbers = pl.DataFrame(
                {"case_id": self.ids, "case": pl.int_range(len(self.ids), dtype=pl.UInt32, eager=True)}
            )
            wakes.append(
                self._later.select("case_id", "at_us").join(numbers, on="case_id").select("case", "at_us")
            )
        waiting = pl.concat(wakes)
        if waiting.is_empty():
            return none
        first = waiting.group_by("case").agg(pl.col("at_us").min())
        return none.scatter(first["case"], first["at_us"])


def _with_limits(clocks: pl.DataFrame, limits: Mapping[str, int]) -> pl.DataFrame:
    """The clocks with other limits, by name, in place of what they carry."""
    named = pl.col("name").is_in(list(limits))
    limit = pl.col("name").replace_strict(limits, default=None, return_dtype=pl.Int32)
    return clocks.with_columns(
        amount=pl.when(named).then(limit).otherwise("amount"),
        stated_due_at=pl.when(~named).then("stated_due_at"),
        stated_due_day=pl.when(~named).then("stated_due_day"),
    )


def _counts(counts: list[tuple[str, int, int, dict[Level, int]]]) -> pl.DataFrame:
    rows = [
        (rule, checked, unclear, *(levels.get(level, 0) for level in Level))
        for rule, checked, unclear, levels in counts
    ]
    return pl.DataFrame(rows, schema=COUNTS, orient="row")


def _concat(frames: list[pl.DataFrame], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    if len(frames) == 1:
        return frames[0]
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)
