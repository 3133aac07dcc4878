"""A stream goes down over real gRPC, to the child that dials: as whole as one that goes up, and to nobody but who was given the ticket."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
import pytest
from zongheng.v1 import trunk_pb2 as wire
from zongheng.v1.trunk_pb2_grpc import TrunkServiceStub

from federation.errors import ZonghengError
from federation.identity.authority import fingerprint
from federation.trunk import sending, trunk
from federation.trunk.carry import Fetcher
from federation.trunk.frame import Frame
from federation.trunk.hub import Hub, State
from federation.trunk.tickets import Tickets
from federation.trunk.trunk import Passage
from tests.certified import Certifying
from tests.unit.trunk.pair import Above, eventually
from tests.unit.trunk.test_carry import refusal
from tests.unit.trunk.units import STREAM, picture, pictures, seqs, sound


@pytest.fixture
async def above() -> Any:
    async with Above().serving() as parent:
        yield parent


class Below:
    """A child's hub, and somebody who watches there."""

    def __init__(self) -> None:
        self.hub = Hub(STREAM, time.monotonic_ns)
        self.got: list[Frame] = []
        self.hub.join(self.got.append)


def offered(above: Above) -> tuple[bytes, Passage]:
    """A ticket for the village, good for what the parent's hub has."""
    ticket = Tickets.fresh()
    key = fingerprint(above.village.tls_key.public_key())
    return ticket, above.trunk.going.expect(above.hub, ticket, key)


@asynccontextmanager
async def fetching(
    above: Above, hub: Hub, by: Certifying | None = None
) -> AsyncIterator[tuple[Passage, "asyncio.Task[ZonghengError | None]"]]:
    """The parent's stream on its way down."""
    ticket, passage = offered(above)
    async with above.dialled(by) as channel, asyncio.TaskGroup() as tasks:
        run = tasks.create_task(outcome(Fetcher(hub, ticket, time.monotonic_ns), channel))
        try:
            yield passage, run
        finally:
            run.cancel()


async def outcome(fetcher: Fetcher, channel: grpc.aio.Channel) -> ZonghengError | None:
    try:
        return await fetcher.run(channel)
    except ZonghengError as error:
        return error


async def test_a_stream_goes_down_as_it_is_the_pictures_since_the_keyframe_first(above: Above) -> None:
    sent = [*pictures(0, 3), sound(0), *pictures(3, 2)]
    for frame in sent:
        above.hub.put(frame)
    below = Below()
    async with fetching(above, below.hub):
        await eventually(lambda: len(below.got) == 6)
        for frame in pictures(5, 40):
            above.hub.put(frame)
        await eventually(lambda: len(below.got) == 46)
    assert below.got[:6] == sent
    assert [frame for frame in below.got if frame.track == 0] == list(pictures(0, 45))
    await eventually(lambda: above.hub.watchers == 1)  # whoever watches at the parent


async def test_after_a_break_it_goes_on_where_it_broke_off(above: Above) -> None:
    below = Below()
    for first in (0, 5):
        for frame in pictures(first, 5, every=100):
            above.hub.put(frame)
        async with fetching(above, below.hub):
            await eventually(lambda first=first: len(below.got) == first + 5)  # type: ignore[misc]
    assert seqs(below.got) == list(range(10))


async def test_a_request_for_a_keyframe_goes_up_and_what_becomes_of_the_source_comes_down(
    above: Above,
) -> None:
    asked = list[int]()
    above.hub.ask_keyframe = lambda: asked.append(1)
    above.hub.put(picture(0, True))
    below = Below()
    async with fetching(above, below.hub) as (_, run):
        await eventually(lambda: len(below.got) == 1)
        below.hub.want_keyframe()
        await eventually(lambda: bool(asked))
        above.hub.lost(ZonghengError("unreachable", "the phone has no network"))
        await eventually(lambda: below.hub.state is State.LOST)
        assert below.hub.error is not None
        assert below.hub.error.detail == "the phone has no network"
        above.hub.put(picture(1))
        await eventually(lambda: below.hub.state is State.LIVE)
        above.hub.end(ZonghengError("not_found", "they have left"))
        told = await run
        assert told is not None
        assert (told.code, told.detail) == ("not_found", "they have left")


async def test_what_a_child_may_not_have_any_more_ends_at_once(above: Above) -> None:
    above.hub.put(picture(0, True))
    below = Below()
    ticket, passage = offered(above)
    async with above.dialled() as channel:
        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(outcome(Fetcher(below.hub, ticket, time.monotonic_ns), channel))
            await eventually(lambda: len(below.got) == 1)
            above.trunk.going.forget(ticket, ZonghengError("unreachable", "the meeting is over"))
            told = await run
        assert told is not None
        assert (told.code, told.detail) == ("unreachable", "the meeting is over")
        assert passage.is_over
        await eventually(lambda: above.hub.watchers == 1)
        # The ticket was used: it opens nothing again.
        again = await outcome(Fetcher(below.hub, ticket, time.monotonic_ns), channel)
        assert again is not None
        assert again.code == "unreachable"


async def test_a_child_that_dies_or_freezes_holds_nothing_open(
    above: Above, monkeypatch: pytest.MonkeyPatch
) -> None:
    above.hub.put(picture(0, True))
    below = Below()
    ticket, passage = offered(above)
    async with above.dialled() as channel, asyncio.TaskGroup() as tasks:
        run = tasks.create_task(outcome(Fetcher(below.hub, ticket, time.monotonic_ns), channel))
        await eventually(lambda: len(below.got) == 1)
        await channel.close(None)
        await run
    await eventually(lambda: passage.is_over and above.hub.watchers == 1)
    monkeypatch.setattr(sending, "SILENCE_S", 0.5)
    ticket, passage = offered(above)
    async with above.dialled() as channel:
        call = await opened(channel, ticket)
        await call.write(wire.CarryDownRequest(taken=wire.CarryResponse()))
        told = await passage.carried(120)  # it says nothing more
        assert told is not None
        assert told.code == "unreachable"
        await eventually(lambda: above.hub.watchers == 1)
        call.cancel()


# Who may fetch what.


async def opened(channel: grpc.aio.Channel, ticket: bytes, stream: str = STREAM) -> Any:
    """A call as somebody makes it who does not use our code."""
    stub: Any = TrunkServiceStub(channel)
    call = stub.CarryDown()
    await call.write(wire.CarryDownRequest(opening=wire.CarryOpening(ticket=ticket, stream=stream)))
    return call


async def test_a_ticket_is_good_once_for_one_child_and_one_stream_and_one_direction(above: Above) -> None:
    above.hub.put(picture(0, True))
    ticket, _ = offered(above)
    upward, _ = above.order()
    async with above.dialled(above.other) as sibling:
        assert await refusal(await opened(sibling, ticket)) == "forbidden"
    async with above.dialled() as channel:
        assert await refusal(await opened(channel, Tickets.fresh())) == "forbidden"
        assert await refusal(await opened(channel, ticket, "990102002/hall/main")) == "forbidden"
        assert await refusal(await opened(channel, upward)) == "forbidden"
        first = await opened(channel, ticket)
        await first.write(wire.CarryDownRequest(taken=wire.CarryResponse()))
        assert (await first.read()).frames.frames[0].seq == 0
        assert await refusal(await opened(channel, ticket)) == "forbidden"
        first.cancel()
        withdrawn, _ = offered(above)
        above.trunk.going.forget(withdrawn)
        assert await refusal(await opened(channel, withdrawn)) == "forbidden"


@pytest.mark.parametrize(
    "message",
    [
        wire.CarryDownRequest(),
        wire.CarryDownRequest(opening=wire.CarryOpening(stream=STREAM)),
        wire.CarryDownRequest(taken=wire.CarryResponse(taken_bytes=1 << 40)),
    ],
    ids=["nothing", "another opening", "more than was sent"],
)
async def test_a_child_that_says_nonsense_is_sent_away(above: Above, message: Any) -> None:
    above.hub.put(picture(0, True))
    ticket, _ = offered(above)
    async with above.dialled() as channel:
        call = await opened(channel, ticket)
        await call.write(wire.CarryDownRequest(taken=wire.CarryResponse()))
        await call.write(message)
        assert await refusal(call) == "protocol"
    assert above.hub.watchers == 1


async def test_who_shows_a_ticket_and_says_nothing_more_is_sent_away(
    above: Above, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trunk, "FIRST_S", 0.3)
    ticket, passage = offered(above)
    async with above.dialled() as channel:
        assert await refusal(await opened(channel, ticket)) == "protocol"
    assert passage.is_over
