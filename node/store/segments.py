"""Segments: the case events of a stretch of journal as an immutable Parquet file, so that a whole history is read in seconds.

A copy, never a source: whatever is wrong with a segment, the journal has the same events, and who reads falls back to it. A file
is ``<folder>/<origin>/<lo>-<hi>.parquet`` and holds every case event with ``lo ≤ idx < hi``; the names are the manifest. It gets its
name only when all of it is on the disk (temporary file, fsync, rename, fsync of the folder), so a process killed while
it writes leaves nothing that counts. Its SHA-256 lies beside it: Parquet itself reads most flipped bits without a word.

Which files hold, the store decides, not the folder: the caller says up to which journal index segments were entered there. What lies beyond
(a store restored from an older backup, a kill between rename and commit) is not read, and goes when the next one is written.
"""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
import structlog

from node.supervision.frame import read_segments, write_segment

log = structlog.get_logger()

_NAME: Final = re.compile(r"(\d+)-(\d+)\.parquet")
_UNFINISHED: Final = ".part"
_DIGEST: Final = ".sha256"


@dataclass(frozen=True, slots=True)
class Segment:
    """One file and the stretch ``[lo, hi)`` of the journal that it covers."""

    lo: int
    hi: int
    path: Path


class Segments:
    """The segments of every journal of one node. Methods block on the disk: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def held(self, origin: str, below: int) -> list[Segment]:
        """Segments that end at or before ``below``, in order and without overlap; there may be gaps."""
        chosen: list[Segment] = []
        for segment in sorted(self._all(origin), key=lambda segment: (segment.lo, segment.hi)):
            if segment.hi <= below and (not chosen or chosen[-1].hi <= segment.lo):
                chosen.append(segment)
        return chosen

    def write(self, origin: str, lo: int, hi: int, frame: pl.DataFrame) -> None:
        """Keep the events of ``[lo, hi)``; durable when it returns. Files that reach beyond ``lo`` are removed first.

        Raises OSError when the disk does not take it; then nothing is kept.
        """
        folder = self._folder / origin
        folder.mkdir(parents=True, exist_ok=True)
        for stale in self._all(origin):
            if stale.hi > lo:
                stale.path.unlink()
                stale.path.with_suffix(_DIGEST).unlink(missing_ok=True)
        for left in folder.glob(f"*{_UNFINISHED}"):
            left.unlink()
        path = folder / f"{lo}-{hi}.parquet"
        unfinished = path.with_suffix(_UNFINISHED)
        write_segment(frame, unfinished)
        _sync(unfinished)
        digest = path.with_suffix(_DIGEST)
        digest.write_text(_digest(unfinished))
        _sync(digest)
        unfinished.rename(path)
        _sync(folder)

    def read(self, origin: str, segment: Segment) -> pl.DataFrame | None:
        """The events of a segment; None, with a warning, where the file is missing or damaged."""
        try:
            if _digest(segment.path) != segment.path.with_suffix(_DIGEST).read_text():
                raise ValueError("it is not what was written")
            frame = read_segments([segment.path])
            if frame.height and not frame["idx"].is_between(segment.lo, segment.hi - 1).all():
                raise ValueError("it holds events of another stretch")
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
            log.warning(
                "segment.unreadable",
                origin=origin,
                path=str(segment.path),
                error=str(error)[:200],
                instruction="its events are read from the journal instead; zongheng rebuild writes it again",
            )
            return None
        return frame

    def drop(self) -> None:
        """Remove every segment of every journal."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _all(self, origin: str) -> list[Segment]:
        folder = self._folder / origin
        if not folder.is_dir():
            return []
        return [
            Segment(int(match[1]), int(match[2]), path)
            for path in folder.iterdir()
            if (match := _NAME.fullmatch(path.name)) and int(match[1]) < int(match[2])
        ]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
