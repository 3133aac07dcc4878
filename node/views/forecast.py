"""Cases of this node that are likely to be late, how late shares have moved, and how right such a forecast was in the past."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from node.store.facts import RUNNING, FactsFilter
from node.store.rows import FactsRow
from node.supervision.forecast import Course, back_test, forecast
from node.views.present import time_text
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node

HISTORY_US: Final = 2 * 366 * 86_400_000_000
"""How far back cases are looked at, by when they were received."""

_PAGE: Final = 10_000


class ForecastCase(BaseModel):
    """An open case that is not late yet."""

    case: str
    item: str
    agency: str
    due_at: str | None
    chance_percent: float
    """Of being completed past its limit, or not at all."""
    sample: int
    """Cases that came as far, of which the chance is the share that went on past the limit."""
    of_item: bool
    """False: too few of its item did, and cases of all items are counted."""


class MonthShare(BaseModel):
    month: str
    completed: int
    """Cases with a limit completed in that month."""
    late: int
    late_percent: float | None
    """``late`` of ``completed``; null: there were none."""


class PastTest(BaseModel):
    """What the same forecast would have said on twelve days of the past year, thirty days apart, and what came."""

    forecasts: int
    expected_late: float
    late: int
    error: float
    """Brier score: mean squared difference between chance and what came; 0 is perfect."""
    error_of_share: float
    """The same, had every case been given the share of late ones known at the time: what a forecast must beat."""


class ForecastView(BaseModel):
    as_of: str | None
    open_cases: int
    """Open, with a limit, and not late yet."""
    expected_late: float
    """Of those in ``cases``: the sum of their chances."""
    cases: list[ForecastCase]
    """The likeliest first; those of which too little is known are left out."""
    months: list[MonthShare]
    past: PastTest | None
    """Null: there is no past to test on."""


async def forecast_view(node: "Node") -> ForecastView:
    """The forecast of now, out of the cases received within two years."""
    await node.projector.settled()
    now_us, origin = node.now(), node.settings.node
    narrow = FactsFilter(states=(*RUNNING, "completed"), received_from_us=now_us - HISTORY_US)
    rows: list[FactsRow] = []
    async with node.store.read() as session:
        while page := await session.facts.page(origin, narrow, _PAGE, len(rows)):
            rows += page
    return await asyncio.to_thread(_view, rows, now_us, node.settings.zone)


def _view(rows: list[FactsRow], now_us: int, zone: str) -> ForecastView:
    known = {row.case_id: row for row in rows}
    courses = [course for row in rows if (course := _course(row)) is not None]
    chances = forecast(courses, now_us)
    past = back_test(courses, now_us)
    return ForecastView(
        as_of=time_text(now_us, zone),
        open_cases=sum(one.ended_us is None and one.due_us > now_us for one in courses),
        expected_late=round(sum(one.chance for one in chances), 1),
        cases=[
            ForecastCase(
                case=one.course.case,
                item=one.course.item,
                agency=known[one.course.case].agency,
                due_at=time_text(one.course.due_us, zone),
                chance_percent=round(100 * one.chance, 1),
                sample=one.sample,
                of_item=one.of_item,
            )
            for one in chances
        ],
        months=_months(courses, zone),
        past=None
        if past is None
        else PastTest(
            forecasts=past.forecasts,
            expected_late=round(past.expected, 1),
            late=past.late,
            error=round(past.error, 3),
            error_of_share=round(past.error_of_share, 3),
        ),
    )


def _course(row: FactsRow) -> Course | None:
    """None: it has no limit, or one that ends where it begins."""
    due_us = row.promised_due_us if row.statutory_due_us is None else row.statutory_due_us
    began_us = row.received_at_us if row.received_at_us is not None else row.accepted_at_us
    if due_us is None or began_us is None or due_us <= began_us:
        return None
    return Course(row.case_id, row.item, began_us, due_us, row.completed_at_us)


def _months(courses: list[Course], zone: str) -> list[MonthShare]:
    completed, late = Counter[str](), Counter[str]()
    for one in courses:
        if one.ended_us is not None:
            month = f"{instant(one.ended_us).astimezone(ZoneInfo(zone)):%Y-%m}"
            completed[month] += 1
            late[month] += one.ended_us > one.due_us
    return [
        MonthShare(
            month=month,
            completed=completed[month],
            late=late[month],
            late_percent=round(100 * late[month] / completed[month], 1) if completed[month] else None,
        )
        for month in sorted(completed)[-24:]
    ]
