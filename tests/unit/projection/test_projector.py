"""What holds of the projection whatever comes in between: crashes, half-read journals, imports, rebuilds."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from zongheng.v1.case_pb2 import CaseEvent
from zongheng.v1.catalogue_pb2 import Agency
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CANCELLED,
    ALERT_STATE_CORRECTED,
    ALERT_STATE_ISSUED,
    Entry,
    ImportFinished,
)

from federation.errors import ZonghengError
from tests.unit.projection.units import COUNTY, DAY, MONDAY, TOWN, VILLAGE, Unit, item

Make = Callable[..., Awaitable[Unit]]


async def test_a_case_is_not_judged_by_half_of_what_its_import_brought(unit: Make) -> None:
    town = await unit(TOWN)
    town.node.projector.pace.read_chunk, town.node.projector.pace.fold_after = 3, 1
    await town.told(item())
    await town.told(
        town.event("c-1", "application", MONDAY, "imp"),
        town.event("c-1", "acceptance", MONDAY + 1, "imp"),
        *(town.event(f"c-{n}", "application", MONDAY, "imp") for n in range(2, 8)),
        town.event("c-1", "completion", MONDAY + DAY, "imp"),
        Entry(source="test", serial="fin", import_finished=ImportFinished(import_id="imp")),
    )
    await town.catch_up()
    assert not [alert for alert in await town.alerts() if alert.state == ALERT_STATE_CORRECTED]
    assert not [alert for alert in await town.alerts() if alert.case_id == "c-1"]


async def test_an_unfinished_import_raises_nothing_and_its_end_raises_all(unit: Make) -> None:
    town = await unit(TOWN)
    await town.told(item(), town.event("c-1", "acceptance", MONDAY, "imp"))
    await town.told(town.event("c-1", "application", MONDAY - DAY))
    await town.catch_up()
    assert await town.alerts() == []
    await town.told(Entry(source="test", serial="fin", import_finished=ImportFinished(import_id="imp")))
    await town.catch_up()
    assert "c-1" in {alert.case_id for alert in await town.alerts()}


async def test_of_two_imports_of_one_case_each_holds_it_back(unit: Make) -> None:
    town = await unit(TOWN)
    await town.told(item(), town.event("c-1", "acceptance", MONDAY, "one"))
    await town.told(town.event("c-1", "application", MONDAY - DAY, "two"))
    await town.catch_up()
    await town.told(Entry(source="test", serial="f1", import_finished=ImportFinished(import_id="one")))
    await town.catch_up()
    await town.told(Entry(source="test", serial="f2", import_finished=ImportFinished(import_id="two")))
    async with asyncio.timeout(10):
        await town.catch_up()
    assert "c-1" in {alert.case_id for alert in await town.alerts()}


async def test_a_fold_cut_off_between_facts_and_figures_leaves_no_day_behind(
    unit: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await unit(TOWN)
    await town.told(item(), town.event("c-1", "application", MONDAY))
    await town.catch_up()
    # A late entry moves the receipt to an earlier day; the process dies after the facts were replaced.
    await town.told(town.event("c-1", "application", MONDAY - 7 * DAY))
    folding = town.node.projector.folding
    keep = folding.keep_facts

    async def cut_off(*arguments: object) -> set[int]:
        await keep(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(folding, "keep_facts", cut_off)
        with pytest.raises(RuntimeError, match="killed"):
            await town.catch_up()
    await town.catch_up()
    assert sum(row.figures.get("received", 0) for row in await town.rows()) == 1


async def test_settled_waits_for_what_was_written_while_a_pass_was_under_way(unit: Make) -> None:
    town = await unit(TOWN)
    projector = town.node.projector
    whole, begun, go_on = projector.work_once, asyncio.Event(), asyncio.Event()

    async def slow() -> bool:
        busy = await whole()
        begun.set()
        await go_on.wait()
        return busy

    projector.work_once = slow  # type: ignore[method-assign]
    async with asyncio.TaskGroup() as group:
        running = group.create_task(projector.run())
        await begun.wait()
        go_on.set()
        await projector.settled(5)
        go_on.clear()
        begun.clear()
        projector.ring()
        await begun.wait()
        # This pass has read already what there was.
        (index,) = await town.told(town.event("c-1", "application", MONDAY))
        settling = group.create_task(projector.settled(5))
        await asyncio.sleep(0)
        go_on.set()
        assert await settling
        assert await town.cursor("facts") > index
        running.cancel()


async def test_a_childs_journal_that_cannot_be_judged_holds_nobody_else_up(unit: Make) -> None:
    village, town = await unit(VILLAGE), await unit(TOWN)
    bad = CaseEvent(
        case_id="x", kind="application", domain="approval", at_us=1 << 62, agency="A", zone="No/Where"
    )
    await village.told(Entry(source="test", serial="bad", case_event=bad))
    await village.told(village.event("c-1", "application", MONDAY))
    await village.push_to(town)
    await town.told(item(), *town.late("c-9"))
    await town.catch_up()
    assert {alert.case_id for alert in await town.alerts()} == {"c-9"}
    assert await town.cursor("facts", VILLAGE) == village.node.writer.size


async def test_a_context_read_while_something_is_published_is_not_kept(unit: Make) -> None:
    town = await unit(TOWN)
    await town.catch_up()
    contexts = town.node.contexts
    contexts.forget(TOWN)
    async with asyncio.TaskGroup() as group:
        old = group.create_task(contexts.of(TOWN))
        await asyncio.sleep(0)
        contexts.forget(TOWN)
    assert await contexts.of(TOWN) is not old.result()


async def test_a_rebuild_gives_the_same_figures_alerts_and_states(unit: Make) -> None:
    town = await unit(TOWN, confirm=True)
    await town.told(item(), *(one for n in range(3) for one in town.late(f"c-{n}")))
    await town.catch_up()
    pending = [alert for alert in await town.alerts() if alert.level == 3]
    await town.node.raising.decide(pending[0].alert_id, ALERT_STATE_CANCELLED, "S1", "a mistake")
    await town.node.raising.decide(pending[1].alert_id, ALERT_STATE_ISSUED, "S1", "")
    await town.catch_up()
    alerts, rows, size = await town.alerts(), await town.rows(), town.node.writer.size
    await town.node.projector.rebuild()
    assert (await town.alerts(), town.node.writer.size) == (alerts, size)
    assert [(row.key, row.figures) for row in await town.rows()] == [(row.key, row.figures) for row in rows]


async def test_a_rebuild_takes_away_a_row_that_no_longer_holds_and_tells_the_parent(unit: Make) -> None:
    village, town = await unit(VILLAGE), await unit(TOWN)
    await village.told(item(), village.event("c-1", "application", MONDAY))
    await village.catch_up()
    # What an older version of the program counted wrongly.
    async with village.node.store.write() as session:
        await session.transaction.run("UPDATE rollup SET figures = '{\"received\":7}'")
    await village.push_to(town)
    await village.report_to(town)
    await village.node.projector.rebuild()
    await village.report_to(town)
    await town.catch_up()
    assert sum(row.figures.get("received", 0) for row in await town.rows(VILLAGE)) == 1
    assert await town.entries("rollup_mismatch") == []


async def test_of_two_decisions_about_one_card_the_second_is_refused(unit: Make) -> None:
    town = await unit(TOWN, confirm=True)
    await town.told(item(), *town.late("c-1"))
    await town.catch_up()
    card = next(alert for alert in await town.alerts() if alert.level == 3)
    decide = town.node.raising.decide
    outcomes = await asyncio.gather(
        decide(card.alert_id, ALERT_STATE_CANCELLED, "S1", "not theirs"),
        decide(card.alert_id, ALERT_STATE_ISSUED, "S2", ""),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, ZonghengError) for outcome in outcomes) == 1
    assert len(await town.entries("alert_moved")) == 1


async def test_a_line_published_later_moves_the_figures_of_alerts_too(unit: Make) -> None:
    town = await unit(TOWN)
    await town.told(item(), *town.late("c-1"))
    await town.catch_up()
    agency = Agency(code="A1", name="a", node=TOWN, line="police")
    await town.told(Entry(source="test", serial="agency", agency_published=agency))
    await town.catch_up()
    assert {row.line for row in await town.rows()} == {"police"}


async def test_a_child_that_catches_up_is_read_when_it_has_caught_up(unit: Make) -> None:
    county, town = await unit(COUNTY), await unit(TOWN)
    county.node.projector.pace.rush = 20
    await town.told(item(), *(town.event(f"c-{n}", "application", MONDAY) for n in range(1_000)))
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        running = group.create_task(county.node.projector.run())
        for size in range(10, 1_000, 10):
            await town.push_to(county, size)
            await asyncio.sleep(0.005)
        assert await county.cursor("events", TOWN) < 500
        # Whoever waits for an answer does not wait for the rush to end.
        assert await county.node.projector.settled()
        assert await county.cursor("events", TOWN) >= 990
        running.cancel()
