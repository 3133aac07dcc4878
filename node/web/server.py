"""Serves the node's application: to its owner on the socket in its folder, to everybody else on its HTTP address.

Away from loopback it is HTTPS and nothing else, and only once there are accounts to log in with. On loopback it is plain HTTP unless
``[https]`` says otherwise.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
import uvicorn

from federation.errors import ZonghengError
from federation.identity.credentials import is_loopback
from node import control
from node.wallclock import instant
from node.web.app import HOSTS, application
from node.web.certificate import Served, context, given, names_here, own
from node.web.guard import FolderDoor

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from node.run import Node

log = structlog.get_logger()

_STARTS_WITHIN_S = 30.0

CONNECTIONS: Final = 1_000
"""Most connections at once on the HTTP address; whoever comes later is told to try again (503)."""


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
    """Answer HTTP for as long as the context lasts.

    ``ZonghengError`` for an address that is taken, for one away from loopback while nobody has an account, and for a certificate that
    cannot be served with.
    """
    served = _certificate(node)
    hosts = HOSTS if served is None else [*HOSTS, *map(_host_header, served.names)]
    app = application(node, hosts)
    network, folder = _tcp(node), control.bind(node.folder, control.COMMANDS)
    servers = [
        (_server(app, None if served is None else context(served)), network),
        (_server(FolderDoor(app), None), folder),
    ]
    try:
        async with asyncio.TaskGroup() as group:
            for server, listener in servers:
                await server.up(group.create_task(server.serve(sockets=[listener]), name="http"))
            if served is not None:
                log.info(
                    "https.serving", http=node.settings.http, fingerprint=served.fingerprint, own=served.own
                )
            try:
                yield
            finally:
                for server, _ in servers:
                    server.should_exit = True
    finally:
        network.close()
        folder.close()
        with contextlib.suppress(FileNotFoundError):
            (node.folder / control.COMMANDS).unlink()


def _server(app: "ASGIApp", tls: ssl.SSLContext | None) -> _Server:
    settings = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=2,
        limit_concurrency=CONNECTIONS,
        proxy_headers=False,
        server_header=False,
        ws="none",
        # Which certificate is served is decided here; uvicorn takes the context as it is.
        ssl_context_factory=None if tls is None else (lambda _config, _default: tls),
    )
    return _Server(settings)


def _certificate(node: "Node") -> Served | None:
    """The certificate to serve with; None: plain HTTP, on loopback."""
    settings = node.settings.https
    if settings is None and is_loopback(node.settings.http):
        return None
    if settings is not None and settings.certificate is not None and settings.key is not None:
        return given(node.folder / settings.certificate, node.folder / settings.key)
    host = node.settings.http.rpartition(":")[0]
    names = (*(() if settings is None else settings.names), *names_here(host))
    return own(Path(node.folder) / "keys", names, instant(node.now()))


def _host_header(name: str) -> str:
    """A name as the Host header has it."""
    return f"[{name}]" if ":" in name else name


def _tcp(node: "Node") -> socket.socket:
    address = node.settings.http
    if not is_loopback(address) and not node.login_required:
        raise ZonghengError(
            "not_loopback",
            f"{address} is not loopback, and nobody has an account to log in with: `zongheng user add {node.folder} …` first",
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
