"""A file sealed to one reader, in chunks: sealed and opened while it streams, whatever its size.

The format: `MAGIC`, four bytes of length, a `SealedHeader` message that names the algorithms, the reader's key and the file key sealed to it
(`envelope`), then chunks of `CHUNK_BYTES` of content, each with its GCM tag. The chunks follow STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the
nonce is a counter and a mark on the last chunk, so that chunks that are missing, doubled, swapped or cut off at the end are noticed, and
the key depends on the header, so that the header cannot be exchanged. One key seals one file, hence no nonce comes twice.

What `Opening.update` returns is authentic but perhaps not all: only `Opening.finish` says that nothing is missing. Whoever must not act on a
part keeps the parts aside until then.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from google.protobuf.message import DecodeError
from zongheng.v1.files_pb2 import SealedHeader

from federation.errors import ZonghengError
from federation.sealing.envelope import ALGORITHM, key_id, public_bytes, seal, unseal

MAGIC: Final = b"zongheng sealed file 1\n"

STREAM: Final = "STREAM-AES-256-GCM"

CHUNK_BYTES: Final = 65_536

TAG_BYTES: Final = 16

_PURPOSE: Final = "file key"
_LENGTH_BYTES: Final = 4
_MOST_HEADER_BYTES: Final = 4_096
_PREFIX: Final = bytes(7)
_LARGEST_CHUNK: Final = 1024 * 1024


def sealed_size(header: bytes, content_bytes: int) -> int:
    """How long the sealed form of a content is, in bytes, header included."""
    chunks = max(1, -(-content_bytes // CHUNK_BYTES))
    return len(header) + content_bytes + chunks * TAG_BYTES


class _Chunks:
    """The chunk cipher of one file: encrypts or decrypts the next chunk."""

    def __init__(self, file_key: bytes, header: bytes) -> None:
        self._cipher = AESGCM(HKDFExpand(SHA256(), 32, b"zongheng file chunks" + header).derive(file_key))
        self._counter = 0

    def seal(self, chunk: bytes, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last), chunk, None)

    def open(self, chunk: bytes, last: bool) -> bytes:
        return self._cipher.decrypt(self._nonce(last), chunk, None)

    def _nonce(self, last: bool) -> bytes:
        nonce = _PREFIX + self._counter.to_bytes(4, "big") + bytes([last])
        self._counter += 1
        return nonce


class Sealing:
    """Seals one file: write `header`, then what `update` returns, then what `finish` returns."""

    def __init__(self, reader: bytes) -> None:
        """`reader`: X25519 public key of who may open it. Raises ZonghengError `bad_request` for what is no key."""
        file_key = os.urandom(32)
        message = SealedHeader(
            key_algorithm=ALGORITHM,
            stream_algorithm=STREAM,
            chunk_bytes=CHUNK_BYTES,
            reader_key=key_id(reader),
            sealed_key=seal(reader, file_key, _PURPOSE),
        ).SerializeToString()
        self.header = MAGIC + len(message).to_bytes(_LENGTH_BYTES, "big") + message
        self._chunks = _Chunks(file_key, self.header)
        self._rest = bytearray()

    def update(self, content: bytes) -> bytes:
        """Sealed chunks, as many as are full."""
        self._rest += content
        sealed = bytearray()
        # The last chunk is known only at the end, so a full one waits for a byte behind it.
        while len(self._rest) > CHUNK_BYTES:
            sealed += self._chunks.seal(bytes(self._rest[:CHUNK_BYTES]), last=False)
            del self._rest[:CHUNK_BYTES]
        return bytes(sealed)

    def finish(self) -> bytes:
        """The last chunk."""
        return self._chunks.seal(bytes(self._rest), last=True)


class WrongReader(ZonghengError):
    """The file is sealed to somebody else's key."""

    def __init__(self, sealed_to: str, own: str) -> None:
        super().__init__("cannot_open", f"sealed to key {sealed_to}, and this key is {own}")


class Opening:
    """Opens one file. Every method raises ZonghengError `cannot_open` for what was altered, cut, or sealed to somebody else."""

    def __init__(self, private: X25519PrivateKey) -> None:
        self._private = private
        self._rest = bytearray()
        self._chunks: _Chunks | None = None
        self._sealed_chunk = 0

    def update(self, sealed: bytes) -> bytes:
        """The content of every chunk that is known not to be the last."""
        self._rest += sealed
        if self._chunks is None and not self._read_header():
            return b""
        content = bytearray()
        while len(self._rest) > self._sealed_chunk:
            content += self._open(bytes(self._rest[: self._sealed_chunk]), last=False)
            del self._rest[: self._sealed_chunk]
        return bytes(content)

    def finish(self) -> bytes:
        """The content of the last chunk; from now on it is known that nothing is missing."""
        if self._chunks is None:
            raise ZonghengError("cannot_open", "the sealed file ends within its header: it was cut off")
        return self._open(bytes(self._rest), last=True)

    def _read_header(self) -> bool:
        start = len(MAGIC) + _LENGTH_BYTES
        magic = bytes(self._rest[: len(MAGIC)])
        if magic != MAGIC[: len(magic)]:
            raise ZonghengError("cannot_open", "this is no sealed file, or one of a later version")
        if len(self._rest) < start:
            return False
        length = int.from_bytes(self._rest[len(MAGIC) : start], "big")
        if length > _MOST_HEADER_BYTES:
            raise ZonghengError("cannot_open", "the header of the sealed file is none")
        if len(self._rest) < start + length:
            return False
        header = bytes(self._rest[: start + length])
        try:
            message = SealedHeader.FromString(header[start:])
        except DecodeError as error:
            raise ZonghengError("cannot_open", "the header of the sealed file is none") from error
        if message.stream_algorithm != STREAM or not 0 < message.chunk_bytes <= _LARGEST_CHUNK:
            raise ZonghengError(
                "cannot_open",
                f"sealed with {message.stream_algorithm!r}, which this version does not know: upgrade",
            )
        own = key_id(public_bytes(self._private))
        if message.reader_key != own:
            raise WrongReader(message.reader_key, own)
        file_key = unseal(self._private, message.key_algorithm, message.sealed_key, _PURPOSE)
        self._chunks = _Chunks(file_key, header)
        self._sealed_chunk = message.chunk_bytes + TAG_BYTES
        del self._rest[: len(header)]
        return True

    def _open(self, chunk: bytes, last: bool) -> bytes:
        assert self._chunks is not None
        try:
            return self._chunks.open(chunk, last)
        except (InvalidTag, ValueError) as error:
            raise ZonghengError("cannot_open", "the sealed file was altered or cut off") from error
