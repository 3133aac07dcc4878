"""Many streams over one call: each goes as if it were alone, and what one does harms no other."""

import asyncio
import time
from typing import Any

import pytest
from zongheng.v1 import trunk_pb2 as wire

from federation.errors import ZonghengError
from federation.trunk import bundle as module
from federation.trunk.bundle import EOF, Incoming, Lane, Outgoing
from federation.trunk.carry import Carrier
from federation.trunk.frame import MAX_UNIT_BYTES, Frame
from federation.trunk.hub import Hub
from tests.unit.trunk.pair import Above, eventually
from tests.unit.trunk.units import picture, pictures

MANY = 12


async def test_many_streams_share_a_call_and_each_comes_whole() -> None:
    streams = [f"990102001/c{number}/main" for number in range(MANY)]
    here = [Hub(stream, time.monotonic_ns) for stream in streams]
    there = [Hub(stream, time.monotonic_ns) for stream in streams]
    got: list[list[Frame]] = [[] for _ in streams]
    for hub, taken in zip(there, got, strict=True):
        hub.join(taken.append)
    async with Above().serving() as above, above.dialled() as channel, asyncio.TaskGroup() as tasks:
        landings = [above.order(hub) for hub in there]
        outgoing = Outgoing(channel)
        running = tasks.create_task(outgoing.run())
        carrying = [
            tasks.create_task(Carrier(hub, ticket, time.monotonic_ns).run_over(outgoing.open()))
            for hub, (ticket, _) in zip(here, landings, strict=True)
        ]
        for frame in pictures(0, 100, every=1_000):
            for hub in here:
                hub.put(frame)
            await asyncio.sleep(0)
        await eventually(lambda: all(len(taken) == 100 for taken in got))
        # One of them is not needed any more: nobody else notices.
        above.trunk.coming.forget(landings[0][0])
        assert await carrying[0] is None
        for frame in pictures(100, 5, every=1_000):
            for hub in here:
                hub.put(frame)
        await eventually(lambda: all(len(taken) == 105 for taken in got[1:]))
        assert got[0] == list(pictures(0, 100, every=1_000))
        assert got[1:] == [list(pictures(0, 105, every=1_000))] * (MANY - 1)
        for hub in here:
            hub.end()
        assert [await one for one in carrying] == [None] * MANY
        running.cancel()


async def test_who_is_refused_hears_why_and_the_others_go_on() -> None:
    async with Above().serving() as above, above.dialled() as channel, asyncio.TaskGroup() as tasks:
        hub = Hub(above.hub.stream, time.monotonic_ns)
        ticket, _ = above.order()
        outgoing = Outgoing(channel)
        running = tasks.create_task(outgoing.run())
        carrying = tasks.create_task(Carrier(hub, ticket, time.monotonic_ns).run_over(outgoing.open()))
        hub.put(picture(0, True))
        await eventually(lambda: len(above.got) == 1)
        with pytest.raises(ZonghengError) as refused:
            await Carrier(hub, b"x" * 24, time.monotonic_ns).run_over(outgoing.open())
        assert refused.value.code == "forbidden"
        hub.put(picture(1, False))
        await eventually(lambda: len(above.got) == 2)
        carrying.cancel()
        running.cancel()


async def test_a_call_that_breaks_takes_every_stream_with_it_and_begins_none() -> None:
    async with Above().serving() as above, above.dialled() as channel, asyncio.TaskGroup() as tasks:
        outgoing = Outgoing(channel)
        running = tasks.create_task(outgoing.run())
        orders = [above.order(), above.order()]
        hub = Hub(above.hub.stream, time.monotonic_ns)
        carrying = [
            tasks.create_task(_outcome(Carrier(hub, ticket, time.monotonic_ns), outgoing.open()))
            for ticket, _ in orders
        ]
        await eventually(lambda: all(landing.has_begun for _, landing in orders))
        await channel.close(None)
        assert [await one for one in carrying] == ["unreachable", "unreachable"]
        for _, landing in orders:
            told = await landing.carried(120)
            assert told is not None
            assert told.code == "unreachable"
        await asyncio.wait([running])
        with pytest.raises(ZonghengError):
            outgoing.open()


async def _outcome(carrier: Carrier, lane: Lane) -> str:
    try:
        await carrier.run_over(lane)
    except ZonghengError as error:
        return error.code
    return ""


# Lanes, without a call.


class Wire:
    """What a bundle says."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.begun: list[Lane] = []
        self.incoming = Incoming(self.begun.append)
        self._to_hear: asyncio.Queue[Any] = asyncio.Queue()

    async def write(self, message: Any) -> None:
        self.said.append(message)

    async def read(self) -> Any:
        return await self._to_hear.get()

    def hears(self, *parts: wire.BundledPart) -> None:
        self._to_hear.put_nowait(wire.CarryManyRequest(parts=parts))

    def ends(self) -> None:
        self._to_hear.put_nowait(EOF)


def beat(lane: int, **more: Any) -> wire.BundledPart:
    said = wire.CarryRequest(frames=wire.CarriedFrames()).SerializeToString()
    return wire.BundledPart(lane=lane, said=said, **more)


async def test_what_waits_goes_together_and_lanes_take_turns() -> None:
    there = Wire()
    there.hears(beat(1), beat(2))
    there.ends()
    await there.incoming.hear(there)
    one, two = there.begun
    async with asyncio.TaskGroup() as tasks:
        for number in range(3):
            await one.write(wire.CarryResponse(taken_bytes=number))
        await two.write(wire.CarryResponse(taken_bytes=9))
        speaking = tasks.create_task(there.incoming.speak(there.write, wire.CarryManyResponse))
        await eventually(lambda: bool(there.said))
        speaking.cancel()
    (message,) = there.said
    assert [part.lane for part in message.parts] == [1, 2, 1, 1]


async def test_who_writes_faster_than_is_sent_waits_and_holds_nobody_up() -> None:
    there = Wire()
    there.hears(beat(1), beat(2))
    there.ends()
    await there.incoming.hear(there)
    fast, other = there.begun
    large = wire.CarryResponse(seen=[wire.CarriedFrame(unit=bytes(module.LANE_BYTES))])
    async with asyncio.TaskGroup() as tasks:

        async def write_fast() -> None:
            for _ in range(5):
                await fast.write(large)

        writing = tasks.create_task(write_fast())
        await asyncio.sleep(0.01)
        assert not writing.done()
        await other.write(wire.CarryResponse(taken_bytes=1))
        speaking = tasks.create_task(there.incoming.speak(there.write, wire.CarryManyResponse))
        await writing
        await eventually(lambda: sum(len(message.parts) for message in there.said) == 6)
        speaking.cancel()
    assert 2 in [part.lane for part in there.said[0].parts]


async def test_a_lane_that_does_not_read_is_ended_and_what_comes_for_it_is_nobodys() -> None:
    there = Wire()
    large = wire.BundledPart(lane=1, said=bytes(MAX_UNIT_BYTES))
    there.hears(large, large, large, large, beat(2))
    there.ends()
    await there.incoming.hear(there)
    assert len(there.begun) == 2
    assert isinstance(await there.begun[1].read(), wire.CarryRequest)
    with pytest.raises(ZonghengError) as ended:
        await there.begun[0].write(wire.CarryResponse())
    assert ended.value.code == "protocol"


async def test_a_child_opens_so_many_lanes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LANES", 3)
    there = Wire()
    there.hears(*(beat(number) for number in range(1, 6)))
    there.ends()
    async with asyncio.TaskGroup() as tasks:
        await there.incoming.hear(there)
        speaking = tasks.create_task(there.incoming.speak(there.write, wire.CarryManyResponse))
        await eventually(lambda: bool(there.said))
        speaking.cancel()
    assert len(there.begun) == 3
    assert [(part.lane, part.code) for part in there.said[0].parts] == [(4, "busy"), (5, "busy")]


async def test_a_lane_ends_in_order_for_who_reads_what_was_said_before() -> None:
    there = Wire()
    there.hears(beat(1), beat(1, over=True), wire.BundledPart(lane=7, over=True))
    there.ends()
    await there.incoming.hear(there)
    (lane,) = there.begun
    assert isinstance(await lane.read(), wire.CarryRequest)
    assert isinstance(await lane.read(), wire.CarryRequest)
    assert await lane.read() is EOF
