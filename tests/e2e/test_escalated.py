"""An appeal through two real nodes: taken in below, left to the node above, decided there, and back by the lane down."""

from pathlib import Path
from typing import Any

from tests.e2e.commands import zongheng as command
from tests.e2e.tree import Tree, until

CATALOGUE = """
[[agencies]]
code = "ZR"
name = "自然资源所"

[[items]]
code = "ZR-01"
version = 1
name = "登记"
agency = "ZR"
statutory = { days = 5, unit = "working", basis = "行政许可法 §42" }
"""


def test_an_appeal_is_left_to_the_county_and_its_decision_comes_back(tree: Tree, tmp_path: Path) -> None:
    clock = "2024-04-10T10:00:00+08:00"
    county = tree.add("county", "330104", clock=clock).start()
    town = tree.add("town", "330104101", county, clock=clock).start()
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    town.run("publish", catalogue).ended(0)
    form = {"item": "ZR-01", "agency": "ZR", "actor": "1001", "at": "2024-04-01T09:00:00"}
    case = town.post("/api/cases", form)["case"]
    town.post(
        f"/api/cases/{case}/events", {"kind": "acceptance", "actor": "1001", "at": "2024-04-01T09:00:00"}
    )
    red = until(
        "the red card is raised", lambda: town.alerts(case=case, level="red", rule="approval.time.case")
    )
    card = red[0]["alert_id"]
    town.run("confirm", card, "--by", "9001").ended(0)

    def alert(word: str, *words: object) -> Any:
        return command("alert", word, town.folder, card, *words, "--json").ended(0).json

    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a photo")
    appealed = alert(
        "appeal", "--by", "1001", "--reason", "申请人撤回", "--text", "全文在此", "--file", photo
    )
    assert appealed["steps"][-1]["files"][0]["name"] == "photo.jpg"
    assert (town.folder / "files").is_dir()
    escalated = alert("escalate", "--by", "9001", "--reason", "疑难")
    assert escalated["owed"]["layer"] == "parent"
    refused = command(
        "alert", "decide", town.folder, card, "--by", "9001", "--reason", "x", "--uphold"
    ).ended(2)
    assert "node above" in refused.err

    waiting = until(
        "it waits at the county",
        lambda: command("alert", "escalated", county.folder, "--json").ended(0).lines,
    )
    assert [(one["origin"], one["alert"]["alert_id"], one["appeal"]) for one in waiting] == [
        ("330104101", card, "申请人撤回")
    ]
    told = command("alert", "escalated", county.folder, "--purpose", "to decide", "--json").ended(0).lines
    assert [(one["state"], one["words"]) for one in told[0]["texts"]] == [("appealed", "全文在此")]
    decided = ("--by", "c1", "--reason", "查明属实", "--cancel", "--origin", "330104101", "--json")
    command("alert", "decide", county.folder, card, *decided).ended(0)

    def state() -> str:
        shown = town.get(f"/api/alerts/{card}")
        return str(shown["alert"]["state"]) if shown["steps"][-1]["node"] == "330104" else ""

    assert until("the decision is back", state) == "cancelled"
    last = town.get(f"/api/alerts/{card}")["steps"][-1]
    assert (last["by"], last["reason"]) == ("c1", "查明属实")
    until("nothing waits any more", lambda: county.get("/api/escalated") == [])
    rows = {(row["layer"], row["duty"]): row for row in county.get("/api/alert-times")["rows"]}
    assert rows["parent", "escalated_decision"]["in_time"] == 1
    assert town.get("/api/verification")["verified"] is True
