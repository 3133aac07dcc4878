"""Three hubs in a row, as of a village, a town and a city: whatever happens to the camera, to the ways between them and to a node, who watches is never shown what lacks something, and the picture comes back."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1 import trunk_pb2 as wire

import federation.trunk.hub as module
from federation.errors import ZonghengError
from federation.trunk import taking
from federation.trunk.flow import Meter
from federation.trunk.frame import AUDIO, VIDEO, Codec, Frame
from federation.trunk.hub import CURRENT_NS, Hub, Seat
from federation.trunk.sending import Sender
from federation.trunk.taking import Taker
from tests.unit.trunk.units import STREAM, Clock

STEPS = st.lists(
    st.one_of(
        st.sampled_from(["picture"] * 4 + ["keyframe", "hole", "sound", "restart", "lost", "silence"]).map(
            lambda what: (what, 0)
        ),
        st.tuples(st.sampled_from(["cut", "connect", "stall", "go on"]), st.integers(0, 1)),
        st.tuples(st.sampled_from(["join", "leave"]), st.integers(0, 2)),
        st.tuples(st.just("killed"), st.integers(1, 2)),
    ),
    min_size=10,
    max_size=80,
)


class Counting(Hub):
    """Counts how often what comes began anew."""

    times = 0

    def restart(self) -> None:
        self.times += 1
        super().restart()


class Watching:
    """Somebody at one hub, who holds it to its promise with every frame."""

    def __init__(self, chain: "Chain", hub: Counting) -> None:
        self.newest: dict[int, int] = {}
        self.wrong: list[str] = []
        self.shown: list[int] = []
        """Pictures, since somebody last looked."""
        self._chain, self._hub = chain, hub
        self._times: dict[int, int] = {}
        self.seat: Seat = hub.join(self._take)

    def _take(self, frame: Frame) -> None:
        """Only notes what is wrong: a hub puts out a consumer that fails."""
        name, last = frame.captured_ns, self.newest.get(frame.track, 0)
        began_anew = self._times.get(frame.track) != self._hub.times
        if name <= last and not (began_anew and frame.keyframe):
            self.wrong.append(f"{name} comes after {last}")
        if not frame.keyframe and last != self._chain.before[name]:
            self.wrong.append(f"{name} refers to what was not given, after {last}")
        if frame.track == VIDEO:
            self.shown.append(name)
        self.newest[frame.track], self._times[frame.track] = name, self._hub.times


class Way:
    """A stream's way from one hub to the next, as a call would carry it."""

    def __init__(self, chain: "Chain", below: int) -> None:
        self._chain, self._below = chain, below
        self._goes = asyncio.Event()
        self._goes.set()
        self._call: asyncio.Task[None] | None = None

    def connect(self) -> None:
        if self._call is None:
            self._call = asyncio.get_running_loop().create_task(self._carry())

    async def cut(self) -> None:
        """What is under way is lost."""
        if self._call is not None:
            self._call.cancel()
            with suppress(asyncio.CancelledError):
                await self._call
            self._call = None

    def stall(self) -> None:
        self._goes.clear()

    def go_on(self) -> None:
        self._goes.set()

    async def _carry(self) -> None:
        below, above = self._chain.hubs[self._below : self._below + 2]
        taker = Taker(above, Meter(self._chain.clock), "the child")
        sender = Sender(below, self._chain.clock, wire.CarryRequest)
        up, down = asyncio.Queue[Any](), asyncio.Queue[Any]()

        async def heard(way: asyncio.Queue[Any]) -> Any:
            said = await way.get()
            await self._goes.wait()
            return said

        async def nothing() -> None:
            pass

        async def send() -> None:
            first = await heard(down)
            await sender.send(first.seen, lambda: heard(down), up.put, nothing)

        with taker.asked_for_keyframes():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(taker.hear(lambda: heard(up)))
                tasks.create_task(taker.speak(down.put))
                tasks.create_task(send())


class Chain:
    """The hubs, and the camera that feeds the first. A frame's instant of capture is its name here, one more with each."""

    def __init__(self, *, asked_alone: bool) -> None:
        """`asked_alone`: the camera makes a keyframe when it begins and when it is asked for one, as a browser does."""
        self.clock = Clock()
        self.hubs = [Counting(STREAM, self.clock) for _ in range(3)]
        self.ways = [Way(self, 0), Way(self, 1)]
        self.watching: list[list[Watching]] = [[], [], []]
        self.before: dict[int, int] = {}
        """Of each picture, the one that it refers to."""
        self.newest = 0
        """The camera's newest picture."""
        self._asked_alone = asked_alone
        self._made_ns: dict[int, int] = {}
        self._name = 0
        self._seq = {VIDEO: 0, AUDIO: 0}
        self._due = True
        self.hubs[0].ask_keyframe = self._ask

    def _ask(self) -> None:
        self._due = True

    def _frame(self, track: int, keyframe: bool) -> Frame:
        self._name += 1
        self._seq[track] += 1
        self._made_ns[self._name] = self.clock()
        codec = Codec.H264 if track == VIDEO else Codec.OPUS
        return Frame(track, self._seq[track], self._seq[track] * 3_600, self._name, keyframe, codec, b"unit")

    def _picture(self, *, keyframe: bool = False) -> Frame:
        frame = self._frame(VIDEO, self._due or (keyframe and not self._asked_alone))
        self._due = False
        self.before[frame.captured_ns], self.newest = self.newest, frame.captured_ns
        return frame

    async def step(self, what: str, at: int = 0) -> None:
        self.clock.move(0.04)
        match what:
            case "picture" | "keyframe":
                self.hubs[0].put(self._picture(keyframe=what == "keyframe"))
            case "hole":
                self._picture()
            case "sound":
                self.hubs[0].put(self._frame(AUDIO, True))
            case "restart":
                self._seq = {VIDEO: 0, AUDIO: 0}
                self._due = True
                self.hubs[0].restart()
            case "lost":
                self.hubs[0].lost(ZonghengError("unreachable"))
            case "silence":
                self.clock.move(5.0)
            case "cut":
                await self.ways[at].cut()
            case "connect":
                self.ways[at].connect()
            case "stall":
                self.ways[at].stall()
            case "go on":
                self.ways[at].go_on()
            case "join":
                self.watching[at].append(Watching(self, self.hubs[at]))
            case "leave" if self.watching[at]:
                self.watching[at].pop(0).seat.leave()
            case "killed":
                for way in self.ways[at - 1 : at + 1]:
                    await way.cut()
                self.hubs[at].end()
                self.hubs[at], self.watching[at] = Counting(STREAM, self.clock), []
        await self.settle()
        self._look()

    async def settle(self) -> None:
        """Let everything that was said arrive."""
        for _ in range(25):
            await asyncio.sleep(0)

    def _look(self) -> None:
        assert [one.wrong for each in self.watching for one in each if one.wrong] == []
        for one in self.watching[0]:
            if one.shown:
                assert self.clock() - self._made_ns[one.shown[-1]] <= CURRENT_NS, (
                    "what was is shown as if it were now"
                )
                one.shown.clear()

    def is_shown_everywhere(self) -> bool:
        return all(one.newest.get(VIDEO) == self.newest for each in self.watching for one in each)


@pytest.mark.parametrize("asked_alone", [False, True], ids=["a camera", "a browser that publishes"])
@given(steps=STEPS, still=st.booleans())
def test_whatever_happens_nobody_is_shown_what_lacks_something_and_the_picture_comes_back(
    asked_alone: bool, steps: list[tuple[str, int]], still: bool
) -> None:
    most, soon = module.GOP_FRAMES, taking._ACKNOWLEDGE_S
    module.GOP_FRAMES, taking._ACKNOWLEDGE_S = 8, 0.0  # type: ignore[misc]
    try:
        asyncio.run(_happening(asked_alone, steps, still))
    finally:
        module.GOP_FRAMES, taking._ACKNOWLEDGE_S = most, soon  # type: ignore[misc]


async def _happening(asked_alone: bool, steps: list[tuple[str, int]], still: bool) -> None:
    chain = Chain(asked_alone=asked_alone)
    try:
        for way in chain.ways:
            way.connect()
        for what, at in steps:
            await chain.step(what, at)
        if still:
            await chain.step("silence")
        for at, way in enumerate(chain.ways):
            way.go_on()
            way.connect()
            await chain.step("join", at + 1)
        await chain.step("join", 0)
        await chain.step("keyframe")
        for _ in range(100):
            await chain.step("picture")
            if chain.is_shown_everywhere():
                return
        raise AssertionError("the picture does not come back")
    finally:
        for way in chain.ways:
            await way.cut()
