"""Each rule of reconsideration beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of

APPLIED = "2024-03-01 applied against=AG2\n"
ACCEPTED = APPLIED + "2024-03-04 accepted\n"
HEARD = ACCEPTED + "2024-03-20 heard\n"
DECIDED = HEARD + "2024-04-01 decided by=D1 approver=L1\n"

PAIRS = {
    "time.acceptance": Pair("yellow", APPLIED + "2024-03-09 accepted", APPLIED + "2024-03-08 accepted"),
    "time.correction": Pair(
        "yellow", APPLIED + "2024-03-09 correction_asked", APPLIED + "2024-03-08 correction_asked"
    ),
    "time.send": Pair("yellow", ACCEPTED + "2024-03-14 sent_on", ACCEPTED + "2024-03-13 sent_on"),
    "time.reply": Pair(
        "yellow",
        ACCEPTED + "2024-03-05 sent_on\n2024-03-20 replied",
        ACCEPTED + "2024-03-05 sent_on\n2024-03-19 replied",
    ),
    # Sixty days after 4 March are Friday 3 May, a holiday; 6 May is the next working day.
    "time.decision": Pair("red", HEARD + "2024-05-07 decided", HEARD + "2024-05-06 decided"),
    "time.service": Pair("yellow", DECIDED + "2024-04-12 served", DECIDED + "2024-04-11 served"),
    "time.performance": Pair(
        "yellow",
        HEARD + "2024-04-01 decided perform_day=2024-04-30\n2024-05-01 carried_out",
        HEARD + "2024-04-01 decided perform_day=2024-04-30\n2024-04-30 carried_out",
    ),
    "extension.length": Pair(
        "yellow",
        ACCEPTED + "2024-04-20 extended granted_days=31 approver=L1 told=yes",
        ACCEPTED + "2024-04-20 extended granted_days=30 approver=L1 told=yes",
    ),
    "refusal.reason": Pair(
        "yellow", APPLIED + "2024-03-04 refused", APPLIED + "2024-03-04 refused reason=sha256:00"
    ),
    "procedure.heard": Pair("yellow", ACCEPTED + "2024-04-01 decided by=D1 approver=L1", DECIDED),
    "procedure.approved": Pair("yellow", HEARD + "2024-04-01 decided by=D1", DECIDED),
    "duty.same_person": Pair("yellow", HEARD + "2024-04-01 decided by=D1 approver=D1", DECIDED),
    "entered_late": Pair(
        "notice", "2024-03-01 applied entered=2024-03-05", "2024-03-01 applied entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("reconsideration", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("reconsideration")


def test_the_simplified_procedure_has_thirty_days() -> None:
    simple = APPLIED + "2024-03-04 accepted simple=yes\n"
    assert "red" in raised(judged("reconsideration", simple + "2024-04-08 decided"))["time.decision"]
    assert "red" not in raised(judged("reconsideration", simple + "2024-04-03 decided")).get(
        "time.decision", set()
    )


def test_what_it_was_suspended_is_not_counted() -> None:
    told = HEARD + "2024-03-21 suspended suspension=1\n2024-04-10 resumed suspension=1\n"
    # Twenty days are taken out: the sixtieth day moves from 3 to 23 May.
    assert "red" not in raised(judged("reconsideration", told + "2024-05-23 decided")).get(
        "time.decision", set()
    )
    assert "red" in raised(judged("reconsideration", told + "2024-05-24 decided"))["time.decision"]


def test_heads_may_decide_together_and_who_cannot_be_heard_is_judged_on_paper() -> None:
    story = "2024-03-01 applied\n2024-03-04 accepted\n2024-04-01 decided outcome=upheld collective=yes written=yes"
    assert not {"procedure.approved", "procedure.heard"} & raised(judged("reconsideration", story)).keys()
