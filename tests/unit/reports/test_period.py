"""Periods by name: a day, a week from Monday to Sunday, a month; and the one before."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from node.reports.period import KINDS, Kind, period_named, period_of

TODAY = date(2026, 11, 25)


@pytest.mark.parametrize(
    ("kind", "of", "first", "end", "label"),
    [
        ("day", "2026-11-24", date(2026, 11, 24), date(2026, 11, 25), "2026-11-24"),
        ("week", "2026-W01", date(2025, 12, 29), date(2026, 1, 5), "2026-W01"),
        ("week", "2026-11-22", date(2026, 11, 16), date(2026, 11, 23), "2026-W47"),
        ("month", "2024-02", date(2024, 2, 1), date(2024, 3, 1), "2024-02"),
        ("month", "2025-12-31", date(2025, 12, 1), date(2026, 1, 1), "2025-12"),
        ("month", "", date(2026, 10, 1), date(2026, 11, 1), "2026-10"),
        ("day", "", date(2026, 11, 24), date(2026, 11, 25), "2026-11-24"),
    ],
)
def test_a_period_by_its_name(kind: str, of: str, first: date, end: date, label: str) -> None:
    period = period_named(kind, of, TODAY)
    assert (period.first, period.end, period.label) == (first, end, label)


@pytest.mark.parametrize(
    ("kind", "of"),
    [
        ("year", "2026"), ("day", "2026-11"), ("week", "2026-W60"), ("month", "2026-13"), ("month", "last"),
        ("day", "2026-11-26"), ("month", "0001-01"),
    ],
)  # fmt: skip
def test_what_is_no_period_or_has_not_begun_is_refused(kind: str, of: str) -> None:
    with pytest.raises(ZonghengError) as refused:
        period_named(kind, of, TODAY)
    assert refused.value.code == "bad_request"


@given(kind=st.sampled_from(KINDS), day=st.dates(min_value=date(1950, 1, 1), max_value=date(2400, 1, 1)))
def test_periods_follow_each_other_without_a_gap_and_are_read_back_by_their_label(
    kind: Kind, day: date
) -> None:
    period = period_of(kind, day)
    assert period.first <= day < period.end
    assert len(period.days) == (period.end - period.first).days
    assert period.before.end == period.first
    assert period_of(kind, period.end - timedelta(days=1)) == period
    assert period_named(kind, period.label, date(2450, 1, 1)) == period
