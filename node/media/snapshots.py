"""Snapshots that a camera's setting has taken, as files: found by time, shed when their days are over.

    snapshots/<camera>/<day>/<taken>-<sha256>.jpg

`taken` is in microseconds since the epoch, the day is its day in UTC. The names are the index. Each is entered (`SnapshotTaken`) before it is written: killed in between, an entry names a picture
that nobody has. A budget keeps them from the journal's disk; what goes first is the oldest. Methods block on the disk: call them in a thread.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from federation.errors import ZonghengError
from node.config import NodeSettings
from node.files.shelf import disk_full

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
        self._folder = folder
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
        day = datetime.fromtimestamp(taken_us // 1_000_000, UTC).strftime("%Y%m%d")
        path = self._folder / camera / day / f"{taken_us}-{digest}{_SUFFIX}"
        part = path.with_suffix(".part")
        with disk_full(f"no room for a snapshot of {camera}"):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(jpeg)
            part.rename(path)
        return Snapshot(taken_us, digest, path, camera)

    def shed_old(self, camera: str, now_us: int, days: int) -> int:
        """Delete what is older than ``days``; returns how many went."""
        old = [one for one in self._of(camera) if now_us - one.taken_us > days * DAY_US]
        for one in old:
            self._delete(one)
        return len(old)

    def cameras(self) -> list[str]:
        """The cameras that there are snapshots of, those that were removed included."""
        if not self._folder.is_dir():
            return []
        return sorted(path.name for path in self._folder.iterdir() if path.is_dir())

    def make_room(self, size: int = 0) -> None:
        """Shed the oldest until so many bytes more fit. Raises ZonghengError `disk_full` when there is nothing left to shed."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        everything = sorted(one for camera in self.cameras() for one in self._of(camera))
        used = sum(one.path.stat().st_size for one in everything)
        missing = size + max(used - self._budget, self._reserve - shutil.disk_usage(self._folder).free)
        for one in everything:
            if missing <= 0:
                return
            missing -= one.path.stat().st_size
            self._delete(one)
        if missing > 0:
            raise ZonghengError(
                "disk_full",
                f"snapshots may take {self._budget // 1_000_000} MB here and leave {self._reserve // 1_000_000} MB of the disk free: "
                "raise snapshots_budget_mb or free space",
            )

    def _of(self, camera: str) -> Iterator[Snapshot]:
        folder = self._folder / camera
        for path in folder.glob(f"*/*{_SUFFIX}") if folder.is_dir() else ():
            taken, _, digest = path.name.removesuffix(_SUFFIX).partition("-")
            if taken.isdigit() and len(digest) == _DIGEST:
                yield Snapshot(int(taken), digest, path, camera)

    @staticmethod
    def _delete(one: Snapshot) -> None:
        one.path.unlink(missing_ok=True)
        for folder in (one.path.parent, one.path.parent.parent):
            try:
                folder.rmdir()
            except OSError:
                return


def snapshots(folder: Path, settings: NodeSettings) -> Snapshots:
    """The snapshots of the node in ``folder``."""
    return Snapshots(
        folder / "snapshots", settings.snapshots_budget_mb * 1_000_000, settings.disk_reserve_mb * 1_000_000
    )
