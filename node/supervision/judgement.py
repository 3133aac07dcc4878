"""The cases of one domain judged: rules applied to clocks and facts, and the findings, counts and next looks that come of it.

This is the middle of an evaluation (`evaluate` is its door): it knows rules, clocks and frames, and no domain. A finding of a clock
holds from the instant at which `over` reaches the threshold, and it stays where the clock stopped past it; one of a test holds since
the facts made it so. What holds later is no finding yet, but a reason to look again then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from node.supervision.columns import constant, fill, frame, greatest, keep_rows, nulls, present, true
from node.supervision.context import Context
from node.supervision.finding import FINDINGS
from node.supervision.fold import SUMMARY, CaseEvents, Domain, subject
from node.supervision.policy import Level, Rule, Threshold
from node.supervision.readings import Readings

CASES: Final[dict[str, type[pl.DataType]]] = {
    "case_id": pl.String,
    "domain": pl.String,
    **SUMMARY,
    "level": pl.Int32,
    "next_at_us": pl.Int64,
}
"""One row a case: what its domain says of it, its highest level (0: none), and when to look again (null: only on an event)."""

COUNTS: Final[dict[str, type[pl.DataType]]] = {
    "rule": pl.String,
    "checked": pl.Int64,
    "undetermined": pl.Int64,
    "notice": pl.Int64,
    "yellow": pl.Int64,
    "red": pl.Int64,
}
"""For each rule: subjects it could judge, subjects it could not, and findings by level."""

FIGURES: Final[dict[str, type[pl.DataType]]] = {
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
_OF_TEST: Final = ("case", "part", "code", "nth", "agency")

Applied = Sequence[tuple[Rule, tuple[Threshold, ...]]]
"""Rules with the thresholds in force."""


@dataclass(frozen=True)
class Verdict:
    """What the rules say about the cases of one domain."""

    findings: pl.DataFrame
    counts: pl.DataFrame
    level: pl.Series
    next_at: pl.Series


class JudgedCases:
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
        clocks = {
            name: _with_limit(rows, limits[name]) if name in limits else rows
            for name, rows in self.ground.clocks.items()
        }
        early = {one.clock for _, thresholds in rules for one in thresholds if one.at_least < 1}
        exact = early.union(domain.summed_clocks)
        self.readings = Readings(clocks, self.ground.pauses, context, as_of_us, exact)
        self._summary = domain.summary(self.ground, self.readings.by_name)

    @classmethod
    def of(
        cls,
        domain: Domain,
        events: pl.DataFrame,
        context: Context,
        as_of_us: int,
        rules: Applied,
        limits: Mapping[str, int] | None = None,
    ) -> "JudgedCases | None":
        """The cases of `domain` among the events by the instant; None where there are none."""
        mine = events["domain"] == domain.stream
        if not mine.all():
            events = events.filter(mine)
        by_then = events["at_us"] <= as_of_us
        later = events.clear()
        if not by_then.all():
            later, events = events.filter(~by_then), events.filter(by_then)
        if events.is_empty():
            return None
        return cls(domain, CaseEvents(events), later, context, as_of_us, rules, limits or {})

    def judge(self) -> Verdict:
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
        return Verdict(findings, _counts(counts), level, self._next(wakes))

    def cases(self, verdict: Verdict) -> pl.DataFrame:
        """One row a case (`CASES`)."""
        return pl.DataFrame(
            [
                self.ids.alias("case_id"),
                constant(self.domain.stream, len(self.ids), pl.String).alias("domain"),
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
            clocks = self.readings.named(threshold.clock)
            if not place:
                unclear = clocks["over"].null_count()
                checked = clocks.height - unclear + self.readings.aside(threshold.clock)
            if clocks.is_empty():
                continue
            reached = self.readings.reached(threshold.clock, threshold.at_least)
            by_now = true(reached <= self._as_of)
            waits = ~by_now & present(reached)
            if waits.any():
                wakes.append(frame(case=clocks["case"].filter(waits), at_us=reached.filter(waits)))
            holds = by_now
            if threshold.level > Level.NOTICE:
                holds = holds & ~fill(clocks["provisional"], True)
            if holds.any():
                found = keep_rows(clocks[_OF_CLOCK], holds).rename({"due_at": "due_at_us"})
                # A limit shorter than its notice is near its end from the start of its first day; nothing holds before it began.
                since = greatest(reached, clocks["start_at"]).filter(holds).alias("since_us")
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
        if "actor" not in asked.columns:
            asked = asked.hstack([nulls(asked.height, pl.String).alias("actor")])
        read = asked[test.columns]
        about = [_about(asked, name, self.domain.gathering or "case") for name in _OF_TEST]
        if test.applies is not None:
            applies = true(read.select_seq(test.applies).to_series())
            if not applies.any():
                return [], 0, 0
            if not applies.all():
                read, about = keep_rows(read, applies), [column.filter(applies) for column in about]
        outcome = read.select_seq(test.outcome).get_columns()
        measured = pl.DataFrame(about + outcome)[list(_FOUND)]
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


def _about(asked: pl.DataFrame, name: str, whole: str) -> pl.Series:
    """Whom a row of a test's frame is about; a frame that does not say is about cases, or gatherings."""
    if name in asked.columns:
        return asked[name]
    if name == "part":
        return constant(whole, asked.height, pl.String).alias(name)
    return nulls(asked.height, _FOUND[name]).alias(name)


def _with_limit(clocks: pl.DataFrame, days: int) -> pl.DataFrame:
    """The clocks with another limit in place of what they carry."""
    return clocks.with_columns(
        amount=pl.lit(days, dtype=pl.Int32),
        stated_due_at=pl.lit(None, dtype=pl.Int64),
        stated_due_day=pl.lit(None, dtype=pl.Int32),
    )


def _counts(counts: list[tuple[str, int, int, dict[Level, int]]]) -> pl.DataFrame:
    rows = [
        (rule, checked, unclear, *(levels.get(level, 0) for level in Level))
        for rule, checked, unclear, levels in counts
    ]
    return pl.DataFrame(rows, schema=COUNTS, orient="row")
