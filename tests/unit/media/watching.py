"""A stream on loopback and players of aiortc's own that watch it, some over a line that loses packets."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from federation.trunk.frame import AUDIO, VIDEO, Codec, Frame
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from node.media.webrtc import adapter
from node.media.webrtc.limits import Admission, Limits
from node.media.webrtc.viewing import Answered, Viewers
from tests.unit.media import clips

STREAM = "330106/hall/main"


@dataclass
class Camera:
    """A source that sends a moving pattern and silence for as long as its hub is open."""

    codec: Codec = Codec.H264
    keyframes_wanted: int = 0
    opened: int = 0
    frames: list[Frame] = field(default_factory=list)
    begin_late_s: float = 0.0
    goes: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared: it sends nothing."""

    def __post_init__(self) -> None:
        self.goes.set()

    async def feed(self, hub: Hub) -> None:
        self.opened += 1
        hub.ask_keyframe = self._ask
        await asyncio.sleep(self.begin_late_s)
        began = time.monotonic()
        units = cycle(clips.units(self.codec))
        for number, unit in enumerate(units):
            await self.goes.wait()
            pts = number * 90_000 // clips.FPS
            now_ns = time.time_ns()
            hub.put(Frame(VIDEO, number, pts, now_ns, number % 25 == 0, self.codec, unit))
            for part in (0, 1):
                sound = 2 * number + part
                hub.put(Frame(AUDIO, sound, sound * 1_800, now_ns, True, Codec.OPUS, b"\xf8\xff\xfe"))
            await asyncio.sleep(max(0.0, began + number / clips.FPS - time.monotonic()))

    def _ask(self) -> None:
        self.keyframes_wanted += 1


@asynccontextmanager
async def watched(camera: Camera, limits: Limits | None = None) -> AsyncIterator[Viewers]:
    """Viewers of a node with this one camera."""
    limits = limits or Limits()
    async with asyncio.TaskGroup() as tasks, Hubs.running(camera.feed, time.monotonic_ns) as hubs:
        viewers = Viewers(hubs, tasks, ["127.0.0.1"], limits, Admission(limits))
        try:
            yield viewers
        finally:
            for session in list(viewers.sessions.values()):
                session.end()


class Player:
    """Another implementation that watches."""

    def __init__(self, *kinds: str) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for kind in kinds or ("video",):
            self.connection.addTransceiver(kind, direction="recvonly")
        self.answered: Answered | None = None

    async def offer(self) -> str:
        token = adapter._addresses.set(("127.0.0.1",))
        try:
            await self.connection.setLocalDescription()
        finally:
            adapter._addresses.reset(token)
        return self.connection.localDescription.sdp

    async def watch(self, viewers: Viewers, stream: str = STREAM, who: str = "") -> Answered:
        self.answered = await viewers.view(stream, await self.offer(), who)
        await self.connection.setRemoteDescription(RTCSessionDescription(self.answered.answer, "answer"))
        return self.answered

    async def shown(self, count: int, kind: str = "video") -> Sequence[Any]:
        """The next so many pictures, or pieces of sound, decoded."""
        [track] = [one.receiver.track for one in self.connection.getTransceivers() if one.kind == kind]
        async with asyncio.timeout(90):
            return [await track.recv() for _ in range(count)]

    async def close(self) -> None:
        await self.connection.close()


def losing(pattern: Callable[[int], bool]) -> Callable[[], "LossyWire"]:
    return lambda: LossyWire(pattern)


class LossyWire:
    """A line to a viewer on which packet number n is lost where the pattern says so; what is sent again counts on."""

    def __init__(self, pattern: Callable[[int], bool]) -> None:
        self._pattern = pattern
        self.count = 0
        self.lost = 0

    def send(self, out: Any, address: tuple[str, int], packets: Sequence[bytes]) -> int:
        for packet in packets:
            if self._pattern(self.count):
                self.lost += 1
            else:
                out.sendto(packet, address)
            self.count += 1
        return len(packets)
