"""A stream goes up over real gRPC: whole, in order, again after a break, and never more than either side can hold."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio
import pytest
from zongheng.v1 import trunk_pb2 as wire
from zongheng.v1.trunk_pb2_grpc import TrunkServiceStub

from federation.errors import ZonghengError, from_rpc
from federation.trunk import sending, trunk
from federation.trunk.backlog import MOST_BYTES
from federation.trunk.carry import Carrier
from federation.trunk.flow import BURST_BYTES, WINDOW_BYTES
from federation.trunk.frame import MAX_UNIT_BYTES
from federation.trunk.hub import Hub, State
from federation.trunk.tickets import Tickets
from federation.trunk.wire import carried
from tests.unit.trunk import pair
from tests.unit.trunk.pair import Above, carrying, eventually, outcome
from tests.unit.trunk.units import STREAM, Clock, picture, pictures, seqs, sound


@pytest.fixture(params=[False, True], ids=["a call for each", "in a bundle"])
async def above(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pair, "in_bundle", request.param)
    async with Above().serving() as parent:
        yield parent


def below() -> Hub:
    return Hub(STREAM, time.monotonic_ns)


async def test_a_stream_goes_up_as_it_is_the_pictures_since_the_keyframe_first(above: Above) -> None:
    hub = below()
    sent = [*pictures(0, 3), sound(0), *pictures(3, 2)]
    for frame in sent:
        hub.put(frame)
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 6)
        for frame in pictures(5, 40):
            hub.put(frame)
        await eventually(lambda: len(above.got) == 46)
    assert above.got[:6] == sent
    assert [frame for frame in above.got if frame.track == 0] == list(pictures(0, 45))
    assert hub.watchers == 0


async def test_after_a_break_the_stream_goes_on_where_it_broke_off(above: Above) -> None:
    hub = below()
    for frame in pictures(0, 5, every=100):
        hub.put(frame)
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 5)
    for frame in pictures(5, 5, every=100):
        hub.put(frame)
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 10)
    assert seqs(above.got) == list(range(10))


@pytest.mark.parametrize("next_seq", [5, 10], ids=["what refers to it", "a keyframe"])
async def test_a_stream_that_was_still_for_a_while_goes_on_when_it_is_wanted_again(
    above: Above, next_seq: int
) -> None:
    clock = Clock()
    hub = Hub(STREAM, clock)
    for frame in pictures(0, 5):
        hub.put(frame)
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 5)
    clock.move(3)
    async with carrying(above, hub):
        await eventually(lambda: hub.watchers == 1)
        for frame in pictures(next_seq, 3):
            hub.put(frame)
        await eventually(lambda: len(above.got) == 8, 20)
    assert seqs(above.got)[5:] == [next_seq, next_seq + 1, next_seq + 2]


async def test_sound_goes_on_where_it_broke_off_while_pictures_are_still(above: Above) -> None:
    clock = Clock()
    hub = Hub(STREAM, clock)
    for frame in [picture(0, True), sound(0), picture(1), sound(1)]:
        hub.put(frame)
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 4)
    clock.move(3)
    async with carrying(above, hub):
        await eventually(lambda: hub.watchers == 1)
        hub.put(sound(2))
        await eventually(lambda: len(above.got) == 5)
        for frame in [picture(2), sound(3)]:
            hub.put(frame)
        await eventually(lambda: len(above.got) == 7)
    assert [(frame.track, frame.seq) for frame in above.got[4:]] == [(1, 2), (0, 2), (1, 3)]


async def test_a_source_that_begins_anew_before_anything_was_sent_on_the_new_call_is_followed(
    above: Above,
) -> None:
    hub = below()
    for frame in pictures(500, 5):
        hub.put(frame)
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 5)
    async with carrying(above, hub):
        await eventually(lambda: hub.watchers == 1)
        hub.restart()
        for frame in pictures(0, 3):
            hub.put(frame)
        await eventually(lambda: len(above.got) == 8)
    assert seqs(above.got) == [500, 501, 502, 503, 504, 0, 1, 2]


async def test_a_source_that_begins_anew_is_followed_from_its_first_keyframe(above: Above) -> None:
    hub = below()
    for frame in pictures(500, 5):
        hub.put(frame)
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 5)
        hub.restart()
        for frame in pictures(0, 3):
            hub.put(frame)
        await eventually(lambda: len(above.got) == 8)
    assert seqs(above.got) == [500, 501, 502, 503, 504, 0, 1, 2]


async def test_a_camera_that_was_started_again_while_the_way_was_broken_is_followed(above: Above) -> None:
    first, second = below(), below()
    for frame in pictures(500, 5):
        first.put(frame)
    async with carrying(above, first):
        await eventually(lambda: len(above.got) == 5)
    for frame in pictures(0, 3):
        second.put(frame)
    async with carrying(above, second):
        await eventually(lambda: len(above.got) == 8)
    assert seqs(above.got)[5:] == [0, 1, 2]


async def test_a_request_for_a_keyframe_goes_down_to_the_source(above: Above) -> None:
    hub, asked = below(), list[int]()
    hub.ask_keyframe = lambda: asked.append(1)
    hub.put(picture(0, True))
    async with carrying(above, hub):
        await eventually(lambda: len(above.got) == 1)
        above.hub.want_keyframe()
        await eventually(lambda: bool(asked))


async def test_why_a_stream_is_lost_is_told_above_and_that_it_came_back(above: Above) -> None:
    hub = below()
    hub.put(picture(0, True))
    async with carrying(above, hub):
        await eventually(lambda: above.hub.state is State.LIVE)
        hub.lost(ZonghengError("unreachable", "the camera does not answer"))
        await eventually(lambda: above.hub.state is State.LOST)
        assert above.hub.error is not None
        assert above.hub.error.detail == "the camera does not answer"
        hub.put(picture(1))
        await eventually(lambda: above.hub.state is State.LIVE)


async def test_an_end_goes_up_with_its_reason(above: Above) -> None:
    hub = below()
    hub.put(picture(0, True))
    async with carrying(above, hub) as (landing, run):
        await eventually(lambda: len(above.got) == 1)
        hub.end(ZonghengError("not_found", "the camera was removed"))
        told = await landing.carried(120)
        assert told is not None
        assert (told.code, told.detail) == ("not_found", "the camera was removed")
        assert (await run) is not None


async def test_what_nobody_above_needs_any_more_ends_in_order(above: Above) -> None:
    hub = below()
    hub.put(picture(0, True))
    ticket, landing = above.order()
    async with above.dialled() as channel, asyncio.TaskGroup() as tasks:
        run = tasks.create_task(outcome(Carrier(hub, ticket, time.monotonic_ns), channel))
        await eventually(lambda: len(above.got) == 1)
        above.trunk.coming.forget(ticket)
        assert await run is None
    assert landing.is_over
    assert hub.watchers == 0


async def test_a_sender_that_dies_is_noticed_and_nothing_of_it_stays(above: Above) -> None:
    hub = below()
    hub.put(picture(0, True))
    ticket, landing = above.order()
    async with above.dialled() as channel, asyncio.TaskGroup() as tasks:
        run = tasks.create_task(outcome(Carrier(hub, ticket, time.monotonic_ns), channel))
        await eventually(lambda: len(above.got) == 1)
        await channel.close(None)
        told = await landing.carried(120)
        assert told is not None
        assert told.code == "unreachable"
        await run
    assert hub.watchers == 0


async def test_a_child_that_freezes_is_given_up(above: Above, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "SILENCE_S", 0.5)
    ticket, landing = above.order()
    async with above.dialled() as channel:
        call = await opened(channel, ticket)
        told = await landing.carried(120)
        assert told is not None
        assert told.code == "unreachable"
        call.cancel()


async def test_a_reader_that_freezes_holds_nothing_open_and_costs_no_more_than_its_bounds(
    above: Above, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent's worker stops reading: what the child keeps for it stays bounded, and its seat is free again."""
    monkeypatch.setattr(sending, "SILENCE_S", 2.0)
    froze = asyncio.Event()

    async def frozen(context: Any, landing: Any) -> None:
        await context.write(wire.CarryResponse())
        froze.set()
        await asyncio.sleep(3_600)

    monkeypatch.setattr(above.trunk, "land", frozen)
    hub = below()
    ticket, _ = above.order()
    carrier = Carrier(hub, ticket, time.monotonic_ns)
    async with above.dialled() as channel, asyncio.TaskGroup() as tasks:
        run = tasks.create_task(outcome(carrier, channel))
        await froze.wait()
        seq = 0
        while not run.done():
            hub.put(picture(seq, seq % 50 == 0, size=100_000))
            seq += 1
            assert carrier.sender.waiting_bytes <= MOST_BYTES
            assert carrier.sender.under_way_bytes <= WINDOW_BYTES + 100_000
            await asyncio.sleep(0.002)
        told = await run
        assert told is not None
        assert told.code == "unreachable"
    assert hub.watchers == 0


async def test_a_slow_reader_gets_new_pictures_and_not_old_ones(above: Above) -> None:
    """Below there are five keyframes a second; above, each message takes as long as four frames."""
    slow = above.hub.put

    hub = below()
    ticket, _ = above.order()
    carrier = Carrier(hub, ticket, time.monotonic_ns)
    late: list[float] = []

    def put(frame: Any) -> None:
        time.sleep(0.03)  # the whole event loop is behind
        late.append(time.time() - frame.captured_ns / 1e9)
        slow(frame)

    above.hub.put = put  # type: ignore[method-assign]
    async with above.dialled() as channel, asyncio.TaskGroup() as tasks:
        run = tasks.create_task(outcome(carrier, channel))
        async with asyncio.timeout(120):
            seq = 0
            while len(late) < 60:
                frame = picture(seq, seq % 5 == 0, size=60_000)
                hub.put(
                    type(frame)(
                        0, seq, frame.pts_90k, time.time_ns(), frame.keyframe, frame.codec, frame.unit
                    )
                )
                seq += 1
                await asyncio.sleep(0.001)
        run.cancel()
    numbers = seqs(above.got)
    assert numbers == sorted(set(numbers))
    for before, after in zip(above.got, above.got[1:], strict=False):
        assert after.keyframe or after.seq == before.seq + 1


# Who may bring what.


async def opened(channel: grpc.aio.Channel, ticket: bytes, stream: str = STREAM) -> Any:
    """A call as somebody makes it who does not use our code."""
    stub: Any = TrunkServiceStub(channel)
    call = stub.Carry()
    await call.write(wire.CarryRequest(opening=wire.CarryOpening(ticket=ticket, stream=stream)))
    return call


async def refusal(call: Any) -> str:
    """The code with which a call is ended."""
    try:
        async with asyncio.timeout(120):
            while await call.read() is not grpc.aio.EOF:  # type: ignore[attr-defined]
                pass
            code = await call.code()
            if code is grpc.StatusCode.OK:
                return ""
            metadata = dict(await call.trailing_metadata())
            return str(metadata.get("zongheng-code", code))
    except grpc.aio.AioRpcError as error:
        return from_rpc(error).code


async def test_a_ticket_that_was_never_given_opens_nothing(above: Above) -> None:
    above.order()
    async with above.dialled() as channel:
        assert await refusal(await opened(channel, Tickets.fresh())) == "forbidden"
    assert above.got == []


async def test_a_ticket_opens_one_call(above: Above) -> None:
    ticket, _ = above.order()
    async with above.dialled() as channel:
        first = await opened(channel, ticket)
        await first.read()
        assert await refusal(await opened(channel, ticket)) == "forbidden"
        first.cancel()


async def test_a_ticket_is_good_for_the_key_that_it_was_given_to(above: Above) -> None:
    ticket, _ = above.order()
    async with above.dialled(above.other) as channel:
        assert await refusal(await opened(channel, ticket)) == "forbidden"
    async with above.dialled() as channel:
        call = await opened(channel, ticket)
        assert (await call.read()).taken_bytes == 0
        call.cancel()


async def test_a_ticket_is_good_for_its_stream_alone(above: Above) -> None:
    ticket, _ = above.order()
    async with above.dialled() as channel:
        assert await refusal(await opened(channel, ticket, "990102002/hall/main")) == "forbidden"


async def test_a_ticket_runs_out_and_can_be_withdrawn(above: Above) -> None:
    ticket, _ = above.order()
    above.trunk.coming.forget(ticket)
    async with above.dialled() as channel:
        assert await refusal(await opened(channel, ticket)) == "forbidden"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (wire.CarryRequest(), "protocol"),
        (wire.CarryRequest(opening=wire.CarryOpening(stream=STREAM)), "protocol"),
        (wire.CarryRequest(frames=wire.CarriedFrames(frames=[wire.CarriedFrame()])), "protocol"),
        (
            wire.CarryRequest(
                frames=wire.CarriedFrames(
                    frames=[wire.CarriedFrame(track=1, codec=wire.CARRIED_CODEC_H264, unit=b"x")]
                )
            ),
            "protocol",
        ),
        (
            wire.CarryRequest(
                frames=wire.CarriedFrames(
                    frames=[wire.CarriedFrame(codec=wire.CARRIED_CODEC_H264, unit=bytes(MAX_UNIT_BYTES + 1))]
                )
            ),
            "too_large",
        ),
    ],
    ids=["nothing", "a second opening", "an empty frame", "pictures as sound", "a frame too large"],
)
async def test_what_is_no_frame_ends_the_call(above: Above, message: wire.CarryRequest, code: str) -> None:
    ticket, landing = above.order()
    async with above.dialled() as channel:
        call = await opened(channel, ticket)
        await call.read()
        await call.write(message)
        assert await refusal(call) == code
        told = await landing.carried(120)
        assert told is not None
        assert told.code == code


async def test_a_flood_is_refused_with_what_to_do(above: Above) -> None:
    ticket, landing = above.order()
    async with above.dialled() as channel:
        call = await opened(channel, ticket)
        await call.read()
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the parent has ended the call
            for seq in range(10 * BURST_BYTES // 1_000_000):
                frames = [carried(picture(seq, True, size=1_000_000))]
                await call.write(wire.CarryRequest(frames=wire.CarriedFrames(frames=frames)))
        told = await landing.carried(120)
        assert told is not None
        assert told.code == "too_large"
        assert "Mb/s" in told.detail
        assert sum(len(frame.unit) for frame in above.got) <= BURST_BYTES * 2


async def test_who_shows_nothing_is_sent_away(above: Above, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trunk, "FIRST_S", 0.3)
    async with above.dialled() as channel:
        stub: Any = TrunkServiceStub(channel)
        call = stub.Carry()
        await call.wait_for_connection()
        assert await refusal(call) == "protocol"


async def test_a_child_whose_order_nobody_answers_is_not_waited_for_for_ever(above: Above) -> None:
    _, landing = above.order()
    with pytest.raises(ZonghengError) as late:
        await landing.carried(0.05)
    assert late.value.code == "unreachable"


async def test_a_parent_that_acknowledges_what_it_was_not_sent_is_found_out(
    above: Above, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lying(context: Any, landing: Any) -> None:
        await context.write(wire.CarryResponse())
        await context.write(wire.CarryResponse(taken_bytes=1 << 40))
        await asyncio.sleep(3_600)

    monkeypatch.setattr(above.trunk, "land", lying)
    async with carrying(above, below()) as (_, run):
        told = await run
        assert told is not None
        assert told.code == "protocol"
