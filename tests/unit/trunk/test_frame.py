"""Names of streams."""

import pytest

from federation.errors import ZonghengError
from federation.trunk.frame import Quality, Stream


def test_a_stream_names_node_camera_and_quality() -> None:
    stream = Stream.parse("990102001/hall-1/sub")
    assert stream == Stream("990102001", "hall-1", Quality.SUB)
    assert str(stream) == "990102001/hall-1/sub"
    assert Stream.parse("990102.police/yard/main").node == "990102.police"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hall",
        "a/b",
        "a/b/c",
        "a/b/main/x",
        "../b/main",
        "a/../main",
        "a/b c/main",
        "a/" + "b" * 65 + "/main",
    ],
)
def test_what_names_no_stream_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(ZonghengError) as refused:
        Stream.parse(text)
    assert refused.value.code == "bad_request"
    assert "NODE/CAMERA" in refused.value.detail
