"""A short text or a key sealed to one reader: HPKE (RFC 9180) in its base mode, with the sealing's purpose and place bound in.

Whoever carries the envelope learns the reader and the length, and the length says little because contents are padded. An envelope opens
only with the reader's key and only for the purpose and place it was sealed for, so it can be neither moved into another entry nor
passed off as another node's. The algorithms are named beside every envelope (`ALGORITHM`), so that others (SM2, SM4) may follow; a name
this version does not know is refused, never guessed.

HPKE's base mode does not say who sealed: that is the signature of the journal the envelope lies in.
"""

from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from federation.errors import ZonghengError

ALGORITHM: Final = "HPKE-X25519-HKDF-SHA256-AES-256-GCM"
"""RFC 9180 §7: KEM 0x0020, KDF 0x0001, AEAD 0x0002."""

KEY_BYTES: Final = 32
"""Length of an X25519 key, public or private."""

SMALLEST_BYTES: Final = 1_024
"""A padded content has this many bytes or a power of two times as many."""

_LENGTH_BYTES: Final = 4
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def seal(reader: bytes, plain: bytes, *place: str) -> bytes:
    """Seal to the reader's public key, for one place (its purpose first). Raises ZonghengError `bad_request` for what is no key."""
    return _SUITE.encrypt(plain, _public(reader), info=_info(place))


def unseal(private: X25519PrivateKey, algorithm: str, sealed: bytes, *place: str) -> bytes:
    """Inverse of `seal`. Raises ZonghengError `cannot_open` when key, place or content are not the ones it was sealed with."""
    if algorithm != ALGORITHM:
        raise ZonghengError(
            "cannot_open", f"sealed with {algorithm!r}, which this version does not know: upgrade"
        )
    try:
        return _SUITE.decrypt(sealed, private, info=_info(place))
    except (InvalidTag, ValueError) as error:
        raise ZonghengError(
            "cannot_open", f"this key does not open the {place[0]}: it is another reader's, or it was altered"
        ) from error


def public_bytes(private: X25519PrivateKey) -> bytes:
    """The public key that goes with a private one, 32 bytes."""
    return private.public_key().public_bytes_raw()


def key_id(public: bytes) -> str:
    """Names a public key without showing it: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(public).hexdigest()[:16]


def padded(content: bytes) -> bytes:
    """The content with its length in front and zeros behind, so that only its order of magnitude shows."""
    length = _LENGTH_BYTES + len(content)
    size = SMALLEST_BYTES
    while size < length:
        size *= 2
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content + bytes(size - length)


def unpadded(padded_content: bytes) -> bytes:
    """Inverse of `padded`. Raises ZonghengError `cannot_open` for what it cannot have made."""
    length = int.from_bytes(padded_content[:_LENGTH_BYTES], "big")
    content = padded_content[_LENGTH_BYTES : _LENGTH_BYTES + length]
    if len(content) != length or padded(content) != padded_content:
        raise ZonghengError("cannot_open", "what was sealed is not padded as it should be")
    return content


def _public(key: bytes) -> X25519PublicKey:
    try:
        return X25519PublicKey.from_public_bytes(key)
    except ValueError as error:
        raise ZonghengError("bad_request", "a sealing key has 32 bytes") from error


def _info(place: tuple[str, ...]) -> bytes:
    """The parts of a place, each with its length: ("ab", "c") and ("a", "bc") are two places."""
    parts = [part.encode() for part in ("zongheng", *place)]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
