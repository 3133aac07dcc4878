"""How long the steps of an alert may take under a policy and what is mandated above it: the strictest of all, whatever comes together."""

from hypothesis import given
from hypothesis import strategies as st

from node.supervision import loosening
from node.supervision.policy import Level, Mandate, Policy
from node.supervision.terms import NAMES, RIGHTS, Terms

DEADLINES = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 30))


def under(own: dict[str, int], *above: dict[str, int]) -> Policy:
    mandates = tuple(
        Mandate("9900", f"99{at}", Policy(at + 1, deadlines=one)) for at, one in enumerate(above)
    )
    return Policy(7, deadlines=own, mandates=mandates)


def days(policy: Policy) -> dict[str, int]:
    return {name: getattr(policy.terms, name) for name in NAMES}


def test_without_a_policy_the_defaults_hold() -> None:
    assert days(Policy()) == {
        "confirm_days": 3, "reply_days": 3, "review_days": 5, "appeal_days": 5, "decide_days": 5, "escalated_days": 5,
    }  # fmt: skip


def test_a_policy_names_its_version_and_the_mandates_that_applied() -> None:
    terms = under({"reply_days": 2}, {"decide_days": 4}).terms
    assert (terms.reply_days, terms.decide_days, terms.policy_version, terms.mandates) == (
        2, 4, 7, "9900>990:1",
    )  # fmt: skip


@given(DEADLINES, st.lists(DEADLINES, max_size=3))
def test_what_is_mandated_is_never_loosened_and_an_appeal_never_shortened(
    own: dict[str, int], above: list[dict[str, int]]
) -> None:
    held, alone = days(under(own, *above)), days(under(own))
    for name in NAMES:
        asked = [alone[name], *(one[name] for one in above if name in one)]
        assert held[name] == (max if name in RIGHTS else min)(asked)
    # In whatever order they came, and however often.
    assert held == days(under(own, *reversed(above), *above))


@given(DEADLINES, DEADLINES)
def test_publishing_says_what_is_looser_and_nothing_else(own: dict[str, int], above: dict[str, int]) -> None:
    found = {one.key: one for one in loosening.of_policy(under(own, above))}
    looser = {
        name
        for name in own.keys() & above.keys()
        if (own[name] < above[name] if name in RIGHTS else own[name] > above[name])
    }
    assert found.keys() == looser
    held = days(under(own, above))
    assert all(held[name] == own[name] for name in own.keys() - looser if name in above)


def test_a_card_that_is_issued_by_itself_sooner_is_confirmed_sooner() -> None:
    assert Terms(timeouts={2: 1}).confirmation(2) == 1
    assert Terms(timeouts={2: 1}).confirmation(3) == 3
    assert Terms(confirm_days=2, timeouts={3: 9}).confirmation(3) == 2


def test_more_people_may_be_told_than_is_mandated_and_never_fewer() -> None:
    above = Mandate("9900", "9900", Policy(1, audiences={Level.RED: frozenset({"leader", "supervisor"})}))
    own = Policy(1, audiences={Level.RED: frozenset({"officer"})}, mandates=(above,))
    assert own.told(Level.RED, ()) == {"officer", "leader", "supervisor"}
    assert own.told(Level.YELLOW, ("officer",)) == {"officer"}
    (loose,) = loosening.of_policy(own)
    assert (loose.subject, loose.key, loose.mandated) == ("red", "told", "leader supervisor")


@given(
    DEADLINES,
    st.dictionaries(
        st.sampled_from(list(Level)), st.frozensets(st.sampled_from(["leader", "officer"]), min_size=1)
    ),
)
def test_the_journal_form_says_the_same(own: dict[str, int], told: dict[Level, frozenset[str]]) -> None:
    policy = Policy(3, deadlines=own, audiences=told)
    again = Policy.from_message(policy.to_message())
    assert (again.deadlines, again.audiences) == (own, told)
