"""The node's side of WebRTC: who may watch or publish, their sessions at the media worker, and what became of them.

The worker holds the sessions; what is kept here is whose they are. When the worker is gone, so are its sessions: each is ended here
too, and players ask again. Nothing in here loads the media libraries: an idle node stays as small as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import grpc.aio
import structlog
from zongheng.v1 import webrtc_pb2 as wire
from zongheng.v1.webrtc_pb2_grpc import WebRtcServiceStub

from federation.errors import ZonghengError, from_rpc
from node.media.ingest.source import Mask
from node.people.caller import Caller

if TYPE_CHECKING:
    from zongheng.v1.webrtc_pb2_grpc import WebRtcServiceAsyncStub

_CALL_S: Final = 30.0
_AT_ONCE: Final = 200
"""Offers that wait for the worker; it turns away most of them itself."""
_REST_S: Final = 1.0

_log = structlog.get_logger(__name__)
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of a stream."""

    stream: str
    name: str
    place: str = ""
    masks: tuple[Mask, ...] = ()
    steered: bool = False
    """The camera turns, and the caller's roles let them turn cameras: whether this one is asked by the page."""


class Permission(Protocol):
    """Who may look through which camera, and the entries that say that somebody did."""

    async def opened(
        self, caller: Caller, stream: str, purpose: str, removed: Callable[[ZonghengError], None]
    ) -> str:
        """Let the caller look: the name of the viewing, noted at every node on the way. ``removed`` is called when somebody puts the viewer out.
        Raises ZonghengError when they may not, or there is no such stream."""
        ...

    async def closed(self, viewing: str, error: ZonghengError | None) -> None:
        """The viewer is gone; ``error``: not by themselves."""
        ...

    async def shown(self, caller: Caller, stream: str) -> Shown:
        """What the page may say of it. Raises ZonghengError when the caller may not look, or there is no such stream."""
        ...

    async def may_publish(self, caller: Caller, stream: str) -> None:
        """Raises ZonghengError when they may not, or the stream's camera is no publisher's."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """One session of somebody."""

    session: str
    stream: str
    who: str
    etag: str
    viewing: str
    """Empty: they publish."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What an offer gets."""

    held: Held
    answer: str


class WebRtcDesk:
    """Everybody of this node who watches or publishes. ``worker`` gives the channel to the media worker and starts it where it does not run."""

    def __init__(self, worker: Callable[[], Awaitable[grpc.aio.Channel]], permission: Permission) -> None:
        self._worker = worker
        self._permission = permission
        self._held: dict[str, Held] = {}
        self._ended: dict[str, Callable[[ZonghengError | None], None]] = {}
        """Who is told of the end of a session."""
        self._waiting = 0
        self._some = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    async def shown(self, caller: Caller, stream: str) -> Shown:
        """What the page says of a stream. Raises ZonghengError when the caller may not look."""
        return await self._permission.shown(caller, stream)

    async def published(self, caller: Caller, stream: str) -> Shown:
        """What the page says on which a stream is published. Raises ZonghengError when the caller may not publish it."""
        await self._permission.may_publish(caller, stream)
        return await self._permission.shown(caller, stream)

    async def watch(self, caller: Caller, stream: str, offer: str, purpose: str = "") -> Begun:
        """Answer the offer of somebody who wants to watch. Raises ZonghengError: what keeps them from it."""
        session = ""
        put_out: list[ZonghengError] = []

        def removed(error: ZonghengError) -> None:
            put_out.append(error)
            self._put_out(session, error)

        with self._place():
            viewing = await self._permission.opened(caller, stream, purpose, removed)
            try:
                request = wire.WatchRequest(stream=stream, offer=offer, who=caller.who)
                told = await self._call(lambda stub: stub.Watch(request, timeout=_CALL_S))
            except BaseException as error:
                await self._permission.closed(viewing, error if isinstance(error, ZonghengError) else None)
                raise
        session = told.session
        begun = self._begun(Held(told.session, stream, caller.who, told.etag, viewing), told.answer)
        if put_out:
            await self._end(session, put_out[0])
            raise put_out[0]
        return begun

    async def publish(self, caller: Caller, stream: str, offer: str) -> Begun:
        """Answer the offer of somebody who publishes. Raises ZonghengError: what keeps them from it."""
        with self._place():
            await self._permission.may_publish(caller, stream)
            request = wire.PublishRequest(stream=stream, offer=offer, who=caller.who)
            told = await self._call(lambda stub: stub.Publish(request, timeout=_CALL_S))
        return self._begun(Held(told.session, stream, caller.who, told.etag, ""), told.answer)

    async def hand_on(
        self,
        caller: Caller,
        stream: str,
        endpoint: str,
        token: str,
        ended: Callable[[ZonghengError | None], None],
    ) -> Held:
        """Hand a stream on to a media server, until the session is over: one more who looks, as every node on the way is told. ``ended`` is told why it is over.
        Raises ZonghengError: what keeps the caller from looking, `bad_request` for an address that is none."""
        session = ""

        def removed(error: ZonghengError) -> None:
            self._put_out(session, error)

        viewing = await self._permission.opened(caller, stream, f"handed on to {endpoint}"[:200], removed)
        try:
            request = wire.HandOnRequest(stream=stream, endpoint=endpoint, token=token)
            told = await self._call(lambda stub: stub.HandOn(request, timeout=_CALL_S))
        except BaseException as error:
            await self._permission.closed(viewing, error if isinstance(error, ZonghengError) else None)
            raise
        session = told.session
        self._ended[session] = ended
        return self._begun(Held(session, stream, caller.who, "", viewing), "").held

    async def trickle(self, caller: Caller, session: str, fragment: str) -> None:
        """Further addresses of the caller's session. ZonghengError `not_found`, `bad_request`; `protocol` for another offer's (an ICE restart)."""
        self.mine(caller, session)
        request = wire.TrickleRequest(session=session, fragment=fragment)
        await self._call(lambda stub: stub.Trickle(request, timeout=_CALL_S))

    async def end(self, caller: Caller, session: str) -> None:
        """End the caller's session. ZonghengError `not_found` when there is none, or it is somebody else's."""
        self.mine(caller, session)
        await self._end(session, None)

    def mine(self, caller: Caller, session: str) -> Held:
        """The caller's session; another's is not shown to be there."""
        held = self._held.get(session)
        if held is None or (held.who != caller.who and not caller.is_operator):
            raise ZonghengError("not_found", "there is no such session: it may have ended")
        return held

    def holds(self, picked: Callable[[Held], bool]) -> bool:
        """Whether there is a session that ``picked`` takes."""
        return any(map(picked, self._held.values()))

    async def end_those(self, picked: Callable[[Held], bool], error: ZonghengError) -> None:
        """End the sessions that ``picked`` takes; ``error`` says why."""
        for held in [one for one in self._held.values() if picked(one)]:
            await self._end(held.session, error)

    async def run(self) -> None:
        """Follow what becomes of the sessions, for as long as the node serves."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                while True:
                    await self._some.wait()
                    await self._follow()
                    await asyncio.sleep(_REST_S)
            finally:
                self._tasks = None

    async def _follow(self) -> None:
        """Until there are no sessions, or the worker is gone and its sessions with it."""
        try:
            call = WebRtcServiceStub(await self._worker()).FollowSessions(wire.FollowSessionsRequest())
        except ZonghengError as error:
            await self._all_gone(error)
            return
        there: set[str] | None = set()
        before = set(self._held)
        try:
            async for told in call:
                if told.HasField("session") and there is not None:
                    there.add(told.session.session)
                elif told.HasField("ended"):
                    code = told.ended.code
                    await self._gone(
                        told.ended.session, ZonghengError(code, told.ended.words) if code else None
                    )
                elif there is not None:
                    for session in before - there:
                        await self._gone(session, None)
                    there = None
                if not self._held:
                    self._some.clear()
                    return
        except grpc.aio.AioRpcError as error:
            _log.info("webrtc.worker_gone", words=error.details())
            await self._all_gone(ZonghengError("unreachable", "the media worker was started again"))
        finally:
            call.cancel()

    async def _all_gone(self, error: ZonghengError) -> None:
        for session in list(self._held):
            await self._gone(session, error)

    async def _gone(self, session: str, error: ZonghengError | None) -> None:
        held = self._held.pop(session, None)
        if (ended := self._ended.pop(session, None)) is not None:
            ended(error)
        if held is not None and held.viewing:
            await self._permission.closed(held.viewing, error)

    def _begun(self, held: Held, answer: str) -> Begun:
        self._held[held.session] = held
        self._some.set()
        return Begun(held, answer)

    def _put_out(self, session: str, error: ZonghengError) -> None:
        if self._tasks is not None and session in self._held:
            self._tasks.create_task(self._end(session, error))

    async def _end(self, session: str, error: ZonghengError | None) -> None:
        request = wire.EndSessionRequest(
            session=session, code=error.code if error else "", words=str(error) if error else ""
        )
        try:
            await self._call(lambda stub: stub.EndSession(request, timeout=_CALL_S))
        except ZonghengError as failed:
            # It ended by itself, or with the worker: then it is over as well.
            _log.info("webrtc.not_ended", words=str(failed))
        await self._gone(session, error)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """One of the places in which an offer may wait."""
        if self._waiting >= _AT_ONCE:
            raise ZonghengError(
                "at_capacity", "too many ask at once: ask again in a moment", retry_after_ms=1_000
            )
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _call(self, call: "Callable[[WebRtcServiceAsyncStub], Awaitable[_R]]") -> _R:
        try:
            return await call(WebRtcServiceStub(await self._worker()))
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error) from error
