"""The parent's end of the lane down: children dial in here for what the parent's journal holds for them.

Nothing is kept for a child beside the journal itself: the child says where it stands, and gets what comes after. How far each one
has acknowledged is stored, so that whoever wrote an entry can see who has it. A child that takes nothing costs one waiting call.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import grpc.aio
from zongheng.v1.down_pb2 import DescendRequest, DescendResponse
from zongheng.v1.down_pb2_grpc import DownServiceServicer, add_DownServiceServicer_to_server

from federation.errors import ZonghengError, abort, of
from federation.link.descent import CREDIT
from federation.link.down_ports import AddressedJournal, Batch
from federation.link.listener import Listener
from federation.link.session import Session

BATCH_BYTES: Final = 1024 * 1024

HEAD_PERIOD_S: Final = 60.0
"""How often a child is shown the newest head though there is nothing for it: it holds its parent to that."""

_GATHER_S: Final = 0.05
"""What is written together travels together."""


class _Over(Exception):
    """The child ended the call."""


class _Standing:
    """Where one call stands."""

    def __init__(self, first: DescendRequest) -> None:
        self.position = first.position
        self.held_size = first.held_size
        self.credit = asyncio.Semaphore(min(first.credit, CREDIT))
        self.show_at = 0.0
        """When the head is shown next, on the loop's clock."""


class DownService(DownServiceServicer):
    """The lane down of one parent. All of it runs in the listener's event loop."""

    def __init__(
        self, listener: Listener, journal: AddressedJournal, period_s: float = HEAD_PERIOD_S
    ) -> None:
        self._listener = listener
        self._journal = journal
        self._period_s = period_s

    def add_to(self, server: grpc.aio.Server) -> None:
        add_DownServiceServicer_to_server(self, server)

    async def Descend(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        refused: ZonghengError | None = None
        try:
            first = await self._listener.next_frame(context, None)
            if first is None:
                return
            session = self._listener.live(context, first.session)
            standing = _Standing(first)
            await self._journal.descended(session.node, first.position)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(context, session, standing))
                tasks.create_task(self._send(context, session, standing))
        except* _Over:
            pass
        except* ZonghengError as group:
            refused = of(group)
        if refused is not None:
            await abort(context, refused)

    async def _hear(self, context: Any, session: Session, standing: _Standing) -> None:
        """Acknowledgements, each with more credit."""
        acknowledged = standing.position
        while (request := await self._listener.next_frame(context, session)) is not None:
            self._listener.live(context, request.session, session)
            if request.position > standing.position:
                raise ZonghengError("protocol", f"{session.node} acknowledges what it was not sent")
            if request.position > acknowledged:
                acknowledged = request.position
                await self._journal.descended(session.node, acknowledged)
            for _ in range(min(request.credit, CREDIT)):
                standing.credit.release()
        raise _Over

    async def _send(self, context: Any, session: Session, standing: _Standing) -> None:
        """What lies there, then whatever is written, and the head once a period."""
        async with session.while_it_lives():
            await context.write(DescendResponse(above=await self._journal.above()))
            while True:
                await standing.credit.acquire()
                batch = await self._next(session, standing)
                standing.position, standing.held_size = batch.message.upto, batch.size
                await context.write(batch.message)

    async def _next(self, session: Session, standing: _Standing) -> Batch:
        now = asyncio.get_running_loop().time
        while True:
            batch = await self._journal.batch(
                session.members, standing.position, standing.held_size, BATCH_BYTES
            )
            if batch.message.entries or now() >= standing.show_at:
                standing.show_at = now() + self._period_s
                return batch
            with suppress(TimeoutError):
                async with asyncio.timeout_at(standing.show_at):
                    await self._journal.wait_addressed(batch.message.upto)
                    await asyncio.sleep(_GATHER_S)
