"""The words and signs that a local rule's expression is made of, and nothing else.

Outside quotes only ASCII and the signs × ÷ − ≤ ≥ ≠ pass, so that no letter can look like another; inside quotes any writing does, but no
character that cannot be seen or that turns the direction of a line.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

WORDS: Final = frozenset(
    [
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "LIKE",
        "IS",
        "NULL",
        "COALESCE",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "TRUE",
        "FALSE",
    ]
)
LONGEST_TEXT: Final = 200
LONGEST_NUMBER: Final = 15
"""Digits of a number in all; after its point at most six."""

_OPERATORS: Final = ("<=", ">=", "!=", "<>", "=", "<", ">", "+", "-", "*", "/", "(", ")", ",")
_SIGNS: Final = {"×": "*", "÷": "/", "−": "-", "≤": "<=", "≥": ">=", "≠": "!="}
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})

_NO_NOW: Final = frozenset(
    [
        "NOW",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "TODAY",
        "GETDATE",
        "SYSDATE",
        "DATE",
        "TIME",
    ]
)
_OTHER_ROWS: Final = frozenset(
    [
        "LAG",
        "LEAD",
        "SUM",
        "AVG",
        "COUNT",
        "MIN",
        "MAX",
        "OVER",
        "RANK",
        "ROW_NUMBER",
        "FIRST",
        "LAST",
        "MEDIAN",
        "STDDEV",
    ]
)
_STATEMENTS: Final = frozenset(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "JOIN",
        "UNION",
        "INSERT",
        "UPDATE",
        "DELETE",
        "DROP",
        "CREATE",
        "WITH",
        "EXISTS",
    ]
)


class BadExpression(ValueError):
    """An expression that is refused; `at` is the place in it, from 1."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(f"at {at + 1}: {reason}" if at else reason)
        self.at = at + 1


@dataclass(frozen=True, slots=True)
class Token:
    """One word or sign at its place."""

    kind: Literal["word", "name", "number", "text", "operator", "end"]
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """The tokens of a text, ended by one of the kind "end". Raises `BadExpression`."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        sign = text[at]
        if sign in " \t\r\n":
            at += 1
        elif sign == "'":
            at = _quoted(text, at, found)
        elif sign.isascii() and (sign.isalpha() or sign == "_"):
            at = _worded(text, at, found)
        elif sign.isascii() and sign.isdigit():
            at = _numbered(text, at, found)
        else:
            at = _signed(text, at, found)
    found.append(Token("end", "", len(text)))
    return found


def _quoted(text: str, at: int, found: list[Token]) -> int:
    begin, said = at, []
    at += 1
    while True:
        if at >= len(text):
            raise BadExpression("the quote is not closed", begin)
        if text[at] == "'":
            if text[at + 1 : at + 2] != "'":
                break
            at += 1
        elif unicodedata.category(text[at]) in _UNSEEN:
            raise BadExpression(f"{_named(text[at])} cannot be seen; leave it out", at)
        said.append(text[at])
        at += 1
    if len(said) > LONGEST_TEXT:
        raise BadExpression(f"a text has at most {LONGEST_TEXT} characters", begin)
    found.append(Token("text", "".join(said), begin))
    return at + 1


def _worded(text: str, at: int, found: list[Token]) -> int:
    end = at
    while end < len(text) and text[end].isascii() and (text[end].isalnum() or text[end] == "_"):
        end += 1
    word = text[at:end]
    upper = word.upper()
    if upper in WORDS:
        found.append(Token("word", upper, at))
        return end
    if upper in _STATEMENTS:
        raise BadExpression(f"{upper} belongs to a query; an expression looks at one case alone", at)
    called = text[end:].lstrip(" \t\r\n").startswith("(")
    if called and upper in _NO_NOW:
        raise BadExpression(
            f"{upper} is not of the grammar: an expression knows no now; a limit on a clock does that", at
        )
    if upper in _OTHER_ROWS and (called or upper == "OVER"):
        raise BadExpression(
            f"{upper} is not of the grammar: an expression sees one case, no other rows and no sums over them",
            at,
        )
    if called:
        raise BadExpression(f"{word} is no function; there is only COALESCE", at)
    found.append(Token("name", word, at))
    return end


def _numbered(text: str, at: int, found: list[Token]) -> int:
    end = at
    while end < len(text) and text[end].isascii() and (text[end].isdigit() or text[end] == "."):
        end += 1
    number = text[at:end]
    whole, point, rest = number.partition(".")
    if end < len(text) and (text[end].isalnum() or text[end] == "_"):
        raise BadExpression(
            f"{number}{text[end]!s} is no number: write digits, and a point where it needs one", at
        )
    if point and not (rest.isdigit() and len(rest) <= 6):
        raise BadExpression(f"{number} is no number with one to six digits after its point", at)
    if len(whole) + len(rest) > LONGEST_NUMBER:
        raise BadExpression(f"a number has at most {LONGEST_NUMBER} digits", at)
    found.append(Token("number", number, at))
    return end


def _signed(text: str, at: int, found: list[Token]) -> int:
    if text[at] in _SIGNS:
        found.append(Token("operator", _SIGNS[text[at]], at))
        return at + 1
    for operator in _OPERATORS:
        if text.startswith(operator, at):
            found.append(Token("operator", "!=" if operator == "<>" else operator, at))
            return at + len(operator)
    sign = text[at]
    if not sign.isascii():
        raise BadExpression(
            f"{_named(sign)} is not of the grammar: names and words are written in plain letters, texts in '…'",
            at,
        )
    raise BadExpression(f"{sign!r} is not of the grammar", at)


def _named(sign: str) -> str:
    return unicodedata.name(sign, f"U+{ord(sign):04X}")
