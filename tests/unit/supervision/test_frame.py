"""Events as columns: from rows, from tuples, to segments and back."""

import json
from dataclasses import astuple
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from node.supervision import frame
from node.supervision.domains.approval.events import KINDS


def rows(story):
    return (
        story()
        .then("2024-03-01 09:00", "application", channel="online", statutory_due_day=19_800)
        .then("2024-03-02 09:00", "pause", kind="testing", granted_days=5, legal_basis="行政许可法 §45")
        .then("2024-03-03 09:00", "correction_received", complete=True, unheard_of="dropped", reason=7)
        .rows
    )


def as_tuples(events):
    return [(*astuple(event)[1:-1], json.dumps(event.attributes)) for event in events]


def test_every_attribute_of_the_vocabulary_has_a_column() -> None:
    names = {name for attributes in KINDS.values() for name in attributes}
    assert {frame.attribute_column(name) for name in names} <= set(frame.ATTRIBUTES)
    assert not set(frame.ATTRIBUTES) & set(frame.BASE)


def test_rows_and_tuples_give_one_frame(story) -> None:
    events = rows(story)
    assert_frame_equal(
        frame.completed(frame.from_rows(events)), frame.completed(frame.from_tuples(as_tuples(events)))
    )


def test_a_pauses_kind_does_not_hide_the_events(story) -> None:
    told = frame.from_rows(rows(story))
    assert told["kind"].to_list() == ["application", "pause", "correction_received"]
    assert told["kind_attribute"].to_list() == [None, "testing", None]


def test_what_no_vocabulary_declares_is_dropped_and_a_wrong_type_is_unknown(story) -> None:
    told = frame.from_rows(rows(story))
    assert "unheard_of" not in told.columns
    assert told["reason"].to_list() == [None, None, None]
    assert told["complete"].to_list() == [None, None, True]


def test_a_truth_value_is_no_number(story) -> None:
    told = frame.from_rows(story().then("2024-03-01 09:00", "pause", granted_days=True).rows)
    assert told["granted_days"].to_list() == [None]


def test_segments_leave_out_what_nobody_says_and_read_as_one(story, tmp_path: Path) -> None:
    events = frame.completed(frame.from_rows(rows(story)))
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    frame.write_segment(events[:1], first)
    frame.write_segment(events[1:], second)
    assert "granted_days" not in pl.read_parquet_schema(first)
    assert_frame_equal(frame.completed(frame.read_segments([first, second])), events)


def test_nothing_is_a_frame_too() -> None:
    for nothing in (frame.from_rows([]), frame.from_tuples([]), frame.concat([])):
        assert_frame_equal(frame.completed(nothing), frame.empty())
