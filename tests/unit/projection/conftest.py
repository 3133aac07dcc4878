"""Opens nodes for these tests, each on a SQLite store of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import pytest

from node import config
from node.run import Node
from node.wallclock import Now
from tests.unit.projection.units import Unit


@pytest.fixture
async def unit(tmp_path: Path) -> AsyncIterator[Callable[..., object]]:
    """Opens nodes: ``await unit(TOWN)``; ``confirm`` and ``zone`` as in the settings, ``now`` another clock than theirs."""
    async with AsyncExitStack() as stack:

        async def make(
            code: str, *, confirm: bool = False, zone: str = "Asia/Shanghai", now: Now | None = None
        ) -> Unit:
            tier = {4: "city", 6: "county", 9: "town", 12: "village"}[len(code)]
            folder = tmp_path / code
            if not folder.exists():
                config.initialise(
                    folder,
                    tier=tier,
                    name=code,
                    division=code,
                    grpc=None,
                    http=None,
                    zone=zone,
                    calendar="weekdays",
                    confirm=confirm,
                    clock_start=datetime.fromisoformat("2026-05-01T10:00:00+08:00"),
                )
            return Unit(await stack.enter_async_context(Node.opened(folder, now)))

        yield make
