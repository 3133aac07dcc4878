"""Work with FFmpeg in a process of its own: the node loads none of it, and is told where it takes too long or dies."""

import subprocess
import sys
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


def test_a_node_loads_no_codecs() -> None:
    words = "import sys, node.run, node.web.app; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], timeout=240, check=False).returncode == 0
