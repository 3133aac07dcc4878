"""One worker that holds sessions, as the node sees it: whose they are, and what becomes of them.

When the worker is gone, so are its sessions: each is ended here too, and players ask again. Nothing in here loads the media libraries.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import grpc.aio
import structlog
from zongheng.v1 import webrtc_pb2 as wire
from zongheng.v1.webrtc_pb2_grpc import WebRtcServiceStub

from federation.errors import ZonghengError, from_rpc

if TYPE_CHECKING:
    from zongheng.v1.webrtc_pb2_grpc import WebRtcServiceAsyncStub

CALL_S: Final = 30.0
_REST_S: Final = 1.0

Channel = Callable[[], Awaitable[grpc.aio.Channel]]
"""To a worker, started where it does not run. Raises ZonghengError `unreachable`."""

_log = structlog.get_logger(__name__)
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Held:
    """One session of somebody."""

    session: str
    stream: str
    who: str
    etag: str
    viewing: str
    """Empty: they publish."""


class Place:
    """A worker's sessions. ``gone`` is told of each one that ended, once."""

    def __init__(
        self, channel: Channel, gone: Callable[[Held, ZonghengError | None], Awaitable[None]]
    ) -> None:
        self._channel = channel
        self._gone = gone
        self.held: dict[str, Held] = {}
        self.asking = 0
        """Offers that are being answered there."""
        self._some = asyncio.Event()

    @property
    def taken(self) -> int:
        """How many sessions it has, or soon has."""
        return len(self.held) + self.asking

    def hold(self, held: Held) -> Held:
        """A session has begun there."""
        self.held[held.session] = held
        self._some.set()
        return held

    async def call(self, call: "Callable[[WebRtcServiceAsyncStub], Awaitable[_R]]") -> _R:
        """Ask the worker. Raises ZonghengError with its answer, or why there is none."""
        self.asking += 1
        try:
            return await call(WebRtcServiceStub(await self._channel()))
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error) from error
        finally:
            self.asking -= 1

    async def end(self, session: str, error: ZonghengError | None) -> None:
        """End a session."""
        request = wire.EndSessionRequest(
            session=session, code=error.code if error else "", words=str(error) if error else ""
        )
        try:
            await self.call(lambda stub: stub.EndSession(request, timeout=CALL_S))
        except ZonghengError as failed:
            # It ended by itself, or with the worker: then it is over as well.
            _log.info("webrtc.not_ended", words=str(failed))
        await self._over(session, error)

    async def run(self) -> None:
        """Follow what becomes of the sessions, until cancelled."""
        while True:
            await self._some.wait()
            await self._follow()
            await asyncio.sleep(_REST_S)

    async def _follow(self) -> None:
        """Until there are no sessions, or the worker is gone and its sessions with it."""
        try:
            call = WebRtcServiceStub(await self._channel()).FollowSessions(wire.FollowSessionsRequest())
        except ZonghengError as error:
            await self._all_over(error)
            return
        there: set[str] | None = set()
        before = set(self.held)
        try:
            async for told in call:
                if told.HasField("session") and there is not None:
                    there.add(told.session.session)
                elif told.HasField("ended"):
                    code = told.ended.code
                    await self._over(
                        told.ended.session, ZonghengError(code, told.ended.words) if code else None
                    )
                elif there is not None:
                    for session in before - there:
                        await self._over(session, None)
                    there = None
                if not self.held:
                    self._some.clear()
                    return
        except grpc.aio.AioRpcError as error:
            _log.info("webrtc.worker_gone", words=error.details())
            await self._all_over(ZonghengError("unreachable", "the media worker was started again"))
        finally:
            call.cancel()

    async def _all_over(self, error: ZonghengError) -> None:
        for session in list(self.held):
            await self._over(session, error)

    async def _over(self, session: str, error: ZonghengError | None) -> None:
        if (held := self.held.pop(session, None)) is not None:
            await self._gone(held, error)
