"""Who looks through which camera, at one node: its own people, and those whom its parent asks for.

Nobody looks unasked: the camera's node says whether a viewer may, each node on the way may say no, and each enters who looks before it says yes. So what a node's people see
of a hall is in that hall's own journal, with the name of who looks. Where a journal takes no entries (it is sealed) nobody looks.

A picture that is taken out of what somebody looks at is entered the same way, from the camera's node upward, and given to them last: killed anywhere, or cut off, nobody has a
picture that some node on the way does not know of; a node may know of one that nobody got.

A viewing has one name at every hop, `<node of the viewer>-<random>`. It ends where the viewer leaves, where somebody at any node on the way puts the viewer out, and
where the neighbour that asked for it is gone for a minute. One that comes back within that asks again under the same name, and nothing was interrupted. Where the way to the
camera stays broken for ten minutes it ends as well. What a node's own death interrupted it enters as closed when it is back (`interrupted`), so that nothing looks open for ever.

Each open leaves entries at every node on the way, for ever: who opens and leaves without end, a person or a neighbour, is told `busy`.

What is above a node, or beside it, is asked of its parent, and nobody looks there but in a meeting (`MeetingStreams`): each node on the way down asks that for the child that the viewer sits at or below,
and puts the viewer out when it is not so any more. In whose name a child asks is checked as well: its own, and that of nodes below it.
"""

import asyncio
import contextlib
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import structlog
from zongheng.v1.camera_pb2 import (
    CameraClosed,
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
from federation.trunk.frame import Stream
from federation.trunk.live import PARENT
from federation.trunk.neighbours import Say
from node.media.meeting_streams import MeetingStreams
from node.media.pace import Pace
from node.media.unclosed import Unclosed
from node.media.viewing import Viewing, closed, entry, opened
from node.tree import Tree
from node.wallclock import Now

MOST_FROM_ABOVE: Final = 1_000
"""Viewings that a parent may have here at once."""

MOST_FROM_BELOW: Final = 256
"""Viewings that a child may have here at once of what is not below it."""

UNCONFIRMED_US: Final = 60_000_000
"""How long viewings that a neighbour asked for go on while it is not there."""

LOST_US: Final = 600_000_000
"""How long viewings go on whose camera cannot be asked for: the neighbour is away, or a node beyond it."""

ONE_PER_S: Final = 10.0
ONE_AT_ONCE: Final = 400
"""How often one person may begin to look; a wall of pictures begins a hundred times at once."""

PEER_PER_S: Final = 20.0
"""How often all for whom one neighbour asks together may; at once as many as may look from above."""

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


class AskPeer(Protocol):
    async def __call__(self, peer: str, question: ViewingQuestion, within_s: float) -> int: ...


class Viewings:
    """Belongs to one event loop."""

    def __init__(
        self,
        tree: Tree,
        gatekeeper: Gatekeeper,
        meetings: MeetingStreams,
        has_parent: Callable[[], bool],
        ask: AskPeer,
        say_child: Callable[[str, AttendResponse], None],
        write: Callable[[Sequence[Entry]], Awaitable[list[int]]],
        unclosed: Unclosed,
        now: Now,
    ) -> None:
        self._tree = tree
        self._gatekeeper = gatekeeper
        self._meetings = meetings
        self._has_parent = has_parent
        self._ask_peer = ask
        self._say_child = say_child
        self._write = write
        self._unclosed = unclosed
        self._now = now
        self._pace = Pace(ONE_PER_S, ONE_AT_ONCE, now)
        self._pace_peer = Pace(PEER_PER_S, MOST_FROM_ABOVE, now)
        self._interrupted: dict[str, CameraClosed] = {}
        """What was open when the node died, until it is entered as closed."""
        self._open: dict[str, Viewing] = {}
        self._opening: dict[str, Viewing] = {}
        self._say_parent: Say | None = None
        self._to_ask: asyncio.Queue[str] = asyncio.Queue()
        self._look_now = asyncio.Event()
        self._asking: set[str] = set()
        """Neighbours that came back, until they have said of everybody who looks whether they may go on."""
        self.begins: Callable[[], None] = lambda: None
        """Told when somebody asks to look: there will be something to carry in a moment."""
        self.ended: Callable[[Viewing], None] = lambda viewing: None
        """Told of each viewing that is over."""

    @property
    def now_looking(self) -> Sequence[Viewing]:
        """Everybody who looks at or through this node, the longest first."""
        return sorted(self._open.values(), key=lambda viewing: viewing.since_us)

    def is_wanted_by(self, peer: str, stream: str) -> bool:
        """Whether a neighbour was let in to a stream."""
        return any(each.asked_by == peer and str(each.stream) == stream for each in self._open.values())

    def is_let_in(self, stream: str) -> bool:
        """Whether somebody's looking at a stream was said yes to by everybody towards it, as far as is known: it may be ordered there."""
        return any(each.confirmed and str(each.stream) == stream for each in self._open.values())

    async def open(
        self, viewer: Viewer, stream: str, removed: Callable[[ZonghengError], None] = lambda error: None
    ) -> Viewing:
        """Let one of this node's own people look. Raises ZonghengError: `not_found`, `unknown_node`, `forbidden`, `unreachable`, `deadline`."""
        viewing = Viewing(
            f"{self._tree.own.node}-{secrets.token_hex(8)}",
            Stream.parse(stream),
            viewer,
            None,
            removed=removed,
        )
        await self._begin(viewing)
        return viewing

    async def close(self, viewing: Viewing, code: str = "") -> None:
        """The viewer looks no more; again changes nothing. `code`: what ended it, where they did not leave by themselves."""
        if self._open.pop(viewing.id, None) is not viewing:
            return
        self._end_beyond(viewing)
        self.ended(viewing)
        seconds = max(0, (self._now() - viewing.since_us) // 1_000_000)
        ended = closed(viewing, code)
        ended.seconds = seconds
        await self._write([entry(ended)])
        await self._unclosed.drop([viewing.id])

    async def remove(self, viewing_id: str, by: str, reason: str) -> Viewing:
        """Put a viewer out, wherever they sit. Raises ZonghengError `not_found`."""
        viewing = self._open.get(viewing_id)
        if viewing is None:
            raise ZonghengError("not_found", f"nobody looks here under {viewing_id!r}")
        await self._remove(viewing, by, reason)
        return viewing

    async def pictured(self, viewing: Viewing, picture: ViewingPicture) -> int:
        """Enter a picture that was taken for a viewer, the camera's node first: when this returns they may have it. Returns the index of the entry here.

        Raises ZonghengError `unreachable` also where a node on the way knows nothing of pictures.
        """
        if viewing.way is not None:
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
                peer = await self._to_ask.get()
                tasks.create_task(self._ask_again(peer))

    def recheck(self) -> None:
        """A meeting is over, or has lost somebody: what goes down without one is to end now."""
        self._look_now.set()

    # From the parent.

    def attended(self, say: Say) -> None:
        self._say_parent = say

    def goes_down(self) -> None:
        """The parent is there, perhaps again, and knows nothing of who looks up."""
        self._came_back(PARENT)

    def left(self) -> None:
        self._say_parent = None
        self._went(PARENT)

    async def asked(self, question: ViewingQuestion) -> int:
        sits = question.viewer.node
        if sits == self._tree.own.node or self._tree.is_below(sits):
            raise ZonghengError("protocol", "whoever sits here or below is not asked for from above")
        return await self._asked(PARENT, question, MOST_FROM_ABOVE)

    async def ended_above(self, viewing_id: str) -> None:
        await self._ended(PARENT, viewing_id)

    # From children.

    def attends(self, child: str) -> None:
        """A child is there, perhaps again: it knows nothing of who looks."""
        self._came_back(child)

    def absent(self, child: str) -> None:
        """A child is not there any more."""
        self._went(child)

    async def asked_below(self, child: str, question: ViewingQuestion) -> int:
        """May somebody at a child or below it look at what is not below that child? Raises ZonghengError `forbidden` for all that no meeting lets them."""
        stream = Stream.parse(question.stream)
        sits = question.viewer.node
        if self._tree.route(sits) != child or not question.viewing.startswith(f"{sits}-"):
            raise ZonghengError(
                "forbidden", f"{child} asks for nobody who is not known to sit there or below"
            )
        if self._tree.route(stream.node) == child:
            raise ZonghengError("protocol", f"{stream.node} is below {child} itself")
        if not self._meetings.may_go_down(stream, child):
            raise ZonghengError(
                "forbidden",
                f"{stream} goes down to {child} only in a meeting that both are in; there is none",
            )
        return await self._asked(child, question, MOST_FROM_BELOW)

    async def ended_below(self, child: str, viewing_id: str) -> None:
        await self._ended(child, viewing_id)

    async def removal(self, peer: str, removal: ViewingRemoval) -> None:
        """A neighbour puts a viewer out: one that looks through it, or one that it asked for itself."""
        viewing = self._open.get(removal.viewing)
        if viewing is not None and viewing.way == peer:
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
                viewing.way = self._way(viewing)
                viewing.hop = 1 + await self._ask(viewing)
            before = self._interrupted.get(viewing.id)
            await self._unclosed.keep(closed(viewing, "interrupted"))
            await self._write([*([entry(before)] if before is not None else []), opened(viewing)])
            self._interrupted.pop(viewing.id, None)
            viewing.since_us = self._now()
            self._open[viewing.id] = viewing
        except BaseException:
            self._end_beyond(viewing)
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

    def _way(self, viewing: Viewing) -> str:
        """The neighbour through which a viewing's camera is reached."""
        node = viewing.stream.node
        child = self._tree.route(node)
        if child is not None and child != viewing.asked_by:
            return child
        if child is not None or viewing.from_above or not self._has_parent():
            raise ZonghengError(
                "unknown_node", f"there is no node {node!r} at or below {self._tree.own.node}"
            )
        return PARENT

    async def _asked(self, peer: str, question: ViewingQuestion, most: int) -> int:
        """A neighbour asks for somebody who looks, once more, or for their picture."""
        stream = Stream.parse(question.stream)
        known = self._open.get(question.viewing)
        if known is not None and known.asked_by == peer and known.stream == stream:
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
        both = (*self._open.values(), *self._opening.values())
        if sum(each.asked_by == peer for each in both) >= most:
            raise ZonghengError("busy", f"{most} look through {self._tree.own.node} already")
        self._pace_peer.take(peer or "the node above")
        viewing = Viewing(question.viewing, stream, question.viewer, peer)
        await self._begin(viewing)
        return viewing.hop

    async def _ended(self, peer: str, viewing_id: str) -> None:
        if (opening := self._opening.get(viewing_id)) is not None and opening.asked_by == peer:
            opening.gone = True
        viewing = self._open.get(viewing_id)
        if viewing is not None and viewing.asked_by == peer:
            await self.close(viewing)

    def _came_back(self, peer: str) -> None:
        through = [viewing for viewing in self._open.values() if viewing.way == peer]
        for viewing in through:
            self._lose(viewing)
        if through and peer not in self._asking:
            self._asking.add(peer)
            self._to_ask.put_nowait(peer)

    def _went(self, peer: str) -> None:
        for viewing in self._open.values():
            if viewing.asked_by == peer:
                viewing.unconfirmed_us = viewing.unconfirmed_us or self._now()
            if viewing.way == peer:
                self._lose(viewing)

    async def _ask(self, viewing: Viewing, picture: ViewingPicture | None = None) -> int:
        question = ViewingQuestion(
            viewing=viewing.id, stream=str(viewing.stream), viewer=viewing.viewer, picture=picture
        )
        assert viewing.way is not None
        return await self._ask_peer(viewing.way, question, ASK_S)

    def _end_beyond(self, viewing: Viewing) -> None:
        end = ViewingEnd(viewing=viewing.id)
        if viewing.way == PARENT and self._say_parent is not None:
            self._say_parent(AttendRequest(end=end))
        elif viewing.way:
            self._say_child(viewing.way, AttendResponse(end=end))

    async def _remove(self, viewing: Viewing, by: str, reason: str) -> None:
        removed = ViewerRemoved(
            viewing=viewing.id, stream=str(viewing.stream), viewer=viewing.viewer, by=by, reason=reason
        )
        await self._write([Entry(source="node", viewer_removed=removed)])
        removal = ViewingRemoval(viewing=viewing.id, node=self._tree.own.node, by=by, words=reason)
        if viewing.from_above and self._say_parent is not None:
            self._say_parent(AttendRequest(removal=removal))
        elif viewing.asked_by:
            self._say_child(viewing.asked_by, AttendResponse(removal=removal))
        error = ZonghengError("viewer_removed", f"{by} ended it: {reason}" if reason else f"{by} ended it")
        await self._put_out(viewing, error)

    async def _put_out(self, viewing: Viewing, error: ZonghengError) -> None:
        viewing.removed(error)
        await self.close(viewing, error.code)

    async def _ask_again(self, peer: str) -> None:
        """Until everybody who looks through the neighbour is let in again, or put out: nodes further on may come back later."""
        while waiting := [each for each in self._open.values() if each.way == peer and not each.confirmed]:
            for viewing in waiting:
                try:
                    await self._ask(viewing)
                    viewing.confirmed, viewing.lost_us = True, 0
                except Exception as failed:
                    await self._refused_again(viewing, of(failed))
            await asyncio.sleep(ASK_AGAIN_S)
        self._asking.discard(peer)

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
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._look_now.wait()
            self._look_now.clear()
            await self._end_unmet()
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

    async def _end_unmet(self) -> None:
        """End what goes down without a meeting, also where the journal takes nothing."""
        for viewing in list(self._open.values()):
            if viewing.asked_by and not self._meetings.may_go_down(viewing.stream, viewing.asked_by):
                words = "this stream is of no meeting any more that you are in"
                try:
                    await self._remove(viewing, "meeting", words)
                except Exception as failed:
                    log.exception("camera.not_closed", code=of(failed).code)
                    with contextlib.suppress(Exception):
                        await self._put_out(viewing, ZonghengError("viewer_removed", words))

    async def _close_interrupted(self) -> None:
        """Enter what this node's death interrupted as closed; where the journal takes nothing, another time."""
        closing = [self._interrupted[one] for one in self._interrupted if one not in self._opening]
        if not closing:
            return
        try:
            await self._write([entry(one) for one in closing])
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
