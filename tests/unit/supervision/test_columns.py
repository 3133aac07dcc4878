"""Column arithmetic: what the fold stands on, among it what Polars does with repeated positions."""

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.supervision import columns

EPOCH = datetime(1970, 1, 1).toordinal()
CASES = st.lists(st.integers(0, 5), max_size=40)


@given(CASES)
def test_the_first_and_the_last_row_of_each_case(case: list[int]) -> None:
    numbered = pl.Series(case, dtype=pl.UInt32)
    last = {one: row for row, one in enumerate(case)}
    first = {one: row for row, one in reversed(list(enumerate(case)))}
    assert columns.positions(numbered, 6, "first").to_list() == [first.get(one) for one in range(6)]
    assert columns.positions(numbered, 6, "last").to_list() == [last.get(one) for one in range(6)]


@given(CASES)
def test_sums_and_counts_of_each_case(case: list[int]) -> None:
    numbered = pl.Series(case, dtype=pl.UInt32)
    values = pl.Series([None if row % 3 == 0 else row for row in range(len(case))], dtype=pl.Int64)
    sums = [sum(row for row, mine in enumerate(case) if mine == one and row % 3) for one in range(6)]
    assert columns.total(values, numbered, 6).to_list() == sums
    assert columns.tally(numbered, 6).to_list() == [case.count(one) for one in range(6)]
    assert columns.has(numbered, 6).to_list() == [one in case for one in range(6)]


SOME = st.one_of(st.none(), st.integers(-3, 3))


@given(st.lists(st.tuples(SOME, SOME, SOME), min_size=1, max_size=20))
def test_the_first_the_smallest_and_the_largest_value_that_is_there(
    rows: list[tuple[int | None, int | None, int | None]],
) -> None:
    parts = [pl.Series(list(part), dtype=pl.Int64) for part in zip(*rows, strict=True)]
    there = [[value for value in row if value is not None] for row in rows]
    assert columns.coalesce(*parts).to_list() == [row[0] if row else None for row in there]
    assert columns.least(*parts).to_list() == [min(row, default=None) for row in there]
    assert columns.greatest(*parts).to_list() == [max(row, default=None) for row in there]


def test_pairs_are_equal_where_both_are() -> None:
    case = pl.Series([0, 0, 1, 1, 0], dtype=pl.UInt32)
    text = pl.Series(["a", "b", "a", "a", "a"])
    pair = columns.pairs(case, text).to_list()
    assert pair[2] == pair[3]
    assert pair[0] == pair[4]
    assert len(set(pair)) == 3


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Amsterdam", "Pacific/Apia", "Africa/Casablanca"])
@given(st.lists(st.integers(631_152_000, 4_070_908_800), min_size=1, max_size=5))
def test_the_local_day_of_an_instant(zone: str, seconds: list[int]) -> None:
    at = pl.Series([second * 1_000_000 for second in seconds], dtype=pl.Int64)
    wanted = [datetime.fromtimestamp(second, ZoneInfo(zone)).toordinal() - EPOCH for second in seconds]
    zones = pl.Series([zone] * len(seconds))
    assert columns.local_day(at, zones).to_list() == wanted
    # Day by day, so that each has a steady offset of its own.
    assert [columns.local_day(at[i : i + 1], zones[:1]).item() for i in range(len(seconds))] == wanted


def test_rows_of_several_zones() -> None:
    at = pl.Series([1_700_000_000_000_000] * 2 + [None], dtype=pl.Int64)
    zones = pl.Series(["Asia/Shanghai", "America/Los_Angeles", "Asia/Shanghai"])
    assert columns.local_day(at, zones).to_list() == [19_676, 19_675, None]
