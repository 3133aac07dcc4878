"""A new box in place of a dead one: enrols again with keys of its own and fetches the backup that the parent keeps.

Everything lies in the folder as it comes: keys, certificates, the part of the backup that is here. So the same command again asks with the same keys, which
the parent answers as before, and goes on from the byte that is missing.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc.aio
import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.files_pb2 import FetchRequest
from zongheng.v1.files_pb2_grpc import FileServiceStub
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError, from_rpc
from federation.identity.credentials import MutualTls
from federation.identity.invitation import Invitation, Replaced
from federation.journal.checkpoint import Signer
from federation.link.channel import CHILD_OPTIONS
from node import config
from node.config import NodeSettings
from node.files.shelf import digest_of, disk_full
from node.joining import Joining
from node.keyring import KeyRing, machine_clock

log = structlog.get_logger()

_FOLDER: Final = "restoring"
_ASKS_EVERY_S: Final = 2.0
_SILENCE_S: Final = 60.0
_NOWHERE: Final = "127.0.0.1:0"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A backup that was fetched."""

    sealed: Path
    parent: str
    """Where the parent's link is, "host:port"."""
    enrolment: str
    """Where it enrols."""


async def fetch(folder: Path, parent: str, token: str) -> Fetched:
    """Enrol again and fetch the newest backup.

    Waits where an operator at the parent must approve. Raises ``ZonghengError``: what the parent refuses with, ``unreachable``, ``not_found`` where it
    keeps no backup, ``disk_full``.
    """
    invitation = Invitation.parse(token)
    if invitation.replaces is None:
        raise ZonghengError(
            "invitation",
            "this token is for a node that begins: `zongheng invite DIR --replace` there prints the right one",
        )
    keyring = await _enrolled(folder, parent, invitation, invitation.replaces)
    parts = folder / _FOLDER
    parts.mkdir(exist_ok=True, mode=0o700)
    async with MutualTls(lambda: keyring.identity).channel(parent, CHILD_OPTIONS) as channel:
        sealed = await _fetched(FileServiceStub(channel), parts)
    return Fetched(sealed, parent, invitation.enrolment_at(parent))


async def _enrolled(folder: Path, parent: str, invitation: Invitation, before: Replaced) -> KeyRing:
    """The new box's keys, certified by the parent."""
    settings = NodeSettings(
        node=invitation.node,
        tier=before.tier,
        name=before.name,
        division=invitation.node.partition(".")[0],
        log_id=before.log_id,
        grpc=_NOWHERE,
        http=_NOWHERE,
    )
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (keys / "journal.key").exists():
        config.write_secret(keys / "journal.key", Signer.generate(before.log_id).to_bytes())
    keyring = KeyRing.open(folder, settings)
    verifier = str(config.journal_signer(folder, settings).verifier)
    card = NodeCard(
        node=settings.node, tier=settings.tier, name=settings.name, log_id=settings.log_id, verifier=verifier
    )
    joining = Joining(
        folder, settings, keyring, lambda: card, _nothing_entered, machine_clock, lambda elsewhere: None
    )
    at = invitation.enrolment_at(parent)
    told = False
    while await joining.admitted(at, invitation) is None:
        if not told:
            log.warning(
                "restore.waits",
                instruction=f"an operator at {invitation.parent} must approve {settings.node}",
            )
            told = True
        await asyncio.sleep(_ASKS_EVERY_S)
    return keyring


async def _nothing_entered(entries: list[Entry]) -> list[int]:
    """The journal is not here yet; the parent's own says that this box was enrolled."""
    return []


async def _fetched(stub: Any, parts: Path) -> Path:
    """The newest backup, whole and verified; what a call before left is gone on with."""
    begun = _begun(parts)
    digest, offset = ("", 0) if begun is None else (begun.stem, begun.stat().st_size)
    try:
        digest, part = await _download(stub, parts, digest, offset)
    except ZonghengError as error:
        if error.code != "not_found" or begun is None:
            raise
        # A newer one took its place meanwhile.
        begun.unlink()
        digest, part = await _download(stub, parts, "", 0)
    with part.open("rb") as file:
        if digest_of(file) != digest:
            part.unlink()
            raise ZonghengError(
                "changed", "what came is not the backup that the parent keeps: run the command again"
            )
    sealed = parts / "backup"
    part.rename(sealed)
    return sealed


def _begun(parts: Path) -> Path | None:
    """A backup of which a part is here."""
    return next(iter(sorted(parts.glob("*.part"))), None)


async def _download(stub: Any, parts: Path, digest: str, offset: int) -> tuple[str, Path]:
    call = stub.Fetch(FetchRequest(sha256=digest, offset=offset))
    size = -1
    try:
        while size < 0 or offset < size:
            async with asyncio.timeout(_SILENCE_S):
                piece = await call.read()
            if piece is grpc.aio.EOF:  # type: ignore[attr-defined]  # the stubs lack it
                raise ZonghengError(
                    "unreachable", f"the parent gave {offset} of {size} bytes: run the command again"
                )
            digest, size = piece.sha256 or digest, piece.size
            part = parts / f"{digest}.part"
            with disk_full(f"no room for the backup in {parts}"), part.open("ab") as file:
                file.write(piece.content)
            offset += len(piece.content)
    except TimeoutError:
        raise ZonghengError("unreachable", "the parent fell silent: run the command again") from None
    except grpc.aio.AioRpcError as error:
        raise from_rpc(error) from None
    finally:
        call.cancel()
    return digest, parts / f"{digest}.part"
