"""Each rule of directives beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of, subjects

ISSUED = "2024-03-01 issued issuer=leader due_day=2024-03-29 lead=AG\n2024-03-04 signed\n"
DONE = ISSUED + "2024-03-28 feedback by=F1\n"
PLANNED = ISSUED + "2024-03-05 planned milestone=M1 due_day=2024-03-15\n"

PAIRS = {
    "time.sign": Pair(
        "yellow", "2024-03-01 issued\n2024-03-05 signed", "2024-03-01 issued\n2024-03-04 signed"
    ),
    "time.whole": Pair("red", ISSUED + "2024-03-30 feedback", ISSUED + "2024-03-29 feedback"),
    "time.milestone": Pair(
        "yellow", PLANNED + "2024-03-16 reached milestone=M1", PLANNED + "2024-03-15 reached milestone=M1"
    ),
    # Thirty days after 4 March are 3 April.
    "time.progress": Pair("yellow", ISSUED, ISSUED + "2024-04-03 progress", as_of="2024-04-04"),
    "quality.poor": Pair(
        "yellow", DONE + "2024-03-29 reviewed outcome=poor", DONE + "2024-03-29 reviewed outcome=fair"
    ),
    "extension.late": Pair(
        "yellow", ISSUED + "2024-03-30 extension_asked", ISSUED + "2024-03-29 extension_asked"
    ),
    "extension.repeated": Pair(
        "yellow",
        ISSUED
        + "2024-03-20 extended due_day=2024-04-10 approver=L\n2024-04-01 extended due_day=2024-04-20 approver=L",
        ISSUED + "2024-03-20 extended due_day=2024-04-10 approver=L",
    ),
    "extension.approver": Pair(
        "yellow",
        ISSUED + "2024-03-20 extended due_day=2024-04-10",
        ISSUED + "2024-03-20 extended due_day=2024-04-10 approver=L",
    ),
    "procedure.review": Pair(
        "yellow", DONE + "2024-03-29 closed", DONE + "2024-03-28T12:00 reviewed by=R1\n2024-03-29 closed"
    ),
    "duty.same_person": Pair(
        "yellow", DONE + "2024-03-29 reviewed by=F1", DONE + "2024-03-29 reviewed by=R1"
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 issued entered=2024-03-05", "2024-03-01 issued entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("directive", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("directive")


def test_blue_before_the_day_and_red_after_it() -> None:
    levels = {
        day: raised(judged("directive", ISSUED, as_of=day)).get("time.whole")
        for day in ("2024-03-25", "2024-03-26", "2024-03-30")
    }
    assert levels == {"2024-03-25": None, "2024-03-26": {"notice"}, "2024-03-30": {"notice", "red"}}


def test_an_extension_moves_the_day() -> None:
    told = ISSUED + "2024-03-20 extended due_day=2024-04-10 approver=L\n2024-04-10 feedback"
    assert "red" not in raised(judged("directive", told)).get("time.whole", set())


def test_what_was_sent_back_is_not_done() -> None:
    assert "red" in raised(judged("directive", DONE + "2024-03-29 sent_back"))["time.whole"]


def test_a_milestone_is_named_in_its_finding() -> None:
    assert subjects(judged("directive", PLANNED), "time.milestone") == {("n-1", "milestone:M1#1")}
