"""Fixtures shared by every kind of test: where the real logs are and the repository's root."""

from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and nothing about what is tested.
settings.register_profile("zongheng", deadline=None)
settings.load_profile("zongheng")

pytest_plugins = ["tests.plugins.postgres"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the real logs beside the project; the test skips, saying so, where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real logs are not here: {folder} does not exist")
    return folder
