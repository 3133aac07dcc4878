"""The UDP ports that the settings name."""

import pytest
from pydantic import ValidationError

from node.config import WebRtcSettings


def test_a_range_is_written_with_its_first_and_its_last_port() -> None:
    ports = WebRtcSettings(ports="40000-40199").port_range
    assert ports == range(40_000, 40_200)
    assert WebRtcSettings(ports="40000-40000").port_range == range(40_000, 40_001)
    assert WebRtcSettings().port_range is None


@pytest.mark.parametrize("text", ["40000", "40199-40000", "80-90", "40000-70000", "40000 - 40199", "0-65535"])
def test_what_is_no_range_is_refused_when_the_settings_are_read(text: str) -> None:
    with pytest.raises(ValidationError):
        WebRtcSettings(ports=text)
