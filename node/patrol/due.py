"""When the next round of a plan is due, and how many were missed. Pure.

Natural days in the node's zone: from the day on which the plan was made or last walked (the day on which a complete round began) `every_days` later. The duty rules
(`duty.cell.missed`) come to the same and raise the alert; this is what the page shows, also where the node's tier has no duty domain.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from node.supervision.calendar import EPOCH_ORDINAL
from node.wallclock import instant


@dataclass(frozen=True, slots=True)
class Due:
    """When a round is due."""

    day: int
    """Days since 1970-01-01; 0: none is."""
    missed: int
    """Rounds that were due and not walked since the last one."""


def due(every_days: int, since_us: int, walked_us: int, now_us: int, zone: ZoneInfo) -> Due:
    """``since_us``: when the plan was made; ``walked_us``: when its last complete round began, 0: never."""
    if not every_days:
        return Due(0, 0)
    day = _day(max(since_us, walked_us), zone) + every_days
    late = _day(now_us, zone) - day
    return Due(day, 1 + (late - 1) // every_days if late > 0 else 0)


def _day(at_us: int, zone: ZoneInfo) -> int:
    return instant(at_us).astimezone(zone).toordinal() - EPOCH_ORDINAL
