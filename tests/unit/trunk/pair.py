"""A child's hub and a parent's trunk over real gRPC on loopback, with certificates."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc.aio

from federation.errors import ZonghengError, first_of
from federation.identity.authority import fingerprint
from federation.trunk.bundle import Outgoing
from federation.trunk.carry import DIAL_OPTIONS, Carrier
from federation.trunk.frame import Frame
from federation.trunk.hub import Hub
from federation.trunk.tickets import Tickets
from federation.trunk.trunk import LISTEN_OPTIONS, Passage, Trunk
from tests.certified import Certifying
from tests.unit.trunk.units import STREAM

in_bundle = False
"""Whether `outcome` lets the stream go in a bundle."""


async def eventually(holds: Callable[[], bool], within_s: float = 120.0) -> None:
    """Wait until it holds, as seen from outside."""
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110  # there is no event for what others can see
            await asyncio.sleep(0.005)


class Above:
    """A parent's worker as far as the trunk goes."""

    def __init__(self) -> None:
        self.certified = Certifying("town", "990102")
        self.village = self.certified.child("village", "990102001")
        self.other = self.certified.child("village", "990102002")
        self.trunk = Trunk(lambda: self.certified.authority.anchors, time.monotonic_ns)
        self.hub = Hub(STREAM, time.monotonic_ns)
        self.got: list[Frame] = []
        self.hub.join(self.got.append)
        self.port = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Above"]:
        server = grpc.aio.server(options=LISTEN_OPTIONS)
        self.trunk.add_to(server)
        self.port = self.certified.credentials.server_port(server, f"127.0.0.1:{self.port}")
        await server.start()
        try:
            yield self
        finally:
            await server.stop(None)

    def order(self, hub: Hub | None = None) -> tuple[bytes, Passage]:
        """A ticket for the village, and where its stream is to come."""
        ticket = Tickets.fresh()
        key = fingerprint(self.village.tls_key.public_key())
        return ticket, self.trunk.coming.expect(hub or self.hub, ticket, key)

    @asynccontextmanager
    async def dialled(self, by: Certifying | None = None) -> AsyncIterator[grpc.aio.Channel]:
        channel = (by or self.village).credentials.channel(f"127.0.0.1:{self.port}", DIAL_OPTIONS)
        try:
            yield channel
        finally:
            await channel.close(None)


@asynccontextmanager
async def carrying(
    above: Above, below: Hub, by: Certifying | None = None
) -> AsyncIterator[tuple[Passage, "asyncio.Task[ZonghengError | None]"]]:
    """The stream of `below` on its way up."""
    ticket, landing = above.order()
    async with above.dialled(by) as channel, asyncio.TaskGroup() as tasks:
        run = tasks.create_task(outcome(Carrier(below, ticket, time.monotonic_ns), channel))
        try:
            yield landing, run
        finally:
            run.cancel()


async def outcome(carrier: Carrier, channel: grpc.aio.Channel) -> ZonghengError | None:
    """With what carrying ended, refused or not."""
    try:
        return await (_bundled(carrier, channel) if in_bundle else carrier.run(channel))
    except ZonghengError as error:
        return error


async def _bundled(carrier: Carrier, channel: grpc.aio.Channel) -> ZonghengError | None:
    bundle = Outgoing(channel)
    outcomes: list[ZonghengError | None] = []
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(bundle.run())
            outcomes.append(await carrier.run_over(bundle.open()))
            running.cancel()
    except* ZonghengError as refused:
        outcomes.append(first_of(refused))
    return outcomes[0]
