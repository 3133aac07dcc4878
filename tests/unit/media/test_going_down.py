"""Streams that go down, at one node between its parent and its children: what it wishes for, what it grants, and to whom."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from zongheng.v1 import media_pb2 as wire
from zongheng.v1.viewing_pb2 import AttendRequest, AttendResponse, CarryDownTicket, CarryDownWish

from federation.errors import ZonghengError
from federation.trunk.frame import Stream
from federation.trunk.tickets import Tickets
from node.media import going_down as module
from node.media.going_down import GoingDown
from node.media.supervisor import Attached

VILLAGE, NEIGHBOUR = "990121101001", "990121101002"
SPEAKER, CAMERA = "9901/call-7-1/main", "9901/hall/main"


class Town:
    """What surrounds it; who looks and what the meetings say are sets here."""

    def __init__(self) -> None:
        self.let_in: set[str] = set()
        self.wanted: set[tuple[str, str]] = set()
        self.meeting: set[tuple[str, str]] = set()
        self.told_worker: list[wire.AttachRequest] = []
        self.told_child: list[tuple[str, AttendResponse]] = []
        self.told_parent: list[AttendRequest] = []
        self.worker: Any = Attached(1, 7600, None)  # type: ignore[arg-type]
        self.worker.say = self.told_worker.append
        self.revoked = False
        self.down = GoingDown(
            self, self, self.key_of, lambda child, message: self.told_child.append((child, message)), self.start,
            lambda: "192.0.2.1",
        )  # fmt: skip

    def is_let_in(self, stream: str) -> bool:
        return stream in self.let_in

    def is_wanted_by(self, peer: str, stream: str) -> bool:
        return (peer, stream) in self.wanted

    def may_go_down(self, stream: Stream, child: str) -> bool:
        return (str(stream), child) in self.meeting

    async def key_of(self, child: str) -> str:
        if self.revoked:
            raise ZonghengError("revoked", "its enrolment was revoked")
        return f"key of {child}"

    async def start(self) -> Attached:
        self.down.attached(self.worker)
        return self.worker  # type: ignore[no-any-return]

    def may(self, child: str, stream: str) -> None:
        """Somebody at the child is let in to a stream of a meeting."""
        self.wanted.add((child, stream))
        self.meeting.add((stream, child))

    async def wishes(self, child: str, stream: str, wish: bytes | None = None) -> bytes:
        """The child wishes; returns the wish's name."""
        named = wish or Tickets.fresh()
        await self.down.wished(child, CarryDownWish(wish=named, stream=stream))
        return named


@asynccontextmanager
async def town() -> AsyncIterator[Town]:
    made = Town()
    await made.start()
    made.down.parent_is_there(made.told_parent.append)
    yield made


async def refused(wishing: Any) -> str:
    with pytest.raises(ZonghengError) as no:
        await wishing
    return no.value.code


# What it wishes for.


async def test_a_stream_from_above_is_wished_for_and_fetched_with_the_parents_ticket() -> None:
    async with town() as here:
        here.let_in.add(SPEAKER)
        here.down.wish(b"w-1", Stream.parse(SPEAKER))
        assert here.told_parent[-1].wish == CarryDownWish(wish=b"w-1", stream=SPEAKER)
        here.down.ticketed(CarryDownTicket(wish=b"w-1", ticket=b"t-1", port=7700))
        above = here.told_worker[-1].above
        assert (above.ticket, above.shown, above.address) == (b"w-1", b"t-1", "192.0.2.1:7700")
        here.down.not_needed(b"w-1")
        assert here.told_parent[-1].wish_over.wish == b"w-1"


async def test_nothing_is_wished_for_that_nobody_was_let_in_to_or_while_nobody_is_above() -> None:
    async with town() as here:
        with pytest.raises(ZonghengError) as no:
            here.down.wish(b"w-1", Stream.parse(SPEAKER))
        assert no.value.code == "unreachable"
        here.let_in.add(SPEAKER)
        here.down.parent_left()
        with pytest.raises(ZonghengError) as no:
            here.down.wish(b"w-1", Stream.parse(SPEAKER))
        assert no.value.code == "unreachable"
        assert here.told_parent == []


@pytest.mark.parametrize("port", [0, 70_000])
async def test_a_ticket_that_names_no_port_is_refused_and_one_that_nobody_wished_for_is_nothing(
    port: int,
) -> None:
    async with town() as here:
        here.let_in.add(SPEAKER)
        here.down.wish(b"w-1", Stream.parse(SPEAKER))
        here.down.ticketed(CarryDownTicket(wish=b"w-9", ticket=b"t-1", port=7700))
        assert here.told_worker == []
        here.down.ticketed(CarryDownTicket(wish=b"w-1", ticket=b"t-1", port=port))
        assert here.told_worker[-1].refused.code == "protocol"


async def test_a_parent_that_comes_back_is_asked_anew_for_what_has_not_begun_and_one_that_stays_away_for_all() -> (
    None
):
    async with town() as here:
        here.let_in.add(SPEAKER)
        here.down.wish(b"w-1", Stream.parse(SPEAKER))
        here.down.parent_left()
        here.down.parent_is_there(here.told_parent.append)
        assert (here.told_worker[-1].refused.ticket, here.told_worker[-1].refused.unless_begun) == (
            b"w-1",
            True,
        )
        here.down.parent_stays_away()
        assert (here.told_worker[-1].refused.code, here.told_worker[-1].refused.unless_begun) == (
            "unreachable",
            False,
        )


# What it grants.


async def test_a_child_gets_a_ticket_when_the_worker_holds_the_stream_ready_for_its_key() -> None:
    async with town() as here:
        here.may(VILLAGE, SPEAKER)
        wish = await here.wishes(VILLAGE, SPEAKER)
        order = here.told_worker[-1].carry_down
        assert (order.stream, order.key) == (SPEAKER, f"key of {VILLAGE}")
        assert here.told_child == []
        here.down.ready(order.ticket)
        child, told = here.told_child[-1]
        assert child == VILLAGE
        assert told.ticket == CarryDownTicket(wish=wish, ticket=order.ticket, port=7600)
        here.down.over(order.ticket, ZonghengError("unreachable", "the call broke"))
        assert len(here.told_child) == 1  # it knows by its call
        again = await here.wishes(VILLAGE, SPEAKER)
        assert again != wish
        assert here.told_worker[-1].carry_down.ticket != order.ticket


async def test_a_hostile_child_gets_nothing_that_no_meeting_lets_it_have() -> None:
    async with town() as here:
        here.may(NEIGHBOUR, SPEAKER)
        assert await refused(here.wishes(VILLAGE, SPEAKER)) == "forbidden"
        here.wanted.add((VILLAGE, SPEAKER))  # let in, and the meeting is over since
        assert await refused(here.wishes(VILLAGE, SPEAKER)) == "forbidden"
        here.meeting.add((CAMERA, VILLAGE))  # of a meeting, and nobody below was let in
        assert await refused(here.wishes(VILLAGE, CAMERA)) == "forbidden"
        here.may(VILLAGE, SPEAKER)
        assert await refused(here.wishes(VILLAGE, "../../etc")) == "bad_request"
        assert await refused(here.wishes(VILLAGE, SPEAKER, b"short")) == "protocol"
        wish = await here.wishes(VILLAGE, SPEAKER)
        assert await refused(here.wishes(VILLAGE, SPEAKER, wish)) == "protocol"
        here.down.wish_over(VILLAGE, wish)
        here.revoked = True
        assert await refused(here.wishes(VILLAGE, SPEAKER)) == "revoked"
        orders = [each for each in here.told_worker if each.HasField("carry_down")]
        assert len(orders) == 1


async def test_a_child_has_a_bounded_number_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FOR_CHILD", 2)
    async with town() as here:
        here.may(VILLAGE, SPEAKER)
        here.may(NEIGHBOUR, SPEAKER)
        for _ in range(2):
            await here.wishes(VILLAGE, SPEAKER)
        assert await refused(here.wishes(VILLAGE, SPEAKER)) == "busy"
        await here.wishes(NEIGHBOUR, SPEAKER)


async def test_with_the_last_viewer_below_goes_the_stream_and_the_other_childs_stays() -> None:
    async with town() as here:
        here.may(VILLAGE, SPEAKER)
        here.may(NEIGHBOUR, SPEAKER)
        wish = await here.wishes(VILLAGE, SPEAKER)
        ticket = here.told_worker[-1].carry_down.ticket
        await here.wishes(NEIGHBOUR, SPEAKER)
        here.down.nobody_more(VILLAGE, SPEAKER)  # somebody else looks still
        assert not here.told_worker[-1].HasField("down_stopped")
        here.wanted.remove((VILLAGE, SPEAKER))
        here.down.nobody_more(VILLAGE, SPEAKER)
        assert here.told_worker[-1].down_stopped.ticket == ticket
        child, told = here.told_child[-1]
        assert (child, told.wish_refusal.wish, told.wish_refusal.code) == (VILLAGE, wish, "unreachable")


async def test_a_child_ends_its_own_wishes_and_none_of_its_neighbours() -> None:
    async with town() as here:
        here.may(VILLAGE, SPEAKER)
        wish = await here.wishes(VILLAGE, SPEAKER)
        here.down.wish_over(NEIGHBOUR, wish)
        assert not here.told_worker[-1].HasField("down_stopped")
        here.down.wish_over(VILLAGE, wish)
        assert here.told_worker[-1].HasField("down_stopped")
        here.down.wish_over(VILLAGE, wish)
        assert len(here.told_worker) == 2


async def test_a_worker_that_dies_takes_wishes_and_grants_with_it() -> None:
    async with town() as here:
        here.let_in.add(SPEAKER)
        here.down.wish(b"w-1", Stream.parse(SPEAKER))
        here.may(VILLAGE, SPEAKER)
        wish = await here.wishes(VILLAGE, SPEAKER)
        here.down.detached(ZonghengError("unreachable", "the media worker ended"))
        assert here.told_parent[-1].wish_over.wish == b"w-1"
        assert here.told_child[-1][1].wish_refusal.wish == wish
        here.down.child_stays_away(VILLAGE)  # there is nothing more of it
        await here.wishes(VILLAGE, SPEAKER)


class Wishing(RuleBasedStateMachine):
    """Whatever children wish for and whatever meetings and viewers do meanwhile: the worker holds nothing ready but what may go down to that child."""

    def __init__(self) -> None:
        super().__init__()
        self.here = Town()
        self.here.down.attached(self.here.worker)
        self.held: dict[bytes, tuple[str, str]] = {}
        self.read = 0

    children = st.sampled_from([VILLAGE, NEIGHBOUR])
    streams = st.sampled_from([SPEAKER, CAMERA])

    @rule(child=children, stream=streams)
    def lets_in(self, child: str, stream: str) -> None:
        self.here.may(child, stream)

    @rule(child=children, stream=streams)
    def puts_out(self, child: str, stream: str) -> None:
        self.here.wanted.discard((child, stream))
        self.here.down.nobody_more(child, stream)

    @rule(child=children, stream=streams)
    def wishes(self, child: str, stream: str) -> None:
        asked = self.here.wishes(child, stream)
        try:
            asked.send(None)
        except (StopIteration, ZonghengError):
            return
        raise AssertionError("it waits for nothing")

    @rule(stays=children)
    def stays_away(self, stays: str) -> None:
        self.here.down.child_stays_away(stays)

    @invariant()
    def nothing_else_is_held(self) -> None:
        for message in self.here.told_worker[self.read :]:
            if message.HasField("carry_down"):
                order = message.carry_down
                self.held[order.ticket] = order.key.removeprefix("key of "), order.stream
            elif message.HasField("down_stopped"):
                del self.held[message.down_stopped.ticket]
        self.read = len(self.here.told_worker)
        assert set(self.held.values()) <= self.here.wanted


Wishing.TestCase.settings = settings(max_examples=60, stateful_step_count=30)
TestWishing = Wishing.TestCase
