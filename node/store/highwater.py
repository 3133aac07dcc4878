"""The high-water mark: how far the own journal had come, in a small file beside the database.

A database that was put back from a backup looks whole. Only something outside it can tell that there was more; so after each commit
the size and root reached are written here. It costs one `pwrite` of one line and no fsync: after a power cut the mark may be older
than the database, which means nothing, but it is never newer than what was committed unless the database went back.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = "journal.mark"
"""Its name in the node's folder."""

_VERSION: Final = "zongheng-mark/1"


@dataclass(frozen=True, slots=True)
class Mark:
    """A size that a log once had, and the root it had then."""

    log_id: str
    size: int
    root: bytes

    def to_line(self) -> bytes:
        """As the file holds it: of one length for one log, so that a later mark covers an earlier one whole."""
        return f"{_VERSION} {self.size:020d} {self.root.hex()} {self.log_id}\n".encode()

    @classmethod
    def from_line(cls, line: bytes) -> "Mark | None":
        """Inverse of `to_line`; None for anything else."""
        try:
            version, size, root, log_id = line.decode("ascii").split()
            mark = cls(log_id, int(size), bytes.fromhex(root))
        except ValueError:
            return None
        return mark if version == _VERSION and mark.to_line() == line else None


class HighWater:
    """The mark of one node's journal."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file: int | None = None

    def read(self) -> Mark | None:
        """The mark; None where there is none, or none that can be read."""
        try:
            return Mark.from_line(self._path.read_bytes())
        except FileNotFoundError:
            return None

    def reach(self, mark: Mark) -> None:
        """The journal has come so far."""
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.pwrite(self._file, mark.to_line(), 0)

    def replace(self, mark: Mark) -> None:
        """Begin again from here, in place of whatever was: another log, or a journal that somebody opened as it is."""
        self.close()
        fresh = self._path.with_name(f"{FILE}.new")
        fresh.write_bytes(mark.to_line())
        fresh.chmod(0o600)
        fresh.rename(self._path)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
