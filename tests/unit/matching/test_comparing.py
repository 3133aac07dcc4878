"""Each rule of the matching beside rows that raise it and rows that just do not, and those whom nothing may be said about."""

from collections.abc import Sequence
from itertools import count
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from node.matching.comparing import COMMON, Match, of_bidder, of_payee, of_tender
from node.matching.rules import BY_CODE, CEILING, COMPETING, DECEASED, NEAR, RULES, SAME, TWICE
from node.store.linkage import LinkRow

OWN, EAST, WEST, VILLAGE = "990102", "990102001", "990102002", "990102001001"
DAY = 86_400_000_000
_serial = count()


def branch(node: str) -> str:
    return EAST if node == VILLAGE else node


def row(
    origin: str, role: str = "person", token: str = "t", group: str = "G/2026", day: int = 0, **more: object
) -> LinkRow:
    idx = next(_serial)
    base = LinkRow(
        "990102/payee/1",
        token,
        role,
        origin,
        idx,
        f"c-{idx}",
        group,
        "",
        f"p-{origin}",
        day * DAY,
        100,
        "A",
        "S1",
    )
    return base._replace(**more)


def payee(*rows: LinkRow, ceilings: dict[str, int] | None = None) -> set[tuple[str, str, int]]:
    return told(of_payee(OWN, rows, branch, ceilings or {}))


def told(matches: Sequence[Match]) -> set[tuple[str, str, int]]:
    return {(match.rule, match.subject, match.measure) for match in matches}


def test_one_payee_at_two_nodes_in_one_programme_and_period() -> None:
    assert payee(row(EAST), row(WEST)) == {(TWICE, "payee:G/2026", 2)}
    assert payee(row(EAST), row(WEST, group="G/2027")) == set()
    assert payee(row(EAST), row(WEST, group="H/2026")) == set()


def test_who_states_no_programme_is_compared_with_nobody() -> None:
    assert payee(row(EAST, group=""), row(WEST, group="")) == set()


def test_what_lies_below_one_child_or_all_at_home_is_not_for_here() -> None:
    assert payee(row(EAST), row(VILLAGE)) == set()
    assert payee(row(OWN), row(OWN)) == set()
    assert payee(row(OWN), row(VILLAGE)) == {(TWICE, "payee:G/2026", 2)}


def test_a_payment_that_came_back_does_not_count_and_one_sent_again_does() -> None:
    paid = row(EAST, case_id="c", amount=100)
    back = row(EAST, case_id="c", amount=-100, day=1)
    assert payee(paid, back, row(WEST)) == set()
    again = row(EAST, case_id="c", amount=100, day=2)
    assert payee(paid, back, again, row(WEST)) == {(TWICE, "payee:G/2026", 2)}


def test_one_payment_that_two_nodes_tell_of_is_one() -> None:
    assert payee(row(EAST, case_id="c"), row(WEST, case_id="c")) == set()


def test_paid_after_death() -> None:
    died = row(OWN, role="deaths", group="", day=100)
    assert payee(died, row(EAST, day=100)) == set()
    assert payee(died, row(EAST, day=101)) == {(DECEASED, "payee:deceased", 1)}
    assert payee(died, row(EAST, day=90), row(EAST, day=133, group="H")) == {(DECEASED, "payee:deceased", 33)}
    # Where both are below one child, that child finds it.
    assert payee(row(EAST, role="deaths", day=100), row(EAST, day=140)) == set()
    assert payee(row(OWN, role="deaths", day=100), row(OWN, day=140)) == {(DECEASED, "payee:deceased", 40)}


def test_a_household_above_its_ceiling() -> None:
    rows = [row(EAST, role="household", amount=600), row(WEST, role="household", amount=401)]
    assert payee(*rows, ceilings={"G": 1_000}) == {(CEILING, "household:G/2026", 101)}
    assert payee(*rows, ceilings={}) == set()
    exact = [rows[0], rows[1]._replace(amount=400)]
    (match,) = of_payee(OWN, exact, branch, {"G": 1_000})
    assert match.measure < BY_CODE[CEILING].thresholds[0].at_least


def bid(party: str, role: str, token: str, tender: str = "T1", origin: str = OWN) -> LinkRow:
    return row(origin, role=role, token=token, group=tender, party=party, key="990102/bidder/1")


def tender(*rows: LinkRow) -> set[tuple[str, str, int]]:
    return told(of_tender(OWN, "990102/bidder/1", "T1", rows, branch))


def test_bidders_of_one_tender_with_one_hand() -> None:
    rows = [bid("a", "representative", "r"), bid("b", "representative", "r"), bid("c", "representative", "s")]
    assert tender(*rows) == {(SAME, "tender:T1", 2)}
    assert tender(rows[0], rows[2]) == set()
    # Two of them by the account, and so all three hang together.
    assert tender(*rows, bid("b", "account", "x"), bid("c", "account", "x")) == {(SAME, "tender:T1", 3)}


def test_one_address_is_less_than_one_hand() -> None:
    near = [bid("a", "address", "x"), bid("b", "address", "x")]
    assert tender(*near) == {(NEAR, "tender:T1", 2)}
    assert tender(near[0], near[1]._replace(party="a")) == set()
    assert tender(*near, bid("a", "guarantee", "g"), bid("b", "guarantee", "g")) == {(SAME, "tender:T1", 2)}


def test_a_tender_below_is_its_own_nodes_matter() -> None:
    assert tender(*(bid(party, "phone", "x", origin=EAST) for party in "ab")) == set()


def test_what_half_the_town_shares_tells_nothing() -> None:
    rows = [bid(f"p{n}", "address", "x") for n in range(COMMON + 1)]
    assert tender(*rows) == set()
    assert tender(*rows[:COMMON]) == {(NEAR, "tender:T1", COMMON)}


def bidder(*rows: LinkRow) -> set[tuple[str, str, int]]:
    return told(of_bidder(OWN, "990102/bidder/1", "a", rows, branch))


def test_two_who_compete_in_one_town_and_belong_together_by_another() -> None:
    shown = [bid("a", "representative", "r", "T8", WEST), bid("b", "representative", "r", "T9", WEST)]
    competed = [bid("a", "company", "a", "T1", EAST), bid("b", "company", "b", "T1", EAST)]
    assert bidder(*shown, *competed) == {(COMPETING, "bidders", 1)}
    # One person may lead two companies, as long as they do not bid against each other.
    assert bidder(*shown, competed[0]) == set()
    # All of it in one town is that town's.
    at_west = [one._replace(origin=WEST) for one in competed]
    assert bidder(*shown, *at_west) == set()


def test_a_tender_that_shows_it_itself_is_not_found_twice() -> None:
    rows = [
        bid("a", "representative", "r"),
        bid("b", "representative", "r"),
        bid("a", "company", "a"),
        bid("b", "company", "b"),
    ]
    assert bidder(*rows) == set()


def test_every_rule_is_tried_here() -> None:
    assert {rule.code for rule in RULES} == {TWICE, DECEASED, CEILING, SAME, NEAR, COMPETING}


_rows = st.lists(
    st.builds(
        lambda origin, role, group, day, amount, case: row(
            origin, role=role, group=group, day=day, amount=amount, case_id=case, idx=0
        ),
        st.sampled_from([OWN, EAST, WEST, VILLAGE]),
        st.sampled_from(["person", "deaths"]),
        st.sampled_from(["G/2026", "H/2026", ""]),
        st.integers(0, 200),
        st.sampled_from([100, 200, -100]),
        st.sampled_from(["c", "d", "e"]),
    ),
    max_size=8,
)


@given(_rows, st.randoms(use_true_random=False))
def test_what_is_found_does_not_depend_on_the_order_in_which_it_was_read(
    rows: list[LinkRow], shuffle: Random
) -> None:
    rows = [one._replace(idx=at) for at, one in enumerate(rows)]
    other = list(rows)
    shuffle.shuffle(other)
    assert payee(*rows) == payee(*other)


@given(_rows)
def test_nobody_below_one_child_is_accused_here(rows: list[LinkRow]) -> None:
    below = [one._replace(origin=EAST if one.origin == OWN else VILLAGE) for one in rows]
    assert payee(*below) == set()
