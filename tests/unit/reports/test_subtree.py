"""A report of a node with others below it: each child with everybody below it, who is counted, and what is asked over HTTP."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import openpyxl
import pytest
from zongheng.v1.tree_pb2 import NodeCard

from node import config
from node.run import Node
from node.store.rows import RollupRow
from node.supervision.calendar import EPOCH_ORDINAL
from node.views.report import report
from node.web.app import application
from node.web.guard import FolderDoor

COUNTY, TOWN, VILLAGE, OTHER = "990121", "990121001", "990121001001", "990121002"
ZONE = ZoneInfo("Asia/Shanghai")


def row(node: str, day: str, **figures: int) -> RollupRow:
    number = date.fromisoformat(day).toordinal() - EPOCH_ORDINAL
    return RollupRow(node, number, "approval", "A1", "", "I1", figures, b"", b"", 7)


@pytest.fixture
async def county(tmp_path: Path) -> AsyncIterator[Node]:
    folder = tmp_path / "node"
    config.initialise(
        folder, tier="county", name="霁川县", division=COUNTY, grpc="127.0.0.1:1", http="127.0.0.1:2"
    )
    now_us = round(datetime(2026, 3, 20, 9, tzinfo=ZONE).timestamp()) * 1_000_000
    async with Node.opened(folder, now=lambda: now_us) as node:
        node.tree.learn(
            [
                NodeCard(node=TOWN, tier="town", name="=云岭镇", parent=COUNTY),
                NodeCard(node=VILLAGE, tier="village", name="石桥村", parent=TOWN),
                NodeCard(node=OTHER, tier="town", name="青溪镇", parent=COUNTY),
            ]
        )
        async with node.store.write() as session:
            await session.rollups.upsert(
                [
                    row(OTHER, "2026-02-27", received=9, completed=9, on_time=9),
                    row(TOWN, "2026-03-02", received=10, accepted=9, completed=4, on_time=3, late=1),
                    row(VILLAGE, "2026-03-03", received=100, completed=2, late=2, red=2, **{"red.issued": 2}),
                ]
            )  # fmt: skip
        yield node


async def test_each_child_stands_for_everybody_below_it(county: Node) -> None:
    view = await report(county, "month", "2026-03", "")
    branches = {one.node: one for one in view.branches}
    assert list(branches) == [COUNTY, TOWN, OTHER]
    assert [one.nodes for one in view.branches] == [1, 2, 1]
    town = branches[TOWN].now
    assert (town.received, town.completed, town.on_time, town.late, town.red) == (110, 6, 3, 3, 2)
    assert town.on_time_percent == 50.0
    assert branches[OTHER].now.on_time_percent is None, (
        "nothing came in: no share, and not a hundred per cent"
    )
    assert view.total.now.received == sum(one.now.received for one in view.branches) == 110
    assert view.total.before.received == 9
    assert [(one.level, one.raised, one.states) for one in view.alerts][2] == ("red", 2, {"issued": 2})


async def test_a_report_of_a_part_counts_that_part_alone(county: Node) -> None:
    view = await report(county, "month", "2026-03", TOWN)
    assert (view.name, view.total.now.received, view.total.nodes) == ("=云岭镇", 110, 2)
    assert [(one.node, one.figures_size, one.held) for one in view.coverage] == [
        (TOWN, 7, False),
        (VILLAGE, 7, False),
    ]


async def test_a_month_that_is_not_over_says_so_beside_the_whole_one(county: Node) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(FolderDoor(application(county))), base_url="http://node"
    ) as door:
        figures = (await door.get("/api/report", params={"period": "month", "of": "2026-03"})).json()
        assert figures["finished"] is False
        answer = await door.get("/api/report/xlsx", params={"period": "month", "of": "2026-03"})
        assert f"{COUNTY}-2026-03.xlsx" in answer.headers["content-disposition"]
        book = openpyxl.load_workbook(BytesIO(answer.content))
        cover = "".join(
            str(cell) for line in book["说明"].iter_rows(values_only=True) for cell in line if cell
        )
        assert "本期尚未结束，数字截至2026-03-20 09:00，而上期为整期" in cover
        # A name from below that begins like a formula stays a name.
        names = [
            cell for line in book["下级节点"].iter_rows() for cell in line if str(cell.value).startswith("=")
        ]
        assert [(cell.value, cell.data_type) for cell in names] == [("=云岭镇", "s")]
        for params, code in (
            ({"period": "month", "of": "2026-04"}, "bad_request"),
            ({"period": "year"}, "bad_request"),
            ({"period": "day", "subtree": "990199"}, "unknown_node"),
        ):
            assert (await door.get("/api/report", params=params)).json()["code"] == code


async def test_a_visitor_without_the_right_gets_no_report(county: Node) -> None:
    await county.require_login()
    stranger = httpx.ASGITransport(application(county), client=("10.0.0.1", 1))
    async with httpx.AsyncClient(transport=stranger, base_url="http://localhost") as client:
        for path in ("/api/report?period=day", "/api/report/xlsx?period=day", "/api/reports"):
            assert (await client.get(path)).json()["code"] == "login_required"
