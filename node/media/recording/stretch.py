"""A stretch of what was recorded, as one file: how long it may be, and what came of it. Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.errors import ZonghengError

LONGEST_S: Final = 4 * 3_600


@dataclass(frozen=True, slots=True)
class Clip:
    """A file that was cut."""

    path: Path
    sha256: str
    bytes: int
    from_us: int
    """When its first and its last picture were taken, µs since the epoch."""
    to_us: int
    gaps: int
    """Stretches in it that were not recorded; its time goes on over them."""


def check(from_us: int, to_us: int) -> None:
    """Raises ZonghengError `bad_request` for a stretch without length, `too_large` for one that is longer than `LONGEST_S`."""
    if to_us <= from_us:
        raise ZonghengError("bad_request", "a clip ends after it begins")
    if to_us - from_us > LONGEST_S * 1_000_000:
        raise ZonghengError("too_large", f"a clip is at most {LONGEST_S // 3_600} hours long: cut several")
