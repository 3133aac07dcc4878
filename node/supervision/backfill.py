"""Events entered long after they happened (事后补录): told of the cases of any domain.

Keep the time of the event and the time of its entry, and flag the difference (DOMAIN §4). Of each case the event that was entered longest
after it happened counts; an event of which nobody knows when it was entered leaves its case undetermined unless another one is late.
"""

from typing import Final

import polars as pl

from node.supervision.columns import frame, has
from node.supervision.fold import CaseEvents

_DAY: Final = 86_400_000_000

_NONE: Final = pl.DataFrame(
    schema={
        "case": pl.UInt32,
        "at_us": pl.Int64,
        "received_at_us": pl.Int64,
        "actor": pl.String,
        "agency": pl.String,
    }
)


def late_entries(events: CaseEvents) -> pl.DataFrame:
    """Of each case the event that was entered longest after it happened, where that is more than a day."""
    received, at = events["received_at_us"], events["at_us"]
    lag = received - at
    late = (received > 0) & (lag > _DAY)
    if not late.any():
        return _NONE
    entries = frame(**{name: events[name].filter(late) for name in _NONE.columns}, lag=lag.filter(late))
    longest = entries.sort("lag", descending=True, maintain_order=True)
    return longest.unique("case", keep="first", maintain_order=True)


def unknown_entries(events: CaseEvents) -> pl.Series:
    """Which cases have an event of which nobody knows when it was entered."""
    return has(events.case.filter(events["received_at_us"] <= 0), len(events))
