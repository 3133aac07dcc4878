"""A node's store: opened once, then read in snapshots and written by one writer at a time.

What a session wrote is there, durably, when ``write()`` returns; if the block raises, or the process dies, none of it is. Two
processes cannot have one store open for writing. A read never waits for a write. Do not open a ``write()`` inside another one of
the same task: it would wait for itself.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

from node.store.access import Access
from node.store.accountability import Accountability
from node.store.addressed import Addressed
from node.store.alerts import Alerts
from node.store.arrivals import Arrivals
from node.store.cards import Cards
from node.store.catalogue import Catalogue
from node.store.children import Children
from node.store.conduct import Conduct
from node.store.copies import Copies
from node.store.cursors import Cursors
from node.store.directives import Directives
from node.store.disclosures import Disclosures
from node.store.engine import Engine, Transaction
from node.store.engines.memory import MemoryEngine
from node.store.engines.postgres import PostgresEngine
from node.store.engines.sqlite import SqliteEngine
from node.store.events import Events
from node.store.facts import Facts
from node.store.files import Files
from node.store.forks import Forks
from node.store.former_keys import FormerKeys
from node.store.imports import Imports
from node.store.items import ItemSteps
from node.store.journal import Journal
from node.store.linkage import Linkage
from node.store.links import Links
from node.store.migrate import migrate
from node.store.outbox import Outbox
from node.store.patrols import Patrols
from node.store.receipts import Receipts
from node.store.rollups import Rollups
from node.store.scores import Scores
from node.store.sealed import SealedRows
from node.store.steps import Steps
from node.store.ticks import Ticks
from node.store.vault import VaultRows

MEMORY: Final = "memory:"
"""Opens a store that nobody keeps."""

PROJECTED: Final = (
    "event",
    "facts",
    "fact_day",
    "alert",
    "catalogue",
    "owed_answer",
    "entered",
    "decided",
    "remark",
    "directive",
    "directive_step",
    "access",
    "disclosure",
    "arrival",
    "receipt",
    "alert_step",
    "department_alert",
    "accountability_step",
    "score_step",
    "linkage",
    "linkage_due",
    "draw_seed",
    "item_step",
    "patrol_step",
    "cursor",
)
"""Tables that journals give back, whole."""


class Session:
    """One transaction with every repository on it."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.journal = Journal(transaction)
        self.addressed = Addressed(transaction)
        self.arrivals = Arrivals(transaction)
        self.receipts = Receipts(transaction)
        self.events = Events(transaction)
        self.facts = Facts(transaction)
        self.alerts = Alerts(transaction)
        self.rollups = Rollups(transaction)
        self.conduct = Conduct(transaction)
        self.directives = Directives(transaction)
        self.catalogue = Catalogue(transaction)
        self.vault = VaultRows(transaction)
        self.linkage = Linkage(transaction)
        self.links = Links(transaction)
        self.cards = Cards(transaction)
        self.children = Children(transaction)
        self.former_keys = FormerKeys(transaction)
        self.copies = Copies(transaction)
        self.cursors = Cursors(transaction)
        self.imports = Imports(transaction)
        self.ticks = Ticks(transaction)
        self.access = Access(transaction)
        self.files = Files(transaction)
        self.sealed = SealedRows(transaction)
        self.disclosures = Disclosures(transaction)
        self.forks = Forks(transaction)
        self.steps = Steps(transaction)
        self.outbox = Outbox(transaction)
        self.accountability = Accountability(transaction)
        self.scores = Scores(transaction)
        self.item_steps = ItemSteps(transaction)
        self.patrols = Patrols(transaction)

    async def drop_projections(self) -> None:
        """Empty every table that the journals held here give back, except rollups.

        Rows that nodes below reported stay, since their journals are not here, and own rows stay until they are counted again: one that
        was deleted could not tell the ancestors that it no longer holds. Whoever calls this keeps the node from raising alerts until
        the projectors have read everything again, for the alert guard is gone until then.
        """
        for table in PROJECTED:
            await self.transaction.run(f"DELETE FROM {table}")


class Store:
    """An open store. Make it with `open`."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    async def open(cls, place: str, *, read_only: bool = False) -> Self:
        """Open ``memory:``, the path of a SQLite file, or a ``postgresql://`` URL, and bring the schema up to date.

        Raises StoreLocked when another process writes it, StoreUnreachable when it cannot be opened, SchemaTooNew when it
        belongs to a newer version of the program; with ``read_only`` SchemaMissing when it is older.
        """
        engine: Engine
        if place == MEMORY:
            engine = await MemoryEngine.create()
        elif place.startswith(("postgresql://", "postgres://")):
            engine = await PostgresEngine.open(place, read_only=read_only)
        else:
            engine = await SqliteEngine.open(Path(place), read_only=read_only)
        try:
            await migrate(engine)
        except BaseException:
            await engine.close()
            raise
        return cls(engine)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A snapshot, taken at the first statement."""
        async with self.engine.read() as transaction:
            yield Session(transaction)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Session]:
        """The one writer; commits when the block ends, rolls back when it raises."""
        async with self.engine.write() as transaction:
            yield Session(transaction)

    async def close(self) -> None:
        """Wait for what runs, then let go. May be called twice."""
        await self.engine.close()
