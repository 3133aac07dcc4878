"""Opens the pair of nodes of these tests."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from node.run import Node
from tests.unit.identity.pair import COUNTY, TOWN, Machine, Pair, made


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    clock = Machine()
    async with AsyncExitStack() as stack:
        county, town = [
            await stack.enter_async_context(Node.opened(made(tmp_path / code, tier, code), clock=clock))
            for tier, code in (("county", COUNTY), ("town", TOWN))
        ]
        yield Pair(county, town, clock)
