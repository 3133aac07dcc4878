"""A disk that fills: a small tmpfs, which only an administrator may mount. Elsewhere the test is skipped; where ``CI=true`` it fails instead."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

SmallDisk = Callable[[int], Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Makes a folder on a disk of its own, of so many bytes; it goes with the test."""
    with ExitStack() as mounted:
        yield lambda size: mounted.enter_context(_mounted(tmp_path / "disk", size))


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        words = "mounting a small disk needs an administrator's rights: run the tests as root"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
