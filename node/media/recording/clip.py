"""A stretch of what was recorded as one file, cut without decoding: from the keyframe before its beginning to its end.

Two cuts of the same stretch out of the same files are the same bytes, so the file can be made again and compared with the hash in the journal.
"""

import contextlib
from collections.abc import Iterator
from hashlib import file_digest
from itertools import pairwise
from pathlib import Path
from typing import Final

from federation.errors import ZonghengError
from federation.trunk.frame import VIDEO, Frame
from node.media.recording.archive import Archive, Segment
from node.media.recording.segment import SegmentWriter, frames_in, has_sound
from node.media.recording.stretch import Clip, check

HOLE_US: Final = 2_000_000
"""Two files that are further apart have something missing between them."""


def cut(archive: Archive, camera: str, from_us: int, to_us: int, into: Path) -> Clip:
    """Cut a stretch out. Raises ZonghengError `not_found` when nothing of it was recorded, and as `check`."""
    check(from_us, to_us)
    segments = archive.readable(camera, from_us, to_us)
    frames = _from_keyframe(_played(archive, segments), from_us)
    first = next(frames, None)
    if first is None or first.captured_ns // 1_000 > to_us:
        raise ZonghengError("not_found", f"nothing of camera {camera} was recorded then")
    sound = any(has_sound(segment.path) for segment in segments)
    writer = SegmentWriter(into, first, sound=sound, fragmented=False)
    last = first
    try:
        writer.write(first)
        for frame in frames:
            if frame.captured_ns // 1_000 > to_us:
                break
            if frame.codec is not first.codec and frame.track == VIDEO:
                raise ZonghengError(
                    "codec_unsupported",
                    "the camera changed its codec meanwhile: cut what came before and what came after",
                )
            writer.write(frame)
            last = frame if frame.track == VIDEO else last
    finally:
        writer.close()
    gaps = sum(later.from_us - earlier.to_us > HOLE_US for earlier, later in pairwise(segments))
    with into.open("rb") as file:
        sha256 = file_digest(file, "sha256").hexdigest()
    return Clip(
        into, sha256, into.stat().st_size, first.captured_ns // 1_000, last.captured_ns // 1_000, gaps
    )


def _played(archive: Archive, segments: list[Segment]) -> Iterator[Frame]:
    """The frames of files that follow each other."""
    for segment in segments:
        yield from _frames(archive, segment)


def _frames(archive: Archive, segment: Segment) -> Iterator[Frame]:
    """Those of one file, which may have been shed since it was listed, or closed and kept under another name."""
    try:
        yield from frames_in(segment.path, segment.from_us)
    except ZonghengError:
        # No fragment of what is being written is whole yet.
        if not segment.is_written:
            raise
    except FileNotFoundError:
        if (now := archive.renamed(segment)) is not None:
            with contextlib.suppress(FileNotFoundError):
                yield from frames_in(now.path, now.from_us)


def _from_keyframe(frames: Iterator[Frame], from_us: int) -> Iterator[Frame]:
    """Everything from the last keyframe that was taken at ``from_us`` or before."""
    waiting: list[Frame] = []
    for frame in frames:
        if frame.captured_ns // 1_000 > from_us:
            yield from waiting
            yield frame
            break
        if frame.keyframe and frame.track == VIDEO:
            waiting.clear()
        if waiting or frame.track == VIDEO:
            waiting.append(frame)
    else:
        yield from waiting
    yield from frames


def frames_from(archive: Archive, camera: str, from_us: int) -> Iterator[Frame]:
    """What was recorded from an instant on, up to now: for somebody who plays it. Files are read as they are needed."""
    return _from_keyframe(_played(archive, archive.readable(camera, from_us)), from_us)
