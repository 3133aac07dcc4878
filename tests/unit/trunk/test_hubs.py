"""One source a stream however many ask for it; closed when nobody has needed it for a while."""

import asyncio
from collections.abc import Callable

import pytest

from federation.errors import ZonghengError
from federation.trunk.frame import Frame
from federation.trunk.hub import NS, Hub, State
from federation.trunk.hubs import Hubs, first_frame
from tests.unit.trunk.units import STREAM, Clock, picture, pictures


class Cameras:
    """A source that counts: who was opened, and who was cleaned up after."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.closed: list[str] = []
        self.may_close = asyncio.Event()
        self.may_close.set()

    async def feed(self, hub: Hub) -> None:
        self.opened.append(hub.stream)
        try:
            for frame in pictures(0, 3):
                hub.put(frame)
            await asyncio.Event().wait()
        finally:
            await self.may_close.wait()
            self.closed.append(hub.stream)


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_two_who_open_a_stream_at_once_share_one_source() -> None:
    cameras = Cameras()
    async with Hubs.running(cameras.feed, Clock()) as hubs:
        one, other = await asyncio.gather(hubs.open(STREAM), hubs.open(STREAM))
        assert one is other
        await first_frame(one, 60)
        assert cameras.opened == [STREAM]
    assert cameras.closed == [STREAM]


async def test_a_stream_that_nobody_watches_lingers_and_then_closes() -> None:
    clock, cameras = Clock(), Cameras()
    async with Hubs.running(cameras.feed, clock, linger_ns=10 * NS, look_s=3_600) as hubs:
        hub = await hubs.open(STREAM)
        seat = hub.join(lambda frame: None)
        clock.move(100)
        hubs.look()
        seat.leave()
        clock.move(9)
        hubs.look()
        assert hubs.find(STREAM) is hub
        hub.join(lambda frame: None).leave()
        clock.move(9)
        hubs.look()
        assert hubs.find(STREAM) is hub
        clock.move(2)
        hubs.look()
        assert hubs.find(STREAM) is None
        assert hub.state is State.ENDED


async def test_a_reader_whose_lease_ran_out_keeps_nothing_open() -> None:
    clock, cameras = Clock(), Cameras()
    async with Hubs.running(cameras.feed, clock, linger_ns=10 * NS, look_s=3_600) as hubs:
        hub = await hubs.open(STREAM)
        hub.join(lambda frame: None, lease_ns=5 * NS)
        clock.move(6)
        hubs.look()
        assert hub.watchers == 0
        clock.move(10)
        hubs.look()
        assert hubs.open_now == ()


async def test_who_opens_again_waits_until_the_source_before_has_cleaned_up() -> None:
    cameras = Cameras()
    async with Hubs.running(cameras.feed, Clock()) as hubs:
        first = await hubs.open(STREAM)
        await first_frame(first, 60)
        cameras.may_close.clear()
        hubs.close(first)
        second = await hubs.open(STREAM)
        for _ in range(20):
            await asyncio.sleep(0)
        assert cameras.opened == [STREAM]
        cameras.may_close.set()
        await first_frame(second, 60)
        assert cameras.opened == [STREAM, STREAM]
        assert cameras.closed == [STREAM]


async def test_a_source_that_fails_ends_its_stream_with_its_error_and_no_other() -> None:
    async def feed(hub: Hub) -> None:
        if hub.stream == STREAM:
            raise ZonghengError("not_found", "there is no such camera")
        hub.put(picture(0, True))
        await asyncio.Event().wait()

    async with Hubs.running(feed, Clock()) as hubs:
        gone, there = await hubs.open(STREAM), await hubs.open("990102001/yard/main")
        with pytest.raises(ZonghengError) as failed:
            await first_frame(gone, 60)
        assert failed.value.code == "not_found"
        await first_frame(there, 60)
        assert hubs.find(STREAM) is None
        again = await hubs.open(STREAM)
        assert again is not gone


async def test_more_streams_than_may_be_open_are_refused_with_what_to_do() -> None:
    cameras = Cameras()
    async with Hubs.running(cameras.feed, Clock(), most_streams=1) as hubs:
        await hubs.open(STREAM)
        with pytest.raises(ZonghengError) as refused:
            await hubs.open("990102001/yard/main")
        assert refused.value.code == "busy"


async def test_waiting_for_a_first_picture_ends_with_why_there_is_none() -> None:
    async def feed(hub: Hub) -> None:
        hub.lost(ZonghengError("unreachable", "the camera does not answer"))
        await asyncio.Event().wait()

    async with Hubs.running(feed, Clock()) as hubs:
        hub = await hubs.open(STREAM)
        with pytest.raises(ZonghengError) as late:
            await first_frame(hub, 0.05)
        assert late.value.code == "unreachable"
        assert hub.watchers == 0


async def test_what_is_open_ends_with_the_process() -> None:
    cameras, ends = Cameras(), list[ZonghengError | None]()
    got: list[Frame] = []
    async with Hubs.running(cameras.feed, Clock()) as hubs:
        (await hubs.open(STREAM)).join(got.append, ended=ends.append)
        await eventually(lambda: len(got) == 3)
    assert ends == [None]
