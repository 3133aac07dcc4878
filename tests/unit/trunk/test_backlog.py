"""What waits for a slow reader: bounded, never old, and always something that can be decoded."""

from hypothesis import given
from hypothesis import strategies as st

from federation.trunk.backlog import Backlog
from federation.trunk.frame import VIDEO, Frame
from federation.trunk.hub import NS
from tests.unit.trunk.units import Clock, picture, pictures, seqs, sound


def drained(backlog: Backlog) -> list[Frame]:
    frames = []
    while (frame := backlog.take()) is not None:
        frames.append(frame)
    return frames


def test_a_reader_that_keeps_up_is_given_everything() -> None:
    backlog, got = Backlog(Clock()), list[Frame]()
    for frame in pictures(0, 30):
        backlog.put(frame)
        got += drained(backlog)
    assert seqs(got) == list(range(30))
    assert (backlog.dropped, backlog.waiting_bytes) == (0, 0)


def test_what_is_too_old_goes_up_to_the_newest_keyframe_that_waits() -> None:
    clock = Clock()
    backlog = Backlog(clock)
    for frame in pictures(0, 75, every=20):
        backlog.put(frame)
        clock.move(0.04)
    got = drained(backlog)
    assert seqs(got) == list(range(60, 75)) or seqs(got) == list(range(40, 75))
    assert backlog.dropped == 75 - len(got)


def test_where_no_keyframe_waits_pictures_are_passed_over_until_one_comes_and_it_is_asked_for() -> None:
    clock, asked = Clock(), list[int]()
    backlog = Backlog(clock, lambda: asked.append(1))
    for frame in pictures(0, 10, every=1_000):
        backlog.put(frame)
    clock.move(3)
    assert backlog.take() is None
    assert asked == [1]
    backlog.put(picture(10))
    backlog.put(sound(0))
    backlog.put(picture(11, True))
    assert [(frame.track, frame.seq) for frame in drained(backlog)] == [(1, 0), (0, 11)]
    assert asked == [1]


def test_a_frame_that_is_larger_than_the_bound_still_passes_to_a_reader_that_waits() -> None:
    backlog = Backlog(Clock(), most_bytes=50)
    backlog.put(picture(0, True, size=100))
    assert seqs(drained(backlog)) == [0]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*["picture"] * 3, "keyframe", "sound", "take", "take", "wait"]),
            st.integers(1, 300),
        ),
        min_size=30,
        max_size=150,
    )
)
def test_a_reader_however_slow_is_given_only_what_can_be_decoded(steps: list[tuple[str, int]]) -> None:
    clock, asked = Clock(), list[int]()
    backlog = Backlog(clock, lambda: asked.append(1), most_bytes=1_000, most_frames=10, oldest_ns=2 * NS)
    arrived: dict[tuple[int, int], int] = {}
    last: Frame | None = None
    seq = 0
    backlog.put(picture(seq, True))
    arrived[VIDEO, 0] = clock.ns
    for what, amount in steps:
        match what:
            case "wait":
                clock.move(amount / 100)
            case "take":
                frame = backlog.take()
                if frame is not None:
                    assert clock.ns - arrived[frame.track, frame.seq] <= 2 * NS
                if frame is not None and frame.track == VIDEO:
                    assert frame.keyframe or (last is not None and last.seq == frame.seq - 1)
                    last = frame
            case _:
                seq += 1
                if what == "sound":
                    frame, seq = sound(seq), seq - 1
                else:
                    frame = picture(seq, what == "keyframe", amount)
                arrived[frame.track, frame.seq] = clock.ns
                backlog.put(frame)
        assert len(backlog) <= 10
        assert backlog.waiting_bytes <= 1_000 or len(backlog) == 1
