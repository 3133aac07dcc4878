"""What a month costs and gives, line by line; longer periods are the mean of their months."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1 import entry_pb2

from node.scoring.card import (
    Card,
    Charge,
    Given,
    Standing,
    mean,
    monthly,
    over_months,
    overtaken,
    ranked,
    with_alerts,
)
from node.scoring.sheet import DEFAULT, POINT

ISSUED, APPEALED, CORRECTED = (
    int(entry_pb2.ALERT_STATE_ISSUED),
    int(entry_pb2.ALERT_STATE_APPEALED),
    int(entry_pb2.ALERT_STATE_CORRECTED),
)
RULES = ("approval.time.case", "approval.fee.unlawful", "openness.display.short", "approval.procedure.order")


def charge(at: int, level: int, rule: str = RULES[0], state: int = ISSUED, case: str = "") -> Charge:
    return Charge(f"a{at}", case or f"c{at}", "case", rule, level, state, at, at, "", at)


def month(charges: Sequence[Charge] = (), given_: Sequence[Given] = (), **figures: int) -> Card:
    superseded = overtaken(charges)
    known = with_alerts(figures, charges, superseded)
    (points,) = DEFAULT.indicators([known])
    return monthly(DEFAULT, known, charges, given_, points, superseded)


def test_the_default_table_is_worth_a_hundred() -> None:
    DEFAULT.check()
    assert sum(DEFAULT.worth.values()) == 100 * POINT
    assert {item: worth // POINT for item, worth in DEFAULT.worth.items()} == {
        "openness": 10, "procedure": 14, "time_limits": 14, "fees": 8, "satisfaction": 10, "attitude": 10,
        "self_inspection": 14, "legal_liability": 10, "integrity": 10,
    }  # fmt: skip


def test_a_yellow_card_costs_five_a_red_one_ten_three_notices_in_a_row_three() -> None:
    card = month([charge(1, 2), charge(2, 3, RULES[3]), charge(3, 1), charge(4, 1), charge(5, 1)], handled=20)
    assert card.total == (100 - 5 - 10 - 3) * POINT
    assert [(line.item, line.why, line.points // POINT, line.alerts) for line in card.lines] == [
        ("procedure", "red", -10, ("a2",)),
        ("time_limits", "yellow", -5, ("a1",)),
        ("time_limits", "notices", -3, ("a3", "a4", "a5")),
    ]


def test_a_card_between_breaks_the_row_of_notices() -> None:
    card = month([charge(1, 1), charge(2, 1), charge(3, 2), charge(4, 1)], handled=20)
    assert [line.why for line in card.lines] == ["yellow"]


def test_a_finding_costs_once_at_its_highest_level_and_again_the_lower_when_that_is_taken_back() -> None:
    both = [charge(1, 2, case="c"), charge(2, 3, case="c")]
    card = month(both, handled=20)
    assert card.total == 90 * POINT
    assert [(back.alert_id, back.state) for back in card.returned] == [("a1", "superseded")]
    corrected = [both[0], charge(2, 3, case="c", state=CORRECTED)]
    card = month(corrected, handled=20)
    assert card.total == 95 * POINT
    assert [(back.alert_id, back.state, back.entry) for back in card.returned] == [("a2", "corrected", 2)]


def test_no_part_goes_below_nothing_and_the_rest_stays() -> None:
    card = month([charge(n, 3, RULES[1]) for n in range(9)], handled=20)
    assert card.parts["fees"] == 0
    assert card.total == 92 * POINT


def test_bonuses_come_by_whole_tens_of_per_cent() -> None:
    def early(n: int) -> int | None:
        return month(handled=20, completed=20, early=n).total

    assert [early(1), early(2), early(3), early(4)] == [10_000, 10_100, 10_100, 10_200]
    assert [month(handled=9, completed=9, promised_cut=cut).total for cut in (29, 30, 39, 40, 100)] == [
        10_000, 10_300, 10_300, 10_400, 11_000,
    ]  # fmt: skip


def test_incomplete_data_costs_one_for_each_per_cent_and_five_at_most() -> None:
    totals = [month(handled=200, completed=200, incomplete=n).total for n in (1, 2, 5, 9, 10, 200)]
    assert totals == [10_000, 9_900, 9_800, 9_600, 9_500, 9_500]


def test_where_nothing_came_in_there_is_no_total() -> None:
    card = month()
    assert card.total is None
    assert set(card.undetermined) >= {"early", "incomplete", "ratings"}
    assert month([charge(1, 2)]).total == 95 * POINT


def test_points_by_hand_and_points_given_back_are_lines_with_their_entries() -> None:
    given_ = [
        Given("attitude", "attitude_by_hand", -250, "态度生硬", 7),
        Given("time_limits", "", 500, "系统故障", 9),
    ]
    card = month([charge(1, 2)], given_, handled=20)
    assert card.total == 9_750
    assert [(line.why, line.entry, line.reason) for line in card.lines[1:]] == [
        ("attitude_by_hand", 7, "态度生硬"),
        ("appeal", 9, "系统故障"),
    ]


def test_ranks_are_within_a_group_and_not_for_a_small_sample() -> None:
    places = ranked(
        [
            Standing("old_fast", "approvals", 1, 11_000),
            Standing("a", "approvals", 10, 9_000),
            Standing("b", "approvals", 30, 9_500),
            Standing("c", "approvals", 30, 9_500),
            Standing("v", "vertical", 12, 8_000),
            Standing("none", "vertical", 12, None),
        ],
        10,
    )
    assert places == {"b": 1, "c": 1, "a": 3, "v": 1}


def test_a_half_year_passes_over_months_in_which_there_was_nothing() -> None:
    half = over_months(
        [month(), month([charge(1, 2)], handled=20), month(), month(handled=3), month(), month()]
    )
    assert (half.total, half.sample) == (9_750, 23)
    assert over_months([month()] * 6).total is None


charges = st.lists(
    st.builds(
        charge,
        st.integers(0, 10_000),
        st.sampled_from([1, 2, 3]),
        st.sampled_from(RULES),
        st.sampled_from([ISSUED, APPEALED, CORRECTED]),
    ),
    max_size=25,
    unique_by=lambda one: one.alert_id,
)
amounts = st.integers(0, 60)


@given(charges, amounts, amounts, amounts, amounts)
def test_nothing_is_below_nothing_and_each_part_is_what_its_lines_come_to(
    held: list[Charge], handled: int, completed: int, early: int, incomplete: int
) -> None:
    card = month(held, handled=handled, completed=completed, early=early, incomplete=incomplete)
    for item, worth in DEFAULT.worth.items():
        lost = sum(line.points for line in card.lines if line.item == item)
        assert card.parts[item] == max(0, min(worth, worth + lost)) >= 0
    assert card.total is None or card.total >= 0
    named = [alert for line in card.lines for alert in line.alerts]
    assert len(named) == len(set(named)), "an alert costs points once"
    assert not {back.alert_id for back in card.returned} & set(named)
    assert (
        month(held[::-1], handled=handled, completed=completed, early=early, incomplete=incomplete).total
        == card.total
    )


@given(charges)
def test_what_findings_cost_adds_up_item_by_item(held: list[Charge]) -> None:
    apart = [[one for one in held if one.rule == rule] for rule in RULES]
    together = month(held, handled=20)
    assert sum(line.points for line in together.lines) == sum(
        line.points for part in apart for line in month(part, handled=20).lines
    )


@given(st.lists(st.one_of(st.none(), st.integers(0, 12_000)), min_size=1, max_size=12))
def test_the_mean_lies_between_its_months(totals: list[int | None]) -> None:
    there = [one for one in totals if one is not None]
    found = mean(totals)
    if not there:
        assert found is None
    else:
        assert found is not None
        assert min(there) <= found <= max(there)
        assert abs(2 * (found * len(there) - sum(there))) <= len(there)
