"""Whether a camera still sees: lost, frozen, dark, or seeing. Pure.

A state counts when it has lasted for a while, and then from when it began: a camera that stumbles for a second is nobody's business, one that is covered is so from
the first black picture. A picture is frozen when it does not change at all; the noise of any real sensor is more than `STILL`, an empty hall at night
included. Dark is a black picture, a covered lens or an unlit hall; whether that matters is a question of the hour and asked elsewhere.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DARK_LUMA: Final = 20.0
"""Mean brightness (of 255) at or below which a picture is black: video's own black is 16."""

STILL: Final = 0.02
"""Mean difference in brightness (of 255) up to which two pictures are the same."""

_S: Final = 1_000_000


class Seen(StrEnum):
    SEEING = "seeing"
    LOST = "lost"
    FROZEN = "frozen"
    DARK = "dark"


LASTS_US: Final = {Seen.SEEING: 0, Seen.LOST: 15 * _S, Seen.FROZEN: 120 * _S, Seen.DARK: 60 * _S}
"""How long a camera has to look so until it counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a camera is, and since when (µs since the epoch)."""

    seen: Seen
    since_us: int
    code: str = ""
    """Catalogue code, where it is lost."""


class Health:
    """One camera, as it is looked at again and again."""

    def __init__(self) -> None:
        self.verdict: Verdict | None = None
        """None until the first picture, or until it counts as lost."""
        self._looks: Verdict | None = None
        self._still_since_us: int | None = None

    def lost(self, at_us: int, code: str) -> Verdict | None:
        """There is no picture. Returns the verdict where that makes it another."""
        self._still_since_us = None
        return self._look(Seen.LOST, at_us, at_us, code)

    def looked(self, at_us: int, luma: float, change: float | None) -> Verdict | None:
        """A picture was looked at: its mean brightness, and how much it differs from the one that was looked at before (None: there is none).

        Returns the verdict where that makes it another.
        """
        if change is None or change > STILL:
            self._still_since_us = at_us
        if luma <= DARK_LUMA:
            return self._look(Seen.DARK, at_us, at_us)
        still_since_us = self._still_since_us if self._still_since_us is not None else at_us
        if at_us - still_since_us >= LASTS_US[Seen.FROZEN]:
            return self._look(Seen.FROZEN, at_us, still_since_us)
        return self._look(Seen.SEEING, at_us, at_us)

    def _look(self, seen: Seen, at_us: int, since_us: int, code: str = "") -> Verdict | None:
        if self._looks is None or self._looks.seen is not seen:
            self._looks = Verdict(seen, since_us, code)
        lasted_us = at_us - self._looks.since_us
        if lasted_us < LASTS_US[seen] or (self.verdict is not None and self.verdict.seen is seen):
            return None
        self.verdict = self._looks
        return self.verdict
