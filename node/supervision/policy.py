"""Rules as data, and the policy that sets their thresholds: what is a finding, and at which level.

A built-in rule names its subject, its thresholds and the law it stands on. Either it reads a *clock* (the thresholds are
values of `over`, DOMAIN §1), or it has a *test*: Polars expressions over one frame of a domain's facts. A policy is a version of the
numbers: it can switch a rule off, move its thresholds, set the length of the rule's own clock, and say which levels wait for a
person's confirmation, how long the steps of an alert's life may take and who is told of it. Numbers in rules are defaults; a policy overrides them and changes no code.

What holds when something is missing: a test that gives null, or a clock without a limit, is undetermined; it is counted and
never raised. A setting for a rule that is not installed is kept and does nothing (a newer tier may know it).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import Final

import polars as pl
from zongheng.v1 import catalogue_pb2, entry_pb2
from zongheng.v1.terms_pb2 import Audience, StepDeadlines

from node.supervision import terms as steps
from node.supervision.terms import Terms as StepTerms


class Level(IntEnum):
    """Alert levels (预警, 黄牌, 红牌), by their number on the wire."""

    NOTICE = 1
    YELLOW = 2
    RED = 3

    @property
    def word(self) -> str:
        """The level's name in figures and answers."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Threshold:
    """A finding of `level` holds when the measure is at least `at_least`.

    The measure is `over` of the named `clock`, or, for a rule with a test, what the test measures.
    """

    level: Level
    at_least: int
    clock: str = ""


@dataclass(frozen=True)
class Test:
    """A rule's expressions over the rows of one frame of the facts; a row is one subject.

    `applies` says which rows are checked at all (None: all), `measure` is an integer or boolean (null: undetermined), `since` the instant
    (µs) from which the facts make it so, `due` the deadline it rests on and `actor` the officer concerned, where there is one.
    """

    frame: str
    measure: pl.Expr
    since: pl.Expr
    applies: pl.Expr | None = None
    due: pl.Expr = field(default_factory=lambda: pl.lit(None, dtype=pl.Int64))
    actor: pl.Expr = field(default_factory=lambda: pl.col("actor"))

    @cached_property
    def outcome(self) -> tuple[pl.Expr, ...]:
        """What a row comes to: `since_us`, `due_at_us`, `over` and `actor`."""
        return (
            self.since.cast(pl.Int64).alias("since_us"),
            self.due.cast(pl.Int64).alias("due_at_us"),
            self.measure.cast(pl.Int32).alias("over"),
            self.actor.cast(pl.String).alias("actor"),
        )

    @cached_property
    def columns(self) -> list[str]:
        """The columns of its frame that it reads."""
        read = self.outcome if self.applies is None else (self.applies, *self.outcome)
        return sorted({name for one in read for name in one.meta.root_names()})


@dataclass(frozen=True)
class Terms:
    """Where a rule's own clock runs: one clock for each row of a frame of facts that has a `start`.

    All names are columns. Its length is `stated_days`, else what the catalogue says of the item (`published`: "statutory" or "promised"),
    else the rule's `limit_days`; a stated due wins over all. A clock without any is undetermined.
    """

    frame: str
    start: str
    stop: str = ""
    unit: str = "working"
    roll: bool = True
    applies: pl.Expr | None = None
    """Which rows have the clock at all."""
    stated_days: str = ""
    stated_due_day: str = ""
    stated_due_at: str = ""
    published: str = ""
    extension: str = ""
    """Counted days granted on top."""
    pauses: str = ""
    """The part whose rows (`at_us`, `closed_at`, `granted_days`) take days out."""
    by: str = ""
    """The officer concerned."""
    both: bool = False
    """Only where it has stopped: an interval between two events."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a rule says, in both languages.

    The texts are formats over `over` (a number), `due` (a time or "–"), `subject`, `actor` and `item`.
    """

    name_zh: str
    name_en: str
    zh: str
    en: str


_ENTERED_LATE: Final = Words(
    "事后补录",
    "Entered late",
    "事件应于{due}前录入，{lapse_zh}。",
    "The event was to be entered by {due}; {lapse_en}.",
)


def words(domain: str, table: str) -> dict[str, Words]:
    """The words of a domain's rules out of a table: a line a rule, `name | 中文名 | English name | 中文 | English`.

    Those of `entered_late`, which every domain has, are added. Raises `ValueError` for a line of another form.
    """
    told = {f"{domain}.entered_late": _ENTERED_LATE}
    for line in filter(None, map(str.strip, table.splitlines())):
        name, *texts = (part.strip() for part in line.split("|"))
        if len(texts) != 4:
            raise ValueError(f"the words of {domain}.{name} are {len(texts)} texts, not four")
        told[f"{domain}.{name}"] = Words(*texts)
    return told


@dataclass(frozen=True)
class Rule:
    """A built-in rule."""

    code: str
    domain: str
    subject: str
    """case, step, pause, correction or tier: what in a case a finding of it is about."""
    thresholds: tuple[Threshold, ...]
    legal_basis: str
    words: Words
    test: Test | None = None
    """None: the rule reads the clocks that its thresholds name."""
    terms: Terms | None = None
    """Where its own clock runs, of a rule whose domain is declared (`staged`)."""
    limit_days: int | None = None
    """Length of the rule's own clock, for the clocks that neither a case nor the catalogue gives a length."""
    fixed: bool = False
    """Its level is not a matter of how much: a policy that names a level replaces the level instead of adding one."""
    reruns_elsewhere: bool = True
    """A parent that holds the journal can run it too; False: only the origin knows enough (a secret list, a vault)."""
    version: int = 1

    @property
    def clocks(self) -> tuple[str, ...]:
        """The clocks it reads; none for a rule with a test."""
        return tuple(dict.fromkeys(threshold.clock for threshold in self.thresholds if threshold.clock))


@dataclass(frozen=True, slots=True)
class Setting:
    """A policy's overrides of one rule; None leaves the default."""

    disabled: bool = False
    notice: int | None = None
    yellow: int | None = None
    red: int | None = None
    limit_days: int | None = None

    @property
    def named(self) -> dict[Level, int]:
        """The thresholds it sets."""
        given = {Level.NOTICE: self.notice, Level.YELLOW: self.yellow, Level.RED: self.red}
        return {level: at_least for level, at_least in given.items() if at_least is not None}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whether alerts of a level wait for a person, and after how many working days they stop waiting (0: never)."""

    required: bool
    timeout_days: int = 0

    @property
    def longest(self) -> float:
        """Working days that an alert waits at most."""
        if not self.required:
            return 0.0
        return float(self.timeout_days) if self.timeout_days else float("inf")


CONFIRMATIONS: Final[Mapping[Level, Confirmation]] = {
    Level.NOTICE: Confirmation(False),
    Level.YELLOW: Confirmation(True, 3),
    Level.RED: Confirmation(True, 3),
}
"""By default cards wait for a person, three working days at most (choice: the time given for a reply, DOMAIN §2)."""


@dataclass(frozen=True)
class Policy:
    """One version of the numbers, and what is mandated from above besides. `Policy()` is the defaults, version 0.

    The strictest holds, for each rule and threshold: what is mandated is not switched off here, its thresholds and limits are never later
    or longer than mandated, and its cards never wait longer for a person. What this policy says beyond that is its own matter.
    """

    version: int = 0
    settings: Mapping[str, Setting] = field(default_factory=dict)
    confirmations: Mapping[Level, Confirmation] = field(default_factory=dict)
    valid_from_us: int = 0
    mandates: tuple["Mandate", ...] = ()
    deadlines: Mapping[str, int] = field(default_factory=dict)
    """Working days of the steps that it names (`terms.NAMES`)."""
    audiences: Mapping[Level, frozenset[str]] = field(default_factory=dict)
    """The roles that are told, of the levels that it names."""

    def enabled(self, rule: Rule) -> bool:
        """Whether the rule is applied at all."""
        setting = self.settings.get(rule.code)
        return setting is None or not setting.disabled or bool(self.demands(rule.code))

    def demands(self, rule: str) -> list[Setting]:
        """What is mandated of a rule; a mandate that switches it off demands nothing."""
        named = (mandate.policy.settings.get(rule) for mandate in self.mandates)
        return [setting for setting in named if setting is not None and not setting.disabled]

    def thresholds(self, rule: Rule) -> tuple[Threshold, ...]:
        """The rule's thresholds under this policy, lowest level first; none where it is switched off."""
        setting, demands = self.settings.get(rule.code), self.demands(rule.code)
        if setting is not None and setting.disabled:
            if not demands:
                return ()
            setting = None
        kept = _thresholds(rule, setting)
        for demand in demands:
            named = demand.named
            asked = {level: one for level, one in _thresholds(rule, demand).items() if level in named}
            kept = _stricter(rule, kept, asked)
        return tuple(kept[one] for one in sorted(kept))

    def limit_days(self, rule: Rule) -> int | None:
        """Length of the rule's own clock."""
        setting = self.settings.get(rule.code)
        own = rule.limit_days if setting is None or setting.limit_days is None else setting.limit_days
        demanded = [one.limit_days for one in self.demands(rule.code) if one.limit_days is not None]
        return min([*demanded, *([] if own is None else [own])], default=None)

    def confirmation(self, level: Level) -> Confirmation:
        """Whether alerts of `level` wait for a person."""
        own = self.confirmations.get(level, CONFIRMATIONS[level])
        asked = [
            mandate.policy.confirmations[level]
            for mandate in self.mandates
            if level in mandate.policy.confirmations
        ]
        return min([own, *asked], key=lambda one: one.longest)

    @cached_property
    def terms(self) -> StepTerms:
        """How long the steps of an alert's life may take under this policy."""
        days = steps.held(self.deadlines, (mandate.policy.deadlines for mandate in self.mandates))
        timeouts = {int(level): self.confirmation(level).timeout_days for level in Level}
        return StepTerms(
            **days,
            timeouts={level: days for level, days in timeouts.items() if days},
            policy_version=self.version,
            mandates=self.mandated,
        )

    def told(self, level: Level, default: Iterable[str]) -> frozenset[str]:
        """The roles that are told of a level, ``default`` where this policy names none; who is to be told by what is mandated is told too."""
        above = (mandate.policy.audiences.get(level, frozenset()) for mandate in self.mandates)
        return frozenset(self.audiences.get(level, default)).union(*above)

    @property
    def mandated(self) -> str:
        """The policies from above, as alerts name them; empty: none."""
        return " ".join(sorted(mandate.word for mandate in self.mandates))

    @classmethod
    def from_message(cls, message: catalogue_pb2.Policy) -> "Policy":
        """The policy out of its journal form. A later setting of the same rule or level wins; unknown levels are left out."""
        return cls(
            version=message.version,
            settings={one.rule: _setting(one) for one in message.rules},
            confirmations={
                Level(one.level): Confirmation(one.confirm, one.confirm_timeout_days)
                for one in message.levels
                if int(one.level) in {int(level) for level in Level}
            },
            valid_from_us=message.valid_from_us,
            deadlines=steps.named(message.deadlines),
            audiences={
                Level(one.level): frozenset(one.roles)
                for one in message.audiences
                if one.level in {int(level) for level in Level}
            },
        )

    def to_message(self) -> catalogue_pb2.Policy:
        """The journal form."""
        return catalogue_pb2.Policy(
            version=self.version,
            rules=[
                catalogue_pb2.RuleSetting(
                    rule=code,
                    disabled=one.disabled,
                    notice=one.notice,
                    yellow=one.yellow,
                    red=one.red,
                    limit_days=one.limit_days,
                )
                for code, one in sorted(self.settings.items())
            ],
            levels=[
                catalogue_pb2.LevelSetting(
                    level=catalogue_pb2.Level.ValueType(level),
                    confirm=one.required,
                    confirm_timeout_days=one.timeout_days,
                )
                for level, one in sorted(self.confirmations.items())
            ],
            valid_from_us=self.valid_from_us,
            deadlines=StepDeadlines(**self.deadlines) if self.deadlines else None,
            audiences=[
                Audience(level=level, roles=sorted(roles)) for level, roles in sorted(self.audiences.items())
            ],
        )


@dataclass(frozen=True)
class Mandate:
    """A policy from above, addressed to this node or to everybody below one that is this node or above it."""

    sender: str
    node: str
    policy: Policy

    @property
    def word(self) -> str:
        """As alerts name it."""
        to = "" if self.node == self.sender else f">{self.node}"
        return f"{self.sender}{to}:{self.policy.version}"


def _thresholds(rule: Rule, setting: Setting | None) -> dict[Level, Threshold]:
    """A rule's thresholds with a setting's overrides."""
    named = {} if setting is None else setting.named
    kept = {} if rule.fixed and named else {one.level: one for one in rule.thresholds}
    for level, at_least in named.items():
        # A level the rule does not have reads the clock of the nearest level that it has.
        nearest = min(rule.thresholds, key=lambda one: (abs(one.level - level), -one.level))
        kept[level] = replace(nearest, level=level, at_least=at_least)
    return kept


def _stricter(
    rule: Rule, own: Mapping[Level, Threshold], asked: Mapping[Level, Threshold]
) -> dict[Level, Threshold]:
    """Of each level the earlier threshold; of a rule whose level is not a matter of how much, the highest level."""
    kept = dict(own)
    for level, one in asked.items():
        if level not in kept or one.at_least < kept[level].at_least:
            kept[level] = one
    if rule.fixed and kept:
        highest = max(kept)
        return {highest: kept[highest]}
    return kept


def registered(rules: Iterable[Rule], policy: Policy) -> list[entry_pb2.RuleRegistered]:
    """The built-in rules as a node applies them, in the form that is entered in its journal."""
    entries = []
    for rule in rules:
        values = {one.level: one.at_least for one in policy.thresholds(rule)}
        entries.append(
            entry_pb2.RuleRegistered(
                rule=rule.code,
                version=rule.version,
                domain=rule.domain,
                subject=rule.subject,
                clock=" ".join(rule.clocks),
                legal_basis=rule.legal_basis,
                notice=values.get(Level.NOTICE),
                yellow=values.get(Level.YELLOW),
                red=values.get(Level.RED),
                text_zh=rule.words.name_zh,
                text_en=rule.words.name_en,
            )
        )
    return entries


def _setting(message: catalogue_pb2.RuleSetting) -> Setting:
    return Setting(
        disabled=message.disabled,
        notice=message.notice if message.HasField("notice") else None,
        yellow=message.yellow if message.HasField("yellow") else None,
        red=message.red if message.HasField("red") else None,
        limit_days=message.limit_days if message.HasField("limit_days") else None,
    )
