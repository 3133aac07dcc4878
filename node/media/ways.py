"""Connections from this worker to its parent's, one to each address; what is carried up and what is fetched share them.

A connection is kept for the next stream as long as it is good: one on which a call broke is used for no other.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import grpc.aio

from federation.errors import ZonghengError
from federation.identity.credentials import Credentials
from federation.trunk.bundle import Lane, Outgoing
from federation.trunk.carry import DIAL_OPTIONS

IDLE_S: Final = 15.0
"""How long a connection is kept that carries nothing: a server takes the third ping on one for a flood."""


class Way:
    """One connection."""

    def __init__(self, channel: grpc.aio.Channel, tasks: asyncio.TaskGroup) -> None:
        self.channel = channel
        self._tasks = tasks
        self._bundle: Outgoing | None = None
        self.bundling: asyncio.Task[None] | None = None
        self.calls = 0
        self.good = True
        self.closed = False

    def lane(self) -> Lane:
        """A call that shares one with all others made so. Raises ZonghengError `unreachable` where that one broke."""
        if self._bundle is None:
            self._bundle = Outgoing(self.channel)
            self.bundling = self._tasks.create_task(self._bundle.run())
        return self._bundle.open()


class Ways:
    """Belongs to one event loop; `tasks` runs what it begins."""

    def __init__(self, credentials: Credentials, tasks: asyncio.TaskGroup) -> None:
        self._credentials = credentials
        self._tasks = tasks
        self._ways: dict[str, Way] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def to(self, address: str) -> AsyncIterator[Way]:
        """A connection to `host:port` for one call. What the call raises as `unreachable` is the connection's fault."""
        way = self._ways.get(address)
        if way is None or not way.good or way.closed:
            way = self._ways[address] = Way(self._credentials.channel(address, DIAL_OPTIONS), self._tasks)
        way.calls += 1
        try:
            yield way
        except ZonghengError as failed:
            way.good = way.good and failed.code != "unreachable"
            raise
        finally:
            way.calls -= 1
            if not way.calls:
                closing = self._tasks.create_task(self._close(address, way))
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)

    def redial(self) -> None:
        """New calls are made with the certificates of now."""
        for way in self._ways.values():
            way.good = False

    def close(self) -> None:
        self.redial()
        bundling = [way.bundling for way in self._ways.values() if way.bundling is not None]
        for task in (*self._closing, *bundling):
            task.cancel()

    async def _close(self, address: str, way: Way) -> None:
        """Close a connection that nobody uses; a good one a little later, since a stream that is opened again soon finds it there."""
        if way.good:
            await asyncio.sleep(IDLE_S)
        if way.calls or way.closed:
            return
        way.closed = True
        if self._ways.get(address) is way:
            del self._ways[address]
        if way.bundling is not None:
            way.bundling.cancel()
        await way.channel.close(None)
