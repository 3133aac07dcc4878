"""The rules of approval, and the domain as the evaluation sees it.

Thresholds read `over` (docs/rules.md) unless a rule has a test; every number is a default that a policy may move. Where no
source sets a level it is this project's choice: a duty of procedure that was broken is yellow, power used without authority
and money taken without right are red.

| rule | finds | source |
| --- | --- | --- |
| time.case | promised limit near (≥ −2) or past, statutory limit past | 行政许可法 §42; 优化营商环境条例 §36 |
| time.step | a step past its own limit, whoever spent the rest | the catalogue; 优化营商环境条例 §36 |
| time.pause | a special procedure near or past the days granted | 行政许可法 §45 (told in writing); practice |
| time.pre_acceptance | an online application unanswered after 2 days | practice |
| time.tier | a crossing case longer at this tier than the tier has | the catalogue; 行政许可法 §43 |
| time.issue | a certificate not out 3 days after completion; red: later than the law's ten working days | 行政许可法 §44; practice (three days) |
| time.joint | handled jointly for longer than 45 working days, extensions added | 行政许可法 §42 |
| time.share | a jointly handling agency past its own share (15 days unless stated) | choice |
| time.urge | an urging unanswered after three working days, unless others are stated | practice; choice of days |
| urge.repeated | urged three times or more | choice |
| extension.long | extended by more than 10 days, handled jointly by more than 15 | 行政许可法 §42 |
| listing.limit | listed with more than 20 working days, and no law of the limit named | 行政许可法 §42 |
| listing.promise | promised longer than the statutory limit | 行政许可法 §42, §44 |
| listing.fee | a standard fee without a basis | 行政许可法 §58, §59 |
| listing.procedure | a special procedure that §45 does not name, at an item that names no law | 行政许可法 §4, §45 |
| procedure.order | a step before one it must come after | 行政许可法 §4 |
| procedure.skipped | completion without a required step | 行政许可法 §4 |
| procedure.authority | a step by somebody who is not authorised for it | 行政许可法 §4, §22 |
| procedure.same_person | one person both handled and approved | practice |
| procedure.before_acceptance | completion before acceptance, or without any | 行政许可法 §32 |
| procedure.unlisted | an item the catalogue does not have | 行政许可法 §17, §30; 优化营商环境条例 §40 |
| fee.unlawful | charged ≠ standard, or charged without a basis | 行政许可法 §58, §59 |
| correction.repeated | what is missing told more than once | 行政许可法 §32(4) |
| correction.late | what is missing told after five working days | 行政许可法 §32(4) |
| refusal.reason | refused without saying why | 行政许可法 §38 |
| result.reason | returned, void or otherwise ended without saying why | practice |
| pause.basis | a special procedure without law or approver, or not allowed for the item | 行政许可法 §42, §45 |
| entered_late | an event entered more than a working day after it happened | practice (back-filling) |

A fee below the standard is found when the case is completed, one above it at once; where no charge was recorded, nothing is found:
the record may lie elsewhere. A completion that says returned, void or withdrawn decides nothing, so it needs neither acceptance nor steps.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from node.supervision.columns import constant, has
from node.supervision.context import Context
from node.supervision.domains.approval import checks, clocks, listing
from node.supervision.domains.approval.events import DOMAIN, KINDS
from node.supervision.domains.approval.facts import DOCUMENTED, fold
from node.supervision.domains.approval.limits import limits
from node.supervision.domains.approval.summary import figures, summary
from node.supervision.domains.approval.words import WORDS
from node.supervision.fold import Domain, Facts, Ground
from node.supervision.policy import Level, Rule, Test, Threshold
from node.supervision.statutes import CATALOGUE, CHOICE, PRACTICE

_NOTICE, _YELLOW, _RED = Level.NOTICE, Level.YELLOW, Level.RED


def _clock_rule(
    name: str, subject: str, basis: str, *thresholds: tuple[Level, str, int], limit_days: int | None = None
) -> Rule:
    code = f"{DOMAIN}.{name}"
    return Rule(
        code=code,
        domain=DOMAIN,
        subject=subject,
        thresholds=tuple(Threshold(level, at_least, clock) for level, clock, at_least in thresholds),
        legal_basis=basis,
        words=WORDS[code],
        limit_days=limit_days,
    )


def _test_rule(name: str, subject: str, basis: str, level: Level, test: Test, at_least: int = 1) -> Rule:
    code = f"{DOMAIN}.{name}"
    return Rule(
        code=code,
        domain=DOMAIN,
        subject=subject,
        thresholds=(Threshold(level, at_least),),
        legal_basis=basis,
        words=WORDS[code],
        test=test,
        fixed=at_least == 1,
    )


_DECIDED: Final = ~pl.col("result").is_in(checks.UNDECIDED).fill_null(False)
_DUE: Final = pl.coalesce("fee_stated", "fee_due")
_COMPLETED: Final = pl.col("completed_at").is_not_null()

RULES: Final = (
    _clock_rule(
        "time.case",
        "case",
        "行政许可法 §42; 优化营商环境条例 §36",
        (_NOTICE, clocks.PROMISED, -2),
        (_YELLOW, clocks.PROMISED, 1),
        (_RED, clocks.STATUTORY, 1),
    ),
    _clock_rule("time.step", "step", f"{CATALOGUE}; 优化营商环境条例 §36", (_YELLOW, clocks.STEP, 1)),
    _clock_rule(
        "time.pause",
        "pause",
        f"行政许可法 §45; {PRACTICE}",
        (_NOTICE, clocks.PAUSE, -2),
        (_YELLOW, clocks.PAUSE, 1),
        (_RED, clocks.PAUSE, 2),
    ),
    _clock_rule(
        "time.pre_acceptance",
        "case",
        PRACTICE,
        (_NOTICE, clocks.PRE_ACCEPTANCE, 1),
        (_YELLOW, clocks.PRE_ACCEPTANCE, 4),
        (_RED, clocks.PRE_ACCEPTANCE, 6),
        limit_days=2,
    ),
    _clock_rule("time.tier", "tier", f"{CATALOGUE}; 行政许可法 §43", (_RED, clocks.TIER, 1)),
    _clock_rule(
        "time.issue",
        "case",
        f"行政许可法 §44; {PRACTICE}",
        (_YELLOW, clocks.ISSUE, 1),
        (_RED, clocks.ISSUE, 8),
        limit_days=3,
    ),
    _clock_rule("time.joint", "case", "行政许可法 §42", (_RED, clocks.JOINT, 1), limit_days=45),
    _clock_rule("time.share", "share", CHOICE, (_YELLOW, clocks.SHARE, 1), limit_days=15),
    _clock_rule("time.urge", "urge", f"{PRACTICE}; {CHOICE}", (_YELLOW, clocks.URGE, 1), limit_days=3),
    _test_rule(
        "urge.repeated",
        "urge",
        CHOICE,
        _YELLOW,
        Test("urges", measure=pl.col("nth"), since=pl.col("at_us")),
        at_least=3,
    ),
    _test_rule(
        "extension.long",
        "case",
        "行政许可法 §42",
        _YELLOW,
        Test(
            "cases",
            applies=pl.col("extension") > 0,
            measure=pl.col("extension") > pl.when(pl.col("joint")).then(15).otherwise(10),
            since=pl.col("extended_at"),
            actor=pl.lit(""),
        ),
    ),
    *(
        _test_rule(
            f"listing.{name.removeprefix('listed_')}",
            "case",
            law,
            _YELLOW,
            Test(
                "cases",
                applies=pl.col("version").is_not_null(),
                measure=pl.col(name),
                since=pl.coalesce("began_at", "first_at"),
                actor=pl.lit(""),
            ),
        )
        for name, law in (
            (listing.LIMIT, "行政许可法 §42"),
            (listing.PROMISE, "行政许可法 §42, §44"),
            (listing.FEE, "行政许可法 §58, §59"),
            (listing.PROCEDURE, "行政许可法 §4, §45"),
        )
    ),
    _test_rule(
        "procedure.order",
        "step",
        "行政许可法 §4",
        _YELLOW,
        Test("orders", measure=pl.col("early"), since=pl.col("since")),
    ),
    _test_rule(
        "procedure.skipped",
        "step",
        "行政许可法 §4",
        _YELLOW,
        Test("skipped", measure=pl.lit(True), since=pl.col("since")),
    ),
    _test_rule(
        "procedure.authority",
        "step",
        "行政许可法 §4, §22",
        _RED,
        Test("authority", measure=~pl.col("authorised"), since=pl.col("at_us")),
    ),
    _test_rule(
        "procedure.same_person",
        "case",
        PRACTICE,
        _YELLOW,
        Test("duties", measure=pl.lit(True), since=pl.col("since")),
    ),
    _test_rule(
        "procedure.before_acceptance",
        "case",
        "行政许可法 §32",
        _YELLOW,
        Test(
            "cases",
            applies=_COMPLETED
            & pl.col("refused_at").is_null()
            & _DECIDED
            & (pl.col("result") != "refused").fill_null(True),
            # Filed here and never accepted is known; a case from another tier that brought no acceptance is not.
            measure=(pl.col("completed_at") < pl.col("accepted_at")).fill_null(
                pl.when(pl.col("filed_here")).then(pl.lit(True))
            ),
            since=pl.col("completed_at"),
            actor=pl.col("completed_by"),
        ),
    ),
    _test_rule(
        "procedure.unlisted",
        "case",
        "行政许可法 §17, §30; 优化营商环境条例 §40",
        _YELLOW,
        Test(
            "cases",
            applies=pl.col("catalogued"),
            measure=pl.when(pl.col("item") != "").then(pl.col("version").is_null()),
            since=pl.col("first_at"),
            actor=pl.lit(""),
        ),
    ),
    _test_rule(
        "fee.unlawful",
        "case",
        "行政许可法 §58, §59",
        _RED,
        Test(
            "cases",
            applies=pl.col("fee_recorded"),
            measure=(pl.when(~pl.col("fee_unknown")).then(pl.col("fee_charged")) > _DUE)
            | (
                _COMPLETED
                & pl.col("first_entered_at").is_null()
                & (pl.when(~pl.col("fee_unknown")).then(pl.col("fee_charged")) != _DUE)
            )
            | (pl.col("fee_unfounded") & (pl.col("fee_basis").fill_null("") == "")),
            since=pl.when(pl.col("fee_charged") < _DUE)
            .then(pl.max_horizontal("fee_at", "completed_at"))
            .otherwise("fee_at"),
            actor=pl.col("fee_by"),
        ),
    ),
    _test_rule(
        "correction.repeated",
        "correction",
        "行政许可法 §32(4)",
        _YELLOW,
        Test("corrections", measure=pl.col("nth"), since=pl.col("at_us")),
        at_least=2,
    ),
    _clock_rule(
        "correction.late", "correction", "行政许可法 §32(4)", (_YELLOW, clocks.CORRECTION, 1), limit_days=5
    ),
    _test_rule(
        "refusal.reason",
        "case",
        "行政许可法 §38",
        _YELLOW,
        Test("refusals", measure=~pl.col("reasoned"), since=pl.col("at_us")),
    ),
    _test_rule(
        "result.reason",
        "case",
        PRACTICE,
        _YELLOW,
        Test(
            "cases",
            applies=_COMPLETED & pl.col("result").is_in(["returned", "void", "other"]),
            measure=~pl.col("result_reasoned"),
            since=pl.col("completed_at"),
            actor=pl.col("completed_by"),
        ),
    ),
    _test_rule(
        "pause.basis",
        "pause",
        "行政许可法 §42, §45",
        _YELLOW,
        Test(
            "pauses",
            measure=~(pl.col("founded") & pl.col("approved") & pl.col("allowed")),
            since=pl.col("at_us"),
        ),
    ),
    _clock_rule(
        "entered_late",
        "case",
        PRACTICE,
        (_NOTICE, clocks.ENTRY, 1),
        (_YELLOW, clocks.ENTRY, 5),
        limit_days=1,
    ),
)

_BY_CODE: Final = {rule.code.removeprefix(f"{DOMAIN}."): rule for rule in RULES}

_OWN_CLOCKS: Final = {
    clocks.PRE_ACCEPTANCE: _BY_CODE["time.pre_acceptance"],
    clocks.CORRECTION: _BY_CODE["correction.late"],
    clocks.ISSUE: _BY_CODE["time.issue"],
    clocks.ENTRY: _BY_CODE["entered_late"],
    clocks.JOINT: _BY_CODE["time.joint"],
    clocks.SHARE: _BY_CODE["time.share"],
    clocks.URGE: _BY_CODE["time.urge"],
}


def ground(facts: Facts, context: Context, as_of_us: int) -> Ground:
    """What the rules stand on: the facts under the law and the catalogue as of an instant."""
    policy = context.policy
    days: Mapping[str, int | None] = {
        clock: policy.limit_days(rule) if policy.enabled(rule) else None
        for clock, rule in _OWN_CLOCKS.items()
    }
    in_force = limits(facts, context, as_of_us, days[clocks.CORRECTION])
    cases = in_force.cases
    catalogued = constant(not context.catalogue.versions.is_empty(), cases.height, pl.Boolean)
    cases = cases.hstack([catalogued.alias("catalogued")])
    cases = listing.beside(cases, context.catalogue)
    steps = checks.with_catalogue(facts.parts["steps"], cases, context)
    all_clocks, pauses = clocks.clocks(facts, in_force, steps, context, days)
    found = {
        "procedure.order": checks.orders(cases, steps, context),
        "procedure.skipped": checks.skipped(cases, steps, context),
        "procedure.authority": checks.authority(steps, context),
        "procedure.same_person": checks.duties(cases, steps),
    }
    late_entries = facts.parts["late_entries"]
    silent = int((cases["entry_unknown"] & ~has(late_entries["case"], cases.height)).sum())
    clear = {f"{DOMAIN}.{name}": one.clear for name, one in found.items()}
    unclear = {f"{DOMAIN}.{name}": one.unclear for name, one in found.items()}
    return Ground(
        facts=facts,
        frames={
            "cases": cases,
            "orders": found["procedure.order"].rows,
            "skipped": found["procedure.skipped"].rows,
            "authority": found["procedure.authority"].rows,
            "duties": found["procedure.same_person"].rows,
            "pauses": checks.pauses(facts, cases, context),
            "corrections": checks.corrections(facts),
            "refusals": checks.refusals(facts),
            "urges": facts.parts["urges"],
        },
        clocks=all_clocks,
        pauses=pauses,
        clear={**clear, f"{DOMAIN}.entered_late": cases.height - late_entries.height - silent},
        unclear={**unclear, f"{DOMAIN}.entered_late": silent},
        wakes=in_force.wakes,
    )


APPLIED: Final = Domain(
    code=DOMAIN,
    kinds=KINDS,
    rules=RULES,
    fold=fold,
    ground=ground,
    summary=summary,
    figures=figures,
    summed_clocks=(clocks.STATUTORY, clocks.PROMISED, clocks.LENGTH),
    documented=DOCUMENTED,
)
"""The domain, for `fold.installed`."""
