"""Linkage tokens: what stands for an identifier so that two nodes' records can be compared and nobody's number travels. Pure.

    token = HMAC-SHA-256(key, "zongheng linkage v1\\n" ‖ purpose ‖ "\\n" ‖ role ‖ "\\n" ‖ identifier)[:16]

The key is the issuer's, for one purpose and one stretch of days. Tokens under two keys, of two purposes or of two roles say nothing about each
other. Sixteen bytes: among ten million identifiers two different ones have the same token with probability 10⁻²⁵.

What it does not do: identity numbers are few enough to try them all. Who holds a key *and* tokens made under it can test whether a person
is among them. So a key goes to the nodes that compute tokens and to nobody else, and is destroyed when its stretch is over (`keys`).
"""

import hmac
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

KEY_BYTES: Final = 32
TOKEN_BYTES: Final = 16

PAYEE: Final = "payee"
BIDDER: Final = "bidder"
PURPOSES: Final = (PAYEE, BIDDER)

DEATHS: Final = "deaths"
"""The register of deaths: role of its tokens, which are made as a person's are, so that the two are equal."""

REGISTERS: Final = {DEATHS: (PAYEE, "person")}
"""Register → purpose and role of the identifier that its tokens are made of."""

_SEPARATOR: Final = b"zongheng linkage v1\n"


@dataclass(frozen=True, order=True, slots=True)
class KeyName:
    """Which key a token was made under."""

    issuer: str
    purpose: str
    number: int

    def __str__(self) -> str:
        return f"{self.issuer}/{self.purpose}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> "KeyName":
        """Inverse of `str`. Raises ValueError."""
        issuer, purpose, number = text.split("/")
        return cls(issuer, purpose, int(number))


def new_key() -> bytes:
    """A key from the system's random source."""
    return secrets.token_bytes(KEY_BYTES)


def token(key: bytes, purpose: str, role: str, identifier: str) -> bytes:
    """The token of an identifier in its normal form."""
    message = _SEPARATOR + f"{purpose}\n{role}\n{identifier}".encode()
    return hmac.new(key, message, sha256).digest()[:TOKEN_BYTES]
