"""How what the vault keeps is encrypted: AES-256-GCM under keys derived from the vault's one key.

Whoever holds the database without the key learns handles and sizes, and neither who a person is nor whether two nodes know the
same person. A sealed value opens only in the place it was sealed for (its handle or digest is authenticated with it), so rows
cannot be swapped.
"""

import base64
import hmac
import os
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from node.store.errors import StoreDamaged

KEY_BYTES: Final = 32
"""Length of the vault's key."""

SALT_BYTES: Final = 16
"""Length of a free text's salt."""

_NONCE_BYTES: Final = 12  # NIST SP 800-38D §5.2.1.1.
_HANDLE_BYTES: Final = 13  # 20 characters of base32 hold 100 bits.


class Sealer:
    """Seals, opens and looks up. Raises ValueError unless the key has `KEY_BYTES` bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the vault's key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = AESGCM(_derived(key, b"zongheng vault seal"))
        self._lookup_key = _derived(key, b"zongheng vault lookup")
        self._key = key

    def seal(self, plain: bytes, place: str) -> bytes:
        """A random nonce, then ciphertext and tag, bound to the place where they will lie."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Inverse of `seal`. Raises StoreDamaged when key, place or content are not the ones it was sealed with."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreDamaged(
                f"the vault cannot open {place}: the key is not the one it was sealed with, or the row was altered"
            ) from error

    def mac(self, purpose: str, text: str) -> bytes:
        """32 bytes that stand for a text, for one purpose; without the key they say nothing."""
        return hmac.new(
            _derived(self._key, b"zongheng vault " + purpose.encode()), text.encode(), sha256
        ).digest()

    def lookup(self, name: str, id_number: str) -> str:
        """The same text for the same person, 64 hexadecimal digits; without the key it says nothing."""
        # The lengths keep ("ab", "c") and ("a", "bc") apart.
        person = f"{len(name)}|{name}|{id_number}".encode()
        return hmac.new(self._lookup_key, person, sha256).hexdigest()


def new_handle() -> str:
    """A random handle, ``p-`` and 20 characters of base32: it says nothing about the person."""
    return "p-" + base64.b32encode(os.urandom(_HANDLE_BYTES)).decode().lower()[:20]


def digest_text(salt: bytes, text: str) -> str:
    """What stands for a free text in the journal: ``sha256:`` and the hexadecimal digest of salt and text."""
    return "sha256:" + sha256(salt + text.encode()).hexdigest()


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, purpose).derive(key)
