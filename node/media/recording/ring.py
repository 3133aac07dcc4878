"""Whether the minutes before an alert fit into what recordings may take. Pure."""

from collections.abc import Sequence
from typing import Final, Protocol

SPARE_MIN: Final = 3
"""What the ring keeps beyond `before_min`: two minutes, and the file that is being written."""

MB_PER_MIN: Final = 30
"""Of a usual camera of a hall, 4 Mb/s."""

_RINGS: Final = frozenset({"on_alert", "office_hours"})


class Recording(Protocol):
    """What `node.models.cameras.RecordingForm` is here."""

    @property
    def when(self) -> str: ...

    @property
    def before_min(self) -> int: ...


def warnings(recordings: Sequence[Recording], budget_mb: int) -> list[str]:
    """Words where the rings of all cameras together are larger than their budget; else nothing."""
    minutes = sum(one.before_min + SPARE_MIN for one in recordings if one.when in _RINGS)
    if minutes * MB_PER_MIN <= budget_mb:
        return []
    return [
        f"the minutes before an alert take about {minutes * MB_PER_MIN:,} MB for all cameras together, and recordings may take {budget_mb:,}: "
        "raise recordings_budget_mb, or lower --before, or an alert will not find them"
    ]
