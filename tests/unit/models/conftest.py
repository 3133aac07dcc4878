"""A desk at which things are published: real store, journal, registry and catalogue projection; no network, no evaluation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from zongheng.v1.entry_pb2 import Entry

from federation.journal.checkpoint import Signer, log_id
from node.models.publication import Publication, Published
from node.models.registry import Registry
from node.projection.context import Contexts
from node.projection.entries import read
from node.store.catalogue import Published as Piece
from node.store.drafts import Draft
from node.store.store import MEMORY, Store
from node.store.writer import JournalWriter
from node.views import publication

NODE = "990102"
NOW_US = 1_780_000_000_000_000


@dataclass
class Settings:
    node: str = NODE
    zone: str = "Asia/Shanghai"
    calendar: str = "china"
    review_items: bool = False
    tier: str = "county"


class CatalogueReader:
    """The catalogue's part of the projector."""

    def __init__(self, store: Store, contexts: Contexts) -> None:
        self._store, self._contexts = store, contexts

    async def settled(self) -> bool:
        async with self._store.write() as session:
            head = await session.journal.head(NODE)
            assert head is not None
            reading = read(NODE, 0, await session.journal.leaves(NODE, 0, head.size))
            await session.catalogue.put(
                [Piece(NODE, one.kind, one.code, one.version, one.idx, one.body) for one in reading.catalogue]
            )
        self._contexts.clear()
        return True


class Desk:
    """What publishing asks of a node."""

    def __init__(self, store: Store, registry: Registry, writer: JournalWriter) -> None:
        self.settings = Settings()
        self.store, self.kept, self.writer = store, registry, writer
        self.contexts = Contexts(store)
        self.projector = CatalogueReader(store, self.contexts)

    async def registry(self) -> Registry:
        return self.kept

    def now(self) -> int:
        return NOW_US

    async def write_entries(self, entries: list[Entry]) -> list[int]:
        for entry in entries:
            entry.noted_at_us = self.now()
        return list((await self.writer.append([Draft.of(entry) for entry in entries])).indexes)

    async def publish(self, **form: Any) -> Published:
        return await publication.publish(self, Publication.model_validate(form))  # type: ignore[arg-type]

    async def entries(self) -> list[Entry]:
        async with self.store.read() as session:
            return [
                Entry.FromString(leaf) for leaf in await session.journal.leaves(NODE, 0, self.writer.size)
            ]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    log = log_id(NODE, "3f9a2c1d")
    store = await Store.open(MEMORY)
    try:
        writer = await JournalWriter.open(
            store, Signer.from_bytes(log, bytes(range(32))), log, NODE, lambda: NOW_US
        )
        async with Registry.open(tmp_path, MEMORY) as registry:
            yield Desk(store, registry, writer)
    finally:
        await store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def registry_place(request: pytest.FixtureRequest) -> str:
    """A store's place that says where the registry lives."""
    return "store.sqlite" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))
