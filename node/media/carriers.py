"""What this worker carries up: each stream that the parent ordered, over a call that all of them share, or over one of its own where the parent knows no other.

A call is not tried again from here: when it ends the parent hears so and orders anew, with another ticket, if it still needs the stream.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from federation.errors import ZonghengError, of
from federation.trunk.carry import Carrier
from federation.trunk.hub import Hub
from node.media.ways import Ways

MOST: Final = 1_000

log = structlog.get_logger()

Over = Callable[[bytes, ZonghengError | None], None]
"""Told of each order once, when it is not carried out any more; None: in order."""


class Carriers:
    """Belongs to one event loop; `tasks` runs what it begins."""

    def __init__(self, ways: Ways, now_ns: Callable[[], int], tasks: asyncio.TaskGroup, over: Over) -> None:
        self._ways = ways
        self._now_ns = now_ns
        self._tasks = tasks
        self._over = over
        self._running: dict[bytes, asyncio.Task[None]] = {}

    def carry(self, hub: Hub, ticket: bytes, address: str, *, bundled: bool) -> None:
        """Begin to carry a hub's stream; the same order again changes nothing. `bundled`: over one call with whatever else goes there."""
        if ticket in self._running:
            return
        if len(self._running) >= MOST:
            self._over(ticket, ZonghengError("busy", f"{MOST} streams are carried from here already"))
            return
        task = self._tasks.create_task(self._carry(hub, ticket, address, bundled=bundled))
        self._running[ticket] = task
        task.add_done_callback(lambda _: self._running.pop(ticket, None))

    def stop(self, ticket: bytes) -> None:
        if task := self._running.get(ticket):
            task.cancel()

    def close(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def _carry(self, hub: Hub, ticket: bytes, address: str, *, bundled: bool) -> None:
        error: ZonghengError | None = None
        try:
            async with self._ways.to(address) as way:
                carrier = Carrier(hub, ticket, self._now_ns)
                error = await (carrier.run_over(way.lane()) if bundled else carrier.run(way.channel))
        except Exception as failed:
            error = of(failed)
            log.warning("media.not_carried", stream=hub.stream, code=error.code, words=error.detail)
        self._over(ticket, error)
