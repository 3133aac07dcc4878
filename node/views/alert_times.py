"""Whether each layer acted in time: agency, bureau, node above; by what fell due in a period."""

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from pydantic import BaseModel

from node.alerting.desk import taken
from node.alerting.late import is_answered_elsewhere
from node.store.alerts import AlertFilter
from node.store.rows import AlertRecord
from node.store.steps import StepRow
from node.supervision.alert import LIFE_DOMAIN
from node.supervision.life import Days, Duty, Layer, measured
from node.supervision.terms import InForce
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node


class TimesRow(BaseModel):
    """How one layer did one duty."""

    layer: str
    agency: str
    """Of an agency's duty; empty: of the node's own, or the node above."""
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
    """Duties that fell due in a period, by layer and agency: done in time, late, still owed. Alerts that children escalated are counted as
    the node above's duty, here.
    """
    await node.projector.settled()
    own, zone, now_us = node.settings.node, node.settings.zone, node.now()
    rows: dict[tuple[str, str, str], list[tuple[bool, bool, int | None]]] = {}
    async with node.store.read() as session:
        origins = [head.origin for head in await session.journal.heads()]
    for origin in origins:
        days, terms = await node.alert_desk.days(origin), await node.alert_desk.terms(origin)
        after = -1
        while True:
            async with node.store.read() as session:
                page = await session.alerts.page(origin, AlertFilter(), 2_000, after)
                steps = await session.steps.of_alerts(origin, [one.alert_id for one in page])
            for record in page:
                if record.domain != LIFE_DOMAIN:
                    _measure(
                        record,
                        steps.get(record.alert_id, []),
                        terms,
                        days,
                        rows,
                        origin == own,
                        (from_us, to_us, now_us),
                    )
            if len(page) < 2_000:
                break
            after = page[-1].idx
    return Times(
        from_at=time_text(from_us, zone),
        to_at=time_text(to_us, zone),
        rows=[_times_row(key, found) for key, found in sorted(rows.items())],
    )


def _measure(
    record: AlertRecord,
    steps: Sequence[StepRow],
    terms: InForce,
    days: Days,
    rows: dict[tuple[str, str, str], list[tuple[bool, bool, int | None]]],
    here: bool,
    period: tuple[int, int, int],
) -> None:
    if not steps:
        return
    from_us, to_us, now_us = period
    for one in measured(
        record.level, steps[0].state, steps[0].at_us, taken(steps), terms, days, steps[0].idx
    ):
        due = one.owed
        if (due.layer is Layer.PARENT) == here:
            continue
        if due.due_us < from_us or (to_us and due.due_us >= to_us):
            continue
        if is_answered_elsewhere(record) and due.duty in {Duty.REPLY, Duty.REVIEW}:
            continue
        key = (str(due.layer), record.agency if due.layer is Layer.AGENCY else "", str(due.duty))
        late = (one.done_us or now_us) > due.due_us
        took = days.working_days(due.from_us, one.done_us) if one.done_us else None
        rows.setdefault(key, []).append((bool(one.done_us), late, took))


def _times_row(key: tuple[str, str, str], found: Sequence[tuple[bool, bool, int | None]]) -> TimesRow:
    took = [days for _, _, days in found if days is not None]
    layer, agency, duty = key
    return TimesRow(
        layer=layer,
        agency=agency,
        duty=duty,
        due=len(found),
        in_time=sum(done and not late for done, late, _ in found),
        late=sum(late for _, late, _ in found),
        open=sum(not done for done, _, _ in found),
        median_days=float(median(took)) if took else None,
    )
