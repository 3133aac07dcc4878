"""Bytes and lines of a file, plain or gzip, in bounded memory.

A line longer than the limit is skipped to its end without being kept, so a file of one endless line costs no more than
any other.
"""

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from node.intake.readers.record import MIB, UnreadableFile

_BUFFER = 1 << 18
_GZIP_MAGIC = b"\x1f\x8b"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The file's bytes, decompressed where it is gzip by its first bytes (whatever its name says).

    :raises UnreadableFile: for what goes wrong in opening, reading or decompressing.
    """
    try:
        with path.open("rb") as raw:
            if raw.peek(2)[:2] == _GZIP_MAGIC:
                with gzip.GzipFile(fileobj=raw) as packed:
                    yield cast(BinaryIO, io.BufferedReader(packed, _BUFFER))
            else:
                yield raw
    except EOFError as error:
        raise UnreadableFile(f"{path.name}: the gzip file is truncated; fetch it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFile(f"{path.name}: the gzip file is damaged ({error}); fetch it again") from error
    except UnicodeError as error:
        raise UnreadableFile(f"{path.name}: {_said(error)}; state [read] encoding in the mapping") from error
    except OSError as error:
        raise UnreadableFile(f"{path.name}: {error.strerror or error}") from error


def _said(error: UnicodeError) -> str:
    return f"not {error.encoding}: {error.reason}" if isinstance(error, UnicodeDecodeError) else str(error)


def digest(path: Path) -> str:
    """SHA-256 of the file as it lies on disk, in hex."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFile(f"{path.name}: {error.strerror or error}") from error


def encoding_of(path: Path, stated: str) -> str:
    """The encoding as stated, else by byte order mark, else UTF-8 or GB 18030, whichever decodes all of the file.

    All of it and not a sample: a file may be plain ASCII for a gigabyte before its first name.

    :raises UnreadableFile: when the stated encoding does not exist or neither guess fits.
    """
    if stated:
        try:
            return codecs.lookup(stated).name
        except LookupError as error:
            raise UnreadableFile(f"{path.name}: there is no encoding {stated!r}") from error
    with opened(path) as file:
        start = file.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    for name in ("utf-8", "gb18030"):
        if _decodes(path, name):
            return name
    raise UnreadableFile(f"{path.name}: neither UTF-8 nor GB 18030; state [read] encoding in the mapping")


def _decodes(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    with opened(path) as file:
        try:
            while chunk := file.read(MIB):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


class Lines:
    """The lines of a text stream; one that is too long is given as None, once, and never kept.

    Use it in ``with``: it lets go of the stream, and leaves it open.
    """

    def __init__(self, file: BinaryIO, encoding: str, limit: int) -> None:
        self._text = io.TextIOWrapper(file, encoding, newline="")
        self._limit = limit

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._text.detach()

    def __iter__(self) -> Iterator[str | None]:
        readline, limit = self._text.readline, self._limit
        ask = limit + 2
        while line := readline(ask):
            if len(line) <= limit or (line[-1] in "\r\n" and len(line.rstrip("\r\n")) <= limit):
                yield line
                continue
            while line and line[-1] not in "\r\n":
                line = readline(limit)
            yield None
