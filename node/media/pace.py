"""How often somebody may ask for what leaves entries behind: so much at once, then so much a second.

Whoever opens and leaves a camera a thousand times a minute, a person or a parent, would fill journals that are kept for ever, here and at every node on the way. They are told `busy` and
when to come again; nobody else notices.
"""

from typing import Final

from federation.errors import ZonghengError
from node.wallclock import Now

_MOST: Final = 4_096
"""Of whom something is remembered; whoever asked for nothing for so long that they may do everything again is forgotten first."""


class Pace:
    """A bucket of turns for each of many. Belongs to one event loop."""

    def __init__(self, per_s: float, at_once: int, now: Now) -> None:
        self._per_us = per_s / 1_000_000
        self._at_once = at_once
        self._now = now
        self._left: dict[str, tuple[float, int]] = {}
        """Turns that were left, and when."""

    def take(self, who: str) -> None:
        """One turn. Raises ZonghengError `busy` when this one has none left."""
        now = self._now()
        left = self._left_to(who, now)
        if left < 1:
            raise ZonghengError(
                "busy",
                f"{who} asks for too much: {self._at_once} at once and {self._per_us * 1_000_000:g} a second is what there is",
                retry_after_ms=1 + int((1 - left) / self._per_us / 1_000),
            )
        if len(self._left) >= _MOST and who not in self._left:
            self._left = {
                one: kept for one, kept in self._left.items() if self._left_to(one, now) < self._at_once
            }
        if len(self._left) >= _MOST and who not in self._left:
            raise ZonghengError("busy", "too many ask at once: try again in a while", retry_after_ms=10_000)
        self._left[who] = left - 1, now

    def _left_to(self, who: str, now: int) -> float:
        left, at = self._left.get(who, (float(self._at_once), now))
        # A clock that was set back gives nobody anything, and takes nothing.
        return min(float(self._at_once), left + max(0, now - at) * self._per_us)
