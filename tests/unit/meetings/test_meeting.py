"""A meeting as a value: who may take a seat, what ends it, and that nothing stays open by which nobody sits."""

import pytest

from federation.errors import ZonghengError
from node.meetings.meeting import (
    LONGEST_US,
    MOST_SPEAKERS,
    RING_US,
    Called,
    Gone,
    Kind,
    Meeting,
    Over,
    State,
    Step,
    Taken,
    camera_of,
    meeting_of,
)

CITY, TOWN, VILLAGE = "9901", "990121101", "990121101001"
S = 1_000_000
BEGAN = 1_000_000_000
RANG_OUT = BEGAN + RING_US


def at(seconds: int) -> int:
    return BEGAN + seconds * S


def opened(kind: Kind, *called: Called, host: str = TOWN, by: str = "L-1") -> Meeting:
    return Meeting.open("0123456789abcdef", kind, "防汛", host, by, host, called, BEGAN).meeting


def help_call() -> Meeting:
    return opened(Kind.HELP, Called(VILLAGE, officers=True), host=VILLAGE, by="K-1")


def states(meeting: Meeting) -> list[str]:
    return [f"{seat.state}{':' + seat.code if seat.code else ''}" for seat in meeting.seats]


def refused(code: str, step: object) -> None:
    with pytest.raises(ZonghengError) as told:
        step()  # type: ignore[operator]
    assert told.value.code == code


def test_whoever_opens_it_sits_in_it_and_the_others_ring_for_a_minute() -> None:
    meeting = opened(Kind.MEETING, Called(VILLAGE, person="C-1"), Called(CITY, person="S-1", speaks=False))
    assert states(meeting) == ["joined", "ringing", "ringing"]
    assert meeting.stream(meeting.seat(1)) == f"{TOWN}/call-0123456789abcdef-1/main"
    assert states(meeting.tick(RANG_OUT - 1).meeting) == states(meeting)
    assert states(meeting.tick(RANG_OUT).meeting) == ["joined", "unanswered", "unanswered"]


def test_how_long_it_rang_and_how_long_they_sat_is_told() -> None:
    meeting = opened(Kind.INSPECTION, Called(VILLAGE, hall="大厅"))
    joined = meeting.join(2, "C-1", VILLAGE, at(12))
    assert joined.happened == (Taken(joined.meeting.seat(2), 12 * S),)
    left = joined.meeting.leave(2, at(100))
    assert [type(one) for one in left.happened] == [Gone, Gone, Over]
    assert left.happened[0] == Gone(left.meeting.seat(2), 88 * S, 0)
    assert (left.meeting.closed, left.meeting.answered) == ("ended", left.meeting.seat(2))


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        (lambda meeting: meeting.tick(RANG_OUT), "unanswered"),
        (lambda meeting: meeting.decline(2, "C-1", VILLAGE, at(1)), "declined"),
        (lambda meeting: meeting.leave(1, at(1)), "given_up"),
        (lambda meeting: meeting.close("closed", "L-1", TOWN, at(1)), "closed"),
        (lambda meeting: meeting.tick(BEGAN + LONGEST_US), "too_long"),
        (lambda meeting: meeting.lost([VILLAGE], at(1)), "unanswered"),
    ],
)
def test_a_call_that_comes_to_nothing_says_how(ending: object, code: str) -> None:
    step: Step = ending(opened(Kind.INSPECTION, Called(VILLAGE, hall="大厅")))  # type: ignore[operator]
    assert step.meeting.closed == code
    assert not any(seat.is_live for seat in step.meeting.seats)
    assert isinstance(step.happened[-1], Over)


def test_a_meeting_goes_on_with_one_who_waits_and_ends_with_the_last() -> None:
    meeting = opened(Kind.MEETING, Called(VILLAGE, person="C-1"))
    meeting = meeting.join(2, "C-1", VILLAGE, at(1)).meeting.leave(2, at(2)).meeting
    assert meeting.is_open
    again = meeting.join(2, "C-1", VILLAGE, at(3)).meeting
    assert states(again) == ["joined", "joined"]
    assert again.leave(1, at(4)).meeting.leave(2, at(5)).meeting.closed == "ended"


def test_a_meeting_that_is_opened_for_somebody_rings_for_them_too() -> None:
    step = Meeting.open(
        "a" * 16, Kind.MEETING, "", TOWN, "L-1", TOWN, [Called(VILLAGE, person="C-1")], BEGAN, joins=False
    )
    assert (states(step.meeting), step.happened) == (["ringing", "ringing"], ())
    assert step.meeting.tick(RANG_OUT).meeting.closed == "given_up"
    assert step.meeting.decline(2, "C-1", VILLAGE, at(1)).meeting.is_open


def test_nobody_takes_a_seat_that_is_not_theirs() -> None:
    meeting = opened(Kind.MEETING, Called(VILLAGE, person="C-1"), Called(VILLAGE, hall="大厅"))
    refused("forbidden", lambda: meeting.join(2, "C-2", VILLAGE, at(1)))
    refused("forbidden", lambda: meeting.join(2, "C-1", TOWN, at(1)))
    refused("not_found", lambda: meeting.join(9, "C-1", VILLAGE, at(1)))
    taken = meeting.join(3, "C-2", VILLAGE, at(1)).meeting
    refused("busy", lambda: taken.join(3, "C-3", VILLAGE, at(2)))
    assert taken.join(3, "C-2", VILLAGE, at(2)).meeting is taken
    rung_out = meeting.tick(RANG_OUT).meeting
    refused("forbidden", lambda: rung_out.join(3, "C-2", VILLAGE, RANG_OUT + 1))
    assert rung_out.join(2, "C-1", VILLAGE, RANG_OUT + 1).meeting.sits("C-1", VILLAGE)


def test_who_is_removed_comes_back_by_a_new_invitation_alone() -> None:
    meeting = opened(Kind.MEETING, Called(VILLAGE, person="C-1")).join(2, "C-1", VILLAGE, at(1)).meeting
    removed = meeting.remove(2, at(2)).meeting
    assert states(removed) == ["joined", "left:removed"]
    assert removed.seat_for("C-1", VILLAGE, lambda called: True) == removed.seat(2)
    assert not removed.sits("C-1", VILLAGE)
    refused("forbidden", lambda: removed.join(2, "C-1", VILLAGE, at(3)))
    invited = removed.invite([Called(VILLAGE, person="C-1")], at(4)).meeting
    assert invited.join(3, "C-1", VILLAGE, at(5)).meeting.sits("C-1", VILLAGE)


def test_twelve_speak_and_a_thirteenth_may_only_watch() -> None:
    others = [Called(VILLAGE, person=f"C-{n}") for n in range(MOST_SPEAKERS - 1)]
    meeting = opened(Kind.MEETING, *others)
    more = Called(VILLAGE, person="C-99")
    refused("at_capacity", lambda: meeting.invite([more], at(1)))
    refused("at_capacity", lambda: opened(Kind.MEETING, *others, more))
    watching = meeting.invite(
        [Called(VILLAGE, person=f"W-{n}", speaks=False) for n in range(100)], at(1)
    ).meeting
    assert len(watching.seats) == 112
    left = watching.remove(2, at(2)).meeting.invite([more], at(3)).meeting
    assert left.join(113, "C-99", VILLAGE, at(4)).meeting.sits("C-99", VILLAGE)


def test_a_speaker_who_left_does_not_come_back_over_the_twelve() -> None:
    others = [Called(VILLAGE, person=f"C-{n}") for n in range(MOST_SPEAKERS - 1)]
    meeting = opened(Kind.MEETING, *others).join(2, "C-0", VILLAGE, at(1)).meeting.leave(2, at(2)).meeting
    full = meeting.invite([Called(VILLAGE, person="C-99")], at(3)).meeting
    refused("at_capacity", lambda: full.join(2, "C-0", VILLAGE, at(4)))


def test_an_officer_answers_and_it_rings_for_no_other() -> None:
    asked = help_call()
    up = asked.taken_up(TOWN, at(60)).meeting
    assert (up.host, states(up)) == (TOWN, ["joined", "ringing", "ringing"])
    answered = up.join(3, "W-7", TOWN, at(70)).meeting
    assert states(answered) == ["joined", "unanswered:answered", "joined"]
    assert answered.is_run_by("W-7", TOWN)
    assert not answered.is_run_by("K-1", VILLAGE)
    refused("bad_request", lambda: answered.taken_up(CITY, at(80)))
    assert answered.leave(1, at(90)).meeting.closed == "ended"


def test_nobody_at_a_node_that_is_gone_sits_there_any_more() -> None:
    meeting = opened(Kind.MEETING, Called(VILLAGE, person="C-1"), Called(VILLAGE, person="C-2"))
    meeting = meeting.join(2, "C-1", VILLAGE, at(1)).meeting
    lost = meeting.lost([VILLAGE], at(70))
    assert states(lost.meeting) == ["joined", "left:unreachable", "unanswered:unreachable"]
    back = lost.meeting.join(2, "C-1", VILLAGE, at(80)).meeting
    assert back.sits("C-1", VILLAGE)


def test_who_is_called_is_said_in_one_way() -> None:
    refused("bad_request", lambda: opened(Kind.MEETING))
    refused("bad_request", lambda: opened(Kind.MEETING, Called(VILLAGE)))
    refused("bad_request", lambda: opened(Kind.MEETING, Called(VILLAGE, person="C-1", hall="大厅")))
    meeting = opened(Kind.MEETING, Called(VILLAGE, person="C-1"))
    refused("bad_request", lambda: meeting.invite([Called(VILLAGE, person="C-1")], at(1)))


def test_what_is_over_is_over() -> None:
    over = help_call().close("closed", "K-1", VILLAGE, at(1)).meeting
    for step in (
        lambda: over.join(2, "W-1", VILLAGE, at(2)),
        lambda: over.invite([Called(VILLAGE, person="C-1")], at(2)),
        lambda: over.close("closed", "", "", at(2)),
        lambda: over.taken_up(TOWN, at(2)),
    ):
        refused("not_found", step)
    assert over.tick(BEGAN + LONGEST_US).meeting is over


def test_a_seats_name_leads_back_to_its_meeting() -> None:
    assert meeting_of(camera_of("0123456789abcdef", 12)) == "0123456789abcdef"
    assert meeting_of("hall-1") == ""
    assert State("joined") is State.JOINED
