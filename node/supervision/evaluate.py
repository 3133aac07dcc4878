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

import polars as pl

from node.store.rows import FactsRow
from node.supervision.context import Context
from node.supervision.finding import FINDINGS, Finding, finding_values
from node.supervision.fold import Domain, Ground, distinct_texts
from node.supervision.judgement import CASES, COUNTS, FIGURES, Applied, JudgedCases
from node.supervision.readings import Readings

__all__ = [
    "CASES",
    "COUNTS",
    "FIGURES",
    "FINDINGS",
    "Context",
    "Evaluation",
    "Finding",
    "Judged",
    "evaluate",
    "finding_values",
    "rerun",
]


@dataclass(frozen=True)
class Judged:
    """The cases of one domain with everything the judgement rests on."""

    domain: Domain
    ids: pl.Series
    ground: Ground
    readings: Readings

    @property
    def clocks(self) -> pl.DataFrame:
        """The clocks with their readings (`fold.CLOCKS`, `clock.READING_SCHEMA`) as of the instant; of many cases at once,
        without those of steps and the like that stopped well in time (`readings`)."""
        return self.readings.frame


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
    streams = frozenset(distinct_texts(events["domain"]))
    cases = [
        one
        for domain in domains
        if domain.stream in streams
        and (one := JudgedCases.of(domain, events, context, as_of_us, _applied(domain, context))) is not None
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
        figures=_concat([one.figures() for one in cases], FIGURES),
        judged=tuple(Judged(one.domain, one.ids, one.ground, one.readings) for one in cases),
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
    cases = JudgedCases.of(domain, events, context, as_of_us, [(found, thresholds)], limits)
    return pl.DataFrame(schema=FINDINGS) if cases is None else cases.judge().findings


def _applied(domain: Domain, context: Context) -> Applied:
    """The rules of a domain that the context's policy applies, with their thresholds."""
    policy = context.policy
    return [(rule, policy.thresholds(rule)) for rule in domain.rules if policy.enabled(rule)]


def _concat(frames: list[pl.DataFrame], schema: Mapping[str, type[pl.DataType]]) -> pl.DataFrame:
    if len(frames) == 1:
        return frames[0]
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)
