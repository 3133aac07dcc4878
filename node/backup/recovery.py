"""The recovery key: on paper alone. The node keeps the public half, to which its backups are sealed: who has the paper can open them, and neither the
node, nor its parent that keeps them, can.
"""

from pathlib import Path
from typing import Final

from federation.sealing.envelope import key_id
from federation.sealing.paper import PaperKey
from node import config

_PUBLIC: Final = "recovery.pub"


class RecoveryKey(PaperKey):
    """What opens a node's backups."""

    called = "recovery key"


def keep(folder: Path, public: bytes) -> str:
    """Seal backups to this key from now on; returns its name (`key_id`)."""
    config.replace(folder / "keys" / _PUBLIC, public.hex().encode() + b"\n")
    return key_id(public)


def kept(folder: Path) -> bytes | None:
    """The public key to which backups are sealed; None: this node has no recovery key yet."""
    try:
        return bytes.fromhex((folder / "keys" / _PUBLIC).read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
