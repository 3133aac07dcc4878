"""The grammar of local rules: what it computes, and how everything else is refused before it is ever applied."""

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.supervision.expression import MOST_CHARACTERS, BadExpression, compile_expression
from node.supervision.tokens import LONGEST_TEXT

FACTS = {
    "paid": "money",
    "owed": "money",
    "days": "days",
    "act": "code",
    "opened_at": "instant",
    "closed_at": "instant",
    "found_day": "day",
    "major": "flag",
}
DAY = 86_400_000_000
CASES = pl.DataFrame(
    {
        "paid": [100, 250, None],
        "owed": [0, 500, 300],
        "days": [3, 91, None],
        "act": ["A%1", "B-200", None],
        "opened_at": [0, 19_783 * DAY, None],
        "closed_at": [3 * DAY, 19_800 * DAY, None],
        "found_day": [0, 19_783, None],
        "major": [True, False, None],
    },
    schema={
        "paid": pl.Int64,
        "owed": pl.Int64,
        "days": pl.Int64,
        "act": pl.String,
        "opened_at": pl.Int64,
        "closed_at": pl.Int64,
        "found_day": pl.Int64,
        "major": pl.Boolean,
    },
)


def computed(text: str, cases: pl.DataFrame = CASES) -> list[object]:
    return (
        cases.select_seq(compile_expression(text, FACTS, "Asia/Shanghai").measure.alias("it"))
        .to_series()
        .to_list()
    )


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("paid >= 250", [False, True, None]),
        ("paid ≥ 250 and not major", [False, True, None]),
        ("paid >= 1000 OR major", [True, False, None]),
        ("major OR days IS NULL", [True, False, True]),  # NULL OR TRUE is true
        ("major AND paid IS NOT NULL", [True, False, False]),  # NULL AND FALSE is false
        ("owed - paid", [-100, 250, None]),
        ("paid × 3 ÷ 2 − 50", [100, 325, None]),
        ("-paid + - -owed", [-100, 250, None]),
        ("paid + owed * 2", [100, 1_250, None]),
        ("(paid + owed) * 2", [200, 1_500, None]),
        ("paid / owed > 0.4", [None, True, None]),
        ("paid / owed * 0 = 0", [None, True, None]),
        ("days IN (3, 4)", [True, False, None]),
        ("act NOT IN ('A%1', 'C')", [False, True, None]),
        ("days BETWEEN 4 AND 91", [False, True, None]),
        ("days NOT BETWEEN 4 AND 91", [True, False, None]),
        ("act LIKE 'B-%'", [False, True, None]),
        ("act LIKE 'A__'", [True, False, None]),
        ("act NOT LIKE '%2%'", [True, False, None]),
        ("act = 'it''s'", [False, False, None]),
        ("COALESCE(paid, days, 7)", [100, 250, 7]),
        ("CASE WHEN major THEN 1 WHEN days > 90 THEN 2 ELSE 3 END", [1, 2, 3]),
        ("CASE WHEN days > 90 THEN days END", [None, 91, None]),
        ("closed_at - opened_at", [3, 17, None]),
        ("opened_at >= '2024-03-01'", [False, True, None]),
        ("opened_at < '2024-03-01 08:00'", [True, False, None]),
        ("found_day = '2024-03-01'", [False, True, None]),
        ("found_day - '2024-02-28'", [-19_781, 2, None]),
        ("NOT NOT major", [True, False, None]),
        ("major = FALSE", [False, True, None]),
    ],
)
def test_what_it_computes(text: str, values: list[object]) -> None:
    assert computed(text) == values


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("NOW() > opened_at", "knows no now"),
        ("CURRENT_TIMESTAMP() > opened_at", "knows no now"),
        ("LAG(paid) > 1", "no other rows"),
        ("SUM(paid) > 1", "no other rows"),
        ("paid > 1 OVER (act)", "no other rows"),
        ("SELECT paid", "belongs to a query"),
        ("EXISTS (paid)", "belongs to a query"),
        ("SLEEP(10) = 1", "no function"),
        ("paid > 1; paid > 2", "';' is not of the grammar"),
        ("paid > 1 -- and so on", "not expected"),
        ("paid > 1 /* x */", "not expected"),
        ('paid > "1"', "is not of the grammar"),
        ("__import__ > 1", "no fact '__import__'"),
        ("unknown > 1", "no fact 'unknown'; the facts are act, closed_at"),
        ("1 = 1", "reads no fact"),
        ("act", "true or false, or a number"),
        ("act > 5", "a text cannot be compared with a number"),
        ("major > FALSE", "none is less"),
        ("major + 1 > 1", "calculates with numbers"),
        ("act LIKE act", "a text in quotes"),
        ("days LIKE '3'", "looks at a text"),
        ("days = NULL", "write IS NULL"),
        ("days IN (1, NULL)", "write IS NULL"),
        ("days IN ()", "is not expected"),
        ("COALESCE(days, 'x') = 1", "values of one kind"),
        ("CASE WHEN days THEN 1 END", "asks for a truth value"),
        ("CASE days WHEN 1 THEN 2 END", "followed by WHEN"),
        ("opened_at > 'soon'", "no day or time"),
        ("paid > 1e400", "is no number"),
        ("paid > 1.2.3", "is no number"),
        ("paid > 0x10", "is no number"),
        (f"paid > {'9' * 16}", "at most 15 digits"),
        (f"act = '{'x' * (LONGEST_TEXT + 1)}'", "at most 200 characters"),
        (f"act LIKE '{'a%' * 60}'", "at most 100 characters"),
        (f"paid IN ({','.join('1' * 101)})", "at most 100 values"),
        ("+".join(["paid"] * 301), "more than 300 values"),
        ("(" * 40 + "paid" + ")" * 40 + " > 1", "nested more than 24 deep"),
        ("CASE WHEN major THEN " * 30 + "1" + " END" * 30, "nested more than 24 deep"),
        ("paid > 1" + " " * MOST_CHARACTERS, "2000 are the most"),
        ("act = 'open", "quote is not closed"),
        ("paid >", "ends too early"),
        ("", "ends too early"),
        ("paid paid", "is not expected here"),
        ("paid NOT 1", "NOT stands before IN"),
        # Letters that look like others, and characters that are not seen.
        ("pаid > 1", "CYRILLIC SMALL LETTER A"),
        ("paid＞1", "FULLWIDTH GREATER-THAN SIGN"),
        ("paid\u00a0> 1", "NO-BREAK SPACE"),
        ("act = 'A\u200b1'", "ZERO WIDTH SPACE"),
        ("act = 'A\u202e1'", "RIGHT-TO-LEFT OVERRIDE"),
        ("act = 'A\x001'", "cannot be seen"),
        ("paid > ١", "ARABIC-INDIC DIGIT ONE"),
        ("ⅽase WHEN major THEN 1 END", "SMALL ROMAN NUMERAL"),
    ],
)
def test_what_is_refused_and_why(text: str, why: str) -> None:
    with pytest.raises(BadExpression, match=re.escape(why)):
        compile_expression(text, FACTS, "Asia/Shanghai")


def test_a_refusal_names_the_place() -> None:
    with pytest.raises(BadExpression) as refused:
        compile_expression("paid > 1 AND\n  acts = 'x'", FACTS, "Asia/Shanghai")
    assert refused.value.at == 16


@pytest.mark.parametrize(
    "text",
    ["paid / (paid - paid) > 1", "paid / 0", "paid * 100000000000000 * paid", "-(paid * 999999999999999)"],
)
def test_what_cannot_be_computed_is_undetermined(text: str) -> None:
    assert set(computed(text)) == {None}


def test_the_longest_expressions_are_computed_without_growing() -> None:
    many = pl.concat([CASES] * 50)
    for text in (
        "+".join(["paid"] * 290),
        " OR ".join(["paid=1"] * 140),
        "(" * 22 + "paid" + "+owed)*2" * 22 + ">1",
        "CASE " + " ".join(["WHEN paid=1 THEN 1"] * 60) + " END",
        f"paid IN ({','.join('1' * 100)})",
        f"act LIKE '{'%a' * 50}'",
    ):
        assert len(computed(text, many)) == many.height


def test_a_pattern_is_no_regular_expression() -> None:
    bomb = pl.DataFrame({**{name: [None] for name in FACTS}, "act": ["a" * 5_000 + "!"]}, schema=CASES.schema)
    assert computed("act LIKE '(a+)+$'", bomb) == [False]
    assert computed("act LIKE '%a%a%a%a%a%a%a%a%a%a%b'", bomb) == [False]
    assert computed("act LIKE '%!'", bomb) == [True]


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_text_is_computed_or_refused_and_nothing_else(text: str) -> None:
    try:
        compiled = compile_expression(text, FACTS, "Asia/Shanghai")
    except BadExpression:
        return
    assert CASES.select_seq(compiled.measure.alias("it")).height == CASES.height


_TOKENS = st.sampled_from(
    [
        "paid",
        "owed",
        "days",
        "act",
        "major",
        "opened_at",
        "0",
        "1",
        "2.5",
        "'A%1'",
        "'2024-03-01'",
        "+",
        "-",
        "*",
        "/",
        "(",
        ")",
        ",",
        "=",
        "<",
        "<>",
        "AND",
        "OR",
        "NOT",
        "IN",
        "BETWEEN",
        "LIKE",
        "IS",
        "NULL",
        "COALESCE(",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "TRUE",
    ]
)


@given(st.lists(_TOKENS, max_size=12))
@settings(max_examples=500, deadline=None)
def test_any_run_of_its_own_words_is_computed_or_refused(words: list[str]) -> None:
    try:
        compiled = compile_expression(" ".join(words), FACTS, "Asia/Shanghai")
    except BadExpression:
        return
    assert CASES.select_seq(compiled.measure.alias("it")).height == CASES.height
