"""Taking a backup: a snapshot, sealed to the recovery key while it is written.

To a file, with the journal, for whoever keeps the file; or to the parent, without the journal (the parent has it), as a file of the files lane that an
entry names. Nothing unsealed touches the disk, and the node goes on working meanwhile.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zongheng.v1.backup_pb2 import SnapshotHead

from federation.errors import ZonghengError
from federation.sealing.stream import Sealing
from node.backup import recovery
from node.backup.snapshot import FORMAT, framed, parts
from node.files.shelf import Shelf
from node.models.registry import FILE, registry_url
from node.store import migrate
from node.store.engine import Engine, Transaction
from node.store.engines.postgres import PostgresEngine
from node.store.engines.sqlite import SqliteEngine
from node.store.store import Store
from node.wallclock import Now

_WRITE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Taken:
    """A sealed backup that lies among the files under way."""

    part: str
    """Its name there (`Shelf`)."""
    size: int
    head: SnapshotHead


async def take(
    folder: Path,
    place: str,
    store: Store,
    shelf: Shelf,
    node: str,
    log_id: str,
    now: Now,
    *,
    with_journal: bool,
) -> Taken:
    """Take one. ``place`` is the store's setting. ``ZonghengError`` ``no_recovery_key`` where there is nobody to seal it to."""
    public = recovery.kept(folder)
    if public is None:
        raise ZonghengError(
            "no_recovery_key",
            f"this node has no recovery key yet: run `zongheng recovery-key {folder}` and keep it on paper",
        )
    sealing = Sealing(public)
    part = f"backup.{secrets.token_hex(8)}"
    size = 0
    try:
        async with store.read() as session, _registry(folder, place) as registry:
            own = await session.journal.own()
            dialect = store.engine.dialect
            head = SnapshotHead(
                format=FORMAT,
                node=node,
                log_id=log_id,
                taken_at_us=now(),
                journal_size=own.size if own else 0,
                with_journal=with_journal,
                dialect=dialect,
                store_schema=await migrate.version(session.transaction, dialect),
                registry_schema=await migrate.version(registry, dialect) if registry is not None else 0,
            )
            waiting = bytearray(sealing.header)
            async for piece in parts(head, folder, session.transaction, registry, dialect):
                waiting += sealing.update(framed(piece))
                if len(waiting) >= _WRITE_BYTES:
                    size = await asyncio.to_thread(shelf.extend, part, bytes(waiting))
                    waiting.clear()
        size = await asyncio.to_thread(shelf.extend, part, bytes(waiting) + sealing.finish())
    except BaseException:
        shelf.forget(part)
        raise
    return Taken(part, size, head)


@contextlib.asynccontextmanager
async def _registry(folder: Path, place: str) -> AsyncIterator[Transaction | None]:
    """A snapshot of the registry; None where nobody opened one yet."""
    engine: Engine
    if "://" in place:
        engine = await PostgresEngine.open(registry_url(place)[0], read_only=True)
    elif (folder / FILE).exists():
        engine = await SqliteEngine.open(folder / FILE, read_only=True)
    else:
        yield None
        return
    try:
        async with engine.read() as transaction:
            yield transaction
    finally:
        await engine.close()
