"""Each rule of investment beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of

FEASIBLE = "2023-06-01 proposed\n2023-07-03 feasible amount=1000\n"
DESIGNED = FEASIBLE + "2023-08-01 designed amount=1100 due_day=2024-03-29\n"
STARTED = DESIGNED + "2023-09-01 permitted\n2023-09-04 started\n"
ACCEPTED = STARTED + "2024-02-01 completed\n2024-03-01 accepted outcome=passed\n"

PAIRS = {
    "time.completion": Pair("yellow", STARTED + "2024-03-30 completed", STARTED + "2024-03-29 completed"),
    "time.milestone": Pair(
        "yellow",
        STARTED + "2023-09-05 planned milestone=M1 due_day=2024-01-15\n2024-01-16 reached milestone=M1",
        STARTED + "2023-09-05 planned milestone=M1 due_day=2024-01-15\n2024-01-15 reached milestone=M1",
    ),
    # 365 days after Monday 3 April 2023 are Tuesday 2 April 2024.
    "time.start": Pair(
        "yellow",
        "2023-04-03 designed amount=9\n2024-04-03 started",
        "2023-04-03 designed amount=9\n2024-04-02 started",
    ),
    "time.record": Pair("yellow", ACCEPTED + "2024-03-19 recorded", ACCEPTED + "2024-03-18 recorded"),
    "time.accounts": Pair(
        "yellow", ACCEPTED + "2024-06-04 accounted amount=9", ACCEPTED + "2024-06-03 accounted amount=9"
    ),
    "procedure.feasibility": Pair("yellow", "2023-08-01 designed amount=9", DESIGNED),
    "procedure.permit": Pair("red", DESIGNED + "2023-09-04 started", STARTED),
    "procedure.acceptance": Pair(
        "red", STARTED + "2024-03-05 transferred", ACCEPTED + "2024-03-05 transferred"
    ),
    "procedure.order": Pair(
        "yellow", FEASIBLE + "2023-07-20 permitted\n2023-07-31 started\n2023-08-01 designed amount=9", STARTED
    ),
    "amount.estimate": Pair("yellow", DESIGNED.replace("=1100", "=1101"), DESIGNED),
    "amount.budget": Pair(
        "red", STARTED + "2024-01-05 paid amount=1101", STARTED + "2024-01-05 paid amount=1100"
    ),
    "amount.accounts": Pair(
        "red", ACCEPTED + "2024-04-01 accounted amount=1101", ACCEPTED + "2024-04-01 accounted amount=1100"
    ),
    "change.approver": Pair(
        "yellow", STARTED + "2024-01-05 changed amount=9", STARTED + "2024-01-05 changed amount=9 approver=L1"
    ),
    "change.total": Pair(
        "yellow",
        STARTED + "2024-01-05 changed amount=111 approver=L1",
        STARTED + "2024-01-05 changed amount=110 approver=L1",
    ),
    "duty.same_person": Pair(
        "yellow",
        STARTED + "2024-01-05 paid amount=9 approver=W1",
        STARTED + "2024-01-05 paid amount=9 approver=W2",
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 proposed entered=2024-03-05", "2024-03-01 proposed entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("investment", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("investment")


def test_an_adjusted_budget_is_the_budget() -> None:
    told = (
        STARTED
        + "2024-01-04 adjusted amount=2000\n2024-01-05 paid amount=1900\n2024-01-06 changed amount=500 approver=L"
    )
    assert not {"amount.budget", "change.total"} & raised(judged("investment", told)).keys()


def test_works_that_need_no_permit_and_papers_that_may_be_left_out_are_no_finding() -> None:
    story = "2023-08-01 designed amount=9 simplified=yes\n2023-09-04 started permit_exempt=yes"
    assert not {"procedure.permit", "procedure.feasibility"} & raised(judged("investment", story)).keys()
