"""Where streams come from and where they go, at one node: what its worker wants, what children bring, what the parent ordered.

The worker asks once for each stream that is opened there. A stream of this node's comes from its camera; one from below is ordered from the child that leads to its node, with a ticket that the worker
holds ready for that child's key before the child hears of it; any other is wished for from the parent (`GoingDown`). An order from the parent is carried out only for streams to which the parent was let in as a viewer (`Viewings`), and
ends with the last of these. So an order passes from hop to hop as each worker opens the stream for the one above it, at any depth.

Whoever has an order and cannot carry it out says so, with code and words; the worker that wanted the stream tries again as long as somebody looks, unless the answer is final. Nothing here is kept: whatever
dies, what is still wanted is asked for again from above.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import structlog
from zongheng.v1 import media_pb2 as wire
from zongheng.v1.viewing_pb2 import (
    AttendRequest,
    AttendResponse,
    CarryDownTicket,
    CarryDownWish,
    CarryOrder,
    CarryRefusal,
    CarryWithdrawal,
    ViewingQuestion,
    ViewingRemoval,
)

from federation.errors import ZonghengError, of
from federation.trunk.frame import Stream
from federation.trunk.live import PARENT
from federation.trunk.neighbours import Say
from node.media.going_down import GoingDown
from node.media.ingest.source import Source
from node.media.meeting_streams import MeetingStreams
from node.media.pace import Pace
from node.media.supervisor import Attached
from node.media.viewing import Viewing
from node.media.viewings import Viewings
from node.tree import Tree
from node.wallclock import Now

MOST_ORDERED: Final = 1_000
"""Streams that a parent may have carried at once."""

ORDERS_PER_S: Final = 50.0
"""How often it may order one, beyond as many as it may have."""

ABSENT_S: Final = 60.0
"""How long what a neighbour brings or takes goes on while its link is down."""

_MOST_OF_ONE: Final = 4
"""A parent whose worker died orders a stream again before the end of the old call is known; nobody needs one more often than that."""

log = structlog.get_logger()


class Sources(Protocol):
    """Where the streams of this node's cameras are had from."""

    async def source(self, stream: Stream) -> Source:
        """Raises ZonghengError `not_found` where there is no such camera."""
        ...


class Streams:
    """Belongs to one event loop."""

    def __init__(
        self,
        tree: Tree,
        viewings: Viewings,
        sources: Sources,
        meetings: MeetingStreams,
        key_of: Callable[[str], Awaitable[str]],
        can_ask: Callable[[str], bool],
        say_child: Callable[[str, AttendResponse], None],
        worker: Callable[[], Awaitable[Attached]],
        parent_host: Callable[[], str],
        now: Now,
    ) -> None:
        """`key_of`: the registered TLS key of a child, `Peer.key`. `parent_host`: where this node dials its parent, without the port."""
        self._tree = tree
        self._viewings = viewings
        self._sources = sources
        self._key_of = key_of
        self._can_ask = can_ask
        self._say_child = say_child
        self._start_worker = worker
        self._parent_host = parent_host
        self._down = GoingDown(viewings, meetings, key_of, say_child, worker, parent_host)
        self._worker: Attached | None = None
        self._wanted: asyncio.Queue[wire.UpstreamWanted] = asyncio.Queue()
        self._ordered: dict[bytes, tuple[str, str]] = {}
        """Of what was ordered from children: the child and the stream."""
        self._pace = Pace(ORDERS_PER_S, MOST_ORDERED, now)
        self._carrying: dict[bytes, str] = {}
        """Streams that go up, by the parent's ticket."""
        self._absent: dict[str, float] = {}
        self._kept: tuple[str, ...] = ()
        self._say_parent: Say | None = None
        self.states: dict[str, wire.StreamState] = {}
        """How the streams are that are open in the worker."""
        viewings.ended = self._nobody_more

    def keep(self, streams: tuple[str, ...]) -> None:
        """Have these open whether somebody watches or not; all of them."""
        self._kept = streams
        if self._worker is not None:
            self._worker.say(wire.AttachRequest(kept=wire.StreamsKept(streams=streams)))

    def again(self, stream: str) -> None:
        """Where this stream comes from has changed."""
        if self._worker is not None:
            self._worker.say(wire.AttachRequest(again=wire.StreamAgain(stream=stream)))

    def identity_changed(self) -> None:
        if self._worker is not None:
            self._worker.say(wire.AttachRequest(identity_changed=wire.IdentityChanged()))

    async def run(self) -> None:
        """Answer what the worker asks, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look())
            while True:
                tasks.create_task(self._have(await self._wanted.get()))

    # The worker.

    def attached(self, worker: Attached) -> None:
        self._worker = worker
        self._down.attached(worker)
        if self._kept:
            self.keep(self._kept)

    def detached(self) -> None:
        self._worker = None
        self.states.clear()
        for ticket in list(self._ordered):
            self._withdraw(ticket)
        ended = ZonghengError("unreachable", f"the media worker of {self._tree.own.node} ended")
        for ticket in list(self._carrying):
            self._refuse_above(ticket, ended)
        self._down.detached(ended)

    def said(self, message: wire.AttachResponse) -> None:
        match message.WhichOneof("part"):
            case "wanted":
                self._wanted.put_nowait(message.wanted)
            case "upstream_ready":
                self._order(message.upstream_ready.ticket)
            case "over":
                self._withdraw(message.over.ticket)
                self._down.not_needed(message.over.ticket)
            case "carried":
                over = message.carried
                if over.code:
                    self._refuse_above(over.ticket, ZonghengError(over.code, over.words))
                self._carrying.pop(over.ticket, None)
            case "down_ready":
                self._down.ready(message.down_ready.ticket)
            case "down_over":
                self._down.over(message.down_over.ticket, _failure(message.down_over))
            case "state":
                if message.state.state == "ended":
                    self.states.pop(message.state.stream, None)
                else:
                    self.states[message.state.stream] = message.state

    async def _have(self, wanted: wire.UpstreamWanted) -> None:
        """Say where a stream comes from."""
        worker = self._worker
        try:
            stream = Stream.parse(wanted.stream)
            if stream.node == self._tree.own.node:
                said = _source(wanted.ticket, await self._sources.source(stream))
            elif (child := self._tree.route(stream.node)) is None:
                if not self._parent_host():
                    raise ZonghengError(
                        "unknown_node", f"there is no node {stream.node!r} below {self._tree.own.node}"
                    )
                self._down.wish(wanted.ticket, stream)
                return
            else:
                self._check_way(child, stream)
                key = await self._key_of(child)
                self._ordered[wanted.ticket] = child, wanted.stream
                said = wire.AttachRequest(expected=wire.UpstreamExpected(ticket=wanted.ticket, key=key))
        except Exception as failed:
            if not isinstance(failed, ZonghengError):
                log.exception("media.no_source", stream=wanted.stream)
            said = _refused(wanted.ticket, of(failed))
        if worker is not None and worker is self._worker:
            worker.say(said)

    def _check_way(self, child: str, stream: Stream) -> None:
        if not self._can_ask(child) or not self._viewings.is_let_in(str(stream)):
            raise ZonghengError(
                "unreachable", f"{child}, through which {stream.node} is reached, is not connected"
            )

    def _order(self, ticket: bytes) -> None:
        if (ordered := self._ordered.get(ticket)) is not None and self._worker is not None:
            child, stream = ordered
            order = CarryOrder(stream=stream, ticket=ticket, port=self._worker.port, bundled=True)
            self._say_child(child, AttendResponse(order=order))

    def _withdraw(self, ticket: bytes) -> None:
        if (ordered := self._ordered.pop(ticket, None)) is not None:
            self._say_child(ordered[0], AttendResponse(withdrawal=CarryWithdrawal(ticket=ticket)))

    # The parent.

    def attended(self, say: Say) -> None:
        self._say_parent = say
        self._viewings.attended(say)

    def left(self) -> None:
        self._say_parent = None
        self._absent[PARENT] = asyncio.get_running_loop().time()
        self._viewings.left()
        self._down.parent_left()

    def goes_down(self) -> None:
        if self._say_parent is not None:
            self._absent.pop(PARENT, None)
            self._viewings.goes_down()
            self._down.parent_is_there(self._say_parent)

    async def removed(self, removal: ViewingRemoval) -> None:
        await self._viewings.removal(PARENT, removal)

    def ticketed(self, ticket: CarryDownTicket) -> None:
        self._down.ticketed(ticket)

    def wish_refused(self, wish: bytes, error: ZonghengError) -> None:
        self._down.refused(wish, error)

    async def asked(self, question: ViewingQuestion) -> int:
        return await self._viewings.asked(question)

    async def ended(self, viewing: str) -> None:
        await self._viewings.ended_above(viewing)

    async def ordered(self, order: CarryOrder) -> None:
        stream = str(Stream.parse(order.stream))
        if not self._viewings.is_wanted_by(PARENT, stream):
            raise ZonghengError("forbidden", f"nobody above was let in to {stream}")
        if not 0 < order.port < 65_536:
            raise ZonghengError("protocol", "an order names the port to bring the stream to")
        self._pace.take("the node above")
        if len(self._carrying) >= MOST_ORDERED:
            raise ZonghengError(
                "busy", f"{MOST_ORDERED} streams are carried from {self._tree.own.node} already"
            )
        if sum(stream == each for each in self._carrying.values()) >= _MOST_OF_ONE:
            raise ZonghengError("busy", f"{stream} is carried already, {_MOST_OF_ONE} times")
        worker = await self._start_worker()
        self._carrying[order.ticket] = stream
        address = f"{self._parent_host()}:{order.port}"
        worker.say(
            wire.AttachRequest(
                carry=wire.CarryUp(ticket=order.ticket, stream=stream, address=address, bundled=order.bundled)
            )
        )

    async def withdrawn(self, ticket: bytes) -> None:
        self._stop(ticket)

    def _stop(self, ticket: bytes) -> None:
        if self._carrying.pop(ticket, None) is not None and self._worker is not None:
            self._worker.say(wire.AttachRequest(stopped=wire.CarryStopped(ticket=ticket)))

    def _nobody_more(self, viewing: Viewing) -> None:
        """A viewing is over: what was carried for it alone is not any more."""
        stream = str(viewing.stream)
        if viewing.asked_by:
            self._down.nobody_more(viewing.asked_by, stream)
        elif viewing.from_above and not self._viewings.is_wanted_by(PARENT, stream):
            for ticket in [each for each, carried in self._carrying.items() if carried == stream]:
                self._stop(ticket)

    def _refuse_above(self, ticket: bytes, error: ZonghengError) -> None:
        if self._carrying.pop(ticket, None) is not None and self._say_parent is not None:
            refusal = CarryRefusal(ticket=ticket, code=error.code, words=error.detail)
            self._say_parent(AttendRequest(refusal=refusal))

    # Children.

    def attends(self, child: str) -> None:
        self._absent.pop(child, None)
        self._viewings.attends(child)
        # It may never have heard of what was ordered when its link was about to break.
        self._refuse_all(
            child, ZonghengError("unreachable", f"the link to {child} was broken"), unless_begun=True
        )

    def absent(self, child: str) -> None:
        self._absent[child] = asyncio.get_running_loop().time()
        self._viewings.absent(child)

    async def removal(self, child: str, removal: ViewingRemoval) -> None:
        await self._viewings.removal(child, removal)

    async def refusal(self, child: str, ticket: bytes, error: ZonghengError) -> None:
        if self._ordered.get(ticket, ("", ""))[0] == child and self._worker is not None:
            self._worker.say(_refused(ticket, error))

    async def asked_below(self, child: str, question: ViewingQuestion) -> int:
        return await self._viewings.asked_below(child, question)

    async def ended_below(self, child: str, viewing: str) -> None:
        await self._viewings.ended_below(child, viewing)

    async def wished(self, child: str, wish: CarryDownWish) -> None:
        await self._down.wished(child, wish)

    def wish_over(self, child: str, wish: bytes) -> None:
        self._down.wish_over(child, wish)

    async def _look(self) -> None:
        """What a neighbour brings or takes whose link stays away is not waited for, nor kept: it may have been revoked."""
        while True:
            await asyncio.sleep(1.0)
            late = asyncio.get_running_loop().time() - ABSENT_S
            for child in [each for each, since in self._absent.items() if since < late]:
                del self._absent[child]
                if child == PARENT:
                    self._down.parent_stays_away()
                else:
                    self._refuse_all(child, ZonghengError("unreachable", f"{child} is not connected"))
                    self._down.child_stays_away(child)

    def _refuse_all(self, child: str, error: ZonghengError, *, unless_begun: bool = False) -> None:
        for ticket in [each for each, (from_, _) in self._ordered.items() if from_ == child]:
            if self._worker is not None:
                self._worker.say(_refused(ticket, error, unless_begun=unless_begun))


def _source(ticket: bytes, source: Source) -> wire.AttachRequest:
    masks = [
        wire.BurntMask(left=mask.left, top=mask.top, width=mask.width, height=mask.height)
        for mask in source.burnt_masks
    ]
    return wire.AttachRequest(
        source=wire.CameraSource(
            ticket=ticket,
            address=source.address,
            user=source.user,
            password=source.password,
            transcode=source.transcode,
            burnt_masks=masks,
            sound=source.sound,
        )
    )


def _failure(over: wire.CarryOver) -> ZonghengError | None:
    return ZonghengError(over.code, over.words) if over.code else None


def _refused(ticket: bytes, error: ZonghengError, *, unless_begun: bool = False) -> wire.AttachRequest:
    return wire.AttachRequest(
        refused=wire.UpstreamRefused(
            ticket=ticket, code=error.code, words=error.detail, unless_begun=unless_begun
        )
    )
