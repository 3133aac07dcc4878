"""The status page says in Chinese what is to be done about the link."""

import re

import pytest

from federation.errors import CATALOGUE
from node.lane_down import FromAbove
from node.web.page import link_words
from tests.unit.people.conftest import House


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_whatever_the_link_says_is_said_in_chinese(code: str) -> None:
    words = link_words(code)
    assert re.match(r"[一-鿿]", words)
    assert re.findall(r"[A-Za-z]{2,}", words) == ["zongheng", "status", "zongheng", "lane"]


def test_a_link_that_says_nothing_is_told_in_no_words() -> None:
    assert link_words("") == ""


async def test_the_page_shows_it_in_place_of_the_command_lines_words(house: House) -> None:
    above: FromAbove = house.node.from_above
    await above.halted("parent_behind", "the parent shows less than it signed")
    status = (await house.owner.get("/api/status")).json()["link"]
    assert (status["code"], "shows less" in status["instruction"]) == ("parent_behind", True)
    page = (await house.owner.get("/")).text
    assert link_words("parent_behind") in page
    assert "shows less" not in page
