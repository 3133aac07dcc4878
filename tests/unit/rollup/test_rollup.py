"""Rows, their columns on the wire, their sums and what a comparison finds."""

import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1.rollup_pb2 import RollupTable

from federation.errors import ZonghengError
from federation.rollup import sketch
from federation.rollup.merge import compare, total, totals_by_node
from federation.rollup.row import RollupRow, pack, slices, unpack

names = st.text("abcdefg._", min_size=1, max_size=8)
rows = st.lists(
    st.builds(
        RollupRow,
        node=st.sampled_from(["990101", "990102"]),
        day=st.integers(-(2**31), 2**31 - 1),
        domain=st.just("approval"),
        agency=st.sampled_from(["", "A1", "卫健局"]),
        line=st.just(""),
        item=st.sampled_from(["I1", "I2"]),
        figures=st.dictionaries(names, st.integers(-(2**63), 2**63 - 1).filter(bool), max_size=4),
        durations=st.binary(max_size=5),
        applicants=st.binary(max_size=5),
        version=st.integers(0, 2**63),
    ),
    unique_by=lambda row: row.key,
    max_size=8,
)


@given(rows)
def test_rows_come_back_from_their_columns_as_they_were(given: list[RollupRow]) -> None:
    assert unpack(RollupTable.FromString(pack(given).SerializeToString())) == given


def test_known_figures_stand_first_and_unknown_ones_pass_unchanged() -> None:
    table = pack([a_row(figures={"zebra": 1, "late": 2, "received": 3})])
    assert [column.name for column in table.figures] == ["received", "late", "zebra"]
    assert unpack(table)[0].figures["zebra"] == 1


def a_row(
    node: str = "990102001",
    day: int = 20_000,
    figures: dict[str, int] | None = None,
    durations: bytes = b"",
    applicants: bytes = b"",
    item: str = "I1",
) -> RollupRow:
    return RollupRow(node, day, "approval", "A1", "", item, figures or {}, durations, applicants, 7)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda table: table.day.append(1),
        lambda table: table.version.pop(),
        lambda table: table.figures[0].values.append(1),
        lambda table: table.figures.add(name="received", values=[1, 2]),
        lambda table: table.figures.add(name="", values=[1, 2]),
        lambda table: table.item.__setitem__(1, "I1"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_whole(spoil: object) -> None:
    table = pack([a_row(figures={"received": 1}), a_row(figures={"received": 2}, item="I2")])
    unpack(table)
    spoil(table)  # type: ignore[operator]
    with pytest.raises(ZonghengError) as refused:
        unpack(table)
    assert refused.value.code == "protocol"


def test_slices_lose_nothing() -> None:
    many = [a_row(day=day) for day in range(4_500)]
    pieces = list(slices(many))
    assert [len(piece) for piece in pieces] == [2_000, 2_000, 500]
    assert [row for piece in pieces for row in piece] == many


def test_a_total_adds_figures_durations_and_people() -> None:
    first = a_row(
        figures={"received": 2, "late": 1},
        durations=sketch.durations([1, 2, 3]),
        applicants=sketch.applicants(["p1", "p2"]),
    )
    second = a_row(
        "990102002",
        day=20_003,
        figures={"received": 5, "late": -1},
        durations=sketch.durations([4, 100]),
        applicants=sketch.applicants(["p2", "p3"]),
    )
    whole = total([first, second])
    assert whole.figures == {"received": 7}
    assert whole.median_days == pytest.approx(3, rel=0.01)
    assert whole.applicants == 3
    assert (whole.first_day, whole.last_day, whole.rows) == (20_000, 20_003, 2)
    assert totals_by_node([first, second])["990102002"].figures == {"received": 5, "late": -1}


@given(rows)
def test_the_total_is_the_sum_of_the_nodes(given: list[RollupRow]) -> None:
    bare = [a_row(row.node, row.day, row.figures) for row in given]
    parts = totals_by_node(bare).values()
    for name in {name for row in bare for name in row.figures}:
        assert total(bare).figures.get(name, 0) == sum(part.figures.get(name, 0) for part in parts)


def test_the_total_of_nothing_is_nothing() -> None:
    nothing = total([])
    assert (nothing.figures, nothing.median_days, nothing.applicants, nothing.rows) == ({}, None, 0, 0)


def test_a_comparison_names_row_and_column() -> None:
    reported = [a_row(figures={"received": 3, "late": 1}, durations=sketch.durations([1])), a_row(item="I2")]
    computed = [a_row(figures={"received": 4, "late": 1}, durations=sketch.durations([2]))]
    differences = compare(reported, computed)
    assert [(d.column, str(d.key)) for d in differences] == [
        ("durations", "990102001|2024-10-04|approval|A1||I1"),
        ("received", "990102001|2024-10-04|approval|A1||I1"),
    ]
    assert (differences[1].reported, differences[1].computed) == (3, 4)


def test_a_row_that_one_side_lacks_counts_as_zeroes() -> None:
    assert [(d.column, d.reported, d.computed) for d in compare([], [a_row(figures={"red": 2})])] == [
        ("red", 0, 2)
    ]
    assert compare([a_row()], []) == []


@given(st.lists(st.integers(-5, 4_000), max_size=80), st.randoms(use_true_random=False))
def test_a_summary_of_durations_does_not_depend_on_order(days: list[int], shuffle: random.Random) -> None:
    shuffled = days.copy()
    shuffle.shuffle(shuffled)
    assert sketch.durations(days) == sketch.durations(shuffled)
    assert sketch.counted(sketch.durations(days)) == len(days)


@given(st.lists(st.lists(st.integers(0, 500), max_size=20), max_size=5))
def test_merging_summaries_of_durations_is_summarising_all(groups: list[list[int]]) -> None:
    together = [day for group in groups for day in group]
    assert sketch.merged_durations(map(sketch.durations, groups)) == sketch.durations(together)


def test_people_are_counted_once_across_rows_and_about_right_when_they_are_many() -> None:
    summaries = [
        sketch.applicants(f"p{number}" for number in range(start, start + 3_000))
        for start in (0, 2_000, 4_000)
    ]
    assert sketch.distinct(sketch.merged_applicants(summaries)) == pytest.approx(7_000, rel=0.08)
    assert sketch.applicants(["b", "a", "b"]) == sketch.applicants(["a", "b"])


@pytest.mark.parametrize("bad", [b"\xff\xff", b"\x00", bytes(40), bytes(10_000)])
def test_bytes_that_are_no_summary_are_refused(bad: bytes) -> None:
    for read in (sketch.counted, sketch.distinct):
        with pytest.raises(ZonghengError) as refused:
            read(bad)
        assert refused.value.code == "protocol"


def test_a_summary_made_to_exhaust_memory_is_refused() -> None:
    from ddsketch.pb.ddsketch_pb2 import DDSketch as Message

    hostile = Message.FromString(sketch.durations([5]))
    hostile.positiveValues.contiguousBinIndexOffset = 2**30
    with pytest.raises(ZonghengError, match="no case can have"):
        sketch.merged_durations([sketch.durations([5]), hostile.SerializeToString()])


def test_a_node_that_never_sums_loads_no_numpy() -> None:
    program = (
        "import sys, federation.rollup.merge; sys.exit('numpy' in sys.modules or 'ddsketch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
