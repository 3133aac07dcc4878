"""A meeting (会商) as a value: its seats, who is called, who came, and when it is over. Pure: instants are given, nothing is asked or written.

A seat is for somebody at one node: a person, whoever answers for a hall or a window of it, or whoever answers help calls there. It rings until it is taken, declined, or has rung long
enough. Numbers of seats are never given twice, so that a stream's name, which a seat's number is part of, stays one person's.

Each step gives the meeting as it is then and what happened, in order; what may not be is a `ZonghengError` and changes nothing. A step that ends the last reason to go on ends the
meeting in the same breath: nothing stays open by which nobody sits. Instants are microseconds since the epoch.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from federation.errors import ZonghengError
from federation.trunk.frame import SEATS

MOST_SPEAKERS: Final = 12
MOST_SEATS: Final = 400
"""Of a meeting, over its whole life."""

RING_US: Final = 60_000_000
"""How long a seat rings."""

LONGEST_US: Final = 12 * 3_600_000_000
"""A meeting that goes on for longer was forgotten."""


class Kind(StrEnum):
    HELP = "help"
    """Somebody in a hall asks for an officer there or above."""
    INSPECTION = "inspection"
    """A tier looks into a hall at or below it."""
    MEETING = "meeting"


class State(StrEnum):
    """Of a seat."""

    RINGING = "ringing"
    JOINED = "joined"
    LEFT = "left"
    DECLINED = "declined"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Called:
    """Who is called: one of `person`, `hall` (with or without a window) and `officers`."""

    node: str
    person: str = ""
    hall: str = ""
    window: str = ""
    officers: bool = False
    """Whoever answers help calls there."""
    speaks: bool = True

    @property
    def is_somebody(self) -> bool:
        """Exactly one of the ways to say who."""
        return [bool(self.person), bool(self.hall or self.window), self.officers].count(True) == 1


@dataclass(frozen=True, slots=True)
class Seat:
    """A place in a meeting."""

    number: int
    called: Called
    state: State
    since_us: int
    """When it became that."""
    rang_at_us: int
    """When it began to ring."""
    until_us: int = 0
    """When it rings no more; 0: it does not ring."""
    who: str = ""
    """Who took it, or declined; empty: nobody."""
    code: str = ""
    """Why it was left, where not by themselves."""
    taken_at_us: int = 0
    """When it was taken for the first time; 0: it never was."""

    @property
    def node(self) -> str:
        return self.called.node

    @property
    def is_live(self) -> bool:
        """Somebody sits there, or may come."""
        return self.state in (State.RINGING, State.JOINED)


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody took a seat."""

    seat: Seat
    rang_us: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody left a seat, or nobody came to take it."""

    seat: Seat
    sat_us: int
    rang_us: int


@dataclass(frozen=True, slots=True)
class Over:
    """The meeting is over."""


Happened = Taken | Gone | Over


@dataclass(frozen=True, slots=True)
class Step:
    """What a step makes of a meeting."""

    meeting: "Meeting"
    happened: tuple[Happened, ...] = ()

    def then(self, further: Callable[["Meeting"], "Step"]) -> "Step":
        """Another step after this one."""
        next_step = further(self.meeting)
        return Step(next_step.meeting, self.happened + next_step.happened)


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting. Make it with `open`."""

    id: str
    kind: Kind
    title: str
    host: str
    by: str
    by_node: str
    opened_at_us: int
    seats: tuple[Seat, ...] = ()
    version: int = 1
    closed: str = ""
    """Why it is over; empty: it is not."""
    closed_by: str = ""
    closed_by_node: str = ""
    closed_at_us: int = 0

    @classmethod
    def open(
        cls,
        id: str,
        kind: Kind,
        title: str,
        host: str,
        by: str,
        by_node: str,
        called: Sequence[Called],
        at_us: int,
        ring_us: int = RING_US,
        joins: bool = True,
    ) -> Step:
        """Whoever opens it speaks from the first seat, and sits there at once unless somebody opens it for them (``joins``); the others ring. Raises ZonghengError `bad_request`, `at_capacity`."""
        if not called:
            raise ZonghengError("bad_request", "name who is called: members")
        empty = cls(id, kind, title, host, by, by_node, at_us)
        theirs = Called(by_node, person=by)
        if not joins:
            return Step(empty._calling([theirs, *called], at_us, ring_us))
        own = Seat(1, theirs, State.JOINED, at_us, at_us, who=by, taken_at_us=at_us)
        return Step(replace(empty, seats=(own,))._calling(called, at_us, ring_us), (Taken(own, 0),))

    # What is asked of it.

    @property
    def is_open(self) -> bool:
        return not self.closed

    @property
    def nodes(self) -> frozenset[str]:
        """Every node with a seat, and the host."""
        return frozenset({self.host, *(seat.node for seat in self.seats)})

    @property
    def answered(self) -> Seat | None:
        """The seat that was taken first, besides that of who opened it: of a call, who answered."""
        came = [seat for seat in self.seats[1:] if seat.taken_at_us]
        return min(came, key=lambda seat: (seat.taken_at_us, seat.number), default=None)

    def seat(self, number: int) -> Seat:
        """Raises ZonghengError `not_found`."""
        for seat in self.seats:
            if seat.number == number:
                return seat
        raise ZonghengError("not_found", f"meeting {self.id} has no seat {number}")

    def stream(self, seat: Seat) -> str:
        """The stream of a seat from which somebody speaks."""
        return f"{seat.node}/{camera_of(self.id, seat.number)}/main"

    def seat_for(self, who: str, node: str, answers: Callable[[Called], bool]) -> Seat | None:
        """The seat that somebody has, had, or may take; ``answers``: whether they may answer for such a seat of their node."""
        here = [seat for seat in self.seats if seat.node == node]
        own = [seat for seat in here if seat.who == who or seat.called.person == who]
        live = [seat for seat in own if seat.is_live]
        rings = [
            seat
            for seat in here
            if seat.state is State.RINGING and not seat.called.person and answers(seat.called)
        ]
        return next(iter([*live, *rings, *reversed(own)]), None)

    def was_called(self, who: str, node: str, answers: Callable[[Called], bool]) -> bool:
        """Whether it rang for somebody, whoever answered then; ``answers`` as in `seat_for`."""
        return any(
            who in (seat.who, seat.called.person) or (not seat.called.person and answers(seat.called))
            for seat in self.seats
            if seat.node == node
        )

    def is_run_by(self, who: str, node: str) -> bool:
        """Whether somebody may invite, remove and close: who opened it; of a help call, who answered it."""
        if self.kind is not Kind.HELP:
            return (who, node) == (self.by, self.by_node)
        answered = self.answered
        return answered is not None and (who, node) == (answered.who, answered.node)

    def sits(self, who: str, node: str) -> bool:
        """Whether somebody is in it now."""
        return self.is_open and any(
            seat.state is State.JOINED and (seat.who, seat.node) == (who, node) for seat in self.seats
        )

    # Steps.

    def invite(self, called: Sequence[Called], at_us: int, ring_us: int = RING_US) -> Step:
        """Call others too. Raises ZonghengError `bad_request`, `at_capacity`, `not_found` when it is over."""
        self._must_be_open()
        return Step(self._anew(self._calling(called, at_us, ring_us).seats))

    def join(self, number: int, who: str, node: str, at_us: int) -> Step:
        """Take a seat, for the first time or again; whoever has it already keeps it. Raises ZonghengError `forbidden`, `busy` when somebody else answered, `at_capacity`."""
        self._must_be_open()
        seat = self.seat(number)
        self._theirs(seat, who, node)
        if seat.state is State.JOINED:
            if seat.who == who:
                return Step(self)
            raise ZonghengError("busy", f"{seat.who} has answered already")
        if seat.code == "removed":
            raise ZonghengError(
                "forbidden",
                f"{who} was asked to leave meeting {self.id}: ask who runs it to be invited again",
            )
        if seat.state is not State.RINGING and who not in (seat.who, seat.called.person):
            raise ZonghengError(
                "forbidden",
                f"seat {number} of meeting {self.id} rings no more: ask who runs it to be invited again",
            )
        if seat.called.speaks:
            self._room_for_speakers(1, besides=number)
        rang_us = max(0, at_us - seat.rang_at_us) if seat.state is State.RINGING else 0
        first_us = seat.taken_at_us or at_us
        taken = replace(
            seat, state=State.JOINED, since_us=at_us, until_us=0, who=who, code="", taken_at_us=first_us
        )
        step = Step(self._with(taken), (Taken(taken, rang_us),))
        return step.then(lambda one: one._answered_elsewhere(at_us)) if seat.called.officers else step

    def leave(self, number: int, at_us: int, code: str = "") -> Step:
        """Somebody leaves their seat, or is found to have left it; a seat that nobody is in is left as it is."""
        self._must_be_open()
        seat = self.seat(number)
        if seat.state is not State.JOINED:
            return Step(self)
        return self._ending([seat], State.LEFT, code, at_us).then(lambda one: one._settled(at_us))

    def decline(self, number: int, who: str, node: str, at_us: int) -> Step:
        """Say no to a seat that rings; one that does not is left as it is. Raises ZonghengError `forbidden`."""
        self._must_be_open()
        seat = self.seat(number)
        self._theirs(seat, who, node)
        if seat.state is not State.RINGING:
            return Step(self)
        return self._ending([replace(seat, who=who)], State.DECLINED, "", at_us).then(
            lambda one: one._settled(at_us)
        )

    def remove(self, number: int, at_us: int) -> Step:
        """Ask somebody to leave, or call them no more."""
        self._must_be_open()
        seat = self.seat(number)
        if not seat.is_live:
            return Step(self)
        return self._ending([seat], State.LEFT, "removed", at_us).then(lambda one: one._settled(at_us))

    def lost(self, nodes: Iterable[str], at_us: int) -> Step:
        """These nodes cannot be reached any more: their people are gone."""
        away = frozenset(nodes)
        seats = [seat for seat in self.seats if seat.node in away and seat.is_live]
        if self.closed or not seats:
            return Step(self)
        sat = [seat for seat in seats if seat.state is State.JOINED]
        rang = [seat for seat in seats if seat.state is State.RINGING]
        step = self._ending(sat, State.LEFT, "unreachable", at_us)
        step = step.then(lambda one: one._ending(rang, State.UNANSWERED, "unreachable", at_us))
        return step.then(lambda one: one._settled(at_us))

    def tick(self, at_us: int) -> Step:
        """What falls due by itself."""
        if self.closed:
            return Step(self)
        if at_us >= self.opened_at_us + LONGEST_US:
            return self.close("too_long", "", "", at_us)
        late = [seat for seat in self.seats if seat.state is State.RINGING and seat.until_us <= at_us]
        if not late:
            return Step(self)
        return self._ending(late, State.UNANSWERED, "", at_us).then(lambda one: one._settled(at_us))

    def close(self, code: str, by: str, by_node: str, at_us: int) -> Step:
        """End it for everybody. Raises ZonghengError `not_found` when it is over."""
        self._must_be_open()
        live = [seat for seat in self.seats if seat.is_live]
        step = self._ending(live, State.LEFT, "closed", at_us)
        return step.then(lambda one: one._closed(code, by, by_node, at_us))

    def taken_up(self, host: str, at_us: int, ring_us: int = RING_US) -> Step:
        """A help call goes on at the node above that takes it, and rings there too. Raises ZonghengError `bad_request` for anything else."""
        self._must_be_open()
        if self.kind is not Kind.HELP or self.answered is not None:
            raise ZonghengError("bad_request", "only a help call that nobody has answered goes up")
        rings = replace(self, host=host)._calling([Called(host, officers=True)], at_us, ring_us)
        return Step(self._anew(rings.seats, host=host))

    # What they are made of.

    def _must_be_open(self) -> None:
        if self.closed:
            raise ZonghengError("not_found", f"meeting {self.id} is over")

    def _theirs(self, seat: Seat, who: str, node: str) -> None:
        if seat.node != node or (seat.called.person and seat.called.person != who):
            raise ZonghengError(
                "forbidden", f"seat {seat.number} of meeting {self.id} is not for {who} of {node}"
            )

    def _anew(self, seats: tuple[Seat, ...], host: str = "") -> Self:
        return replace(self, seats=seats, version=self.version + 1, host=host or self.host)

    def _with(self, *changed: Seat) -> Self:
        by_number = {seat.number: seat for seat in changed}
        return self._anew(tuple(by_number.get(seat.number, seat) for seat in self.seats))

    def _calling(self, called: Sequence[Called], at_us: int, ring_us: int) -> Self:
        for one in called:
            if not one.is_somebody:
                raise ZonghengError(
                    "bad_request", "say who is called at a node: a person, a hall or window, or its officers"
                )
            if one.person and any(
                seat.is_live and seat.node == one.node and one.person in (seat.called.person, seat.who)
                for seat in self.seats
            ):
                raise ZonghengError(
                    "bad_request", f"{one.person} of {one.node} is in meeting {self.id} already"
                )
        self._room_for_speakers(sum(one.speaks for one in called))
        if len(self.seats) + len(called) > MOST_SEATS:
            raise ZonghengError("at_capacity", f"a meeting has at most {MOST_SEATS} seats")
        first = len(self.seats) + 1
        rings = tuple(
            Seat(number, one, State.RINGING, at_us, at_us, at_us + ring_us)
            for number, one in enumerate(called, first)
        )
        return replace(self, seats=(*self.seats, *rings))

    def _room_for_speakers(self, more: int, besides: int = 0) -> None:
        speaking = sum(seat.is_live and seat.called.speaks and seat.number != besides for seat in self.seats)
        if speaking + more > MOST_SPEAKERS:
            raise ZonghengError(
                "at_capacity",
                f"at most {MOST_SPEAKERS} speak in a meeting: call others as watchers, or let somebody leave first",
            )

    def _ending(self, seats: Sequence[Seat], state: State, code: str, at_us: int) -> "Step":
        """These seats are not live any more."""
        ended, happened = [], []
        for seat in seats:
            before = self.seat(seat.number)
            after = replace(seat, state=state, since_us=at_us, until_us=0, code=code)
            ended.append(after)
            ringing = before.state is State.RINGING
            spent_us = max(0, at_us - (before.rang_at_us if ringing else before.since_us))
            happened.append(Gone(after, 0 if ringing else spent_us, spent_us if ringing else 0))
        return Step(self._with(*ended), tuple(happened)) if seats else Step(self)

    def _answered_elsewhere(self, at_us: int) -> "Step":
        rings = [seat for seat in self.seats if seat.state is State.RINGING and seat.called.officers]
        return self._ending(rings, State.UNANSWERED, "answered", at_us)

    def _settled(self, at_us: int) -> "Step":
        """The meeting ends where nobody is left to meet."""
        here = [seat for seat in self.seats if seat.state is State.JOINED]
        rings = any(seat.state is State.RINGING for seat in self.seats)
        begins = rings and not any(seat.taken_at_us for seat in self.seats)
        if self.closed or begins or (here and (rings or len(here) > 1 or self.kind is Kind.MEETING)):
            return Step(self)
        if self.answered is not None:
            code = "ended"
        elif not here:
            code = "given_up"
        else:
            declined = any(seat.state is State.DECLINED for seat in self.seats)
            code = "declined" if declined else "unanswered"
        return self.close(code, "", "", at_us)

    def _closed(self, code: str, by: str, by_node: str, at_us: int) -> "Step":
        over = replace(
            self._anew(self.seats), closed=code, closed_by=by, closed_by_node=by_node, closed_at_us=at_us
        )
        return Step(over, (Over(),))


def camera_of(meeting: str, number: int) -> str:
    """The name of a seat's stream at its node, where a camera's code would be."""
    return f"{SEATS}{meeting}-{number}"


def meeting_of(camera: str) -> str:
    """The meeting whose seat's stream has this name; empty: it is a camera's."""
    if not camera.startswith(SEATS):
        return ""
    return camera.removeprefix(SEATS).rpartition("-")[0]
