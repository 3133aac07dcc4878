"""Figures never depend on now: a parent that folds a child's journal later comes to the same ones, to the last column."""

import random

import pytest
from zongheng.v1.catalogue_pb2 import LIMIT_UNIT_WORKING_DAY, Item, Limit

from node.store.rows import EventRow
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.domains.approval.events import KINDS
from node.supervision.evaluate import evaluate
from node.supervision.fold import installed
from node.supervision.frame import from_rows
from tests.unit.projection.units import DAY, MONDAY

_ATTRIBUTES: dict[str, dict[str, object]] = {
    "handed_over": {"to_node": "990102", "hand_over": 1},
    "returned": {"to_node": "990102", "hand_over": 1},
    "signed_for": {"from_node": "990102", "hand_over": 1},
    "fee": {"amount": 100},
    "pause": {"kind": "hearing"},
    "correction_received": {"complete": True},
}


def _history(seed: int, cases: int) -> list[EventRow]:
    """Cases whose events come in any order that a careless hall might enter them in."""
    chance = random.Random(seed)
    rows: list[EventRow] = []
    for number in range(cases):
        at_us = MONDAY + chance.randrange(100) * DAY
        for kind in ["application", *(chance.choice(list(KINDS)) for _ in range(chance.randrange(7)))]:
            at_us += chance.randrange(12 * DAY) * chance.choice([0, 1, 1])
            place = ("n", f"c{number}", len(rows), at_us, False, "Asia/Shanghai", "approval", kind)
            who = ("A", "S", "I-9", "s1", "p", "")
            rows.append(EventRow(*place, at_us, at_us, *who, _ATTRIBUTES.get(kind, {})))
    return rows


@pytest.mark.parametrize(
    "calendar",
    [Calendar.weekdays(()), Calendar.china((), published_years=frozenset({2026}))],
    ids=["weekdays", "china"],
)
def test_figures_of_any_history_are_the_same_whenever_they_are_counted(calendar: Calendar) -> None:
    def version(number: int, days: int, first: int, last: int) -> Item:
        limit = Limit(amount=days, unit=LIMIT_UNIT_WORKING_DAY)
        fee = number * 100
        return Item(
            code="I-9",
            version=number,
            statutory=limit,
            valid_from_day=first,
            valid_to_day=last,
            fee_fen=fee,
            has_fee=True,
        )

    context = Context(
        calendar=calendar, items=[version(1, 20, 0, 20_600), version(2, 5, 20_601, 0)], tier="town"
    )
    rows, domains = _history(7, 1_500), installed(("approval",))
    frame, newest = from_rows(rows), max(row.at_us for row in rows)

    def counted(at_us: int) -> dict[str, object]:
        found = evaluate(frame, context, at_us, len(rows), domains).facts_rows("n")
        return {
            one.case_id: (one.figures, one.duration_days, one.item, one.agency, one.late) for one in found
        }

    at_once = counted(newest)
    assert [counted(newest + days * DAY) == at_once for days in (1, 30, 400)] == [True, True, True]
