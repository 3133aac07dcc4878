"""Live pictures of one node, put together: who looks, where streams come from, the lane to parent and children, and the worker that holds it all.

Without a camera and without anybody who looks this is a few objects: no process, no port.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.viewing_pb2 import AttendResponse, ViewingQuestion

from federation.errors import ZonghengError
from federation.link.listener import Listener
from federation.trunk.attending import AttendLane, AttendService
from federation.trunk.live import PARENT, LivePeers
from node.config import NodeSettings
from node.media.meeting_streams import MeetingStreams
from node.media.streams import Sources, Streams
from node.media.supervisor import Alone, Attached, Supervisor, showing
from node.media.unclosed import Unclosed
from node.media.viewing import Viewing
from node.media.viewings import Gatekeeper, Viewings
from node.tree import Tree
from node.wallclock import Now


class CamerasHere(Gatekeeper, Sources, Protocol):
    """The cameras of this node: who may look, and where their streams are had from."""


class Media:
    """Belongs to one event loop."""

    def __init__(
        self,
        folder: Path,
        settings: NodeSettings,
        tree: Tree,
        listener: Listener,
        cameras: CamerasHere,
        meetings: MeetingStreams,
        live: LivePeers,
        key_of: Callable[[str], Awaitable[str]],
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
        unclosed: Unclosed,
        now: Now,
    ) -> None:
        self._settings = settings
        self.viewings = Viewings(
            tree, cameras, meetings, lambda: settings.parent is not None, self._ask, self._say_child, write,
            unclosed, now,
        )  # fmt: skip
        self.streams = Streams(
            tree, self.viewings, cameras, meetings, key_of, self._can_ask, self._say_child, self._worker,
            self._parent_host, now,
        )  # fmt: skip
        self.supervisor = Supervisor(folder, self.streams)
        self.showing = [
            Supervisor(folder, Alone(), showing(number)) for number in range(1, settings.webrtc.workers + 1)
        ]
        """Of the processes for viewers."""
        self.viewings.begins = self.supervisor.need
        self.service = AttendService(listener, self.streams, live)
        self.lane = AttendLane(self.streams, live)

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for supervisor in (self.supervisor, *self.showing):
                tasks.create_task(supervisor.run())
            tasks.create_task(self.viewings.run())
            tasks.create_task(self.streams.run())

    @contextlib.asynccontextmanager
    async def watching(
        self, viewer: Viewer, stream: str, removed: Callable[[ZonghengError], None] = lambda error: None
    ) -> AsyncIterator[Viewing]:
        """One of this node's people looks for as long as the context lasts; the worker is there then. Raises ZonghengError as `Viewings.open`."""
        viewing = await self.viewings.open(viewer, stream, removed)
        try:
            await self.supervisor.worker()
            yield viewing
        finally:
            await self.viewings.close(viewing)

    def need_showing(self) -> None:
        """Start the processes for viewers; wait for nothing."""
        for supervisor in self.showing:
            supervisor.need()

    async def _ask(self, peer: str, question: ViewingQuestion, within_s: float) -> int:
        if peer == PARENT:
            return await self.lane.ask(question, within_s)
        return await self.service.ask(peer, question, within_s)

    def _say_child(self, child: str, message: AttendResponse) -> None:
        self.service.say(child, message)

    def _can_ask(self, child: str) -> bool:
        return self.service.can_ask(child)

    async def _worker(self) -> Attached:
        return await self.supervisor.worker()

    def _parent_host(self) -> str:
        return (self._settings.parent or "").rpartition(":")[0]
