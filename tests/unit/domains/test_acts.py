"""Each rule of the other kinds of acts beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest
from zongheng.v1.catalogue_pb2 import LIMIT_UNIT_WORKING_DAY, Item, Limit

from tests.unit.domains.stories import Pair, library, rules_of

ITEMS = {
    "items": [
        Item(
            code="I1",
            version=1,
            domain="acts",
            statutory=Limit(amount=10, unit=LIMIT_UNIT_WORKING_DAY),
            promised=Limit(amount=5, unit=LIMIT_UNIT_WORKING_DAY),
        )
    ]
}
ACCEPTED = "2024-03-01 applied act=confirmation\n2024-03-01 accepted\n"
REWARD = "2024-03-01 applied act=reward\n2024-03-01 accepted\n2024-03-04 listed\n"
DECIDED = REWARD + "2024-03-13 decided amount=1000 approver=L1 standard=S1\n"
STANDARDS = {"published": [library("payment_standards", "S1 - 500 1000")]}
VISIT = "2024-03-04 visited object=O1 second_officer=W2 certificates_shown=yes planned=yes\n"

PAIRS = {
    "time.statutory": Pair("red", ACCEPTED + "2024-03-16 decided", ACCEPTED + "2024-03-15 decided", **ITEMS),
    "time.promised": Pair(
        "yellow", ACCEPTED + "2024-03-09 decided", ACCEPTED + "2024-03-08 decided", **ITEMS
    ),
    # Thirty days after 13 March are 12 April.
    "time.payment": Pair(
        "yellow", DECIDED + "2024-04-13 paid amount=1000", DECIDED + "2024-04-12 paid amount=1000"
    ),
    "time.result": Pair("yellow", VISIT + "2024-03-19 result_told", VISIT + "2024-03-18 result_told"),
    "refusal.reason": Pair(
        "yellow",
        ACCEPTED + "2024-03-05 decided outcome=refused",
        ACCEPTED + "2024-03-05 decided outcome=refused reason=sha256:00",
    ),
    "visit.officers": Pair("yellow", VISIT.replace(" second_officer=W2", ""), VISIT),
    "visit.certificates": Pair("yellow", VISIT.replace("shown=yes", "shown=no"), VISIT),
    "visit.unplanned": Pair("yellow", VISIT.replace("planned=yes", "planned=no"), VISIT),
    "procedure.listing": Pair("yellow", REWARD + "2024-03-12 decided amount=1000", DECIDED),
    "procedure.heard": Pair(
        "yellow",
        "2024-03-01 applied act=adjudication\n2024-03-13 decided",
        "2024-03-01 applied act=adjudication\n2024-03-12 heard\n2024-03-13 decided",
    ),
    "amount.standard": Pair("red", DECIDED.replace("=1000", "=1001"), DECIDED, **STANDARDS),
    "amount.paid": Pair(
        "red", DECIDED + "2024-03-20 paid amount=1001", DECIDED + "2024-03-20 paid amount=1000"
    ),
    "duty.same_person": Pair("yellow", DECIDED.replace("L1", "W1"), DECIDED),
    "object_month.often": Pair(
        "yellow", VISIT + VISIT + VISIT, VISIT + VISIT + VISIT.replace("2024-03", "2024-04")
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 applied entered=2024-03-05", "2024-03-01 applied entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("acts", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("acts")
