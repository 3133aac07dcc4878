"""Joint handling, urging, extensions and items listed wrongly: each rule beside a case that breaks it and one that just does not.

2024-03-01 was a Friday; 4 to 6 April and 1 to 5 May 2024 were holidays, 7 and 28 April and 11 May working days.
"""

import pytest
from zongheng.v1 import catalogue_pb2

from node.supervision.domains.approval import listing

YELLOW, RED = 2, 3


def accepted(story):
    return (
        story()
        .then("2024-03-01 09:00", "application", channel="window")
        .then("2024-03-01 10:00", "acceptance")
    )


def asked(story, **limits):
    return accepted(story).then("2024-03-01 11:00", "joint_asked", joint=1, to_agency="HJ", **limits)


@pytest.mark.parametrize(
    ("completed", "extension", "levels"),
    [
        ("2024-05-08 17:00", 0, set()),  # the forty-fifth working day
        ("2024-05-09 09:00", 0, {RED}),
        ("2024-05-28 17:00", 15, set()),
        ("2024-05-29 09:00", 15, {RED}),
    ],
)
def test_joint_handling_has_forty_five_working_days_and_fifteen_more(
    story, judge, found, completed, extension, levels
) -> None:
    told = asked(story)
    if extension:
        told.then("2024-04-01 09:00", "pause", kind="extension", granted_days=extension, approver="县长")
    told.then(completed, "completion", result="issued")
    assert found(judge(told), "time.joint") == {("case", level) for level in levels}


def test_a_case_handled_alone_has_no_joint_clock(story, judge, counted) -> None:
    assert counted(judge(accepted(story)), "time.joint") == (0, 0)


@pytest.mark.parametrize(
    ("answered", "limits", "late"),
    [
        ("2024-03-22 17:00", {}, False),  # the fifteenth working day
        ("2024-03-25 09:00", {}, True),
        ("2024-03-06 17:00", {"limit_days": 3}, False),
        ("2024-03-07 09:00", {"limit_days": 3}, True),
    ],
)
def test_each_joint_agency_has_a_share_of_its_own(story, judge, found, answered, limits, late) -> None:
    told = asked(story, **limits).then(answered, "joint_answered", "H9", joint=1, outcome="passed")
    assert found(judge(told), "time.share") == ({("share:1", YELLOW)} if late else set())


def test_the_share_of_one_agency_is_not_anothers(story, judge, found) -> None:
    told = (
        asked(story, limit_days=3)
        .then("2024-03-01 11:30", "joint_asked", joint=2, to_agency="ZJ", limit_days=3)
        .then("2024-03-05 09:00", "joint_answered", joint=2)
    )
    judged = judge(told, as_of="2024-03-08 09:00")
    assert found(judged, "time.share") == {("share:1", YELLOW)}
    late = judged.findings.filter(judged.findings["rule"] == "approval.time.share")
    assert late["agency"].to_list() == ["HJ"]


@pytest.mark.parametrize("by", ["urge_answered", "step", "completion"])
def test_an_urging_is_answered_in_three_days_by_word_or_deed(story, judge, found, by) -> None:
    def answered(at: str):
        return accepted(story).then("2024-03-04 09:00", "urged", "S1").then(at, by, "H1")

    assert found(judge(answered("2024-03-07 17:00")), "time.urge") == set()
    assert found(judge(answered("2024-03-08 09:00")), "time.urge") == {("urge:1", YELLOW)}


def test_an_urging_may_state_its_own_days(story, judge, found) -> None:
    told = accepted(story).then("2024-03-04 09:00", "urged", "S1", within_days=1)
    assert found(judge(told, as_of="2024-03-05 17:00"), "time.urge") == set()
    assert found(judge(told, as_of="2024-03-06 09:00"), "time.urge") == {("urge:1", YELLOW)}


def test_the_third_urging_is_one_too_many(story, judge, found) -> None:
    told = accepted(story).then("2024-03-04 09:00", "urged").then("2024-03-05 09:00", "urged")
    assert found(judge(told), "urge.repeated") == set()
    assert found(judge(told.then("2024-03-06 09:00", "urged")), "urge.repeated") == {("urge:3", YELLOW)}


@pytest.mark.parametrize(("joint", "lawful"), [(False, 10), (True, 15)])
def test_an_extension_is_no_longer_than_the_law_allows(story, judge, found, joint, lawful) -> None:
    def extended(days: int):
        told = asked(story) if joint else accepted(story)
        return told.then("2024-03-04 09:00", "pause", kind="extension", granted_days=days)

    assert found(judge(extended(lawful)), "extension.long") == set()
    assert found(judge(extended(lawful + 1)), "extension.long") == {("case", YELLOW)}


def test_a_certificate_later_than_the_laws_ten_days_is_red(story, judge, found) -> None:
    def collected(at: str):
        return accepted(story).then("2024-03-08 09:00", "completion", result="issued").then(at, "certified")

    assert found(judge(collected("2024-03-22 17:00")), "time.issue") == {("case", YELLOW)}
    assert found(judge(collected("2024-03-25 09:00")), "time.issue") == {("case", YELLOW), ("case", RED)}


LISTED = [
    ("limit", {"statutory": 21}, {"statutory": 20}),
    ("promise", {"statutory": 10, "promised": 11}, {"statutory": 10, "promised": 10}),
    ("fee", {"fee_fen": 100, "has_fee": True}, {"fee_fen": 100, "has_fee": True, "fee_basis": "发改价格规"}),
    ("procedure", {"special_procedures": ["notice"]}, {"special_procedures": ["testing", "extension"]}),
    ("procedure", {"special_procedures": ["notice"]}, {"special_procedures": ["notice"], "legal_basis": "法 §1"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "wrong", "right"), LISTED)
def test_an_item_listed_against_the_law_is_found_in_its_cases_and_before_any(
    story, judge, item, found, name, wrong, right
) -> None:
    for listed, at_fault in ((item(**wrong), True), (item(**right), False)):
        judged = judge(accepted(story), items=[listed])
        assert found(judged, f"listing.{name}") == ({("case", YELLOW)} if at_fault else set())
        assert (f"listed_{name}" in listing.faults(listed)) is at_fault


def test_a_limit_that_names_its_law_may_be_longer(story, judge, item, found) -> None:
    listed = item(statutory=30)
    listed.statutory.legal_basis = "不动产登记暂行条例 §20"
    assert found(judge(accepted(story), items=[listed]), "listing.limit") == set()


def test_natural_days_are_not_measured_against_working_days(story, judge, item, counted) -> None:
    natural = catalogue_pb2.LIMIT_UNIT_NATURAL_DAY
    longer, shorter = (item(statutory=days, promised=None, unit=natural) for days in (21, 20))
    assert counted(judge(accepted(story), items=[longer]), "listing.limit") == (0, 1)
    assert counted(judge(accepted(story), items=[shorter]), "listing.limit") == (1, 0)
