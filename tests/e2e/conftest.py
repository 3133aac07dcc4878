"""Fixtures of the tests that start real nodes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """A place for this test's own nodes."""
    with Tree(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared_tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    """A place for nodes that the tests of one file share."""
    with Tree(tmp_path_factory.mktemp("tree")) as made:
        yield made
