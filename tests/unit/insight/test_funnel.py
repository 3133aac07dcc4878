"""Who stands out among comparable ones: known tails, limits that widen with a small sample, and nobody accused by chance."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from node.insight.funnel import LEAST_MEMBERS, Funnel, Member, funnel, surprise


def alike(count: int = 6, of: int = 100) -> list[Member]:
    return [Member(f"m{at}", of // 10, of) for at in range(count)]


def placed(found: Funnel | None, name: str) -> tuple[str, bool]:
    assert found is not None
    (one,) = [one for one in found.placed if one.name == name]
    return one.verdict, one.sampled


def test_a_surprise_is_the_tail_of_the_exact_distribution() -> None:
    # Of 10 at 0.5: P(X ≥ 9) − P(X = 9)/2 = 11/1024 − 5/1024 = 6/1024; z = 2.5205.
    assert round(surprise(Member("a", 9, 10), 0.5, "share"), 4) == 2.5205
    assert round(surprise(Member("a", 1, 10), 0.5, "share"), 4) == -2.5205
    # Poisson 2: P(X ≥ 6) − P(X = 6)/2 = 0.016564 − 0.006015 = 0.010549; z = 2.3060.
    assert round(surprise(Member("a", 6, 100), 0.02, "rate"), 3) == 2.306
    assert abs(surprise(Member("a", 5_000, 10_000), 0.5, "share")) < 1e-9


def test_the_same_share_stands_out_in_a_large_sample_and_not_in_a_small_one() -> None:
    village, town = Member("village", 4, 8), Member("town", 400, 800)
    found = funnel([*alike(), village, town], minimum=5, kind="share")
    assert placed(found, "town") == ("high", True)
    assert placed(found, "village") == ("", True)
    few = funnel([*alike(), Member("hamlet", 3, 3)], minimum=5, kind="share")
    assert placed(few, "hamlet") == ("", False)


def test_one_bad_member_makes_no_other_look_good() -> None:
    found = funnel([*alike(7), Member("bad", 90, 100)], minimum=20, kind="share")
    assert found is not None
    assert round(found.common, 3) == 0.1
    assert {one.name: one.verdict for one in found.placed if one.verdict} == {"bad": "high"}


def test_who_is_far_better_is_named_too() -> None:
    found = funnel(
        [*(Member(f"m{at}", 300, 1_000) for at in range(6)), Member("best", 50, 1_000)], 20, "share"
    )
    assert placed(found, "best") == ("low", True)


def test_where_all_differ_the_limits_widen() -> None:
    counts = (50, 90, 130, 170, 210, 250, 290)
    found = funnel([Member(f"m{count}", count, 1_000) for count in counts], 20, "share")
    assert found is not None
    assert found.spread > 2
    assert not any(one.verdict for one in found.placed)


def test_with_too_few_to_compare_with_nothing_is_said() -> None:
    assert funnel(alike(LEAST_MEMBERS - 1), 20, "share") is None
    assert funnel([*alike(LEAST_MEMBERS - 1), Member("small", 9, 10)], 20, "share") is None


def test_of_thousands_of_villages_that_are_all_alike_hardly_ever_is_one_accused() -> None:
    """Sixty quarters of 400 villages with five to sixty cases each, one in ten late everywhere."""
    chance = Random(20_240_401)
    accused = 0
    for _ in range(60):
        villages = []
        for at in range(400):
            of = chance.randint(5, 60)
            villages.append(Member(f"v{at}", sum(chance.random() < 0.1 for _ in range(of)), of))
        found = funnel(villages, 20, "share")
        assert found is not None
        accused += any(one.verdict for one in found.placed)
    # One list in ten is what is aimed at; sixteen of sixty would come with a chance of one in ten thousand.
    assert accused < 16


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=4, max_size=12),
    st.sampled_from(["share", "rate"]),
)
def test_limits_hold_what_is_not_named_and_order_changes_nothing(
    pairs: list[tuple[int, int]], kind: str
) -> None:
    members = [Member(f"m{at}", min(pair), max(pair)) for at, pair in enumerate(pairs)]
    found = funnel(members, 5, kind)  # type: ignore[arg-type]
    again = funnel(list(reversed(members)), 5, kind)  # type: ignore[arg-type]
    if found is None or again is None:
        assert found is again
        return
    assert {one.name: one.verdict for one in found.placed} == {one.name: one.verdict for one in again.placed}
    for one in found.placed:
        assert 0 <= one.low <= one.high + 1
        if one.sampled and found.common not in (0.0, 1.0):
            assert (one.verdict == "high") == (one.count > one.high)
            assert (one.verdict == "low") == (one.count < one.low)


@given(st.integers(0, 300), st.integers(1, 300), st.floats(0.01, 0.99))
def test_more_is_never_less_surprising(count: int, of: int, common: float) -> None:
    count = min(count, of - 1)
    assert surprise(Member("a", count, of), common, "share") <= surprise(
        Member("a", count + 1, of), common, "share"
    )
