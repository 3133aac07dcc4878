"""Bringing a node back from a backup, in a folder of its own.

The databases are filled in transactions that commit only when the backup has proven whole, and the settings are written last: the folder holds no
node until all of it is there. Whatever cuts it (a wrong key, a damaged file, a full disk, a kill), the same command begins anew.

The node comes back with new keys and with its journal sealed: what it wrote after the backup is at the parent, and nothing is entered until it
has that back. Projections are empty and read again from the journal.
"""

import contextlib
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from zongheng.v1.backup_pb2 import SnapshotFile, SnapshotHead, SnapshotPart, SnapshotRows

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, Signer, sign
from federation.sealing.envelope import key_id, public_bytes
from federation.sealing.stream import Opening, WrongReader
from node import config
from node.backup.recovery import RecoveryKey
from node.backup.snapshot import (
    FILES,
    FORMAT,
    OLD_SEALING_KEYS,
    REGISTRY,
    SEALING_KEY,
    STORE,
    Unframing,
    plain,
    sealing_key,
    tables,
)
from node.files.shelf import disk_full
from node.models import registry
from node.models.registry import FILE, registry_url
from node.store import migrate
from node.store.engine import Engine, Transaction
from node.store.engines.postgres import PostgresEngine
from node.store.engines.sqlite import SqliteEngine
from node.store.former_keys import FormerKey
from node.store.store import Session
from node.wallclock import instant

RESTORED: Final = "restored"
"""File that tells the node at its next start that it was put back from a backup."""

_AT_ONCE: Final = 256 * 1024
_COLUMN: Final = re.compile(r"[a-z_][a-z0-9_]*")
_UNTRUE: Final = ("report.sent", "link.backoff", "journal.sealed")
"""Values of the link's state that are not true of a box that was put back."""
_REBUILDING: Final = "projection.rebuilding"


class Restoring:
    """One restore into one folder."""

    def __init__(self, folder: Path, key: RecoveryKey, overrides: dict[str, str]) -> None:
        """``overrides``: settings that are others on the new box (grpc, http, enrolment, store)."""
        self._folder = folder
        self._key = key
        self._overrides = overrides
        self._files: dict[str, bytes] = {}

    async def restore(self, sealed: Path) -> SnapshotHead:
        """Bring the node back; returns what the backup is of.

        Raises ``ZonghengError``: ``cannot_open`` for a wrong key or a damaged file, ``bad_request`` for a folder that holds a node, ``disk_full``.
        """
        refuse_a_node(self._folder)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with sealed.open("rb") as file, disk_full(f"no room to restore in {self._folder}"):
            pieces = _opened(file, self._key)
            head = _head(next(pieces, None))
            async with contextlib.AsyncExitStack() as stack:
                await self._fill(head, pieces, stack)
            self._finish(head)
        return head

    async def _fill(
        self, head: SnapshotHead, pieces: Iterator[SnapshotPart], stack: contextlib.AsyncExitStack
    ) -> None:
        """Read all of it into the databases; what the stack holds commits when it is left without an error."""
        databases: dict[str, Transaction] = {}
        count, whole = 0, False
        for part in pieces:
            match part.WhichOneof("part"):
                case "file":
                    self._take(part.file)
                case "rows":
                    databases = databases or await self._open(head, stack)
                    count += await _insert(databases[part.rows.database], part.rows)
                case "end":
                    whole = part.end.rows == count
                case _:
                    raise ZonghengError(
                        "cannot_open", "the backup holds what this version does not know: upgrade"
                    )
        if not whole:
            raise ZonghengError("cannot_open", "the backup ends before it is whole")
        databases = databases or await self._open(head, stack)
        await self._settle(Session(databases[STORE]), head)

    def _take(self, file: SnapshotFile) -> None:
        old = Path(file.path).parent == Path(OLD_SEALING_KEYS)
        if file.path not in (*FILES, SEALING_KEY) and not old:
            raise ZonghengError("cannot_open", f"the backup holds {file.path}, which belongs to no backup")
        self._files[file.path] = file.content

    def _settings(self) -> str:
        """The settings of the old box with what is different on the new one."""
        text = self._files.get(config.SETTINGS_FILE)
        if text is None:
            raise ZonghengError("cannot_open", "the backup holds no settings")
        return config.overridden(text.decode("utf-8"), self._overrides)

    async def _open(self, head: SnapshotHead, stack: contextlib.AsyncExitStack) -> dict[str, Transaction]:
        """Empty databases as they were made on the old box, each in a transaction that the stack ends."""
        place = str(tomllib.loads(self._settings()).get("store", "store.sqlite"))
        if ("postgres" if "://" in place else "sqlite") != head.dialect:
            raise ZonghengError(
                "bad_request",
                f"this is the backup of a node on {head.dialect}: say where with --store, or leave it out",
            )
        store: Engine
        people: Engine
        if head.dialect == "postgres":
            url, schema = registry_url(place)
            store = await PostgresEngine.open(place)
            stack.push_async_callback(store.close)
            async with store.write() as first:
                await first.run(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            people = await PostgresEngine.open(url)
        else:
            for path in (self._folder / place, self._folder / FILE):
                for leftover in path.parent.glob(f"{path.name}*"):
                    leftover.unlink()
            store = await SqliteEngine.open(self._folder / place)
            stack.push_async_callback(store.close)
            people = await SqliteEngine.open(self._folder / FILE)
        stack.push_async_callback(people.close)
        found: dict[str, Transaction] = {}
        made: tuple[tuple[str, Engine, Path, int], ...] = (
            (STORE, store, migrate.SCHEMA / head.dialect, head.store_schema),
            (REGISTRY, people, registry.SCHEMA / head.dialect, head.registry_schema),
        )
        for name, engine, folder, schema_version in made:
            if schema_version > len(migrate.steps(folder)):
                raise ZonghengError(
                    "store_newer", "a newer version of the program wrote this backup: install it"
                )
            if not schema_version:
                continue
            await migrate.migrate(engine, folder, upto=schema_version)
            found[name] = transaction = await stack.enter_async_context(engine.write())
            for table in reversed(await tables(transaction, engine.dialect)):
                if table.name != "schema_version":
                    await transaction.run(f"DELETE FROM {table.name}")
        return found

    async def _settle(self, session: Session, head: SnapshotHead) -> None:
        """What is different about a box that was put back."""
        for name in _UNTRUE:
            await session.links.delete(name)
        await session.files.lose(
            "it was on the box that was lost: where it came from below, ask for it again"
        )
        if not head.with_journal:
            return
        # Rows that guard against raising an alert twice are read again from the journal: until then nothing is raised.
        await session.links.put(_REBUILDING, b"1")
        own = await session.journal.own()
        if own is None or (own.origin, own.log_id) != (head.node, head.log_id):
            raise ZonghengError("cannot_open", "the journal in the backup is not the node's")
        signer = self._signer(head.log_id)
        if own.verifier != str(signer.verifier):
            # The parent may show what the lost key signed after the backup was taken.
            await session.former_keys.put(own.log_id, FormerKey(own.verifier, own.size, b""))
        await session.transaction.run(
            "UPDATE log SET verifier = ?, note = ? WHERE own = 1",
            str(signer.verifier),
            sign(Checkpoint(own.log_id, own.size, own.root), signer) if own.size else "",
        )

    def _signer(self, log_id: str) -> Signer:
        """The new box's own key for the journal, made where it has none yet."""
        keys = self._folder / "keys"
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = keys / "journal.key"
        if not path.exists():
            config.write_secret(path, Signer.generate(log_id).to_bytes())
        return Signer.from_bytes(log_id, config.read_secret(path))

    def _finish(self, head: SnapshotHead) -> None:
        """Files, and the settings last."""
        self._signer(head.log_id)
        settings = self._settings().encode()
        for path, content in self._files.items():
            if path == config.SETTINGS_FILE:
                continue
            if path == SEALING_KEY:
                # Not the new box's key, and still needed for what was sealed to the old one.
                path = f"{OLD_SEALING_KEYS}/{key_id(public_bytes(sealing_key(content)))}.key"
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            config.replace(target, content)
            target.chmod(0o600)
        shutil.rmtree(self._folder / "segments", ignore_errors=True)
        at = instant(head.taken_at_us).isoformat(timespec="seconds")
        words = f"the backup was taken {at}, at journal size {head.journal_size}"
        config.replace(self._folder / RESTORED, words.encode())
        config.replace(self._folder / config.SETTINGS_FILE, settings)


def refuse_a_node(folder: Path) -> None:
    """Raises ``ZonghengError`` ``bad_request`` for a folder that holds a node."""
    if (folder / config.SETTINGS_FILE).exists():
        raise ZonghengError("bad_request", f"{folder} already holds a node: choose another folder")


def _opened(file: BinaryIO, key: RecoveryKey) -> Iterator[SnapshotPart]:
    """The parts of a sealed backup."""
    opening, unframing = Opening(key.private), Unframing()
    try:
        while sealed := file.read(_AT_ONCE):
            yield from unframing.update(opening.update(sealed))
        yield from unframing.update(opening.finish())
    except WrongReader as error:
        raise ZonghengError(
            "cannot_open", "this is not the recovery key that the backup was sealed to"
        ) from error
    unframing.finish()


def _head(part: SnapshotPart | None) -> SnapshotHead:
    if part is None or part.WhichOneof("part") != "head":
        raise ZonghengError("cannot_open", "what was sealed is no backup of a node")
    if part.head.format != FORMAT or part.head.dialect not in ("sqlite", "postgres"):
        raise ZonghengError(
            "store_newer",
            f"the backup has format {part.head.format}: install the newer version of the program",
        )
    head: SnapshotHead = part.head
    return head


async def _insert(transaction: Transaction, rows: SnapshotRows) -> int:
    """Put rows back; returns how many."""
    if not all(_COLUMN.fullmatch(name) for name in (rows.table, *rows.columns)):
        raise ZonghengError("cannot_open", "the backup names a table that cannot be")
    values = [tuple(plain(value) for value in row.values) for row in rows.rows]
    await transaction.insert(rows.table, list(rows.columns), values)
    return len(values)
