"""What a backup holds, as a stream of `SnapshotPart` messages, each with its length in front.

Read in one snapshot of the store, so it is consistent while the node runs; the registry, a database of its own, in one snapshot of that. It holds
every table but those that journals give back, and the files of the folder that cannot be made again: settings, the vault's key, and the key that
opens what was sealed to this node. Keys for TLS and for signing the journal are not in it: a new box has its own. The journal itself is in it only
where no parent gives it back.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from google.protobuf.message import DecodeError
from zongheng.v1.backup_pb2 import (
    SnapshotEnd,
    SnapshotFile,
    SnapshotHead,
    SnapshotPart,
    SnapshotRow,
    SnapshotRows,
    SnapshotValue,
)

from federation.errors import ZonghengError
from node.store.engine import Dialect, Transaction
from node.store.store import PROJECTED

FORMAT: Final = 1

STORE: Final = "store"
REGISTRY: Final = "registry"

JOURNAL_TABLES: Final = ("log", "journal", "tile", "seen", "addressed")
"""Of these a backup with the journal holds what is the own journal's; without it they come back with the journal."""

FILES: Final = ("node.toml", "keys/vault.key", "keys/recovery.pub")
"""What of the folder goes into a backup; besides, keys that open what was sealed to this node."""

SEALING_KEY: Final = "keys/sealing.key"
OLD_SEALING_KEYS: Final = "keys/sealing"
"""Folder of keys that opened what was sealed to earlier boxes of this node."""

_ROWS_AT_ONCE: Final = 500
_NEVER: Final = {"schema_version", *PROJECTED, *JOURNAL_TABLES}
_LARGEST_PART: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is in the database."""

    name: str
    columns: Sequence[str]


async def tables(transaction: Transaction, dialect: Dialect) -> list[Table]:
    """The tables of a database, those that others refer to before those that refer to them."""
    if dialect == "sqlite":
        names = await transaction.all(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
        columns = await transaction.all(
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid"
        )
        refers = await transaction.all(
            "SELECT m.name, f.\"table\" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"
        )
    else:
        names = await transaction.all(
            "SELECT table_name::text FROM information_schema.tables"
            " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1"
        )
        columns = await transaction.all(
            "SELECT table_name::text, column_name::text FROM information_schema.columns"
            " WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position"
        )
        refers = await transaction.all(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f' AND connamespace = current_schema()::regnamespace"
        )
    needs = {name: {to for of, to in refers if of == name and to != name} for (name,) in names}
    ordered: list[str] = []
    while len(ordered) < len(needs):
        ready = [name for name in needs if name not in ordered and needs[name] <= set(ordered)]
        ordered += ready or [name for name in needs if name not in ordered]
    return [Table(name, [column for of, column in columns if of == name]) for name in ordered]


async def parts(
    head: SnapshotHead,
    folder: Path,
    store: Transaction,
    registry: Transaction | None,
    dialect: Dialect,
) -> AsyncIterator[SnapshotPart]:
    """Every part of a snapshot in order."""
    yield SnapshotPart(head=head)
    for path in FILES:
        if (folder / path).exists():
            yield SnapshotPart(file=SnapshotFile(path=path, content=(folder / path).read_bytes()))
    for path in _sealing_keys(folder):
        yield SnapshotPart(file=SnapshotFile(path=path, content=(folder / path).read_bytes()))
    count = 0
    for database, transaction in ((STORE, store), (REGISTRY, registry)):
        if transaction is None:
            continue
        for table in await tables(transaction, dialect):
            if table.name in _NEVER:
                continue
            rows = await transaction.all(f"SELECT {', '.join(table.columns)} FROM {table.name}")
            for part in _pieces(database, table, rows):
                count += len(part.rows.rows)
                yield part
    if head.with_journal:
        async for part in _journal(head.node, store, dialect):
            count += len(part.rows.rows)
            yield part
    yield SnapshotPart(end=SnapshotEnd(rows=count))


async def _journal(node: str, store: Transaction, dialect: Dialect) -> AsyncIterator[SnapshotPart]:
    """The own journal, leaf by leaf, with what guards it."""
    every = {table.name: table for table in await tables(store, dialect)}
    for name in ("log", "tile"):
        table = every[name]
        rows = await store.all(f"SELECT {', '.join(table.columns)} FROM {name} WHERE origin = ?", node)
        for part in _pieces(STORE, table, rows):
            yield part
    table, at = every["journal"], 0
    while True:
        rows = await store.all(
            f"SELECT {', '.join(table.columns)} FROM journal WHERE origin = ? AND idx >= ? AND idx < ? ORDER BY idx",
            node,
            at,
            at + _ROWS_AT_ONCE,
        )
        if not rows:
            break
        for part in _pieces(STORE, table, rows):
            yield part
        at += _ROWS_AT_ONCE
    for name in ("seen", "addressed"):
        table = every[name]
        rows = await store.all(f"SELECT {', '.join(table.columns)} FROM {name}")
        for part in _pieces(STORE, table, rows):
            yield part


def _sealing_keys(folder: Path) -> list[str]:
    old = sorted((folder / OLD_SEALING_KEYS).glob("*.key"))
    present = [SEALING_KEY] if (folder / SEALING_KEY).exists() else []
    return present + [f"{OLD_SEALING_KEYS}/{path.name}" for path in old]


def _pieces(database: str, table: Table, rows: Sequence[Sequence[Any]]) -> list[SnapshotPart]:
    return [
        SnapshotPart(
            rows=SnapshotRows(
                database=database,
                table=table.name,
                columns=table.columns,
                rows=[SnapshotRow(values=map(_value, row)) for row in rows[at : at + _ROWS_AT_ONCE]],
            )
        )
        for at in range(0, len(rows), _ROWS_AT_ONCE)
    ]


def _value(value: Any) -> SnapshotValue:
    match value:
        case None:
            return SnapshotValue()
        case bool():
            return SnapshotValue(flag=value)
        case int():
            return SnapshotValue(whole=value)
        case str():
            return SnapshotValue(text=value)
        case bytes() | bytearray() | memoryview():
            return SnapshotValue(octets=bytes(value))
        case float():
            return SnapshotValue(real=value)
        case _:
            raise TypeError(f"a snapshot holds no {type(value).__name__}")


def sealing_key(content: bytes) -> X25519PrivateKey:
    """A sealing key as it lies in a file. Raises ``ZonghengError`` ``cannot_open`` for what is none."""
    try:
        return X25519PrivateKey.from_private_bytes(content)
    except ValueError as error:
        raise ZonghengError("cannot_open", "a sealing key has 32 bytes") from error


def plain(value: SnapshotValue) -> Any:
    """Inverse of what a part holds of one column."""
    which = value.WhichOneof("value")
    return None if which is None else getattr(value, which)


def framed(part: SnapshotPart) -> bytes:
    """A part with its length in front (a protobuf varint)."""
    body = part.SerializeToString()
    length, head = len(body), bytearray()
    while length > 127:
        head.append(length & 127 | 128)
        length >>= 7
    head.append(length)
    return bytes(head) + body


class Unframing:
    """Cuts a stream of bytes into parts again."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def update(self, content: bytes) -> list[SnapshotPart]:
        """Parts that are whole. Raises ``ZonghengError`` ``cannot_open`` for what is no snapshot."""
        self._rest += content
        found: list[SnapshotPart] = []
        while (cut := self._next()) is not None:
            start, end = cut
            try:
                found.append(SnapshotPart.FromString(bytes(self._rest[start:end])))
            except DecodeError as error:
                raise ZonghengError("cannot_open", "what was sealed is no backup of a node") from error
            del self._rest[:end]
        return found

    def finish(self) -> None:
        """Raises ``ZonghengError`` ``cannot_open`` when a part is cut off."""
        if self._rest:
            raise ZonghengError("cannot_open", "the backup ends within a part")

    def _next(self) -> tuple[int, int] | None:
        length = shift = 0
        for at, octet in enumerate(self._rest[:5]):
            length |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                if length > _LARGEST_PART:
                    raise ZonghengError("cannot_open", "what was sealed is no backup of a node")
                end = at + 1 + length
                return (at + 1, end) if len(self._rest) >= end else None
        return None
