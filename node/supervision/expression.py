"""The grammar in which a rule of a node's own is written: comparisons and arithmetic over a domain's documented facts (docs/expressions.md).

    12 ≤ days_to_decision AND fine > 100000 AND COALESCE(collective, FALSE) = FALSE

It is read by us and becomes column operations, so that it can do nothing but compare what one case says: no now, no other rows, no
aggregates, no functions but COALESCE. It is bounded before it is ever applied (`MOST_*`), each fact is known with its sense, and a
comparison of things that cannot be compared is refused with the place and what to do.

What holds when something cannot be computed: a missing fact, a division by zero and a number beyond ±2^53 are *undetermined*, as NULL is; three
values are kept apart as in SQL (NULL AND FALSE is false, NULL OR TRUE is true), and a rule that comes out undetermined is counted and accuses
nobody. LIKE is no regular expression: `%` stands for any characters, `_` for one, everything else for itself.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Final, Literal, NoReturn
from zoneinfo import ZoneInfo

import polars as pl

from node.supervision.columns import nulls, true
from node.supervision.tokens import BadExpression, Token, tokens

__all__ = ["BadExpression", "Compiled", "compile_expression"]

MOST_CHARACTERS: Final = 2_000
MOST_DEPTH: Final = 24
MOST_PARTS: Final = 300
"""Values and operators in one expression."""
MOST_LISTED: Final = 100
"""Values after IN, and arguments of COALESCE."""
MOST_PATTERN: Final = 100
"""Characters of a pattern after LIKE."""

EXACT: Final = float(1 << 53)
"""Beyond this a number is not exact, and so undetermined."""

Kind = Literal["number", "text", "flag", "instant", "day", "null"]

_KINDS: Final[Mapping[str, Kind]] = {
    "instant": "instant",
    "day": "day",
    "days": "number",
    "money": "number",
    "count": "number",
    "flag": "flag",
    "code": "text",
}
_SAID: Final[Mapping[Kind, str]] = {
    "number": "a number",
    "text": "a text",
    "flag": "a truth value",
    "instant": "a time",
    "day": "a day",
    "null": "NULL",
}
_COMPARISONS: Final[Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_CALCULATIONS: Final[Mapping[str, Callable[[pl.Expr, pl.Expr], pl.Expr]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
_DAY_US: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Part:
    """A parsed part: what it computes and what kind of thing that is. `text` is a literal's own text."""

    kind: Kind
    expr: pl.Expr
    text: str | None = None
    calculated: bool = False
    """It may be what is no exact number: infinite, none at all, too large."""


def _exact(values: pl.Series) -> pl.Series:
    """The numbers that are exact, null for all others (also what was divided by zero)."""
    exact = true(values.abs() <= EXACT)
    return values if exact.all() else values.zip_with(exact, nulls(1, pl.Float64))


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression ready to be applied."""

    kind: Literal["number", "flag"]
    measure: pl.Expr
    facts: frozenset[str]
    """The facts that it reads."""
    instants: tuple[str, ...]
    """Those of them that are times."""


def compile_expression(text: str, facts: Mapping[str, str], zone: str) -> Compiled:
    """Read an expression over `facts` (name → sense); days written in it are days of `zone` (IANA).

    Raises `BadExpression`, which says where and what to do.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadExpression(f"it has {len(text)} characters; {MOST_CHARACTERS} are the most", 0)
    return _Reader(tokens(text), facts, zone).whole()


class _Reader:
    """Recursive descent over the tokens; every descent and every part is counted."""

    def __init__(self, read: list[Token], facts: Mapping[str, str], zone: str) -> None:
        self._tokens = read
        self._at = 0
        self._facts = facts
        self._zone = ZoneInfo(zone)
        self._depth = 0
        self._parts = 0
        self._read: set[str] = set()

    def whole(self) -> Compiled:
        """The whole expression."""
        part = self._any()
        left = self._peek()
        if left.kind != "end":
            self._refuse(f"{left.text!r} is not expected here", left)
        if part.kind not in ("number", "flag"):
            self._refuse(f"a rule is true or false, or a number; this is {_SAID[part.kind]}", self._tokens[0])
        if not self._read:
            self._refuse("it reads no fact, so it says nothing about a case", self._tokens[0])
        instants = tuple(sorted(name for name in self._read if self._facts[name] == "instant"))
        kind: Literal["number", "flag"] = "flag" if part.kind == "flag" else "number"
        return Compiled(kind, part.expr, frozenset(self._read), instants)

    # A descent for each binding strength, the loosest first.

    def _any(self) -> _Part:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            self._refuse(
                f"it is nested more than {MOST_DEPTH} deep; say it flatter or in two rules", self._peek()
            )
        part = self._joined("OR", lambda: self._joined("AND", self._negated))
        self._depth -= 1
        return part

    def _joined(self, word: str, inner: Callable[[], _Part]) -> _Part:
        first_token = self._peek()
        parts = [inner()]
        while self._take(word):
            parts.append(inner())
        if len(parts) == 1:
            return parts[0]
        for part in parts:
            self._want(part, "flag", first_token, f"{word} joins truth values")
        exprs = [part.expr for part in parts]
        # A balanced tree: what is computed stays shallow however many are joined.
        while len(exprs) > 1:
            exprs = [
                exprs[n]
                if n + 1 == len(exprs)
                else (exprs[n] | exprs[n + 1] if word == "OR" else exprs[n] & exprs[n + 1])
                for n in range(0, len(exprs), 2)
            ]
        return _Part("flag", exprs[0])

    def _negated(self) -> _Part:
        turns = 0
        token = self._peek()
        while self._take("NOT"):
            turns += 1
        part = self._compared()
        if not turns:
            return part
        self._want(part, "flag", token, "NOT turns a truth value")
        return _Part("flag", ~part.expr if turns % 2 else part.expr)

    def _compared(self) -> _Part:
        token = self._peek()
        left = self._sum()
        following = self._peek()
        if following.kind == "operator" and following.text in _COMPARISONS:
            self._next()
            right = self._sum()
            return self._comparison(left, following, right)
        if self._take("IS"):
            negated = self._take("NOT")
            self._expect("NULL")
            return _Part("flag", left.expr.is_not_null() if negated else left.expr.is_null())
        negated = self._take("NOT")
        if self._take("IN"):
            held: _Part = self._in(left, token)
        elif self._take("BETWEEN"):
            low = self._sum()
            self._expect("AND")
            high = self._sum()
            at_least = self._comparison(left, Token("operator", ">=", token.at), low)
            held = _Part(
                "flag", at_least.expr & self._comparison(left, Token("operator", "<=", token.at), high).expr
            )
        elif self._take("LIKE"):
            held = self._like(left, token)
        elif negated:
            self._refuse("NOT stands before IN, BETWEEN or LIKE here", following)
        else:
            return left
        return _Part("flag", ~held.expr) if negated else held

    def _comparison(self, left: _Part, operator: Token, right: _Part) -> _Part:
        left, right = self._as_instants(left, right, operator), self._as_instants(right, left, operator)
        if "null" in (left.kind, right.kind):
            self._refuse("nothing equals NULL; write IS NULL or IS NOT NULL", operator)
        if left.kind != right.kind:
            self._refuse(f"{_SAID[left.kind]} cannot be compared with {_SAID[right.kind]}", operator)
        if left.kind == "flag" and operator.text not in ("=", "!="):
            self._refuse("truth values are equal or not; none is less", operator)
        return _Part("flag", _COMPARISONS[operator.text](left.expr, right.expr))

    def _in(self, left: _Part, token: Token) -> _Part:
        self._expect("(")
        held = []
        while True:
            value = self._sum()
            if value.kind == "null":
                self._refuse("NULL is in no list; write IS NULL", token)
            held.append(self._comparison(left, Token("operator", "=", token.at), value).expr)
            if len(held) > MOST_LISTED:
                self._refuse(f"a list has at most {MOST_LISTED} values", token)
            if not self._take(","):
                break
        self._expect(")")
        return _Part("flag", pl.any_horizontal(held))

    def _like(self, left: _Part, token: Token) -> _Part:
        self._want(left, "text", token, "LIKE looks at a text")
        pattern = self._next()
        if pattern.kind != "text":
            self._refuse("LIKE takes a text in quotes", pattern)
        if len(pattern.text) > MOST_PATTERN:
            self._refuse(f"a pattern has at most {MOST_PATTERN} characters", pattern)
        self._count(pattern)
        # Matched in time linear in the text, whatever the pattern; all but % and _ is literal.
        signs = {"%": "(?s:.*)", "_": "(?s:.)"}
        whole = "".join(signs.get(sign) or re.escape(sign) for sign in re.sub("%+", "%", pattern.text))
        return _Part("flag", left.expr.str.contains(f"^{whole}$"))

    def _sum(self) -> _Part:
        part = self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._signed))
        if not part.calculated:
            return part
        # As one step on the column: written with the value twice, it would double with every bracket.
        return _Part("number", part.expr.map_batches(_exact, return_dtype=pl.Float64))

    def _chain(self, operators: tuple[str, ...], inner: Callable[[], _Part]) -> _Part:
        left = inner()
        while (token := self._peek()).kind == "operator" and token.text in operators:
            self._next()
            left = self._arithmetic(left, token, inner())
        return left

    def _arithmetic(self, left: _Part, token: Token, right: _Part) -> _Part:
        if token.text == "-" and left.kind in ("instant", "day"):
            right = self._as_instants(right, left, token)
            if right.kind == left.kind:
                unit = _DAY_US if left.kind == "instant" else 1
                return _Part("number", (left.expr - right.expr) // unit)
        for part in (left, right):
            if part.kind != "number":
                self._refuse(f"{token.text} calculates with numbers; this is {_SAID[part.kind]}", token)
        calculate = _CALCULATIONS[token.text]
        return _Part(
            "number", calculate(left.expr.cast(pl.Float64), right.expr.cast(pl.Float64)), calculated=True
        )

    def _signed(self) -> _Part:
        token = self._peek()
        negative = False
        while token.kind == "operator" and self._peek().text == "-":
            self._next()
            negative = not negative
        part = self._value()
        if token.kind == "operator" and token.text == "-":
            self._want(part, "number", token, "a sign stands before a number")
        return _Part("number", -part.expr) if negative else part

    def _value(self) -> _Part:
        token = self._next()
        self._count(token)
        match token.kind:
            case "number":
                return _Part("number", pl.lit(float(token.text) if "." in token.text else int(token.text)))
            case "text":
                return _Part("text", pl.lit(token.text), token.text)
            case "name":
                return self._fact(token)
            case "word" if token.text in ("TRUE", "FALSE"):
                return _Part("flag", pl.lit(token.text == "TRUE"))
            case "word" if token.text == "NULL":
                return _Part("null", pl.lit(None))
            case "word" if token.text == "COALESCE":
                return self._coalesce(token)
            case "word" if token.text == "CASE":
                return self._case(token)
            case "operator" if token.text == "(":
                part = self._any()
                self._expect(")")
                return part
            case "end":
                self._refuse("it ends too early", token)
        raise BadExpression(f"{token.text!r} is not expected here", token.at)

    def _fact(self, token: Token) -> _Part:
        sense = self._facts.get(token.text)
        if sense is None:
            near = ", ".join(sorted(self._facts))
            self._refuse(f"there is no fact {token.text!r}; the facts are {near}", token)
        self._read.add(token.text)
        return _Part(_KINDS[sense], pl.col(token.text))

    def _coalesce(self, token: Token) -> _Part:
        self._expect("(")
        parts = [self._any()]
        while self._take(","):
            parts.append(self._any())
            if len(parts) > MOST_LISTED:
                self._refuse(f"COALESCE takes at most {MOST_LISTED} values", token)
        self._expect(")")
        return _Part(self._one_kind(parts, token, "COALESCE"), pl.coalesce([part.expr for part in parts]))

    def _case(self, token: Token) -> _Part:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            self._refuse(f"it is nested more than {MOST_DEPTH} deep; say it flatter or in two rules", token)
        branches: list[tuple[pl.Expr, _Part]] = []
        while self._take("WHEN"):
            condition = self._any()
            self._want(condition, "flag", token, "WHEN asks for a truth value")
            self._expect("THEN")
            branches.append((condition.expr, self._any()))
        if not branches:
            self._refuse("CASE is followed by WHEN", self._peek())
        otherwise = self._any() if self._take("ELSE") else _Part("null", pl.lit(None))
        self._expect("END")
        self._depth -= 1
        kind = self._one_kind([*(part for _, part in branches), otherwise], token, "CASE")
        value = reduce(
            lambda rest, branch: pl.when(branch[0]).then(branch[1].expr).otherwise(rest),
            reversed(branches),
            otherwise.expr,
        )
        return _Part(kind, value)

    # What is said about kinds.

    def _one_kind(self, parts: list[_Part], token: Token, what: str) -> Kind:
        kinds = {part.kind for part in parts} - {"null"}
        if len(kinds) != 1:
            said = " and ".join(sorted(_SAID[kind] for kind in kinds)) or "only NULL"
            self._refuse(f"{what} gives values of one kind; these are {said}", token)
        return kinds.pop()

    def _want(self, part: _Part, kind: Kind, token: Token, why: str) -> None:
        if part.kind != kind:
            self._refuse(f"{why}; this is {_SAID[part.kind]}", token)

    def _as_instants(self, part: _Part, other: _Part, token: Token) -> _Part:
        """A text beside a time or a day is read as one, in the node's zone."""
        if other.kind not in ("instant", "day") or part.text is None:
            return part
        try:
            at = datetime.fromisoformat(part.text)
        except ValueError:
            self._refuse(f"{part.text!r} is no day or time: write '2026-01-31' or '2026-01-31 17:30'", token)
        at = at if at.tzinfo else at.replace(tzinfo=self._zone)
        if other.kind == "day":
            return _Part("day", pl.lit(at.toordinal() - _EPOCH.toordinal()))
        return _Part("instant", pl.lit((at - _EPOCH) // timedelta(microseconds=1)))

    # Tokens.

    def _count(self, token: Token) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            self._refuse(f"it has more than {MOST_PARTS} values; say it in two rules", token)

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token.kind in ("word", "operator") and token.text == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            token = self._peek()
            found = "it ends" if token.kind == "end" else f"there is {token.text!r}"
            self._refuse(f"{text} is expected here, and {found}", token)

    def _refuse(self, reason: str, token: Token) -> NoReturn:
        raise BadExpression(reason, token.at)
