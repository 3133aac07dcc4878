"""The recovery key: made once, shown once, written on paper; the node keeps only the public key to which its backups are sealed.

128 random bits and a checksum of 12 as seven groups of four letters and digits (Crockford's base 32: no I, L, O or U), so that a slip of the pen
is noticed before anything is tried with it. From the bits follows an X25519 key (HKDF-Expand, RFC 5869): who has the paper can open the backups, and
neither the node, nor its parent that keeps them, can.
"""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from federation.errors import ZonghengError
from federation.sealing.envelope import key_id, public_bytes
from node import config

_KEY_BYTES: Final = 16
_CHECK_BITS: Final = 12
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans("OIL", "011")
_CHARACTERS: Final = 28
_GROUP: Final = 4
_PUBLIC: Final = "recovery.pub"


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """What is on the paper."""

    secret: bytes

    @classmethod
    def new(cls) -> Self:
        return cls(os.urandom(_KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key as somebody typed it. Raises ``ZonghengError`` ``bad_request`` for what cannot be one."""
        typed = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
        if len(typed) != _CHARACTERS or set(typed) - set(_LETTERS):
            raise ZonghengError(
                "bad_request",
                "a recovery key is seven groups of four letters and digits: type it as it is on the paper",
            )
        number = 0
        for letter in typed:
            number = number << 5 | _LETTERS.index(letter)
        key = cls((number >> _CHECK_BITS).to_bytes(_KEY_BYTES, "big"))
        if number & ((1 << _CHECK_BITS) - 1) != key._check():
            raise ZonghengError(
                "bad_request", "a letter of the recovery key is mistyped: compare it with the paper"
            )
        return key

    def __str__(self) -> str:
        number = int.from_bytes(self.secret, "big") << _CHECK_BITS | self._check()
        letters = "".join(_LETTERS[number >> shift & 31] for shift in range(5 * (_CHARACTERS - 1), -1, -5))
        return "-".join(letters[at : at + _GROUP] for at in range(0, _CHARACTERS, _GROUP))

    @property
    def private(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(
            HKDFExpand(SHA256(), 32, b"zongheng recovery key").derive(self.secret)
        )

    @property
    def public(self) -> bytes:
        return public_bytes(self.private)

    def _check(self) -> int:
        digest = sha256(b"zongheng recovery check" + self.secret).digest()
        return int.from_bytes(digest[:2], "big") >> (16 - _CHECK_BITS)


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
