"""Serves the node's application on its loopback address and on the socket in its folder."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import uvicorn

from federation.errors import ZonghengError
from federation.identity.credentials import is_loopback
from node import control
from node.web.app import application

if TYPE_CHECKING:
    from node.run import Node

_STARTS_WITHIN_S = 30.0


class _Server(uvicorn.Server):
    """The node handles signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def up(self, serving: asyncio.Task[None]) -> None:
        """Wait until requests are answered. Uvicorn tells nobody, so it has to be looked at."""
        async with asyncio.timeout(_STARTS_WITHIN_S):
            while not self.started and not serving.done():  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def serve_http(node: "Node") -> AsyncIterator[None]:
    """Answer HTTP for as long as the context lasts. ``ZonghengError`` for an address that is taken or not loopback."""
    listeners = [_tcp(node.settings.http), control.bind(node.folder, control.COMMANDS)]
    settings = uvicorn.Config(
        application(node),
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        ws="none",
    )
    server = _Server(settings)
    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve(sockets=listeners), name="http")
            await server.up(serving)
            try:
                yield
            finally:
                server.should_exit = True
    finally:
        for listener in listeners:
            listener.close()
        with contextlib.suppress(FileNotFoundError):
            (node.folder / control.COMMANDS).unlink()


def _tcp(address: str) -> socket.socket:
    if not is_loopback(address):
        raise ZonghengError(
            "not_loopback",
            f"{address}: until people and roles exist HTTP is served on loopback only, for example 127.0.0.1:8401",
        )
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, int(port)))
    except OSError as error:
        listener.close()
        raise ZonghengError(
            "bad_request", f"cannot listen on {address}: {error.strerror}; choose another --http"
        ) from error
    listener.listen(128)
    return listener
