"""A directive over four real tiers, with the middle away for a while and one node killed in between."""

from typing import Any, Final

import pytest

from tests.e2e.commands import zongheng
from tests.e2e.tree import Node, Tree, knows, until

CITY: Final = "330300"
COUNTY: Final = "330301"
TOWN: Final = "330301001"
VILLAGE: Final = "330301001001"


@pytest.fixture(scope="module")
def line(shared_tree: Tree) -> list[Node]:
    """City, county, town and village, all running."""
    nodes = shared_tree.line(
        ("city", CITY), ("county", COUNTY), ("town", TOWN), ("village", VILLAGE), confirm=False
    )
    for node in nodes:
        node.start()
    knows(nodes[0], COUNTY, TOWN, VILLAGE)
    return nodes


def told(node: Node, command: str, directive: str, *words: str) -> Any:
    """``zongheng directive COMMAND DIR DIRECTIVE …``: what it printed."""
    return zongheng("directive", command, node.folder, directive, *words, "--json").ended(0).json


def stage(node: Node, directive: str) -> str:
    ran = zongheng("directive", "show", node.folder, directive, "--json")
    return ran.json["stage"] if ran.code == 0 else ""


def test_a_directive_reaches_the_village_whatever_is_away_or_killed_on_the_way(
    line: list[Node],
) -> None:
    city, county, town, village = line
    town.stop()
    issued = zongheng(
        "directive", "issue", city.folder, "--lead", VILLAGE, "--assist", COUNTY, "--title", "清理积压办件",
        "--text", "十日内清理全部积压办件并报告", "--due", "2030-06-30", "--source", "instruction",
        "--by", "S1", "--approved-by", "S2", "--json",
    ).ended(0).json  # fmt: skip
    directive = issued["directive"]
    assert issued["stage"] == "notified"
    until("the county has it", lambda: stage(county, directive) == "notified")
    county.kill()
    assert stage(village, directive) == ""
    town.start()
    county.start()
    until("the village has it", lambda: stage(village, directive) == "notified", 120)
    shown = told(village, "show", directive)
    assert shown["title"] == "清理积压办件"
    assert "十日内清理全部积压办件并报告" in [step["text"] for step in shown["steps"]]

    refused = zongheng("directive", "answer", village.folder, directive, "--by", "V1", "--text", "已办")
    assert refused.code == 2
    assert "sign for it first" in refused.err
    told(village, "sign", directive, "--by", "V1")
    told(county, "sign", directive, "--by", "C1")
    until("the city sees both signatures", lambda: stage(city, directive) == "signed", 120)

    # The issuer is away while the handlers answer.
    city.stop()
    told(village, "answer", directive, "--by", "V1", "--text", "全部清理完毕")
    told(county, "answer", directive, "--by", "C1", "--text", "已督促")
    town.kill()
    town.start()
    city.start()
    until("the city has both answers", lambda: stage(city, directive) == "answered", 120)
    answers = [step["text"] for step in told(city, "show", directive)["steps"] if step["step"] == "answered"]
    assert sorted(answers) == sorted(["全部清理完毕", "已督促"])

    told(city, "review", directive, "--by", "S1", "--send-back", "--text", "附清单", "--node", VILLAGE)
    until("the village is told", lambda: stage(village, directive) == "sent_back", 120)
    told(village, "answer", directive, "--by", "V1", "--text", "清单见附件")
    told(city, "review", directive, "--by", "S1", "--accept", "--node", COUNTY)
    until("the second answer is there", lambda: stage(city, directive) == "answered", 120)
    told(city, "review", directive, "--by", "S1", "--accept", "--node", VILLAGE)
    closed = told(city, "close", directive, "--by", "S2")
    assert closed["stage"] == "closed"
    for node in (county, town, village):
        until(f"{node.code} sees it closed", lambda node=node: stage(node, directive) == "closed", 120)
    steps = [
        (step["step"], step["node"], step["handler"], step["number"])
        for step in told(city, "show", directive)["steps"]
    ]
    assert len(steps) == len(set(steps))
    # It answers stopped nodes' commands too, and nothing is entered by looking.
    size = village.status()["journal"]["size"]
    village.stop()
    assert stage(village, directive) == "closed"
    village.start()
    assert village.status()["journal"]["size"] == size
