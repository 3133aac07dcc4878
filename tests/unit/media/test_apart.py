"""Work with FFmpeg in a process of its own, that takes too long or dies."""

from pathlib import Path

import pytest

from federation.errors import ZonghengError
from node.media.apart import ask


async def test_what_takes_too_long_is_ended(clip: Path) -> None:
    asked = {"source": {"address": f"file:{clip}", "burnt_masks": []}, "look_s": 600}
    with pytest.raises(ZonghengError, match="another time") as told:
        await ask("node.media.checking", asked, 2, "another time")
    assert told.value.code == "deadline"


async def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(ZonghengError) as told:
        await ask("node.media.checking", {}, 120, "too long")
    assert told.value.code == "internal"
