"""How figures move: day by day, week by week or month by month, each beside the one before and the same one a year ago.

Out of the daily figures of every node of a subtree that reported; a period before the first of them is null, not 0.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from federation.errors import ZonghengError
from federation.query.tree import Tree
from node.insight.trend import change_percent, ending_with, year_ago
from node.reports.counted import Counts, counts_of, iso
from node.reports.period import Period, period_named, period_of
from node.store.rollups import EPOCH
from node.store.rows import RollupRow
from node.wallclock import instant

if TYPE_CHECKING:
    from node.run import Node

COUNTS: Final = {"day": 30, "week": 26, "month": 13}
"""How many periods are shown where nobody says."""

MOST: Final = 400


class TrendPeriod(BaseModel):
    """One period."""

    label: str
    from_day: str
    to_day: str
    finished: bool
    now: Counts
    before: Counts | None
    """Of the period before; null: no figures reach back so far."""
    year_ago: Counts | None
    """Of the same day, ISO week or month a year ago; null as ``before``, or there was none."""
    received_change_percent: float | None
    """Against the period before; null: there was nothing."""
    late_change_points: float | None
    """Of the share of late cases against the period before, in percentage points; null where either has none."""


class TrendView(BaseModel):
    """A trend of a subtree. Whatever is narrowed (domain, agency, item, line) is empty where it is not."""

    node: str
    subtree: str
    period: str
    domain: str
    agency: str
    item: str
    line: str
    nodes: int
    reported: int
    """Of ``nodes`` how many have figures here."""
    first_day: str | None
    """The first day of which there are figures; null: there are none."""
    periods: list[TrendPeriod]
    """The oldest first."""


async def trend(
    node: "Node",
    kind: str,
    of: str,
    subtree: str,
    count: int = 0,
    domain: str = "",
    agency: str = "",
    item: str = "",
    line: str = "",
) -> TrendView:
    """``count`` periods up to the one that ``of`` names; without it the last that is over."""
    await node.projector.settled()
    today = instant(node.now()).astimezone(ZoneInfo(node.settings.zone)).date()
    last = period_named(kind, of, today)
    count = count or COUNTS[last.kind]
    if not 1 <= count <= MOST:
        raise ZonghengError("bad_request", f"a trend has 1 to {MOST} periods, not {count}")
    top, members = subtree_of(node, subtree)
    narrow = {"domain": domain, "agency": agency, "item": item, "line": line}
    async with node.store.read() as session:
        days = {member: await session.rollups.days(member) for member in members}
        versions = [await session.rollups.version(member) % EPOCH for member in members]
        shown = ending_with(last, count)
        wanted = sorted({day for one in shown for part in _beside(one) for day in part.days})
        rows = await session.rollups.rows(nodes=members, days=wanted)
    kept = [
        row for row in rows if all(not value or getattr(row, name) == value for name, value in narrow.items())
    ]
    first = min((held[0] for held in days.values() if held), default=None)
    return TrendView(
        node=node.settings.node,
        subtree=top,
        period=last.kind,
        **narrow,
        nodes=len(members),
        reported=sum(map(bool, versions)),
        first_day=None if first is None else iso(first),
        periods=periods(shown, kept, first, period_of(last.kind, today)),
    )


async def recent(node: "Node", last: Period, members: Sequence[str], today: date) -> list[TrendPeriod]:
    """A period and twelve before it, of these nodes."""
    shown = ending_with(last, 13)
    async with node.store.read() as session:
        days = [held[0] for member in members if (held := await session.rollups.days(member))]
        wanted = sorted({day for one in shown for part in _beside(one) for day in part.days})
        rows = await session.rollups.rows(nodes=list(members), days=wanted)
    return periods(shown, rows, min(days, default=None), period_of(last.kind, today))


def _beside(period: Period) -> list[Period]:
    past = year_ago(period)
    return [period, period.before] if past is None else [period, period.before, past]


def periods(
    shown: Sequence[Period], rows: Sequence[RollupRow], first: int | None, current: Period
) -> list[TrendPeriod]:
    """The periods out of rows; ``first``: the first day of which there are figures; ``current`` is the one that is not over."""
    by_day: dict[int, list[RollupRow]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row)

    def counted(period: Period | None) -> Counts | None:
        if period is None or first is None or period.days[-1] < first:
            return None
        return counts_of(row for day in period.days for row in by_day.get(day, ()))

    found = []
    for one in shown:
        now, before = counted(one) or Counts(), counted(one.before)
        shares = [_late_share(now), None if before is None else _late_share(before)]
        found.append(
            TrendPeriod(
                label=one.label,
                from_day=one.first.isoformat(),
                to_day=(one.end - timedelta(days=1)).isoformat(),
                finished=one.first < current.first,
                now=now,
                before=before,
                year_ago=counted(year_ago(one)),
                received_change_percent=None
                if before is None
                else change_percent(now.received, before.received),
                late_change_points=None
                if shares[0] is None or shares[1] is None
                else round(shares[0] - shares[1], 1),
            )
        )
    return found


def _late_share(counts: Counts) -> float | None:
    judged = counts.on_time + counts.late
    return 100 * counts.late / judged if judged else None


def subtree_of(node: "Node", subtree: str) -> tuple[str, list[str]]:
    """A node of the subtree's name (empty or ``.``: this one), and everybody in it. ``unknown_node`` where it is not known."""
    top = node.settings.node if subtree in ("", ".") else subtree
    members = Tree(node.settings.node, node.tree.descendants()).subtree(top)
    if not members:
        raise ZonghengError("unknown_node", f"{top} is not known below {node.settings.node}")
    return top, list(members)
