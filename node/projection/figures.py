"""Rollup rows of some days, computed from the facts summaries and alert rows that touch them (DESIGN §5).

A pure function of the journal up to a size: never of now, never of the order in which it was read. A node computes its own rows
with it and its parent computes the child's again with the same code, so a difference means that somebody's figures are wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from federation.rollup import sketch
from federation.rollup.row import RollupRow
from node.store.rows import AlertRecord, FactsRow
from node.supervision.calendar import EPOCH_ORDINAL
from node.supervision.levels import LEVELS, STATES
from node.wallclock import instant

_Key = tuple[int, str, str, str]
"""(day, domain, agency, item)"""


def local_day(at_us: int, zone: ZoneInfo) -> int:
    """Days since 1970-01-01 of the local day in which ``at_us`` lies."""
    return instant(at_us).astimezone(zone).toordinal() - EPOCH_ORDINAL


def alert_day(alert: AlertRecord, zone: ZoneInfo) -> int:
    """The day an alert counts on: the day from which its finding holds, whenever it was noted."""
    return local_day(alert.since_us or alert.raised_at_us, zone)


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
