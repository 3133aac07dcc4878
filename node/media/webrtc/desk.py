"""The node's side of WebRTC: who may watch or publish, their sessions at the workers, and what became of them.

Workers hold the sessions; what is kept here is whose they are, and where (`places`). Whoever publishes, and what is handed on to a media server, is with the media worker; who watches is with the process
that has the fewest, where there are such for viewers (`node.media.showing`). Nothing in here loads the media libraries: an idle node stays as small as it is.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Final, Protocol

from zongheng.v1 import webrtc_pb2 as wire

from federation.errors import ZonghengError
from node.media.ingest.source import Mask
from node.media.webrtc.places import CALL_S, Channel, Held, Place
from node.people.caller import Caller

_AT_ONCE: Final = 200
"""Offers that wait for the workers, which turn away most of them themselves."""


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
class Begun:
    """What an offer gets."""

    held: Held
    answer: str


class WebRtcDesk:
    """Everybody of this node who watches or publishes. ``worker``: the way to the media worker; ``showing``: those to processes for viewers; ``begins``: told when somebody asks to watch."""

    def __init__(
        self,
        worker: Channel,
        permission: Permission,
        showing: Sequence[Channel] = (),
        begins: Callable[[], None] = lambda: None,
    ) -> None:
        self._permission = permission
        self._begins = begins
        self._worker = Place(worker, self._gone)
        self._showing = [Place(channel, self._gone) for channel in showing]
        self._ended: dict[str, Callable[[ZonghengError | None], None]] = {}
        """Who is told of the end of a session."""
        self._waiting = 0
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

        with self._one_more():
            self._begins()
            viewing = await self._permission.opened(caller, stream, purpose, removed)
            try:
                request = wire.WatchRequest(stream=stream, offer=offer, who=caller.who)
                # Only now: of many who come at once each sees where those before went.
                place = min(self._showing or [self._worker], key=lambda one: one.taken)
                told = await place.call(lambda stub: stub.Watch(request, timeout=CALL_S))
            except BaseException as error:
                await self._permission.closed(viewing, error if isinstance(error, ZonghengError) else None)
                raise
        session = told.session
        held = place.hold(Held(told.session, stream, caller.who, told.etag, viewing))
        if put_out:
            await place.end(session, put_out[0])
            raise put_out[0]
        return Begun(held, told.answer)

    async def publish(self, caller: Caller, stream: str, offer: str) -> Begun:
        """Answer the offer of somebody who publishes. Raises ZonghengError: what keeps them from it."""
        with self._one_more():
            await self._permission.may_publish(caller, stream)
            request = wire.PublishRequest(stream=stream, offer=offer, who=caller.who)
            told = await self._worker.call(lambda stub: stub.Publish(request, timeout=CALL_S))
        return Begun(self._worker.hold(Held(told.session, stream, caller.who, told.etag, "")), told.answer)

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
            told = await self._worker.call(lambda stub: stub.HandOn(request, timeout=CALL_S))
        except BaseException as error:
            await self._permission.closed(viewing, error if isinstance(error, ZonghengError) else None)
            raise
        session = told.session
        self._ended[session] = ended
        return self._worker.hold(Held(session, stream, caller.who, "", viewing))

    async def trickle(self, caller: Caller, session: str, fragment: str) -> None:
        """Further addresses of the caller's session. ZonghengError `not_found`, `bad_request`; `protocol` for another offer's (an ICE restart)."""
        self.mine(caller, session)
        request = wire.TrickleRequest(session=session, fragment=fragment)
        await self._place_of(session).call(lambda stub: stub.Trickle(request, timeout=CALL_S))

    async def end(self, caller: Caller, session: str) -> None:
        """End the caller's session. ZonghengError `not_found` when there is none, or it is somebody else's."""
        self.mine(caller, session)
        await self._place_of(session).end(session, None)

    def mine(self, caller: Caller, session: str) -> Held:
        """The caller's session; another's is not shown to be there."""
        held = self._place_of(session).held.get(session)
        if held is None or (held.who != caller.who and not caller.is_operator):
            raise ZonghengError("not_found", "there is no such session: it may have ended")
        return held

    @property
    def watching(self) -> Sequence[int]:
        """How many watch through each process for viewers."""
        return [len(place.held) for place in self._showing]

    def holds(self, picked: Callable[[Held], bool]) -> bool:
        """Whether there is a session that ``picked`` takes."""
        return any(map(picked, self._all()))

    async def end_those(self, picked: Callable[[Held], bool], error: ZonghengError) -> None:
        """End the sessions that ``picked`` takes; ``error`` says why."""
        for held in [one for one in self._all() if picked(one)]:
            await self._place_of(held.session).end(held.session, error)

    async def run(self) -> None:
        """Follow what becomes of the sessions, for as long as the node serves."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                for place in self._places:
                    tasks.create_task(place.run())
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    @property
    def _places(self) -> Sequence[Place]:
        return [self._worker, *self._showing]

    def _place_of(self, session: str) -> Place:
        """Where a session is; where there is none, the media worker."""
        return next((place for place in self._showing if session in place.held), self._worker)

    def _all(self) -> Iterable[Held]:
        return chain.from_iterable(place.held.values() for place in self._places)

    async def _gone(self, held: Held, error: ZonghengError | None) -> None:
        if (ended := self._ended.pop(held.session, None)) is not None:
            ended(error)
        if held.viewing:
            await self._permission.closed(held.viewing, error)

    def _put_out(self, session: str, error: ZonghengError) -> None:
        place = self._place_of(session)
        if self._tasks is not None and session in place.held:
            self._tasks.create_task(place.end(session, error))

    @contextmanager
    def _one_more(self) -> Iterator[None]:
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
