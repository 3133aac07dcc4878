"""Each rule of public money beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, library, raised, rules_of, subjects

BUDGET = "2024-01-10 budget amount=100000\n"
CONTRACT = BUDGET + "2024-02-01 contract amount=50000\n"
ACCEPTED = CONTRACT + "2024-03-01 acceptance outcome=passed\n"
LIMITS = {"published": [library("payment_limits", "goods - - 100000")]}
SUBSIDY = "2024-03-12 payment amount=100 subsidy=yes batch=G24 approver=W2"

PAIRS = {
    # Thirty natural days after 1 March end on Sunday 31 March, which moves to Monday.
    "time.pass_on": Pair(
        "yellow",
        "2024-03-01 received amount=9\n2024-04-02 passed_on amount=9",
        "2024-03-01 received amount=9\n2024-04-01 passed_on amount=9",
    ),
    "time.payment": Pair(
        "yellow", ACCEPTED + "2024-04-02 payment amount=9", ACCEPTED + "2024-04-01 payment amount=9"
    ),
    "time.resend": Pair(
        "yellow",
        "2024-03-01 bounced payment=1\n2024-03-25 resent payment=1",
        "2024-03-01 bounced payment=1\n2024-03-22 resent payment=1",
    ),
    "time.rectify": Pair(
        "yellow",
        "2024-03-01 issue issue=1\n2024-05-31 rectified issue=1",
        "2024-03-01 issue issue=1\n2024-05-30 rectified issue=1",
    ),
    "amount.budget": Pair(
        "red", BUDGET + "2024-03-01 payment amount=100001", BUDGET + "2024-03-01 payment amount=100000"
    ),
    "amount.contract": Pair(
        "red", ACCEPTED + "2024-03-05 payment amount=55001", ACCEPTED + "2024-03-05 payment amount=55000"
    ),
    "amount.passed_on": Pair(
        "red", BUDGET + "2024-01-20 passed_on amount=100001", BUDGET + "2024-01-20 passed_on amount=100000"
    ),
    "procedure.acceptance": Pair("yellow", CONTRACT + "2024-03-05 closed", ACCEPTED + "2024-03-05 closed"),
    "procedure.paid_first": Pair(
        "notice", CONTRACT + "2024-02-20 payment amount=45000", CONTRACT + "2024-02-20 payment amount=44999"
    ),
    "procedure.listing": Pair("yellow", "2024-03-04 listed\n" + SUBSIDY, "2024-03-01 listed\n" + SUBSIDY),
    "procedure.audit": Pair(
        "notice", BUDGET + "2024-03-05 closed", BUDGET + "2024-03-04 audit\n2024-03-05 closed"
    ),
    "procedure.purpose": Pair(
        "red",
        BUDGET + "2024-03-05 use amount=5 as_planned=no",
        BUDGET + "2024-03-05 use amount=5 as_planned=yes",
    ),
    "duty.same_person": Pair(
        "yellow",
        BUDGET + "2024-03-05 payment amount=5 approver=W1",
        BUDGET + "2024-03-05 payment amount=5 approver=W2",
    ),
    "payee.twice": Pair(
        "red",
        BUDGET + "2024-03-05 payment amount=5 batch=G24\n2024-03-06 payment amount=5 batch=G24",
        BUDGET + "2024-03-05 payment amount=5 batch=G24\n2024-03-06 payment amount=5 batch=G25",
    ),
    "payee_month.split": Pair(
        "yellow",
        "2024-03-05 payment amount=60000 category=goods\n2024-03-25 payment amount=40000 category=goods case=n-2",
        "2024-03-05 payment amount=60000 category=goods\n2024-04-01 payment amount=40000 category=goods case=n-2",
        **LIMITS,
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 received entered=2024-03-05", "2024-03-01 received entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("funds", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("funds")


def test_a_payee_twice_is_found_across_cases_under_an_id_of_its_own() -> None:
    first = BUDGET + "2024-03-05 payment amount=5 batch=G24 who=H7 case=n-1"
    second = "2024-03-09 payment amount=5 batch=G24 who=H7 case=n-2\n2024-03-09 payment amount=5 batch=G24 who=H8 case=n-2"
    evaluation = judged("funds", first, second)
    assert subjects(evaluation, "payee.twice") == {("@funds.payee/H7/G24", "payee")}
    # It counts in no list of cases and in no figure.
    real = evaluation.cases.filter(evaluation.cases["state"] != "gathered")
    assert set(real["case_id"]) == {"n-1", "n-2"}
    assert set(evaluation.figures["case_id"]) == {"n-1", "n-2"}


def test_without_a_published_limit_nobody_splits() -> None:
    story = "2024-03-05 payment amount=60000 category=goods\n2024-03-25 payment amount=40000 category=goods"
    assert "payee_month.split" not in raised(judged("funds", story))


@pytest.mark.parametrize(
    ("agreed", "late"),
    [("", True), (" payment_days=45", False), (" payment_days=90", False), (" small=no", False)],
)
def test_what_was_agreed_on_is_the_limit_of_a_payment_up_to_sixty_days(agreed: str, late: bool) -> None:
    story = f"2024-03-01 contract amount=5{agreed}\n2024-03-04 acceptance\n2024-04-10 payment amount=5"
    levels = raised(judged("funds", story)).get("time.payment", set())
    assert ("yellow" in levels) is late
    assert "red" not in levels


def test_nobody_may_agree_on_more_than_sixty_days() -> None:
    story = "2024-03-01 contract amount=5 payment_days=90\n2024-03-04 acceptance\n2024-05-07 payment amount=5"
    assert "yellow" in raised(judged("funds", story))["time.payment"]
