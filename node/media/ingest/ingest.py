"""A camera's stream at its own node, for as long as somebody needs it: reached, lost, reached again.

While the camera cannot be reached the hub says so (`lost`) and whoever watches stays; between two attempts lies a random, growing rest, so that forty
cameras behind one switch do not come back in one second. What only a person can mend (a password, B-frames, H.265, a path that is not there)
is tried again too, at the longest rest: the camera may have been set right meanwhile.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final

import structlog

from federation.errors import ZonghengError
from federation.link.backoff import Backoff, BackoffPolicy
from federation.trunk.hub import Hub
from node.media.ingest.normalise import Numbered
from node.media.ingest.reading import read
from node.media.ingest.source import Source

POLICY: Final = BackoffPolicy(first_ms=500, cap_ms=30_000, lived_ms=10_000)

log = structlog.get_logger(__name__)


async def ingest(
    source: Source,
    hub: Hub,
    *,
    policy: BackoffPolicy = POLICY,
    unix_ns: Callable[[], int] = time.time_ns,
) -> None:
    """Feed the hub from the camera until cancelled."""
    numbered = Numbered()
    backoff = Backoff()
    while True:
        begun_ns = unix_ns()
        try:
            await read(source, numbered, hub.put, unix_ns)
        except ZonghengError as error:
            log.info("camera.lost", stream=hub.stream, code=error.code, detail=error.detail)
            hub.lost(error)
            asked_ms = 0 if error.code == "camera_lost" else policy.cap_ms
        now_us = unix_ns() // 1_000
        lived_ms = (unix_ns() - begun_ns) // 1_000_000
        backoff = policy.after_failure(backoff, now_us, lived_ms, asked_ms, random.random)
        await asyncio.sleep(max(0, policy.ready_at(backoff, now_us) - now_us) / 1_000_000)
