"""Each rule of public trading beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of, subjects

TENDER = "2024-03-01 notice trade=tender means=open estimate=1000000\n2024-03-01 documents_offered\n"
BIDS = "2024-03-20 bid who=B1 amount=9\n2024-03-20 bid who=B2 amount=9\n2024-03-20 bid who=B3 amount=9\n"
OPENED = TENDER + "2024-03-06 documents_ended\n" + BIDS + "2024-03-21 opened\n"
DRAWN = OPENED + "2024-03-21 drawn count=5\n"
EVALUATED = DRAWN + "2024-03-22 evaluated experts=5 outside=4\n2024-03-22 reported\n"
SHOWN = EVALUATED + "2024-03-25 candidates\n2024-03-28 candidates_ended\n"
AWARDED = SHOWN + "2024-03-29 awarded amount=900000 rank=1 who=B1\n"
BUY = "2024-03-01 notice trade=procurement means=open\n2024-03-01 documents_offered\n"
BOUGHT = BUY + BIDS + "2024-03-21 opened\n2024-03-21 drawn\n2024-03-22 evaluated experts=5 outside=4\n"
BOUGHT_AWARDED = BOUGHT + "2024-03-22 reported\n2024-03-25 awarded amount=5\n"
SINGLE = "2024-03-01 notice trade=procurement means=single_source sole=yes\n"


def many(text: str, number: int) -> str:
    return "\n".join(text.replace("n-1", f"n-{n}") for n in range(1, number + 1))


PAIRS = {
    "period.documents": Pair(
        "yellow", TENDER + "2024-03-05 documents_ended", TENDER + "2024-03-06 documents_ended"
    ),
    "period.procurement": Pair(
        "yellow", BUY + "2024-03-07 documents_ended", BUY + "2024-03-08 documents_ended"
    ),
    "period.bids": Pair("red", TENDER + "2024-03-20 opened", TENDER + "2024-03-21 opened"),
    "period.property": Pair(
        "red",
        "2024-03-01 notice trade=property sale=equity\n2024-03-28 opened",
        "2024-03-01 notice trade=property sale=equity\n2024-03-29 opened",
    ),
    "period.change": Pair(
        "yellow",
        TENDER + "2024-03-07 changed\n2024-03-21 opened",
        TENDER + "2024-03-06 changed\n2024-03-21 opened",
    ),
    "period.candidates": Pair(
        "yellow",
        EVALUATED + "2024-03-25 candidates\n2024-03-27 candidates_ended\n2024-03-29 awarded",
        EVALUATED + "2024-03-25 candidates\n2024-03-28 candidates_ended\n2024-03-29 awarded",
    ),
    "period.single_source": Pair(
        "yellow",
        SINGLE + "2024-03-04 single_listed\n2024-03-08 awarded",
        SINGLE + "2024-03-04 single_listed\n2024-03-11 awarded",
    ),
    "time.candidates": Pair(
        "yellow", EVALUATED + "2024-03-26 candidates", EVALUATED + "2024-03-25 candidates"
    ),
    "time.objection": Pair(
        "yellow",
        SHOWN + "2024-03-26 objection objection=1\n2024-03-30 objection_answered objection=1",
        SHOWN + "2024-03-26 objection objection=1\n2024-03-29 objection_answered objection=1",
    ),
    "time.query": Pair(
        "yellow",
        BOUGHT + "2024-03-26 objection objection=1\n2024-04-08 objection_answered objection=1",
        BOUGHT + "2024-03-26 objection objection=1\n2024-04-07 objection_answered objection=1",
    ),
    "time.complaint": Pair(
        "red",
        SHOWN + "2024-03-01 complaint complaint=1\n2024-04-16 complaint_decided complaint=1",
        SHOWN + "2024-03-01 complaint complaint=1\n2024-04-15 complaint_decided complaint=1",
    ),
    # Thirty days after 29 March are Sunday 28 April, which was worked.
    "time.contract": Pair(
        "yellow", AWARDED + "2024-04-29 contract amount=900000", AWARDED + "2024-04-28 contract amount=900000"
    ),
    "time.deposit": Pair(
        "yellow",
        AWARDED
        + "2024-04-08 bid deposit=5 who=B1\n2024-04-08 contract amount=900000\n2024-04-16 deposit_returned",
        AWARDED
        + "2024-04-08 bid deposit=5 who=B1\n2024-04-08 contract amount=900000\n2024-04-15 deposit_returned",
    ),
    # Five working days after Monday 8 April: Monday 15 April.
    "time.deposit_procurement": Pair(
        "yellow",
        BOUGHT_AWARDED
        + "2024-04-08 bid deposit=5 who=B1\n2024-04-08 contract amount=5\n2024-04-16 deposit_returned",
        BOUGHT_AWARDED
        + "2024-04-08 bid deposit=5 who=B1\n2024-04-08 contract amount=5\n2024-04-15 deposit_returned",
    ),
    "time.report": Pair("yellow", BOUGHT + "2024-03-27 reported", BOUGHT + "2024-03-26 reported"),
    "time.award": Pair(
        "yellow",
        BOUGHT + "2024-03-25 reported\n2024-04-02 awarded",
        BOUGHT + "2024-03-25 reported\n2024-04-01 awarded",
    ),
    "time.result": Pair(
        "yellow",
        BOUGHT_AWARDED + "2024-03-28 result_published",
        BOUGHT_AWARDED + "2024-03-27 result_published",
    ),
    "time.contract_notice": Pair(
        "yellow",
        BOUGHT_AWARDED + "2024-04-01 contract amount=5\n2024-04-07 contract_published",
        BOUGHT_AWARDED + "2024-04-01 contract amount=5\n2024-04-03 contract_published",
    ),
    # Ten working days after Monday 1 April, with Sunday 7 April worked: Tuesday 16 April.
    "time.land_result": Pair(
        "yellow",
        "2024-03-01 notice trade=land\n2024-04-01 awarded\n2024-04-17 result_published",
        "2024-03-01 notice trade=land\n2024-04-01 awarded\n2024-04-16 result_published",
    ),
    "time.medicine": Pair(
        "yellow",
        "2024-03-01 notice trade=medicine\n2024-03-05 delivered\n2024-04-08 paid amount=5",
        "2024-03-01 notice trade=medicine\n2024-03-05 delivered\n2024-04-07 paid amount=5",
    ),
    "procedure.few_bidders": Pair("red", AWARDED.replace("who=B3", "who=B2"), AWARDED),
    "procedure.committee": Pair(
        "yellow",
        DRAWN + "2024-03-22 evaluated experts=5 outside=3",
        DRAWN + "2024-03-22 evaluated experts=5 outside=4",
    ),
    "procedure.draw": Pair(
        "red",
        OPENED + "2024-03-22 evaluated experts=5 outside=4",
        DRAWN + "2024-03-22 evaluated experts=5 outside=4",
    ),
    "procedure.redrawn": Pair(
        "yellow",
        OPENED + "2024-03-21 drawn\n2024-03-21 drawn\n2024-03-21 drawn",
        OPENED + "2024-03-21 drawn\n2024-03-21 drawn",
    ),
    "award.rank": Pair("yellow", SHOWN + "2024-03-29 awarded rank=2", SHOWN + "2024-03-29 awarded rank=1"),
    "award.estimate": Pair(
        "red", SHOWN + "2024-03-29 awarded amount=1000001", SHOWN + "2024-03-29 awarded amount=1000000"
    ),
    "contract.amount": Pair(
        "red", AWARDED + "2024-04-08 contract amount=900001", AWARDED + "2024-04-08 contract amount=900000"
    ),
    "contract.supplement": Pair(
        "red",
        BOUGHT_AWARDED + "2024-04-08 contract amount=900000\n2024-05-08 supplement amount=90001",
        BOUGHT_AWARDED + "2024-04-08 contract amount=900000\n2024-05-08 supplement amount=90000",
    ),
    "machine.shared": Pair(
        "red",
        TENDER + "2024-03-20 bid who=B1 machine=M1\n2024-03-20 bid who=B2 machine=M1",
        TENDER + "2024-03-20 bid who=B1 machine=M1\n2024-03-20 bid who=B2 machine=M2",
    ),
    "bidder.companion": Pair(
        "notice", many("2024-03-20 bid who=B1 case=n-1", 10), many("2024-03-20 bid who=B1 case=n-1", 9)
    ),
    "buyer_month.favoured": Pair(
        "notice", many("2024-03-29 awarded who=B1 case=n-1", 3), many("2024-03-29 awarded who=B1 case=n-1", 2)
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 notice entered=2024-03-05", "2024-03-01 notice entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("trading", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("trading")


def test_a_tender_in_order_raises_nothing() -> None:
    told = AWARDED + "2024-04-08 contract amount=900000\n2024-04-10 closed"
    assert raised(judged("trading", told)) == {}


def test_one_machine_is_found_in_one_project_only() -> None:
    bids = "2024-03-20 bid who=B1 machine=M1 case=n-1\n2024-03-20 bid who=B2 machine=M1 case=n-2"
    assert subjects(judged("trading", bids), "machine.shared") == set()
    same = bids + "\n2024-03-20 bid who=B2 machine=M1 case=n-1"
    assert subjects(judged("trading", same), "machine.shared") == {("@trading.machine/n-1/M1", "machine")}


def test_a_bidder_who_won_once_is_no_companion() -> None:
    told = many("2024-03-20 bid who=B1 case=n-1", 12) + "\n2024-03-29 awarded who=B1 case=n-3"
    assert "bidder.companion" not in raised(judged("trading", told))


@pytest.mark.parametrize(
    ("story", "rule"),
    [
        # A tender that no law demands is held to none of its periods.
        (OPENED.replace("trade=tender", "trade=tender compulsory=no").replace("2024-03-21", "2024-03-08"), "period.bids"),
        # A single source for urgency, or of a small sum, needs no listing; of what nobody tells nothing is found.
        (SINGLE.replace("sole=yes", "sole=no") + "2024-03-11 awarded", "period.single_source"),
        (SINGLE.replace("sole=yes", "") + "2024-03-11 awarded", "period.single_source"),
        # Assets between one and ten million yuan: ten working days; unless the sale is told, nothing is found.
        ("2024-03-01 notice trade=property sale=assets estimate=500000000\n2024-03-15 opened", "period.property"),
        ("2024-03-01 notice trade=property\n2024-03-15 opened", "period.property"),
        (TENDER + "2024-03-15 changed material=no\n2024-03-21 opened", "period.change"),
        (OPENED + "2024-03-22 evaluated experts=5 outside=4 experts_named=yes", "procedure.draw"),
        (SHOWN + "2024-03-29 awarded rank=2 reason=sha256:00", "award.rank"),
        (AWARDED + "2024-04-08 contract amount=900000\n2024-05-08 supplement amount=200000", "contract.supplement"),
        (TENDER + "2024-03-01 complaint complaint=1\n2024-03-20 complaint_examined complaint=1 granted_days=10\n2024-04-26 complaint_decided complaint=1", "time.complaint"),
        ("2024-03-01 notice trade=land\n2024-03-04 objection objection=1\n2024-03-20 objection_answered objection=1", "time.objection"),
    ],
)  # fmt: skip
def test_what_the_law_lets_pass_is_no_finding(story: str, rule: str) -> None:
    assert "red" not in raised(judged("trading", story)).get(rule, set())
    assert "yellow" not in raised(judged("trading", story)).get(rule, set())


def test_assets_worth_more_than_ten_million_need_twenty_days_of_notice() -> None:
    story = "2024-03-01 notice trade=property sale=assets estimate=1000000001\n2024-03-15 opened"
    assert "period.property" in raised(judged("trading", story))
