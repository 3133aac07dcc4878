"""Facts by declaration: what a domain wants to know of a case, each with its name, its sense and how it is read off the events.

A fact is either *read* (the first, the last, how many, the sum …of events of some kinds) or *derived* by an expression over facts before it.
Both are columns over all cases at once. Facts know no now and no calendar, so they are the same wherever and whenever they are told; what a
rule may be written about is this list, with its words, and nothing else (docs/expressions.md).

What holds when something is missing: what no event states is null; a count is 0 and a flag false where there is nothing to count.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Literal

import polars as pl

from node.supervision.calendar import FIRST_DAY, Calendar
from node.supervision.columns import (
    Keep,
    constant,
    frame,
    has,
    keep_rows,
    local_day,
    nulls,
    present,
    spread,
    tally,
    true,
    where,
)
from node.supervision.columns import numbers as counted
from node.supervision.columns import total as summed
from node.supervision.fold import CaseEvents
from node.supervision.frame import attribute_column

Sense = Literal["instant", "day", "days", "money", "count", "flag", "code"]
"""µs since the epoch; days since 1970-01-01; a number of days; 分; a whole number; yes or no; a text."""

TYPES: Final[Mapping[Sense, type[pl.DataType]]] = {
    "instant": pl.Int64,
    "day": pl.Int64,
    "days": pl.Int64,
    "money": pl.Int64,
    "count": pl.Int64,
    "flag": pl.Boolean,
    "code": pl.String,
}

_HEAD: Final = ("actor", "agency", "item", "step", "applicant", "received_at_us", "row")


class Told:
    """The events of a domain's cases by kind; each selection is made once."""

    def __init__(self, events: CaseEvents, kinds: Mapping[str, Mapping[str, type]]) -> None:
        self.events = events
        self._kinds = kinds
        self._known: dict[tuple[str, ...], pl.DataFrame] = {}

    def of(self, *kinds: str) -> pl.DataFrame:
        """Events of these kinds in order, with everything that they can say."""
        if kinds not in self._known:
            said = {attribute_column(name) for kind in kinds for name in self._kinds[kind]}
            columns = (*_HEAD, "kind", "of_case", *sorted(said - {"kind", "of_case"}))
            self._known[kinds] = self.events.of(kinds, *columns)
        return self._known[kinds]

    def where(self, kinds: Sequence[str], condition: pl.Expr | None) -> pl.DataFrame:
        """Those of them for which the condition is true."""
        rows = self.of(*kinds)
        if condition is None or rows.is_empty():
            return rows
        return keep_rows(rows, true(rows.select_seq(condition).to_series()))


Source = Callable[[Told], pl.Series]


@dataclass(frozen=True)
class Days:
    """Days from one instant to another, by their local days: 0 on the same day, negative backwards; null where one is missing."""

    begin: str
    end: str
    working: bool = False
    """Working days after the first day up to the last; else natural ones."""

    def between(self, cases: pl.DataFrame, calendar: Calendar) -> pl.Series:
        """The days of each row; it has a `zone`."""
        begin, end = (local_day(cases[name], cases["zone"]) for name in (self.begin, self.end))
        if self.working:
            through = _working_through(calendar)
            begin, end = (
                through[(day - FIRST_DAY).clip(0, through.len() - 1).cast(pl.UInt32)] for day in (begin, end)
            )
        return (end - begin).cast(pl.Int64)


@dataclass(frozen=True)
class Day:
    """The local day of an instant, in days since 1970-01-01; null where it is missing."""

    of: str

    def between(self, cases: pl.DataFrame, calendar: Calendar) -> pl.Series:
        """The day of each row; it has a `zone`."""
        del calendar
        return local_day(cases[self.of], cases["zone"]).cast(pl.Int64)


@lru_cache(maxsize=8)
def _working_through(calendar: Calendar) -> pl.Series:
    return pl.Series(calendar.tables.working_through, dtype=pl.Int64)


@dataclass(frozen=True)
class Fact:
    """One column of facts."""

    name: str
    sense: Sense
    zh: str
    en: str
    told: Source | pl.Expr | Days | Day
    """How it is read off the events, or what gives it out of other facts."""

    @property
    def derived(self) -> bool:
        """It rests on other facts alone."""
        return isinstance(self.told, pl.Expr | Days | Day)

    @cached_property
    def roots(self) -> frozenset[str]:
        """The columns that a derived fact rests on."""
        if isinstance(self.told, Days):
            return frozenset({self.told.begin, self.told.end})
        if isinstance(self.told, Day):
            return frozenset({self.told.of})
        return frozenset(self.told.meta.root_names()) if isinstance(self.told, pl.Expr) else frozenset()


def first(*kinds: str, of: str = "at_us", where: pl.Expr | None = None) -> Source:
    """What the first such event says under `of`; by default when it happened."""
    return _one(kinds, of, where, "first")


def last(*kinds: str, of: str = "at_us", where: pl.Expr | None = None) -> Source:
    """What the last such event says."""
    return _one(kinds, of, where, "last")


def count(*kinds: str, where: pl.Expr | None = None) -> Source:
    """How many such events there are."""

    def read(told: Told) -> pl.Series:
        return tally(told.where(kinds, where)["case"], len(told.events))

    return read


def total(*kinds: str, of: str, where: pl.Expr | None = None) -> Source:
    """The sum of what such events say; 0 where none does."""

    def read(told: Told) -> pl.Series:
        rows = told.where(kinds, where)
        return summed(rows[of], rows["case"], len(told.events))

    return read


def most(*kinds: str, of: str, where: pl.Expr | None = None) -> Source:
    """The largest of what such events say."""

    def read(told: Told) -> pl.Series:
        rows = told.where(kinds, where)
        found = rows.group_by("case").agg(pl.col(of).max())
        return _none(told, rows[of].dtype).scatter(found["case"], found[of])

    return read


def distinct(*kinds: str, of: tuple[str, ...], where: pl.Expr | None = None) -> Source:
    """How many different codes such events say under any of the columns `of`."""

    def read(told: Told) -> pl.Series:
        rows = told.where(kinds, where)
        said = pl.concat([frame(case=rows["case"], code=rows[column]) for column in of])
        said = keep_rows(said, true(said["code"] != "")).unique()
        return tally(said["case"], len(told.events))

    return read


def any_of(*kinds: str, where: pl.Expr | None = None) -> Source:
    """Whether there is such an event."""

    def read(told: Told) -> pl.Series:
        return has(told.where(kinds, where)["case"], len(told.events))

    return read


def _one(kinds: tuple[str, ...], of: str, condition: pl.Expr | None, keep: Keep) -> Source:
    def read(told: Told) -> pl.Series:
        rows = told.where(kinds, condition)
        if rows.is_empty():
            return _none(told, rows[of].dtype)
        said, case = rows[of], rows["case"]
        if said.null_count():
            given = present(said)
            said, case = said.filter(given), case.filter(given)
        return spread(said, case, len(told.events), keep)

    return read


def _none(told: Told, dtype: pl.DataType) -> pl.Series:
    return nulls(len(told.events), dtype)


GIVEN: Final[tuple[tuple[str, Sense, str, str], ...]] = (
    ("item", "code", "事项", "item code"),
    ("agency", "code", "部门", "agency code"),
    ("first_at", "instant", "首个事件时间", "its first event"),
    ("last_at", "instant", "最近事件时间", "its last event"),
    ("events", "count", "事件数", "how many events it has"),
)
"""Facts of every domain."""


def tell(told: Told, zone: str, facts: Iterable[Fact]) -> pl.DataFrame:
    """The facts that are read off the events: row i for case i. `zone` is that of cases that name none."""
    events = told.events
    n = len(events)
    own_zone = events.text("zone")
    columns = {
        "case": counted(n),
        "item": events.text("item"),
        "agency": events.text("agency"),
        "zone": where(own_zone != "", own_zone, constant(zone, 1, pl.String)),
        "applicant": events.text("applicant"),
        "first_at": spread(events["at_us"], events.case, n, "first"),
        "last_at": spread(events["at_us"], events.case, n, "last"),
        "events": tally(events.case, n),
    }
    for fact in facts:
        if not isinstance(fact.told, pl.Expr | Days | Day):
            columns[fact.name] = fact.told(told).cast(TYPES[fact.sense])
    return frame(**columns)


class Derivation:
    """The derived facts of a domain, in the order in which they rest on each other."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        """Raises `ValueError` for facts that wait for each other."""
        waiting = {fact.name: fact for fact in facts if fact.derived}
        self._layers: list[tuple[list[pl.Expr], list[tuple[str, Days | Day]]]] = []
        while waiting:
            ready = [fact for fact in waiting.values() if not fact.roots & waiting.keys()]
            if not ready:
                raise ValueError(f"these facts wait for each other: {', '.join(sorted(waiting))}")
            plain = [
                fact.told.cast(TYPES[fact.sense]).alias(fact.name)
                for fact in ready
                if isinstance(fact.told, pl.Expr)
            ]
            spans = [(fact.name, fact.told) for fact in ready if isinstance(fact.told, Days | Day)]
            self._layers.append((plain, spans))
            for fact in ready:
                del waiting[fact.name]

    def derive(self, cases: pl.DataFrame, calendar: Calendar) -> pl.DataFrame:
        """The cases with the derived facts beside those that were read."""
        for plain, spans in self._layers:
            added = cases.select_seq(plain).get_columns() if plain else []
            added += [days.between(cases, calendar).alias(name) for name, days in spans]
            cases = cases.hstack(added)
        return cases


def filled(*columns: str) -> pl.Expr:
    """Whether each of these codes is there and is not empty."""
    return pl.all_horizontal((pl.col(column).fill_null("") != "") for column in columns)
