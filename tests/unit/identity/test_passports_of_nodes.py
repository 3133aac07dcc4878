"""Passports as nodes hand them up and down."""

import pytest
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.passport import issue
from federation.journal.checkpoint import Signer
from node.downlink import Reports
from node.passports import Passports
from tests.unit.identity.pair import COUNTY, TOWN, Pair


def reports(pair: Pair) -> Reports:
    county = pair.county
    return Reports(
        county.store,
        county.tree,
        county.passports,
        county.comparison,
        county.witness,
        lambda: None,
        lambda: None,
    )


async def test_a_child_learns_who_is_above_and_keeps_it(pair: Pair) -> None:
    await pair.joined()
    await pair.town.passports.take_above(pair.county.passports.handed_down())
    holder = pair.town.passports.of(COUNTY)
    assert holder is not None
    assert holder.sealing_key == pair.county.keyring.keys.sealing_public
    assert holder.verifier == pair.county.writer.verifier
    again = Passports(pair.town.store, pair.town.keyring, pair.town.tree, pair.town.now, pair.clock)
    async with pair.town.store.read() as session:
        await again.load(session)
    assert [one.node for one in again.above()] == [COUNTY]


async def test_who_is_not_above_does_not_become_so_by_being_handed_down(pair: Pair) -> None:
    await pair.joined()
    await pair.town.passports.take_above(
        [pair.town.passports.own, b"none", *pair.county.passports.handed_down()]
    )
    assert [one.node for one in pair.town.passports.above()] == [COUNTY]


async def test_a_parent_learns_who_is_below_and_keeps_it_when_a_card_comes_without(pair: Pair) -> None:
    await pair.joined()
    sink = reports(pair)
    await sink.cards(TOWN, [pair.town.passports.card()])
    bare = NodeCard()
    bare.CopyFrom(pair.town.tree.own)
    bare.checkpoint_at_us = 9
    await sink.cards(TOWN, [bare])
    holder = pair.county.passports.of(TOWN)
    assert holder is not None
    assert holder.sealing_key == pair.town.keyring.keys.sealing_public


async def test_a_passport_in_somebody_elses_card_counts_for_nothing(pair: Pair) -> None:
    await pair.joined()
    card = pair.town.passports.card()
    card.passport = pair.county.passports.own
    await reports(pair).cards(TOWN, [card])
    assert pair.county.passports.of(TOWN) is None
    assert pair.county.tree.get(TOWN) is not None


async def test_another_journal_key_is_believed_to_a_newer_passport_alone(pair: Pair) -> None:
    await pair.joined()
    sink = reports(pair)
    first = pair.town.passports.card()
    await sink.cards(TOWN, [first])
    fresh = NodeCard()
    fresh.CopyFrom(pair.town.tree.own)
    fresh.verifier = str(Signer.generate(fresh.log_id).verifier)
    with pytest.raises(ZonghengError) as refused:
        await sink.cards(TOWN, [fresh])
    assert refused.value.code == "wrong_log"
    keys = pair.town.keyring
    fresh.passport = issue(keys.identity, fresh, keys.keys.sealing_public, pair.town.now())
    await sink.cards(TOWN, [fresh])
    known = pair.county.tree.get(TOWN)
    assert known is not None
    assert known.verifier == fresh.verifier
    with pytest.raises(ZonghengError):
        await sink.cards(TOWN, [first])
