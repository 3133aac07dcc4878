"""One end of a stream between two nodes: whoever has it and sends it to the other, up or down.

It sends what its hub has, the pictures since the last keyframe first. What the other side saw before, on a call that broke, is left out where the sequence goes on. It stops sending when too much
is under way (`flow.Window`); what waits meanwhile is never old (`Backlog`). The call is the lease on its seat at the hub: another side that says nothing for some seconds, or whose
call ends in whatever way, takes the seat with it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import trunk_pb2 as wire

from federation.errors import ZonghengError, first_of
from federation.trunk.backlog import Backlog
from federation.trunk.flow import Window
from federation.trunk.frame import Frame
from federation.trunk.hub import Hub, State
from federation.trunk.wire import fill

BEAT_S: Final = 2.0
SILENCE_S: Final = 8.0
"""Without a word for this long the other side is gone, whatever its kernel acknowledges."""

_BATCH_BYTES: Final = 64 * 1024
_BATCH_FRAMES: Final = 32

Sent = type[wire.CarryRequest] | type[wire.CarryDownResponse]


Mark = tuple[int, int, int, int]
"""What tells a frame from every other."""


class Over(Exception):  # it is no error
    """The call has done what it was for."""

    def __init__(self, error: ZonghengError | None = None) -> None:
        super().__init__()
        self.error = error


def first_over(group: BaseExceptionGroup[Over]) -> Over:
    """Of a task group that ended by it."""
    over = first_of(group)
    assert isinstance(over, Over)
    return over


@asynccontextmanager
async def patience() -> AsyncIterator[Callable[[], None]]:
    """Raises TimeoutError when what it gives was not called for `SILENCE_S`, or an eighth less: a timer for every message would cost as much as the message."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(SILENCE_S) as scope:
        told_at = loop.time()

        def heard() -> None:
            nonlocal told_at
            now = loop.time()
            if now - told_at > SILENCE_S / 8:
                told_at = now
                scope.reschedule(now + SILENCE_S)

        yield heard


class Sender:
    """Sends the stream of one hub. The call is the caller's: it gives what reads and writes it."""

    def __init__(self, hub: Hub, now_ns: Callable[[], int], sent: Sent) -> None:
        """`sent`: the message that is written."""
        self._hub = hub
        self._message = sent
        self._backlog = Backlog(now_ns)
        self._window = Window(now_ns)
        self._wake = asyncio.Event()
        self._there: dict[int, set[Mark]] = {}
        """Of each track: what is kept here and the other side saw before, until something comes that it did not see."""
        self._restart = False
        self._sent: dict[int, int] = {}
        self._ended = False
        self._error: ZonghengError | None = None

    @property
    def dropped(self) -> int:
        """Frames that the other side did not get because it was slow."""
        return self._backlog.dropped

    @property
    def waiting_bytes(self) -> int:
        return self._backlog.waiting_bytes

    @property
    def under_way_bytes(self) -> int:
        return self._window.under_way_bytes

    async def send(
        self,
        seen: Any,
        read: Callable[[], Awaitable[Any]],
        write: Callable[[Any], Awaitable[None]],
        ended: Callable[[], Awaitable[None]],
    ) -> None:
        """Send until the call is over, by `Over` or by whatever breaks it; an error that is raised comes in an exception group.

        `seen`: what the other side has, as it says. `read` gives a `CarryResponse` or EOF. `ended` is called when the stream has ended and that was said.
        """
        self._continue(seen)
        seat = self._hub.join(self._take, ended=self._end)
        self._backlog.want_keyframe = seat.want_keyframe
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(read, seat.want_keyframe))
                tasks.create_task(self._speak(write, ended))
                tasks.create_task(self._beat())
        finally:
            seat.leave()

    def _continue(self, seen: Any) -> None:
        """Find out how much of what is kept here the other side has already."""
        kept = [_mark(frame) for frame in self._hub.gop()]
        for newest in map(_mark, seen):
            if newest not in kept:
                self._restart = True
                self._there.clear()
                self._sent.clear()
                return
            track = newest[0]
            self._there[track] = {one for one in kept[: kept.index(newest) + 1] if one[0] == track}
            self._sent[track] = newest[1]

    def _take(self, frame: Frame) -> None:
        if there := self._there.get(frame.track):
            if _mark(frame) in there:
                return
            there.clear()
        self._backlog.put(frame)
        self._wake.set()

    def _end(self, error: ZonghengError | None) -> None:
        self._ended, self._error = True, error
        self._wake.set()

    async def _hear(self, read: Callable[[], Awaitable[Any]], want_keyframe: Callable[[], None]) -> None:
        async with patience() as heard:
            while (said := await read()) is not EOF:
                heard()
                self._window.acknowledge(said.taken_bytes)
                if said.want_keyframe:
                    want_keyframe()
                if self._backlog:
                    self._wake.set()
        raise Over(self._error)

    async def _speak(
        self, write: Callable[[Any], Awaitable[None]], ended: Callable[[], Awaitable[None]]
    ) -> None:
        told: ZonghengError | None = None
        loop = asyncio.get_running_loop()
        spoke_at = loop.time()
        while True:
            if self._hub.state is not State.ENDED and self._hub.error is not told:
                told = self._hub.error
                if told is not None:
                    state = wire.CarryState(code=told.code, words=told.detail)
                    await write(self._message(state=state))
            batch = self._batch()
            if batch is not None:
                await write(batch)
                spoke_at = loop.time()
                continue
            if self._ended:
                error = self._error
                code, words = (error.code, error.detail) if error else ("", "")
                ending = wire.CarryState(code=code, words=words, ended=True)
                await write(self._message(state=ending))
                await ended()
                return
            if loop.time() - spoke_at >= BEAT_S:
                await write(self._message(frames=wire.CarriedFrames()))
                spoke_at = loop.time()
            self._wake.clear()
            await self._wake.wait()

    async def _beat(self) -> None:
        """While the window is shut what waits must not grow old, and age shuts it without any other event; and whoever has nothing to say says so."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._wake.set()

    def _batch(self) -> Any:
        """What may be sent now; None: nothing."""
        if not self._backlog or not self._window.is_open:
            return None
        message = self._message()
        batch = message.frames
        size = 0
        while self._window.is_open and size < _BATCH_BYTES and len(batch.frames) < _BATCH_FRAMES:
            frame = self._backlog.first()
            if frame is None:
                break
            if frame.seq <= self._sent.get(frame.track, -1):
                self._restart = True  # the hub's own source began anew
            if self._restart:
                if batch.frames:
                    break
                batch.restart, self._restart = True, False
                self._sent.clear()
            self._backlog.take()
            self._sent[frame.track] = frame.seq
            fill(batch.frames.add(), frame)
            size += len(frame.unit)
            self._window.sent(len(frame.unit))
        return message if batch.frames else None


def _mark(frame: Any) -> Mark:
    """Of a frame, or of what the other side says of one."""
    return frame.track, frame.seq, frame.pts_90k, frame.captured_ns
