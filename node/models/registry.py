"""The registry of one node: agencies, officers, sources and drafts, in a database beside the store.

It has a connection of its own, so that what people edit never waits for the journal's writer nor holds it up: `registry.sqlite` in
the node's folder, or, where the store is PostgreSQL, a schema of the same database: ``registry``, or ``<search_path>_registry``
where the store's URL names a schema, so that nodes that share a database share no registry.

Each call is one transaction: killed before its commit, nothing of it happened. Calls on one registry follow one another; any number
of registries can be open in one process. What cannot be stored raises the store's errors (`node.store.errors`).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from tortoise import exceptions
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from federation.errors import ZonghengError
from node.models.forms import AgencyForm, Draft, DraftState, ItemForm, OfficerForm, SourceForm
from node.models.tables import ItemDraft, Tables, tables
from node.store.engine import Dialect, Engine, finished
from node.store.engines.lane import BUSY_MS
from node.store.engines.postgres import CONNECT_S, PostgresEngine, translated
from node.store.engines.sqlite import SqliteEngine
from node.store.errors import StoreConflict, StoreError, StoreUnreachable
from node.store.migrate import migrate

T = TypeVar("T")

SCHEMA: Final = Path(__file__).resolve().parent / "schema"

FILE: Final = "registry.sqlite"

_APP: Final = "registry"
_CONNECTIONS: Final = 4
"""Most connections to a PostgreSQL server."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What one act of publishing enters: all of it or nothing."""

    agencies: Sequence[AgencyForm] = ()
    officers: Sequence[OfficerForm] = ()
    sources: Sequence[SourceForm] = ()
    items: Sequence[ItemForm] = ()
    """Versions that are published now; a draft of one of them is settled by it."""


class Registry:
    """An open registry. Make it with `open`."""

    def __init__(self, context: TortoiseContext, dialect: Dialect) -> None:
        self._context = context
        self._connection_name = _connection_name(dialect)
        self.tables: Tables = tables(dialect)
        self._turn = asyncio.Lock()
        self._closed = False
        self.publishing = asyncio.Lock()
        """Held by who compares with what is published and then publishes: two at once would both find nothing."""

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, store: str) -> AsyncIterator[Self]:
        """The registry of the node in ``folder`` whose store is ``store``, brought up to date; closed at the end.

        Raises StoreUnreachable when it cannot be opened, StoreLocked when another process is bringing it up to date, SchemaTooNew
        when it belongs to a newer version of the program.
        """
        dialect: Dialect
        if store.startswith(("postgresql://", "postgres://")):
            dialect, credentials = "postgres", await _prepare_postgres(store)
        else:
            dialect, credentials = "sqlite", await _prepare_sqlite(folder / FILE)
        name = _connection_name(dialect)
        context = TortoiseContext()
        registry = cls(context, dialect)
        try:
            # Becomes the current context for as long as it is set up, and again for each call.
            with context:
                await context.init(
                    config={
                        "connections": {name: {"engine": _ENGINES[dialect], "credentials": credentials}},
                        "apps": {_APP: {"models": [f"node.models.{dialect}"], "default_connection": name}},
                    }
                )
            yield registry
        finally:
            async with registry._turn:
                registry._closed = True
                with context:
                    await context.close_connections()

    async def transact(self, work: Callable[[BaseDBAsyncClient], Awaitable[T]]) -> T:
        """Do ``work`` in one transaction, after whatever was asked for before.

        Once begun it is finished, also when the caller is cancelled: cancelled in its BEGIN, Tortoise would keep the connection's lock.
        """
        async with self._turn:
            if self._closed:
                raise StoreUnreachable("the registry is closed")
            return await finished(self._once(work))

    async def _once(self, work: Callable[[BaseDBAsyncClient], Awaitable[T]]) -> T:
        try:
            with self._context:
                async with in_transaction(self._connection_name) as transaction:
                    return await work(transaction)
        except exceptions.IntegrityError as error:
            raise StoreConflict(f"the registry: {error}") from error
        except exceptions.DBConnectionError as error:
            raise StoreUnreachable(f"the registry: {error}") from error
        except exceptions.BaseORMException as error:
            raise StoreError(f"the registry: {error}") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise translated(error, "the registry") from error

    async def agencies(self) -> list[AgencyForm]:
        """Every agency, by code."""
        rows = await self.transact(lambda tx: self.tables.agency.all(using_db=tx).order_by("code"))
        return [
            AgencyForm(code=row.code, name=row.name, node=row.node, superior=row.superior, line=row.line)
            for row in rows
        ]

    async def officers(self, agency: str | None = None) -> list[OfficerForm]:
        """The officers of an agency, or all, by staff number; those who left included (``active`` false)."""
        chosen = {} if agency is None else {"agency": agency}
        officers = self.tables.officer
        rows = await self.transact(lambda tx: officers.filter(**chosen).using_db(tx).order_by("number"))
        return [
            OfficerForm(
                number=row.number,
                name=row.name,
                agency=row.agency,
                posts=tuple(row.posts),
                active=bool(row.active),
            )
            for row in rows
        ]

    async def sources(self) -> list[SourceForm]:
        """Every business system, by code."""
        rows = await self.transact(lambda tx: self.tables.source.all(using_db=tx).order_by("code"))
        return [
            SourceForm(code=row.code, agency=row.agency, contact=row.contact, enabled=bool(row.enabled))
            for row in rows
        ]

    async def drafts(self, state: DraftState | None = None) -> list[Draft]:
        """The versions of items in a state, or all, by item and version."""
        chosen = {} if state is None else {"state": state}
        drafts = self.tables.item_draft
        rows = await self.transact(
            lambda tx: drafts.filter(**chosen).using_db(tx).order_by("item", "version")
        )
        return [_draft(row) for row in rows]

    async def draft(self, draft_id: int) -> Draft:
        """One of them; ZonghengError ``not_found``."""
        return _draft(await self.transact(lambda tx: self._numbered(tx, draft_id)))

    async def save_draft(self, item: ItemForm, by: str, at_us: int) -> Draft:
        """Keep a version of an item as a draft, in the place of an earlier or a withdrawn draft of the same version.

        ``by`` is a staff number. Raises ZonghengError ``bad_request`` for a version that is published: it needs a new number.
        """

        async def save(tx: BaseDBAsyncClient) -> ItemDraft:
            row = await self._of(tx, item)
            if row is not None and row.state == "published":
                raise ZonghengError(
                    "bad_request",
                    f"version {item.version} of {item.code} is published: save the change as version {item.version + 1}",
                )
            return await self._keep(tx, row, item, "draft", by, at_us)

        return _draft(await self.transact(save))

    async def withdraw_draft(self, draft_id: int, by: str, at_us: int) -> Draft:
        """Lay a draft aside; it stays on record. Raises ZonghengError ``not_found``, and ``bad_request`` unless it is a draft."""

        async def withdraw(tx: BaseDBAsyncClient) -> ItemDraft:
            row = await self._numbered(tx, draft_id)
            if row.state != "draft":
                raise ZonghengError(
                    "bad_request", f"{row.item} version {row.version} is {row.state}, no draft"
                )
            row.state, row.edited_by, row.edited_at_us = "withdrawn", by, at_us
            await row.save(using_db=tx)
            return row

        return _draft(await self.transact(withdraw))

    async def enter(self, edition: Edition, by: str, at_us: int) -> None:
        """Take over what was published. Entering it again changes nothing else, so a publication that was cut off is sent again.

        Raises StoreConflict when an officer or a source names an agency that neither the edition nor the registry has.
        """

        async def take_over(tx: BaseDBAsyncClient) -> None:
            made = self.tables
            await made.agency.bulk_create(
                [made.agency(**agency.model_dump()) for agency in edition.agencies],
                on_conflict=["code"],
                update_fields=["name", "node", "superior", "line"],
                using_db=tx,
            )
            await made.officer.bulk_create(
                [made.officer(**officer.model_dump(mode="json")) for officer in edition.officers],
                on_conflict=["number"],
                update_fields=["name", "agency", "posts", "active"],
                using_db=tx,
            )
            await made.source.bulk_create(
                [made.source(**source.model_dump()) for source in edition.sources],
                on_conflict=["code"],
                update_fields=["agency", "contact", "enabled"],
                using_db=tx,
            )
            for item in edition.items:
                row = await self._of(tx, item)
                if row is None or row.state != "published":
                    await self._keep(tx, row, item, "published", by, at_us)

        await self.transact(take_over)

    async def _numbered(self, tx: BaseDBAsyncClient, draft_id: int) -> ItemDraft:
        row = await self.tables.item_draft.get_or_none(id=draft_id, using_db=tx)
        if row is None:
            raise ZonghengError("not_found", f"there is no draft {draft_id} here")
        return row

    async def _of(self, tx: BaseDBAsyncClient, item: ItemForm) -> ItemDraft | None:
        return await self.tables.item_draft.get_or_none(item=item.code, version=item.version, using_db=tx)

    async def _keep(
        self,
        tx: BaseDBAsyncClient,
        row: ItemDraft | None,
        item: ItemForm,
        state: DraftState,
        by: str,
        at_us: int,
    ) -> ItemDraft:
        row = row or self.tables.item_draft(item=item.code, version=item.version)
        row.body = item.model_dump_json(exclude_defaults=True)
        row.state, row.edited_by, row.edited_at_us = state, by, at_us
        await row.save(using_db=tx)
        return row


def _draft(row: ItemDraft) -> Draft:
    return Draft.model_validate(
        {
            "id": row.id,
            "item": ItemForm.model_validate_json(row.body),
            "state": row.state,
            "edited_by": row.edited_by,
            "edited_at_us": row.edited_at_us,
        }
    )


_ENGINES: Final[dict[Dialect, str]] = {
    "sqlite": "tortoise.backends.sqlite",
    "postgres": "node.models.postgres",
}


def _connection_name(dialect: Dialect) -> str:
    # Tortoise caches statements by connection name and table: a name for each dialect keeps their texts apart.
    return f"registry-{dialect}"


async def _prepare_sqlite(path: Path) -> dict[str, Any]:
    await _migrated(await SqliteEngine.open(path), "sqlite")
    return {
        "file_path": str(path),
        "journal_mode": "WAL",
        "synchronous": "FULL",
        "foreign_keys": "ON",
        "busy_timeout": BUSY_MS,
    }


async def _prepare_postgres(store: str) -> dict[str, Any]:
    url, schema = registry_url(store)
    try:
        connection = await asyncpg.connect(store, timeout=CONNECT_S)
        try:
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        finally:
            await connection.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise translated(error, "the registry's database") from error
    await _migrated(await PostgresEngine.open(url), "postgres")
    return {"url": url, "minsize": 0, "maxsize": _CONNECTIONS}


async def _migrated(engine: Engine, dialect: Dialect) -> None:
    try:
        await migrate(engine, SCHEMA / dialect)
    finally:
        await engine.close()


def registry_url(store: str) -> tuple[str, str]:
    """The registry's URL and schema for a PostgreSQL store's URL."""
    parts = urlsplit(store)
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    own = settings.get("search_path", "").split(",")[0].strip().strip('"')
    schema = f"{own}_registry" if own and own != "public" else "registry"
    settings["search_path"] = schema
    return urlunsplit(parts._replace(query=urlencode(settings))), schema
