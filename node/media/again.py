"""A stream is brought into its hub again and again, for as long as somebody wants it there."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from federation.errors import ZonghengError
from federation.trunk.hub import NS, Hub

FINAL: Final = frozenset(
    {"not_found", "forbidden", "unknown_node", "bad_request", "protocol", "too_large", "viewer_removed"}
)
"""Codes with which a stream ends; with any other it is tried again."""

FIRST_REST_S: Final = 0.25
LONGEST_REST_S: Final = 3.0
WELL_NS: Final = 10 * NS


async def again(hub: Hub, once: Callable[[], Awaitable[ZonghengError | None]]) -> None:
    """Have ``once`` bring the stream until cancelled; it returns why it does not come any more, None: it is to be asked for anew. Raises ZonghengError where the stream cannot be had at all."""
    rest_s = 0.0
    while True:
        begun_ns = time.monotonic_ns()
        error = await once()
        if error is not None:
            if error.code in FINAL:
                raise error
            hub.lost(error)
            if time.monotonic_ns() - begun_ns > WELL_NS:
                rest_s = 0.0
            await asyncio.sleep(rest_s)
            rest_s = min(max(2 * rest_s, FIRST_REST_S), LONGEST_REST_S)
