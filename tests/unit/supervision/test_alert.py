"""What findings change about alerts: raised once, corrected beside, back again as a new episode, settled by people."""

from dataclasses import replace

import pytest
from zongheng.v1 import entry_pb2

from node.store.rows import AlertRecord
from node.supervision.alert import (
    MOVES,
    REASONED,
    AsOf,
    Key,
    MoveRefused,
    alert_id,
    changes,
    check_move,
    highest,
)
from node.supervision.evaluate import Finding
from node.supervision.policy import Confirmation, Level, Policy

YELLOW = Finding(
    "n-1", "case", "approval", "approval.time.case", 1, Level.YELLOW, 100, 99, 1, "AG", "A1", "W1"
)
RED = replace(YELLOW, level=Level.RED)
AS_OF = AsOf("n", 200, 17, 3, "china/1")
KEY = Key("n-1", "case", "approval.time.case", 2)


def record(raised: entry_pb2.AlertRaised, state: int | None = None) -> AlertRecord:
    return AlertRecord(
        origin="n",
        alert_id=raised.alert_id,
        case_id=raised.case_id,
        subject=raised.subject,
        domain=raised.domain,
        rule=raised.rule,
        level=raised.level,
        episode=raised.episode,
        state=raised.state if state is None else state,
        since_us=raised.since_us,
        due_at_us=raised.due_at_us,
        raised_at_us=0,
        idx=0,
        agency=raised.agency,
        item=raised.item,
        actor=raised.actor,
        over=raised.over,
        journal_size=raised.journal_size,
        policy_version=raised.policy_version,
        calendar_version=raised.calendar_version,
        rule_version=raised.rule_version,
    )


def raised_once(finding: Finding = YELLOW) -> entry_pb2.AlertRaised:
    (raised,) = changes([finding], [], AS_OF, Policy()).raised
    return raised


def test_a_finding_becomes_an_alert_that_says_what_it_rests_on() -> None:
    raised = raised_once()
    assert raised.alert_id == alert_id("n", KEY, 1)
    assert (raised.level, raised.episode, raised.state) == (2, 1, entry_pb2.ALERT_STATE_PENDING)
    assert (raised.since_us, raised.due_at_us, raised.over) == (100, 99, 1)
    assert (raised.as_of_us, raised.journal_size) == (200, 17)
    assert (raised.policy_version, raised.calendar_version, raised.rule_version) == (3, "china/1", 1)


def test_a_notice_needs_nobody_and_a_policy_may_say_so_of_a_card() -> None:
    notice = replace(YELLOW, level=Level.NOTICE)
    assert raised_once(notice).state == entry_pb2.ALERT_STATE_ISSUED
    free = Policy(confirmations={Level.YELLOW: Confirmation(False)})
    assert changes([YELLOW], [], AS_OF, free).raised[0].state == entry_pb2.ALERT_STATE_ISSUED


@pytest.mark.parametrize("state", [state for state in entry_pb2.AlertState.values() if state not in (0, 11)])
def test_what_stands_is_not_raised_again_whatever_people_made_of_it(state: int) -> None:
    known = [record(raised_once(), state)]
    assert changes([YELLOW], known, AS_OF, Policy()) == changes([], [], AS_OF, Policy())


def test_an_alert_whose_finding_is_gone_is_corrected_and_settled_ones_are_left() -> None:
    for state in entry_pb2.AlertState.values():
        corrected = changes([], [record(raised_once(), state)], AS_OF, Policy()).corrected
        settled = state in (
            entry_pb2.ALERT_STATE_CANCELLED,
            entry_pb2.ALERT_STATE_CLOSED,
            entry_pb2.ALERT_STATE_CORRECTED,
        )
        assert bool(corrected) is not settled


def test_a_correction_names_its_cause() -> None:
    known = [record(raised_once())]
    assert changes([], known, AS_OF, Policy()).corrected[0].cause == "late event"
    assert (
        changes([], known, replace(AS_OF, calendar_version="china/2"), Policy()).corrected[0].cause
        == "calendar"
    )
    assert changes([], known, replace(AS_OF, policy_version=4), Policy()).corrected[0].cause == "policy"
    assert changes([], known, AS_OF, Policy(), cause="item").corrected[0].cause == "item"


def test_a_finding_that_comes_back_begins_a_new_episode() -> None:
    first = record(raised_once(), entry_pb2.ALERT_STATE_CORRECTED)
    (again,) = changes([YELLOW], [first], AS_OF, Policy()).raised
    assert again.episode == 2
    assert again.alert_id != first.alert_id
    both = [first, record(again)]
    assert changes([YELLOW], both, AS_OF, Policy()).raised == ()
    assert changes([], both, AS_OF, Policy()).corrected[0].alert_id == again.alert_id


def test_red_does_not_close_yellow_and_the_highest_active_is_shown() -> None:
    yellow = record(raised_once())
    found = changes([YELLOW, RED], [yellow], AS_OF, Policy())
    assert [one.level for one in found.raised] == [3]
    assert found.corrected == ()
    red = record(found.raised[0])
    assert highest([yellow, red]) == 3
    assert highest([yellow, replace(red, state=entry_pb2.ALERT_STATE_CANCELLED)]) == 2
    assert highest([]) == 0


def test_ids_differ_in_every_part_of_the_key() -> None:
    keys = {
        alert_id(origin, Key(case, subject, rule, level), episode)
        for origin in ("n", "m")
        for case in ("n-1", "n-2")
        for subject in ("case", "tier")
        for rule in ("a", "b")
        for level in (1, 2)
        for episode in (1, 2)
    }
    assert len(keys) == 64
    assert all(len(one) == 24 for one in keys)


def test_an_alert_goes_only_where_it_may_and_says_why_where_it_must() -> None:
    check_move(entry_pb2.ALERT_STATE_PENDING, entry_pb2.ALERT_STATE_ISSUED)
    check_move(entry_pb2.ALERT_STATE_APPEALED, entry_pb2.ALERT_STATE_CANCELLED, "期限已延长")
    with pytest.raises(MoveRefused, match="only with a reason"):
        check_move(entry_pb2.ALERT_STATE_APPEALED, entry_pb2.ALERT_STATE_CANCELLED, " ")
    with pytest.raises(MoveRefused, match="issued cannot become cancelled"):
        check_move(entry_pb2.ALERT_STATE_ISSUED, entry_pb2.ALERT_STATE_CANCELLED, "no card without an appeal")
    with pytest.raises(MoveRefused, match="closed cannot become issued"):
        check_move(entry_pb2.ALERT_STATE_CLOSED, entry_pb2.ALERT_STATE_ISSUED)


def test_every_state_is_reached_and_every_active_one_can_end() -> None:
    reached = {entry_pb2.ALERT_STATE_PENDING, *(to for moves in MOVES.values() for to in moves)}
    assert reached == set(entry_pb2.AlertState.values()) - {
        entry_pb2.ALERT_STATE_UNSPECIFIED,
        entry_pb2.ALERT_STATE_CORRECTED,
    }
    assert reached >= REASONED
    ends = {entry_pb2.ALERT_STATE_CANCELLED, entry_pb2.ALERT_STATE_CLOSED}
    for state in MOVES:
        ahead, seen = {state}, set()
        while ahead:
            seen |= ahead
            ahead = {to for one in ahead for to in MOVES.get(one, ())} - seen
        assert seen & ends
