"""Cases that are likely to be late, how late shares have moved, and how right such a forecast was in the past.

Of this node, or of a subtree as far as its journals are held here: cases of one item are counted together, whichever node has them.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from node.insight.forecast import Course, Tested, back_test, forecast
from node.store.facts import RUNNING, FactsFilter
from node.store.rows import FactsRow
from node.views.present import time_text
from node.views.trend import subtree_of
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node

HISTORY_US: Final = 2 * 366 * 86_400_000_000
"""How far back cases are looked at, by when they were received."""

MOST_STAGED: Final = 100_000
"""Cases of which steps are read."""

_PAGE: Final = 10_000


class ForecastCase(BaseModel):
    """An open case that is not late yet."""

    node: str
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
    of_step: bool
    """They were in the same step then; false: too few were."""
    step: str
    """The step that it has come to: its code, or the kind of the last event."""


class MonthShare(BaseModel):
    month: str
    completed: int
    """Cases with a limit completed in that month."""
    late: int
    late_percent: float | None
    """``late`` of ``completed``; null: there were none."""


class PastBin(BaseModel):
    """Forecasts of about one chance: calibrated, ``late`` is about ``expected_late``."""

    from_percent: float
    to_percent: float
    forecasts: int
    expected_late: float
    late: int


class PastTest(BaseModel):
    """What the same forecast would have said on twelve days of the past year, thirty days apart, and what came."""

    forecasts: int
    expected_late: float
    late: int
    error: float
    """Brier score: mean squared difference between chance and what came; 0 is perfect."""
    error_of_share: float
    """The same, had every case been given the share of late ones known at the time: what a forecast must beat."""
    error_without_steps: float
    """The same, had steps not been looked at."""
    flagged: int
    """Forecasts with a chance of at least 50 per cent."""
    flagged_late: int
    """How many of those were late."""
    hit_percent: float | None
    """``flagged_late`` of ``flagged``; null: none was."""
    found_percent: float | None
    """``flagged_late`` of ``late``; null: none was late."""
    bins: list[PastBin]


class ForecastView(BaseModel):
    subtree: str
    nodes: list[str]
    """Whose cases these are: the nodes of the subtree whose journals are here."""
    not_held: list[str]
    """Nodes of the subtree whose journals are not."""
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


async def forecast_view(node: "Node", subtree: str = "") -> ForecastView:
    """The forecast of now, out of the cases received within two years; without ``subtree`` of this node alone."""
    await node.projector.settled()
    now_us = node.now()
    top, members = (node.settings.node, [node.settings.node]) if not subtree else subtree_of(node, subtree)
    narrow = FactsFilter(states=(*RUNNING, "completed"), received_from_us=now_us - HISTORY_US)
    rows: list[FactsRow] = []
    async with node.store.read() as session:
        held = {head.origin for head in await session.journal.heads()}
        for origin in members:
            offset = 0
            while origin in held and (page := await session.facts.page(origin, narrow, _PAGE, offset)):
                rows += page
                offset += len(page)
    courses = {(row.origin, row.case_id): one for row in rows if (one := _course(row)) is not None}
    staged = await _staged(node, courses)
    return await asyncio.to_thread(_view, rows, staged, now_us, node.settings.zone, top, members, held)


async def _staged(node: "Node", courses: dict[tuple[str, str], Course]) -> dict[tuple[str, str], Course]:
    """The courses with their steps; of more than `MOST_STAGED` those received last."""
    newest = sorted(courses, key=lambda key: (-courses[key].began_us, key))[:MOST_STAGED]
    by_origin: dict[str, list[str]] = {}
    for origin, case in newest:
        by_origin.setdefault(origin, []).append(case)
    stages: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for origin, cases in by_origin.items():
        for start in range(0, len(cases), _PAGE):
            async with node.store.read() as session:
                for case, at_us, kind, step in await session.events.stages(
                    origin, cases[start : start + _PAGE]
                ):
                    stages.setdefault((origin, case), []).append((at_us, step or kind))
    return {key: replace(one, stages=tuple(stages.get(key, ()))) for key, one in courses.items()}


def _view(
    rows: list[FactsRow],
    known: dict[tuple[str, str], Course],
    now_us: int,
    zone: str,
    top: str,
    members: list[str],
    held: set[str],
) -> ForecastView:
    agencies = {(row.origin, row.case_id): row.agency for row in rows}
    # A case is itself by its node too: two nodes may give one number.
    keyed = {f"{origin}/{case}": (origin, case) for origin, case in known}
    courses = [replace(one, case=f"{origin}/{case}") for (origin, case), one in known.items()]
    chances = forecast(courses, now_us)
    past = back_test(courses, now_us)
    return ForecastView(
        subtree=top,
        nodes=[one for one in members if one in held],
        not_held=[one for one in members if one not in held],
        as_of=time_text(now_us, zone),
        open_cases=sum(one.ended_us is None and one.due_us > now_us for one in courses),
        expected_late=round(sum(one.chance for one in chances), 1),
        cases=[
            ForecastCase(
                node=keyed[one.course.case][0],
                case=keyed[one.course.case][1],
                item=one.course.item,
                agency=agencies[keyed[one.course.case]],
                due_at=time_text(one.course.due_us, zone),
                chance_percent=round(100 * one.chance, 1),
                sample=one.sample,
                of_item=one.of_item,
                of_step=one.of_step,
                step=one.step,
            )
            for one in chances
        ],
        months=_months(courses, zone),
        past=None if past is None else _past(past),
    )


def _past(past: Tested) -> PastTest:
    return PastTest(
        forecasts=past.forecasts,
        expected_late=round(past.expected, 1),
        late=past.late,
        error=round(past.error, 3),
        error_of_share=round(past.error_of_share, 3),
        error_without_steps=round(past.error_without_steps, 3),
        flagged=past.flagged,
        flagged_late=past.flagged_late,
        hit_percent=round(100 * past.flagged_late / past.flagged, 1) if past.flagged else None,
        found_percent=round(100 * past.flagged_late / past.late, 1) if past.late else None,
        bins=[
            PastBin(
                from_percent=round(100 * one.low, 1),
                to_percent=round(100 * one.high, 1),
                forecasts=one.forecasts,
                expected_late=round(one.expected, 1),
                late=one.late,
            )
            for one in past.bins
        ],
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
