"""What a division code tells, what it refuses, and what is only worth a warning."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiers.division import Division, MalformedDivision, UnfitParent, doubts, doubts_about_parent
from tiers.tier import Tier

PROVINCE, CITY, COUNTY = Division("990000"), Division("990100"), Division("990102")
TOWN, VILLAGE = Division("990102003"), Division("990102003004")
CHAIN = (PROVINCE, CITY, COUNTY, TOWN, VILLAGE)


@pytest.mark.parametrize(
    ("division", "tier"),
    [
        (PROVINCE, Tier.PROVINCE),
        (CITY, Tier.CITY),
        (COUNTY, Tier.COUNTY),
        (TOWN, Tier.TOWN),
        (VILLAGE, Tier.VILLAGE),
        (Division("99KFQ01"), None),
    ],
)
def test_a_code_tells_the_tier_it_is_made_for(division: Division, tier: Tier | None) -> None:
    assert division.tier is tier


def test_a_node_is_named_by_its_division_code() -> None:
    assert VILLAGE.node_id == "990102003004"


@pytest.mark.parametrize(
    "text", ["", "9", "99-01", "990102/3", "99o102", "九九", "9" * 25, " 990102", "９９０１０２"]
)
def test_a_text_that_could_not_name_a_node_is_refused(text: str) -> None:
    with pytest.raises(MalformedDivision, match="not a division code"):
        Division(text)


@pytest.mark.parametrize(
    ("long", "short"), [("990102000000", "990102"), ("990102000", "990102"), ("990102003000", "990102003")]
)
def test_a_code_filled_up_with_zeros_is_refused_so_that_no_node_has_two_names(long: str, short: str) -> None:
    with pytest.raises(MalformedDivision, match=f"write {short}$"):
        Division(long)


def test_every_division_lies_inside_all_those_above_it_and_in_none_below() -> None:
    for above, outer in enumerate(CHAIN):
        for below, inner in enumerate(CHAIN):
            assert outer.contains(inner) is (above < below)


def test_a_sibling_does_not_contain_what_lies_in_its_neighbour() -> None:
    assert Division("990200").contains(COUNTY) is False
    assert Division("990103").contains(TOWN) is False
    assert Division("990102004").contains(VILLAGE) is False


def test_a_town_straight_under_a_city_without_counties_lies_inside_the_city() -> None:
    assert CITY.contains(Division("990100003")) is True


def test_a_code_that_is_not_statutory_does_not_tell_where_it_lies() -> None:
    assert CITY.contains(Division("99KFQ01")) is None
    assert Division("99KFQ01").contains(TOWN) is None


def test_only_codes_starting_with_99_are_made_up() -> None:
    assert COUNTY.made_up
    assert not Division("331024").made_up


@pytest.mark.parametrize(
    ("division", "tier"), [(PROVINCE, Tier.PROVINCE), (COUNTY, Tier.COUNTY), (VILLAGE, Tier.VILLAGE)]
)
def test_a_code_that_fits_its_tier_raises_no_doubt(division: Division, tier: Tier) -> None:
    assert doubts(division, tier) == ()


def test_a_code_of_another_tiers_form_is_a_warning() -> None:
    assert doubts(COUNTY, Tier.TOWN) == ("990102 has the form of a county's code, not of a town's",)


def test_a_development_zone_without_a_statutory_code_is_a_warning() -> None:
    (doubt,) = doubts(Division("99KFQ01"), Tier.COUNTY)
    assert "not a statutory division code" in doubt


def test_a_parent_directly_above_whose_code_contains_the_childs_raises_no_doubt() -> None:
    assert doubts_about_parent(TOWN, Tier.TOWN, COUNTY, Tier.COUNTY) == ()


def test_skipped_tiers_and_a_foreign_parent_are_warnings() -> None:
    assert doubts_about_parent(TOWN, Tier.TOWN, CITY, Tier.CITY) == (
        "no county between 990102003 and its parent 990100",
    )
    assert doubts_about_parent(VILLAGE, Tier.VILLAGE, Division("990200"), Tier.CITY) == (
        "no town and no county between 990102003004 and its parent 990200",
        "by its code, 990102003004 does not lie inside 990200",
    )


def test_a_zone_under_a_city_is_accepted_without_judging_its_code() -> None:
    assert doubts_about_parent(Division("99KFQ01"), Tier.COUNTY, CITY, Tier.CITY) == ()


def test_a_parent_of_the_same_or_a_lower_tier_is_refused() -> None:
    with pytest.raises(UnfitParent, match="a parent is of a higher tier"):
        doubts_about_parent(COUNTY, Tier.COUNTY, Division("990103"), Tier.COUNTY)
    with pytest.raises(UnfitParent, match="a parent is of a higher tier"):
        doubts_about_parent(CITY, Tier.CITY, TOWN, Tier.TOWN)


def test_a_node_is_not_its_own_parent() -> None:
    with pytest.raises(UnfitParent, match="its own parent"):
        doubts_about_parent(COUNTY, Tier.TOWN, COUNTY, Tier.COUNTY)


_STATUTORY = st.one_of(
    st.from_regex(r"[0-9]{6}", fullmatch=True), st.from_regex(r"[0-9]{9}([0-9]{3})?", fullmatch=True)
)


def _written(code: str) -> Division | None:
    try:
        return Division(code)
    except MalformedDivision:
        return None


@given(_STATUTORY, _STATUTORY)
def test_no_two_divisions_lie_inside_each_other_and_what_is_inside_is_of_a_lower_tier(
    one: str, other: str
) -> None:
    outer, inner = _written(one), _written(other)
    if outer is None or inner is None or not outer.contains(inner):
        return
    assert inner.contains(outer) is False
    assert outer.tier is not None
    assert inner.tier is not None
    assert outer.tier.rank > inner.tier.rank


@given(st.lists(st.integers(1, 99), min_size=3, max_size=3), st.integers(1, 999), st.integers(1, 999))
def test_what_is_built_out_of_a_division_lies_inside_it(parts: list[int], town: int, village: int) -> None:
    first, second, third = (f"{part:02}" for part in parts)
    county = first + second + third
    chain = [
        first + "0000",
        first + second + "00",
        county,
        f"{county}{town:03}",
        f"{county}{town:03}{village:03}",
    ]
    for outer, inner in pairwise(chain):
        assert Division(outer).contains(Division(inner)) is True
