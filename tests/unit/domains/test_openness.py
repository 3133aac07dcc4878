"""Each rule of openness beside a case that breaks it and one that just does not. 2024-03-01 was a Friday."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of, subjects

MADE = "2024-03-01 made matter=M1\n2024-03-04 checked outcome=passed\n"
VILLAGE = "2024-03-01 made matter=M1 village=yes finance=yes\n2024-03-04 reviewed by=C1\n"
SHOWN = VILLAGE + "2024-03-05 published matter=M1 vouchers=yes\n"
REQUEST = "2024-03-01 request\n"

PAIRS = {
    # Twenty working days after 1 March end on Friday 29 March.
    "time.publish": Pair("yellow", MADE + "2024-03-30 published", MADE + "2024-03-29 published"),
    "time.answer": Pair("red", REQUEST + "2024-03-30 answered", REQUEST + "2024-03-29 answered"),
    "time.correction": Pair(
        "yellow", REQUEST + "2024-03-13 correction_asked", REQUEST + "2024-03-12 correction_asked"
    ),
    "time.third_party": Pair(
        "notice",
        REQUEST + "2024-03-04 third_party_asked third_party=1\n2024-03-26 third_party_answered third_party=1",
        REQUEST + "2024-03-04 third_party_asked third_party=1\n2024-03-25 third_party_answered third_party=1",
    ),
    "time.objection": Pair(
        "yellow",
        SHOWN + "2024-03-11 objection objection=1\n2024-03-19 objection_answered objection=1",
        SHOWN + "2024-03-11 objection objection=1\n2024-03-18 objection_answered objection=1",
    ),
    "extension.length": Pair(
        "yellow",
        REQUEST + "2024-03-20 extension granted_days=21 approver=L1 told=yes",
        REQUEST + "2024-03-20 extension granted_days=20 approver=L1 told=yes",
    ),
    "correction.repeated": Pair(
        "yellow",
        REQUEST + "2024-03-04 correction_asked\n2024-03-05 corrected\n2024-03-06 correction_asked",
        REQUEST + "2024-03-04 correction_asked\n2024-03-05 corrected",
    ),
    "refusal.reason": Pair(
        "yellow",
        REQUEST + "2024-03-11 answered outcome=refused",
        REQUEST + "2024-03-11 answered outcome=refused reason=sha256:00",
    ),
    "display.short": Pair("yellow", SHOWN + "2024-03-09 taken_down", SHOWN + "2024-03-10 taken_down"),
    "display.vouchers": Pair("yellow", SHOWN.replace("vouchers=yes", "vouchers=no"), SHOWN),
    "procedure.committee": Pair("yellow", SHOWN.replace("2024-03-04 rev", "2024-03-06 rev"), SHOWN),
    "procedure.secrecy": Pair(
        "red", MADE.replace("passed", "withheld") + "2024-03-05 published", MADE + "2024-03-05 published"
    ),
    "duty.same_person": Pair("yellow", SHOWN.replace("by=C1", "by=W1"), SHOWN),
    # Ninety-two natural days after 5 March end on 5 June.
    "matter.due": Pair(
        "yellow",
        "2024-01-02 listed matter=M1 every_days=92\n" + SHOWN,
        "2024-01-02 listed matter=M1 every_days=92\n" + SHOWN + "2024-06-05 published matter=M1",
        as_of="2024-06-06",
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 made entered=2024-03-05", "2024-03-01 made entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("openness", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("openness")


def test_a_correction_begins_the_answer_anew() -> None:
    corrected = REQUEST + "2024-03-06 correction_asked\n2024-03-25 corrected\n"
    # From 25 March twenty working days end on 23 April: the holidays from 4 to 6 April are off, 7 April is worked.
    assert "red" not in raised(judged("openness", corrected + "2024-04-23 answered")).get(
        "time.answer", set()
    )
    assert "red" in raised(judged("openness", corrected + "2024-04-24 answered"))["time.answer"]
    waiting = REQUEST + "2024-03-06 correction_asked"
    assert "time.answer" not in raised(judged("openness", waiting))


def test_what_third_parties_take_is_not_counted() -> None:
    asked = (
        REQUEST
        + "2024-03-04 third_party_asked third_party=1\n2024-03-11 third_party_answered third_party=1\n"
    )
    # Five working days are taken out: 29 March becomes 8 April, 7 April is worked.
    assert "red" not in raised(judged("openness", asked + "2024-04-07 answered")).get("time.answer", set())
    assert "red" in raised(judged("openness", asked + "2024-04-09 answered"))["time.answer"]


def test_a_stated_day_goes_before_the_law() -> None:
    told = "2024-03-01 made matter=M1 due_day=2024-03-05\n2024-03-04 checked\n"
    assert "yellow" in raised(judged("openness", told + "2024-03-06 published"))["time.publish"]


def test_a_matter_that_was_never_published_is_due_from_its_listing() -> None:
    evaluation = judged("openness", "2024-01-02 listed matter=M9 every_days=31", as_of="2024-02-03")
    assert subjects(evaluation, "matter.due") == {("@openness.matter/AG/M9", "matter")}
    assert raised(evaluation)["matter.due"] == {"notice", "yellow"}
    assert raised(judged("openness", "2024-01-02 listed matter=M9 every_days=31", as_of="2024-01-20")) == {}
