"""An appeal that the bureau leaves to the node above: it rises with the journal, is decided there once, and the decision comes back."""

from collections.abc import Awaitable, Callable

import pytest
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CANCELLED,
    ALERT_STATE_ESCALATED,
    ALERT_STATE_ISSUED,
    ALERT_STATE_UPHELD,
    AlertMoved,
    Entry,
    Received,
)

from federation.errors import ZonghengError
from node.alerting.desk import AlertDesk
from node.people.caller import OPERATOR
from node.sealed.texts import BYTES_MOST, SealedTexts
from node.store.rows import AlertRecord
from node.supervision.life import Step
from node.views import alert_life
from tests.unit.projection.conftest import unit as unit
from tests.unit.projection.units import TOWN, VILLAGE, Unit, item

Make = Callable[[str], Awaitable[Unit]]


def desk_of(one: Unit, parent: Unit | None = None) -> AlertDesk:
    """The desk as it is where there is a parent."""
    node = one.node
    key = None if parent is None else parent.node.keyring.keys.sealing_public
    texts = SealedTexts(node.store, node.vault, lambda above: key, lambda: node.keyring.keys.sealing)
    return AlertDesk(
        node.store,
        node.vault,
        node.writer,
        node.raising,
        node.contexts,
        lambda: TOWN,
        texts,
        node.now,
    )


async def red_card(village: Unit) -> AlertRecord:
    await village.told(item(), *village.late("c1"))
    await village.catch_up()
    return next(one for one in await village.alerts() if one.level == 3 and one.state == ALERT_STATE_ISSUED)


async def escalated(village: Unit) -> AlertRecord:
    card, desk = await red_card(village), desk_of(village)
    await desk.take(card.alert_id, Step.APPEAL, by="S7", reason="申请人撤回")
    await village.catch_up()
    moved = await desk.take(card.alert_id, Step.ESCALATE, by="9001", reason="疑难")
    assert moved.state == ALERT_STATE_ESCALATED
    await village.catch_up()
    return moved


async def hand_down(parent: Unit, child: Unit) -> None:
    """What the lane down does: each addressed entry of the parent is entered by the child as a receipt."""
    async with parent.node.store.read() as session:
        leaves = await session.journal.leaves(parent.code, 0, parent.node.writer.size)
    for index, leaf in enumerate(leaves):
        if Entry.FromString(leaf).address.node == child.code:
            received = Received(origin=parent.code, index=index, leaf=leaf)
            await child.told(Entry(source="above", serial=f"{parent.code}/{index}", received=received))


@pytest.mark.parametrize(
    ("step", "state", "verdict"),
    [(Step.CANCEL, ALERT_STATE_CANCELLED, "cancel"), (Step.UPHOLD, ALERT_STATE_UPHELD, "uphold")],
)
async def test_a_decision_of_the_node_above_comes_back_and_holds_once(
    unit: Make, step: Step, state: int, verdict: str
) -> None:
    town, village = await unit(TOWN), await unit(VILLAGE)
    card = await escalated(village)
    await village.push_to(town)
    await town.catch_up()
    (waiting,) = await alert_life.escalated(town.node, OPERATOR)
    assert (waiting.origin, waiting.alert.alert_id, waiting.appeal, waiting.reason) == (
        VILLAGE, card.alert_id, "申请人撤回", "疑难",
    )  # fmt: skip
    form = alert_life.Ruling(by="T1", verdict=verdict, reason="查明属实")  # type: ignore[arg-type]
    await alert_life.rule_below(town.node, OPERATOR, VILLAGE, card.alert_id, form)
    with pytest.raises(ZonghengError, match="decided already"):
        await alert_life.rule_below(town.node, OPERATOR, VILLAGE, card.alert_id, form)
    # The bureau below cannot get ahead of it.
    with pytest.raises(ZonghengError, match="the node above decides"):
        await desk_of(village).take(card.alert_id, step, by="9002", reason="x")

    await hand_down(town, village)
    await village.catch_up()
    assert await village.node.alerting.decisions.look() == 1
    assert await village.node.alerting.decisions.look() == 0
    await village.catch_up()
    moved = [entry.alert_moved for entry in await village.entries("alert_moved")]
    last = moved[-1]
    assert (last.state, last.by, last.reason, last.node) == (state, "T1", "查明属实", TOWN)
    (now,) = [one for one in await village.alerts() if one.alert_id == card.alert_id]
    assert now.state == state
    # Relayed up again, nothing waits there any more.
    await village.push_to(town)
    await town.catch_up()
    assert await alert_life.escalated(town.node, OPERATOR) == []


async def test_killed_before_its_place_is_kept_a_decision_is_taken_once(unit: Make) -> None:
    town, village = await unit(TOWN), await unit(VILLAGE)
    card = await escalated(village)
    await village.push_to(town)
    await town.catch_up()
    await desk_of(town).decide_below(VILLAGE, card.alert_id, Step.UPHOLD, by="T1", reason="x")
    await hand_down(town, village)
    await village.catch_up()
    await village.node.alerting.decisions.look()
    async with village.node.store.write() as session:
        await session.links.delete("decisions")
    assert await village.node.alerting.decisions.look() == 0
    assert len([e for e in await village.entries("alert_moved") if e.alert_moved.node == TOWN]) == 1


async def test_a_decision_about_what_is_not_escalated_moves_nothing(unit: Make) -> None:
    town, village = await unit(TOWN), await unit(VILLAGE)
    card = await red_card(village)
    await village.push_to(town)
    await town.catch_up()
    with pytest.raises(ZonghengError, match="not escalated"):
        await desk_of(town).decide_below(VILLAGE, card.alert_id, Step.CANCEL, by="T1", reason="x")
    with pytest.raises(ZonghengError, match="no alert"):
        await desk_of(town).decide_below(VILLAGE, "nosuch", Step.CANCEL, by="T1", reason="x")
    moved = AlertMoved(alert_id=card.alert_id)
    await village.told(
        Entry(received=Received(origin=TOWN, index=1, leaf=Entry(alert_moved=moved).SerializeToString()))
    )
    await village.told(Entry(received=Received(origin=TOWN, index=2, leaf=b"\xff\xff")))
    await village.catch_up()
    assert await village.node.alerting.decisions.look() == 0


async def test_a_late_decision_is_an_alert_at_the_node_that_owes_it(unit: Make) -> None:
    town, village = await unit(TOWN), await unit(VILLAGE)
    card = await escalated(village)
    await village.push_to(town)
    await town.catch_up()
    at_us = town.node.now() + 12 * 86_400_000_000
    for one in (town, village):
        one.node.alerting.late._now = lambda: at_us
        await one.node.alerting.late.look()
    mine = [one for one in await town.alerts() if one.rule == "life.escalated_decision"]
    assert {(one.case_id, one.subject, one.level) for one in mine} == {
        (f"{VILLAGE}/c1", f"{card.alert_id}#1", 2),
    }  # fmt: skip
    assert [one.rule for one in await village.alerts() if one.rule == "life.escalated_decision"] == []


async def test_what_was_said_in_full_goes_up_sealed_and_is_read_there_with_a_purpose(unit: Make) -> None:
    town, village = await unit(TOWN), await unit(VILLAGE)
    card, desk = await red_card(village), desk_of(village, town)
    full, more = "申请人于四月三日撤回，全文如下。" * 40, "补" * BYTES_MOST
    await desk.take(card.alert_id, Step.EXPLAIN, by="S7", text=more)
    await village.catch_up()
    await desk.take(card.alert_id, Step.APPEAL, by="S7", reason="撤回", text=full)
    await village.catch_up()
    with pytest.raises(ZonghengError, match="passport"):
        await desk_of(village).take(card.alert_id, Step.ESCALATE, by="9001", reason="疑难")
    await desk.take(card.alert_id, Step.ESCALATE, by="9001", reason="疑难")
    await village.catch_up()
    await village.push_to(town)
    await town.catch_up()
    async with town.node.store.read() as session:
        leaves = await session.journal.leaves(VILLAGE, 0, village.node.writer.size)
    assert not any("全文如下".encode() in leaf for leaf in leaves)
    (waiting,) = await alert_life.escalated(town.node, OPERATOR)
    assert waiting.texts == []
    assert await town.entries("access_noted") == []
    (waiting,) = await alert_life.escalated(town.node, OPERATOR, "to decide")
    assert [(one.state, one.by, one.words) for one in waiting.texts] == [
        ("explained", "S7", None),  # too long to come with it
        ("appealed", "S7", full),
    ]
    assert len(await town.entries("access_noted")) == 1
