"""Backups: taken on demand, to a file or to the parent, and the key they are sealed to."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.backup_pb2 import RecoveryKeySet
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.backup import recovery
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node


class Wanted(BaseModel):
    """Where a backup is to go."""

    model_config = ConfigDict(extra="forbid")

    to_parent: bool = False


class BackupView(BaseModel):
    """A backup that was taken."""

    size: int
    journal_size: int | None
    """What of the journal it stands at; null of one on its way to the parent, which has the journal."""
    taken_at: str | None
    sha256: str
    """Of one to the parent; empty: it goes to a file."""
    reader: str
    part: str
    """Its file in ``DIR/files/parts``, for whoever asked to take from there; empty: it is on its way to the parent."""


class NewKey(BaseModel):
    """The public half of a recovery key that was just made."""

    model_config = ConfigDict(extra="forbid")

    public: str = Field(pattern="^[0-9a-f]{64}$")
    replace: bool = False


class KeyView(BaseModel):
    """The recovery key by its name."""

    key: str


async def backup(node: "Node", form: Wanted) -> BackupView:
    """Take a backup; ``ZonghengError`` says what stands in the way."""
    zone = node.settings.zone
    if form.to_parent:
        sent = await node.backups.to_parent()
        return BackupView(
            size=sent.size, journal_size=None, taken_at=time_text(node.now(), zone), sha256=sent.sha256,
            reader=sent.reader, part="",
        )  # fmt: skip
    taken = await node.backups.take(with_journal=True)
    return BackupView(
        size=taken.size, journal_size=taken.head.journal_size, taken_at=time_text(taken.head.taken_at_us, zone),
        sha256="", reader="", part=taken.part,
    )  # fmt: skip


async def new_key(node: "Node", form: NewKey) -> KeyView:
    """Seal backups to this key from now on; ``ZonghengError`` where there is one already and nobody said to replace it."""
    if recovery.kept(node.folder) is not None and not form.replace:
        raise ZonghengError(
            "bad_request",
            "this node has a recovery key: --replace makes another, and backups taken before still need the one before",
        )
    name = recovery.keep(node.folder, bytes.fromhex(form.public))
    await node.write_entries([Entry(recovery_key_set=RecoveryKeySet(key=name))])
    return KeyView(key=name)
