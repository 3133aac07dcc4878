"""Scores and reports over a real link, by the commands people use: what a town publishes its county computes again, each point with its alert."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import zongheng as command
from tests.e2e.tree import Node, Tree, caught_up, until

COUNTY, TOWN = "330104", "330104101"
CLOCK = "2024-05-06T10:00:00+08:00"
RUN = f"{TOWN}-jx-agency-2024-04"

CATALOGUE = """
[[agencies]]
code = "ZR"
name = "自然资源所"

[[agencies]]
code = "MZ"
name = "民政所"

[[items]]
code = "ZR-01"
version = 1
name = "登记"
agency = "ZR"
statutory = { days = 5, unit = "working", basis = "行政许可法 §42" }
"""

SHEETS = """
[[sheets]]
name = "agency"
title = "全县部门绩效测评表"
yellow_points = 2
red_points = 30
minimum_sample = 1

[[sheets.items]]
code = "all"
name_zh = "全部"
points = 100
rules = ["*"]
"""


def score(node: Node, word: str, *words: object) -> Any:
    return command("score", word, node.folder, *words, "--json").ended(0).json


def of(answer: Any, subject: str = "ZR") -> Any:
    (one,) = [
        one for one in answer["scores" if "scores" in answer else "frozen"] if one["subject"] == subject
    ]
    return one


@pytest.fixture(scope="module")
def nodes(shared_tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> tuple[Node, Node, str]:
    """A county and its town, where one case was left undecided in April; with the red card's id."""
    county = shared_tree.add("county", COUNTY, clock=CLOCK).start()
    town = shared_tree.add("town", TOWN, county, clock=CLOCK).start()
    catalogue = tmp_path_factory.mktemp("files") / "catalogue.toml"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    town.run("publish", catalogue).ended(0)
    form = {"item": "ZR-01", "agency": "ZR", "actor": "1001", "at": "2024-04-01T09:00:00"}
    case = town.post("/api/cases", form)["case"]
    town.post(
        f"/api/cases/{case}/events", {"kind": "acceptance", "actor": "1001", "at": "2024-04-01T09:00:00"}
    )
    found = until(
        "the red card is raised", lambda: town.alerts(case=case, level="red", rule="approval.time.case")
    )
    card = str(found[0]["alert_id"])
    town.run("confirm", card, "--by", "9001").ended(0)
    return county, town, card


def test_what_a_town_publishes_its_county_computes_again(nodes: tuple[Node, Node, str]) -> None:
    county, town, card = nodes
    now = score(town, "show", "--period", "2024-04")
    assert (now["denominator"], now["minimum_sample"], of(now)["sample"], of(now)["rank"]) == (
        "handled",
        10,
        1,
        None,
    )
    (line,) = [line for line in of(now)["lines"] if line["why"] == "red"]
    assert (line["points"], line["alerts"]) == (-10, [card])
    shown = command("alert", "show", town.folder, line["alerts"][0], "--json").ended(0).json
    assert (shown["alert"]["rule"], shown["alert"]["case"]) == (line["rule"], line["cases"][0])
    assert of(now, "MZ")["total"] is None, "nothing came in: no hundred points"

    drafted = score(town, "draft", "--period", "2024-04", "--by", "9001")
    assert (drafted["run"], drafted["state"]) == (RUN, "drafted")
    command("score", "review", town.folder, RUN, "--by", "9001").ended(2)
    score(town, "review", RUN, "--by", "9002")
    published = score(town, "publish", RUN, "--by", "8001")
    assert (published["state"], published["equal"], of(published)["total"]) == (
        "published",
        True,
        of(now)["total"],
    )
    caught_up(town, county, 120.0)
    again = score(county, "show", RUN)
    assert (again["node"], again["state"], again["equal"]) == (TOWN, "published", True)
    assert of(again)["recomputed"] == of(again)["total"] == of(published)["total"]
    assert RUN in {one["run"] for one in command("score", "list", county.folder, "--json").ended(0).lines}
    refused = command(
        "score", "appeal", county.folder, RUN, "--subject", "ZR", "--by", "1001", "--reason", "x"
    ).ended(2)
    assert "done there" in refused.err
    # Each point that was lost when it was frozen, with its alert, there too.
    assert [line["alerts"] for line in of(again)["lines"] if line["why"] == "red"] == [[card]]
    plain = command("score", "show", county.folder, RUN).ended(0).out
    assert "published" in plain
    assert f"ZR time_limits -10 red approval.time.case {card}" in plain


def test_an_appeal_gives_points_back_in_the_next_draft_and_the_published_one_stays(
    nodes: tuple[Node, Node, str],
) -> None:
    county, town, _ = nodes
    before = of(score(town, "show", RUN))["total"]
    wrong = command(
        "score",
        "appeal",
        town.folder,
        RUN,
        "--subject",
        "ZR",
        "--item",
        "lunch",
        "--by",
        "1001",
        "--reason",
        "x",
    ).ended(2)
    assert "time_limits" in wrong.err
    appeal = (RUN, "--subject", "ZR", "--item", "time_limits")
    score(town, "appeal", *appeal, "--by", "1001", "--reason", "系统停机")
    command("score", "appeal", town.folder, *appeal, "--by", "1001", "--reason", "x", "--decide").ended(2)
    score(town, "appeal", *appeal, "--by", "9002", "--reason", "属实", "--decide", "--points", "4")
    mark = ("--subject", "ZR", "--period", "2024-04", "--indicator", "attitude_by_hand", "--points", "-1")
    score(town, "mark", *mark, "--by", "9001", "--reason", "明察暗访")
    frozen = of(score(town, "show", RUN))
    assert (frozen["total"], frozen["recomputed"], frozen["now"]) == (before, before, before + 4 - 1)
    again = score(town, "draft", "--period", "2024-04", "--by", "9001")
    assert (again["revision"], of(again)["total"]) == (2, before + 3)
    caught_up(town, county, 120.0)
    held = score(county, "show", RUN)
    assert (held["revision"], held["equal"], of(held)["total"]) == (2, True, before + 3)
    rows = command("alert", "times", town.folder, "--json").ended(0).json["rows"]
    (decided,) = [row for row in rows if row["duty"] == "score_appeal_decision"]
    assert (decided["layer"], decided["in_time"], decided["late"]) == ("bureau", 1, 0)


def test_a_sheet_from_above_is_scored_by_below(nodes: tuple[Node, Node, str], tmp_path: Path) -> None:
    county, town, card = nodes
    file = tmp_path / "sheets.toml"
    file.write_text(SHEETS, encoding="utf-8")
    assert score(county, "sheet", file, "--to", TOWN)["sheets"] == 1
    sheet = until(
        "the sheet is there",
        lambda: one if (one := score(town, "sheet"))["sender"] == COUNTY else None,
        120.0,
    )
    assert (sheet["red_points"], sheet["minimum_sample"], [one["code"] for one in sheet["items"]]) == (
        30,
        1,
        ["all"],
    )
    one = of(score(town, "show", "--period", "2024-04"))
    # Thirty for the red card; the sample of one is enough for this sheet.
    assert (one["parts"]["all"], one["rank"]) == (70, 1)
    assert [line["alerts"] for line in one["lines"] if line["why"] == "red"] == [[card]]
    nodes_ = score(county, "show", "--kind", "node", "--period", "2024-04")["scores"]
    assert {one["subject"] for one in nodes_} == {COUNTY, TOWN}


def test_a_countys_report_has_the_towns_case_and_who_acted_in_time(nodes: tuple[Node, Node, str]) -> None:
    county, town, _ = nodes
    issue = {
        "lead": TOWN, "title": "尽快办结", "text": "五日内办结", "due": "2024-05-13", "by": "c1",
        "approved_by": "c2", "source": "bureau",
    }  # fmt: skip
    directive = county.post("/api/directives", issue)["directive"]
    until(
        "the town has it",
        lambda: any(one["directive"] == directive for one in town.get("/api/directives")["directives"]),
        120.0,
    )
    town.post(f"/api/directives/{directive}/signature", {"by": "9001"})

    def signed() -> Any:
        rows = command("alert", "times", county.folder, "--json").ended(0).json["rows"]
        return [row for row in rows if row["duty"] == "directive_signature" and row["in_time"]]

    (row,) = until("the signature is at the county", signed, 120.0)
    assert (row["layer"], row["node"], row["late"]) == ("handler", TOWN, 0)
    caught_up(town, county, 120.0)
    until(
        "its figures are there",
        lambda: county.get("/api/report", period="month", of="2024-04")["total"]["now"]["received"] == 1,
        120.0,
    )
    report = command("report", county.folder, "--period", "month", "--of", "2024-04", "--json").ended(0).json
    assert {(one["node"], one["days_past"] > 0) for one in report["late"]} == {(TOWN, True)}
    assert [one["label"] for one in report["trend"]][-1] == "2024-04"
    assert report["trend"][-1]["now"]["received"] == 1
    may = command("report", county.folder, "--period", "month", "--of", "2024-05", "--json").ended(0).json
    acted = {(one["layer"], one["node"], one["duty"]): one for one in may["acted"]}
    assert acted["handler", TOWN, "directive_answer"]["open"] == 1
    trend = command("trend", county.folder, "--of", "2024-05", "--count", "2", "--json").ended(0).json
    assert [one["now"]["received"] for one in trend["periods"]] == [1, 0]
    hot = (
        command(
            "hotspots", county.folder, "--by", "rule", "--from", "2024-04-01", "--to", "2024-05-31", "--json"
        )
        .ended(0)
        .json
    )
    assert hot["coverage"]["answered"] == 2
    assert "approval.time.case" in {one["code"] for one in hot["spots"]}
    assert command("outliers", county.folder, "--by", "child").ended(0).out
    assert command("forecast", county.folder, "--subtree", ".", "--json").ended(0).json["nodes"] == [
        COUNTY,
        TOWN,
    ]
