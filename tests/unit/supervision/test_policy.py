"""Policies override numbers, and pass through the journal as they are."""

from zongheng.v1 import catalogue_pb2

from node.supervision.domains.approval.rules import APPLIED, RULES
from node.supervision.policy import Confirmation, Level, Policy, Setting, Threshold, registered


def rule(name: str):
    return APPLIED.rule(f"approval.{name}")


def test_without_a_policy_the_defaults_hold() -> None:
    assert Policy().thresholds(rule("time.case")) == (
        Threshold(Level.NOTICE, -2, "promised"),
        Threshold(Level.YELLOW, 1, "promised"),
        Threshold(Level.RED, 1, "statutory"),
    )


def test_a_setting_moves_one_threshold_and_leaves_the_others() -> None:
    policy = Policy(settings={"approval.time.case": Setting(notice=-1)})
    assert [one.at_least for one in policy.thresholds(rule("time.case"))] == [-1, 1, 1]


def test_a_level_the_rule_lacks_reads_the_clock_of_the_nearest_it_has() -> None:
    policy = Policy(settings={"approval.time.step": Setting(red=5)})
    assert policy.thresholds(rule("time.step")) == (
        Threshold(Level.YELLOW, 1, "step"),
        Threshold(Level.RED, 5, "step"),
    )


def test_naming_a_level_of_a_fixed_rule_replaces_its_level() -> None:
    policy = Policy(settings={"approval.procedure.same_person": Setting(notice=1)})
    assert policy.thresholds(rule("procedure.same_person")) == (Threshold(Level.NOTICE, 1),)


def test_a_rule_that_is_switched_off_has_no_thresholds() -> None:
    policy = Policy(settings={"approval.time.case": Setting(disabled=True)})
    assert policy.thresholds(rule("time.case")) == ()
    assert not policy.enabled(rule("time.case"))
    assert policy.enabled(rule("time.step"))


def test_cards_wait_for_a_person_and_notices_do_not() -> None:
    policy = Policy(confirmations={Level.RED: Confirmation(False)})
    assert [policy.confirmation(level).required for level in Level] == [False, True, False]


def test_a_policy_comes_out_of_the_journal_as_it_went_in() -> None:
    policy = Policy(
        version=7,
        settings={
            "approval.time.case": Setting(notice=0, yellow=-3, red=2),
            "approval.time.issue": Setting(limit_days=5),
            "of.a.newer.tier": Setting(disabled=True),
        },
        confirmations={Level.YELLOW: Confirmation(False, 0), Level.RED: Confirmation(True, 5)},
        valid_from_us=1_700_000_000_000_000,
    )
    written = policy.to_message().SerializeToString()
    assert Policy.from_message(catalogue_pb2.Policy.FromString(written)) == policy


def test_a_level_nobody_knows_is_left_out() -> None:
    message = catalogue_pb2.Policy(levels=[catalogue_pb2.LevelSetting(confirm=True)])
    assert Policy.from_message(message) == Policy()


def test_built_in_rules_are_entered_as_they_are_applied() -> None:
    entries = {one.rule: one for one in registered(RULES, Policy())}
    assert len(entries) == len(RULES) == len({one.code for one in RULES})
    case = entries["approval.time.case"]
    assert (case.notice, case.yellow, case.red, case.clock) == (-2, 1, 1, "promised statutory")
    step = entries["approval.time.step"]
    assert not step.HasField("red")
    assert all(one.legal_basis and one.text_zh and one.text_en for one in entries.values())


def test_every_rule_fills_in_its_words() -> None:
    values = dict.fromkeys(
        ("due", "over", "lapse_zh", "lapse_en", "code", "nth", "actor", "item", "subject"), "x"
    )
    for one in RULES:
        assert "{" not in one.words.zh.format_map(values)
        assert "{" not in one.words.en.format_map(values)
