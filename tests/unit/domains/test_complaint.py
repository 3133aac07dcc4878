"""Each rule of complaints beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest
from zongheng.v1.catalogue_pb2 import LIMIT_UNIT_WORKING_DAY, Item, Limit

from tests.unit.domains.stories import Pair, judged, raised, rules_of, subjects

RECEIVED = "2024-03-01 received subject=road about=AG2 who=H1\n"
ANSWERED = RECEIVED + "2024-03-11 answered substantive=yes\n"
BAD = "2024-03-01 rated score=4\n"
PROMISED = {
    "items": [
        Item(code="I1", version=1, domain="complaint", promised=Limit(amount=5, unit=LIMIT_UNIT_WORKING_DAY))
    ]
}


def thrice(text: str, number: int) -> str:
    return "\n".join(text.replace("n-1", f"n-{n}") for n in range(1, number + 1))


ACCUSED = RECEIVED.rstrip() + " sort=accusation\n"

PAIRS = {
    "time.register": Pair("yellow", RECEIVED + "2024-03-19 registered", RECEIVED + "2024-03-18 registered"),
    # Sixty days end on 30 April; thirty more on 30 May.
    "time.answer": Pair(
        "red",
        RECEIVED + "2024-03-01 registered accepted=yes\n2024-05-01 answered",
        RECEIVED + "2024-03-01 registered accepted=yes\n2024-04-30 answered",
    ),
    "time.promised": Pair(
        "yellow", RECEIVED + "2024-03-09 answered", RECEIVED + "2024-03-08 answered", **PROMISED
    ),
    "time.review": Pair(
        "red",
        ANSWERED + "2024-03-12 review_asked\n2024-04-12 review_answered",
        ANSWERED + "2024-03-12 review_asked\n2024-04-11 review_answered",
    ),
    "time.second": Pair(
        "red",
        ANSWERED + "2024-03-12 second_asked\n2024-04-12 second_answered",
        ANSWERED + "2024-03-12 second_asked\n2024-04-11 second_answered",
    ),
    "time.sign": Pair(
        "yellow",
        RECEIVED + "2024-03-04 transferred to_agency=AG3\n2024-03-07 signed",
        RECEIVED + "2024-03-04 transferred to_agency=AG3\n2024-03-06 signed",
    ),
    "time.call_back": Pair("yellow", BAD + "2024-03-09 called_back", BAD + "2024-03-08 called_back"),
    "time.rectify": Pair("yellow", BAD + "2024-03-23 rectified", BAD + "2024-03-22 rectified"),
    "extension.length": Pair(
        "yellow",
        RECEIVED + "2024-03-20 extension granted_days=31 approver=L1",
        RECEIVED + "2024-03-20 extension granted_days=30 approver=L1",
    ),
    "reject.reason": Pair(
        "yellow", RECEIVED + "2024-03-04 rejected", RECEIVED + "2024-03-04 rejected reason=sha256:00"
    ),
    "transfer.about": Pair(
        "red",
        ACCUSED + "2024-03-04 transferred to_agency=AG2",
        ACCUSED + "2024-03-04 transferred to_agency=AG3",
    ),
    "transfer.round": Pair(
        "yellow",
        RECEIVED + "2024-03-04 transferred\n2024-03-05 transferred\n2024-03-06 transferred",
        RECEIVED + "2024-03-04 transferred\n2024-03-05 transferred",
    ),
    "answer.empty": Pair("yellow", RECEIVED + "2024-03-11 answered substantive=no", ANSWERED),
    "answer.dissatisfied": Pair(
        "yellow",
        ANSWERED + "2024-03-12 called_back satisfied=no\n2024-03-13 closed",
        ANSWERED + "2024-03-12 called_back satisfied=no\n2024-03-13 rectified\n2024-03-13T11:00 closed",
    ),
    "review.same_person": Pair(
        "yellow",
        ANSWERED + "2024-03-12 review_asked\n2024-03-20 review_answered by=W1",
        ANSWERED + "2024-03-12 review_asked\n2024-03-20 review_answered by=W2",
    ),
    "complainant.repeated": Pair(
        "yellow",
        thrice("2024-03-01 received subject=road case=n-1", 3),
        thrice("2024-03-01 received subject=road case=n-1", 2),
    ),
    "answer.copied": Pair(
        "yellow",
        thrice("2024-03-01 answered fingerprint=F1 case=n-1", 3),
        thrice("2024-03-01 answered fingerprint=F1 case=n-1", 2),
    ),
    "agency_month.bad": Pair(
        "yellow",
        thrice("2024-03-29 rated score=4 case=n-1", 5),
        thrice("2024-03-29 rated score=4 case=n-1", 4) + "\n2024-04-01 rated score=5 case=n-9",
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 received entered=2024-03-05", "2024-03-01 received entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("complaint", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("complaint")


def test_an_extension_moves_the_answer() -> None:
    longer = (
        RECEIVED
        + "2024-03-01 registered accepted=yes\n2024-04-20 extension granted_days=30 approver=L1\n2024-05-30 answered"
    )
    assert raised(judged("complaint", longer))["time.answer"] == {"notice"}


def test_the_month_is_found_under_the_agency() -> None:
    evaluation = judged("complaint", thrice("2024-03-29 rated score=5 case=n-1", 5))
    assert subjects(evaluation, "agency_month.bad") == {
        ("@complaint.agency_month/AG/2024-03", "agency_month")
    }


def test_the_sixty_days_begin_when_it_is_taken_up_and_at_the_latest_when_that_was_due() -> None:
    # 60 days after 15 March end on 14 May; unregistered they begin on 16 March.
    assert raised(judged("complaint", RECEIVED + "2024-03-15 registered accepted=yes\n2024-05-14 answered"))[
        "time.answer"
    ] == {"notice"}
    assert "red" not in raised(judged("complaint", RECEIVED + "2024-05-15 answered"))["time.answer"]
    assert "red" in raised(judged("complaint", RECEIVED + "2024-05-16 answered"))["time.answer"]


@pytest.mark.parametrize(
    "said", ["channel=hotline", "channel=petition sort=suggestion", "channel=petition sort=accusation"]
)
def test_what_is_no_petition_for_redress_has_not_its_sixty_days(said: str) -> None:
    assert "time.answer" not in raised(
        judged("complaint", f"2024-03-01 received {said}\n2024-06-20 answered")
    )


def test_a_matter_about_an_agency_may_go_to_that_agency_unless_it_is_an_accusation() -> None:
    assert "transfer.about" not in raised(
        judged("complaint", RECEIVED + "2024-03-04 transferred to_agency=AG2")
    )


def test_what_is_escalated_to_the_tier_above_is_to_be_signed_for_too() -> None:
    escalated = RECEIVED + "2024-03-04 escalated to_node=330102\n"
    assert "time.sign" in raised(judged("complaint", escalated + "2024-03-07 signed"))
    assert "time.sign" not in raised(judged("complaint", escalated + "2024-03-06 signed"))
