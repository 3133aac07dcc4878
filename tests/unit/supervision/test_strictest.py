"""A policy under mandates from above: the strictest of all holds, rule by rule and threshold by threshold."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.catalogue_pb2 import LIMIT_UNIT_NATURAL_DAY, LIMIT_UNIT_WORKING_DAY, Item, Limit, Step

from node.supervision import loosening
from node.supervision.context import Catalogue
from node.supervision.domains.approval.rules import APPLIED
from node.supervision.policy import Confirmation, Level, Mandate, Policy, Rule, Setting

RULES = ("time.case", "time.step", "procedure.same_person", "time.issue")


def rule(name: str) -> Rule:
    found = APPLIED.rule(f"approval.{name}")
    assert found is not None
    return found


def under(own: Policy, *above: Policy) -> Policy:
    mandates = tuple(Mandate("9900", "9900", policy) for policy in above)
    return Policy(own.version, own.settings, own.confirmations, own.valid_from_us, mandates)


def case(**setting: object) -> Policy:
    return Policy(1, {"approval.time.case": Setting(**setting)})  # type: ignore[arg-type]


def at_least(policy: Policy) -> dict[str, int]:
    return {one.level.word: one.at_least for one in policy.thresholds(rule("time.case"))}


def test_the_earlier_threshold_holds_whoever_named_it() -> None:
    assert at_least(under(case(notice=-5, yellow=3), case(notice=-1, yellow=2))) == {
        "notice": -5,
        "yellow": 2,
        "red": 1,
    }


def test_a_mandate_looser_than_the_default_loosens_nothing() -> None:
    assert at_least(under(Policy(), case(yellow=30))) == {"notice": -2, "yellow": 1, "red": 1}


def test_what_is_mandated_is_not_switched_off_here() -> None:
    off, approval = case(disabled=True), rule("time.case")
    assert under(off).thresholds(approval) == ()
    assert under(off, case(disabled=True)).thresholds(approval) == ()
    assert at_least(under(off, case(yellow=0))) == {"notice": -2, "yellow": 0, "red": 1}
    assert under(off, case()).enabled(approval)


def test_a_rule_switched_off_above_may_be_kept_here() -> None:
    assert at_least(under(case(yellow=0), case(disabled=True)))["yellow"] == 0


def test_of_a_rule_whose_level_is_fixed_the_highest_level_holds() -> None:
    same = rule("procedure.same_person")

    def level(own: int | None, above: int | None) -> Level:
        mine = {} if own is None else {same.code: Setting(**{Level(own).word: 1})}
        theirs = {} if above is None else {same.code: Setting(**{Level(above).word: 1})}
        [only] = under(Policy(1, mine), Policy(1, theirs)).thresholds(same)
        return only.level

    assert level(1, 3) is Level.RED
    assert level(3, 1) is Level.RED


def test_the_shorter_limit_and_the_shorter_wait_hold() -> None:
    late = rule("time.issue")
    own = Policy(1, {late.code: Setting(limit_days=9)}, {Level.RED: Confirmation(True, 5)})
    above = Policy(1, {late.code: Setting(limit_days=4)}, {Level.RED: Confirmation(True, 2)})
    assert under(own, above).limit_days(late) == 4
    assert under(own, above).confirmation(Level.RED) == Confirmation(True, 2)
    assert (
        under(own, Policy(1, {}, {Level.RED: Confirmation(True, 0)})).confirmation(Level.RED).timeout_days
        == 5
    )
    assert not under(own, Policy(1, {}, {Level.RED: Confirmation(False)})).confirmation(Level.RED).required


SETTINGS = st.builds(
    Setting,
    st.booleans(),
    *(st.none() | st.integers(-5, 9) for _ in range(3)),
    st.none() | st.integers(0, 9),
)
CONFIRMATIONS = st.builds(Confirmation, st.booleans(), st.integers(0, 4))
POLICIES = st.builds(
    Policy,
    st.integers(1, 9),
    st.dictionaries(st.sampled_from([f"approval.{name}" for name in RULES]), SETTINGS),
    st.dictionaries(st.sampled_from(list(Level)), CONFIRMATIONS),
)


@given(POLICIES, st.lists(POLICIES, max_size=3))
def test_nothing_is_ever_looser_than_own_or_mandated_and_the_order_of_tiers_does_not_matter(
    own: Policy, above: list[Policy]
) -> None:
    whole = under(own, *above)
    backwards = under(own, *reversed(above))
    for name in RULES:
        one = rule(name)
        held = {threshold.level: threshold.at_least for threshold in whole.thresholds(one)}
        assert whole.thresholds(one) == backwards.thresholds(one)
        assert whole.limit_days(one) == backwards.limit_days(one)
        assert bool(held) == whole.enabled(one)
        for policy in (own, *above):
            setting = policy.settings.get(one.code)
            if setting is None or setting.disabled:
                continue
            assert whole.enabled(one)
            if setting.limit_days is not None:
                assert (whole.limit_days(one) or 0) <= setting.limit_days
            for level, value in setting.named.items():
                if one.fixed:
                    assert max(held) >= level
                else:
                    assert held[level] <= value
    for level in Level:
        waits = whole.confirmation(level).longest
        assert waits == backwards.confirmation(level).longest
        assert all(waits <= p.confirmations[level].longest for p in (own, *above) if level in p.confirmations)


@given(POLICIES, st.lists(POLICIES, max_size=3))
def test_a_policy_that_loosens_nothing_holds_as_it_is_written(own: Policy, above: list[Policy]) -> None:
    whole = under(own, *above)
    if loosening.of_policy(whole):
        return
    for name in RULES:
        one = rule(name)
        setting = own.settings.get(one.code)
        if setting is None or setting.disabled or one.fixed:
            continue
        held = {threshold.level: threshold.at_least for threshold in whole.thresholds(one)}
        for level, value in setting.named.items():
            demanded = [d.named[level] for d in whole.demands(one.code) if level in d.named]
            assert held[level] == min([value, *demanded]) == value


def test_loosening_is_said_in_words_that_name_whose_policy_forbids_it() -> None:
    own = Policy(4, {"approval.time.case": Setting(yellow=3), "approval.time.step": Setting(disabled=True)})
    above = Policy(2, {"approval.time.case": Setting(yellow=1), "approval.time.step": Setting(yellow=1)})
    assert [str(one) for one in loosening.of_policy(under(own, above))] == [
        "approval.time.case.yellow is 3, and 9900:2 from above has 1",
        "approval.time.step.disabled is true, and 9900:2 from above has false",
    ]


def item(
    version: int, days: int, *, required: bool = True, fee: int = 0, unit: int = LIMIT_UNIT_WORKING_DAY
) -> Item:
    return Item(
        code="A-1",
        version=version,
        promised=Limit(amount=days, unit=unit),  # type: ignore[arg-type]
        steps=[Step(code="H", required=required)],
        fee_fen=fee,
        has_fee=fee > 0,
    )


def test_an_own_item_may_be_tighter_than_the_mandated_one_and_not_looser() -> None:
    above = [(1, "9900", item(2, 10))]
    kept, ignored = loosening.merged_items([item(3, 5)], above)
    assert [one.version for one in kept] == [3, 2]
    assert ignored == []
    for loose in (
        item(3, 11),
        item(3, 5, required=False),
        item(3, 5, fee=100),
        item(3, 5, unit=LIMIT_UNIT_NATURAL_DAY),
    ):
        kept, ignored = loosening.merged_items([loose], above)
        assert [one.version for one in kept] == [2]
        assert len(ignored) == 1


def test_of_the_same_version_the_one_from_furthest_above_holds() -> None:
    kept, _ = loosening.merged_items([item(2, 9)], [(2, "99", item(2, 7)), (1, "9900", item(2, 8))])
    assert [one.promised.amount for one in kept] == [7]


def test_an_item_withdrawn_above_is_withdrawn_whatever_the_numbers_of_own_versions_and_they_rule_until_then() -> (
    None
):
    def at(version: int, days: int, from_us: int, *, withdrawn: bool = False) -> Item:
        made = item(version, days)
        made.valid_from_us, made.withdrawn = from_us, withdrawn
        return made

    above = [(1, "9900", item(1, 10)), (1, "9900", at(2, 10, 500, withdrawn=True))]
    kept, ignored = loosening.merged_items([at(2, 5, 100), at(7, 4, 200), at(8, 4, 600)], above)
    assert [(one.version, one.withdrawn) for one in kept] == [(2, False), (7, False), (1, False), (8, True)]
    assert [(one.subject, one.key) for one in ignored] == [("A-1 version 8", "withdrawn")]
    catalogue = Catalogue.of(kept, "")
    codes = pl.Series(["A-1"] * 4)
    found = catalogue.versions_on(codes, pl.Series([20_000] * 4), pl.Series([50, 150, 300, 700]))
    assert [None if one is None else kept[one].version for one in found] == [1, 2, 7, None]
    # Nothing is withdrawn below that is mandated.
    kept, ignored = loosening.merged_items([at(3, 10, 100, withdrawn=True)], [(1, "9900", item(1, 10))])
    assert [(one.version, one.withdrawn) for one in kept] == [(1, False)]
    assert [one.key for one in ignored] == ["withdrawn"]
