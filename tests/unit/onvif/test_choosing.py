"""Which of a device's streams are registered."""

import pytest

from federation.errors import ZonghengError
from node.media.onvif.answers import Profile
from node.media.onvif.choosing import chosen


def profile(
    name: str, codec: str, width: int, *, steered: bool = False, address: str | None = None
) -> Profile:
    given = f"rtsp://192.0.2.7/{name}" if address is None else address
    return Profile(name, name, codec, width, width * 9 // 16, steered, given)


def test_the_largest_and_the_smallest_are_taken() -> None:
    offered = [profile("b", "h264", 640), profile("a", "h264", 1920, steered=True), profile("c", "h264", 320)]
    choice = chosen(offered, transcode=False)
    assert choice.main.name == "a"
    assert choice.sub is not None
    assert choice.sub.name == "c"
    assert choice.steered is choice.main
    assert choice.warnings == ()


def test_a_large_stream_in_h265_is_left_and_told() -> None:
    offered = [profile("a", "h265", 2560, steered=True), profile("b", "h264", 640)]
    choice = chosen(offered, transcode=False)
    assert (choice.main.name, choice.sub) == ("b", None)
    assert choice.steered is offered[0]
    assert "H265 2560x1440" in choice.warnings[0]
    assert "H264 640x360" in choice.warnings[0]


def test_with_transcoding_the_large_stream_is_taken_whatever_it_is() -> None:
    choice = chosen([profile("a", "h265", 2560), profile("b", "h264", 640)], transcode=True)
    assert (choice.main.name, choice.sub is not None) == ("a", True)
    assert "encoded again" in choice.warnings[0]


def test_one_stream_under_two_names_is_no_small_one() -> None:
    same = "rtsp://192.0.2.7/one"
    choice = chosen(
        [profile("a", "h264", 1280, address=same), profile("b", "h264", 640, address=same)], transcode=False
    )
    assert choice.sub is None
    assert "no small" in choice.warnings[0]


@pytest.mark.parametrize(
    "offered",
    [[], [profile("a", "h265", 1920)], [profile("a", "jpeg", 640)], [profile("a", "h264", 640, address="")]],
)
def test_a_device_without_h264_is_refused_with_what_it_offers(offered: list[Profile]) -> None:
    with pytest.raises(ZonghengError) as told:
        chosen(offered, transcode=False)
    assert told.value.code == "codec_unsupported"
    assert all(each.name in told.value.detail for each in offered)
