"""This node's cameras, as whoever carries pictures asks about them: who may look, and where the pictures are had from."""

from typing import Final

from zongheng.v1 import camera_pb2 as wire

from federation.trunk.frame import Quality, Stream
from node.media.cameras import Cameras
from node.media.ingest.source import Source
from node.media.permission import View, Viewer

_VIEWS: Final = {Quality.MAIN: View.MAIN, Quality.SUB: View.SUB, Quality.RECORDED: View.RECORDED}


class OwnCameras:
    """The register of cameras, by streams and by viewers from anywhere."""

    def __init__(self, cameras: Cameras) -> None:
        self._cameras = cameras

    async def check(self, viewer: wire.Viewer, stream: Stream) -> None:
        """Raises ZonghengError `not_found`, `forbidden`."""
        who = Viewer(
            viewer.who, viewer.node, viewer.tier, frozenset(viewer.roles), viewer.agency, viewer.purpose
        )
        await self._cameras.check_watching(who, stream.camera, _VIEWS[stream.quality])

    async def source(self, stream: Stream) -> Source:
        """Raises ZonghengError `not_found`."""
        if stream.quality is Quality.RECORDED:
            return Source(f"recorded:{stream.camera}@{stream.from_us}")
        return await self._cameras.source(stream.camera, stream.quality)
