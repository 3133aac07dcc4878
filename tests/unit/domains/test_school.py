"""Each rule of school fees beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, library, rules_of

ENROLLED = "2024-02-20 published\n2024-02-26 enrolled stage=high\n"
CHARGE = "2024-03-01 charged charge=F1 amount=1000 term=2024S terms=1 receipt=R1 kept_by_teacher=no"
CHARGED = ENROLLED + CHARGE + "\n"
SERVICE = ENROLLED + "2024-03-01 charged charge=F1 amount=1000 service=yes voluntary=yes receipt=R1\n"
STANDARDS = {"published": [library("fee_standards", "F1 - - 1000")]}

PAIRS = {
    "time.deposit": Pair(
        "yellow", CHARGED + "2024-03-16 deposited amount=1000", CHARGED + "2024-03-15 deposited amount=1000"
    ),
    "time.refund": Pair(
        "yellow",
        CHARGED + "2024-03-04 left\n2024-03-26 refunded amount=5",
        CHARGED + "2024-03-04 left\n2024-03-25 refunded amount=5",
    ),
    "time.settle": Pair(
        "yellow",
        SERVICE + "2024-03-04 closed\n2024-03-26 settled",
        SERVICE + "2024-03-04 closed\n2024-03-25 settled",
    ),
    "procedure.published": Pair("yellow", CHARGED.replace("2024-02-20 pub", "2024-03-02 pub"), CHARGED),
    "charge.tuition": Pair(
        "red", CHARGED.replace("=high", "=compulsory"), SERVICE.replace("=high", "=compulsory")
    ),
    "charge.unlisted": Pair("red", CHARGED.replace("F1", "F2"), CHARGED, **STANDARDS),
    "charge.standard": Pair("red", CHARGED.replace("=1000", "=1001"), CHARGED, **STANDARDS),
    "charge.ahead": Pair("yellow", CHARGED.replace("terms=1", "terms=2"), CHARGED),
    "charge.forced": Pair("red", SERVICE.replace("voluntary=yes", "voluntary=no"), SERVICE),
    "charge.teacher": Pair("red", CHARGED.replace("teacher=no", "teacher=yes"), CHARGED),
    "charge.receipt": Pair("yellow", CHARGED.replace(" receipt=R1", ""), CHARGED),
    "pupil.twice": Pair("red", CHARGED + CHARGE, CHARGED + CHARGE.replace("2024S", "2024A")),
    "entered_late": Pair(
        "notice", "2024-03-01 enrolled entered=2024-03-05", "2024-03-01 enrolled entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("school", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("school")
