"""An item in two real tiers: reviewed at the county and published for those below, it rules in the town until it is withdrawn above."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Ran, zongheng
from tests.e2e.tree import Node, Tree, knows, until

COUNTY, TOWN = "990121", "990121101"
ITEM = """
[[items]]
code = "S/1"
name = "临时救助"
agency = "MZ"
version = {version}
statutory = {{ days = {days}, unit = "working", basis = "社会救助暂行办法 §47" }}

[[items.steps]]
code = "审核"
post = "MZ-SH"
risks = [{{ level = "high", risk = "优亲厚友", measure = "双人入户" }}]
"""


@pytest.fixture
def pair(tree: Tree) -> tuple[Node, Node]:
    county = tree.add("county", COUNTY, None, calendar="weekdays").start()
    return county, tree.add("town", TOWN, county, calendar="weekdays").start()


def item(node: Node, command: str, *words: object) -> Ran:
    return zongheng("item", command, node.folder, *words)


def states(node: Node, **query: str) -> list[tuple[int, str, str]]:
    lines = node.client.get("/api/items", params={"state": "", **query}).json()
    return [(one["version"], one["state"], one["sender"]) for one in lines]


def test_an_item_that_passed_review_above_rules_below_until_it_is_withdrawn(
    pair: tuple[Node, Node], tmp_path: Path
) -> None:
    county, town = pair
    file = tmp_path / "item.toml"

    def passed(node: Node, version: int, days: int) -> None:
        file.write_text(ITEM.format(version=version, days=days), encoding="utf-8")
        item(node, "draft", file, "--by", "A").ended(0)
        item(node, "submit", "S/1", version, "--by", "A").ended(0)
        refused = item(node, "review", "S/1", version, "--by", "A", "--pass").ended(2)
        assert "who listed it does not review it" in refused.err
        node.post("/api/items/S/1/review", {"version": version, "by": "F", "verdict": "pass"})

    def opened() -> Any:
        form = {"item": "S/1", "agency": "MZ", "actor": "1001", "at": town.get("/api/status")["now"]}
        return town.client.post("/api/cases", json=form)

    knows(county, TOWN)
    passed(county, 1, 10)
    shown = item(county, "publish", "S/1", 1, "--by", "B", "--subtree", "--json").ended(0).json
    assert [(one["state"], one["reviewed"]) for one in shown["versions"]] == [("published", True)]
    until("the town has it", lambda: states(town) == [(1, "published", COUNTY)], 90)
    running = opened().json()["case"]

    # The town tightens it, by the same steps; the county sees who took them.
    passed(town, 2, 5)
    item(town, "publish", "S/1", 2, "--by", "B").ended(0)
    tighter = opened().json()["case"]
    until(
        "the county sees the town's steps",
        lambda: states(county, origin=TOWN)[-1:] == [(2, "published", "")],
        90,
    )
    steps = item(county, "show", "S/1", "--origin", TOWN, "--json").ended(0).json["versions"][0]["steps"]
    assert [(one["kind"], one["by"]) for one in steps] == [
        ("listed", "A"),
        ("passed", "F"),
        ("published", "B"),
    ]

    # Looser than mandated it does not get into the catalogue, whoever passed it.
    passed(town, 3, 15)
    assert "from above has 10" in item(town, "publish", "S/1", 3, "--by", "B").ended(2).err
    assert "withdrawn is true" in item(town, "withdraw", "S/1", 2, "--by", "B", "--reason", "x").ended(2).err

    item(county, "withdraw", "S/1", 1, "--by", "B", "--reason", "取消", "--subtree").ended(0)
    until("the town refuses a new case", lambda: opened().json().get("code") == "withdrawn", 90)
    # Those under way go on, each by the version it began with.
    for case, days in ((running, 10), (tighter, 5)):
        town.post(f"/api/cases/{case}/events", {"kind": "acceptance", "actor": "1001"})
        clocks = town.get(f"/api/cases/{case}")["clocks"]
        assert [one["limit"] for one in clocks if one["clock"] == "statutory"] == [days]
    assert [entry.rejected.code for entry in town.entries("rejected")][:1] == ["withdrawn"]
