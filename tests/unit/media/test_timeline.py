"""One time out of whatever clocks cameras have."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from node.media.ingest.timeline import RATE, Timeline

NS = 1_000_000_000
T0 = 1_700_000_000 * NS


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(min_value=-(2**40), max_value=2**40),
            st.integers(min_value=0, max_value=30 * NS),
        ),
        max_size=40,
    )
)
def test_times_never_go_back_whatever_a_camera_says(frames: list[tuple[int | None, int]]) -> None:
    timeline, came, before = Timeline(), T0, -1
    for pts, later in frames:
        came += later
        placed, _ = timeline.place(pts, came)
        assert placed > before
        before = placed


def test_distances_are_the_cameras_own_however_unevenly_frames_arrive() -> None:
    timeline = Timeline()
    came = [T0 + each * 40_000_000 + (each * 7_919) % 31 * 1_000_000 for each in range(100)]
    placed = [timeline.place(5_000 + 3_600 * each, at)[0] for each, at in enumerate(came)]
    assert placed == [3_600 * each for each in range(100)]


def test_when_a_frame_was_taken_follows_the_frames_that_came_soonest() -> None:
    timeline = Timeline()
    for each in range(200):
        late_ms = 0 if each % 10 == 0 else 80
        _, taken = timeline.place(3_600 * each, T0 + each * 40_000_000 + late_ms * 1_000_000)
        assert abs(taken - (T0 + each * 40_000_000)) < 5_000_000


def test_a_clip_that_begins_again_goes_on_in_time() -> None:
    timeline, came, placed = Timeline(), T0, []
    for each in range(50):
        placed.append(timeline.place(3_600 * (each % 10), came)[0])
        came += 40_000_000
    assert [after - before for before, after in pairwise(placed)] == [3_600] * 49


def test_a_camera_that_was_away_has_been_away_for_as_long_as_the_machine_says() -> None:
    timeline = Timeline()
    timeline.place(0, T0)
    timeline.begin()
    placed, taken = timeline.place(12, T0 + 60 * NS)
    assert placed == 60 * RATE
    assert taken == T0 + 60 * NS


def test_a_camera_whose_clock_was_set_forward_takes_nobody_into_the_future() -> None:
    timeline = Timeline()
    timeline.place(0, T0)
    placed, taken = timeline.place(3_600 * RATE, T0 + 40_000_000)
    assert placed == 3_600
    assert taken == T0 + 40_000_000
