"""A history judged in parts gives what it gives as a whole."""

from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from node.supervision import bulk
from node.supervision.bulk import evaluate_all, judge_in_parts
from node.supervision.calendar import Calendar
from node.supervision.context import Context
from node.supervision.evaluate import evaluate
from node.supervision.fold import installed
from node.supervision.frame import concat, empty, from_tuples
from node.supervision.packing import Packing, unpacked

DAY_US = 86_400_000_000
START = int(datetime(2024, 3, 1, 2, tzinfo=UTC).timestamp() * 1_000_000)
AS_OF = START + 90 * DAY_US


def history(cases: int) -> pl.DataFrame:
    """Cases that take from one day to sixty against a limit of ten, some without an end."""
    rows = []
    for number in range(cases):
        limit = '{"statutory_days": 10, "statutory_unit": "working"}'
        told = [
            ("acceptance", 0, limit),
            ("step", 1, '{"role": "handle"}'),
            ("step", 2, '{"role": "approve"}'),
        ]
        if number % 5:
            told.append(("completion", number % 60 + 3, "{}"))
        for kind, day, attributes in told:
            at = START + day * DAY_US
            who = (f"agency{number % 3}", f"officer{(number * day) % 4}", "item", "check" if day == 1 else "")
            rows.append(
                (f"case-{number}", len(rows), at, 0, "", "approval", kind, 0, at, *who, "", "", attributes)
            )
    return from_tuples(rows)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "WHOLE", 100)
    monkeypatch.setattr(bulk, "PART", 150)


@pytest.mark.usefixtures("small_parts")
def test_parts_add_up_to_the_whole() -> None:
    events, context, domains = history(400), Context(Calendar.china()), installed(("approval",))
    whole = evaluate(events, context, AS_OF, events.height, domains)
    parts = evaluate_all(events, context, AS_OF, events.height, domains)
    assert whole.findings.height > 100
    for name in ("cases", "findings", "rules", "figures"):
        expected, found = getattr(whole, name), getattr(parts, name)
        assert_frame_equal(found, expected, check_row_order=False)
    assert (parts.as_of_us, parts.journal_size) == (whole.as_of_us, whole.journal_size)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("cut", [1, 250, 399])
def test_packed_events_in_any_order_are_judged_as_they_are(cut: int) -> None:
    events, context, domains = history(400), Context(Calendar.china()), installed(("approval",))
    packing = Packing()
    shuffled = events.sample(fraction=1, shuffle=True, seed=cut)
    packed = concat(packing.packed(part) for part in (shuffled[cut:], shuffled[:cut]))
    assert all(dtype != pl.String for dtype in packed.dtypes)
    whole = evaluate(events, context, AS_OF, events.height, domains)
    parts = evaluate_all(packed, context, AS_OF, events.height, domains)
    for name in ("cases", "findings", "rules", "figures"):
        assert_frame_equal(getattr(parts, name), getattr(whole, name), check_row_order=False)


def test_what_is_packed_comes_back_exactly() -> None:
    events = history(50)
    with_gaps = events.with_columns(pl.when(pl.col("idx") % 3 == 0).then("step").alias("step"))
    assert_frame_equal(unpacked(Packing().packed(with_gaps)), with_gaps)
    assert unpacked(events) is events


@pytest.mark.usefixtures("small_parts")
def test_a_case_is_never_cut_in_two() -> None:
    events = history(300)
    parts = judge_in_parts(events, lambda part: part)
    assert len(parts) > 1
    seen = [set(part["case_id"]) for part in parts]
    assert sum(len(one) for one in seen) == len(set().union(*seen)) == 300
    assert sum(part.height for part in parts) == events.height


def test_nothing_at_all_is_judged_too() -> None:
    result = evaluate_all(empty(), Context(Calendar.china()), AS_OF, 0, installed(("approval",)))
    assert result.cases.height == 0
