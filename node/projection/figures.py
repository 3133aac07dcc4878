"""Rollup rows of some days, computed from the facts summaries and alert rows that touch them (DESIGN §5).

A pure function of the journal up to a size: never of now, never of the order in which it was read. A node computes its own rows
with it and its parent computes the child's again with the same code, so a difference means that somebody's figures are wrong.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from federation.rollup import sketch
from federation.rollup.row import RollupRow
from node.projection.context import JournalContext
from node.store.rows import AlertRecord, FactsRow
from node.store.store import Session
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.levels import LEVELS, STATES
from node.wallclock import instant

_DAY_US = 86_400_000_000
_DAYS_AT_ONCE = 31

_Key = tuple[int, str, str, str]
"""(day, domain, agency, item)"""


def local_day(at_us: int, zone: ZoneInfo) -> int:
    """Days since 1970-01-01 of the local day in which ``at_us`` lies."""
    return instant(at_us).astimezone(zone).toordinal() - EPOCH_ORDINAL


def alert_day(alert: AlertRecord, zone: ZoneInfo) -> int:
    """The day an alert counts on: the day from which its finding holds, whenever it was noted."""
    return local_day(alert.since_us or alert.raised_at_us, zone)


def in_months(days: Collection[int]) -> Iterator[list[int]]:
    """The days in order, in pieces whose cases fit in memory however long a history is."""
    ordered = sorted(days)
    return (ordered[at : at + _DAYS_AT_ONCE] for at in range(0, len(ordered), _DAYS_AT_ONCE))


async def rows_at(
    session: Session, context: JournalContext, days: Sequence[int], size: int
) -> list[RollupRow]:
    """All rows of a journal on ``days``, in order, out of its facts and alerts as projected up to ``size``."""
    # A local day lies within 14 hours of the same UTC day.
    alerts = await session.alerts.on_days(context.origin, (days[0] - 1) * _DAY_US, (days[-1] + 2) * _DAY_US)
    return rows_of_days(
        context.origin,
        set(days),
        await session.facts.touching(context.origin, days),
        # Own alerts are there as soon as they are appended; they count from when they are read.
        [alert for alert in alerts if alert.idx < size],
        context.lines,
        context.zone,
        size,
    )


def rows_of_days(
    node: str,
    days: set[int],
    facts: Iterable[FactsRow],
    alerts: Iterable[AlertRecord],
    lines: Mapping[str, str],
    zone: ZoneInfo,
    size: int,
) -> list[RollupRow]:
    """All rows of ``node`` on ``days`` at journal ``size``; ``facts`` and ``alerts`` hold at least what touches them.

    ``lines`` maps agency to line (条). Rows come ordered by key, so that equal figures give equal lists.
    """
    figures: dict[_Key, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    durations: dict[_Key, list[int]] = defaultdict(list)
    applicants: dict[_Key, set[str]] = defaultdict(set)
    for row in facts:
        for day_text, amounts in row.figures.items():
            day = int(day_text)
            if day not in days:
                continue
            key = (day, row.domain, row.agency, row.item)
            bucket = figures[key]
            for name, amount in amounts.items():
                bucket[name] += amount
            if amounts.get("completed") and row.duration_days is not None:
                durations[key].append(row.duration_days)
            if amounts.get("received") and row.applicant:
                applicants[key].add(row.applicant)
    for alert in alerts:
        day = alert_day(alert, zone)
        if day in days:
            bucket = figures[(day, alert.domain, alert.agency, alert.item)]
            level = LEVELS[alert.level]
            bucket[level] += 1
            bucket[f"{level}.{STATES[alert.state]}"] += 1
    return [
        RollupRow(
            node=node,
            day=key[0],
            domain=key[1],
            agency=key[2],
            line=lines.get(key[2], ""),
            item=key[3],
            figures={name: amount for name, amount in sorted(amounts.items()) if amount},
            durations=sketch.durations(durations.get(key, [])),
            applicants=sketch.applicants(applicants.get(key, set())),
            version=size,
        )
        for key, amounts in sorted(figures.items())
    ]
