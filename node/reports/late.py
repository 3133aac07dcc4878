"""The late list of a report: cases of one journal that were completed late in the period, and those past their deadline at its end.

Which were past it at the end is computed from what is known now, so a correction that came since changes the list of a report that is made again.
"""

from typing import Final

from pydantic import BaseModel

from node.projection.figures import in_months
from node.reports.period import Period
from node.store.facts import RUNNING, FactsFilter
from node.store.rows import FactsRow
from node.store.store import Store
from node.views.present import time_text

_DAY_US: Final = 86_400_000_000
_PAGE: Final = 2_000


class LateCase(BaseModel):
    """A case completed late in the period, or open and past its deadline at its end."""

    node: str
    case: str
    domain: str
    item: str
    agency: str
    due_at: str | None
    completed_at: str | None
    """Null: it was open at the period's end (now, where that is to come)."""
    days_past: int
    """Calendar days begun since the deadline, until it was completed or the period's end."""


async def late_cases(
    store: Store, origin: str, period: Period, end_us: int, now_us: int, zone: str
) -> list[LateCase]:
    """Cases of one journal: completed late in the period, and past their deadline at its end ``end_us``. Times are told in ``zone``."""
    found: dict[str, tuple[FactsRow, int | None]] = {}
    async with store.read() as session:
        for row in await session.facts.touching(origin, period.days):
            if any(row.figures.get(str(day), {}).get("late") for day in period.days):
                found[row.case_id] = (row, row.completed_at_us)
        # Completed since: whether it was past its deadline at the end of the period is computed back.
        since = [
            day for day in await session.facts.days(origin) if period.days[-1] < day <= now_us // _DAY_US + 1
        ]
        for days in in_months(since):
            for row in await session.facts.touching(origin, days):
                if row.state == "completed" and row.case_id not in found and _open_and_past(row, end_us):
                    found[row.case_id] = (row, None)
        offset = 0
        narrow = FactsFilter(states=RUNNING, late=True, as_of_us=end_us, received_to_us=end_us)
        while page := await session.facts.page(origin, narrow, _PAGE, offset):
            found.update((row.case_id, (row, None)) for row in page)
            offset += len(page)
    return [
        _late_case(row, completed_us, end_us, zone)
        for row, completed_us in found.values()
        if _due_us(row) is not None
    ]


def _due_us(row: FactsRow) -> int | None:
    """The statutory due; the promised one where there is no statutory."""
    return row.promised_due_us if row.statutory_due_us is None else row.statutory_due_us


def _open_and_past(row: FactsRow, at_us: int) -> bool:
    due_us = _due_us(row)
    began_us = row.received_at_us or row.accepted_at_us or 0
    return (
        due_us is not None
        and due_us < at_us
        and began_us < at_us
        and row.completed_at_us is not None
        and row.completed_at_us >= at_us
    )


def _late_case(row: FactsRow, completed_us: int | None, end_us: int, zone: str) -> LateCase:
    due_us = _due_us(row) or 0
    past_us = (end_us if completed_us is None else completed_us) - due_us
    return LateCase(
        node=row.origin,
        case=row.case_id,
        domain=row.domain,
        item=row.item,
        agency=row.agency,
        due_at=time_text(due_us, zone),
        completed_at=time_text(completed_us, zone),
        days_past=max(1, -(-past_us // _DAY_US)),
    )
