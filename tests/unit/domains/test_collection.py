"""Each rule of collection beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, library, raised, rules_of

ASSESSED = "2024-03-01 assessed levy=L1 amount=1000 period=2024Q1 approver=L9\n"
NOTIFIED = ASSESSED + "2024-03-04 notified due_day=2024-03-15\n"
PAID = NOTIFIED + "2024-03-10 paid amount=1000 receipt=R1\n"
STANDARDS = {"published": [library("fee_standards", "L1 - 500 1000")]}

PAIRS = {
    "time.payment": Pair(
        "notice", NOTIFIED + "2024-03-16 paid amount=1000", NOTIFIED + "2024-03-15 paid amount=1000"
    ),
    "time.deposit": Pair(
        "yellow", PAID + "2024-03-23 deposited amount=1000", PAID + "2024-03-22 deposited amount=1000"
    ),
    "time.objection": Pair(
        "yellow",
        NOTIFIED + "2024-03-01 objection objection=1\n2024-03-23 objection_answered objection=1",
        NOTIFIED + "2024-03-01 objection objection=1\n2024-03-22 objection_answered objection=1",
    ),
    "levy.unlisted": Pair("red", ASSESSED.replace("L1", "L2"), ASSESSED, **STANDARDS),
    "levy.standard": Pair("red", ASSESSED.replace("=1000", "=1001"), ASSESSED, **STANDARDS),
    "levy.overpaid": Pair("red", NOTIFIED + "2024-03-10 paid amount=1001", PAID),
    "relief.basis": Pair(
        "yellow",
        NOTIFIED + "2024-03-05 relieved amount=9 approver=L9",
        NOTIFIED + "2024-03-05 relieved amount=9 approver=L9 legal_basis=X",
    ),
    "receipt.absent": Pair("yellow", NOTIFIED + "2024-03-10 paid amount=1000", PAID),
    "surcharge.cap": Pair(
        "red", NOTIFIED + "2024-04-10 surcharge amount=1001", NOTIFIED + "2024-04-10 surcharge amount=1000"
    ),
    "procedure.notice": Pair("yellow", ASSESSED + "2024-03-03 paid amount=1000", PAID),
    "duty.same_person": Pair("yellow", ASSESSED.replace("L9", "W1"), ASSESSED),
    "payer.twice": Pair(
        "red",
        ASSESSED + "2024-03-02 assessed levy=L1 period=2024Q1 case=n-2",
        ASSESSED + "2024-03-02 assessed levy=L1 period=2024Q2 case=n-2",
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 assessed entered=2024-03-05", "2024-03-01 assessed entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("collection", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("collection")


def test_what_was_refunded_is_not_kept() -> None:
    told = (
        NOTIFIED
        + "2024-03-10 paid amount=1500 receipt=R1\n2024-03-12 refunded amount=500\n2024-03-13 deposited amount=1000"
    )
    assert not {"levy.overpaid", "time.deposit"} & raised(judged("collection", told)).keys()
