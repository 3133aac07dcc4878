"""The lane down in four real tiers: what a city mandates reaches a village that was away, and a case goes up and comes back."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.tree import Node, Tree, caught_up, knows, until

CITY, COUNTY, TOWN, VILLAGE = "9901", "990121", "990121101", "990121101001"
RULE = "approval.time.case"
CLOCK = "2026-06-30T10:00:00+08:00"

CATALOGUE = """
[[items]]
code = "S-1"
name = "临时救助"
agency = "MZ"
valid_from = 2026-01-01
statutory = { days = 20, unit = "working" }

[[items.tier_limits]]
tier = "village"
limit = { days = 5, unit = "working" }

[[items.tier_limits]]
tier = "town"
limit = { days = 5, unit = "working" }

[policy]
rules = [{ rule = "approval.time.case", yellow = 0 }]
"""


@pytest.fixture
def line(tree: Tree) -> list[Node]:
    """City, county, town and village, all running once."""
    nodes: list[Node] = []
    for tier, code in (("city", CITY), ("county", COUNTY), ("town", TOWN), ("village", VILLAGE)):
        above = nodes[-1] if nodes else None
        nodes.append(tree.add(tier, code, above, clock=CLOCK, calendar="weekdays").start())
    return nodes


def policy(node: Node) -> Any:
    return node.get("/api/policy")


def thresholds(node: Node) -> dict[str, int]:
    found: dict[str, int] = next(one["thresholds"] for one in policy(node)["rules"] if one["rule"] == RULE)
    return found


def test_a_city_mandates_and_sees_who_goes_by_what_also_a_village_that_was_away(
    line: list[Node], tmp_path: Path
) -> None:
    city, county, town, village = line
    knows(city, VILLAGE)
    village.stop()
    file = tmp_path / "city.toml"
    file.write_text(CATALOGUE, encoding="utf-8")
    sent = city.run("publish", file, "--subtree", "--json").ended(0).json
    assert (sent["policy"], sent["to"], sent["subtree"]) == (1, CITY, True)
    until("the town has it", lambda: thresholds(town)["yellow"] == 0, 90)
    # Killed while things come down, and begun again: nothing is lost or doubled.
    county.kill()
    file.write_text(CATALOGUE.replace("yellow = 0", "yellow = -1"), encoding="utf-8")
    assert city.run("publish", file, "--subtree", "--json").ended(0).json["policy"] == 2
    county.start()
    until("the town has the second", lambda: thresholds(town)["yellow"] == -1, 90)

    def below(code: str) -> Any:
        return next(one for one in policy(city)["below"] if one["node"] == code)

    until("the city sees that the town has it", lambda: below(TOWN)["current"] is True, 90)
    assert below(VILLAGE)["current"] is False
    village.start()
    until("the village has it", lambda: thresholds(village)["yellow"] == -1, 90)
    until("the city sees that", lambda: below(VILLAGE)["current"] is True, 90)
    assert below(VILLAGE)["digest"] == policy(village)["digest"]
    for node in (county, town, village):
        received = [entry.received for entry in node.entries("received") if entry.received.origin == CITY]
        indexes = [one.index for one in received]
        assert indexes == sorted(set(indexes))
        assert [one.leaf for one in received] == [city.leaves()[index] for index in indexes]
        assert node.entries("withheld") == []

    # Looser than mandated is refused in words.
    file.write_text('[policy]\nrules = [{ rule = "approval.time.case", yellow = 3 }]\n', encoding="utf-8")
    assert "9901:2 from above has -1" in town.run("publish", file).ended(2).err


def test_a_case_goes_up_is_returned_through_a_kill_and_is_completed_where_it_was_filed(
    line: list[Node], tmp_path: Path
) -> None:
    city, _, town, village = line
    file = tmp_path / "city.toml"
    file.write_text(CATALOGUE, encoding="utf-8")
    knows(city, VILLAGE)
    city.run("publish", file, "--subtree").ended(0)
    until("the village has the item", lambda: thresholds(village)["yellow"] == 0, 90)

    def waiting(node: Node) -> list[tuple[str, str, str]]:
        return [(one["case"], one["kind"], one["from_node"]) for one in node.get("/api/handovers")]

    def move(node: Node, kind: str, day: int, **attributes: str) -> None:
        form = {"kind": kind, "actor": "1", "at": f"2026-06-{day:02}T10:00:00", "attributes": attributes}
        node.post(f"/api/cases/{case}/events", form)

    def sign(node: Node, day: int) -> None:
        node.post(
            f"/api/cases/{case}/signature",
            {"agency": "MZ", "actor": "2", "at": f"2026-06-{day:02}T10:00:00"},
        )

    form = {"item": "S-1", "agency": "MZ", "actor": "1", "at": "2026-06-01T10:00:00"}
    case = village.post("/api/cases", form)["case"]
    move(village, "acceptance", 1)
    move(village, "handed_over", 3, to_node=TOWN)
    caught_up(village, town)
    assert waiting(town) == [(case, "handed_over", VILLAGE)]
    assert village.status()["cases"] == {"total": 1, "open": 0}, "what was handed over is open where it went"
    sign(town, 3)
    # The village is gone when the town sends the case back; and the town dies before it could hand it down.
    village.kill()
    move(town, "returned", 5, to_node=VILLAGE)
    town.kill()
    town.start()
    assert waiting(town) == []
    village.start()
    until("the case is back", lambda: waiting(village) == [(case, "returned", TOWN)], 90)
    village.kill()
    village.start()
    assert waiting(village) == [(case, "returned", TOWN)]
    sign(village, 8)
    assert waiting(village) == []
    move(village, "completion", 10, result="withdrawn")
    caught_up(village, town)

    def used(node: Node) -> dict[str, int]:
        clocks = node.get(f"/api/cases/{case}")["clocks"]
        return {one["clock"]: one["used"] for one in clocks if one["clock"] in ("statutory", "tier")}

    assert used(village) == {"statutory": 7, "tier": 4}
    assert used(town)["tier"] == 2

    def totals(node: Node, of: str) -> dict[str, int]:
        rows = node.get("/api/rollup")["nodes"]
        found = next((row["totals"] for row in rows if row["node"] == of), {})
        return {
            name: found[name] for name in ("received", "handled", "completed", "returned") if name in found
        }

    until(
        "the city counts it once",
        lambda: (
            totals(city, VILLAGE) == {"received": 1, "completed": 1}
            and totals(city, TOWN) == {"handled": 1, "returned": 1}
        ),
        90,
    )
    mismatches = [node.code for node in line if node.entries("rollup_mismatch")]
    assert mismatches == []
