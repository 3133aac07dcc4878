"""What this worker carries up: a call for each stream that the parent ordered, over one connection to each address of its.

A call is not tried again from here: when it ends the parent hears so and orders anew, with another ticket, if it still needs the stream. A
connection is kept for the next order as long as it is good.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import grpc.aio
import structlog

from federation.errors import ZonghengError, of
from federation.identity.credentials import Credentials
from federation.trunk.carry import DIAL_OPTIONS, Carrier
from federation.trunk.hub import Hub

MOST: Final = 1_000

IDLE_S: Final = 15.0
"""How long a connection is kept that carries nothing: a server takes the third ping on one for a flood."""

log = structlog.get_logger()

Over = Callable[[bytes, ZonghengError | None], None]
"""Told of each order once, when it is not carried out any more; None: in order."""


class _Way:
    """A connection to the parent's worker."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.calls = 0
        self.good = True
        self.closed = False


class Carriers:
    """Belongs to one event loop; `tasks` runs what it begins."""

    def __init__(
        self, credentials: Credentials, now_ns: Callable[[], int], tasks: asyncio.TaskGroup, over: Over
    ) -> None:
        self._credentials = credentials
        self._now_ns = now_ns
        self._tasks = tasks
        self._over = over
        self._ways: dict[str, _Way] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._running: dict[bytes, asyncio.Task[None]] = {}

    def carry(self, hub: Hub, ticket: bytes, address: str) -> None:
        """Begin to carry a hub's stream; the same order again changes nothing."""
        if ticket in self._running:
            return
        if len(self._running) >= MOST:
            self._over(ticket, ZonghengError("busy", f"{MOST} streams are carried from here already"))
            return
        task = self._tasks.create_task(self._carry(hub, ticket, address))
        self._running[ticket] = task
        task.add_done_callback(lambda _: self._running.pop(ticket, None))

    def stop(self, ticket: bytes) -> None:
        if task := self._running.get(ticket):
            task.cancel()

    def redial(self) -> None:
        """New calls are made with the certificates of now."""
        for way in self._ways.values():
            way.good = False

    def close(self) -> None:
        self.redial()
        for task in (*self._running.values(), *self._closing):
            task.cancel()

    async def _carry(self, hub: Hub, ticket: bytes, address: str) -> None:
        error: ZonghengError | None = None
        try:
            way = await self._way(address)
            way.calls += 1
            try:
                error = await Carrier(hub, ticket, self._now_ns).run(way.channel)
            except ZonghengError as failed:
                way.good = way.good and failed.code != "unreachable"
                raise
            finally:
                way.calls -= 1
                if not way.calls:
                    closing = self._tasks.create_task(self._close(address, way))
                    self._closing.add(closing)
                    closing.add_done_callback(self._closing.discard)
        except Exception as failed:
            error = of(failed)
            log.warning("media.not_carried", stream=hub.stream, code=error.code, words=error.detail)
        self._over(ticket, error)

    async def _way(self, address: str) -> _Way:
        way = self._ways.get(address)
        if way is None or not way.good or way.closed:
            way = self._ways[address] = _Way(self._credentials.channel(address, DIAL_OPTIONS))
        return way

    async def _close(self, address: str, way: _Way) -> None:
        """Close a connection that nobody uses; a good one a little later, since a stream that is opened again soon finds it there."""
        if way.good:
            await asyncio.sleep(IDLE_S)
        if way.calls or way.closed:
            return
        way.closed = True
        if self._ways.get(address) is way:
            del self._ways[address]
        await way.channel.close(None)
