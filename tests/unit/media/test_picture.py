"""Keyframes decoded: snapshots, and how a picture looks as a whole."""

from pathlib import Path

import av
import pytest

from federation.errors import ZonghengError
from federation.trunk.frame import Codec, Frame
from node.media.ingest.source import Mask
from node.media.picture import decoded, jpeg, looks, masked, size_of
from tests.unit.media.clip_frames import frames_of


def test_a_keyframe_becomes_a_jpeg_of_the_size_asked_for(clip: Path, tmp_path: Path) -> None:
    keyframe = frames_of(clip)[0]
    assert size_of(keyframe) == (768, 432)
    picture = decoded(keyframe)
    for width, expected in ((0, (768, 432)), (160, (160, 90))):
        path = tmp_path / f"{width}.jpg"
        path.write_bytes(jpeg(picture, width, 10))
        with av.open(str(path)) as read:
            assert (read.streams.video[0].width, read.streams.video[0].height) == expected
    assert (tmp_path / "160.jpg").stat().st_size < 6_000


def test_two_moments_of_a_hall_differ_and_the_same_moment_does_not(clip: Path) -> None:
    keyframes = [frame for frame in frames_of(clip) if frame.keyframe]
    first, other = looks(decoded(keyframes[0])), looks(decoded(keyframes[4]))
    assert first.differs(other) > 0.2
    assert first.differs(looks(decoded(keyframes[0]))) == 0
    assert 60 < first.luma < 200


def test_what_nobody_is_to_see_is_painted_over(clip: Path) -> None:
    picture = decoded(frames_of(clip)[0])
    covered = looks(masked(picture, [Mask(0, 0, 1, 0.5)]))
    rows = [covered.small[at * 64 : at * 64 + 64] for at in range(36)]
    assert max(max(row) for row in rows[:16]) < 30
    assert min(sum(row) / 64 for row in rows[20:]) > 40
    assert masked(picture, []) is picture


@pytest.mark.parametrize("unit", [b"", b"\0\0\0\1\x65", bytes(range(256)) * 20])
def test_what_is_no_picture_is_told_so(unit: bytes) -> None:
    with pytest.raises(ZonghengError) as told:
        decoded(Frame(0, 0, 0, 0, True, Codec.H264, unit))
    assert told.value.code == "unreadable"
