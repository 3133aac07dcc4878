"""The recordings of one node, as files: found by time, kept or shed.

    recordings/<camera>/<day>/<from>-<to>.mp4          kept until its days are over
    recordings/<camera>/<day>/<from>-<to>.ring.mp4     kept for some minutes: what an alert would want from before it
    recordings/<camera>/<day>/<from>.part.mp4          being written

or `.webm`, where pictures are VP8. Times are microseconds since the epoch, of the first and of the last picture; the day is that of `from`, in UTC. The names are the index: nothing can be out of step
with them, and a folder that was copied is whole. A file gets its last name by one rename, when it is closed. After a crash `mend` closes what was being written.

The disk: recordings have a budget and leave the disk a reserve, so that the journal is never what suffers. What goes first is the oldest, whether somebody wanted it or not: the ring is
bounded by its minutes, and if it went first, a full disk would leave no alert the minutes before it.
"""

import contextlib
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from federation.errors import ZonghengError
from node.config import NodeSettings
from node.media.day_folders import DayFolders, size

_SUFFIXES: Final = (".mp4", ".webm")
_RING: Final = ".ring"
_PART: Final = ".part"

_EBML: Final = b"\x1a\x45\xdf\xa3"
"""With it a file of WebM begins (RFC 8794)."""

DAY_US: Final = 86_400_000_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One file of one camera."""

    from_us: int
    to_us: int
    path: Path
    camera: str
    ring: bool
    """It goes when the ring's minutes are over, unless something makes it worth keeping."""

    @property
    def is_written(self) -> bool:
        """It is being written still."""
        return _is_written(self.path)

    def overlaps(self, from_us: int, to_us: int) -> bool:
        return self.from_us <= to_us and from_us <= self.to_us


class Archive:
    """The folder of recordings."""

    def __init__(self, folder: Path, budget: int, reserve: int) -> None:
        """``budget``: bytes that recordings may take; ``reserve``: bytes of the disk that they leave free."""
        self._days = DayFolders(folder, _SUFFIXES, _PART)
        self._shedding = threading.Lock()
        self._budget = budget
        self._reserve = reserve

    def cameras(self) -> list[str]:
        """The cameras that something was recorded of, those that were removed included."""
        return self._days.cameras()

    def segments(self, camera: str, from_us: int = 0, to_us: int = 2**62) -> list[Segment]:
        """The closed files of a camera that show something of a stretch of time, in order."""
        return sorted(
            found
            for path in self._days.of(camera)
            if (found := _segment(camera, path)) is not None and found.overlaps(from_us, to_us)
        )

    def readable(self, camera: str, from_us: int = 0, to_us: int = 2**62) -> list[Segment]:
        """What can be read of a stretch of time, in order: closed files, and the one that is being written, whose whole fragments play. It reaches to when it was last written."""
        found = self.segments(camera, from_us, to_us)
        for path in self._days.of(camera):
            began = path.name.split(".")[0]
            if _is_written(path) and began.isdigit():
                with contextlib.suppress(FileNotFoundError):
                    written_us = path.stat().st_mtime_ns // 1_000
                    written = Segment(int(began), max(int(began), written_us), path, camera, ring=False)
                    if written.overlaps(from_us, to_us):
                        found.append(written)
        return sorted(found)

    def size(self, camera: str, from_us: int, to_us: int) -> int:
        """Bytes of what can be read of a stretch of time."""
        return sum(size(segment.path) for segment in self.readable(camera, from_us, to_us))

    def renamed(self, segment: Segment) -> Segment | None:
        """A file that is not found under its name any more: it was closed or kept meanwhile. None: it was shed."""
        return next(
            (
                one
                for one in self.segments(segment.camera, segment.from_us, segment.from_us)
                if one.from_us == segment.from_us
            ),
            None,
        )

    def begin(self, camera: str, from_us: int, suffix: str = ".mp4") -> Path:
        """Where to write what begins at an instant, in a file of a kind. Raises ZonghengError `disk_full` when there is no room to be made."""
        if not self.make_room():
            raise ZonghengError(
                "disk_full",
                f"recordings may take {self._budget // 1_000_000} MB here and leave {self._reserve // 1_000_000} MB of the disk free: "
                "raise recordings_budget_mb or free space",
            )
        return self._days.made(camera, from_us) / f"{from_us}{_PART}{suffix}"

    def close(self, path: Path, to_us: int, *, ring: bool) -> Path:
        """Give a file that was written its name."""
        from_us = int(path.name.split(".")[0])
        closed = path.with_name(f"{from_us}-{to_us}{_RING if ring else ''}{path.suffix}")
        path.rename(closed)
        return closed

    def keep(self, camera: str, from_us: int, to_us: int) -> int:
        """Take what shows something of a stretch of time out of the ring; returns how many files that were."""
        kept = 0
        for segment in self.segments(camera, from_us, to_us):
            if segment.ring:
                path = segment.path
                with contextlib.suppress(FileNotFoundError):  # shed since it was listed
                    path.rename(path.with_name(path.name.removesuffix(_RING + path.suffix) + path.suffix))
                    kept += 1
        return kept

    def mend(self) -> int:
        """After a start: close what was being written when the process died. What cannot be played goes. Returns how many files were closed."""
        from node.media.recording.segment import length_us

        mended = 0
        for camera in self.cameras():
            for path in list(self._days.of(camera)):
                if _is_written(path):
                    length = length_us(path)
                    if length:
                        self.close(path, int(path.name.split(".")[0]) + length, ring=False)
                        mended += 1
                    else:
                        path.unlink()
        return mended

    def shed_old(self, camera: str, now_us: int, days: int, ring_us: int) -> int:
        """Delete what is older than ``days``, and what is in the ring and older than ``ring_us``; returns how many files went."""
        gone = 0
        for segment in self.segments(camera):
            age_us = now_us - segment.to_us
            if age_us > days * DAY_US or (segment.ring and age_us > ring_us):
                self._days.delete(segment.path)
                gone += 1
        return gone

    def make_room(self) -> bool:
        """Shed until recordings are within their budget and leave the disk its reserve; False: there is nothing left to shed."""
        with self._shedding:
            missing = self._missing()
            for camera, path in self._days.oldest_first() if missing > 0 else ():
                if (segment := _segment(camera, path)) is None:
                    continue
                freed = size(path)
                self._days.delete(path)
                log.info("recording.shed", camera=camera, from_us=segment.from_us, bytes=freed)
                missing -= freed
                if missing <= 0:
                    break
            return missing <= 0

    def has_reserve(self) -> bool:
        """Whether the disk has its reserve left; a look that costs nothing, however many recordings there are."""
        return self._free() >= self._reserve

    def used(self) -> int:
        """Bytes that recordings take."""
        return self._days.used()

    def _missing(self) -> int:
        self._days.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return max(self.used() - self._budget, self._reserve - self._free())

    def _free(self) -> int:
        return shutil.disk_usage(self._days.path).free


def recordings(folder: Path, settings: NodeSettings) -> Archive:
    """The recordings of the node in ``folder``."""
    return Archive(
        folder / "recordings", settings.recordings_budget_mb * 1_000_000, settings.disk_reserve_mb * 1_000_000
    )


def kind(path: Path) -> str:
    """What a recording or a clip is, by its first bytes, whatever its name: `mp4` or `webm`."""
    with path.open("rb") as file:
        return kind_of(file.read(len(_EBML)))


def kind_of(content: bytes) -> str:
    """The same of its content, or of as much as its beginning."""
    return "webm" if content.startswith(_EBML) else "mp4"


def _is_written(path: Path) -> bool:
    return path.stem.endswith(_PART)


def _segment(camera: str, path: Path) -> Segment | None:
    ring = path.stem.endswith(_RING)
    span = path.stem.removesuffix(_RING).split("-")
    if len(span) != 2 or not all(part.isdigit() for part in span):
        return None
    return Segment(int(span[0]), int(span[1]), path, camera, ring)
