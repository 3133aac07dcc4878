"""Signed tree heads: C2SP signed-note, tlog-checkpoint and tlog-cosignature (v1), with Ed25519.

A checkpoint binds a node to one history: two that are inconsistent, both signed by its key, are proof of a
rewritten journal. A parent cosigns its child's checkpoint, which is how it acknowledges entries. So this
module is strict where the specifications leave room:

- a checkpoint counts as the log's only when signed by a key whose name is the checkpoint's origin: otherwise
  one child could vouch for another child's log;
- a known key's signature that does not verify rejects the whole note; unknown keys' signatures are ignored;
- base64 must be in its one canonical form.

Text that fails any of this raises `CheckpointError`, and nothing of it is returned. Whether a checkpoint is
recent enough, or consistent with an earlier one, is for the caller to check.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from federation.journal.merkle import EMPTY_ROOT, HASH_SIZE, MAX_SIZE

SUITE: Final = "sha256-ed25519"
"""Tree hash and signature of the logs this module signs, as their log ids name it."""

MAX_NOTE_BYTES: Final = 131_072
"""Largest note that is read: room for the 16 post-quantum signatures of 5 kB that the specification asks for."""

MAX_SIGNATURES: Final = 64
"""Most signature lines that are read in one note."""

_KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_TIMESTAMP_BYTES: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROL: Final = re.compile(r"[\x00-\x1f]")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")
_NODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_NONCE: Final = re.compile(r"[0-9a-f]{8,32}")


class CheckpointError(Exception):
    """The text is not a checkpoint signed by a key we know."""

    code: ClassVar[str] = "JOURNAL_CHECKPOINT_INVALID"


class SignatureType(IntEnum):
    """Signature type bytes assigned by C2SP signed-note."""

    LOG = 0x01
    """Ed25519 over the note's text: the log itself."""
    COSIGNATURE = 0x04
    """Timestamped Ed25519 cosignature, version 1: somebody who checked the log's consistency."""


class LogId(NamedTuple):
    """A log's name: the suite it is kept in, the node that writes it, and a nonce that is new with each log."""

    suite: str
    node: str
    nonce: str

    def __str__(self) -> str:
        return f"zongheng/{self.suite}/{self.node}/{self.nonce}"


def log_id(node: str, nonce: str) -> str:
    """The origin line of a log in the present suite, as in `zongheng/sha256-ed25519/990102001/3f9a2c1d`.

    `node` has up to 64 ASCII letters, digits, dots, hyphens or underscores; `nonce` 8 to 32 lower-case
    hexadecimal digits. Raises ValueError otherwise.
    """
    if not _NODE.fullmatch(node):
        raise ValueError(f"{node!r} cannot name a node in a log id")
    if not _NONCE.fullmatch(nonce):
        raise ValueError(f"{nonce!r} cannot be the nonce of a log id")
    return str(LogId(SUITE, node, nonce))


def parse_log_id(origin: str) -> LogId:
    """Inverse of `log_id`.

    Raises CheckpointError when the origin is not a log id or names a suite we do not speak.
    """
    parts = origin.split("/")
    if len(parts) != 4 or parts[0] != "zongheng":
        raise CheckpointError(f"{origin!r} is not a log id")
    _, suite, node, nonce = parts
    if suite != SUITE:
        raise CheckpointError(f"log {origin!r} is kept in suite {suite!r}, and we speak only {SUITE!r}")
    if not _NODE.fullmatch(node) or not _NONCE.fullmatch(nonce):
        raise CheckpointError(f"{origin!r} is not a log id")
    return LogId(suite, node, nonce)


def encode_base64(raw: bytes) -> str:
    """Standard base64 with padding (RFC 4648 §4)."""
    return base64.b64encode(raw).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Inverse of `encode_base64`.

    Raises ValueError for every other spelling, so that one value has one text.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise ValueError("not base64") from error
    if encode_base64(raw) != text:
        raise ValueError("not canonical base64")
    return raw


def parse_decimal(text: str) -> int:
    """A size or index in ASCII decimal, without leading zeroes. Raises ValueError for others or above `MAX_SIZE`."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise ValueError("not a decimal number in range")
    return int(text)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head (C2SP tlog-checkpoint): the log's id, its number of leaves and its root.

    Raises CheckpointError when a field cannot be one.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or _CONTROL.search(line):
                raise CheckpointError("a checkpoint's lines are not empty and hold no control characters")
        if not 0 <= self.size <= MAX_SIZE:
            raise CheckpointError(f"tree size {self.size} is out of range")
        if len(self.root) != HASH_SIZE:
            raise CheckpointError(f"a root has {HASH_SIZE} bytes, not {len(self.root)}")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise CheckpointError("a tree without leaves has another root")

    def body(self) -> str:
        """The note text that is signed, with its final newline."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, body: str) -> Self:
        """Inverse of `body`.

        Raises CheckpointError when the text is not a checkpoint; it checks no signature.
        """
        *lines, end = body.split("\n")
        if end or len(lines) < 3:
            raise CheckpointError("a checkpoint has an origin, a size and a root, each on a line")
        origin, size, root, *extensions = lines
        try:
            return cls(origin, parse_decimal(size), decode_base64(root), tuple(extensions))
        except ValueError as error:
            raise CheckpointError(
                f"the checkpoint of {origin!r} has no valid size and root: {error}"
            ) from error


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name and the kind of signature it is trusted for (C2SP signed-note verifier key).

    Raises CheckpointError when the name or the key cannot be one.
    """

    name: str
    public_key: bytes
    type: SignatureType = SignatureType.LOG

    def __post_init__(self) -> None:
        _check_key_name(self.name)
        if len(self.public_key) != _KEY_BYTES:
            raise CheckpointError(f"an Ed25519 public key has {_KEY_BYTES} bytes, not {len(self.public_key)}")

    @property
    def key_id(self) -> bytes:
        """First 4 bytes of the SHA-256 of name, newline, type and public key: a hint, not an identity."""
        return sha256(self.name.encode() + b"\n" + self._typed_key()).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """The text form, `name+id+key`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(self._typed_key())}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Inverse of `str`.

        Raises CheckpointError for malformed text, another type of key, or an id that is not the key's.
        """
        parts = vkey.split("+", 2)
        if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
            raise CheckpointError("a verifier key reads name+id+key")
        name, key_id, encoded = parts
        try:
            typed_key = decode_base64(encoded)
            verifier = cls(name, typed_key[1:], SignatureType(typed_key[0] if typed_key else 0))
        except ValueError as error:
            raise CheckpointError(f"the verifier key of {name!r} is none we can use: {error}") from error
        if verifier.key_id.hex() != key_id:
            raise CheckpointError(f"the verifier key of {name!r} does not have the id {key_id}")
        return verifier

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether this key made the Ed25519 signature (RFC 8032) over exactly these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _typed_key(self) -> bytes:
        return bytes([self.type]) + self.public_key


class Signer:
    """A private key with its name. A log's signer is named by its log id.

    One key may both sign a node's own checkpoints and cosign its children's: the two kinds have different key
    ids, and no checkpoint's text can be read as a cosigned message. The specification advises separate keys
    all the same.
    """

    __slots__ = ("_private_key", "name")

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        """Raises CheckpointError when the name cannot be a key's."""
        _check_key_name(name)
        self.name = name
        self._private_key = private_key

    @classmethod
    def generate(cls, name: str) -> Self:
        """A new key from the system's random source."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, name: str, secret: bytes) -> Self:
        """The key that `to_bytes` wrote. Raises ValueError unless there are 32 bytes."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(secret))

    def to_bytes(self) -> bytes:
        """The secret: 32 bytes (RFC 8032 §5.1.5), unencrypted. The caller keeps them safe."""
        return self._private_key.private_bytes_raw()

    @property
    def verifier(self) -> Verifier:
        """Verifies what `sign` makes."""
        return Verifier(self.name, self._public_key(), SignatureType.LOG)

    @property
    def cosignature_verifier(self) -> Verifier:
        """Verifies what `cosign` makes."""
        return Verifier(self.name, self._public_key(), SignatureType.COSIGNATURE)

    def signature(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes (RFC 8032)."""
        return self._private_key.sign(message)

    def _public_key(self) -> bytes:
        return self._private_key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"Signer({self.verifier})"


class Cosignature(NamedTuple):
    """A statement that at this time (UTC, whole seconds) the checkpoint was the largest consistent one known."""

    name: str
    at: datetime


def sign(checkpoint: Checkpoint, signer: Signer) -> str:
    """The signed note of a checkpoint.

    Raises ValueError when the signer is not named by the checkpoint's origin.
    """
    if signer.name != checkpoint.origin:
        raise ValueError(f"{signer.name!r} does not sign for the log {checkpoint.origin!r}")
    body = checkpoint.body()
    return str(_Note(body, (_SignatureLine.by(signer.verifier, signer.signature(body.encode())),)))


def open_note(note: str, verifiers: Iterable[Verifier]) -> Checkpoint:
    """The checkpoint in a note that one of the verifiers vouches for.

    There must be a signature of the log itself, by a key of type LOG named by the origin. Cosignatures by
    known keys must verify too, but do not suffice. Raises CheckpointError when the note is malformed, has no
    known signature of the log, or a bad one by a known key.
    """
    parsed = _Note.parse(note)
    checkpoint = Checkpoint.parse(parsed.body)
    known = list(_known_signatures(parsed, verifiers))
    if not any(v.type is SignatureType.LOG and v.name == checkpoint.origin for v, _ in known):
        raise CheckpointError(f"no known key signed for the log {checkpoint.origin!r}")
    return checkpoint


def cosign(note: str, signer: Signer, at: datetime) -> str:
    """The note with a cosignature (v1) added, or renewed if the signer's is there already.

    This states that the signer saw the log's consistency up to here: open the note and check that first. `at`
    is aware and counts in whole seconds. Raises ValueError for a time without a zone or before 1970,
    CheckpointError for a malformed note.
    """
    parsed = _Note.parse(note)
    Checkpoint.parse(parsed.body)
    line = _cosignature_line(parsed.body, signer, at)
    others = tuple(other for other in parsed.signatures if other.key != line.key)
    return str(_Note(parsed.body, (*others, line)))


def cosign_checkpoint(checkpoint: Checkpoint, signer: Signer, at: datetime) -> str:
    """A note of a checkpoint with the signer's cosignature alone: what the signer holds of the log, whose own signature stands elsewhere.

    Raises as `cosign` does.
    """
    body = checkpoint.body()
    return str(_Note(body, (_cosignature_line(body, signer, at),)))


def cosigned(note: str, verifier: Verifier) -> tuple[Checkpoint, bytes]:
    """The checkpoint of a note, and the cosignature (with its time) that this key, of type COSIGNATURE, made under it.

    Raises CheckpointError when the note is malformed or has none of this key that is good.
    """
    parsed = _Note.parse(note)
    checkpoint = Checkpoint.parse(parsed.body)
    for by, signature in _known_signatures(parsed, [verifier]):
        if by.type is SignatureType.COSIGNATURE:
            return checkpoint, signature
    raise CheckpointError(f"{verifier.name!r} did not cosign the note")


def cosignatures(note: str, verifiers: Iterable[Verifier]) -> list[Cosignature]:
    """The cosignatures by known keys, one for each key, the latest if there are several.

    It does not check the log's own signature: see `open_note`. Raises CheckpointError when the note is
    malformed or a known key's signature is bad.
    """
    parsed = _Note.parse(note)
    Checkpoint.parse(parsed.body)
    latest: dict[Verifier, Cosignature] = {}
    for verifier, signature in _known_signatures(parsed, verifiers):
        if verifier.type is not SignatureType.COSIGNATURE:
            continue
        seconds, _ = _timestamped(signature)
        try:
            at = _EPOCH + timedelta(seconds=seconds)
        except OverflowError as error:
            raise CheckpointError(
                f"the cosignature of {verifier.name!r} is from after the year 9999"
            ) from error
        if verifier not in latest or latest[verifier].at < at:
            latest[verifier] = Cosignature(verifier.name, at)
    return list(latest.values())


def _cosignature_line(body: str, signer: Signer, at: datetime) -> "_SignatureLine":
    if at.tzinfo is None:
        raise ValueError("the time of a cosignature needs a time zone")
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    if seconds < 0:
        raise ValueError("the time of a cosignature is not before 1970")
    signature = signer.signature(_cosigned_message(body, seconds))
    return _SignatureLine.by(
        signer.cosignature_verifier, seconds.to_bytes(_TIMESTAMP_BYTES, "big") + signature
    )


class _SignatureLine(NamedTuple):
    """One signature line of a note: key name, key id and what the key made of the text."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def key(self) -> tuple[str, bytes]:
        return self.name, self.key_id

    def __str__(self) -> str:
        return f"— {self.name} {encode_base64(self.key_id + self.signature)}\n"

    @classmethod
    def by(cls, verifier: Verifier, signature: bytes) -> Self:
        return cls(verifier.name, verifier.key_id, signature)

    @classmethod
    def parse(cls, line: str) -> Self:
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—":
            raise CheckpointError("the note is malformed: a line after the last empty one is not a signature")
        _check_key_name(parts[1])
        try:
            raw = decode_base64(parts[2])
        except ValueError as error:
            raise CheckpointError(f"the note is malformed: signature of {parts[1]!r}: {error}") from error
        if len(raw) <= _KEY_ID_BYTES:
            raise CheckpointError(f"the note is malformed: the signature of {parts[1]!r} is too short")
        return cls(parts[1], raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])


class _Note(NamedTuple):
    """A signed note taken apart (C2SP signed-note). The body ends with its newline."""

    body: str
    signatures: Sequence[_SignatureLine]

    def __str__(self) -> str:
        return self.body + "\n" + "".join(map(str, self.signatures))

    @classmethod
    def parse(cls, note: str) -> Self:
        if len(note) > MAX_NOTE_BYTES or len(_utf8(note)) > MAX_NOTE_BYTES:
            raise CheckpointError(f"the note is longer than {MAX_NOTE_BYTES} bytes")
        if _CONTROL.search(note.replace("\n", "")):
            raise CheckpointError("the note is malformed: it holds control characters")
        text, blank, signatures = note.rpartition("\n\n")
        if not blank or not signatures.endswith("\n"):
            raise CheckpointError("the note is malformed: no text, empty line and signatures")
        lines = signatures[:-1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise CheckpointError(f"the note has more than {MAX_SIGNATURES} signatures")
        return cls(text + "\n", tuple(map(_SignatureLine.parse, lines)))


def _known_signatures(note: _Note, verifiers: Iterable[Verifier]) -> Iterable[tuple[Verifier, bytes]]:
    """The signatures by known keys, every one of them verified; CheckpointError at the first that is bad."""
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        twin = known.setdefault((verifier.name, verifier.key_id), verifier)
        if twin != verifier:
            raise CheckpointError(f"two known keys of {verifier.name!r} share the id {verifier.key_id.hex()}")
    for line in note.signatures:
        signed_by = known.get(line.key)
        if signed_by is None:
            continue
        message, signature = note.body.encode(), line.signature
        if signed_by.type is SignatureType.COSIGNATURE:
            seconds, signature = _timestamped(line.signature)
            message = _cosigned_message(note.body, seconds)
        if not signed_by.verify(message, signature):
            raise CheckpointError(f"the signature of {line.name!r} is bad")
        yield signed_by, line.signature


def _cosigned_message(body: str, seconds: int) -> bytes:
    """The message of C2SP tlog-cosignature, Ed25519; the time in seconds since 1970."""
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


def _timestamped(signature: bytes) -> tuple[int, bytes]:
    """Seconds since 1970, and the bare signature, of a `timestamped_signature`."""
    seconds = int.from_bytes(signature[:_TIMESTAMP_BYTES], "big")
    return seconds, signature[_TIMESTAMP_BYTES:]


def _check_key_name(name: str) -> None:
    if not name or "+" in name or _CONTROL.search(name) or any(map(str.isspace, name)):
        raise CheckpointError(f"{name!r} cannot name a key")
    _utf8(name)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise CheckpointError("the text is not valid UTF-8") from error
