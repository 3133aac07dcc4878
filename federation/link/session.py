"""A parent's side of one child's link: who it is, what is asked of it, and how everything that belongs to it
ends together.

A session ends once, for one reason. From then on none of its calls takes another message, whatever they were
waiting for, and whoever waits for an answer hears that the child cannot be reached.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from zongheng.v1.link_pb2 import Cancel, Goodbye, LinkResponse, Order
from zongheng.v1.query_pb2 import AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError

PARTS_AHEAD: Final = 16
"""Parts of an answer that are kept for a slow asker; beyond that the child's stream waits."""

MAX_ORDERS: Final = 32
"""Questions under way to one child."""


class PendingOrder:
    """A question on its way to a child, and the answer as it comes."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.claimed = False
        """An Answer call is bringing the parts."""
        self._arrived: asyncio.Queue[AnswerPart | ZonghengError | None] = asyncio.Queue()
        self._credit = asyncio.Semaphore(PARTS_AHEAD)
        self._over = False

    @property
    def over(self) -> bool:
        return self._over

    async def put(self, part: AnswerPart) -> None:
        """Hand over a part, waiting while the asker is behind. Raises ZonghengError `not_found` when nobody
        waits any more.
        """
        await self._credit.acquire()
        if self._over:
            raise ZonghengError("not_found", f"nobody waits for the answer to {self.order_id} any more")
        self._arrived.put_nowait(part)

    def end(self, error: ZonghengError | None = None) -> None:
        """No more parts come: the answer is complete, or failed. Only the first call counts."""
        if not self._over:
            self._over = True
            self._arrived.put_nowait(error)
            self._credit.release()

    async def get(self) -> AnswerPart | None:
        """The next part; None after the last one. Raises what the order failed with."""
        item = await self._arrived.get()
        if isinstance(item, ZonghengError):
            raise item
        self._credit.release()
        return item


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """A child's link as an operator sees it."""

    node: str
    session: str
    connected_us: int
    heard_us: int
    """The last frame of any kind."""
    clock_offset_ms: int | None
    """The child's clock minus ours at its last heartbeat, without the time on the way; None: it sent none yet."""
    quarantine: str
    orders: int


class Session:
    """One child as long as its Link stream lives. Belongs to one event loop."""

    def __init__(
        self,
        card: NodeCard,
        session_id: str,
        descendants: Iterable[str],
        now_us: int,
        certificate: bytes = b"",
    ) -> None:
        self.node = card.node
        self.certificate = certificate
        """What the peer showed that began it, PEM: the session is for nobody else."""
        self.session_id = session_id
        self.members = {card.node, *descendants}
        """The child and everybody below it: all that it may speak of."""
        self.quarantine = ""
        self.connected_us = self.heard_us = now_us
        self.clock_offset_ms: int | None = None
        self.outbox: asyncio.Queue[LinkResponse] = asyncio.Queue()
        self.orders: dict[str, PendingOrder] = {}
        self.ended: ZonghengError | None = None
        self._scopes: set[asyncio.Timeout] = set()

    def status(self) -> SessionStatus:
        return SessionStatus(
            self.node,
            self.session_id,
            self.connected_us,
            self.heard_us,
            self.clock_offset_ms,
            self.quarantine,
            len(self.orders),
        )

    def end(self, error: ZonghengError, *, goodbye: bool = True) -> None:
        """End everything that belongs to this session; `goodbye` says so to the child. Only the first call
        counts.
        """
        if self.ended is not None:
            return
        self.ended = error
        if goodbye:
            farewell = Goodbye(reason=error.detail, code=error.code, retry_after_ms=error.retry_after_ms)
            self.outbox.put_nowait(LinkResponse(goodbye=farewell))
        now = asyncio.get_running_loop().time()
        for scope in list(self._scopes):
            scope.reschedule(now)
        for order in list(self.orders.values()):
            order.end(ZonghengError("unreachable", f"the link to {self.node} ended: {error.detail}"))

    @asynccontextmanager
    async def while_it_lives(self) -> AsyncIterator[None]:
        """Raises what the session ended with if that happens inside."""
        if self.ended is not None:
            raise self.ended
        try:
            async with asyncio.timeout(None) as scope:
                self._scopes.add(scope)
                try:
                    yield
                finally:
                    self._scopes.discard(scope)
        except TimeoutError:
            if self.ended is None:
                raise
            raise self.ended from None

    def place(self, question: Question, deadline_ms: int) -> PendingOrder:
        """Send the question. Raises ZonghengError `busy` when too much is under way, or what the session
        ended with.
        """
        if self.ended is not None:
            raise ZonghengError("unreachable", f"the link to {self.node} ended: {self.ended.detail}")
        if len(self.orders) >= MAX_ORDERS:
            raise ZonghengError("busy", f"{MAX_ORDERS} questions are under way to {self.node}")
        order = PendingOrder(secrets.token_hex(8))
        self.orders[order.order_id] = order
        frame = Order(order_id=order.order_id, question=question, deadline_ms=max(1, deadline_ms))
        self.outbox.put_nowait(LinkResponse(order=frame))
        return order

    def drop(self, order: PendingOrder) -> None:
        """Nobody waits for this answer any more; a child still at work is told."""
        self.orders.pop(order.order_id, None)
        if not order.over:
            order.end(ZonghengError("deadline"))
            if self.ended is None:
                self.outbox.put_nowait(LinkResponse(cancel=Cancel(order_id=order.order_id)))
