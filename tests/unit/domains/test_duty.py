"""Each rule of duty beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of, subjects

OPENED = "2024-03-01 collected cell=G1\n2024-03-04 opened\n"
DISPATCHED = OPENED + "2024-03-05 dispatched to_agency=AG2\n"
HANDLED = DISPATCHED + "2024-03-08 handled by=H1\n"
VERIFIED = HANDLED + "2024-03-11 verified by=V1 outcome=passed\n"
ASSIGNED = "2024-03-01 assigned object=O1 every_days=30 responsible=R1\n"
FOUND = ASSIGNED + "2024-03-15 inspected object=O1 outcome=found second_officer=W2 due_day=2024-03-29\n"

PAIRS = {
    "time.open": Pair(
        "yellow", "2024-03-01 collected\n2024-03-05 opened", "2024-03-01 collected\n2024-03-04 opened"
    ),
    "time.dispatch": Pair("yellow", OPENED + "2024-03-06 dispatched", OPENED + "2024-03-05 dispatched"),
    "time.handle": Pair("yellow", DISPATCHED + "2024-03-13 handled", DISPATCHED + "2024-03-12 handled"),
    "time.feedback": Pair("yellow", HANDLED + "2024-03-13 feedback", HANDLED + "2024-03-12 feedback"),
    "time.close": Pair("yellow", VERIFIED + "2024-03-14 closed", VERIFIED + "2024-03-13 closed"),
    "time.verify": Pair("yellow", HANDLED + "2024-03-13 verified", HANDLED + "2024-03-12 verified"),
    "procedure.order": Pair("yellow", OPENED + "2024-03-08 handled", HANDLED),
    "procedure.verify": Pair("red", HANDLED + "2024-03-11 closed", VERIFIED + "2024-03-12 closed"),
    "duty.same_person": Pair(
        "yellow", HANDLED + "2024-03-11 verified by=H1", HANDLED + "2024-03-11 verified by=V1"
    ),
    "dispatch.round": Pair(
        "yellow",
        DISPATCHED + "2024-03-06 dispatched\n2024-03-07 dispatched",
        DISPATCHED + "2024-03-06 dispatched",
    ),
    "visit.officers": Pair(
        "yellow",
        ASSIGNED + "2024-03-15 inspected object=O1",
        ASSIGNED + "2024-03-15 inspected object=O1 second_officer=W2",
    ),
    # Thirty days after 1 March are Sunday 31 March, which moves to Monday 1 April.
    "object.missed": Pair(
        "yellow", ASSIGNED, ASSIGNED + "2024-04-01 inspected object=O1 second_officer=W2", as_of="2024-04-02"
    ),
    "object.open": Pair(
        "yellow",
        FOUND + "2024-03-30 rectified object=O1",
        FOUND + "2024-03-29 rectified object=O1",
        as_of="2024-04-02",
    ),
    "cell.missed": Pair(
        "yellow",
        "2024-03-01 cell_assigned cell=G1 every_days=7",
        "2024-03-01 cell_assigned cell=G1 every_days=7\n2024-03-08 patrolled cell=G1",
        as_of="2024-03-09",
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 collected entered=2024-03-05", "2024-03-01 collected entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("duty", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("duty")


def test_an_object_is_found_under_its_own_id_whoever_inspects_it() -> None:
    told = ASSIGNED + "2024-03-15 inspected object=O1 second_officer=W2 case=n-2 agency=AG9"
    assert "object.missed" not in raised(judged("duty", told, as_of="2024-04-02"))
    missed = judged("duty", told, as_of="2024-04-16")
    assert subjects(missed, "object.missed") == {("@duty.object/O1", "object")}
    assert missed.findings["actor"].to_list() == ["R1"] * missed.findings.height


def test_a_given_limit_goes_before_the_rules_own() -> None:
    told = OPENED + "2024-03-05 dispatched limit_days=1\n2024-03-07 handled"
    assert "yellow" in raised(judged("duty", told))["time.handle"]


def test_a_released_object_is_missed_no_more() -> None:
    assert "object.missed" not in raised(judged("duty", ASSIGNED + "2024-03-20 released object=O1"))
