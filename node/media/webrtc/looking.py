"""What the WebRTC desk asks of the rest of the node: who may look (`viewings`), what a camera is called and hides (the node's cards), who may publish."""

from collections.abc import Callable
from typing import Final, Protocol

from zongheng.v1.camera_pb2 import CameraCard, Viewer

from federation.errors import ZonghengError
from federation.trunk.frame import Quality, Stream
from node.config import NodeSettings
from node.media.cameras import Cameras
from node.media.ingest.source import Mask
from node.media.viewing import Viewing
from node.media.viewings import Viewings
from node.media.webrtc.desk import Shown
from node.people.caller import Caller
from node.people.roles import Act
from node.tree import Tree

_THOUSAND: Final = 1_000


class SeatsShown(Protocol):
    """Seats in meetings, as those who sit there use them."""

    def may_publish(self, who: str, stream: Stream) -> None:
        """Raises ZonghengError `not_found`, `forbidden` for whoever does not hold the seat."""
        ...

    def named(self, stream: Stream) -> tuple[str, str]:
        """Who sits there, and what the meeting is called. Raises ZonghengError `not_found`."""
        ...

    def meeting(self, who: str, stream: Stream) -> str:
        """The meeting in which somebody of this node sits who looks at one of its streams. Raises ZonghengError `forbidden`, `not_found`."""
        ...


class Looking:
    """The `Permission` of one node."""

    def __init__(
        self, settings: NodeSettings, tree: Tree, viewings: Viewings, cameras: Cameras, seats: SeatsShown
    ) -> None:
        self._settings = settings
        self._tree = tree
        self._viewings = viewings
        self._cameras = cameras
        self._seats = seats
        self._open: dict[str, Viewing] = {}

    async def opened(
        self, caller: Caller, stream: str, purpose: str, removed: Callable[[ZonghengError], None]
    ) -> str:
        named = Stream.parse(stream)
        if named.is_seat:
            purpose = f"meeting {self._seats.meeting(caller.who, named)}"
        else:
            self._must(caller, Act.WATCH, stream)
        viewer = Viewer(
            who=caller.who,
            node=self._settings.node,
            tier=self._settings.kind,
            roles=sorted(caller.roles),
            agency=caller.agency,
            purpose=purpose,
        )
        viewing = await self._viewings.open(viewer, stream, removed)
        self._open[viewing.id] = viewing
        return viewing.id

    async def closed(self, viewing: str, error: ZonghengError | None) -> None:
        known = self._open.pop(viewing, None)
        if known is not None:
            await self._viewings.close(known, error.code if error else "")

    async def shown(self, caller: Caller, stream: str) -> Shown:
        named = Stream.parse(stream)
        if named.is_seat:
            who, title = self._seats.named(named)
            return Shown(
                str(named), who, " · ".join(part for part in (self._name(named.node), title) if part)
            )
        card = self._card(named)
        masks = tuple(
            Mask(one.left / _THOUSAND, one.top / _THOUSAND, one.width / _THOUSAND, one.height / _THOUSAND)
            for one in card.masks
        )
        place = " · ".join(part for part in (self._name(named.node), card.hall, card.window) if part)
        steered = card.steered and caller.may(Act.STEER) and named.quality is not Quality.RECORDED
        return Shown(str(named), card.name or card.camera, place, masks, steered)

    async def may_publish(self, caller: Caller, stream: str) -> None:
        named = Stream.parse(stream)
        if named.node != self._settings.node:
            raise ZonghengError("bad_request", f"publish {stream} at node {named.node}, whose camera it is")
        if named.is_seat:
            self._seats.may_publish(caller.who, named)
            return
        self._must(caller, Act.SHOW, stream)
        form = await self._cameras.get(named.camera)
        if form.kind != "whip" or named.quality is not Quality.MAIN:
            raise ZonghengError(
                "bad_request",
                f"{stream} is not published by anybody: register a camera of kind whip for that",
            )

    @staticmethod
    def _must(caller: Caller, act: Act, stream: str) -> None:
        if not caller.is_operator and not caller.may(act):
            raise ZonghengError("forbidden", f"the roles of {caller.who} do not allow {act}: {stream}")

    def _card(self, stream: Stream) -> CameraCard:
        own = stream.node == self._settings.node
        node = self._tree.own if own else self._tree.get(stream.node)
        if node is None:
            raise ZonghengError(
                "unknown_node", f"there is no node {stream.node!r} at or below {self._settings.node}"
            )
        for card in node.cameras:
            if card.camera == stream.camera:
                return card
        raise ZonghengError("not_found", f"node {stream.node} has no camera {stream.camera!r}")

    def _name(self, node: str) -> str:
        if node == self._settings.node:
            return ""
        known = self._tree.get(node)
        return known.name if known is not None else node
