"""One payee in two real towns: keys down, tokens up, a match at the county, each town's half explained; and a draw that the county seeds."""

import csv
from pathlib import Path
from typing import Any

from zongheng.v1.intake_pb2 import SubmitRequest

from tests.e2e.commands import zongheng as command
from tests.e2e.tree import Node, Tree, until
from tests.unit.matching.district import payment
from tests.unit.matching.numbers import resident

COUNTY, EAST, WEST = "330104", "330104101", "330104102"
CLOCK = "2026-05-01T10:00:00+08:00"
WANG = resident(1)


def findings(node: Node, *words: str) -> list[Any]:
    return command("match", "findings", node.folder, *words, "--json").ended(0).lines


def pay(town: Node, case: str) -> None:
    with town.door() as submit:
        answer = submit(SubmitRequest(source="desk", submissions=[payment(WANG, case)]))
    assert (answer.accepted, list(answer.rejected)) == (1, [])


def test_a_payee_in_two_towns_is_found_by_the_county_and_explained_in_both(
    tree: Tree, tmp_path: Path
) -> None:
    county = tree.add("county", COUNTY, clock=CLOCK, confirm=False).start()
    east = tree.add("town", EAST, county, clock=CLOCK, confirm=False).start()
    west = tree.add("town", WEST, county, clock=CLOCK, confirm=False).start()
    pay(east, "e-1")
    issued = command(
        "match", "issue", county.folder, "payee", "--year", "2026", "--by", "S1", "--reason", "年度比对", "--json"
    ).ended(0).lines  # fmt: skip
    assert [key["key"] for key in issued] == [f"{COUNTY}/payee/1"]
    for town in (east, west):
        until("the key has come", lambda town=town: command("match", "keys", town.folder, "--json").lines)
    # Killed with the key on disk, a town goes on computing its tokens.
    west.kill()
    west.start()
    pay(west, "w-1")
    (found,) = until("the county has found it", lambda: findings(county))
    assert (found["rule"], found["measure"], found["state"]) == ("matching.payee.twice", 2, "issued")
    assert {(half["node"], half["case"]) for half in found["halves"]} == {(EAST, "e-1"), (WEST, "w-1")}

    for town in (east, west):
        (half,) = until("its half has come down", lambda town=town: findings(town))
        assert half["from_above"]
        command(
            "alert", "explain", town.folder, half["alert"], "--by", "S7", "--reason", "户籍已迁出，待核实", "--json"
        ).ended(0)  # fmt: skip
    until(
        "the county sees both explanations",
        lambda: [{half["state"] for half in one["halves"]} for one in findings(county)] == [{"explained"}],
    )
    for node in (county, east, west):
        assert not any(WANG.encode() in leaf for leaf in node.leaves())

    draws(east, county, tmp_path)


def draws(town: Node, county: Node, folder: Path) -> None:
    """A draw at a town takes the county's seed, and is refused without it by who has the county's key."""
    pool = folder / "pool.csv"
    with pool.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("expert", "employer"), *((f"E{n}", f"firm{n % 5}") for n in range(20))])
    asked = command(
        "draw", "request", town.folder, f"{EAST}-77", "--pool", pool, "--wanted", "3", "--by", "S1", "--json"
    ).ended(0).json  # fmt: skip
    evidence = folder / "draw.tlog-proof"
    run = ("draw", "run", town.folder, asked["index"], "--by", "S1", "--evidence", evidence, "--json")
    drawn = until("the seed has come down", lambda: _ran(*run))
    above = county.status()["journal"]["verifier"]
    assert drawn["seed_verifier"] == above
    told = command("draw", "verify", evidence, "--parent", above, "--json").ended(0).json
    assert told["drawn"] == drawn["drawn"]
    other = town.status()["journal"]["verifier"]
    assert command("draw", "verify", evidence, "--parent", other, "--json").ended(1).json["verified"] is False


def _ran(*words: object) -> Any:
    ran = command(*words)
    return ran.json if ran.code == 0 else None
