"""Who looks through which camera, at one node: its own people, and those whom its parent asks for.

Nobody looks unasked: the camera's node says whether a viewer may, each node on the way may say no, and each enters who looks before it says yes. So what a node's people see
of a hall is in that hall's own journal, with the name of who looks. Where a journal takes no entries (it is sealed) nobody looks.

A picture that is taken out of what somebody looks at is entered the same way, from the camera's node upward, and given to them last: killed anywhere, or cut off, nobody has a
picture that some node on the way does not know of; a node may know of one that nobody got.

A viewing has one name at every hop, `<node of the viewer>-<random>`. It ends where the viewer leaves, where somebody at any node on the way puts the viewer out, and
where the node above that asked for it is gone for a minute. A parent that comes back within that asks again under the same name, and nothing was interrupted. Where the way
down stays broken for ten minutes it ends above as well. What a node's own death interrupted it enters as closed when it is back (`interrupted`), so that nothing looks open for ever.

Each open leaves entries at every node on the way, for ever: who opens and leaves without end, a person or a parent, is told `busy`.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from zongheng.v1.camera_pb2 import (
    CameraClosed,
    CameraOpened,
    RecordingPlayed,
    SnapshotTaken,
    Viewer,
    ViewerRemoved,
)
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.viewing_pb2 import (
    AttendRequest,
    AttendResponse,
    ViewingEnd,
    ViewingPicture,
    ViewingQuestion,
    ViewingRemoval,
)

from federation.errors import ZonghengError, of
from federation.trunk.attending import Say
from federation.trunk.frame import Quality, Stream
from node.media.pace import Pace
from node.media.unclosed import Unclosed
from node.tree import Tree
from node.wallclock import Now

MOST_FROM_ABOVE: Final = 1_000
"""Viewings that a parent may have here at once."""

UNCONFIRMED_US: Final = 60_000_000
"""How long viewings from above go on while the parent that asked for them is not there."""

LOST_US: Final = 600_000_000
"""How long viewings go on whose camera cannot be asked for: the child is away, or a node below it."""

ONE_PER_S: Final = 10.0
ONE_AT_ONCE: Final = 400
"""How often one person may begin to look; a wall of pictures begins a hundred times at once."""

ABOVE_PER_S: Final = 20.0
"""How often all from above together may; at once as many as may look."""

ASK_S: Final = 10.0
ASK_AGAIN_S: Final = 0.5
LOOK_S: Final = 2.0

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

log = structlog.get_logger()


class Gatekeeper(Protocol):
    """Says who may look through a camera of this node."""

    async def check(self, viewer: Viewer, stream: Stream) -> None:
        """Raises ZonghengError `not_found` where there is no such camera, `forbidden` where this viewer may not look now."""
        ...


class AskChild(Protocol):
    async def __call__(self, child: str, question: ViewingQuestion, within_s: float) -> int: ...


@dataclass(slots=True, eq=False)
class Viewing:
    """Somebody who looks."""

    id: str
    stream: Stream
    viewer: Viewer
    from_above: bool
    child: str
    """The child through which the camera is reached; empty: it is this node's."""
    removed: Callable[[ZonghengError], None] = field(default=lambda error: None, repr=False)
    """Told when somebody puts the viewer out, or the camera's node says no after all."""
    hop: int = 0
    """How far from the camera's node this one is."""
    since_us: int = 0
    unconfirmed_us: int = 0
    """When the parent that asked went away; 0: it is there."""
    confirmed: bool = True
    """Everybody below knows of it, as far as is known."""
    lost_us: int = 0
    """When the way down to the camera broke; 0: it is there."""
    gone: bool = False
    """The viewer left while they were still being asked for."""


class Viewings:
    """Belongs to one event loop."""

    def __init__(
        self,
        tree: Tree,
        gatekeeper: Gatekeeper,
        ask_child: AskChild,
        say_child: Callable[[str, AttendResponse], None],
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
        unclosed: Unclosed,
        now: Now,
    ) -> None:
        self._tree = tree
        self._gatekeeper = gatekeeper
        self._ask_child = ask_child
        self._say_child = say_child
        self._write = write
        self._unclosed = unclosed
        self._now = now
        self._pace = Pace(ONE_PER_S, ONE_AT_ONCE, now)
        self._pace_above = Pace(ABOVE_PER_S, MOST_FROM_ABOVE, now)
        self._interrupted: dict[str, CameraClosed] = {}
        """What was open when the node died, until it is entered as closed."""
        self._open: dict[str, Viewing] = {}
        self._opening: dict[str, Viewing] = {}
        self._say_parent: Say | None = None
        self._to_ask: asyncio.Queue[str] = asyncio.Queue()
        self._asking: set[str] = set()
        """Children that came back, until they have said of everybody who looks whether they may go on."""
        self.begins: Callable[[], None] = lambda: None
        """Told when somebody asks to look: there will be something to carry in a moment."""
        self.ended: Callable[[Viewing], None] = lambda viewing: None
        """Told of each viewing that is over."""

    @property
    def now_looking(self) -> Sequence[Viewing]:
        """Everybody who looks at or through this node, the longest first."""
        return sorted(self._open.values(), key=lambda viewing: viewing.since_us)

    def is_wanted_above(self, stream: str) -> bool:
        """Whether the parent was let in to a stream."""
        return any(each.from_above and str(each.stream) == stream for each in self._open.values())

    def is_let_in(self, stream: str) -> bool:
        """Whether somebody's looking at a stream was said yes to by everybody below, as far as is known: it may be ordered there."""
        return any(each.confirmed and str(each.stream) == stream for each in self._open.values())

    async def open(
        self, viewer: Viewer, stream: str, removed: Callable[[ZonghengError], None] = lambda error: None
    ) -> Viewing:
        """Let one of this node's own people look. Raises ZonghengError: `not_found`, `unknown_node`, `forbidden`, `unreachable`, `deadline`."""
        viewing = Viewing(
            f"{self._tree.own.node}-{secrets.token_hex(8)}", Stream.parse(stream), viewer, False, "", removed
        )
        await self._begin(viewing)
        return viewing

    async def close(self, viewing: Viewing, code: str = "") -> None:
        """The viewer looks no more; again changes nothing. `code`: what ended it, where they did not leave by themselves."""
        if self._open.pop(viewing.id, None) is not viewing:
            return
        self._end_below(viewing)
        self.ended(viewing)
        seconds = max(0, (self._now() - viewing.since_us) // 1_000_000)
        closed = _closed(viewing, code)
        closed.seconds = seconds
        await self._write([_entry(closed)])
        await self._unclosed.drop([viewing.id])

    async def remove(self, viewing_id: str, by: str, reason: str) -> Viewing:
        """Put a viewer out, wherever they sit. Raises ZonghengError `not_found`."""
        viewing = self._open.get(viewing_id)
        if viewing is None:
            raise ZonghengError("not_found", f"nobody looks here under {viewing_id!r}")
        await self._remove(viewing, by, reason)
        return viewing

    async def pictured(self, viewing: Viewing, picture: ViewingPicture) -> int:
        """Enter a picture that was taken for a viewer, below first: when this returns they may have it. Returns the index of the entry here.

        Raises ZonghengError `unreachable` also where a node on the way knows nothing of pictures.
        """
        if viewing.child:
            await self._ask(viewing, picture)
        taken = SnapshotTaken(
            stream=str(viewing.stream), viewer=viewing.viewer, hop=viewing.hop,
            taken_at_us=picture.taken_at_us, sha256=picture.sha256, bytes=picture.bytes,
        )  # fmt: skip
        (index,) = await self._write([Entry(source="node", snapshot_taken=taken)])
        return index

    async def begin(self) -> None:
        """At a start, before anybody looks: take note of what was open when this node was last there."""
        self._interrupted = {one.viewing: one for one in await self._unclosed.kept()}

    async def run(self) -> None:
        """Ask again for whom has to be asked for, and end what nobody confirms; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look())
            while True:
                child = await self._to_ask.get()
                tasks.create_task(self._ask_again(child))

    # From the parent.

    def attended(self, say: Say) -> None:
        self._say_parent = say

    def left(self) -> None:
        self._say_parent = None
        for viewing in self._open.values():
            if viewing.from_above:
                viewing.unconfirmed_us = viewing.unconfirmed_us or self._now()

    async def asked(self, question: ViewingQuestion) -> int:
        stream = Stream.parse(question.stream)
        known = self._open.get(question.viewing)
        if known is not None and known.from_above and known.stream == stream:
            known.unconfirmed_us = 0
            if question.HasField("picture"):
                if not _DIGEST.fullmatch(question.picture.sha256):
                    raise ZonghengError("protocol", "a picture is named by its SHA-256")
                await self.pictured(known, question.picture)
            return known.hop
        if question.HasField("picture"):
            raise ZonghengError("not_found", f"nobody looks here under {question.viewing!r}")
        if known is not None or question.viewing in self._opening or not 8 <= len(question.viewing) <= 120:
            raise ZonghengError("protocol", "a viewing has a name of its own")
        if question.viewer.node == self._tree.own.node or self._tree.is_below(question.viewer.node):
            raise ZonghengError("protocol", "whoever sits here or below is not asked for from above")
        if sum(each.from_above for each in self._open.values()) + len(self._opening) >= MOST_FROM_ABOVE:
            raise ZonghengError("busy", f"{MOST_FROM_ABOVE} look through {self._tree.own.node} already")
        self._pace_above.take("the node above")
        viewing = Viewing(question.viewing, stream, question.viewer, True, "")
        await self._begin(viewing)
        return viewing.hop

    async def ended_above(self, viewing_id: str) -> None:
        if (opening := self._opening.get(viewing_id)) is not None and opening.from_above:
            opening.gone = True
        viewing = self._open.get(viewing_id)
        if viewing is not None and viewing.from_above:
            await self.close(viewing)

    # From children.

    def attends(self, child: str) -> None:
        """A child is there, perhaps again: it knows nothing of who looks."""
        through = [viewing for viewing in self._open.values() if viewing.child == child]
        for viewing in through:
            self._lose(viewing)
        if through and child not in self._asking:
            self._asking.add(child)
            self._to_ask.put_nowait(child)

    def absent(self, child: str) -> None:
        """A child is not there any more."""
        for viewing in self._open.values():
            if viewing.child == child:
                self._lose(viewing)

    async def removal(self, child: str, removal: ViewingRemoval) -> None:
        viewing = self._open.get(removal.viewing)
        if viewing is not None and viewing.child == child:
            await self._remove(viewing, f"{removal.by}@{removal.node}", removal.words)

    # What they are made of.

    async def _begin(self, viewing: Viewing) -> None:
        own = self._tree.own.node
        self._pace.take(f"{viewing.viewer.who} of {viewing.viewer.node}")
        self._opening[viewing.id] = viewing
        self.begins()
        try:
            if viewing.stream.node == own:
                await self._gatekeeper.check(viewing.viewer, viewing.stream)
            else:
                child = self._tree.route(viewing.stream.node)
                if child is None:
                    raise ZonghengError(
                        "unknown_node", f"there is no node {viewing.stream.node!r} at or below {own}"
                    )
                viewing.child = child
                viewing.hop = 1 + await self._ask(viewing)
            before = self._interrupted.get(viewing.id)
            await self._unclosed.keep(_closed(viewing, "interrupted"))
            await self._write([*([_entry(before)] if before is not None else []), _opened(viewing)])
            self._interrupted.pop(viewing.id, None)
            viewing.since_us = self._now()
            self._open[viewing.id] = viewing
        except BaseException:
            self._end_below(viewing)
            if viewing.id not in self._interrupted:
                await self._unclosed.drop([viewing.id])
            raise
        finally:
            del self._opening[viewing.id]
        log.info(
            "camera.opened", stream=str(viewing.stream), viewer=viewing.viewer.who, node=viewing.viewer.node
        )
        if viewing.gone:
            await self.close(viewing)
            raise ZonghengError("not_found", "the viewer has left meanwhile")

    async def _ask(self, viewing: Viewing, picture: ViewingPicture | None = None) -> int:
        question = ViewingQuestion(
            viewing=viewing.id, stream=str(viewing.stream), viewer=viewing.viewer, picture=picture
        )
        return await self._ask_child(viewing.child, question, ASK_S)

    def _end_below(self, viewing: Viewing) -> None:
        if viewing.child:
            self._say_child(viewing.child, AttendResponse(end=ViewingEnd(viewing=viewing.id)))

    async def _remove(self, viewing: Viewing, by: str, reason: str) -> None:
        removed = ViewerRemoved(
            viewing=viewing.id, stream=str(viewing.stream), viewer=viewing.viewer, by=by, reason=reason
        )
        await self._write([Entry(source="node", viewer_removed=removed)])
        if viewing.from_above and self._say_parent is not None:
            removal = ViewingRemoval(viewing=viewing.id, node=self._tree.own.node, by=by, words=reason)
            self._say_parent(AttendRequest(removal=removal))
        error = ZonghengError("viewer_removed", f"{by} ended it: {reason}" if reason else f"{by} ended it")
        await self._put_out(viewing, error)

    async def _put_out(self, viewing: Viewing, error: ZonghengError) -> None:
        viewing.removed(error)
        await self.close(viewing, error.code)

    async def _ask_again(self, child: str) -> None:
        """Until everybody who looks through the child is let in again, or put out: nodes further below may come back later."""
        while waiting := [each for each in self._open.values() if each.child == child and not each.confirmed]:
            for viewing in waiting:
                try:
                    await self._ask(viewing)
                    viewing.confirmed, viewing.lost_us = True, 0
                except Exception as failed:
                    await self._refused_again(viewing, of(failed))
            await asyncio.sleep(ASK_AGAIN_S)
        self._asking.discard(child)

    async def _refused_again(self, viewing: Viewing, error: ZonghengError) -> None:
        if error.code in ("unreachable", "deadline", "busy", "internal"):
            return
        try:
            await self._put_out(viewing, error)
        except Exception as failed:  # the journal takes nothing; the viewing is gone all the same
            log.exception("camera.not_closed", code=of(failed).code)

    def _lose(self, viewing: Viewing) -> None:
        viewing.confirmed = False
        viewing.lost_us = viewing.lost_us or self._now()

    async def _look(self) -> None:
        while True:
            await self._close_interrupted()
            await asyncio.sleep(LOOK_S)
            now = self._now()
            for viewing in list(self._open.values()):
                try:
                    if viewing.unconfirmed_us and viewing.unconfirmed_us < now - UNCONFIRMED_US:
                        await self.close(viewing, "unreachable")
                    elif viewing.lost_us and viewing.lost_us < now - LOST_US:
                        words = f"{viewing.stream.node} has not been reached for ten minutes"
                        await self._put_out(viewing, ZonghengError("unreachable", words))
                except Exception as failed:
                    log.exception("camera.not_closed", code=of(failed).code)

    async def _close_interrupted(self) -> None:
        """Enter what this node's death interrupted as closed; where the journal takes nothing, another time."""
        closing = [self._interrupted[one] for one in self._interrupted if one not in self._opening]
        if not closing:
            return
        try:
            await self._write([_entry(one) for one in closing])
            ended = [
                one.viewing
                for one in closing
                if one.viewing not in self._open and one.viewing not in self._opening
            ]
            await self._unclosed.drop(ended)
        except Exception as failed:
            log.info("camera.not_closed", code=of(failed).code, interrupted=len(closing))
            return
        for one in closing:
            self._interrupted.pop(one.viewing, None)


def _closed(viewing: Viewing, code: str) -> CameraClosed:
    return CameraClosed(
        viewing=viewing.id, stream=str(viewing.stream), viewer=viewing.viewer, hop=viewing.hop, code=code
    )


def _entry(closed: CameraClosed) -> Entry:
    return Entry(source="node", camera_closed=closed)


def _opened(viewing: Viewing) -> Entry:
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
    opened = CameraOpened(viewing=viewing.id, stream=stream, viewer=viewing.viewer, hop=viewing.hop)
    return Entry(source="node", camera_opened=opened)
