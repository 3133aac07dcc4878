"""A county looks at its towns and villages: outliers by sample, hot places, and alerts further down asked for."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from zongheng.v1.tree_pb2 import NodeCard

from node import config
from node.run import Node
from node.store.rows import RollupRow
from node.supervision.calendar import EPOCH_ORDINAL
from node.web.app import application
from node.web.guard import FolderDoor

COUNTY = "990121"
TOWNS = [f"990121{at:03}" for at in range(1, 7)]
VILLAGE = "990121001001"
ZONE = ZoneInfo("Asia/Shanghai")


def row(node: str, day: str, domain: str = "approval", agency: str = "A1", **figures: int) -> RollupRow:
    number = date.fromisoformat(day).toordinal() - EPOCH_ORDINAL
    return RollupRow(node, number, domain, agency, "", "I1", figures, b"", b"", 7)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    folder = tmp_path / "node"
    config.initialise(
        folder, tier="county", name="霁川县", division=COUNTY, grpc="127.0.0.1:1", http="127.0.0.1:2"
    )
    now_us = round(datetime(2026, 3, 20, 9, tzinfo=ZONE).timestamp()) * 1_000_000
    async with Node.opened(folder, now=lambda: now_us) as node:
        node.tree.learn([NodeCard(node=one, tier="town", name=one, parent=COUNTY) for one in TOWNS])
        node.tree.learn([NodeCard(node=VILLAGE, tier="village", name="石桥村", parent=TOWNS[0])])
        rows = [
            row(town, "2026-03-02", received=200, completed=100, on_time=90, late=10, yellow=10, red=0)
            for town in TOWNS[:4]
        ]
        # Four of eight is nothing in a town of eight cases; forty of a hundred is.
        rows += [
            row(TOWNS[4], "2026-03-02", received=8, completed=8, on_time=4, late=4, yellow=1),
            row(TOWNS[5], "2026-03-03", received=200, completed=100, on_time=60, late=40, yellow=44, **{"yellow.cancelled": 4}),
            row(VILLAGE, "2026-03-03", received=30, completed=30, on_time=27, late=3, yellow=2),
            row(TOWNS[0], "2026-03-04", "penalty", received=50, completed=50, on_time=50, red=40),
            row(COUNTY, "2026-03-04", "resupervision", agency="", red=9),
        ]  # fmt: skip
        async with node.store.write() as session:
            await session.rollups.upsert(rows)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(FolderDoor(application(node))), base_url="http://node"
        ) as client:
            yield client


async def got(door: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await door.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_town_with_many_cases_stands_out_and_one_with_few_does_not(door: httpx.AsyncClient) -> None:
    view = await got(door, "/api/outliers", by="node", measure="late")
    (group,) = view["groups"]
    assert group["comparable"] == "nodes of one tier: town"
    members = {one["node"]: one for one in group["members"]}
    assert group["members"][0]["node"] == TOWNS[5]
    assert members[TOWNS[5]]["verdict"] == "high"
    assert (members[TOWNS[5]]["count"], members[TOWNS[5]]["of"], members[TOWNS[5]]["percent"]) == (
        40,
        100,
        40.0,
    )
    assert (members[TOWNS[4]]["verdict"], members[TOWNS[4]]["sampled"]) == ("", False)
    assert members[TOWNS[5]]["high"] < 40
    assert members[TOWNS[4]]["high"] >= 4
    # The county and the village have none of their tier beside them.
    assert view["not_compared"] == 2


async def test_a_child_stands_for_everybody_below_it(door: httpx.AsyncClient) -> None:
    view = await got(door, "/api/outliers", by="child", measure="late")
    members = {one["node"]: one for one in view["groups"][0]["members"]}
    assert (members[TOWNS[0]]["count"], members[TOWNS[0]]["of"]) == (13, 180)


async def test_cards_are_held_to_what_the_domains_bring(door: httpx.AsyncClient) -> None:
    """The first town alone handles penalties, which bring many cards: that is no reason to name it."""
    view = await got(door, "/api/outliers", by="node", measure="cards")
    members = {one["node"]: one for one in view["groups"][0]["members"]}
    assert (members[TOWNS[0]]["count"], members[TOWNS[0]]["verdict"]) == (50, "")
    assert (members[TOWNS[5]]["count"], members[TOWNS[5]]["verdict"]) == (40, "high")


async def test_hot_places_are_by_share_and_lift_with_a_minimum_sample(door: httpx.AsyncClient) -> None:
    view = await got(door, "/api/hot-spots", by="place", domain="approval")
    first = view["spots"][0]
    assert (first["code"], first["hot"], first["alerts"], first["cases"]) == (TOWNS[5], True, 40, 200)
    # 40 + 40 + 1 + 2 cards of 800 + 8 + 200 + 30 cases.
    assert view["alerts"] == 83
    assert first["expected"] == round(83 / 1_038 * 200, 1)
    assert first["lift"] == round(40 / (83 / 1_038 * 200), 2)
    small = next(one for one in view["spots"] if one["code"] == TOWNS[4])
    assert (small["sampled"], small["hot"]) == (False, False)
    assert [one["code"] for one in view["spots"] if one["hot"]] == [TOWNS[5]]


async def test_rules_of_nodes_that_cannot_be_asked_are_said_to_be_missing(door: httpx.AsyncClient) -> None:
    view = await got(door, "/api/hot-spots", by="rule")
    assert view["coverage"] == {"expected": 8, "answered": 1, "unreachable": sorted([*TOWNS, VILLAGE])}
    forecast = await got(door, "/api/forecast", subtree=".")
    assert (forecast["nodes"], sorted(forecast["not_held"])) == ([COUNTY], sorted([*TOWNS, VILLAGE]))


async def test_a_trend_of_a_part_is_narrowed_and_a_wrong_question_is_refused(door: httpx.AsyncClient) -> None:
    view = await got(
        door, "/api/trend", period="day", of="2026-03-04", count=3, subtree=TOWNS[0], domain="approval"
    )
    assert [(one["label"], one["now"]["received"]) for one in view["periods"]] == [
        ("2026-03-02", 200), ("2026-03-03", 30), ("2026-03-04", 0),
    ]  # fmt: skip
    assert (view["nodes"], view["reported"]) == (2, 2)
    for path, params in (
        ("/api/trend", {"period": "day", "of": "2027-01-01"}),
        ("/api/hot-spots", {"from": "2026-03-04", "to": "2026-03-01"}),
        ("/api/outliers", {"from": "2026-03-04", "to": "2026-03-01"}),
        ("/api/outliers", {"from": "yesterday"}),
        ("/api/hot-spots", {"by": "mood"}),
    ):
        assert (await door.get(path, params=params)).json()["code"] == "bad_request", path
    assert (await door.get("/api/trend", params={"subtree": "990199"})).json()["code"] == "unknown_node"
