"""A village that rewrote its past and goes on in another log, over four tiers: what was held stays as evidence, and everybody above takes the new log
by the town's decision alone.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.mending_pb2 import QUARANTINE_DECISION_ACCEPT

from federation.journal.checkpoint import Verifier, open_note
from tests.e2e.test_mending import Backup, case, cases, linked, shown, stopped, told
from tests.e2e.test_rewritten import rewrite
from tests.e2e.tree import Node, Tree, caught_up, until

LINE: Final = (
    ("city", "330100"),
    ("county", "330101"),
    ("town", "330101001"),
    ("village", "330101001001"),
)
VILLAGE: Final = LINE[-1][1]


@pytest.fixture
def line(tree: Tree) -> list[Node]:
    """Four tiers; the village has cases with cards in them."""
    nodes = tree.line(*LINE, confirm=False)
    for node in nodes:
        node.start()
    for day in range(5, 9):
        case(nodes[-1], f"2024-03-{day:02}")
    settled(nodes)
    return nodes


def settled(line: list[Node]) -> None:
    for parent, child in reversed(list(pairwise(line))):
        caught_up(child, parent)


def part(node: Node) -> Any:
    """What the village answers a question that this node asks of everybody below, with proofs."""
    answer = node.post("/api/ask", {"subtree": ".", "question": "alerts", "proof": True, "deadline_s": 20})
    return answer, next((one for one in answer["nodes"] if one["node"] == VILLAGE), None)


def received(node: Node) -> int:
    """Cases that the village received, by the figures that this node has."""
    rows = node.get("/api/rollup/rows", node=VILLAGE)
    return sum(row["figures"].get("received", 0) for row in rows)


def forged(case_id: str) -> str:
    return case_id[:-1] + ("X" if case_id[-1] != "X" else "Y")


def forked(line: list[Node]) -> str:
    """Let the village rewrite its first case; its number before."""
    village = line[-1]
    before = sorted(cases(village))[0]
    village.stop()
    rewrite(village, before, forged(before))
    village.run("rebuild").ended(0)
    village.start()
    until("the link is quarantined", lambda: village.status()["link"]["state"] == "quarantined")
    return before


def test_an_accepted_journal_goes_on_in_another_log_with_proofs_up_to_the_city(line: list[Node]) -> None:
    city, county, town, village = line
    old = village.status()["journal"]["verifier"]
    held = town.leaves(VILLAGE)
    before = forked(line)
    until("the branch is kept apart", lambda: shown(town)["kept_apart"])
    common = shown(town)["common_size"]
    with stopped(village):
        village.run("renew-log", "--by", "Wang", "--reason", "nobody decided").ended(2)

    town.run("quarantine", VILLAGE, "--accept", "--by", "Li", "--reason", "the number was misread").ended(0)
    until("the village is told", lambda: "renew-log" in village.status()["link"]["instruction"])
    village.run("renew-log", "--by", "Wang", "--reason", "as the town says").ended(1)  # it runs
    village.stop()
    begun = village.run("renew-log", "--by", "Wang", "--reason", "as the town says", "--json").ended(0).json
    size = begun["journal_size"]
    leaves = village.leaves()
    village.start()
    linked(village)
    more = case(village, "2024-03-20")
    settled(line)

    # The journal is carried over byte for byte, and the town holds it.
    assert village.leaves()[:size] == leaves[:size]
    assert town.leaves(VILLAGE) == village.leaves()
    assert before not in cases(village)
    assert more in cases(village)
    (renewed,) = told(village, "log_renewed")
    assert (renewed.log_id, renewed.by) == (begun["log_id"], "Wang")
    assert open_note(renewed.previous, [Verifier.parse(renewed.verifier)]).origin == begun["previous"]
    (decided,) = told(town, "quarantine_decided")
    assert (decided.decision, decided.log_id) == (QUARANTINE_DECISION_ACCEPT, begun["log_id"])

    # The evidence stays: both heads of the log before, signed by its key, and the entries that were held.
    evidence = shown(town)
    assert evidence["state"] == "renewed"
    heads = [open_note(evidence[name], [Verifier.parse(old)]) for name in ("held", "shown")]
    assert heads[0].size == len(held)
    assert evidence["kept_apart"] == len(held) - common
    assert before in str(evidence["branch"][0])

    # Every tier above takes the new log, asks and gets proofs under it.
    for asker in (town, county, city):

        def proven(asker: Node = asker) -> Any:
            answer, village_part = part(asker)
            done = answer["complete"] and answer["verified"] and village_part is not None
            return done and village_part["as_of"]["journal_size"] >= size

        until(f"{asker.code} has proofs of the new log", proven)
        until(f"{asker.code} has its figures", lambda asker=asker: received(asker) == received(village))
    assert received(city) == 5
    fork = [Entry.FromString(entry.forwarded.leaf) for entry in city.entries("forwarded")]
    assert [one.quarantine_decided.log_id for one in fork if one.HasField("quarantine_decided")] == [
        begun["log_id"]
    ]
    for node in line:
        assert node.run("verify", "--json").ended(0).json["verified"] is True
    # It goes on like any other: also after a start, and nothing is there twice.
    village.stop()
    village.start()
    case(village, "2024-03-21")
    settled(line)
    assert len(told(village, "log_renewed")) == 1
    assert len(told(town, "child_mended")) == 1
    rose = [
        (entry.forwarded.origin, entry.forwarded.index, entry.forwarded.leaf)
        for entry in city.entries("forwarded")
    ]
    assert len(rose) == len(set(rose))


def published(line: list[Node], by: Node, place: Path, yellow: int) -> None:
    """What the town publishes for everybody below it; it goes down by the town's lane."""
    file = place / "town.toml"
    file.write_text(
        f'[policy]\nrules = [{{ rule = "approval.time.case", yellow = {yellow} }}]\n', encoding="utf-8"
    )
    by.run("publish", file, "--subtree").ended(0)


def yellow(node: Node) -> int:
    rules = node.get("/api/policy")["rules"]
    found: int = next(one["thresholds"]["yellow"] for one in rules if one["rule"] == "approval.time.case")
    return found


def halted(village: Node) -> bool:
    return "lane DIR --reopen" in village.status()["link"]["instruction"]


def test_villages_open_the_lane_of_a_town_that_goes_on_in_another_log(
    line: list[Node], tmp_path: Path
) -> None:
    _, county, town, village = line
    published(line, town, tmp_path, -1)
    until("the village has it", lambda: yellow(village) == -1)
    before = case(town, "2024-03-05")
    settled(line)
    town.stop()
    rewrite(town, before, forged(before))
    town.run("rebuild").ended(0)
    town.start()
    until("the link is quarantined", lambda: town.status()["link"]["state"] == "quarantined")
    county.run("quarantine", town.code, "--accept", "--by", "Li", "--reason", "it was misread").ended(0)
    until("the town is told", lambda: "renew-log" in town.status()["link"]["instruction"])
    with stopped(town):
        town.run("renew-log", "--by", "Wang", "--reason", "as the county says").ended(0)
    until("the village is told", lambda: halted(village))
    published(line, town, tmp_path, -2)
    case(village, "2024-03-20")  # its own journal goes on rising
    caught_up(village, town)
    assert yellow(village) == -1
    village.run("lane", "--reopen", "--by", "1", "--reason", "the county decided so").ended(0)
    until("the village has what came since", lambda: yellow(village) == -2)
    settled(line)
    assert not halted(village)
    city = line[0]
    until("the city has proofs of all", lambda: part(city)[0]["complete"] and part(city)[0]["verified"])
    until("the city has its figures", lambda: received(city) == received(village) == 5)


def test_villages_open_the_lane_of_a_mended_town(line: list[Node], tmp_path: Path) -> None:
    _, county, town, village = line
    village.stop()  # it sees nothing of what the town is about to lose
    town.stop()
    backup = Backup(town, tmp_path)
    town.start()
    case(town, "2024-03-06")
    caught_up(town, county)
    town.stop()
    county.stop()
    backup.put_back()
    town.start()
    village.start()
    published(line, town, tmp_path, -1)
    until("the village has what was told on that branch", lambda: yellow(village) == -1)
    county.start()
    until("the link is quarantined", lambda: town.status()["link"]["state"] == "quarantined")
    until(
        "the branch is kept apart", lambda: county.run("quarantine", town.code, "--json").json["kept_apart"]
    )
    county.run("quarantine", town.code, "--mend", "--by", "Li", "--reason", "an old backup").ended(0)
    until("the town is mended", lambda: told(town, "journal_mended"))
    until("the village is told", lambda: halted(village))
    published(line, town, tmp_path, -2)
    village.run("lane", "--reopen", "--by", "1", "--reason", "the town was mended").ended(0)
    until("the village has what came since", lambda: yellow(village) == -2)
    settled(line)
    assert not halted(village)
