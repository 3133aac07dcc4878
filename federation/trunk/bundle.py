"""Many calls over one: each has a lane in a bundle, which reads and writes like a call of its own.

An operation of gRPC costs some eighty microseconds of processor time, whatever it carries; a relay of a hundred streams makes five thousand of them a second where each frame is one. In a
bundle whatever waits goes together, and there is a least time between two messages: one stream alone waits for nothing, many share the operations.

Lanes take turns, each with what it says at once, so that none waits for more than that of each other. Who writes faster than its turn comes waits in `write`; who says more than is read is refused. A lane ends for itself, with
a code and words where it ends with an error; when the call breaks every lane ends as `unreachable`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc.aio
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import trunk_pb2 as wire
from zongheng.v1.trunk_pb2_grpc import TrunkServiceStub

from federation.errors import ZonghengError, from_rpc
from federation.link.hello import failure
from federation.trunk.frame import MAX_UNIT_BYTES

LEAST_S: Final = 0.003
"""Seconds from one message to the next where much is said: what a frame may come later for it, at each hop."""

MESSAGE_BYTES: Final = 128 * 1024
"""A message is sent when so much is in it; it may be larger by one lane's words, as large as a frame may be."""

LANE_BYTES: Final = 64 * 1024
"""A lane with so much to send makes its writer wait."""

MOST_UNREAD_BYTES: Final = 2 * MAX_UNIT_BYTES
"""What one lane was told and has not read: who acknowledges what is taken is never sent so much."""

MOST_LANES: Final = 1_000

_PART_BYTES: Final = 32


class Lane:
    """One call of a bundle, from one side."""

    def __init__(self, number: int, bundle: "_Bundle", heard: Any) -> None:
        self._number = number
        self._bundle = bundle
        self._parse: Callable[[bytes], Any] = heard.FromString
        self._to_say: deque[bytes] = deque()
        self._to_say_bytes = 0
        self._said = asyncio.Event()
        self._heard: deque[bytes] = deque()
        self._unread_bytes = 0
        self._came = asyncio.Event()
        self._error: ZonghengError | None = None
        self._over_there = False
        self._over_here = False

    async def write(self, message: Any) -> None:
        """Say something; waits while the lane has much to say already. Raises ZonghengError with which the lane ended; what is said after its end in order is lost."""
        if self._error is not None:
            raise self._error
        said = message.SerializeToString()
        self._to_say.append(said)
        self._to_say_bytes += len(said)
        self._bundle.ready(self)
        while self._to_say_bytes >= LANE_BYTES and not self._over_there:
            self._said.clear()
            await self._said.wait()

    async def read(self) -> Any:
        """The next message; EOF: there are no more. Raises ZonghengError with which the lane ended."""
        while not self._heard:
            if self._error is not None:
                raise self._error
            if self._over_there:
                return EOF
            self._came.clear()
            await self._came.wait()
        said = self._heard.popleft()
        self._unread_bytes -= len(said)
        return self._parse(said)

    async def done_writing(self) -> None:
        """Nothing more is said; the lane stays open for what is heard."""

    def end(self, error: ZonghengError | None = None) -> None:
        """The lane is over for this side, and what was not sent is not; again changes nothing."""
        if not self._over_here:
            self._over_here = True
            self._to_say.clear()
            self._bundle.over(self._number, error)

    def cancel(self) -> None:
        """As a call's."""
        self.end()

    # For the bundle.

    def take(self, parts: Any) -> tuple[int, bool]:
        """Add what the lane says first to a message; how many bytes it is, and whether there is more."""
        if not self._to_say:
            return 0, False
        said = self._to_say.popleft()
        parts.add(lane=self._number, said=said)
        self._to_say_bytes -= len(said)
        if self._to_say_bytes < LANE_BYTES:
            self._said.set()
        return len(said) + _PART_BYTES, bool(self._to_say)

    def hear(self, part: wire.BundledPart) -> None:
        if part.HasField("said"):
            self._unread_bytes += len(part.said)
            if self._unread_bytes > MOST_UNREAD_BYTES:
                self.fail(ZonghengError("protocol", "more is said than is read"))
                self.end(self._error)
                return
            self._heard.append(part.said)
        if part.over:
            self.fail(failure(part.code, part.words) if part.code else None)
        self._came.set()

    def fail(self, error: ZonghengError | None) -> None:
        """The other side's end of it."""
        if not self._over_there:
            self._over_there, self._error = True, error
        self._said.set()
        self._came.set()


class _Bundle:
    """What both sides are: lanes, and whose turn it is to speak."""

    def __init__(self) -> None:
        self._lanes: dict[int, Lane] = {}
        self._ready: dict[Lane, None] = {}
        self._overs: list[wire.BundledPart] = []
        self._wake = asyncio.Event()

    def ready(self, lane: Lane) -> None:
        self._ready[lane] = None
        self._wake.set()

    def over(self, number: int, error: ZonghengError | None) -> None:
        if self._lanes.pop(number, None) is not None:
            code, words = (error.code, error.detail) if error is not None else ("", "")
            self._overs.append(wire.BundledPart(lane=number, over=True, code=code, words=words))
            self._wake.set()

    def break_off(self, error: ZonghengError) -> None:
        """The call is gone."""
        for lane in list(self._lanes.values()):
            lane.fail(error)

    async def speak(self, write: Callable[[Any], Awaitable[None]], message: Any) -> None:
        """Send what the lanes say, until cancelled."""
        loop = asyncio.get_running_loop()
        at = 0.0
        while True:
            await self._wake.wait()
            if (rest_s := at + LEAST_S - loop.time()) > 0:
                await asyncio.sleep(rest_s)
            at = loop.time()
            await write(self._message(message))

    def _message(self, message: Any) -> Any:
        said = message(parts=self._overs)
        self._overs.clear()
        size = 0
        while self._ready and size < MESSAGE_BYTES:
            lane = next(iter(self._ready))
            del self._ready[lane]
            taken, more = lane.take(said.parts)
            size += taken
            if more:
                self._ready[lane] = None
        if not self._ready:
            self._wake.clear()
        return said


class Outgoing(_Bundle):
    """The child's end of a bundle over a connection; begins when the first lane is opened. One whose call broke opens no lane any more."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__()
        self._stub: Any = TrunkServiceStub(channel)
        self._count = 0
        self._broken: ZonghengError | None = None

    def open(self) -> Lane:
        """A call. Raises ZonghengError with which the bundle broke."""
        if self._broken is not None:
            raise self._broken
        self._count += 1
        lane = self._lanes[self._count] = Lane(self._count, self, wire.CarryResponse)
        return lane

    async def run(self) -> None:
        """Until the call breaks, which is no error here."""
        error = ZonghengError("unreachable", "the way up broke off")
        await self._wake.wait()
        call = self._stub.CarryMany()
        try:
            async with asyncio.TaskGroup() as tasks:
                speaking = tasks.create_task(self.speak(call.write, wire.CarryManyRequest))
                while (said := await call.read()) is not EOF:
                    for part in said.parts:
                        if (lane := self._lanes.get(part.lane)) is not None:
                            lane.hear(part)
                speaking.cancel()
        except* grpc.aio.AioRpcError as failed:
            error = from_rpc(next(one for one in failed.exceptions if isinstance(one, grpc.aio.AioRpcError)))
        except* asyncio.InvalidStateError:
            pass  # the call ended while something was said
        finally:
            call.cancel()
            self._broken = error
            self.break_off(error)


class Incoming(_Bundle):
    """The parent's end: ``begin`` is told of each lane that the child opens."""

    def __init__(self, begin: Callable[[Lane], None]) -> None:
        super().__init__()
        self._begin = begin
        self._newest = 0

    async def hear(self, context: Any) -> None:
        """Until the child says no more."""
        while (said := await context.read()) is not EOF:
            for part in said.parts:
                self._take(part)

    def _take(self, part: wire.BundledPart) -> None:
        lane = self._lanes.get(part.lane)
        if lane is None:
            if part.lane <= self._newest or part.over:
                return  # of one that is over here
            self._newest = part.lane
            lane = self._lanes[part.lane] = Lane(part.lane, self, wire.CarryRequest)
            if len(self._lanes) > MOST_LANES:
                lane.end(ZonghengError("busy", f"{MOST_LANES} streams are brought at once already"))
                return
            self._begin(lane)
        lane.hear(part)
