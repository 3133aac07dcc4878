"""Whatever people and time do to a meeting: seats, speakers, endings and what is told of them stay consistent."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from federation.errors import ZonghengError
from node.meetings.meeting import (
    MOST_SPEAKERS,
    Called,
    Gone,
    Kind,
    Meeting,
    Over,
    State,
    Step,
    Taken,
)
from node.meetings.messages import entries, meeting_in, roster
from node.meetings.visiting import changes

TOWN, NODES, PEOPLE = "t", ("t", "v1", "v2"), ("a", "b", "c")
someone = st.sampled_from(PEOPLE)
somewhere = st.sampled_from(NODES)
places = st.builds(
    Called, somewhere, person=st.sampled_from(("", *PEOPLE)), hall=st.sampled_from(("", "h")),
    officers=st.booleans(), speaks=st.booleans(),
)  # fmt: skip


class Course(RuleBasedStateMachine):
    """One meeting at its host, and beside it what a node below is told."""

    @initialize(kind=st.sampled_from(Kind), called=st.lists(places, max_size=14), joins=st.booleans())
    def opens(self, kind: Kind, called: list[Called], joins: bool) -> None:
        self.at_us = 1_000_000
        self.told: list[object] = []
        self.refused = ""
        self.sitting: set[int] = set()
        self.below: Meeting | None = None
        named = [one for one in called if one.is_somebody] or [Called("v1", hall="h")]
        own = Called(TOWN, person="a")
        speakers = [one for one in named if one.speaks][: MOST_SPEAKERS - 1]
        unique = {
            (one.node, one.person): one
            for one in [*speakers, *(o for o in named if not o.speaks)]
            if one.person
        }
        unique.pop((own.node, own.person), None)
        rest = [one for one in named if not one.person and one in speakers]
        given = [*list(unique.values())[: MOST_SPEAKERS - 1 - len(rest)], *rest] or [Called("v1", hall="h")]
        step = Meeting.open("m", kind, "", TOWN, "a", TOWN, given, self.at_us, joins=joins)
        self.meeting = step.meeting
        self.follow(step)

    def follow(self, step: Step) -> None:
        version = self.meeting.version
        for one in step.happened:
            assert not self.closes()
            match one:
                case Taken(seat):
                    assert seat.number not in self.sitting
                    self.sitting.add(seat.number)
                case Gone(seat, sat_us, rang_us):
                    assert sat_us == 0 or seat.number in self.sitting
                    assert rang_us >= 0
                    self.sitting.discard(seat.number)
            self.told.append(one)
        if step.meeting != self.meeting:
            assert step.meeting.version > version
        self.meeting = step.meeting
        assert len(entries(self.meeting, step.happened)) == len(step.happened)

    def closes(self) -> bool:
        return any(isinstance(one, Over) for one in self.told)

    def tries(self, made: object) -> None:
        try:
            step = made()  # type: ignore[operator]
        except ZonghengError as refused:
            self.refused = refused.code
        else:
            self.follow(step)

    @rule(number=st.integers(1, 16), who=someone, node=somewhere)
    def joins(self, number: int, who: str, node: str) -> None:
        self.tries(lambda: self.meeting.join(number, who, node, self.at_us))

    @rule(number=st.integers(1, 16), who=someone, node=somewhere)
    def declines(self, number: int, who: str, node: str) -> None:
        self.tries(lambda: self.meeting.decline(number, who, node, self.at_us))

    @rule(number=st.integers(1, 16), code=st.sampled_from(("", "absent")))
    def leaves(self, number: int, code: str) -> None:
        self.tries(lambda: self.meeting.leave(number, self.at_us, code))

    @rule(number=st.integers(1, 16))
    def is_removed(self, number: int) -> None:
        self.tries(lambda: self.meeting.remove(number, self.at_us))

    @rule(called=st.lists(places, min_size=1, max_size=4))
    def invites(self, called: list[Called]) -> None:
        self.tries(lambda: self.meeting.invite(called, self.at_us))

    @rule(node=st.sampled_from(("v1", "v2")))
    def is_cut_off(self, node: str) -> None:
        self.tries(lambda: self.meeting.lost([node], self.at_us))

    @rule()
    def goes_up(self) -> None:
        self.tries(lambda: self.meeting.taken_up("c", self.at_us))

    @rule()
    def is_closed(self) -> None:
        self.tries(lambda: self.meeting.close("closed", "a", TOWN, self.at_us))

    @rule(seconds=st.integers(0, 70))
    def time_passes(self, seconds: int) -> None:
        self.at_us += seconds * 1_000_000
        self.tries(lambda: self.meeting.tick(self.at_us))

    @rule()
    def a_node_below_is_told(self) -> None:
        """It hears of some states alone, and ends with the same people in the same seats."""
        happened = changes(self.below, self.meeting)
        sat = set() if self.below is None else joined(self.below)
        for one in happened:
            match one:
                case Taken(seat):
                    sat.add(seat.number)
                case Gone(seat, _, _):
                    sat.discard(seat.number)
        assert sat == joined(self.meeting)
        self.below = self.meeting

    @invariant()
    def what_was_told_is_how_it_stands(self) -> None:
        assert self.sitting == joined(self.meeting)
        assert self.meeting.is_open is not self.closes()
        assert sum(isinstance(one, Over) for one in self.told) <= 1

    @invariant()
    def what_may_not_be_is_said(self) -> None:
        assert self.refused in {"", "forbidden", "busy", "at_capacity", "bad_request", "not_found"}

    @invariant()
    def at_most_twelve_speak(self) -> None:
        speaking = [seat for seat in self.meeting.seats if seat.called.speaks and seat.is_live]
        assert len(speaking) <= MOST_SPEAKERS

    @invariant()
    def nothing_is_open_by_which_nobody_sits(self) -> None:
        live = [seat for seat in self.meeting.seats if seat.is_live]
        assert bool(live) is self.meeting.is_open
        assert [seat.number for seat in self.meeting.seats] == list(range(1, len(self.meeting.seats) + 1))

    @invariant()
    def it_survives_the_way_to_another_node(self) -> None:
        assert meeting_in(roster(self.meeting)) == self.meeting


def joined(meeting: Meeting) -> set[int]:
    return {seat.number for seat in meeting.seats if seat.state is State.JOINED}


Course.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestCourse = Course.TestCase
