"""The parent that tests of the link over gRPC dial."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.link.units import Parent


@pytest.fixture
async def parent() -> AsyncIterator[Parent]:
    parent = Parent()
    await parent.up()
    yield parent
    parent.listener.close()
    await parent.server.stop(0.2)
