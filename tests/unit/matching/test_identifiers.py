"""One form for each identifier, and none for what identifies nobody. The numbers checked against the standards' own examples are marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.matching.identifiers import ROLES, normal
from tests.unit.matching.numbers import credit_code, resident

SAMPLE = "11010519491231002X"
"""The example of GB 11643—1999."""


@pytest.mark.parametrize(
    "written",
    [
        SAMPLE,
        SAMPLE.lower(),
        " 110105 19491231 002X ",
        "110105-19491231-002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105491231002",
    ],
)
def test_a_resident_number_is_one_however_it_is_written(written: str) -> None:
    assert normal("person", written) == SAMPLE


@pytest.mark.parametrize(
    "written",
    [
        "110105194912310021",  # a wrong check digit
        "11010519491331002X",  # a thirteenth month
        "000000000000000000",
        "111111111111111111",
        "张三",
        "",
        "无",
        "12345",
        "A0000000",
    ],
)
def test_what_identifies_nobody_gives_nothing(written: str) -> None:
    assert normal("person", written) == ""


def test_every_slip_of_one_digit_in_a_number_is_noticed() -> None:
    number = resident(7)
    for at in range(17):
        for digit in "0123456789":
            slip = number[:at] + digit + number[at + 1 :]
            assert normal("person", slip) == (number if slip == number else "")


def test_a_travel_document_is_no_resident_number() -> None:
    assert normal("person", "H10345678") == "D:H10345678"
    assert normal("person", "E 1034 5678") == "D:E10345678"


def test_the_example_of_the_standard_for_credit_codes_is_one() -> None:
    """GB 32100—2015."""
    assert normal("company", "91350100M000100Y43") == "O:M000100Y4"


def test_a_company_is_known_by_the_organisation_code_in_its_credit_code() -> None:
    code = credit_code(30_405_060)
    assert normal("company", code) == normal("company", code[8:17]) == f"O:{code[8:17]}"
    assert normal("company", code[:-1] + ("0" if code[-1] != "0" else "1")) == ""
    # A sole trader goes by his own number.
    assert normal("company", SAMPLE) == SAMPLE


@pytest.mark.parametrize(
    "written", ["13812345670", "+86 138 1234 5670", "0086-138-1234-5670", "86 13812345670"]
)
def test_a_telephone_is_one_with_and_without_its_country(written: str) -> None:
    assert normal("phone", written) == "13812345670"


@pytest.mark.parametrize("written", ["12345", "13800000000", "12345678901", "none"])
def test_a_telephone_of_nobody(written: str) -> None:
    assert normal("phone", written) == ""


def test_accounts_codes_and_addresses() -> None:
    assert normal("account", "6222 0200 1234 5678 905") == "6222020012345678905"
    assert normal("account", "6222") == normal("account", "0" * 19) == ""
    assert normal("machine", "00-1a-2B:3c:4d:5e") == "001A2B3C4D5E"
    assert normal("machine", "00-00-00-00-00-00") == ""
    assert normal("address", "朝阳路 12 号，3 单元 501 室") == normal("address", "朝阳路12号3单元501室") != ""
    assert normal("address", "朝阳路朝阳小区东门") == ""


@given(st.sampled_from(sorted(ROLES)), st.text(max_size=60))
def test_a_form_is_its_own_form_and_nothing_fails(role: str, text: str) -> None:
    once = normal(role, text)
    assert once == "" or normal(role, once.removeprefix("O:").removeprefix("D:")) == once
