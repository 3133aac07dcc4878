"""Cases that cross tiers: handed over, signed for, returned and sent down, counted once, each desk's days its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node import config
from node.models.publication import Publication
from node.people.caller import OPERATOR
from node.run import Node
from node.views import by_hand, cases, handover, publication
from tests.unit.lane_down.handing import hand_down, hand_up, introduce

COUNTY, TOWN, VILLAGE = "990102", "990102001", "990102001001"

Open = Callable[[str], Awaitable[Node]]

ITEM = {
    "code": "S-1", "name": "临时救助", "agency": "MZ", "valid_from": "2026-01-01",
    "statutory": {"days": 20, "unit": "working"},
    "tier_limits": [{"tier": tier, "limit": {"days": 5, "unit": "working"}} for tier in ("village", "town", "county")],
}  # fmt: skip


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def make(code: str) -> Node:
            tier = {6: "county", 9: "town", 12: "village"}[len(code)]
            folder = tmp_path / code
            config.initialise(
                folder, tier=tier, name=code, division=code, grpc=None, http=None,
                calendar="weekdays", clock_start=datetime.fromisoformat("2026-06-30T10:00:00+08:00"),
            )  # fmt: skip
            return await stack.enter_async_context(Node.opened(folder))

        yield make


@pytest.fixture
async def three(opened: Open) -> tuple[Node, Node, Node]:
    """County, town and village; the item comes down from the county."""
    county, town, village = await opened(COUNTY), await opened(TOWN), await opened(VILLAGE)
    introduce(county, town, village)
    introduce(town, village)
    await publication.publish(county, Publication.model_validate({"items": [ITEM], "subtree": True}))
    await hand_down(county, town)
    await hand_down(town, village)
    return county, town, village


def at(day: int, month: int = 6) -> str:
    return f"2026-{month:02}-{day:02}T10:00:00"


async def file(node: Node, day: int) -> str:
    form = by_hand.OpenCase(item="S-1", agency="MZ", actor="1", at=at(day))
    return (await by_hand.open_by_hand(node, OPERATOR, form)).case


async def move(node: Node, case: str, kind: str, day: int, **attributes: str) -> None:
    form = by_hand.MoveCase(kind=kind, actor="1", at=at(day), attributes=attributes)
    await by_hand.move_by_hand(node, OPERATOR, case, form)


async def sign(node: Node, case: str, day: int) -> None:
    form = handover.Signature(agency="MZ", actor="2", at=at(day))
    await handover.sign(node, OPERATOR, case, form)


async def used(node: Node, case: str) -> dict[str, int]:
    """Counted days by clock, of the clocks that run for the case and its tier."""
    shown = await cases.case(node, OPERATOR, case, explain=False, as_of=None)
    return {one.clock: one.used for one in shown.clocks if one.clock in ("statutory", "tier")}


async def totals(node: Node) -> dict[str, int]:
    await node.projector.catch_up()
    sums: dict[str, int] = {}
    async with node.store.read() as session:
        for row in await session.rollups.rows(node.settings.node):
            for name, amount in row.figures.items():
                sums[name] = sums.get(name, 0) + amount
    return {name: sums[name] for name in ("received", "handled", "completed", "returned") if sums.get(name)}


async def waits(node: Node) -> list[tuple[str, str, str]]:
    return [(one.case, one.kind, one.from_node) for one in await handover.waiting(node)]


async def test_a_case_returned_twice_and_handed_up_again_spends_its_days_at_the_desks_that_had_it(
    three: tuple[Node, Node, Node],
) -> None:
    _, town, village = three
    # June 2026: the 1st is a Monday.
    case = await file(village, 1)
    await move(village, case, "acceptance", 1)
    await move(village, case, "handed_over", 3, to_node=TOWN)
    await hand_up(village, town)
    assert await waits(town) == [(case, "handed_over", VILLAGE)]
    await sign(town, case, 3)
    assert await waits(town) == []
    for back, again in ((5, 9), (12, 15)):
        await move(town, case, "returned", back, to_node=VILLAGE)
        await hand_down(town, village)
        assert await waits(village) == [(case, "returned", TOWN)]
        await sign(village, case, back)
        assert await waits(village) == []
        await move(village, case, "handed_over", again, to_node=TOWN)
        await hand_up(village, town)
        await sign(town, case, again)
    await move(town, case, "completion", 17, result="issued")
    # Village: 1→3 (2), 5→9 (2), 12→15 (1); town: 3→5 (2), 9→12 (3), 15→17 (2).
    assert (await used(village, case))["tier"] == 5
    assert await used(town, case) == {"statutory": 12, "tier": 7}
    assert await totals(village) == {"received": 1}
    assert await totals(town) == {"handled": 1, "completed": 1, "returned": 2}


async def test_from_village_to_county_and_all_the_way_back_through_three_tiers(
    three: tuple[Node, Node, Node],
) -> None:
    county, town, village = three
    case = await file(village, 1)
    await move(village, case, "acceptance", 1)
    await move(village, case, "handed_over", 2, to_node=TOWN)
    await hand_up(village, town)
    await sign(town, case, 2)
    await move(town, case, "handed_over", 4, to_node=COUNTY)
    await hand_up(town, county)
    await sign(county, case, 4)
    await move(county, case, "returned", 8, to_node=TOWN)
    await hand_down(county, town)
    await sign(town, case, 8)
    await move(town, case, "returned", 9, to_node=VILLAGE)
    await hand_down(town, village)
    await sign(village, case, 9)
    await move(village, case, "completion", 11, result="withdrawn")
    assert await used(village, case) == {"statutory": 8, "tier": 3}
    assert (await used(town, case))["tier"] == 3
    assert (await used(county, case))["tier"] == 2
    assert [await totals(node) for node in (county, town, village)] == [
        {"handled": 1, "returned": 1},
        {"handled": 1, "returned": 1},
        {"received": 1, "completed": 1},
    ]


async def test_a_county_returns_straight_to_the_village_and_the_town_only_passes_it_on(
    three: tuple[Node, Node, Node],
) -> None:
    county, town, village = three
    case = await file(village, 1)
    await move(village, case, "handed_over", 2, to_node=TOWN)
    await hand_up(village, town)
    await sign(town, case, 2)
    await move(town, case, "handed_over", 3, to_node=COUNTY)
    await hand_up(town, county)
    await sign(county, case, 3)
    await move(county, case, "returned", 4, to_node=VILLAGE)
    await hand_down(county, town)
    assert await waits(town) == []
    await hand_down(town, village)
    assert await waits(village) == [(case, "returned", COUNTY)]
    await sign(village, case, 4)
    assert await totals(town) == {"handled": 1}


async def test_a_case_that_started_above_and_is_sent_down_is_received_above_and_handled_below(
    three: tuple[Node, Node, Node],
) -> None:
    county, town, _ = three
    case = await file(county, 1)
    await move(county, case, "acceptance", 2)
    await move(county, case, "handed_over", 4, to_node=TOWN)
    await hand_down(county, town)
    [one] = await handover.waiting(town)
    assert (one.item, one.filed_at, one.accepted_at) == (
        "S-1", "2026-06-01T10:00:00+08:00", "2026-06-02T10:00:00+08:00",
    )  # fmt: skip
    await sign(town, case, 5)
    await move(town, case, "completion", 9, result="issued")
    assert await used(town, case) == {"statutory": 5, "tier": 2}
    assert (await used(county, case))["tier"] == 2
    assert await totals(county) == {"received": 1}
    assert await totals(town) == {"handled": 1, "completed": 1}


async def test_killed_between_receipt_and_signature_the_case_still_waits_and_is_signed_for_once(
    three: tuple[Node, Node, Node],
) -> None:
    county, town, _ = three
    case = await file(county, 1)
    await move(county, case, "handed_over", 4, to_node=TOWN)
    await hand_down(county, town, kill_after_keep=True)
    await hand_down(county, town)
    await town.projector.rebuild()
    assert await waits(town) == [(case, "handed_over", COUNTY)]
    await sign(town, case, 5)
    with pytest.raises(ZonghengError, match="waits to be signed for"):
        await sign(town, case, 5)
    async with town.store.read() as session:
        leaves = await session.journal.leaves(TOWN, 0, town.writer.size)
    kinds = [entry.case_event.kind for entry in map(Entry.FromString, leaves) if entry.HasField("case_event")]
    assert kinds == ["signed_for"]


async def test_the_same_returning_sent_again_by_a_source_is_no_duplicate(
    three: tuple[Node, Node, Node],
) -> None:
    from zongheng.v1.intake_pb2 import Submission, SubmitRequest

    county, town, _ = three
    case = await file(county, 1)
    event: dict[str, Any] = {
        "case_id": case, "domain": "approval", "kind": "handed_over", "at_us": 1_780_000_000_000_000,
        "received_at_us": 1_780_000_000_000_000, "agency": "MZ", "actor": "1", "item": "S-1",
    }  # fmt: skip
    one = Submission(serial="7", event=event)
    one.event.attributes.add(name="to_node", text=TOWN)
    for expected in ((1, 0), (0, 1)):
        answer = await county.intake.submit(SubmitRequest(source="hall", submissions=[one]))
        assert (answer.accepted, answer.repeated) == expected
        assert not answer.rejected
    await hand_down(county, town)
    assert await waits(town) == [(case, "handed_over", COUNTY)]


async def test_who_signed_before_the_lane_brought_the_case_need_not_sign_again(
    three: tuple[Node, Node, Node],
) -> None:
    _, town, village = three
    case = await file(village, 1)
    await move(village, case, "handed_over", 2, to_node=TOWN)
    await hand_up(village, town)
    await sign(town, case, 2)
    await move(town, case, "returned", 3, to_node=VILLAGE)
    await move(village, case, "signed_for", 3, from_node=TOWN, hand_over="2")
    await hand_down(town, village)
    assert await waits(village) == []


async def test_a_case_that_left_is_not_moved_on_by_hand_where_it_was(
    three: tuple[Node, Node, Node],
) -> None:
    _, town, village = three
    case = await file(village, 1)
    await move(village, case, "handed_over", 3, to_node=TOWN)
    for kind in ("completion", "acceptance", "handed_over", "returned"):
        with pytest.raises(ZonghengError, match=f"went to {TOWN}") as refused:
            await move(village, case, kind, 4)
        assert refused.value.code == "case_elsewhere"
    await move(village, case, "acceptance", 2)  # it was still here
    await hand_up(village, town)
    await sign(town, case, 4)
    await move(town, case, "returned", 5, to_node=VILLAGE)
    with pytest.raises(ZonghengError, match=f"went to {VILLAGE}"):
        await move(town, case, "completion", 5)
    await hand_down(town, village)
    with pytest.raises(ZonghengError, match=f"went to {TOWN}"):
        await move(village, case, "completion", 6)  # nobody signed for it yet
    await sign(village, case, 6)
    await move(village, case, "completion", 7, result="issued")
    assert (await totals(village))["completed"] == 1
