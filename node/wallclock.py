"""The node's idea of now: one callable that everything which needs the time is given.

Real nodes read the system clock. Tests and the demo start from a fixed instant, which then ticks or stands still, so
that every deadline comes out the same on every run. Clock time orders nothing and dedupes nothing (DESIGN §4).
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], int]
"""Microseconds since 1970-01-01T00:00:00Z."""


def micros(at: datetime) -> int:
    """Microseconds since the epoch of an aware datetime; ``ValueError`` for a naive one."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone: add one, for example +08:00")
    delta = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def instant(at_us: int) -> datetime:
    """The aware UTC datetime of microseconds since the epoch."""
    seconds, us = divmod(at_us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=us)


def system() -> int:
    """The system clock."""
    return time.time_ns() // 1_000


def ticking_from(start: datetime, since: datetime | None = None) -> Now:
    """A clock that read ``start`` when the system clock read ``since`` (absent: now) and goes on at the speed of the monotonic clock."""
    begin, base = micros(start), time.monotonic_ns()
    if since is not None:
        begin += system() - micros(since)
    return lambda: begin + (time.monotonic_ns() - base) // 1_000
