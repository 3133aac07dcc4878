"""The kinds of rules there are, each a line in a domain's `rules.py`.

| kind | reads | written with |
| --- | --- | --- |
| limit on a clock | `over` of a clock that runs until its end comes | `limit` |
| interval between two events | `over` of a clock of natural days of which both ends happened | `interval` |
| order, absence | facts: what came too early, what never came | `check` |
| who did it | facts: one person twice, somebody without authority or certificate | `check`, `Standard` |
| amount against a standard or a range | facts beside a library's bounds | `check`, `Standard` |
| value against a library | whether the library knows it | `check`, `Standard` |
| frequency over a period; duplicates and patterns across cases | facts or clocks of a gathering | `Gathering` |
| a local expression over facts | a published text | `expression` |

Thresholds are (level, at least). Every number is a default that a policy may move.
"""

from collections.abc import Mapping
from typing import Final

import polars as pl

from node.supervision.clock import NATURAL, WORKING
from node.supervision.policy import Level, Rule, Terms, Test, Threshold, Words
from node.supervision.statutes import PRACTICE

NOTICE, YELLOW, RED = Level.NOTICE, Level.YELLOW, Level.RED

CASE: Final = "case"

ENTERED: Final = "late_entries"
"""The part that every domain has: events entered long after they happened."""


class Rulebook:
    """Writes the rules of one domain: their codes begin with the domain's, their words come from its `words`."""

    def __init__(self, domain: str, words: Mapping[str, Words]) -> None:
        self._domain = domain
        self._words = words

    def limit(
        self,
        name: str,
        basis: str,
        *thresholds: tuple[Level, int],
        start: str,
        stop: str = "",
        days: int | None = None,
        unit: str = WORKING,
        roll: bool = True,
        frame: str = "cases",
        subject: str = CASE,
        applies: pl.Expr | None = None,
        stated_days: str = "",
        stated_due_day: str = "",
        stated_due_at: str = "",
        published: str = "",
        extension: str = "",
        pauses: str = "",
        by: str = "",
        both: bool = False,
    ) -> Rule:
        """A limit on a clock of its own, from `start` until `stop`; `days` is its length where neither a case nor the catalogue says.

        See `policy.Terms` for the rest. `roll` only matters for natural days (民法典 §203).
        """
        code = f"{self._domain}.{name}"
        terms = Terms(
            frame=frame,
            start=start,
            stop=stop,
            unit=unit,
            roll=roll,
            applies=applies,
            stated_days=stated_days,
            stated_due_day=stated_due_day,
            stated_due_at=stated_due_at,
            published=published,
            extension=extension,
            pauses=pauses,
            by=by,
            both=both,
        )
        return Rule(
            code=code,
            domain=self._domain,
            subject=subject,
            thresholds=tuple(Threshold(level, at_least, code) for level, at_least in thresholds),
            legal_basis=basis,
            words=self._words[code],
            limit_days=days,
            terms=terms,
        )

    def interval(
        self,
        name: str,
        basis: str,
        *thresholds: tuple[Level, int],
        start: str,
        stop: str,
        days: int,
        extension: str = "",
        by: str = "",
        frame: str = "cases",
        subject: str = CASE,
    ) -> Rule:
        """At most so many natural days between two events that both happened: no calendar, no roll-forward (DOMAIN §1)."""
        return self.limit(
            name,
            basis,
            *thresholds,
            start=start,
            stop=stop,
            days=days,
            unit=NATURAL,
            roll=False,
            extension=extension,
            by=by,
            both=True,
            frame=frame,
            subject=subject,
        )

    def entered_late(self) -> Rule:
        """An event entered more than a working day after it happened: back-filling."""
        return self.limit(
            "entered_late",
            PRACTICE,
            (NOTICE, 1),
            (YELLOW, 5),
            start="at_us",
            stop="received_at_us",
            days=1,
            frame=ENTERED,
            by="actor",
            both=True,
        )

    def check(
        self,
        name: str,
        basis: str,
        level: Level,
        measure: pl.Expr,
        since: pl.Expr | str,
        *,
        frame: str = "cases",
        subject: str = CASE,
        applies: pl.Expr | None = None,
        by: str = "",
        at_least: int = 1,
    ) -> Rule:
        """A test over facts: `measure` is a truth value, or a number that is too much at `at_least`; null is undetermined.

        `since` is when the facts made it so, `by` the column of the officer concerned.
        """
        code = f"{self._domain}.{name}"
        return Rule(
            code=code,
            domain=self._domain,
            subject=subject,
            thresholds=(Threshold(level, at_least),),
            legal_basis=basis,
            words=self._words[code],
            test=Test(
                frame,
                measure=measure,
                since=pl.col(since) if isinstance(since, str) else since,
                applies=applies,
                actor=pl.col(by) if by else pl.lit(""),
            ),
            fixed=at_least == 1,
        )


def known(column: str) -> pl.Expr:
    """It is there."""
    return pl.col(column).is_not_null()


def absent(column: str) -> pl.Expr:
    """It is not there."""
    return pl.col(column).is_null()


def empty(column: str) -> pl.Expr:
    """The code is missing or empty."""
    return pl.col(column).fill_null("") == ""


def earlier(one: str, other: str) -> pl.Expr:
    """One instant lies before another that it must not lie before; null while one is missing."""
    return pl.col(one) < pl.col(other)


def same(one: str, other: str) -> pl.Expr:
    """One person in two duties that need two (不相容岗位分离); null where a name is missing."""
    named = (pl.col(one) != "") & (pl.col(other) != "")
    return pl.when(named).then(pl.col(one) == pl.col(other))


def outside(value: str, low: str, high: str) -> pl.Expr:
    """An amount below or above its bounds; null where there are none."""
    return (pl.col(value) < pl.col(low)) | (pl.col(value) > pl.col(high))
