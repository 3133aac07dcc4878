"""The node's backups: on demand, and to its parent once in a while (``backup_every_h``).

A backup to the parent is a file like any other on its way up: named by an entry, resumable, behind the journal. Its own copy goes when the parent has it.
One that fails (a full disk, no recovery key) is logged and tried again; the journal is not touched by it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.files_pb2 import FILE_PURPOSE_BACKUP, FileAdded

from federation.errors import ZonghengError
from node.backup import recovery
from node.backup.taking import Taken, take
from node.config import NodeSettings
from node.files.room import Room
from node.files.shelf import Shelf
from node.store.store import Store
from node.wallclock import Now

log = structlog.get_logger()

LOOKS_EVERY_S: Final = 60.0
"""How often a node looks whether a backup is due, and whether files have outgrown their room."""

AGAIN_S: Final = 3_600.0
"""Rest after a backup that failed."""

_LAST: Final = "backup.last"
_HOUR_US: Final = 3_600_000_000

Enter = Callable[[Sequence[Entry]], Awaitable[list[int]]]


@dataclass(frozen=True, slots=True)
class Sent:
    """A backup that is on its way to the parent."""

    sha256: str
    size: int
    reader: str
    index: int
    """Of the entry that names it."""


class Backups:
    """Takes the backups of one node."""

    def __init__(
        self,
        folder: Path,
        settings: NodeSettings,
        store: Store,
        shelf: Shelf,
        room: Room,
        enter: Enter,
        parent: Callable[[], str],
        now: Now,
    ) -> None:
        """``parent``: the parent's node id; empty while there is none."""
        self._folder = folder
        self._settings = settings
        self._store = store
        self._shelf = shelf
        self._room = room
        self._enter = enter
        self._parent = parent
        self._now = now
        self._turn = asyncio.Lock()

    async def take(self, *, with_journal: bool) -> Taken:
        """A sealed backup among the files under way; whoever asked takes it from there."""
        settings = self._settings
        return await take(
            self._folder, settings.store, self._store, self._shelf, settings.node, settings.log_id, self._now,
            with_journal=with_journal,
        )  # fmt: skip

    async def to_parent(self) -> Sent:
        """Take one and send it up. Raises ``ZonghengError`` ``bad_request`` without a parent, ``no_recovery_key``, ``disk_full``."""
        reader = self._parent()
        if not reader:
            raise ZonghengError("bad_request", "this node has no parent: use `zongheng backup DIR --to FILE`")
        async with self._turn:
            await self._room.make(0)
            taken = await self.take(with_journal=False)
            digest = await asyncio.to_thread(self._shelf.add, taken.part)
            added = FileAdded(sha256=digest, size=taken.size, reader=reader, purpose=FILE_PURPOSE_BACKUP)
            try:
                (index,) = await self._enter([Entry(file_added=added)])
            except BaseException:
                self._shelf.drop(digest)
                raise
            async with self._store.write() as session:
                await session.links.put_json(_LAST, self._now())
        log.info("backup.taken", sha256=digest, size=taken.size, journal_size=taken.head.journal_size)
        return Sent(digest, taken.size, reader, index)

    async def run(self) -> None:
        """Take them when they are due, until cancelled."""
        while True:
            rest_s = LOOKS_EVERY_S
            try:
                await self._room.tidy()
                if await self._due():
                    await self.to_parent()
            except ZonghengError as error:
                log.warning("backup.failed", code=error.code, words=error.detail)
                rest_s = AGAIN_S
            except Exception:
                log.exception("backup.failed")
                rest_s = AGAIN_S
            await asyncio.sleep(rest_s)

    async def _due(self) -> bool:
        every_us = int(self._settings.backup_every_h * _HOUR_US)
        if not every_us or not self._parent() or recovery.kept(self._folder) is None:
            return False
        async with self._store.read() as session:
            last = await session.links.get_json(_LAST)
        if last is None:
            # A node that just began has nothing to lose yet.
            async with self._store.write() as session:
                await session.links.put_json(_LAST, self._now())
            return False
        return self._now() >= int(last) + every_us
