"""A round of a patrol out of its entries, and when the next is due."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zongheng.v1 import patrol_pb2 as wire
from zongheng.v1.life_pb2 import FileRef

from node.patrol.due import due
from node.patrol.round import Round, faults, of
from node.store.patrols import BEGUN, CHECKED, ENDED, PatrolRow
from node.wallclock import micros

CITY = "9901"
ROUND = f"{CITY}-P000001"
SHANGHAI = ZoneInfo("Asia/Shanghai")
OK, NOT_OK, UNSEEN = wire.PATROL_VERDICT_OK, wire.PATROL_VERDICT_NOT_OK, wire.PATROL_VERDICT_UNSEEN
PICTURE = FileRef(name="1.jpg", sha256="ab" * 32, size=3, media_type="image/jpeg")

BEGAN = wire.PatrolBegun(
    round=ROUND, plan="halls", name="大厅巡查", by="L-1",
    stops=[wire.PatrolStop(number=n, stream=f"99012{n}/hall/main") for n in (1, 2)],
    items=[wire.PatrolItem(code=code, zh=code, en=code) for code in ("window", "tidy")],
)  # fmt: skip


def told(stop: int, *verdicts: "wire.PatrolVerdict.ValueType", code: str = "") -> wire.PatrolChecked:
    marks = [
        wire.PatrolMark(item=item, verdict=verdict)
        for item, verdict in zip(("window", "tidy"), verdicts, strict=False)
    ]
    picture = None if code else PICTURE
    return wire.PatrolChecked(round=ROUND, stop=stop, by="L-1", marks=marks, picture=picture, code=code)


def rows(*said: wire.PatrolBegun | wire.PatrolChecked | wire.PatrolEnded) -> list[PatrolRow]:
    kinds = {wire.PatrolBegun: BEGUN, wire.PatrolChecked: CHECKED, wire.PatrolEnded: ENDED}
    return [
        PatrolRow(CITY, ROUND, idx, 100 + idx, kinds[type(one)], "halls", one.SerializeToString())
        for idx, one in enumerate(said)
    ]


def folded(*said: wire.PatrolBegun | wire.PatrolChecked | wire.PatrolEnded) -> Round:
    found = of(rows(*said))
    assert found is not None
    return found


def test_what_was_said_last_of_a_stop_counts() -> None:
    known = folded(BEGAN, told(1, NOT_OK, OK), told(1, OK, OK), told(2, code="camera_lost"))
    assert known.told[1].not_ok == []
    assert known.times[1] == 2
    assert (known.left, known.unreachable, known.not_ok) == ([], [2], 0)


def test_a_round_that_is_over_stays_as_it_was() -> None:
    known = folded(BEGAN, told(1, NOT_OK, NOT_OK), wire.PatrolEnded(round=ROUND), told(2, OK, OK))
    assert (known.left, known.not_ok) == ([2], 2)
    assert known.ended_us == 102


def test_what_does_not_fit_is_left_aside() -> None:
    assert of(rows(told(1, OK, OK))) is None
    assert of([PatrolRow(CITY, ROUND, 0, 1, BEGUN, "halls", b"\xff")]) is None
    assert of(rows(wire.PatrolBegun(round=ROUND, by="L-1"))) is None
    assert folded(BEGAN, told(7, OK, OK)).told == {}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (told(1, OK, NOT_OK), ""),
        (told(1, OK), "say of tidy"),
        (told(7, OK, OK), "none 7"),
        (told(1, code="camera_lost"), ""),
        (told(1, OK, UNSEEN, code="camera_lost"), "window was not seen"),
        (told(1, UNSEEN, UNSEEN, code="camera_lost"), ""),
    ],
    ids=["whole", "an item left out", "another stop", "not reached", "not reached and seen", "nothing seen"],
)
def test_what_is_said_of_a_stop_is_whole(said: wire.PatrolChecked, words: str) -> None:
    found = "; ".join(faults(folded(BEGAN), said))
    assert words in found
    assert bool(found) is bool(words)


def test_a_stop_that_was_reached_has_a_picture() -> None:
    bare = told(1, OK, OK)
    bare.ClearField("picture")
    assert faults(folded(BEGAN), bare) == ["a stop that was reached has a picture"]


KINDS = st.sampled_from([BEGUN, CHECKED, ENDED, "of a later version"])
BODIES = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda stop, items, code: wire.PatrolChecked(
            round=ROUND,
            stop=stop,
            code=code,
            marks=[wire.PatrolMark(item=item, verdict=NOT_OK) for item in items],
        ).SerializeToString(),
        st.integers(0, 4),
        st.lists(st.sampled_from(["window", "tidy", "x"]), max_size=3),
        st.sampled_from(["", "camera_lost"]),
    ),
)


@given(st.lists(st.tuples(KINDS, BODIES, st.integers(-(2**62), 2**62)), max_size=12))
def test_whatever_a_journal_holds_a_round_is_read_from_it(said: list[tuple[str, bytes, int]]) -> None:
    more = [
        PatrolRow(CITY, ROUND, idx, at_us, kind, "halls", body)
        for idx, (kind, body, at_us) in enumerate(said, 1)
    ]
    known = of([*rows(BEGAN), *more])
    assert known is not None
    assert known.told.keys() <= known.stops.keys()
    assert sorted([*known.told, *known.left]) == [1, 2]
    assert set(known.unreachable) <= known.told.keys()


def at(day: int, hour: int = 9) -> int:
    return micros(datetime(2026, 3, day, hour, tzinfo=SHANGHAI))


@pytest.mark.parametrize(
    ("walked_us", "now_us", "missed"),
    [
        (0, at(9, 23), 0),
        (0, at(10, 0), 1),
        (0, at(16, 23), 1),
        (0, at(17, 0), 2),
        (at(8), at(15, 23), 0),
        (at(8), at(16, 0), 1),
    ],
    ids=["on its last day", "the day after", "a week on", "and another", "walked", "walked and due again"],
)
def test_a_weekly_round_is_missed_from_the_day_after_its_last(
    walked_us: int, now_us: int, missed: int
) -> None:
    """The plan is of 2 March, in the node's zone."""
    assert due(7, at(2), walked_us, now_us, SHANGHAI).missed == missed


def test_a_plan_without_a_period_is_never_due() -> None:
    nothing = due(0, at(2), 0, micros(datetime(2030, 1, 1, tzinfo=UTC)), SHANGHAI)
    assert (nothing.day, nothing.missed) == (0, 0)
