"""The part of folding that no domain owns: events by case and kind, and what a domain hands to the evaluation.

Cases are numbered 0 to n − 1 and a frame of case facts has row i for case i, so that looking something up is a gather and
noting something down a scatter: no joins, no lists, nothing per row. The same code serves one case (a few dozen column operations
on a handful of rows) and ten million (the same few dozen).

A fold is pure: the same events give the same facts, whatever the order in which they came, for order is (at, index) and is
restored here. It knows no now; an event later than the instant asked for must have been taken out before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import import_module
from typing import Final

import polars as pl

from node.supervision.clock import CLOCK_SCHEMA, PAUSE_SCHEMA
from node.supervision.columns import Keep, constant, fill, nulls, numbers, positions, present, spread, take
from node.supervision.context import Context
from node.supervision.frame import BASE, SCHEMA, by_case, case_begins
from node.supervision.policy import Rule

CLOCKS: Final[dict[str, type[pl.DataType]]] = {
    "clock": pl.Int64,
    "case": pl.UInt32,
    "part": pl.String,
    "code": pl.String,
    "nth": pl.Int64,
    "name": pl.String,
    "agency": pl.String,
    "actor": pl.String,
    **{name: kind for name, kind in CLOCK_SCHEMA.items() if name != "clock"},
}
"""Columns of a clock as a domain states it: its number, whose it is, what it is called (statutory, promised, step, …) and its terms.

`part`, `code` and `nth` say what in the case it is about (see `subject`); `agency` null: the case's."""

GROUND_PAUSES: Final[dict[str, type[pl.DataType]]] = PAUSE_SCHEMA
"""Columns of a pause of such a clock; its `clock` is the clock's number."""


def subject() -> pl.Expr:
    """The subject of a finding, out of `part`, `code` and `nth`: "case", "step:H#1", "pause:2", "tier", "payee"."""
    nth = pl.col("nth").cast(pl.String)
    return (
        pl.when(pl.col("nth").is_null() | (pl.col("part") == "case"))
        .then(pl.col("part"))
        .when(pl.col("code").is_not_null())
        .then(pl.format("{}:{}#{}", pl.col("part"), pl.col("code"), nth))
        .otherwise(pl.format("{}:{}", pl.col("part"), nth))
        .alias("subject")
    )


class CaseEvents:
    """Events of many cases of one domain: case after case, numbered so, each in the order in which things happened.

    Every selection of rows keeps that order, so a case's rows lie together in each."""

    def __init__(self, events: pl.DataFrame) -> None:
        """`events` is a frame (`frame.SCHEMA`), in any order; attribute columns may be missing."""
        missing = [name for name in BASE if name not in events.columns]
        if missing:
            raise ValueError(f"events lack the columns {missing}")
        events = by_case(events)
        begins = case_begins(events)
        self.case = (begins.cum_sum() - 1).cast(pl.UInt32).alias("case")
        self.ids = events["case_id"].filter(begins)
        self._columns = {column.name: column for column in events.get_columns()}
        self._columns["case"] = self.case
        self._columns["row"] = numbers(events.height).alias("row")
        self._kind = self["kind"]
        self.kinds = frozenset(distinct_texts(self._kind))

    def __len__(self) -> int:
        """Number of cases."""
        return self.ids.len()

    def __getitem__(self, column: str) -> pl.Series:
        """A column over all events, in one piece so that a gather is one jump."""
        values = self._columns[column]
        if values.n_chunks() > 1:
            values = self._columns[column] = values.rechunk()
        return values

    def of(self, kinds: str | tuple[str, ...], *columns: str) -> pl.DataFrame:
        """Events of these kinds in order, with `case`, `at_us` and `columns`; a column that no event carries is null.

        `row` may be asked for too: the event's place in the order of all.
        """
        wanted = (kinds,) if isinstance(kinds, str) else kinds
        names = ("case", "at_us", *columns)
        present_kinds = [kind for kind in wanted if kind in self.kinds]
        if not present_kinds:
            return _nothing(names)
        mask = self._kind == present_kinds[0]
        for other in present_kinds[1:]:
            mask = mask | (self._kind == other)
        height = int(mask.sum())
        return pl.DataFrame(
            [
                self._columns[name].filter(mask).rechunk()
                if name in self._columns
                else nulls(height, _dtype(name)).alias(name)
                for name in names
            ]
        )

    def stated(self, column: str, keep: Keep = "last") -> pl.Series:
        """For each case the first or last value of an attribute that some event of it states; null where none does."""
        if column not in self._columns or self._columns[column].null_count() == self._columns[column].len():
            return nulls(len(self), _dtype(column))
        values = self[column]
        given = present(values)
        return spread(values.filter(given), self.case.filter(given), len(self), keep)

    def text(self, column: str, keep: Keep = "first") -> pl.Series:
        """For each case the first or last value of a base text column that is not empty; "" where all are."""
        values = self[column]
        nearest = take(values, self.firsts if keep == "first" else positions(self.case, len(self), "last"))
        if (nearest != "").all():
            return nearest
        given = values != ""
        if not given.any():
            return constant("", len(self), pl.String)
        return fill(spread(values.filter(given), self.case.filter(given), len(self), keep), "")

    @cached_property
    def firsts(self) -> pl.Series:
        """The place of each case's first event."""
        return positions(self.case, len(self), "first")


@dataclass(frozen=True)
class Facts:
    """What a fold made of the events: `cases` has row i for case i, `parts` hold rows with a `case` column."""

    ids: pl.Series
    cases: pl.DataFrame
    parts: Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Ground:
    """What the rules of a domain stand on at an instant: facts with the catalogue applied, and the clocks they start.

    `frames` are what rules with a test read (each with `case`, `part`, `code`, `nth`, `agency`, `actor` as far as it has them);
    `clocks` are frames with the columns `CLOCKS`, each of one name and no two of the same, `pauses` has those of `GROUND_PAUSES`. `clear` counts, by rule, the subjects that need neither
    row nor clock to know that the rule has nothing against them, and `unclear` those of which too little is known to say.
    """

    facts: Facts
    frames: Mapping[str, pl.DataFrame]
    clocks: Mapping[str, pl.DataFrame]
    pauses: pl.DataFrame
    clear: Mapping[str, int]
    unclear: Mapping[str, int]
    wakes: pl.DataFrame
    """(case, at_us): instants later than the one asked for at which the ground itself changes."""


@dataclass(frozen=True)
class Domain:
    """One supervised domain: its vocabulary, its fold, its clocks, its rules and what a case adds to the figures."""

    code: str
    kinds: Mapping[str, Mapping[str, type]]
    rules: tuple[Rule, ...]
    fold: Callable[[CaseEvents, str], Facts]
    """(events, zone of cases that name none) → facts."""
    ground: Callable[[Facts, Context, int], Ground]
    """(facts, context, as_of_us) → what the rules stand on."""
    summary: Callable[[Ground, Mapping[str, pl.DataFrame]], pl.DataFrame]
    """(ground, its clocks with readings, by name) → one row a case, in case order: the columns `SUMMARY`."""
    figures: Callable[[Ground, pl.DataFrame], pl.DataFrame]
    """(ground, summary) → what cases add to the daily figures: the columns `FIGURES`."""
    summed_clocks: tuple[str, ...]
    """The clocks whose readings the summary takes."""
    gathering: str = ""
    """What its events are gathered under; empty: cases."""
    gatherings: tuple["Domain", ...] = ()
    """The same domain over what its cases have in common (`gathering`)."""
    documented: tuple[tuple[str, str, str, str], ...] = ()
    """Facts of a case that a local rule may be written about: (column of the frame `cases`, sense, 中文, English)."""

    stages: Mapping[str, str] = field(default_factory=dict)
    """Rule → code of the step of an item's process that its findings are about; where a finding's subject is a step, it says so itself."""

    @property
    def stream(self) -> str:
        """What its events have as their domain."""
        return f"{self.code}.{self.gathering}" if self.gathering else self.code

    def rule(self, code: str) -> Rule | None:
        """The rule with that code."""
        return next((rule for rule in self.rules if rule.code == code), None)


SUMMARY: Final[dict[str, type[pl.DataType]]] = {
    "item": pl.String,
    "agency": pl.String,
    "state": pl.String,
    "received_at_us": pl.Int64,
    "accepted_at_us": pl.Int64,
    "completed_at_us": pl.Int64,
    "statutory_due_us": pl.Int64,
    "promised_due_us": pl.Int64,
    "statutory_over": pl.Int32,
    "promised_over": pl.Int32,
    "late": pl.Boolean,
    "duration_days": pl.Int32,
    "applicant": pl.String,
}
"""What a domain says about each case. `late` is an open case's answer too, as of the instant asked for."""

FIGURES: Final[dict[str, type[pl.DataType]]] = {
    "case": pl.UInt32,
    "day": pl.Int32,
    "figure": pl.String,
    "amount": pl.Int64,
}
"""One amount that a case adds to the figures of a local day."""


def installed(codes: tuple[str, ...]) -> tuple[Domain, ...]:
    """The domains of these codes, as a tier's profile switches them on, each followed by its gatherings.

    Each is `node.supervision.domains.<code>.rules.APPLIED`. Raises `ModuleNotFoundError` for one that is not installed.
    """
    named: tuple[Domain, ...] = tuple(
        import_module(f"node.supervision.domains.{code}.rules").APPLIED for code in codes
    )
    return tuple(one for domain in named for one in (domain, *domain.gatherings))


def distinct_texts(texts: pl.Series) -> list[str]:
    """The different texts of a column."""
    few = texts.len() <= 100
    return list(texts.to_list() if few else texts.unique().to_list())


@cache
def _nothing(names: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(schema={name: _dtype(name) for name in names})


def _dtype(name: str) -> type[pl.DataType]:
    return pl.UInt32 if name in ("case", "row") else SCHEMA[name]
