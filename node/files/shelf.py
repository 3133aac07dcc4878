"""The files on a node's disk: ``files/<first two digits>/<sha256>`` in its folder, whole and verified, and ``files/parts/`` for those under way.

A file has its name only when all of it is on the disk and has the digest that is its name: temporary file, fsync, rename, fsync of the folder.
A process killed at any instant leaves a part, which is taken up again, and never a file that is none. Methods block on the disk: call
them in a thread. A disk that is full, or over its quota or the process's limit, raises ``ZonghengError`` ``disk_full``, and what was
half-written is taken off again.
"""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from federation.errors import ZonghengError

_NAME: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_AT_ONCE: Final = 1024 * 1024


class Shelf:
    """The files of one node."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is made when the first file comes."""
        self._folder = folder
        self._parts = folder / "parts"

    def path(self, digest: str) -> Path:
        """Where a file lies, or would. Raises ``ZonghengError`` ``not_found`` for what is no digest: names come out of other nodes' journals too."""
        if not _NAME.fullmatch(digest):
            raise ZonghengError("not_found", f"{digest[:80]!r} is no SHA-256, and no file's name")
        return self._folder / digest[:2] / digest

    def has(self, digest: str) -> bool:
        return bool(_NAME.fullmatch(digest)) and self.path(digest).is_file()

    def read(self, digest: str, offset: int, count: int) -> bytes:
        """Bytes of a file. Raises ``ZonghengError`` ``not_found``."""
        try:
            with self.path(digest).open("rb") as file:
                file.seek(offset)
                return file.read(count)
        except FileNotFoundError as error:
            raise ZonghengError("not_found", f"the file {digest} is not here") from error

    def drop(self, digest: str) -> None:
        """Give a file up; one that is not here is given up already."""
        self.path(digest).unlink(missing_ok=True)

    def used(self) -> int:
        """Bytes of everything here, parts included."""
        return sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())

    def free(self) -> int:
        """Bytes that the disk still has for this process."""
        place = self._folder
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free

    # Files under way, each by a name of its own.

    def part(self, name: str) -> Path:
        """Where a file under way lies, for a program that writes it itself."""
        self._parts.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._parts / name

    def part_size(self, name: str) -> int:
        """How many bytes of a file under way are here."""
        try:
            return (self._parts / name).stat().st_size
        except FileNotFoundError:
            return 0

    def extend(self, name: str, content: bytes) -> int:
        """Append to a file under way; returns its size. What does not fit whole is not there at all."""
        self._parts.mkdir(parents=True, exist_ok=True, mode=0o700)
        with disk_full(f"no room for a file on its way in {self._folder}"):
            descriptor = os.open(
                self._parts / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            try:
                before = os.fstat(descriptor).st_size
                try:
                    rest = memoryview(content)
                    while rest:
                        rest = rest[os.write(descriptor, rest) :]
                except OSError:
                    os.ftruncate(descriptor, before)
                    raise
                return before + len(content)
            finally:
                os.close(descriptor)

    def forget(self, name: str) -> None:
        """Delete a file under way."""
        (self._parts / name).unlink(missing_ok=True)

    def keep(self, name: str, digest: str) -> bool:
        """Make a file under way a file, if its bytes have this digest; False, and nothing changed, if they have not."""
        part = self._parts / name
        if not part.exists():
            self.extend(name, b"")
        with part.open("rb") as file:
            if digest_of(file) != digest:
                return False
            with disk_full(f"no room for {digest}"):
                os.fsync(file.fileno())
        self._rename(part, digest)
        return True

    def add(self, name: str) -> str:
        """Make a file under way, written here, a file under the digest it has; returns that."""
        part = self._parts / name
        with part.open("rb") as file:
            digest = digest_of(file)
            with disk_full(f"no room for {digest}"):
                os.fsync(file.fileno())
        self._rename(part, digest)
        return digest

    def _rename(self, part: Path, digest: str) -> None:
        path = self.path(digest)
        with disk_full(f"no room for {digest}"):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.rename(path)
            descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


@contextlib.contextmanager
def disk_full(words: str) -> Iterator[None]:
    """Turns what the system says of a full disk into ``disk_full`` with what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise ZonghengError(
            "disk_full", f"{words}: {error.strerror}; free space on its disk", retry_after_ms=60_000
        ) from error


def digest_of(file: BinaryIO) -> str:
    """SHA-256 of an open file from where it stands, lower-case hex."""
    digest = sha256()
    while block := file.read(_AT_ONCE):
        digest.update(block)
    return digest.hexdigest()
