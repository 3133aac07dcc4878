"""The worker's side of what a node asks of it about WebRTC: sessions that begin, go on and end.

A call that fails ends with the catalogue's code, as everywhere. Who follows the sessions is told of each one that ends exactly once, also of those
that ended while nobody followed only by their absence from the list that comes first.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import grpc.aio
from zongheng.v1 import webrtc_pb2 as wire
from zongheng.v1 import webrtc_pb2_grpc as wire_grpc

from federation.errors import ZonghengError, abort, of
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from node.media.ingest.source import Source
from node.media.webrtc.handing_on import HandedOn
from node.media.webrtc.limits import Admission, Limits
from node.media.webrtc.publishing import Publication, Publishers
from node.media.webrtc.viewing import Answered, Session, Viewers

if TYPE_CHECKING:
    from node.media.worker import Feed

_WAITING: Final = 10_000
"""Ends that one follower may be behind by; beyond it its call is ended, and it asks for the list again."""

_Context = grpc.aio.ServicerContext[Any, Any]


class WebRtc(wire_grpc.WebRtcServiceServicer):
    """Everybody who watches or publishes through this worker; make it with ``running`` and add it to the worker's server."""

    def __init__(self, tasks: asyncio.TaskGroup, addresses: Sequence[str] | None, limits: Limits) -> None:
        self._tasks = tasks
        self.admission = Admission(limits)
        self.publishers = Publishers(tasks, addresses, limits, self.admission, self._unpublished)
        self._addresses = addresses
        self._limits = limits
        self._viewers: Viewers | None = None
        self._handed_on: dict[str, tuple[HandedOn, asyncio.Task[None]]] = {}
        self._followers: dict[asyncio.Queue[wire.FollowSessionsResponse], None] = {}

    @classmethod
    @asynccontextmanager
    async def running(
        cls, addresses: Sequence[str] | None, limits: Limits | None = None
    ) -> AsyncIterator[Self]:
        """For as long as the context lasts, offering these ``addresses`` of this machine, None: every one but loopback; every session is ended with it. Call ``serve`` with the hubs before anybody watches: the hubs may need
        ``publishers`` as a source."""
        async with asyncio.TaskGroup() as tasks:
            webrtc = cls(tasks, addresses, limits or Limits())
            looking = tasks.create_task(webrtc.admission.look())
            try:
                yield webrtc
            finally:
                looking.cancel()
                webrtc.end_all()

    def feeding(self, cameras: "Feed") -> "Feed":
        """What feeds a hub from a source: who publishes it, where the source says so, else ``cameras``."""

        async def feed(source: Source, hub: Hub) -> None:
            await (self.publishers.feed(hub) if source.is_published else cameras(source, hub))

        return feed

    @asynccontextmanager
    async def offered(self, hubs: Hubs, door: grpc.aio.Server) -> AsyncIterator[None]:
        """The service among those of the process that has the hubs."""
        self.serve(hubs)
        wire_grpc.add_WebRtcServiceServicer_to_server(self, door)
        try:
            yield
        finally:
            self.end_all()

    def serve(self, hubs: Hubs) -> None:
        """Let people watch what these hubs have."""
        self._viewers = Viewers(
            hubs, self._tasks, self._addresses, self._limits, self.admission, self._unwatched
        )

    @property
    def viewers(self) -> Viewers:
        if self._viewers is None:
            raise ZonghengError("unreachable", "the media worker has only just begun: ask again")
        return self._viewers

    def end_all(self) -> None:
        """Nobody is here any more."""
        if self._viewers is not None:
            for session in list(self._viewers.sessions.values()):
                session.end()
        for publication in list(self.publishers.publications.values()):
            publication.end()
        for _, task in list(self._handed_on.values()):
            task.cancel()

    async def Watch(self, request: wire.WatchRequest, context: _Context) -> wire.WatchResponse:
        told = await self._told(context, self._watch(request))
        return wire.WatchResponse(session=told.session, answer=told.answer, etag=told.etag)

    async def Publish(self, request: wire.PublishRequest, context: _Context) -> wire.PublishResponse:
        told = await self._told(context, self.publishers.publish(request.stream, request.offer, request.who))
        return wire.PublishResponse(session=told.session, answer=told.answer, etag=told.etag)

    async def Trickle(self, request: wire.TrickleRequest, context: _Context) -> wire.TrickleResponse:
        try:
            if (publication := self.publishers.find(request.session)) is not None:
                await publication.trickle(request.fragment)
            else:
                await self.viewers.trickle(request.session, request.fragment)
        except Exception as error:
            await abort(context, error)
        return wire.TrickleResponse()

    async def EndSession(self, request: wire.EndSessionRequest, context: _Context) -> wire.EndSessionResponse:
        try:
            error = ZonghengError(request.code, request.words) if request.code else None
            if (publication := self.publishers.find(request.session)) is not None:
                publication.end(error)
            elif request.session in self._handed_on:
                self._handed_on[request.session][1].cancel()
            else:
                self.viewers.end(request.session, error)
        except KeyError:
            await abort(context, ZonghengError("bad_request", f"there is no code {request.code!r}"))
        except Exception as error:
            await abort(context, error)
        return wire.EndSessionResponse()

    async def HandOn(self, request: wire.HandOnRequest, context: _Context) -> wire.HandOnResponse:
        try:
            handed = HandedOn(request.stream, request.endpoint, request.token, self.viewers)
        except Exception as error:
            await abort(context, error)
        self._handed_on[handed.id] = handed, self._tasks.create_task(self._hand_on(handed))
        return wire.HandOnResponse(session=handed.id)

    async def FollowSessions(
        self, request: wire.FollowSessionsRequest, context: _Context
    ) -> AsyncIterator[wire.FollowSessionsResponse]:
        told: asyncio.Queue[wire.FollowSessionsResponse] = asyncio.Queue(_WAITING)
        self._followers[told] = None
        try:
            for session in self.sessions():
                yield wire.FollowSessionsResponse(session=session)
            # An empty message: the list is complete.
            yield wire.FollowSessionsResponse()
            while told in self._followers:
                yield await told.get()
        finally:
            self._followers.pop(told, None)

    def sessions(self) -> list[wire.SessionTold]:
        """All there are."""
        watching = [] if self._viewers is None else list(self._viewers.sessions.values())
        return [
            *(
                wire.SessionTold(
                    session=one.id,
                    stream=one.stream,
                    who=one.who,
                    kind=wire.SESSION_KIND_WATCH,
                    since_ns=one.since_ns,
                    is_connected=one.is_watching,
                    sent_again=one.viewer.sent_again,
                    fraction_lost=int(one.viewer.fraction_lost * 256),
                )
                for one in watching
            ),
            *(
                wire.SessionTold(
                    session=one.id,
                    stream=one.stream,
                    who=one.who,
                    kind=wire.SESSION_KIND_PUBLISH,
                    since_ns=one.since_ns,
                    is_connected=one.is_connected,
                )
                for one in self.publishers.publications.values()
            ),
            *(
                wire.SessionTold(
                    session=one.id,
                    stream=one.stream,
                    who=one.endpoint,
                    kind=wire.SESSION_KIND_HAND_ON,
                    since_ns=one.since_ns,
                    is_connected=one.is_connected,
                )
                for one, _ in self._handed_on.values()
            ),
        ]

    async def _watch(self, request: wire.WatchRequest) -> Answered:
        return await self.viewers.view(request.stream, request.offer, request.who)

    async def _told(self, context: _Context, asked: Any) -> Answered:
        try:
            answered: Answered = await asked
        except Exception as error:
            await abort(context, error)
        return answered

    async def _hand_on(self, handed: HandedOn) -> None:
        error: ZonghengError | None = None
        try:
            await handed.run()
        except Exception as failed:
            error = of(failed)
        finally:
            self._handed_on.pop(handed.id, None)
            self._tell(handed.id, error)

    def _unwatched(self, session: Session) -> None:
        self._tell(session.id, session.error)

    def _unpublished(self, publication: Publication) -> None:
        self._tell(publication.id, publication.error)

    def _tell(self, session: str, error: ZonghengError | None) -> None:
        end = wire.SessionEnd(
            session=session, code=error.code if error else "", words=str(error) if error else ""
        )
        for follower in list(self._followers):
            try:
                follower.put_nowait(wire.FollowSessionsResponse(ended=end))
            except asyncio.QueueFull:
                del self._followers[follower]
