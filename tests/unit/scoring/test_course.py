"""A run goes draft → review → published; appeals are decided by somebody else, and periods are read."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from node.scoring.course import APPEAL_DAYS, Done, Kind, StepRefused, check, revision_of, state_of
from node.scoring.period import BadPeriod, Period
from node.scoring.sheet import DEFAULT, Sheet, SheetRefused
from node.supervision.tokens import BadExpression
from node.wallclock import micros

DAY = 86_400_000_000
DRAFTED = [Done(Kind.DRAFTED, 0, "b1", 1)]
PUBLISHED = [*DRAFTED, Done(Kind.REVIEWED, 1, "b2", 1), Done(Kind.PUBLISHED, 2, "l1", 1)]


def may(done: list[Done], kind: Kind, by: str, now_us: int = 3, **more: object) -> str:
    try:
        check(
            done,
            kind,
            by=by,
            reason="x",
            now_us=now_us,
            subject="ZR",
            item="fees",
            month=bool(more.get("month", True)),
        )
    except StepRefused as refused:
        return str(refused)
    return ""


def test_who_drafted_does_not_review_and_nothing_is_published_unreviewed() -> None:
    assert "who drafted does not review" in may(DRAFTED, Kind.REVIEWED, "b1")
    assert may(DRAFTED, Kind.REVIEWED, "b2") == ""
    assert "reviewed first" in may(DRAFTED, Kind.PUBLISHED, "l1")
    assert may(PUBLISHED, Kind.DRAFTED, "b1") == ""
    assert (state_of(PUBLISHED), revision_of(PUBLISHED), state_of([])) == ("published", 1, "none")


def test_a_published_month_is_appealed_in_time_and_decided_by_another() -> None:
    assert "once it is published" in may(DRAFTED, Kind.APPEALED, "1001")
    assert may(PUBLISHED, Kind.APPEALED, "1001", 2 + APPEAL_DAYS * DAY - 1) == ""
    assert "within 15 days" in may(PUBLISHED, Kind.APPEALED, "1001", 2 + APPEAL_DAYS * DAY)
    assert "name the month" in may(PUBLISHED, Kind.APPEALED, "1001", month=False)
    assert "no appeal" in may(PUBLISHED, Kind.APPEAL_DECIDED, "b2")
    appealed = [*PUBLISHED, Done(Kind.APPEALED, 3, "1001", 1, "ZR", "fees")]
    assert "already" in may(appealed, Kind.APPEALED, "1001")
    assert "does not decide" in may(appealed, Kind.APPEAL_DECIDED, "1001")
    assert may(appealed, Kind.APPEAL_DECIDED, "b2") == ""


def test_periods_are_months_half_years_and_years() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert [len(Period.parse(text).months) for text in ("2026-03", "2026-H1", "2026-H2", "2026")] == [
        1,
        6,
        6,
        12,
    ]
    assert Period.parse("2026-H2").bounds_us(zone) == (
        micros(datetime(2026, 7, 1, tzinfo=zone)),
        micros(datetime(2027, 1, 1, tzinfo=zone)),
    )
    for text in ("2026-13", "2026-H3", "26-03", "2026-3", "", "2026-03-01"):
        with pytest.raises(BadPeriod):
            Period.parse(text)


def test_a_sheet_that_cannot_be_scored_by_is_refused() -> None:
    def changed(formula: str, item: str = "") -> Sheet:
        sheet = Sheet(type(DEFAULT.message).FromString(DEFAULT.message.SerializeToString()))
        sheet.message.indicators[0].formula = formula
        sheet.message.indicators[0].item = item
        return sheet

    changed("early / completed").check()
    with pytest.raises(SheetRefused, match="points are a number"):
        changed("early > completed").check()
    with pytest.raises(BadExpression, match="no fact"):
        changed("cases").check()
    with pytest.raises(SheetRefused, match="no item"):
        changed("early", "nowhere").check()


def test_the_longest_pattern_takes_an_alert() -> None:
    assert DEFAULT.item_of("openness.time.publish") == "openness"
    assert DEFAULT.item_of("approval.time.case") == "time_limits"
    assert DEFAULT.item_of("approval.procedure.same_person") == "integrity"
    assert DEFAULT.item_of("approval.procedure.order") == "procedure"
    assert DEFAULT.item_of("complaint.time.rectify") == "satisfaction"
