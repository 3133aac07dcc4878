"""Somebody who looks, at one node, and what is entered of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from zongheng.v1.camera_pb2 import CameraClosed, CameraOpened, RecordingPlayed, Viewer
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from federation.trunk.frame import Quality, Stream
from federation.trunk.live import PARENT


@dataclass(slots=True, eq=False)
class Viewing:
    """Somebody who looks."""

    id: str
    stream: Stream
    viewer: Viewer
    asked_by: str | None
    """The neighbour that asked for it, a child or `PARENT`; None: one of this node's own people looks."""
    way: str | None = None
    """The neighbour through which the camera is reached; None: it is this node's."""
    removed: Callable[[ZonghengError], None] = field(default=lambda error: None, repr=False)
    """Told when somebody puts the viewer out, or the camera's node says no after all."""
    hop: int = 0
    """How far from the camera's node this one is."""
    since_us: int = 0
    unconfirmed_us: int = 0
    """When the neighbour that asked went away; 0: it is there."""
    confirmed: bool = True
    """Everybody towards the camera knows of it, as far as is known."""
    lost_us: int = 0
    """When the way to the camera broke; 0: it is there."""
    gone: bool = False
    """The viewer left while they were still being asked for."""

    @property
    def from_above(self) -> bool:
        return self.asked_by == PARENT


def closed(viewing: Viewing, code: str) -> CameraClosed:
    """How it ended; `code` of the catalogue or "interrupted", empty where the viewer left."""
    return CameraClosed(
        viewing=viewing.id, stream=str(viewing.stream), viewer=viewing.viewer, hop=viewing.hop, code=code
    )


def entry(said: CameraClosed) -> Entry:
    return Entry(source="node", camera_closed=said)


def opened(viewing: Viewing) -> Entry:
    """What is entered before somebody looks: at what is now, or at what was recorded."""
    stream = str(viewing.stream)
    if viewing.stream.quality is Quality.RECORDED:
        played = RecordingPlayed(
            viewing=viewing.id,
            stream=stream,
            viewer=viewing.viewer,
            hop=viewing.hop,
            from_us=viewing.stream.from_us,
        )
        return Entry(source="node", recording_played=played)
    begun = CameraOpened(viewing=viewing.id, stream=stream, viewer=viewing.viewer, hop=viewing.hop)
    return Entry(source="node", camera_opened=begun)
