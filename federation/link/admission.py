"""How fast a parent lets children in after a restart: pure.

A thousand villages that lost their parent in the same second come back spread out by their own random sleeps, but not evenly, and each
handshake costs reads and a signature. So a parent takes a number of them a second, with a burst, and tells each one it turns
away a time of its own to come back: the more are waiting, the later. Times are microseconds since the epoch, on the parent's clock;
a clock that jumps costs a burst, no more.
"""

from typing import Final

RATE: Final = 100
"""Handshakes a second in the long run."""

BURST: Final = 500
"""Handshakes at once."""

LONGEST_MS: Final = 60_000
"""Latest time to come back that is ever asked for."""


class Admission:
    """One parent's door."""

    def __init__(self, rate: int = RATE, burst: int = BURST) -> None:
        self._step_us = 1_000_000 // rate
        self._burst_us = burst * self._step_us
        self._next_us = 0
        """When the next handshake is due if they came evenly; it may lie a burst in the past."""
        self._promised_us = 0
        """The last time that somebody was asked to come back at."""

    def ask(self, now_us: int) -> int:
        """0: come in. Otherwise come back in so many milliseconds."""
        if not now_us - self._burst_us <= self._next_us <= now_us + self._burst_us:
            self._next_us = now_us - self._burst_us
        if self._next_us <= now_us:
            self._next_us += self._step_us
            return 0
        return self.later(now_us)

    def later(self, now_us: int) -> int:
        """A time to come back that nobody else was told, in milliseconds from now."""
        earliest, latest = now_us + 1_000_000, now_us + LONGEST_MS * 1_000
        slot = max(earliest, self._promised_us + self._step_us)
        self._promised_us = earliest if slot > latest else slot
        return (self._promised_us - now_us) // 1_000
