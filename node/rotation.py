"""Changing the key that signs the journal.

The new key is in its file before the entry that announces it is written, and takes the old one's place after; which of the two counts is what the stored
head says. So killed anywhere, the next start signs with the key that the journal names. The old key is deleted: it could add nothing any more.
"""

from pathlib import Path
from typing import Final

import structlog
from zongheng.v1.rotation_pb2 import KeyRotated

from federation.journal.checkpoint import Signer
from node import config
from node.config import NodeSettings
from node.store.store import Session, Store
from node.store.writer import JournalWriter

log = structlog.get_logger()

_KEY: Final = "journal.key"
_NEXT: Final = "journal.key.next"


async def settled_signer(folder: Path, settings: NodeSettings, store: Store) -> Signer:
    """The key that signs this node's heads, after a change that was cut off is carried through or taken back."""
    present = config.journal_signer(folder, settings)
    coming = folder / "keys" / _NEXT
    if not coming.exists():
        return present
    async with store.read() as session:
        head = await session.journal.own()
    signer = Signer.from_bytes(settings.log_id, config.read_secret(coming))
    if head is not None and head.verifier == str(signer.verifier):
        coming.rename(folder / "keys" / _KEY)
        return signer
    coming.unlink()
    return present


async def rotate_key(folder: Path, writer: JournalWriter) -> tuple[Signer, int]:
    """Sign with a new key from now on; returns it and the index of the entry that says so. Raises StoreSealed."""
    signer = Signer.generate(writer.log_id)
    coming = folder / "keys" / _NEXT
    coming.unlink(missing_ok=True)
    config.write_secret(coming, signer.to_bytes())
    index = await writer.rotate(signer)
    coming.rename(folder / "keys" / _KEY)
    log.warning("journal.rotated", index=index, verifier=str(signer.verifier))
    return signer, index


async def rotations(session: Session, log_id: str) -> list[KeyRotated]:
    """The changes of key of one log, the oldest first, but for keys that were lost."""
    return [
        KeyRotated.FromString(key.statement) for key in await session.former_keys.of(log_id) if key.statement
    ]
