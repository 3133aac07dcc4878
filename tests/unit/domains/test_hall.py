"""Each rule of the hall beside a case that breaks it and one that just does not. 2024-03-01 was a Friday; hall hours are 9–12 and 13:30–17:30."""

import pytest

from tests.unit.domains.stories import Pair, judged, raised, rules_of, subjects

TICKET = "2024-03-01T09:00 ticket window=3\n"
CALLED = TICKET + "2024-03-01T09:10 called\n"
DUE_OPEN = "2024-03-01T09:00 due_open window=3\n"
DUE = "2024-03-01T09:00 due_present by=W7\n"
DARK = "2024-03-01T09:00 dark camera=C1 outage=1 open_hours=yes\n"


def many(text: str, number: int) -> str:
    return "\n".join(f"{text} case=n-{n}" for n in range(number))


PAIRS = {
    "wait.long": Pair("notice", TICKET + "2024-03-01T09:30 called", TICKET + "2024-03-01T09:29 called"),
    "wait.abandoned": Pair(
        "notice", TICKET + "2024-03-01T09:15 abandoned", TICKET + "2024-03-01T09:14 abandoned"
    ),
    "service.long": Pair("notice", CALLED + "2024-03-01T10:10 served", CALLED + "2024-03-01T10:09 served"),
    "window.late": Pair("yellow", DUE_OPEN + "2024-03-01T09:05 opened", DUE_OPEN + "2024-03-01T09:04 opened"),
    "window.early": Pair(
        "yellow",
        "2024-03-01T17:25 closed due_at=2024-03-01T17:30",
        "2024-03-01T17:26 closed due_at=2024-03-01T17:30",
    ),
    "window.pause": Pair(
        "notice",
        "2024-03-01T10:00 paused\n2024-03-01T10:15 resumed",
        "2024-03-01T10:00 paused\n2024-03-01T10:14 resumed",
    ),
    "window.unattended": Pair("yellow", DUE_OPEN, DUE_OPEN + "2024-03-01T17:00 opened", as_of="2024-03-02"),
    "staff.late": Pair("notice", DUE + "2024-03-01T09:10 present", DUE + "2024-03-01T09:09 present"),
    "staff.absent": Pair("yellow", DUE, DUE + "2024-03-01T08:00 leave approver=L1", as_of="2024-03-02"),
    "staff.gone": Pair(
        "notice",
        "2024-03-01T10:00 gone absence=1\n2024-03-01T10:15 back absence=1",
        "2024-03-01T10:00 gone absence=1\n2024-03-01T10:14 back absence=1",
    ),
    "camera.dark": Pair(
        "yellow", DARK + "2024-03-01T11:01 seeing outage=1", DARK + "2024-03-01T11:00 seeing outage=1"
    ),
    "help.slow": Pair(
        "notice",
        "2024-03-01T09:00 help\n2024-03-01T09:01 help_answered",
        "2024-03-01T09:00 help\n2024-03-01T09:00:59 help_answered",
    ),
    "help.unanswered": Pair(
        "yellow",
        "2024-03-01T09:00 help\n2024-03-01T09:01 help_unanswered",
        "2024-03-01T09:00 help\n2024-03-01T09:00:59 help_unanswered",
    ),
    "help_month.unanswered": Pair(
        "yellow", many("2024-03-01 help_unanswered", 10), many("2024-03-01 help_unanswered", 9)
    ),
    "window_month.abandoned": Pair(
        "yellow", many("2024-03-01 abandoned", 50), many("2024-03-01 abandoned", 49)
    ),
    "camera_month.dark": Pair(
        "yellow",
        many("2024-03-01 dark camera=C1 open_hours=yes", 5),
        many("2024-03-01 dark camera=C1 open_hours=yes", 4),
    ),
    "entered_late": Pair(
        "notice", "2024-03-01 ticket entered=2024-03-05", "2024-03-01 ticket entered=2024-03-04"
    ),
}


@pytest.mark.parametrize("rule", PAIRS)
def test_a_case_that_breaks_it_and_one_that_just_does_not(rule: str) -> None:
    PAIRS[rule].check("hall", rule)


def test_every_rule_is_tried() -> None:
    assert set(PAIRS) == rules_of("hall")


def test_a_camera_that_is_dark_after_hours_is_nobodys_fault() -> None:
    assert "camera.dark" not in raised(judged("hall", DARK.replace("yes", "no")))


def test_a_camera_is_named_in_the_finding() -> None:
    assert subjects(judged("hall", DARK), "camera.dark") == {("n-1", "outage:C1#1")}
