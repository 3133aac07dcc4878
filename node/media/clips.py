"""Clips cut out of recordings, for people of the camera's node and of every node above.

A clip is cut at the camera's node, which decides who may have it, and each node on the way enters who it is (`ClipExported`), the camera's own first, before anybody above hears where it lies.
Then the node that asked fetches it piece by piece over the live lanes, and takes it for what it is only with the SHA-256 that the entries name. Where a link breaks in between, the pieces that
came are forgotten and whoever wanted it asks again: the same stretch out of the same recording is the same bytes.

What is had from above is bounded in bytes; a longer one is cut where the camera is.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from zongheng.v1.camera_pb2 import ClipExported, Viewer
from zongheng.v1.clips_pb2 import (
    ClipAnswer,
    ClipPieceAnswer,
    ClipPieceQuestion,
    ClipQuestion,
    WitnessAnswer,
    WitnessCamera,
    WitnessQuestion,
)
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.live_pb2 import LiveAnswer, LiveQuestion

from federation.errors import ZonghengError, first_of
from node.files.shelf import Shelf
from node.live.live import Live, Onward
from node.tree import Tree

MOST_BYTES: Final = 512 * 1024 * 1024
"""Largest clip that is had from above."""

PIECE_BYTES: Final = 256 * 1024
CUT_S: Final = 110.0
"""How long a node below may take to cut one."""

_AT_ONCE: Final = 4
_TRIES: Final = 3
_MOST_GIVEN: Final = 1_000


class Cuts(Protocol):
    """The recordings of this node."""

    async def cut(self, viewer: Viewer, question: ClipQuestion, most: int = 0) -> ClipAnswer:
        """As `OwnClips.cut`."""
        ...

    async def witnesses(self, alert_id: str) -> list[WitnessCamera]:
        """As `OwnClips.witnesses`."""
        ...

    async def may_have(self, viewer: Viewer, camera: str) -> bool:
        """As `OwnClips.may_have`."""
        ...


class Clips:
    """Belongs to one event loop."""

    def __init__(
        self,
        tree: Tree,
        own: Cuts,
        live: Live,
        shelf: Shelf,
        make_room: Callable[[int], Awaitable[None]],
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
    ) -> None:
        """``make_room``: for so many bytes, as `Room.make`."""
        self._tree = tree
        self._own = own
        self._live = live
        self._shelf = shelf
        self._make_room = make_room
        self._write = write
        self._given: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Which clip was cut for which node, the newest last."""
        live.handler("clip", self._cut_for)
        live.passing("clip", self._pass)
        live.handler("clip_piece", self._piece)
        live.handler("witness", self._witness)
        for kind in ("clip_piece", "witness"):
            live.passing(kind, self._pass_downward)

    async def export(self, viewer: Viewer, node: str, question: ClipQuestion) -> ClipAnswer:
        """Cut a clip and have it on the shelf; `index` is that of this node's entry.

        Raises ZonghengError: `forbidden`, `not_found` where nothing was recorded, `too_large`, `disk_full`, and for a camera below `unknown_node`, `unreachable`, `deadline`.
        """
        if node == self._tree.own.node:
            return await self._own.cut(viewer, question)
        self._must_be_below(node)
        made = (await self._live.ask(node, question, viewer, CUT_S)).clip
        if not await asyncio.to_thread(self._shelf.has, made.sha256):
            await self._fetch(viewer, node, made)
        return made

    async def witnesses(self, viewer: Viewer, node: str, alert_id: str) -> Sequence[WitnessCamera]:
        """The cameras of a node that saw what an alert of it is about: those of its window, or else of its agency's hall. Raises ZonghengError `not_found`, and as `export`."""
        if node == self._tree.own.node:
            return await self._own.witnesses(alert_id)
        self._must_be_below(node)
        return (await self._live.ask(node, WitnessQuestion(alert_id=alert_id), viewer)).witness.cameras

    def _must_be_below(self, node: str) -> None:
        if not self._tree.is_below(node):
            raise ZonghengError(
                "unknown_node", f"there is no node {node!r} at or below {self._tree.own.node}"
            )

    # At the camera's node.

    async def _cut_for(self, question: LiveQuestion) -> ClipAnswer:
        self._check(question)
        made = await self._own.cut(question.asker, question.clip, MOST_BYTES)
        self._given[made.sha256, question.from_node] = None
        self._given.move_to_end((made.sha256, question.from_node))
        while len(self._given) > _MOST_GIVEN:
            self._given.popitem(last=False)
        return made

    async def _piece(self, question: LiveQuestion) -> ClipPieceAnswer:
        self._check(question)
        asked = question.clip_piece
        if (asked.sha256, question.from_node) not in self._given:
            raise ZonghengError(
                "not_found", f"no clip {asked.sha256} was cut for {question.from_node}: ask for it again"
            )
        content = await asyncio.to_thread(self._shelf.read, asked.sha256, asked.offset, PIECE_BYTES)
        return ClipPieceAnswer(content=content)

    async def _witness(self, question: LiveQuestion) -> WitnessAnswer:
        self._check(question)
        saw = await self._own.witnesses(question.witness.alert_id)
        return WitnessAnswer(
            cameras=[one for one in saw if await self._own.may_have(question.asker, one.camera)]
        )

    # On the way, and at the node that asked.

    async def _pass(self, question: LiveQuestion, onward: Onward) -> LiveAnswer:
        """Somebody of this node or of one above has a clip of a camera below: entered before they hear of it."""
        self._check(question)
        answer = await onward()
        made, asked = answer.clip, question.clip
        made.hop += 1
        entry = ClipExported(
            camera=f"{question.to_node}/{asked.camera}", viewer=question.asker, from_us=made.from_us, to_us=made.to_us,
            sha256=made.sha256, bytes=made.bytes, alert_id=asked.alert_id, case_id=asked.case_id, gaps=made.gaps, hop=made.hop,
        )  # fmt: skip
        (made.index,) = await self._write([Entry(source="node", clip_exported=entry)])
        return answer

    async def _pass_downward(self, question: LiveQuestion, onward: Onward) -> LiveAnswer:
        self._check(question)
        return await onward()

    async def _fetch(self, viewer: Viewer, node: str, made: ClipAnswer) -> None:
        if made.bytes > MOST_BYTES:
            raise ZonghengError("protocol", f"{node} offers a clip of {made.bytes} bytes")
        await self._make_room(made.bytes)
        part = f"clip.{secrets.token_hex(8)}"
        try:
            for begin in range(0, made.bytes, _AT_ONCE * PIECE_BYTES):
                end = min(made.bytes, begin + _AT_ONCE * PIECE_BYTES)
                async with asyncio.TaskGroup() as tasks:
                    pieces = [
                        tasks.create_task(self._piece_of(viewer, node, made.sha256, offset))
                        for offset in range(begin, end, PIECE_BYTES)
                    ]
                content = b"".join(piece.result() for piece in pieces)
                await asyncio.to_thread(self._shelf.extend, part, content)
            if not await asyncio.to_thread(self._shelf.keep, part, made.sha256):
                raise ZonghengError(
                    "unreadable",
                    f"what came of the clip from {node} is not what the entries name: ask for it again",
                )
        except* ZonghengError as group:
            raise first_of(group) from None
        finally:
            await asyncio.to_thread(self._shelf.forget, part)

    async def _piece_of(self, viewer: Viewer, node: str, sha256: str, offset: int) -> bytes:
        question = ClipPieceQuestion(sha256=sha256, offset=offset)
        for left in reversed(range(_TRIES)):
            try:
                return (await self._live.ask(node, question, viewer)).clip_piece.content
            except ZonghengError as error:
                if error.code not in {"unreachable", "deadline", "busy"} or not left:
                    raise
                await asyncio.sleep(1.0)
        raise AssertionError

    def _check(self, question: LiveQuestion) -> None:
        """Clips are had from above alone."""
        if self._tree.is_below(question.from_node):
            raise ZonghengError("forbidden", "recordings are shown to their own node and to those above it")
