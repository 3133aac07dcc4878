"""Streams that are handed on to media servers until somebody takes them back, over deaths of the media worker and of the node.

An order is kept on disk, what the server asks for sealed under the vault's key. While it stands it is carried out: where nothing goes to the server, a camera that is away, a worker that died, a
server that refuses, it is tried again, after a rest that grows to a minute, and says what the last attempt failed with. It ends when it is taken back, and when somebody puts it out
as the viewer that it is.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from federation.errors import ZonghengError, of
from node.media.webrtc.places import Held
from node.people.caller import OPERATOR, Caller
from node.store.store import Store
from node.store.vault import Vault
from node.wallclock import Now

FIRST_REST_S: Final = 1.0
LONGEST_REST_S: Final = 60.0
WELL_US: Final = 60_000_000
MOST: Final = 100

_PREFIX: Final = "handed-on/"

log = structlog.get_logger(__name__)

Ended = Callable[[ZonghengError | None], None]


class Hands(Protocol):
    """Who hands a stream on, once."""

    async def hand_on(self, caller: Caller, stream: str, endpoint: str, token: str, ended: Ended) -> Held: ...

    async def end(self, caller: Caller, session: str) -> None: ...


@dataclass(slots=True, eq=False)
class Order:
    """One stream for one media server."""

    id: str
    stream: str
    endpoint: str
    token: str
    since_us: int
    session: str = ""
    """At the media worker; empty: nothing is handed on at the moment."""
    error: ZonghengError | None = None
    """What the last attempt failed with."""


class HandedOn:
    """The orders of one node. Belongs to one event loop."""

    def __init__(self, hands: Hands, store: Store, vault: Vault, now: Now) -> None:
        self._hands = hands
        self._store = store
        self._vault = vault
        self._now = now
        self._orders: dict[str, Order] = {}
        self._over: dict[str, asyncio.Future[ZonghengError | None]] = {}
        self._to_hold: asyncio.Queue[Order] = asyncio.Queue()

    @property
    def orders(self) -> list[Order]:
        """All that stand, the oldest first."""
        return sorted(self._orders.values(), key=lambda order: order.since_us)

    async def begin(self, caller: Caller, stream: str, endpoint: str, token: str) -> Order:
        """Hand a stream on from now on. Raises ZonghengError where that cannot be begun: `forbidden`, `not_found`, `bad_request`, `unreachable`, `busy`."""
        if len(self._orders) >= MOST:
            raise ZonghengError("busy", f"{MOST} streams are handed on already: take one back first")
        order = Order(secrets.token_hex(8), stream, endpoint, token, self._now())
        await self._attempt(caller, order)
        self._orders[order.id] = order
        await self._keep(order)
        self._to_hold.put_nowait(order)
        return order

    async def take_back(self, caller: Caller, order_id: str) -> Order:
        """Not any more. Raises ZonghengError `not_found`."""
        order = self._orders.get(order_id)
        if order is None:
            raise ZonghengError("not_found", f"nothing is handed on under {order_id!r}")
        await self._forget(order)
        if order.session:
            await self._hands.end(caller, order.session)
        return order

    async def open(self) -> None:
        """At a start: what is kept."""
        for order in await self._kept():
            self._orders[order.id] = order
            self._to_hold.put_nowait(order)

    async def run(self) -> None:
        """Carry the orders out, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                tasks.create_task(self._hold(await self._to_hold.get()))

    async def _hold(self, order: Order) -> None:
        rest_s = FIRST_REST_S
        while order.id in self._orders:
            began = self._now()
            try:
                if order.id not in self._over:
                    await self._attempt(OPERATOR, order)
                error = await self._over[order.id]
            except Exception as failed:
                error = of(failed)
            self._over.pop(order.id, None)
            order.session, order.error = "", error
            if error is None or error.code == "viewer_removed":
                await self._forget(order)
                return
            log.info("handed_on.again", stream=order.stream, code=error.code, words=error.detail)
            if self._now() - began > WELL_US:
                rest_s = FIRST_REST_S
            await asyncio.sleep(rest_s)
            rest_s = min(2 * rest_s, LONGEST_REST_S)

    async def _attempt(self, caller: Caller, order: Order) -> None:
        over: asyncio.Future[ZonghengError | None] = asyncio.get_running_loop().create_future()

        def ended(error: ZonghengError | None) -> None:
            if not over.done():
                over.set_result(error)

        held = await self._hands.hand_on(caller, order.stream, order.endpoint, order.token, ended)
        order.session, order.error = held.session, None
        self._over[order.id] = over

    async def _keep(self, order: Order) -> None:
        sealed = self._vault.lock(order.token.encode(), _PREFIX + order.id)
        kept = {
            "stream": order.stream, "endpoint": order.endpoint, "token": sealed.hex(), "since_us": order.since_us,
        }  # fmt: skip
        async with self._store.write() as session:
            await session.links.put_json(_PREFIX + order.id, kept)

    async def _forget(self, order: Order) -> None:
        if self._orders.pop(order.id, None) is not None:
            async with self._store.write() as session:
                await session.links.delete(_PREFIX + order.id)

    async def _kept(self) -> list[Order]:
        async with self._store.read() as session:
            kept = {name: await session.links.get_json(name) for name in await session.links.names(_PREFIX)}
        return [
            Order(
                name.removeprefix(_PREFIX), one["stream"], one["endpoint"],
                self._vault.unlock(bytes.fromhex(one["token"]), name).decode(), one["since_us"],
            )
            for name, one in kept.items()
        ]  # fmt: skip
