"""Segments: what is read back, and what of a broken folder is not believed."""

from pathlib import Path

import polars as pl
import pytest

from node.store.segments import Segments
from node.supervision.frame import completed, from_tuples

ORIGIN = "990102001"


def frame(lo: int, hi: int) -> pl.DataFrame:
    rows = []
    for idx in range(lo, hi):
        event = (f"case-{idx % 7}", idx, 1_700_000_000_000_000 + idx, 0, "Asia/Shanghai", "approval", "fee")
        rows.append((*event, 0, 0, "agency", "A1", "item", "", "", "", f'{{"amount": {idx}}}'))
    return from_tuples(rows)


@pytest.fixture
def segments(tmp_path: Path) -> Segments:
    return Segments(tmp_path / "segments")


def stretches(segments: Segments, below: int) -> list[tuple[int, int]]:
    return [(segment.lo, segment.hi) for segment in segments.held(ORIGIN, below)]


def test_what_was_written_is_read_back_with_its_attributes(segments: Segments) -> None:
    segments.write(ORIGIN, 0, 100, frame(0, 100))
    segments.write(ORIGIN, 100, 250, frame(100, 250))
    held = segments.held(ORIGIN, 250)
    assert [(one.lo, one.hi) for one in held] == [(0, 100), (100, 250)]
    for one in held:
        read = segments.read(ORIGIN, one)
        assert read is not None
        assert completed(read).equals(completed(frame(one.lo, one.hi)))


def test_a_stretch_without_case_events_is_a_segment_too(segments: Segments) -> None:
    segments.write(ORIGIN, 0, 100, frame(0, 0))
    (held,) = segments.held(ORIGIN, 100)
    read = segments.read(ORIGIN, held)
    assert read is not None
    assert read.height == 0


def test_what_the_store_has_not_entered_is_not_read(segments: Segments) -> None:
    segments.write(ORIGIN, 0, 100, frame(0, 100))
    segments.write(ORIGIN, 100, 250, frame(100, 250))
    assert stretches(segments, 249) == [(0, 100)]
    assert stretches(segments, 99) == []


def test_after_an_older_store_came_back_the_next_segment_replaces_what_lay_beyond(segments: Segments) -> None:
    segments.write(ORIGIN, 0, 100, frame(0, 100))
    segments.write(ORIGIN, 100, 250, frame(100, 250))
    segments.write(ORIGIN, 100, 180, frame(100, 180))
    assert stretches(segments, 10_000) == [(0, 100), (100, 180)]


def test_a_half_written_file_and_a_strangers_file_are_no_segments(segments: Segments, tmp_path: Path) -> None:
    segments.write(ORIGIN, 0, 100, frame(0, 100))
    folder = tmp_path / "segments" / ORIGIN
    (folder / "100-200.part").write_bytes(b"PAR1 cut off")
    (folder / "notes.txt").write_text("")
    (folder / "200-100.parquet").write_bytes(b"")
    assert stretches(segments, 10_000) == [(0, 100)]
    segments.write(ORIGIN, 100, 200, frame(100, 200))
    assert not list(folder.glob("*.part"))


@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "gone", "another", "bit"])
def test_a_damaged_segment_is_named_and_left_to_the_journal(
    segments: Segments, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    segments.write(ORIGIN, 0, 1_000, frame(0, 1_000))
    (held,) = segments.held(ORIGIN, 1_000)
    whole = held.path.read_bytes()
    if damage == "cut":
        held.path.write_bytes(whole[: len(whole) // 2])
    elif damage == "empty":
        held.path.write_bytes(b"")
    elif damage == "garbage":
        held.path.write_bytes(bytes(len(whole)))
    elif damage == "gone":
        held.path.unlink()
    elif damage == "bit":
        held.path.write_bytes(whole[:4_000] + bytes((whole[4_000] ^ 1,)) + whole[4_001:])
    else:
        segments.write("other", 5_000, 6_000, frame(5_000, 6_000))
        (other,) = segments.held("other", 6_000)
        for suffix in (".parquet", ".sha256"):
            other.path.with_suffix(suffix).rename(held.path.with_suffix(suffix))
    assert segments.read(ORIGIN, held) is None
    assert "segment.unreadable" in capsys.readouterr().out


def test_dropped_segments_are_gone_and_dropping_none_is_well(segments: Segments) -> None:
    segments.drop()
    segments.write(ORIGIN, 0, 100, frame(0, 100))
    segments.drop()
    assert stretches(segments, 100) == []


def test_journals_do_not_see_each_others_segments(segments: Segments) -> None:
    segments.write(ORIGIN, 0, 100, frame(0, 100))
    assert segments.held("990102002", 100) == []
