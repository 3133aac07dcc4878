"""A mapping that cannot be meant is refused before anything is read, and the message names the key."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.intake.checking import check
from node.intake.mapping import BadMapping, Value, load, parse
from node.intake.readers.record import EMPTY, Record
from node.intake.rules import Refusal
from node.intake.translation import Translation
from node.intake.values import Columns, Unfit, as_sense, raw
from node.intake.vocabulary import Sense

Translate = Callable[..., list[str]]

HEAD = 'source = "s"\nzone = "Asia/Shanghai"\n[case]\nid = "id"\n[event]\nactivity = "what"\ntime = "at"\nagency = "=A"\n'
RULE = '[[events]]\nis = "done"\nkind = "completion"\n'
FILE = "id,what,at\n1,done,2024-03-05\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("source = ", "not TOML"),
        (HEAD, "no event can come of it"),
        (RULE, "source: "),
        ('source = "s"\nsauce = 1\n' + RULE, "sauce: no mapping has this key here"),
        (HEAD + RULE + "wen = 1", r"events\[1\]\.wen: no mapping has this key here"),
        (HEAD + RULE + "time = { colum = 'at' }", r"events\[1\]\.time\.colum: no mapping has this key here"),
        (HEAD + RULE + "time = { column = 'a', constant = 'b' }", "exactly one of column, constant, file"),
        (HEAD + RULE + "time = {}", "exactly one of column, constant, file"),
        (HEAD + RULE + "step = 1.5", r"events\[1\]\.step"),
        (HEAD + RULE + "attributes = { result = { column = 'x', pick = '(' } }", "not a regular expression"),
        (HEAD + RULE + "when = { a = {} }", "one of is, not, matches, empty"),
        (HEAD + "[[events]]\nis = 'x'", "either kind or ignore"),
        (HEAD + "[[events]]\nignore = true", "say what to ignore"),
        (HEAD + "[[events]]\nkind = 'fee'\nis = 'x'\notherwise = true", "only one of is, matches, otherwise"),
        (HEAD + "[[events]]\nkind = 'fee'\nis = 'x'\nper = 'case'", "looks at no activity"),
        (HEAD + "[[events]]\nkind = 'fee'\n[[events]]\nkind = 'fee'", "both 'fee'.*names"),
        ('source = "s"\nzone = "Mars"\n' + RULE, "no time zone 'Mars'"),
        (HEAD + RULE + "[read]\nheader = 0", "columns is for files without a header"),
        (HEAD + RULE + "[read]\nformat = 'xls'", "read.format"),
        (HEAD + RULE + "[[items]]\ncode = 'a'\nstatutory = { days = 3 }", "working.*natural"),
        (HEAD + RULE + "[[items]]\ncode = 'a'\nfee = { yuan = 80.0 }", "write it as text"),
        (HEAD + RULE + "[[items]]\ncode = 'a'\nfee = { yuan = '80.001' }", r"items\[1\]\.fee\.yuan"),
        (
            HEAD + RULE + "[[items]]\ncode = 'a'\n[[items.steps]]\ncode = 'x'\nafter = 'y'",
            "no step of this item",
        ),
        (HEAD + RULE + "[[items]]\ncode = 'a'\n[[items]]\ncode = 'a'", "version 1 twice"),
        ('digest = "x"\n' + HEAD + RULE, "digest: no mapping has this key"),
    ],
)
def test_a_mapping_that_cannot_be_meant(text: str, said: str) -> None:
    with pytest.raises(BadMapping, match=f"(?s){said}"):
        parse(text.encode())


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ('domain = "nothing"\n' + HEAD + RULE, "no domain 'nothing'"),
        (
            HEAD + RULE.replace("completion", "ending"),
            r"events\[1\]\.kind: approval has no kind 'ending'; it has: app",
        ),
        (
            HEAD + RULE + "attributes = { colour = '=red' }",
            "completion has no such attribute; it has: result",
        ),
        (
            HEAD + RULE + "actor = 'who'",
            r"events\[1\]\.actor: the file has no column 'who'; it has: id, what, at.*'=who'",
        ),
        (
            HEAD + RULE + "when = { status = 1 }",
            r"events\[1\]\.when\.status: the file has no column 'status'",
        ),
        (HEAD + "[event.attributes]\nresultt = '=x'\n" + RULE, "event.attributes.resultt: no kind of event"),
        (HEAD + RULE + "attributes = { result = { column = 'what', map = 'm' } }", r"there is no \[maps.m\]"),
        (
            HEAD + "[[events]]\nis = 'x'\nkind = 'fee'\nattributes = { amount = 'what' }",
            'unit = "yuan" or unit = "fen"',
        ),
        (
            HEAD + "[[events]]\nis = 'x'\nkind = 'acceptance'\nattributes = { statutory_days = '=ten' }",
            "not a number",
        ),
        (HEAD.replace('agency = "=A"\n', "") + RULE, r"events\[1\]\.agency: say which agency acted"),
        (HEAD.replace('time = "at"\n', "") + RULE, r"events\[1\]\.time: say which column"),
        (HEAD.replace('activity = "what"\n', "") + RULE, "event.activity: say which column"),
        (
            HEAD + "[[events]]\nper = 'case'\nkind = 'completion'",
            r"events\[1\]\.time: say which attribute of the case",
        ),
        (HEAD + RULE + "agency = { file = '-(A.)' }", r"name 'log\.csv' does not match"),
    ],
)
def test_a_mapping_that_does_not_fit_the_domain_or_the_file(
    translate: Translate, mapping: str, said: str
) -> None:
    with pytest.raises(BadMapping, match=f"(?s){said}"):
        translate(mapping, "log.csv", FILE)


def test_a_name_that_no_record_has_is_found_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"id": "1", "what": "done", "at": "2024-03-05"}\n')
    mapping = parse((HEAD + RULE + "actor = 'who'").encode())
    with pytest.raises(BadMapping, match=r"events\[1\]\.actor: nothing in the file has 'who'"):
        check(path, mapping, now_us=2**52)
    optional = parse((HEAD + RULE + "actor = { column = 'who', optional = true }").encode())
    assert check(path, optional, now_us=2**52).events == 1


def test_an_optional_column_may_be_absent(translate: Translate) -> None:
    mapping = HEAD + RULE + "actor = { column = 'who', optional = true, default = 'nobody' }"
    assert translate(mapping, "log.csv", FILE) == ["1 completion 2024-03-05 agency=A actor=nobody"]


def test_a_naive_time_is_refused_row_by_row_where_nobody_names_a_zone() -> None:
    mapping = parse((HEAD.replace('zone = "Asia/Shanghai"\n', "") + RULE).encode())
    translation = Translation(mapping, ("id", "what", "at"), "log.csv")

    (naive,) = translation.outcomes(Record(2, ["1", "done", "2024-03-05 09:00"], EMPTY))
    assert isinstance(naive, Refusal)
    assert "without a zone" in naive.reason
    (aware,) = translation.outcomes(Record(3, ["1", "done", "2024-03-05 09:00+08:00"], EMPTY))
    assert not isinstance(aware, Refusal)


def test_rejections_do_not_quote_the_row_but_the_report_here_does() -> None:

    translation = Translation(parse((HEAD + RULE).encode()), ("id", "what", "at"), "log.csv")
    for cells in (["1", "张三", "2024-03-05"], ["1", "done", "张三"]):
        (refusal,) = translation.outcomes(Record(2, cells, EMPTY))
        assert isinstance(refusal, Refusal)
        assert "张三" not in refusal.reason
        assert refusal.shown == "张三"


def test_empty_is_what_the_mapping_says_is_empty(translate: Translate) -> None:
    mapping = '[read]\nempty = ["NULL", "0001-01-01"]\n'
    mapping = HEAD + RULE + "actor = 'who'\n" + mapping
    text = "id,what,at,who\n1,done,2024-03-05,NULL\n2,done,0001-01-01,x\n NULL ,done,2024-03-05,x\n"
    assert translate(mapping, "log.csv", text) == [
        "1 completion 2024-03-05 agency=A",
        "row 3 rejected: unattributable, its time is empty",
        "row 4 rejected: unattributable, it names no case",
    ]


def test_a_case_condition_passes_other_records_over_without_a_word(translate: Translate) -> None:
    mapping = HEAD.replace('id = "id"', 'id = "id"\nwhen = { id = { not = "1" } }') + RULE
    assert translate(mapping, "log.csv", FILE + "2,done,2024-03-06\n") == ["2 completion 2024-03-06 agency=A"]


def test_a_day_written_as_midnight_can_be_taken_as_a_day(translate: Translate) -> None:
    rule = "[[events]]\nis = 'done'\nkind = 'acceptance'\nattributes = { statutory_due = %s }"
    text = "id,what,at,due\n1,done,2024-03-05,2024-03-20 00:00:00\n"
    assert translate(HEAD + rule % "'due'", "log.csv", text)[0].endswith(
        "statutory_due_at=2024-03-20 00:00:00"
    )
    taken = translate(HEAD + rule % "{ column = 'due', day = true }", "log.csv", text)
    assert taken[0].endswith("statutory_due_day=2024-03-20")


def test_a_due_instant_that_is_only_a_day_is_refused(translate: Translate) -> None:
    rule = "[[events]]\nis = 'done'\nkind = 'acceptance'\nattributes = { statutory_due_at = 'due' }"
    assert translate(HEAD + rule, "log.csv", "id,what,at,due\n1,done,2024-03-05,2024-03-20\n") == [
        "row 2 rejected: unreadable, acceptance: statutory_due_at: a day, where the mapping promises an instant; "
        "use statutory_due or statutory_due_day"
    ]


def test_characters_that_are_no_text_cost_their_row(translate: Translate) -> None:
    lone = '{"id": "1", "what": "done", "at": "2024-03-05", "who": "\\ud800"}\n'
    mapping = HEAD + RULE + "actor = 'who'"
    found = translate(mapping, "log.jsonl", lone + lone.replace("\\ud800", "x").replace('"1"', '"2"'))
    assert found[0].startswith("row 1 rejected: unreadable")
    assert found[1] == "2 completion 2024-03-05 agency=A actor=x"


def test_overlapping_exports_give_the_same_serials_whatever_else_they_say() -> None:

    narrow = Translation(parse((HEAD + RULE).encode()), ("id", "what", "at"), "a.csv")
    wide = Translation(
        parse((HEAD.replace('"=A"', '"dept"') + RULE + "attributes = { result = 'result' }").encode()),
        ("result", "dept", "at", "what", "id"),
        "b.csv",
    )
    (one,) = narrow.outcomes(Record(2, ["1", "done", "2024-03-05 09:00"], EMPTY))
    (other,) = wide.outcomes(Record(9, ["issued", "B", "2024-03-05T09:00+08:00", "done", "1"], EMPTY))
    assert one.serial == other.serial  # type: ignore[union-attr]


def test_the_example_of_the_real_log_loads(repository: Path) -> None:
    assert load(repository / "tests" / "mappings" / "wabo.toml").source == "wabo"


def read_as(sense: Sense, value: object, **spec: object) -> object:
    given_ = Value(column=("x",), **spec)  # type: ignore[arg-type]
    get = raw(given_, "k", Columns(("x",), (), "f", False), {})
    return as_sense(get, given_, sense, "Asia/Shanghai", "name")({}, [value])


@given(st.integers(-(10**15), 10**15))
def test_yuan_become_fen_exactly(fen: int) -> None:
    sign, yuan, rest = "-" if fen < 0 else "", abs(fen) // 100, abs(fen) % 100
    for text in (f"{sign}{yuan}.{rest:02d}", f"{sign}{yuan:,}.{rest:02d}", f"¥{sign}{yuan}.{rest:02d}"):
        assert read_as(Sense.MONEY, text, unit="yuan") == fen
    assert read_as(Sense.MONEY, str(fen), unit="fen") == fen


@pytest.mark.parametrize(
    "value", ["80.005", "eighty", "NaN", "1e30", "1,23", "12,34.5", "1.234,50", ",5", "1,2345", True, "", []]
)
def test_what_is_no_sum_of_money_is_refused(value: object) -> None:
    if value == "":
        assert read_as(Sense.MONEY, value, unit="yuan") is None
    else:
        with pytest.raises(Unfit):
            read_as(Sense.MONEY, value, unit="yuan")


@pytest.mark.parametrize(
    ("value", "expected"), [("是", True), ("N", False), (True, True), (0, False), ("TRUE", True)]
)
def test_flags(value: object, expected: bool) -> None:
    assert read_as(Sense.FLAG, value) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [("工作日", "working"), ("natural", "natural"), ("小时", "hour")]
)
def test_units(value: str, expected: str) -> None:
    assert read_as(Sense.UNIT, value) == expected
    with pytest.raises(Unfit, match="none of working, natural, hour"):
        read_as(Sense.UNIT, "D")


@given(
    st.text(max_size=30) | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers())
)
def test_no_cell_does_anything_but_be_read_or_refused(value: object) -> None:
    for sense in Sense:
        try:
            read = read_as(sense, value, **({"unit": "yuan"} if sense is Sense.MONEY else {}))
        except Unfit:
            continue
        assert read is None or isinstance(read, bool | int | str)
