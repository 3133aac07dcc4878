"""The demo's tree and catalogue: made up, complete, and free of contradictions."""

import pytest

from node.demo.items import MATTERS, catalogue, filed_at, matters_at
from node.demo.people import applicant
from node.demo.places import below, place, places
from tiers.tier import may_parent, tier_named


def test_the_tree_has_four_tiers_and_a_branch_that_skips_one() -> None:
    tiers = [one.tier for one in places()]
    assert (tiers.count("city"), tiers.count("county"), tiers.count("town"), tiers.count("village")) == (
        1,
        2,
        3,
        4,
    )
    assert "town" in {one.tier for one in below("990100")}


def test_parents_come_first_and_may_be_parents() -> None:
    seen: set[str] = set()
    for one in places():
        if one.parent:
            assert one.parent in seen
            assert may_parent(tier_named(place(one.parent).tier), tier_named(one.tier))
        seen.add(one.node)


def test_no_place_and_no_applicant_has_a_real_division() -> None:
    from random import Random

    assert all(one.node.startswith("99") for one in places())
    assert {len(one.node) for one in places()} == {6, 9, 12}
    person = applicant(Random(1), place("990121"))
    assert person.id_number.startswith("99")
    assert len(person.id_number) == 18


def test_agencies_answer_to_an_agency_of_the_parent() -> None:
    for one in places():
        if one.parent:
            above = {desk.code for desk in place(one.parent).desks}
            assert {desk.superior for desk in one.desks} <= above


def test_staff_numbers_are_nobody_elses() -> None:
    staff = [
        officer
        for one in places()
        for desk in one.desks
        for officer in {*desk.handlers, *desk.reviewers, *desk.approvers, desk.deputy}
    ]
    assert len(staff) == len(set(staff))


@pytest.mark.parametrize("node", [one.node for one in places()])
def test_each_catalogue_names_its_own_desks_and_steps_that_follow_each_other(node: str) -> None:
    here = place(node)
    codes = {desk.code for desk in here.desks}
    items = catalogue(here)
    assert len({item.code for item in items}) == len(items) == len(matters_at(here))
    assert filed_at(here)
    for item in items:
        assert item.agency in codes
        assert item.steps
        known: set[str] = set()
        for step in item.steps:
            assert set(step.after) <= known
            assert step.authorised
            assert step.responsible in step.authorised
            known.add(step.code)


def test_what_is_promised_is_never_longer_than_what_the_law_allows() -> None:
    for matter in MATTERS:
        assert matter.promised <= matter.statutory or matter.natural
        if matter.rises:
            assert len(matter.desk_days) == len(matter.stages)


def test_registering_real_estate_costs_80_or_550_yuan() -> None:
    fees = {item.name: item.fee_fen for item in catalogue(place("990121")) if item.fee_basis}
    assert fees == {"不动产登记（住宅）": 8_000, "不动产登记（非住宅）": 55_000}
