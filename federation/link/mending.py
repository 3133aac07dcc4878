"""A parent's end of mending: a child fetches its own entries back, finds where two histories part, hands over a branch.

Each call belongs to a live Link session and ends with it. A child is given nothing but its own journal, and every batch is proven
against the head that Welcome named, which the child itself once signed.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import grpc.aio
import structlog
from grpc.aio import EOF  # type: ignore[attr-defined]  # the stubs lack it
from zongheng.v1 import mending_pb2 as wire
from zongheng.v1.mending_pb2_grpc import MendingServiceServicer, add_MendingServiceServicer_to_server

from federation.errors import ZonghengError, abort
from federation.link.listener import Listener
from federation.link.ports import ParentInbox
from federation.link.session import Session

BATCH_ENTRIES: Final = 500
BATCH_BYTES: Final = 1024 * 1024

MAX_SIZES: Final = 64
"""Most roots in one answer."""

_FIRST_FRAME_S: Final = 10.0

_log = structlog.get_logger(__name__)


async def roots_of(inbox: ParentInbox, node: str, held: int, sizes: Sequence[int]) -> wire.RootsResponse:
    """Roots of a copy of `held` entries at these sizes, and the proof that a single one belongs to all that is held."""
    answer = wire.RootsResponse(roots=[await inbox.root_at(node, size) for size in sizes])
    if len(sizes) == 1:
        answer.consistency.extend(await inbox.consistency(node, sizes[0], held))
    return answer


class Mending(MendingServiceServicer):
    """The mending service of one parent."""

    def __init__(self, listener: Listener, inbox: ParentInbox) -> None:
        self._listener = listener
        self._inbox = inbox

    def add_to(self, server: grpc.aio.Server) -> None:
        add_MendingServiceServicer_to_server(self, server)

    async def Pull(self, request: wire.PullRequest, context: Any) -> None:  # type: ignore[override]
        try:
            session = self._listener.live(context, request.session)
            node, first, size = session.node, request.first, request.size
            held = await self._inbox.held(node)
            if not 0 <= first <= size <= held.size:
                raise ZonghengError("gap", f"{held.size} entries of {node} are held, not [{first}, {size})")
            _log.info("mending.pull", node=node, first=first, size=size)
            async with session.while_it_lives():
                while first < size:
                    hi = min(size, first + BATCH_ENTRIES)
                    leaves = await self._inbox.leaves(node, first, hi, BATCH_BYTES)
                    until = first + len(leaves)
                    answer = wire.PullResponse(
                        first=first,
                        leaves=leaves,
                        root=await self._inbox.root_at(node, until),
                        consistency=await self._inbox.consistency(node, until, size),
                    )
                    await context.write(answer)
                    first = until
        except ZonghengError as error:
            await abort(context, error)

    async def Roots(self, request: wire.RootsRequest, context: Any) -> wire.RootsResponse:
        try:
            session = self._listener.live(context, request.session)
            held = await self._inbox.held(session.node)
            if len(request.sizes) > MAX_SIZES or any(size > held.size for size in request.sizes):
                raise ZonghengError("protocol", f"at most {MAX_SIZES} sizes up to {held.size}")
            answer = await roots_of(self._inbox, session.node, held.size, request.sizes)
        except ZonghengError as error:
            await abort(context, error)
        return answer

    async def Divert(self, request_iterator: Any, context: Any) -> None:  # type: ignore[override]
        session: Session | None = None
        try:
            while (request := await self._next(context, session)) is not None:
                if session is None:
                    session = self._listener.live(context, request.session)
                    kept = await self._inbox.diverted(session.node)
                    if not request.leaves:  # the child asks where to go on
                        await context.write(wire.DivertResponse(size=kept))
                        continue
                kept = await self._inbox.divert(
                    session.node, request.common, request.first, list(request.leaves), request.checkpoint
                )
                await context.write(wire.DivertResponse(size=kept))
        except ZonghengError as error:
            await abort(context, error)

    async def _next(self, context: Any, session: Session | None) -> Any:
        if session is None:
            try:
                async with asyncio.timeout(_FIRST_FRAME_S):
                    request = await context.read()
            except TimeoutError:
                raise ZonghengError("protocol", f"nothing was said for {_FIRST_FRAME_S:g} s") from None
        else:
            async with session.while_it_lives():
                request = await context.read()
        return None if request is EOF else request
