"""Whether each layer acted in time, by what fell due in a period: `node.alerting.acted` counted."""

from collections.abc import Iterable
from statistics import median
from typing import TYPE_CHECKING

from pydantic import BaseModel

from node.alerting.acted import Acted, acted
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node


class TimesRow(BaseModel):
    """How one layer did one duty."""

    layer: str
    """agency, embedded, bureau, handler or parent."""
    node: str
    """Whose it is about; of a directive the handler."""
    agency: str
    """Of an agency's duty, or of who supervises within it; else empty."""
    duty: str
    due: int
    """All that fell due or were done, in the period."""
    in_time: int
    late: int
    """Done late, or still owed and late."""
    open: int
    """Still owed, late or not."""
    median_days: float | None
    """Working days that it took, of those done; null: none was."""


class Times(BaseModel):
    """Whether each layer acted in time."""

    from_at: str | None
    to_at: str | None
    rows: list[TimesRow]


async def times(node: "Node", from_us: int, to_us: int) -> Times:
    """Steps that fell due in a period, by layer, node and agency: done in time, late, still owed. What children escalated is the node above's
    duty, here.
    """
    await node.projector.settled()
    zone = node.settings.zone
    return Times(
        from_at=time_text(from_us, zone),
        to_at=time_text(to_us, zone),
        rows=rows_of(await acted(node, from_us, to_us), node.now()),
    )


def rows_of(found: Iterable[Acted], now_us: int) -> list[TimesRow]:
    """A row for each layer, node, agency and duty."""
    rows: dict[tuple[str, str, str, str], list[Acted]] = {}
    for one in found:
        rows.setdefault((one.layer, one.node, one.agency, one.duty), []).append(one)
    return [
        TimesRow(
            layer=layer,
            node=node,
            agency=agency,
            duty=duty,
            due=len(its),
            in_time=sum(bool(one.done_us) and not one.late(now_us) for one in its),
            late=sum(one.late(now_us) for one in its),
            open=sum(not one.done_us for one in its),
            median_days=float(median(took))
            if (took := [one.days for one in its if one.days is not None])
            else None,
        )
        for (layer, node, agency, duty), its in sorted(rows.items())
    ]
