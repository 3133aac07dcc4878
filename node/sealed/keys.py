"""The keys that open what is sealed to this node: its own, and those of the boxes that it ran on before."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from federation.sealing.envelope import key_id, public_bytes
from node.backup.snapshot import OLD_SEALING_KEYS


def sealing_keys(folder: Path, own: X25519PrivateKey) -> dict[str, X25519PrivateKey]:
    """Private keys by the name of their public half."""
    keys = [own]
    for path in sorted((folder / OLD_SEALING_KEYS).glob("*.key")):
        keys.append(X25519PrivateKey.from_private_bytes(path.read_bytes()))
    return {key_id(public_bytes(key)): key for key in keys}
