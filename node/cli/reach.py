"""How a command reaches its node: through the socket of the running one, or by opening the stopped one itself.

Either way the command speaks the same HTTP API, so there is one answer to every question: a running node serves it on the
socket in its folder, a stopped node is opened under the folder's lock and its application called in this process.
"""

import asyncio
import contextlib
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from federation.errors import ZonghengError
from node import config, control

if TYPE_CHECKING:
    import httpx

_PATIENCE_S = 600.0
_STARTS_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Reach:
    """An open way to one node."""

    folder: Path
    running: bool
    client: "httpx.AsyncClient"
    local: Any
    """The opened ``node.run.Node`` when it is not running, else None."""

    async def get(self, path: str, **params: Any) -> Any:
        """GET ``path``; the decoded JSON, or ``ZonghengError`` with the node's own words."""
        query = {key: value for key, value in params.items() if value is not None}
        return _decode(await self.client.get(path, params=query))

    async def fetch(self, path: str, **params: Any) -> bytes:
        """GET ``path``; its content as it is."""
        query = {key: value for key, value in params.items() if value is not None}
        answer = await self.client.get(path, params=query)
        return answer.content if answer.is_success else bytes(_decode(answer))

    async def post(self, path: str, body: Any = None) -> Any:
        """POST JSON to ``path``."""
        return _decode(await self.client.post(path, json=body if body is not None else {}))

    async def delete(self, path: str) -> Any:
        """DELETE ``path``."""
        return _decode(await self.client.delete(path))


@contextlib.asynccontextmanager
async def reach(folder: Path) -> AsyncIterator[Reach]:
    """Reach the node in ``folder``; ``ZonghengError`` where there is none or another process holds it."""
    # A running node reaches nobody: it need not carry the client library.
    import httpx

    config.load(folder)
    async with contextlib.AsyncExitStack() as stack:
        if await _takes_lock(folder, stack):
            from node.run import Node
            from node.web.app import application
            from node.web.guard import FolderDoor

            node = await stack.enter_async_context(Node.opened(folder))
            transport: httpx.AsyncBaseTransport = httpx.ASGITransport(
                FolderDoor(application(node)), raise_app_exceptions=False
            )
            client = httpx.AsyncClient(transport=transport, base_url="http://node", timeout=_PATIENCE_S)
            yield Reach(folder, False, await stack.enter_async_context(client), node)
        else:
            path = stack.enter_context(control.short_path(folder, control.COMMANDS))
            transport = httpx.AsyncHTTPTransport(uds=path)
            client = httpx.AsyncClient(transport=transport, base_url="http://node", timeout=_PATIENCE_S)
            yield Reach(folder, True, await stack.enter_async_context(client), None)


async def _takes_lock(folder: Path, stack: contextlib.AsyncExitStack) -> bool:
    """True: the node is stopped and its lock is held by ``stack``. False: it runs and answers.

    Who holds the lock and does not answer is a node that starts, or another command: it is given time.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + _STARTS_WITHIN_S
    while not control.is_running(folder):
        try:
            stack.enter_context(control.FolderLock(folder))
        except ZonghengError:
            if loop.time() >= until:
                raise
        else:
            return True
        await asyncio.sleep(0.05)
    return False


def _decode(response: "httpx.Response") -> Any:
    if response.is_success:
        return response.json() if response.content else None
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    raise ZonghengError(
        problem.get("code", "bad_request"),
        problem.get("detail") or response.text or str(response.status_code),
    )


def publication_file(file: Path) -> Any:
    """What a TOML file wants published, as it goes over the API. ``ZonghengError`` where it cannot be read."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ZonghengError("bad_request", f"{file}: {error}") from error
    return orjson.loads(orjson.dumps(content))
