"""Ranks, names, and who may be whose parent."""

import pytest

from tiers.tier import Tier, UnknownTier, may_parent, skipped, tier_named


def test_tiers_rank_from_village_to_province() -> None:
    assert sorted(Tier, key=lambda tier: tier.rank) == [
        Tier.VILLAGE,
        Tier.TOWN,
        Tier.COUNTY,
        Tier.CITY,
        Tier.PROVINCE,
    ]


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("village", Tier.VILLAGE),
        ("镇", Tier.TOWN),
        (" County ", Tier.COUNTY),
        ("市", Tier.CITY),
        ("省", Tier.PROVINCE),
    ],
)
def test_a_tier_is_found_by_its_code_or_its_chinese_name(name: str, tier: Tier) -> None:
    assert tier_named(name) is tier


def test_an_unknown_tier_is_refused_with_the_valid_ones_listed() -> None:
    with pytest.raises(UnknownTier, match="'hamlet'") as refusal:
        tier_named("hamlet")
    for tier in Tier:
        assert f"{tier.value} ({tier.zh})" in str(refusal.value)


def test_level_codes_are_those_of_the_exchange_standard() -> None:
    assert {tier.value: tier.level_code for tier in Tier} == {
        "province": 2,
        "city": 3,
        "county": 4,
        "town": 5,
        "village": 6,
    }


@pytest.mark.parametrize("parent", list(Tier))
@pytest.mark.parametrize("child", list(Tier))
def test_a_parent_is_of_any_higher_tier_and_never_of_the_same_or_a_lower_one(
    parent: Tier, child: Tier
) -> None:
    order = ["village", "town", "county", "city", "province"]
    assert may_parent(parent, child) is (order.index(parent) > order.index(child))


def test_skipped_tiers_are_named_lowest_first() -> None:
    assert skipped(Tier.CITY, Tier.VILLAGE) == (Tier.TOWN, Tier.COUNTY)
    assert skipped(Tier.TOWN, Tier.VILLAGE) == ()
    assert skipped(Tier.VILLAGE, Tier.CITY) == ()
