"""An opened node with its HTTP application: people at its network door, and its owner at the folder's."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from zongheng.v1.entry_pb2 import Entry

from node import config
from node.run import Node
from node.web.app import application
from node.web.guard import CSRF_HEADER, FolderDoor

CODE = "990121"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse 1"


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    at_us: int

    def __call__(self) -> int:
        return self.at_us

    def go(self, *, days: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        self.at_us += round((days * 86_400 + minutes * 60 + seconds) * 1_000_000)


@dataclass
class Visitor:
    """Somebody at the node's HTTP application."""

    client: httpx.AsyncClient
    csrf: str = ""

    async def log_in(self, number: str, password: str = PASSWORD) -> httpx.Response:
        answer = await self.client.post("/api/login", json={"number": number, "password": password})
        if answer.is_success:
            self.csrf = answer.json()["csrf"]
        return answer

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.client.get(path, params=params)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.client.post(path, json=body or {}, headers={CSRF_HEADER: self.csrf})

    async def delete(self, path: str) -> httpx.Response:
        return await self.client.delete(path, headers={CSRF_HEADER: self.csrf})


@dataclass
class House:
    """One node, its owner and its visitors."""

    node: Node
    clock: Clock
    owner: Visitor
    _visitors: Callable[[str], Visitor] = field(repr=False)

    def visitor(self, address: str = "10.1.2.3") -> Visitor:
        return self._visitors(address)

    async def add(self, number: str, *roles: str, **other: str) -> None:
        """An account whose owner has chosen the password already."""
        body = {"number": number, "roles": list(roles), "password": "first secret 0", **other}
        answer = await self.owner.post("/api/users", body)
        assert answer.status_code == 201, answer.text
        visitor = self.visitor("10.9.9.9")
        assert (await visitor.log_in(number, "first secret 0")).json()["must_change"] is True
        chosen = await visitor.post("/api/me/password", {"password": PASSWORD, "old": "first secret 0"})
        assert chosen.status_code == 200, chosen.text

    async def inside(self, number: str, *roles: str, **other: str) -> Visitor:
        """A visitor with an account, who has logged in."""
        await self.add(number, *roles, **other)
        visitor = self.visitor()
        assert (await visitor.log_in(number)).status_code == 200
        return visitor

    async def entries(self, kind: str) -> list[Any]:
        """What the journal has of one kind."""
        async with self.node.store.read() as session:
            leaves = await session.journal.leaves(CODE, 0, self.node.writer.size)
        entries = [Entry.FromString(leaf) for leaf in leaves]
        return [getattr(entry, kind) for entry in entries if entry.HasField(kind)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    folder = tmp_path / "node"
    config.initialise(
        folder, tier="county", name="霁川县", division=CODE, grpc="127.0.0.1:1", http="127.0.0.1:2",
    )  # fmt: skip
    clock = Clock(round(START.timestamp()) * 1_000_000)
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(Node.opened(folder, now=clock))
        app = application(node)
        clients: list[httpx.AsyncClient] = []

        def visitor(address: str) -> Visitor:
            transport = httpx.ASGITransport(app, client=(address, 1), raise_app_exceptions=False)
            clients.append(httpx.AsyncClient(transport=transport, base_url="http://localhost"))
            return Visitor(clients[-1])

        door = httpx.ASGITransport(FolderDoor(app), raise_app_exceptions=False)
        owner = Visitor(
            await stack.enter_async_context(httpx.AsyncClient(transport=door, base_url="http://node"))
        )
        try:
            yield House(node, clock, owner, visitor)
        finally:
            for client in clients:
                await client.aclose()
