"""The other end of a stream between two nodes: whoever takes what is sent, from below or from above.

It takes frames as fast as they come, refuses what is no frame and what is more than a camera gives, acknowledges, and asks for keyframes where its hub wants one. When the other side's source is lost the
call stays and says so; the hub says it to its own viewers, and so on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import trunk_pb2 as wire

from federation.errors import ZonghengError
from federation.link.hello import failure
from federation.trunk import sending
from federation.trunk.flow import Meter
from federation.trunk.frame import Frame
from federation.trunk.hub import Hub
from federation.trunk.sending import BEAT_S, Over, patience
from federation.trunk.wire import mark, uncarried

_ACKNOWLEDGE_S: Final = 0.2
_ACKNOWLEDGE_BYTES: Final = 64 * 1024


class Taker:
    """Takes a stream into one hub. The call is the caller's: it gives what reads and writes it."""

    def __init__(self, hub: Hub, meter: Meter, other: str) -> None:
        """`other`: how the other side is called in words."""
        self._hub = hub
        self._meter = meter
        self._other = other
        self._taken = self._acknowledged = 0
        self._wants_keyframe = False
        self._soon = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        """Until what was taken is acknowledged."""

    def want_keyframe(self) -> None:
        self._wants_keyframe = True
        self._soon.set()

    @contextmanager
    def asked_for_keyframes(self) -> Iterator[None]:
        """While this lasts the hub's requests for keyframes go to the other side."""
        asked = self._hub.ask_keyframe
        self._hub.ask_keyframe = self.want_keyframe
        try:
            yield
        finally:
            if self._hub.ask_keyframe == self.want_keyframe:
                self._hub.ask_keyframe = asked

    async def hear(self, read: Callable[[], Awaitable[Any]]) -> None:
        """Take frames. `read` gives a message with frames and states or EOF. Raises `Over`, or ZonghengError for what the other side is refused for."""
        try:
            async with patience() as heard:
                while (said := await read()) is not EOF:
                    heard()
                    match said.WhichOneof("part"):
                        case "frames":
                            self._take(said.frames)
                        case "state":
                            self._note(said.state)
                        case _:
                            raise ZonghengError(
                                "protocol", "an opening comes once, and every message says something"
                            )
        except TimeoutError:
            raise ZonghengError(
                "unreachable", f"{self._other} said nothing for {sending.SILENCE_S:g} s"
            ) from None
        raise Over(ZonghengError("unreachable", f"the way from {self._other} broke off"))

    async def speak(self, write: Callable[[wire.CarryResponse], Awaitable[None]]) -> None:
        """Say what is here already, then acknowledge."""
        seen = [mark(frame) for frame in newest(self._hub)]
        if not seen:
            self._hub.restart()
        await write(wire.CarryResponse(seen=seen))
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._soon.wait()
            self._soon.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._acknowledged = self._taken
            wants, self._wants_keyframe = self._wants_keyframe, False
            try:
                async with asyncio.timeout(sending.SILENCE_S):
                    await write(wire.CarryResponse(taken_bytes=self._taken, want_keyframe=wants))
            except TimeoutError:
                raise ZonghengError("unreachable", f"{self._other} reads nothing") from None

    def _take(self, said: Any) -> None:
        if said.restart:
            self._hub.restart()
        for one in said.frames:
            frame = uncarried(one)
            self._meter.count(len(frame.unit))
            self._hub.put(frame)
            self._taken += len(frame.unit)
        if self._taken - self._acknowledged >= _ACKNOWLEDGE_BYTES:
            self._soon.set()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_ACKNOWLEDGE_S, self._soon.set)

    def _note(self, said: Any) -> None:
        error = failure(said.code, said.words) if said.code else None
        if said.ended:
            raise Over(error)
        if error is not None:
            self._hub.lost(error)


def newest(hub: Hub) -> list[Frame]:
    """The newest frame of each track that a hub keeps."""
    last: dict[int, Frame] = {}
    for frame in hub.gop():
        last[frame.track] = frame
    return list(last.values())
