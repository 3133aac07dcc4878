"""Each rule of coercion beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of, subjects

APPROVED = "2024-03-01 approved by=L1\n"
SEIZED = APPROVED + "2024-03-04 measure measure=1 means=seize second_officer=W2 inventory=yes\n"
DEMANDED = "2024-03-01 demanded principal=1000\n"

PAIRS = {
    # Thirty days after 4 March end on Wednesday 3 April.
    "time.measure": Pair(
        "red", SEIZED + "2024-04-04 lifted measure=1", SEIZED + "2024-04-03 lifted measure=1"
    ),
    "time.report": Pair(
        "yellow",
        "2024-03-04 measure measure=1 urgent=yes\n2024-03-06 reported measure=1",
        "2024-03-04 measure measure=1 urgent=yes\n2024-03-05 reported measure=1",
    ),
    "time.deliver": Pair(
        "yellow",
        APPROVED + "2024-03-04 measure measure=1 means=freeze\n2024-03-08 delivered measure=1",
        APPROVED + "2024-03-04 measure measure=1 means=freeze\n2024-03-07 delivered measure=1",
    ),
    "measure.unapproved": Pair("red", "2024-03-04 measure measure=1", SEIZED),
    "measure.officers": Pair("yellow", APPROVED + "2024-03-04 measure measure=1", SEIZED),
    "measure.inventory": Pair("yellow", SEIZED.replace("inventory=yes", "inventory=no"), SEIZED),
    "measure.fee": Pair(
        "red", SEIZED.replace("inventory=yes", "fee=1"), SEIZED.replace("inventory=yes", "fee=0")
    ),
    "extension.length": Pair(
        "yellow",
        SEIZED + "2024-04-01 extended measure=1 granted_days=31 approver=L1",
        SEIZED + "2024-04-01 extended measure=1 granted_days=30 approver=L1",
    ),
    "demand.absent": Pair("red", "2024-03-20 decided", DEMANDED + "2024-03-20 decided"),
    "demand.short": Pair(
        "yellow",
        DEMANDED + "2024-03-14 applied",
        DEMANDED + "2024-03-15 applied",
    ),
    "statement.unanswered": Pair(
        "yellow",
        DEMANDED + "2024-03-05 statement answered=no",
        DEMANDED + "2024-03-05 statement answered=yes",
    ),
    "execution.time": Pair(
        "red",
        DEMANDED + "2024-03-20 executed night=yes",
        DEMANDED + "2024-03-20 executed night=yes urgent=yes",
    ),
    "execution.utilities": Pair(
        "red",
        DEMANDED + "2024-03-20 executed utilities_cut=yes",
        DEMANDED + "2024-03-20 executed utilities_cut=no",
    ),
    "surcharge.cap": Pair(
        "red", DEMANDED + "2024-03-20 surcharge amount=1001", DEMANDED + "2024-03-20 surcharge amount=1000"
    ),
    "duty.same_person": Pair("yellow", SEIZED.replace("by=L1", "by=W1"), SEIZED),
    "entered_late": Pair(
        "notice", "2024-03-01 approved entered=2024-03-05", "2024-03-01 approved entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("coercion", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("coercion")


def test_an_extension_moves_its_own_measure_and_no_other() -> None:
    both = SEIZED + "2024-03-04 measure measure=2 means=seal second_officer=W2 inventory=yes\n"
    told = both + "2024-04-01 extended measure=1 granted_days=30 approver=L1"
    assert subjects(judged("coercion", told, as_of="2024-04-20"), "time.measure") == {("n-1", "measure:2")}
    assert "red" in raised(judged("coercion", told, as_of="2024-05-08"))["time.measure"]
    assert subjects(judged("coercion", told, as_of="2024-05-08"), "time.measure") == {
        ("n-1", "measure:1"),
        ("n-1", "measure:2"),
    }


@pytest.mark.parametrize(
    ("story", "rule"),
    [
        # What an examination takes is not counted, and another law may set another length (§25).
        (SEIZED + "2024-03-11 examined examination=1 measure=1\n2024-03-25 examination_ended examination=1\n2024-04-12 lifted measure=1", "time.measure"),
        (SEIZED.replace("inventory=yes", "inventory=yes limit_days=60") + "2024-04-30 lifted measure=1", "time.measure"),
        # Obstacles on a road are removed at once (§52).
        ("2024-03-20 decided\n2024-03-20 executed urgent=yes", "demand.absent"),
    ],
)  # fmt: skip
def test_what_the_law_lets_pass_is_no_finding(story: str, rule: str) -> None:
    assert rule not in raised(judged("coercion", story))


def test_an_urgent_measure_waits_for_no_working_day() -> None:
    friday = "2024-03-01 measure measure=1 urgent=yes\n"
    assert "time.report" in raised(judged("coercion", friday + "2024-03-04 reported measure=1"))
