"""This node's cameras, as whoever carries pictures asks about them: who may look, and where the pictures are had from. The seats of its people in meetings are asked about in the same way."""

from typing import Final, Protocol

from zongheng.v1 import camera_pb2 as wire

from federation.trunk.frame import Quality, Stream
from node.media.cameras import Cameras
from node.media.ingest.source import Source
from node.media.permission import View, Viewer

_VIEWS: Final = {Quality.MAIN: View.MAIN, Quality.SUB: View.SUB, Quality.RECORDED: View.RECORDED}


class SeatsHere(Protocol):
    """Where people of this node sit in meetings."""

    async def check(self, viewer: wire.Viewer, stream: Stream) -> None:
        """Raises ZonghengError `not_found` where nobody sits there, `forbidden` for whoever is not in the meeting."""
        ...


class OwnCameras:
    """The register of cameras, by streams and by viewers from anywhere."""

    def __init__(self, cameras: Cameras, seats: SeatsHere) -> None:
        self._cameras = cameras
        self._seats = seats

    async def check(self, viewer: wire.Viewer, stream: Stream) -> None:
        """Raises ZonghengError `not_found`, `forbidden`."""
        if stream.is_seat:
            await self._seats.check(viewer, stream)
            return
        who = Viewer(
            viewer.who, viewer.node, viewer.tier, frozenset(viewer.roles), viewer.agency, viewer.purpose
        )
        await self._cameras.check_watching(who, stream.camera, _VIEWS[stream.quality])

    async def source(self, stream: Stream) -> Source:
        """Raises ZonghengError `not_found`."""
        if stream.is_seat:
            return Source("whip:")
        if stream.quality is Quality.RECORDED:
            return Source(f"recorded:{stream.camera}@{stream.from_us}")
        return await self._cameras.source(stream.camera, stream.quality)
