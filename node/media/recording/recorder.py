"""Writes what cameras show, on a thread of its own: a disk that is slow or full holds up neither the pictures of those who watch nor the node.

A file is `SEGMENT_S` long and begins with a keyframe; one is begun anew when frames are missing, when another codec comes, or sound where there was none. Everything is written; what nobody
asked to keep goes into the ring and out of it again after some minutes, so that an alert finds what came before it. Whether a file is kept is decided when it is closed, and again
when an alert wants it. Frames wait for the disk in a bounded queue; when it is full they are dropped, and the file ends. The reserve that the disk has to keep for the journal is looked after while
files are written, however long they are and however many cameras began at once: where no room can be made, all of them end.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from av.error import FFmpegError

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, CLOCK_HZ, Frame
from node.media.recording.archive import Archive
from node.media.recording.segment import SegmentWriter, suffix

SEGMENT_S: Final = 60

MOST_WAITING: Final = 2_000
"""Frames of all cameras together."""

CHECK_BYTES: Final = 8_000_000
"""Written by all cameras together, between two looks at what the disk has left."""

log = structlog.get_logger(__name__)

Wanted = Callable[[int, int], bool]
"""Whether what was recorded from one instant to another (µs since the epoch) is to be kept."""


class Recorder:
    """All recordings of one process. `stop` closes what is open."""

    def __init__(
        self, archive: Archive, segment_s: float = SEGMENT_S, check_bytes: int = CHECK_BYTES
    ) -> None:
        self._archive = archive
        self._segment_s = segment_s
        self._check_bytes = check_bytes
        self._unchecked = 0
        self._queue: queue.Queue[tuple[str, Wanted, Frame] | str | None] = queue.Queue(MOST_WAITING)
        self._writing: dict[str, _Writing] = {}
        self._failed: set[str] = set()
        self._heard: set[str] = set()
        """Cameras that send sound."""
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Frames that the disk has not taken yet."""
        return self._queue.qsize()

    def take(self, camera: str, wanted: Wanted, frame: Frame) -> None:
        """A frame of a camera; never waits."""
        try:
            self._queue.put_nowait((camera, wanted, frame))
        except queue.Full:
            self.dropped += 1

    def end(self, camera: str) -> None:
        """No more frames of this camera: close its file."""
        self._queue.put(camera)

    def stop(self) -> None:
        """Write what waits and close every file. Waits for the disk."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (said := self._queue.get()) is not None:
            if isinstance(said, str):
                self._close(said)
                self._heard.discard(said)
                continue
            camera, wanted, frame = said
            try:
                self._write(camera, wanted, frame)
            except (OSError, ZonghengError, FFmpegError) as error:
                self._close(camera)
                if camera not in self._failed:
                    self._failed.add(camera)
                    log.error("recording.failed", camera=camera, words=str(error))
            else:
                if camera in self._writing:
                    self._failed.discard(camera)
        for camera in list(self._writing):
            self._close(camera)

    def _write(self, camera: str, wanted: Wanted, frame: Frame) -> None:
        self._look_at_the_disk(len(frame.unit))
        writing = self._writing.get(camera)
        if frame.track == AUDIO:
            self._heard.add(camera)
            if writing is not None:
                writing.file.write(frame)
            return
        if writing is not None and self._is_over(camera, writing, frame):
            self._close(camera)
            writing = None
        if writing is None:
            if not frame.keyframe:
                return
            path = self._archive.begin(camera, frame.captured_ns // 1_000, suffix(frame.codec))
            file = SegmentWriter(path, frame, sound=camera in self._heard)
            writing = self._writing[camera] = _Writing(file, wanted, frame, frame)
        writing.file.write(frame)
        writing.last = frame

    def _look_at_the_disk(self, size: int) -> None:
        """Raises ZonghengError `disk_full` when recordings would take what is the journal's; then no file is open any more."""
        if not self._writing:
            self._unchecked = 0
            return
        self._unchecked += size
        if self._unchecked < self._check_bytes:
            return
        self._unchecked = 0
        if not self._archive.has_reserve() and not self._archive.make_room():
            for camera in list(self._writing):
                self._close(camera)
            raise ZonghengError("disk_full", "recordings end: the disk has no more than its reserve left")

    def _is_over(self, camera: str, writing: "_Writing", frame: Frame) -> bool:
        """Whether a picture belongs into the next file."""
        if frame.seq != writing.last.seq + 1 or frame.codec is not writing.file.codec:
            return True
        full = frame.pts_90k - writing.file.began_pts >= self._segment_s * CLOCK_HZ
        unheard = camera in self._heard and not writing.file.has_sound
        return frame.keyframe and (full or unheard)

    def _close(self, camera: str) -> None:
        writing = self._writing.pop(camera, None)
        if writing is None:
            return
        from_us = writing.first.captured_ns // 1_000
        to_us = from_us + (writing.last.pts_90k - writing.first.pts_90k) * 1_000_000 // CLOCK_HZ
        try:
            writing.file.close()
            self._archive.close(writing.file.path, to_us, ring=not writing.wanted(from_us, to_us))
        except (OSError, FFmpegError) as error:
            log.error("recording.not_closed", camera=camera, words=str(error))


@dataclass(slots=True)
class _Writing:
    file: SegmentWriter
    wanted: Wanted
    first: Frame
    last: Frame
