"""What rises through the tiers: issued red cards, once each, and nothing that is not proven."""

from collections.abc import Awaitable, Callable

from zongheng.v1.entry_pb2 import ALERT_STATE_EXPLAINED, ALERT_STATE_ISSUED, AlertMoved, Entry, Forwarded

from federation.journal.checkpoint import Verifier, open_note
from federation.journal.merkle import leaf_hash, verify_inclusion
from tests.unit.projection.units import COUNTY, TOWN, VILLAGE, Unit, item

Make = Callable[..., Awaitable[Unit]]


async def _carded(village: Unit) -> str:
    """A village with one red card; its id."""
    await village.told(item(), *village.late("c-1"))
    await village.catch_up()
    return next(alert.alert_id for alert in await village.alerts() if alert.level == 3)


async def test_a_red_card_rises_once_with_a_proof_that_a_grandparent_can_check(unit: Make) -> None:
    village, town, county = await unit(VILLAGE), await unit(TOWN), await unit(COUNTY)
    await _carded(village)
    await village.push_to(town)
    await town.catch_up()
    await town.push_to(county)
    await county.catch_up()
    await town.node.projector.rebuild()
    await county.node.projector.rebuild()
    for above in (town, county):
        (entry,) = [one for one in await above.entries("forwarded") if one.forwarded.origin == VILLAGE]
        said = entry.forwarded
        checkpoint = open_note(said.checkpoint, [Verifier.parse(village.node.writer.verifier)])
        verify_inclusion(leaf_hash(said.leaf), said.index, checkpoint.size, list(said.proof), checkpoint.root)


async def test_a_card_issued_later_rises_though_it_has_moved_on_since(unit: Make) -> None:
    village, town = await unit(VILLAGE, confirm=True), await unit(TOWN)
    card = await _carded(village)
    await village.push_to(town)
    await town.catch_up()
    assert await town.entries("forwarded") == []
    await village.node.raising.decide(card, ALERT_STATE_ISSUED, "S1", "")
    moved = AlertMoved(alert_id=card, state=ALERT_STATE_EXPLAINED, reason="it was so")
    await village.told(Entry(alert_moved=moved))
    await village.push_to(town)
    await town.catch_up()
    assert len(await town.entries("forwarded")) == 1


async def test_what_a_child_forges_about_somebody_else_is_not_entered_again(unit: Make) -> None:
    village, town, county = await unit(VILLAGE), await unit(TOWN), await unit(COUNTY)
    await _carded(village)
    await village.push_to(town)
    await town.catch_up()
    true = (await town.entries("forwarded"))[0].forwarded
    forged = Forwarded()
    forged.CopyFrom(true)
    inner = Entry.FromString(true.leaf)
    inner.alert_raised.case_id = "somebody else's"
    forged.leaf, forged.index = inner.SerializeToString(), true.index + 1
    own_key = Forwarded()
    own_key.CopyFrom(true)
    own_key.verifier, own_key.index = town.node.writer.verifier, true.index + 2
    about_itself = Forwarded()
    about_itself.CopyFrom(true)
    about_itself.origin = TOWN
    await town.told(*(Entry(forwarded=one) for one in (forged, own_key, about_itself)))
    await town.push_to(county)
    await county.catch_up()
    assert [entry.forwarded for entry in await county.entries("forwarded")] == [true]


async def test_what_comes_before_its_origins_card_waits_for_it(unit: Make) -> None:
    village, town, county = await unit(VILLAGE), await unit(TOWN), await unit(COUNTY)
    await _carded(village)
    await village.push_to(town)
    await town.catch_up()
    cards = town.node.tree.descendants()
    town.node.tree._cards.clear()
    town.node.tree.learn([])
    await town.push_to(county)
    await county.catch_up()
    assert await county.entries("forwarded") == []
    await county.reports.cards(TOWN, [town.node.tree.own, *cards])
    await county.catch_up()
    assert len(await county.entries("forwarded")) == 1
