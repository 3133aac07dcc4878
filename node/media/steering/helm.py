"""How people of a node turn cameras: those of this node, and those of nodes below, through every node on the way.

Whoever turns a camera takes it first; each node on the way enters who it is before it says yes (`CameraSteered`), the camera's own first. Then commands follow, numbered one after
the other. What a person has is remembered here by its name alone: the camera's node says whether they have it still, and where they do not it is taken again.

The questions go as live questions. A camera is turned from its own node and from above: what comes from below, or would pass from one node to its neighbour, is refused
where it turns downward.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from zongheng.v1.camera_pb2 import Viewer
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.live_pb2 import LiveAnswer, LiveQuestion
from zongheng.v1.steering_pb2 import CameraSteered, SteerAnswer, SteerQuestion, SteerTake

from federation.errors import ZonghengError
from node.live.live import Live, Onward
from node.media import permission
from node.tree import Tree

ASK_S: Final = 15.0
"""How long an answer may take: as long as a device may, and the way there and back."""

_MOST_HELD: Final = 1_000


class Obeys(Protocol):
    """The cameras of this node."""

    async def answer(self, viewer: permission.Viewer, question: SteerQuestion) -> SteerAnswer:
        """As `Steering.answer`."""
        ...


@dataclass(slots=True)
class _Held:
    """What somebody of this node took."""

    id: str
    taken: bool = False
    number: int = 0
    taking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Helm:
    """Belongs to one event loop."""

    def __init__(
        self,
        tree: Tree,
        steering: Obeys,
        live: Live,
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
    ) -> None:
        self._tree = tree
        self._steering = steering
        self._live = live
        self._write = write
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()
        live.handler("steer", self._answer)
        live.passing("steer", self._pass)

    async def look(self, viewer: Viewer, camera: str) -> SteerAnswer:
        """What a camera (`NODE/CAMERA`) can do, for whoever may turn it. Raises ZonghengError as `steer`."""
        question = SteerQuestion()
        question.look.SetInParent()
        return await self._ask(viewer, camera, question)

    async def steer(self, viewer: Viewer, camera: str, command: SteerQuestion) -> SteerAnswer:
        """Have a camera obey; whoever has not got it takes it.

        Raises ZonghengError: `unknown_node`, `not_found`, `forbidden`, `steered`, `bad_request`, `unreachable`, `deadline`, and what the device says.
        """
        held = self._of(viewer, camera)
        for _ in range(2):
            number = held.number = held.number + 1
            async with held.taking:
                if not held.taken:
                    await self._take(viewer, camera, held)
            command.hold, command.number = held.id, number
            answer = await self._ask(viewer, camera, command)
            released = command.WhichOneof("command") == "release"
            if answer.over or released:
                held.taken = False
            if not answer.over or released:
                return answer
        raise ZonghengError("steered", "the camera was taken over again and again: try later")

    async def _take(self, viewer: Viewer, camera: str, held: _Held) -> None:
        await self._ask(viewer, camera, SteerQuestion(hold=held.id, take=SteerTake()))
        held.taken = True

    async def _ask(self, viewer: Viewer, camera: str, question: SteerQuestion) -> SteerAnswer:
        node, _, question.camera = camera.partition("/")
        if not question.camera or "/" in question.camera:
            raise ZonghengError("bad_request", f"{camera!r} names no camera: give NODE/CAMERA")
        if node != self._tree.own.node and not self._tree.is_below(node):
            raise ZonghengError(
                "unknown_node", f"there is no node {node!r} at or below {self._tree.own.node}"
            )
        return (await self._live.ask(node, question, viewer, ASK_S)).steered

    async def _answer(self, question: LiveQuestion) -> SteerAnswer:
        """A camera of this node is to obey."""
        self._check(question)
        return await self._steering.answer(permission.viewer(question.asker), question.steer)

    async def _pass(self, question: LiveQuestion, onward: Onward) -> LiveAnswer:
        """A camera below is to obey, for somebody of this node or of one above: who takes it is entered before they are told yes."""
        self._check(question)
        answer = await onward()
        answer.steered.hop += 1
        if question.steer.WhichOneof("command") == "take":
            steered = CameraSteered(
                hold=question.steer.hold,
                camera=f"{question.to_node}/{question.steer.camera}",
                viewer=question.asker,
                hop=answer.steered.hop,
            )
            await self._write([Entry(source="node", camera_steered=steered)])
        return answer

    def _check(self, question: LiveQuestion) -> None:
        if self._tree.is_below(question.from_node):
            raise ZonghengError(
                "forbidden",
                f"a camera is turned from its own node and from above, not from {question.from_node}",
            )

    def _of(self, viewer: Viewer, camera: str) -> _Held:
        key = viewer.who, camera
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(f"{self._tree.own.node}-{secrets.token_hex(8)}")
        self._held.move_to_end(key)
        if len(self._held) > _MOST_HELD:
            self._held.popitem(last=False)
        return held
