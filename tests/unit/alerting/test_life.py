"""Which steps an alert may take, what is owed next and by when: examples, and every walk that a generator finds."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.supervision import life as of
from node.supervision.alert import INACTIVE, MoveRefused
from node.supervision.calendar import Calendar
from node.supervision.life import Days, Duty, Layer, Step, Taken, Terms, check, lived, measured, owed
from node.wallclock import instant, micros

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = Days(Calendar.china(), ZONE)
TERMS = Terms()
RED, NOTICE = 3, 1


def at(text: str) -> int:
    return micros(datetime.fromisoformat(text + "+08:00"))


MONDAY = at("2024-04-01T10:00:00")


def may(life: of.Life, step: Step, now_us: int = MONDAY, by: str = "9001", reason: str = "because") -> str:
    """Empty, or why not."""
    try:
        check(life, step, by=by, reason=reason, now_us=now_us, terms=TERMS, days=DAYS)
    except MoveRefused as refused:
        return str(refused)
    return ""


def walk(level: int, *steps: tuple[str, int, str]) -> of.Life:
    taken = [Taken(at(when), state, by) for when, state, by in steps]
    return lived(level, of.ISSUED, MONDAY, taken)


def test_a_reply_is_due_on_the_third_working_day_over_the_holiday() -> None:
    due = owed(lived(RED, of.ISSUED, MONDAY), TERMS, DAYS)
    assert due is not None
    # Thursday the 4th to Saturday the 6th are the tomb-sweeping holiday; Sunday the 7th is worked.
    assert (due.duty, due.layer) == (Duty.REPLY, Layer.AGENCY)
    assert instant(due.due_us).astimezone(ZONE).isoformat() == "2024-04-07T23:59:59.999999+08:00"
    assert DAYS.over(due.due_us, due.due_us) == 0
    assert DAYS.over(due.due_us, due.due_us + 1) == 1
    assert DAYS.over(due.due_us, at("2024-04-10T09:00:00")) == 3


def test_an_appeal_is_taken_in_until_the_fifth_working_day_and_not_a_moment_longer() -> None:
    life = lived(RED, of.ISSUED, MONDAY)
    last = at("2024-04-09T23:59:59.999999")
    assert may(life, Step.APPEAL, last) == ""
    assert may(life, Step.APPEAL, last + 1) == "the time for an appeal ended on 2024-04-09"
    assert "reason" in may(life, Step.APPEAL, reason=" ")


def test_an_appeal_is_decided_once_by_somebody_else() -> None:
    appealed = walk(RED, ("2024-04-02T09:00:00", of.APPEALED, "1001"))
    assert may(appealed, Step.UPHOLD) == may(appealed, Step.CANCEL) == may(appealed, Step.ESCALATE) == ""
    assert may(appealed, Step.UPHOLD, by="1001") == "who appealed does not decide"
    assert may(appealed, Step.CLOSE) != ""
    again = walk(
        RED,
        ("2024-04-02T09:00:00", of.APPEALED, "1001"),
        ("2024-04-02T10:00:00", of.UPHELD, "9001"),
        ("2024-04-02T11:00:00", of.EXPLAINED, "1001"),
    )
    assert may(again, Step.APPEAL) == "it was appealed already, and decided"


def test_what_was_escalated_is_decided_above() -> None:
    escalated = walk(
        RED, ("2024-04-02T09:00:00", of.APPEALED, "1001"), ("2024-04-02T10:00:00", of.ESCALATED, "9001")
    )
    assert may(escalated, Step.UPHOLD) == "it was escalated: the node above decides"
    due = owed(escalated, TERMS, DAYS)
    assert due is not None
    assert (due.duty, due.layer) == (Duty.ESCALATED_DECISION, Layer.PARENT)


def test_a_notice_asks_for_no_reply_and_its_appeal_for_a_decision() -> None:
    assert owed(lived(NOTICE, of.ISSUED, MONDAY), TERMS, DAYS) is None
    appealed = owed(walk(NOTICE, ("2024-04-02T09:00:00", of.APPEALED, "1001")), TERMS, DAYS)
    assert appealed is not None
    assert appealed.duty is Duty.APPEAL_DECISION


def test_whether_each_layer_acted_in_time_is_measured_step_by_step() -> None:
    steps = [
        Taken(at("2024-04-02T10:00:00"), of.ISSUED, "9001"),
        Taken(at("2024-04-12T10:00:00"), of.EXPLAINED, "1001"),
        Taken(at("2024-04-12T11:00:00"), of.URGED, "9001"),
    ]
    done = measured(RED, of.PENDING, MONDAY, steps, TERMS, DAYS)
    told = [(one.owed.duty, one.done_us > one.owed.due_us if one.done_us else None) for one in done]
    assert told == [
        (Duty.CONFIRMATION, False), (Duty.REPLY, True), (Duty.REVIEW, False), (Duty.REPLY, None),
    ]  # fmt: skip
    corrected = [*steps[:1], Taken(at("2024-05-12T10:00:00"), of.CORRECTED)]
    assert [one.owed.duty for one in measured(RED, of.PENDING, MONDAY, corrected, TERMS, DAYS)] == [
        Duty.CONFIRMATION
    ]


@pytest.mark.parametrize("state", sorted(INACTIVE))
def test_from_where_an_alert_no_longer_stands_nothing_leads_on_and_nothing_is_owed(state: int) -> None:
    life = lived(RED, of.ISSUED, MONDAY, [Taken(MONDAY, state, "9001")])
    assert all(may(life, step) for step in Step)
    assert owed(life, TERMS, DAYS) is None


people = st.sampled_from(["1001", "9001", "9002"])
tries = st.lists(
    st.tuples(st.sampled_from(sorted(Step)), people, st.integers(0, 4 * 86_400_000_000)), max_size=40
)


@settings(deadline=None)
@given(st.sampled_from([of.PENDING, of.ISSUED]), st.integers(1, 3), tries)
def test_whatever_people_try_the_life_stays_lawful(
    begin: int, level: int, attempts: list[tuple[Step, str, int]]
) -> None:
    now, taken = MONDAY, list[Taken]()
    life = lived(level, begin, now)
    for step, by, later in attempts:
        now += later
        if may(life, step, now, by):
            continue
        taken.append(Taken(now, of.LEADS_TO[step], by))
        life = life.after(taken[-1])
    # The fold of what was taken is what step after step came to.
    assert lived(level, begin, MONDAY, taken) == life
    states = [one.state for one in taken]
    assert states.count(of.APPEALED) <= 1
    assert states.count(of.ISSUED) <= (begin == of.PENDING)
    for place, one in enumerate(taken):
        if one.state in {of.UPHELD, of.ESCALATED}:
            assert taken[place - 1].state == of.APPEALED
            assert taken[place - 1].by != one.by
        if one.state in INACTIVE:
            assert place == len(taken) - 1
        if one.state == of.APPEALED:
            assert DAYS.over(DAYS.due_us(life.issued_at_us, TERMS.appeal_days), one.at_us) == 0
    due = owed(life, TERMS, DAYS)
    assert (due is None) or (life.active and due.due_us > life.since_us)
    done = measured(level, begin, MONDAY, taken, TERMS, DAYS)
    assert all(one.owed.from_us <= (one.done_us or now) for one in done)
    assert sum(one.done_us == 0 for one in done) <= 1


@settings(deadline=None)
@given(st.dates(date(2024, 1, 1), date(2025, 12, 1)), st.integers(1, 30))
def test_what_is_due_ends_a_working_day_and_so_many_working_days_lie_in_between(
    day: date, length: int
) -> None:
    from_us = micros(datetime(day.year, day.month, day.day, 15, tzinfo=ZONE))
    due = instant(DAYS.due_us(from_us, length)).astimezone(ZONE)
    calendar = DAYS.calendar
    assert calendar.is_working(due.date())
    assert (due.hour, due.minute, due.second, due.microsecond) == (23, 59, 59, 999_999)
    assert calendar.working_days_through(due.date()) - calendar.working_days_through(day) == length
