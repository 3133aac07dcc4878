"""A complaint about the town reaches the county unread by the town, and the answer reaches nobody but the writer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.tree import Node, Tree, until

VILLAGE: Final = "330101001001"
ABOUT: Final = "修路款去向不明"
TEXT: Final = "镇里去年的修路款一直没有公示，问了两次都没有答复。"
REPLY: Final = "已责成审计组核查，一个月内公布结果。"


@pytest.fixture
def line(tree: Tree) -> list[Node]:
    """City, county, town and village, running."""
    nodes = tree.line(("city", "330100"), ("county", "330101"), ("town", "330101001"), ("village", VILLAGE))
    for node in nodes:
        node.start()
    return nodes


def everything(folder: Path) -> Iterator[bytes]:
    """Every byte that a node has on its disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "test.log":
            yield path.read_bytes()


def says(folder: Path, words: str) -> bool:
    return any(
        words.encode() in content or words.encode("utf-16-le") in content for content in everything(folder)
    )


def test_a_complaint_past_the_town_is_read_and_answered_by_the_county_alone(line: list[Node]) -> None:
    city, county, town, village = line
    complaint = ("--to", "330101", "--about", ABOUT, "--text", TEXT, "--json")
    until(
        "the village knows who is above",
        lambda: village.run("complain", *complaint).code == 0,
        90,
        every_s=1.0,
    )
    until("it is at the county", lambda: county.get("/api/sealed"), 120)
    [listed] = county.run("sealed", "--json").ended(0).lines
    assert (listed["origin"], listed["state"], listed["answered"]) == (VILLAGE, "kept", None)
    which = f"{VILLAGE}/{listed['index']}"
    assert county.run("sealed", "--read", which).ended(2).err  # nobody reads without a name
    told = county.run("sealed", "--read", which, "--by", "3001", "--json").ended(0).json
    assert (told["about"], told["text"]) == (ABOUT, TEXT)
    [look] = county.entries("sealed_read")
    assert (look.sealed_read.origin, look.sealed_read.index, look.sealed_read.by) == (
        VILLAGE,
        listed["index"],
        "3001",
    )
    # Not a word of it lies anywhere else: not where it was written, not in between, not above, and at the county only in the vault.
    for node in (village, town, county, city):
        assert not says(node.folder, TEXT), node.code
        assert not says(node.folder, ABOUT), node.code
    # The town carried it, cannot list it, and its copy says the addressee and a round length.
    assert town.get("/api/sealed") == []
    [entry] = village.entries("sealed")
    assert entry.sealed.to == "330101"
    assert (len(entry.sealed.sealed) - 48).bit_count() == 1
    assert [one.forwarded.origin for one in county.entries("forwarded")] == [VILLAGE]
    assert city.entries("forwarded") == []


def test_the_answer_comes_down_and_opens_for_the_receipt_alone(line: list[Node]) -> None:
    _, county, town, village = line
    complaint = ("--to", "330101", "--about", ABOUT, "--text", TEXT, "--json")
    told: Any = until(
        "the village knows who is above",
        lambda: ran.json if (ran := village.run("complain", *complaint)).code == 0 else None,
        90,
        every_s=1.0,
    )
    other = village.run("complain", "--to", "330101", "--about", "另一件", "--json").ended(0).json
    until("both are at the county", lambda: len(county.get("/api/sealed")) == 2, 120)
    which = f"{VILLAGE}/{told['index']}"
    county.run("sealed", "--answer", which, "--text", REPLY, "--by", "3001").ended(0)
    until(
        "the answer is in the village",
        lambda: village.run("complain", "--receipt", told["receipt"], "--json").ended(0).out,
        120,
        every_s=1.0,
    )
    [answer] = village.run("complain", "--receipt", told["receipt"].lower(), "--json").ended(0).lines
    assert (answer["origin"], answer["about"], answer["text"], answer["by"]) == (
        "330101",
        ABOUT,
        REPLY,
        "3001",
    )
    assert village.run("complain", "--receipt", other["receipt"], "--json").ended(0).out == ""
    assert village.get("/api/sealed") == []
    for node in (village, town):
        assert not says(node.folder, REPLY), node.code
        assert not says(node.folder, told["receipt"]), node.code
    assert {one["answered"] is None for one in county.get("/api/sealed")} == {True, False}


def test_a_complaint_goes_to_nobody_who_is_not_above(line: list[Node]) -> None:
    _, _, town, village = line
    refused = village.run("complain", "--to", "330199", "--about", ABOUT).ended(1)
    assert "330199 is not above" in refused.err
    assert "is not above" in town.run("complain", "--to", VILLAGE, "--about", ABOUT).ended(1).err
