"""Each rule of penalties beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, library, raised, rules_of

NOTICED = (
    "2024-03-01 filing\n2024-03-04 investigation second_officer=W2\n2024-03-05 notice hearing_offered=yes\n"
)
DECIDED = NOTICED + "2024-03-20 decision by=D1 approver=D2 fine=20000\n"
MAJOR = "2024-03-20 decision by=D1 major=yes fine=20000 "
SERVED = DECIDED + "2024-03-21 service\n"
GRADES = {
    "published": [
        library("discretion", "A1 light 10000 20000", "A1 fixed 5000 5000", "A1 ratio 500 1000 ratio")
    ]
}
OFFICERS = {"published": [library("certificates", "W1 - - -", "W2 - - -")]}


def graded(fine: int, grade: str, base: str = "") -> str:
    return f"2024-03-01 filing act=A1\n2024-03-20 decision act=A1 grade={grade} fine={fine} {base}"


PAIRS = {
    # 90 natural days after Friday 1 March end on 30 May.
    "time.decision": Pair(
        "yellow", "2024-03-01 filing", "2024-03-01 filing\n2024-05-30T23:00 decision", as_of="2024-05-31"
    ),
    # The seventh working day after Wednesday 20 March is Friday 29 March.
    "time.service": Pair("yellow", DECIDED + "2024-04-01 service", DECIDED + "2024-03-29 service"),
    "time.evidence": Pair(
        "yellow",
        "2024-03-01 evidence_kept evidence=1\n2024-03-13 evidence_settled evidence=1",
        "2024-03-01 evidence_kept evidence=1\n2024-03-12 evidence_settled evidence=1",
    ),
    "time.unpublish": Pair(
        "yellow",
        SERVED + "2024-03-25 publication\n2024-04-01 revoked\n2024-04-08 publication_withdrawn",
        SERVED + "2024-03-25 publication\n2024-04-01 revoked\n2024-04-07 publication_withdrawn",
    ),
    "interval.decision": Pair(
        "red", "2024-03-01 filing\n2024-05-31 dispatch", "2024-03-01 filing\n2024-05-30 dispatch"
    ),
    "interval.service": Pair(
        "yellow", "2023-09-01 filing\n2024-01-30 service", "2023-09-01 filing\n2024-01-29 service"
    ),
    "interval.appeal": Pair("notice", SERVED + "2024-05-21 appeal", SERVED + "2024-05-20 appeal"),
    "limitation": Pair(
        "yellow",
        "2024-03-01 filing act_day=2022-02-27 found_day=2024-02-28 harmful=no",
        "2024-03-01 filing act_day=2022-02-28 found_day=2024-02-28 harmful=no",
    ),
    "subject.officers": Pair(
        "yellow", "2024-03-04 investigation", "2024-03-04 investigation second_officer=W2"
    ),
    "subject.certificates": Pair(
        "yellow",
        "2024-03-04 investigation certificates_shown=no",
        "2024-03-04 investigation certificates_shown=yes",
    ),
    "subject.uncertified": Pair(
        "red",
        "2024-03-04 investigation second_officer=W3",
        "2024-03-04 investigation second_officer=W2",
        **OFFICERS,
    ),
    "subject.same_person": Pair(
        "yellow", NOTICED + "2024-03-20 decision by=W1", NOTICED + "2024-03-20 decision by=D1"
    ),
    "subject.presider": Pair(
        "red", NOTICED + "2024-03-18 hearing presided_by=W1", NOTICED + "2024-03-18 hearing presided_by=W2"
    ),
    "procedure.notice": Pair("red", "2024-03-01 filing\n2024-03-20 decision", DECIDED),
    "procedure.hearing_offer": Pair("red", NOTICED.replace("yes", "no") + MAJOR, NOTICED + MAJOR),
    "procedure.hearing": Pair(
        "red",
        NOTICED + "2024-03-06 hearing_asked\n" + MAJOR,
        NOTICED + "2024-03-06 hearing_asked\n2024-03-19 hearing\n" + MAJOR,
    ),
    "procedure.hearing_notice": Pair(
        "yellow",
        NOTICED + "2024-03-08 hearing_told\n2024-03-18 hearing",
        NOTICED + "2024-03-07 hearing_told\n2024-03-18 hearing",
    ),
    "procedure.review": Pair("red", NOTICED + MAJOR, NOTICED + "2024-03-19 legal_review\n" + MAJOR),
    "procedure.collective": Pair("yellow", NOTICED + MAJOR, NOTICED + MAJOR + "collective=yes"),
    "procedure.order": Pair("yellow", DECIDED.replace("2024-03-04 inv", "2024-03-21 inv"), DECIDED),
    "procedure.statement": Pair(
        "yellow", NOTICED + "2024-03-06 statement answered=no", NOTICED + "2024-03-06 statement answered=yes"
    ),
    "substance.cause": Pair(
        "yellow",
        "2024-03-01 filing act=A1\n2024-03-20 decision act=A2",
        "2024-03-01 filing act=A1\n2024-03-10 cause_changed act=A2 approver=D2\n2024-03-20 decision act=A2",
    ),
    "substance.dropped": Pair(
        "yellow",
        "2024-03-01 filing\n2024-03-20 dropped reason=sha256:00",
        "2024-03-01 filing\n2024-03-20 dropped reason=sha256:00 approver=D2",
    ),
    "discretion.unfiled": Pair("yellow", graded(10_000, "heavy"), graded(10_000, "light"), **GRADES),
    "discretion.range": Pair("red", graded(20_001, "light"), graded(20_000, "light"), **GRADES),
    # Served on 21 March, to be paid by 5 April; ten days late are thirty in a hundred.
    "surcharge.cap": Pair(
        "red",
        SERVED + "2024-12-05 surcharge amount=20001",
        SERVED + "2024-12-05 surcharge amount=20000",
        as_of="2025-01-10",
    ),
    "surcharge.rate": Pair(
        "red", SERVED + "2024-04-15 surcharge amount=6001", SERVED + "2024-04-15 surcharge amount=6000"
    ),
    "collection.unserved": Pair(
        "yellow",
        "2024-03-01 filing fine=100\n2024-03-20 dispatch",
        "2024-03-01 filing fine=100\n2024-03-20 dispatch\n2024-06-01 payment amount=100",
    ),
    # Sunday 7 April was worked, so the fifteenth day, Friday 5 April in the holidays, moves to it.
    "collection.unpaid": Pair(
        "yellow", SERVED, SERVED + "2024-04-07 payment amount=20000", as_of="2024-04-08"
    ),
    # Nine months after 21 March, 276 days at the longest.
    "collection.enforcement": Pair("red", SERVED, SERVED + "2024-12-23 enforcement", as_of="2024-12-24"),
    "entered_late": Pair(
        "notice", "2024-03-01 filing entered=2024-03-05", "2024-03-01 filing entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("penalty", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("penalty")


@pytest.mark.parametrize(
    ("story", "lawful"),
    [
        (graded(5_000, "fixed"), True),
        (graded(5_001, "fixed"), False),
        (graded(10_000, "ratio", "base=10000"), True),
        (graded(4_999, "ratio", "base=10000"), False),
        (graded(10_000, "ratio"), True),  # nothing to take a ratio of: undetermined, so nobody is accused
    ],
)
def test_a_fine_is_held_against_a_value_a_range_or_a_ratio(story: str, lawful: bool) -> None:
    assert ("discretion.range" not in raised(judged("penalty", story, **GRADES))) is lawful


def test_without_a_library_nobody_is_outside_it() -> None:
    evaluation = judged("penalty", graded(1, "light"))
    assert not {"discretion.range", "discretion.unfiled"} & raised(evaluation).keys()
    counts = {row["rule"]: row["undetermined"] for row in evaluation.rules.iter_rows(named=True)}
    assert counts["penalty.discretion.unfiled"] == 1


def test_a_simple_procedure_needs_no_notice() -> None:
    assert raised(
        judged(
            "penalty", "2024-03-01 filing procedure=simple\n2024-03-01 decision fine=5000\n2024-03-01 service"
        )
    ) == {"collection.unpaid": {"yellow"}}


def test_a_case_in_order_raises_nothing() -> None:
    story = (
        "2024-03-01 filing act=A1 act_day=2024-02-28 found_day=2024-02-29\n"
        "2024-03-04 investigation second_officer=W2 certificates_shown=yes\n"
        "2024-03-05 notice hearing_offered=yes\n2024-03-06 hearing_asked\n2024-03-07 hearing_told\n"
        "2024-03-19 hearing presided_by=W5\n2024-03-20 legal_review by=L1\n"
        "2024-03-21 decision by=D1 act=A1 grade=light fine=20000 major=yes collective=yes\n"
        "2024-03-22 service\n2024-03-29 payment amount=20000\n2024-04-01 closed"
    )
    evaluation = judged("penalty", story, **GRADES, as_of="2025-03-01")
    assert raised(evaluation) == {}
    assert evaluation.cases.select("state", "late").row(0) == ("completed", False)
    figures = dict(evaluation.figures.select("figure", "amount").iter_rows())
    assert figures == {
        "received": 1,
        "accepted": 1,
        "completed": 1,
        "on_time": 1,
        "fine_fen": 20_000,
        "paid_fen": 20_000,
    }


@pytest.mark.parametrize(
    ("act_day", "found_day", "harmful", "late"),
    [
        ("2023-03-01", "2025-03-01", "harmful=no", False),  # 731 days, and two years all the same
        ("2023-03-01", "2025-03-02", "harmful=no", True),
        ("2023-03-01", "2025-03-02", "harmful=yes", False),
        ("2023-03-01", "2028-03-01", "harmful=yes", False),
        ("2023-03-01", "2028-03-02", "harmful=yes", True),
        ("2023-03-01", "2025-03-02", "", False),  # nobody says whether it did harm: undetermined
        ("2023-03-01", "2028-03-02", "", True),
    ],
)
def test_the_limitation_is_two_years_and_five_where_there_was_harm(
    act_day: str, found_day: str, harmful: str, late: bool
) -> None:
    story = f"{found_day} filing act_day={act_day} found_day={found_day} {harmful}"
    assert ("limitation" in raised(judged("penalty", story, as_of="2028-06-01"))) is late


def test_a_hearing_asked_for_too_late_need_not_be_held() -> None:
    # Five working days after Tuesday 5 March are Tuesday 12 March.
    asked = {day: NOTICED + f"2024-03-{day} hearing_asked\n" + MAJOR for day in (12, 13)}
    assert "procedure.hearing" in raised(judged("penalty", asked[12]))
    assert "procedure.hearing" not in raised(judged("penalty", asked[13]))
