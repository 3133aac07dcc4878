"""The real log of fines in one county node, by commands alone: the counts are those computed independently, and rules are tried on it."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import zongheng
from tests.e2e.tree import Node, Tree

MAPPINGS = Path(__file__).parent.parent / "mappings"


@pytest.fixture(scope="module")
def county(shared_tree: Tree, shared_data: Path) -> Node:
    node = shared_tree.add("county", "330102")
    log = shared_data / "fines" / "traffic_fines_10k.csv.gz"
    report = node.run("import", log, "--mapping", MAPPINGS / "fines.toml", "--json").ended(0).json
    assert (report["outcome"], report["rejected"], report["cases"]) == ("imported", 0, 10_000)
    return node


def test_a_tier_that_does_not_supervise_fines_refuses_their_log(shared_tree: Tree, shared_data: Path) -> None:
    village = shared_tree.add("village", "330102001001")
    before = village.run("status", "--json").ended(0).json["journal"]["size"]
    log = shared_data / "fines" / "traffic_fines_10k.csv.gz"
    told = village.run("import", log, "--mapping", MAPPINGS / "fines.toml").ended(1)
    assert "this node does not supervise 'penalty'" in told.err
    assert village.run("status", "--json").ended(0).json["journal"]["size"] == before


def test_each_count_is_the_one_computed_independently(county: Node) -> None:
    told = county.run("evaluate", "--as-of", "2026-01-01", "--json").ended(0).json
    counts = {
        rule: (sum(told["alerts"][f"penalty.{rule}"].values()), told["rules"][f"penalty.{rule}"]["checked"])
        for rule in ("interval.decision", "interval.service", "interval.appeal", "collection.unserved")
    }
    assert counts == {
        "interval.decision": (3_970, 6_570),
        "interval.service": (321, 4_635),
        "interval.appeal": (36, 231),
        "collection.unserved": (1_894, 1_894),
    }


def tried(county: Node, folder: Path, text: str) -> Any:
    file = folder / "draft.toml"
    file.write_text(text, encoding="utf-8")
    return zongheng("policy", "try", county.folder, "--rule", file, "--to", "2026-01-01", "--json")


RULE = """
[[rules]]
name = "sent_late"
domain = "penalty"
expression = "{expression}"
level = "red"
legal_basis = "行政处罚法 §60"
name_zh = "寄出过晚"
"""


def test_a_rule_of_ones_own_finds_on_history_what_the_built_in_one_does(county: Node, tmp_path: Path) -> None:
    before = county.run("status", "--json").ended(0).json["journal"]["size"]
    told = tried(county, tmp_path, RULE.format(expression="days_to_decision > 90")).ended(0).json
    assert (told["findings"], told["levels"], told["agencies"]) == (3_970, {"red": 3_970}, ["traffic-police"])
    assert told["rules"][0]["draft"]["undetermined"] == 3_430
    assert county.run("status", "--json").ended(0).json["journal"]["size"] == before


def test_a_hostile_rule_is_refused_with_its_place(county: Node, tmp_path: Path) -> None:
    refused = tried(county, tmp_path, RULE.format(expression="NOW() > filed_at")).ended(2)
    assert "NOW is not of the grammar" in str(refused)


def test_another_limit_is_tried_beside_the_one_in_force(county: Node, tmp_path: Path) -> None:
    draft = '[policy]\n[[policy.rules]]\nrule = "penalty.interval.decision"\nlimit_days = 120\n'
    (rule,) = tried(county, tmp_path, draft).ended(0).json["rules"]
    assert rule["now"]["findings"] == 3_970
    assert 0 < rule["draft"]["findings"] < 3_970
