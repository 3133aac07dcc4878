"""Snapshots that a camera's setting has taken, as files: found by time, shed when their days are over.

    snapshots/<camera>/<day>/<taken>-<sha256>.jpg

`taken` is in microseconds since the epoch, the day is its day in UTC. The names are the index. Each is entered (`SnapshotTaken`) before it is written: killed in between, an entry names a picture
that nobody has. A budget keeps them from the journal's disk; what goes first is the oldest. Methods block on the disk: call them in a thread.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from federation.errors import ZonghengError
from node.config import NodeSettings
from node.files.shelf import disk_full
from node.media.day_folders import DayFolders, size

DAY_US: Final = 86_400_000_000

_SUFFIX: Final = ".jpg"
_DIGEST: Final = 64


@dataclass(frozen=True, slots=True, order=True)
class Snapshot:
    """One picture of one camera."""

    taken_us: int
    sha256: str
    path: Path
    camera: str


class Snapshots:
    """The folder of snapshots."""

    def __init__(self, folder: Path, budget: int, reserve: int) -> None:
        """``budget``: bytes that they may take; ``reserve``: bytes of the disk that they leave free."""
        self._days = DayFolders(folder, (_SUFFIX,))
        self._budget = budget
        self._reserve = reserve

    def of(self, camera: str, from_us: int = 0, to_us: int = 2**62) -> list[Snapshot]:
        """Those of a camera that were taken in a stretch of time, in order."""
        return sorted(one for one in self._of(camera) if from_us <= one.taken_us <= to_us)

    def newest_us(self, camera: str) -> int:
        """When the newest was taken; 0: there is none."""
        return max((one.taken_us for one in self._of(camera)), default=0)

    def get(self, camera: str, taken_us: int) -> Snapshot:
        """One of them. Raises ZonghengError `not_found`."""
        found = self.of(camera, taken_us, taken_us)
        if not found:
            raise ZonghengError(
                "not_found", f"camera {camera} has no snapshot of that instant here (any more)"
            )
        return found[0]

    def keep(self, camera: str, taken_us: int, jpeg: bytes) -> Snapshot:
        """Write one. Raises ZonghengError `disk_full` where there is no room to be made."""
        self.make_room(len(jpeg))
        digest = sha256(jpeg).hexdigest()
        # One name for all of a camera: what a process left half-written is written over by the next.
        part = self._days.path / f"{camera}.part"
        with disk_full(f"no room for a snapshot of {camera}"):
            path = self._days.made(camera, taken_us) / f"{taken_us}-{digest}{_SUFFIX}"
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(jpeg)
            part.rename(path)
        return Snapshot(taken_us, digest, path, camera)

    def shed_old(self, camera: str, now_us: int, days: int) -> int:
        """Delete what is older than ``days``; returns how many went."""
        old = [one for one in self._of(camera) if now_us - one.taken_us > days * DAY_US]
        for one in old:
            self._days.delete(one.path)
        return len(old)

    def cameras(self) -> list[str]:
        """The cameras that there are snapshots of, those that were removed included."""
        return self._days.cameras()

    def make_room(self, wanted: int = 0) -> None:
        """Shed the oldest until so many bytes more fit. Raises ZonghengError `disk_full` when there is nothing left to shed."""
        folder = self._days.path
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        over = max(self._days.used() - self._budget, self._reserve - shutil.disk_usage(folder).free)
        missing = wanted + over
        for camera, path in self._days.oldest_first() if missing > 0 else ():
            if _snapshot(camera, path) is not None:
                missing -= size(path)
                self._days.delete(path)
            if missing <= 0:
                break
        if missing > 0:
            raise ZonghengError(
                "disk_full",
                f"snapshots may take {self._budget // 1_000_000} MB here and leave {self._reserve // 1_000_000} MB of the disk free: "
                "raise snapshots_budget_mb or free space",
            )

    def _of(self, camera: str) -> Iterator[Snapshot]:
        found = (_snapshot(camera, path) for path in self._days.of(camera))
        return (each for each in found if each is not None)


def _snapshot(camera: str, path: Path) -> Snapshot | None:
    taken, _, digest = path.name.removesuffix(_SUFFIX).partition("-")
    return Snapshot(int(taken), digest, path, camera) if taken.isdigit() and len(digest) == _DIGEST else None


def snapshots(folder: Path, settings: NodeSettings) -> Snapshots:
    """The snapshots of the node in ``folder``."""
    return Snapshots(
        folder / "snapshots", settings.snapshots_budget_mb * 1_000_000, settings.disk_reserve_mb * 1_000_000
    )
