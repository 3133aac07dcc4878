"""Whatever way a case takes through the tiers, its days are each at one desk or on the way to one, and it is counted once."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.catalogue_pb2 import Item, Limit, TierLimit

from node.store.rows import EventRow
from node.supervision.calendar import EPOCH_ORDINAL, Calendar
from node.supervision.context import Context
from node.supervision.evaluate import Evaluation, evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows

TIERS = ("village", "town", "county")
CALENDAR = Calendar.weekdays()
ITEM = Item(
    code="A1",
    statutory=Limit(amount=20, unit=1),
    tier_limits=[TierLimit(tier=tier, limit=Limit(amount=5, unit=1)) for tier in TIERS],
)
START = datetime.fromisoformat("2026-03-02T10:00:00+08:00")


def us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


class Journey:
    """The events of one case at each tier, each in the journal of its own."""

    def __init__(self, first: str) -> None:
        self.rows: dict[str, list[EventRow]] = {tier: [] for tier in TIERS}
        self.at, self.holder, self.crossed = START, first, 0
        self.accepted = us(START)
        self.on_the_way = 0
        self.tell("application")
        self.tell("acceptance")

    def tell(self, kind: str, **attributes: Any) -> None:
        rows = self.rows[self.holder]
        at_us = us(self.at) + len(rows)
        rows.append(
            EventRow(
                self.holder, "c-1", len(rows), at_us, False, "", "approval", kind, at_us, at_us, "AG", "W1", "A1", "", "",
                "", attributes,
            )
        )  # fmt: skip

    def cross(self, to: str, stay: int, on_the_way: int) -> None:
        """The holder keeps the case for some days; then it is some days on its way."""
        self.at += timedelta(days=stay)
        self.crossed += 1
        down = TIERS.index(to) < TIERS.index(self.holder)
        left, sender = self.at, self.holder
        self.tell("returned" if down else "handed_over", to_node=to, hand_over=self.crossed)
        self.at += timedelta(days=on_the_way)
        self.on_the_way += working(self.at) - working(left)
        self.holder = to
        self.tell(
            "signed_for",
            from_node=sender,
            hand_over=self.crossed,
            filed_at=us(START),
            accepted_at=self.accepted,
        )

    def complete(self, stay: int) -> None:
        self.at += timedelta(days=stay)
        self.tell("completion", result="issued")

    def judged(self, tier: str) -> Evaluation:
        context = Context(CALENDAR, [ITEM], zone="Asia/Shanghai", tier=tier, node=tier)
        rows = self.rows[tier]
        return evaluate(from_rows(rows), context, us(self.at) + 1_000, len(rows), installed(("approval",)))


def working(at: datetime) -> int:
    """Working days up to and including that day."""
    tables = CALENDAR.tables
    first = datetime(1990, 1, 1).toordinal() - EPOCH_ORDINAL
    return tables.working_through[at.date().toordinal() - EPOCH_ORDINAL - first]


def used(evaluation: Evaluation, clock: str) -> int:
    """Counted days of the case's clock."""
    rows = evaluation.judged[0].readings.named(clock)
    assert rows.height == 1
    return int(rows["used"].item())


def sums(evaluation: Evaluation) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in evaluation.figures.filter(pl.col("amount") != 0).iter_rows(named=True):
        total[row["figure"]] += row["amount"]
    return total


WAYS = st.lists(st.tuples(st.sampled_from(TIERS), st.integers(0, 9), st.integers(0, 3)), max_size=9)


@given(st.sampled_from(TIERS), WAYS, st.integers(0, 5))
def test_the_desks_and_the_ways_between_them_make_up_the_whole_and_the_case_is_counted_once(
    first: str, ways: list[tuple[str, int, int]], last: int
) -> None:
    journey = Journey(first)
    for to, stay, on_the_way in ways:
        if to != journey.holder:
            journey.cross(to, stay, on_the_way)
    journey.complete(last)
    judged = {tier: journey.judged(tier) for tier in TIERS if journey.rows[tier]}
    desks = {tier: used(evaluation, "tier") for tier, evaluation in judged.items()}
    whole = used(judged[journey.holder], "statutory")
    assert whole == working(journey.at) - working(START)
    assert sum(desks.values()) + journey.on_the_way == whole
    counted = {tier: sums(evaluation) for tier, evaluation in judged.items()}
    assert {tier: count["received"] for tier, count in counted.items()} == {
        tier: int(tier == first) for tier in judged
    }
    assert {tier: count["handled"] for tier, count in counted.items()} == {
        tier: int(tier != first) for tier in judged
    }
    assert sum(count["completed"] for count in counted.values()) == 1
    assert sum(count["handed_over"] + count["returned"] for count in counted.values()) == journey.crossed
