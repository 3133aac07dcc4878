"""Files of cameras, by camera and day: `<camera>/<day>/<name>`, the day as YYYYMMDD, of the instant that the name begins with, in UTC.

What they take is asked each time one is begun, of a folder that may hold a hundred thousand. A file that is whole does not change; so a day's folder is counted
again only when its own time says that something came into it, left it, or has another name there. Nothing is kept elsewhere: after a start, and after anybody took files away, the sum is right.

Methods block on the disk: call them in a thread. Several threads, and other processes, may be at it: what is gone when it is looked at counts nothing.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final

_SETTLED_NS: Final = 2_000_000_000
"""A folder's time goes in steps of some milliseconds: what changed so lately may have changed again within the same one."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """What one day's folder holds."""

    changed_ns: int
    whole: int
    """Bytes of files that do not change any more."""
    written: tuple[str, ...]
    """Names of the others."""


class DayFolders:
    """The folder of them all."""

    def __init__(self, folder: Path, endings: tuple[str, ...], written: str = ".part") -> None:
        """``endings``: how the names of these files end; ``written``: what those of files that change still have in them."""
        self.path = folder
        self._endings = endings
        self._written = written
        self._known: dict[str, _Counted] = {}

    def cameras(self) -> list[str]:
        """Those that there are files of, also those that were removed."""
        return sorted(_folders(self.path))

    def made(self, camera: str, at_us: int) -> Path:
        """The folder for what begins at an instant (µs since the epoch)."""
        day = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y%m%d")
        folder = self.path / camera / day
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def of(self, camera: str) -> Iterator[Path]:
        """The files of a camera, in no order."""
        for day in _folders(self.path / camera):
            folder = self.path / camera / day
            for name in self._names(folder):
                yield folder / name

    def oldest_first(self) -> Iterator[tuple[str, Path]]:
        """All files with their cameras, by the instants at which they begin. A day is looked into when it is come to."""
        found = sorted((day, camera) for camera in self.cameras() for day in _folders(self.path / camera))
        for day, same in groupby(found, key=itemgetter(0)):
            names = [(name, camera) for _, camera in same for name in self._names(self.path / camera / day)]
            for name, camera in sorted(names, key=_by_begin):
                yield camera, self.path / camera / day / name

    def used(self) -> int:
        """Bytes that they take."""
        known: dict[str, _Counted] = {}
        used = 0
        settled_ns = time.time_ns() - _SETTLED_NS
        for camera in self.cameras():
            for day in _folders(self.path / camera):
                folder = str(self.path / camera / day)
                counted = self._count(folder)
                used += counted.whole + sum(size(os.path.join(folder, name)) for name in counted.written)
                if counted.changed_ns < settled_ns:
                    known[folder] = counted
        self._known = known
        return used

    def delete(self, path: Path) -> None:
        """Delete a file, and the folders that are empty without it."""
        path.unlink(missing_ok=True)
        for folder in (path.parent, path.parent.parent):
            try:
                folder.rmdir()
            except OSError:
                return

    def _count(self, folder: str) -> _Counted:
        try:
            changed_ns = os.stat(folder).st_mtime_ns
        except FileNotFoundError:
            return _Counted(0, 0, ())
        known = self._known.get(folder)
        if known is not None and known.changed_ns == changed_ns:
            return known
        whole, written = 0, []
        for name in self._names(folder):
            if self._written in name:
                written.append(name)
            else:
                whole += size(os.path.join(folder, name))
        return _Counted(changed_ns, whole, tuple(written))

    def _names(self, folder: str | Path) -> list[str]:
        try:
            return [name for name in os.listdir(folder) if name.endswith(self._endings)]
        except (FileNotFoundError, NotADirectoryError):
            return []


def size(path: str | Path) -> int:
    """Bytes of a file; 0: it is gone, or has another name, since it was listed."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _by_begin(named: tuple[str, str]) -> tuple[int, str]:
    """In the order of the instants that names begin with, of however many digits."""
    digits = named[0].partition(".")[0].partition("-")[0]
    return len(digits), digits


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return [each.name for each in found if each.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
