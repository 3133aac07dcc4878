"""Streams that go down, at one node: what its worker fetches from the parent's, and what children may fetch here.

A stream of a node that is not below is wished for from the parent, where somebody was let in to it (`Viewings`); the parent answers with a ticket for the worker's connection. A child's wish is granted for a
stream to which somebody below it was let in and that a meeting still lets go down to it: the worker holds it ready for that child's key before the child hears of the ticket. When the last of those viewers
is gone the call ends. The stream itself is opened in the worker like any other, so a wish passes on from hop to hop, up to the node that has it or above which it lies.

Nothing here is kept. A neighbour that comes back may never have heard what was said last: what it has not begun is asked for anew. What a neighbour takes or brings goes on for a minute while its link is down.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from zongheng.v1 import media_pb2 as wire
from zongheng.v1.viewing_pb2 import (
    AttendRequest,
    AttendResponse,
    CarryDownEnd,
    CarryDownRefusal,
    CarryDownTicket,
    CarryDownWish,
)

from federation.errors import ZonghengError
from federation.trunk.frame import Stream
from federation.trunk.neighbours import Say
from federation.trunk.tickets import TICKET_BYTES, Tickets
from node.media.meeting_streams import MeetingStreams
from node.media.supervisor import Attached

MOST_FOR_CHILD: Final = 128
"""Streams that one child fetches at once."""


class LetIn(Protocol):
    """Who looks; `Viewings`."""

    def is_let_in(self, stream: str) -> bool: ...

    def is_wanted_by(self, peer: str, stream: str) -> bool: ...


@dataclass(slots=True)
class _Granted:
    """What a child may fetch."""

    child: str
    wish: bytes
    stream: str
    told: bool = False
    """The child has the ticket."""


class GoingDown:
    """Belongs to one event loop."""

    def __init__(
        self,
        viewings: LetIn,
        meetings: MeetingStreams,
        key_of: Callable[[str], Awaitable[str]],
        say_child: Callable[[str, AttendResponse], None],
        worker: Callable[[], Awaitable[Attached]],
        parent_host: Callable[[], str],
    ) -> None:
        """As `Streams`."""
        self._viewings = viewings
        self._meetings = meetings
        self._key_of = key_of
        self._say_child = say_child
        self._start_worker = worker
        self._parent_host = parent_host
        self._worker: Attached | None = None
        self._say_parent: Say | None = None
        self._wished: dict[bytes, str] = {}
        """Streams that the worker wants from the parent, by its ticket, which is the wish's name."""
        self._granted: dict[bytes, _Granted] = {}
        """By the ticket that the child gets."""

    # What this node fetches.

    def wish(self, ticket: bytes, stream: Stream) -> None:
        """Have a stream from the parent. Raises ZonghengError `unreachable` where that cannot be asked for now."""
        if self._say_parent is None or not self._viewings.is_let_in(str(stream)):
            raise ZonghengError(
                "unreachable", f"the node above, through which {stream.node} is reached, is not connected"
            )
        self._wished[ticket] = str(stream)
        wish = CarryDownWish(wish=ticket, stream=str(stream))
        self._say_parent(AttendRequest(wish=wish))

    def not_needed(self, ticket: bytes) -> None:
        """The worker does not want it any more."""
        if self._wished.pop(ticket, None) is not None and self._say_parent is not None:
            self._say_parent(AttendRequest(wish_over=CarryDownEnd(wish=ticket)))

    def ticketed(self, ticket: CarryDownTicket) -> None:
        if ticket.wish not in self._wished or self._worker is None:
            return
        if not 0 < ticket.port < 65_536:
            self.refused(
                ticket.wish, ZonghengError("protocol", "a ticket names the port at which it is shown")
            )
            return
        address = f"{self._parent_host()}:{ticket.port}"
        above = wire.UpstreamAbove(ticket=ticket.wish, address=address, shown=ticket.ticket)
        self._worker.say(wire.AttachRequest(above=above))

    def refused(self, wish: bytes, error: ZonghengError, *, unless_begun: bool = False) -> None:
        if wish in self._wished and self._worker is not None:
            refusal = wire.UpstreamRefused(
                ticket=wish, code=error.code, words=error.detail, unless_begun=unless_begun
            )
            self._worker.say(wire.AttachRequest(refused=refusal))

    def parent_is_there(self, say: Say) -> None:
        self._say_parent = say
        self._refuse_all(
            ZonghengError("unreachable", "the link to the node above was broken"), unless_begun=True
        )

    def parent_left(self) -> None:
        self._say_parent = None

    def parent_stays_away(self) -> None:
        self._refuse_all(ZonghengError("unreachable", "the node above is not connected"))

    # What children fetch here.

    async def wished(self, child: str, wish: CarryDownWish) -> None:
        """Grant a child's wish. Raises ZonghengError `forbidden`, `busy`, `protocol`, or that the worker does not start."""
        stream = str(Stream.parse(wish.stream))
        theirs = [each for each in self._granted.values() if each.child == child]
        if len(wish.wish) != TICKET_BYTES or wish.wish in (each.wish for each in theirs):
            raise ZonghengError("protocol", "a wish has a name of its own")
        if len(theirs) >= MOST_FOR_CHILD:
            raise ZonghengError("busy", f"{MOST_FOR_CHILD} streams go down to {child} already")
        self._check(child, stream)
        ticket = Tickets.fresh()
        self._granted[ticket] = _Granted(child, wish.wish, stream)
        try:
            key = await self._key_of(child)
            worker = await self._start_worker()
            self._check(child, stream)
        except BaseException:
            self._granted.pop(ticket, None)
            raise
        if ticket in self._granted:
            order = wire.CarryDownwards(ticket=ticket, stream=stream, key=key)
            worker.say(wire.AttachRequest(carry_down=order))

    def wish_over(self, child: str, wish: bytes) -> None:
        for ticket in [each for each, to in self._granted.items() if (to.child, to.wish) == (child, wish)]:
            self._stop(ticket)

    def nobody_more(self, child: str, stream: str) -> None:
        """Somebody at or below a child looks at a stream no more: without another it does not go there."""
        if not self._viewings.is_wanted_by(child, stream):
            for ticket in [
                each for each, to in self._granted.items() if (to.child, to.stream) == (child, stream)
            ]:
                self._refuse(ticket, ZonghengError("unreachable", f"nobody below was let in to {stream}"))
                self._stop(ticket)

    def child_stays_away(self, child: str) -> None:
        for ticket in [each for each, to in self._granted.items() if to.child == child]:
            self._stop(ticket)

    # The worker.

    def attached(self, worker: Attached) -> None:
        self._worker = worker

    def detached(self, error: ZonghengError) -> None:
        self._worker = None
        for ticket in list(self._wished):
            self.not_needed(ticket)
        for ticket in list(self._granted):
            self._refuse(ticket, error)
            del self._granted[ticket]

    def ready(self, ticket: bytes) -> None:
        """The worker holds a stream ready: the child may be told."""
        if (to := self._granted.get(ticket)) is not None and self._worker is not None:
            to.told = True
            told = CarryDownTicket(wish=to.wish, ticket=ticket, port=self._worker.port)
            self._say_child(to.child, AttendResponse(ticket=told))

    def over(self, ticket: bytes, error: ZonghengError | None) -> None:
        """The worker does not hold it any more. A child that has fetched it knows by its call."""
        if (to := self._granted.get(ticket)) is not None:
            if not to.told:
                self._refuse(ticket, error or ZonghengError("unreachable", f"{to.stream} is over"))
            del self._granted[ticket]

    # What they are made of.

    def _check(self, child: str, stream: str) -> None:
        if not self._viewings.is_wanted_by(child, stream):
            raise ZonghengError("forbidden", f"nobody at or below {child} was let in to {stream}")
        if not self._meetings.may_go_down(Stream.parse(stream), child):
            raise ZonghengError("forbidden", f"{stream} goes down to {child} in no meeting")

    def _refuse(self, ticket: bytes, error: ZonghengError) -> None:
        to = self._granted[ticket]
        refusal = CarryDownRefusal(wish=to.wish, code=error.code, words=error.detail)
        self._say_child(to.child, AttendResponse(wish_refusal=refusal))

    def _stop(self, ticket: bytes) -> None:
        if self._granted.pop(ticket, None) is not None and self._worker is not None:
            self._worker.say(wire.AttachRequest(down_stopped=wire.CarryStopped(ticket=ticket)))

    def _refuse_all(self, error: ZonghengError, *, unless_begun: bool = False) -> None:
        for ticket in list(self._wished):
            self.refused(ticket, error, unless_begun=unless_begun)
