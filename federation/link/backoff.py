"""When to dial again: a random sleep, growing with each failure, that survives restarts.

After a power cut a thousand villages come back in the same second; each sleeps a random time before its first
retry, and longer after each failure. The state is a value to be stored: a node that crashes and restarts in a
loop does not start from zero. It is forgotten only after a link lived for a while, since a parent that
accepts and dies again is not a healthy one. What the parent asked for (`retry_after_ms`) is a floor, within
reason. Times are microseconds since 1970-01-01T00:00:00Z.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

Random = Callable[[], float]
"""Uniform in [0, 1)."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Failures in a row, and the time before which no attempt is made."""

    failures: int = 0
    not_before_us: int = 0

    def to_text(self) -> str:
        """JSON, for the store."""
        return json.dumps({"failures": self.failures, "not_before_us": self.not_before_us})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Inverse of `to_text`; anything else is a fresh state: losing it costs one early attempt."""
        try:
            stored = json.loads(text)
            failures, not_before_us = stored["failures"], stored["not_before_us"]
        except (ValueError, KeyError, TypeError):
            return cls()
        if type(failures) is not int or type(not_before_us) is not int or failures < 0 or not_before_us < 0:
            return cls()
        return cls(failures, not_before_us)


@dataclass(frozen=True, slots=True)
class BackoffPolicy:
    """How long to wait; milliseconds."""

    first_ms: int = 1_000
    cap_ms: int = 60_000
    longest_asked_ms: int = 3_600_000
    """Most that a parent's `retry_after_ms` is heeded: it may be wrong, and nobody is there to correct it."""
    lived_ms: int = 30_000
    """A link that lived this long was a good one."""

    def after_failure(
        self, state: Backoff, now_us: int, lived_ms: int, retry_after_ms: int, random: Random
    ) -> Backoff:
        """The state after a link ended, or was never made (`lived_ms` 0).

        The first wait is anything up to `first_ms`; from then on it is between half of and the whole of a
        bound that doubles with each failure up to `cap_ms`.
        """
        failures = 0 if lived_ms >= self.lived_ms else state.failures
        bound = min(self.first_ms << min(failures, 32), self.cap_ms)
        wait_ms = bound * random() if failures == 0 else bound * (1 + random()) / 2
        asked_ms = min(retry_after_ms, self.longest_asked_ms)
        if asked_ms:
            # Whoever was sent away at the same moment must not come back at the same moment.
            wait_ms = max(wait_ms, asked_ms + min(self.first_ms, asked_ms) * random())
        return Backoff(failures + 1, now_us + int(wait_ms * 1_000))

    def ready_at(self, state: Backoff, now_us: int) -> int:
        """When to dial. A clock that was set back does not make the wait longer than it could ever be."""
        longest_us = 2 * max(self.cap_ms, self.longest_asked_ms) * 1_000
        if state.not_before_us > now_us + longest_us:
            return now_us
        return max(now_us, state.not_before_us)
