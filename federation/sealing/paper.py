"""A key on paper: made once, shown once, typed back by a person.

128 random bits and a checksum of 12 as seven groups of four letters and digits (Crockford's base 32: no I, L, O or U), so that a slip of the pen
is noticed before anything is tried with it. From the bits follows an X25519 key (HKDF-Expand, RFC 5869): whoever knows its public half can seal to the
paper, and only who has the paper opens it. Subclasses say what the key is for; the same letters give each another key.
"""

import os
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Final, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from federation.errors import ZonghengError
from federation.sealing.envelope import public_bytes

_KEY_BYTES: Final = 16
_CHECK_BITS: Final = 12
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD: Final = str.maketrans("OIL", "011")
_CHARACTERS: Final = 28
_GROUP: Final = 4


@dataclass(frozen=True, slots=True)
class PaperKey:
    """What is on the paper."""

    called: ClassVar[str]
    """For people, and for the key: two kinds of paper never give the same one."""

    secret: bytes

    @classmethod
    def new(cls) -> Self:
        return cls(os.urandom(_KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key as somebody typed it. Raises ZonghengError `bad_request` for what cannot be one."""
        typed = "".join(text.upper().split()).replace("-", "").translate(_MISREAD)
        if len(typed) != _CHARACTERS or set(typed) - set(_LETTERS):
            raise ZonghengError(
                "bad_request",
                f"a {cls.called} is seven groups of four letters and digits: type it as it is on the paper",
            )
        number = 0
        for letter in typed:
            number = number << 5 | _LETTERS.index(letter)
        key = cls((number >> _CHECK_BITS).to_bytes(_KEY_BYTES, "big"))
        if number & ((1 << _CHECK_BITS) - 1) != key._check():
            raise ZonghengError(
                "bad_request", f"a letter of the {cls.called} is mistyped: compare it with the paper"
            )
        return key

    def __str__(self) -> str:
        number = int.from_bytes(self.secret, "big") << _CHECK_BITS | self._check()
        letters = "".join(_LETTERS[number >> shift & 31] for shift in range(5 * (_CHARACTERS - 1), -1, -5))
        return "-".join(letters[at : at + _GROUP] for at in range(0, _CHARACTERS, _GROUP))

    @property
    def private(self) -> X25519PrivateKey:
        derived = HKDFExpand(SHA256(), 32, f"zongheng {self.called}".encode()).derive(self.secret)
        return X25519PrivateKey.from_private_bytes(derived)

    @property
    def public(self) -> bytes:
        return public_bytes(self.private)

    def _check(self) -> int:
        digest = sha256(f"zongheng {self.called} check".encode() + self.secret).digest()
        return int.from_bytes(digest[:2], "big") >> (16 - _CHECK_BITS)
