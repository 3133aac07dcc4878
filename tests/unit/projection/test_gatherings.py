"""Findings that belong to no single case: raised under an id of their own, once, whenever the events come, and alike at the parent."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.entry_pb2 import Entry

from node.store.alerts import AlertFilter
from node.store.facts import FactsFilter
from node.supervision.evaluate import evaluate
from node.wallclock import micros
from tests.unit.projection.units import COUNTY, DAY, MONDAY, TOWN, Unit

OBJECT = "@duty.object/O-1"


def event(unit: Unit, case: str, kind: str, at_us: int, domain: str = "duty", **said: str | int) -> Entry:
    unit.serial += 1
    attributes = [
        Attribute(name=name, integer=value) if isinstance(value, int) else Attribute(name=name, text=value)
        for name, value in said.items()
    ]
    return Entry(
        source="test",
        serial=str(unit.serial),
        case_event=CaseEvent(
            case_id=case,
            domain=domain,
            kind=kind,
            at_us=at_us,
            received_at_us=at_us,
            agency="A1",
            actor="W1",
            attributes=attributes,
        ),
    )


def planned(unit: Unit) -> Entry:
    return event(unit, "t-1", "assigned", MONDAY, object="O-1", every_days=30, responsible="R1")


def inspected(unit: Unit, day: int, case: str = "t-2") -> Entry:
    return event(unit, case, "inspected", MONDAY + day * DAY, object="O-1", second_officer="W2")


async def levels(
    unit: Unit, rule: str = "duty.object.missed", origin: str = ""
) -> dict[str, list[tuple[int, int]]]:
    """Gathering → (level, state) of its alerts."""
    found: dict[str, list[tuple[int, int]]] = {}
    for one in await unit.alerts(origin):
        if one.rule == rule:
            found.setdefault(one.case_id, []).append((one.level, one.state))
    return {case: sorted(alerts) for case, alerts in found.items()}


ISSUED, CORRECTED = 2, 11


async def test_an_object_is_missed_when_its_day_has_passed_and_nothing_but_time_came(
    unit: Callable[..., Any],
) -> None:
    town = await unit(TOWN)
    await town.told(planned(town))
    await town.catch_up()
    async with town.node.store.read() as session:
        row = await session.facts.get(TOWN, OBJECT)
    # 60 days after it was planned it is 30 days late: notice and yellow; red comes by itself on the next.
    assert row is not None
    assert row.next_at_us is not None
    assert await levels(town) == {OBJECT: [(1, ISSUED), (2, ISSUED)]}


async def test_an_inspection_in_another_case_takes_it_back_and_the_same_again_changes_nothing(
    unit: Callable[..., Any],
) -> None:
    town = await unit(TOWN)
    await town.told(planned(town))
    await town.catch_up()
    await town.told(inspected(town, 55))
    await town.catch_up()
    assert await levels(town) == {OBJECT: [(1, CORRECTED), (2, CORRECTED)]}
    before = town.node.writer.size
    await town.catch_up()
    assert town.node.writer.size == before


async def test_the_order_of_events_and_a_rebuild_change_nothing(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    await town.told(inspected(town, 5, "t-9"), planned(town), inspected(town, 1, "t-3"))
    await town.catch_up()
    first = await levels(town)
    assert list(first) == [OBJECT]
    size = town.node.writer.size
    await town.node.projector.rebuild()
    assert (await levels(town), town.node.writer.size) == (first, size)


@pytest.mark.parametrize(("zone", "month"), [("Asia/Shanghai", "2026-04"), ("Asia/Urumqi", "2026-03")])
@pytest.mark.parametrize("source", ["", "Europe/Amsterdam"])
async def test_a_month_is_the_calendar_month_of_the_node_and_not_of_the_source(
    unit: Callable[..., Any], zone: str, month: str, source: str
) -> None:
    """At 17:00 UTC on the last of March it is April in Shanghai (+8) and still March in Urumqi (+6) and Amsterdam (+2)."""
    town, county = await unit(TOWN, zone=zone), await unit(COUNTY)
    dark = event(town, "h-1", "dark", micros(datetime(2026, 3, 31, 17, tzinfo=UTC)), "hall", camera="K1")
    dark.case_event.zone = source
    await town.told(dark)
    await town.catch_up()
    await town.push_to(county)
    await county.catch_up()
    for one in (town, county):
        async with one.node.store.read() as session:
            assert (await session.facts.get(TOWN, f"@hall.camera_month/K1/{month}")) is not None
            size = (await session.cursors.get("events", TOWN)).position
            told = await one.node.history.events(session, TOWN, size)
        assert f"@hall.camera_month/K1/{month}" in told["case_id"].to_list()


async def test_a_gathering_is_no_case(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    await town.told(planned(town), inspected(town, 5))
    await town.catch_up()
    async with town.node.store.read() as session:
        assert {row.case_id for row in await session.facts.page(TOWN, FactsFilter(), 100)} == {"t-1", "t-2"}
        assert await session.facts.count(TOWN, FactsFilter()) == 2
        assert sum((await session.facts.by_state(TOWN)).values()) == 2
        assert (await session.events.count(TOWN), await session.events.cases(TOWN)) == (2, 2)
    assert sum(row.figures.get("received", 0) for row in await town.rows()) == 2


async def test_the_parent_finds_the_same_in_the_childs_journal(unit: Callable[..., Any]) -> None:
    town, county = await unit(TOWN), await unit(COUNTY)
    await town.told(planned(town), inspected(town, 5))
    await town.catch_up()
    await town.push_to(county)
    await county.catch_up()
    node = county.node
    context = await node.contexts.of(TOWN)
    async with node.store.read() as session:
        size = (await session.cursors.get("events", TOWN)).position
        events = await node.history.events(session, TOWN, size)
        raised = await session.alerts.page(TOWN, AlertFilter(rule="duty.object.missed"), 100)
    found = evaluate(events, context.context, town.now, size, context.domains).finding_values()
    mine = {
        (one.case_id, one.subject, int(one.level), one.since_us)
        for one in found
        if one.rule == "duty.object.missed"
    }
    assert mine == {(one.case_id, one.subject, one.level, one.since_us) for one in raised}
    assert {case for case, *_ in mine} == {OBJECT}


async def test_a_month_is_the_local_month(unit: Callable[..., Any]) -> None:
    town = await unit(TOWN)
    # Half past midnight of 1 April in Shanghai is still March in UTC.
    first_of_april = MONDAY + 29 * DAY + 14 * DAY // 24 + DAY // 48
    await town.told(*(event(town, f"t-{n}", "rated", first_of_april, "complaint", score=5) for n in range(5)))
    await town.catch_up()
    assert list(await levels(town, "complaint.agency_month.bad")) == ["@complaint.agency_month/A1/2026-04"]
