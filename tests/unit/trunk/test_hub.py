"""One stream at one node: who is given what, in which order, and what is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import federation.trunk.hub as module
from federation.errors import ZonghengError
from federation.trunk.frame import VIDEO, Frame
from federation.trunk.hub import GOP_BYTES, GOP_FRAMES, NS, Hub, Seat, State
from tests.unit.trunk.units import STREAM, Clock, picture, pictures, seqs, sound


def test_who_joins_is_given_the_pictures_since_the_last_keyframe_at_once() -> None:
    hub, got = Hub(STREAM, Clock()), list[Frame]()
    for frame in pictures(0, 25):
        hub.put(frame)
    hub.join(got.append)
    assert seqs(got) == [20, 21, 22, 23, 24]
    hub.put(picture(25))
    assert seqs(got)[-1] == 25
    assert list(hub.gop()) == got


def test_what_was_before_a_silence_is_not_given_as_if_it_were_now() -> None:
    clock, got = Clock(), list[Frame]()
    hub = Hub(STREAM, clock)
    for frame in pictures(0, 23):
        hub.put(frame)
    clock.move(3.0)
    hub.join(got.append)
    assert not hub.is_current
    assert got == []
    hub.put(picture(23))
    assert seqs(got) == [20, 21, 22, 23]
    hub.put(picture(24))
    assert seqs(got)[-1] == 24


def test_who_waits_out_a_silence_that_a_keyframe_ends_is_given_that_alone() -> None:
    clock, got = Clock(), list[Frame]()
    hub = Hub(STREAM, clock)
    for frame in pictures(0, 23):
        hub.put(frame)
    clock.move(3.0)
    hub.join(got.append)
    hub.put(picture(60, True))
    assert seqs(got) == [60]


def test_sound_that_comes_after_a_silence_brings_no_old_picture_with_it() -> None:
    clock, got = Clock(), list[Frame]()
    hub = Hub(STREAM, clock)
    for frame in [picture(0, True), sound(0), picture(1)]:
        hub.put(frame)
    clock.move(3.0)
    hub.join(got.append)
    hub.put(sound(100))
    assert [(frame.track, frame.seq) for frame in got] == [(1, 100)]
    hub.put(picture(2))
    assert [(frame.track, frame.seq) for frame in got] == [(1, 100), (0, 0), (0, 1), (0, 2)]


def test_who_waits_out_a_silence_after_which_it_is_too_much_to_keep_has_a_keyframe_asked_for() -> None:
    clock, got, asked = Clock(), list[Frame](), list[int]()
    hub = Hub(STREAM, clock)
    hub.ask_keyframe = lambda: asked.append(1)
    hub.put(picture(0, True))
    for seq in range(1, 8):
        hub.put(picture(seq, size=GOP_BYTES // 8))
    clock.move(3.0)
    hub.join(got.append)
    assert asked == []
    hub.put(picture(8, size=GOP_BYTES // 8))
    assert hub.gop() == ()
    assert asked == [1]
    hub.put(picture(9, True))
    assert seqs(got) == [9]


def test_who_wants_no_replay_begins_with_the_next_keyframe() -> None:
    hub, got = Hub(STREAM, Clock()), list[Frame]()
    for frame in pictures(0, 5):
        hub.put(frame)
    hub.join(got.append, replay=False)
    for frame in pictures(5, 10):
        hub.put(frame)
    assert seqs(got) == [10, 11, 12, 13, 14]


def test_after_a_hole_everybody_waits_for_a_keyframe_and_it_is_asked_for() -> None:
    hub, got, asked = Hub(STREAM, Clock()), list[Frame](), list[int]()
    hub.ask_keyframe = lambda: asked.append(1)
    hub.join(got.append)
    for frame in [picture(0, True), picture(1), picture(3), picture(4), picture(9, True), picture(10)]:
        hub.put(frame)
    assert seqs(got) == [0, 1, 9, 10]
    assert asked == [1]
    assert hub.lost_frames == 2


def test_sound_goes_on_while_pictures_wait() -> None:
    hub, got = Hub(STREAM, Clock()), list[Frame]()
    hub.join(got.append)
    for frame in [sound(0), picture(5), sound(1), picture(6, True), sound(2)]:
        hub.put(frame)
    assert [(frame.track, frame.seq) for frame in got] == [(1, 0), (1, 1), (0, 6), (1, 2)]


def test_what_came_before_is_not_given_again() -> None:
    hub, got = Hub(STREAM, Clock()), list[Frame]()
    hub.join(got.append)
    for frame in [picture(0, True), picture(1), picture(0, True), picture(1), picture(2)]:
        hub.put(frame)
    assert seqs(got) == [0, 1, 2]


def test_a_source_that_begins_anew_says_so_and_begins_with_a_keyframe() -> None:
    hub, got = Hub(STREAM, Clock()), list[Frame]()
    hub.join(got.append)
    for frame in pictures(100, 3):
        hub.put(frame)
    hub.restart()
    for frame in [picture(1), picture(2, True), picture(3)]:
        hub.put(frame)
    assert seqs(got) == [100, 101, 102, 2, 3]
    assert seqs(list(hub.gop())) == [2, 3]


def test_requests_for_a_keyframe_go_up_once_a_second_and_none_is_forgotten() -> None:
    clock, asked = Clock(), list[int]()
    hub = Hub(STREAM, clock)
    hub.ask_keyframe = lambda: asked.append(clock.ns)
    seat = hub.join(lambda frame: None)
    hub.put(picture(0, True))
    seat.want_keyframe()
    seat.want_keyframe()
    assert len(asked) == 1
    clock.move(0.5)
    seat.want_keyframe()
    hub.put(picture(1))
    assert len(asked) == 1
    clock.move(0.6)
    hub.put(picture(2))
    assert len(asked) == 2


def test_a_keyframe_that_comes_by_itself_is_not_asked_for() -> None:
    clock, asked = Clock(), list[int]()
    hub = Hub(STREAM, clock)
    hub.ask_keyframe = lambda: asked.append(clock.ns)
    seat = hub.join(lambda frame: None)
    seat.want_keyframe()
    seat.want_keyframe()
    hub.put(picture(0, True))
    clock.move(5)
    hub.put(picture(1))
    assert len(asked) == 1


def test_a_lease_that_nobody_renews_runs_out() -> None:
    clock, ends = Clock(), list[ZonghengError | None]()
    hub = Hub(STREAM, clock)
    seat = hub.join(lambda frame: None, ended=ends.append, lease_ns=10 * NS)
    for_ever = hub.join(lambda frame: None)
    clock.move(8)
    seat.renew()
    clock.move(8)
    hub.close_expired()
    assert ends == []
    clock.move(3)
    hub.close_expired()
    assert ends[0] is not None
    assert ends[0].code == "deadline"
    assert not seat.is_taken
    assert for_ever.is_taken


def test_a_consumer_that_fails_is_put_out_and_nobody_else_notices() -> None:
    hub, got, ends = Hub(STREAM, Clock()), list[Frame](), list[ZonghengError | None]()

    def fail(frame: Frame) -> None:
        raise RuntimeError("a bug of the consumer's")

    def fail_to_end(error: ZonghengError | None) -> None:
        raise RuntimeError("another one")

    hub.join(fail, ended=ends.append)
    hub.join(fail, ended=fail_to_end)
    hub.join(got.append)
    for frame in pictures(0, 3):
        hub.put(frame)
    assert seqs(got) == [0, 1, 2]
    assert [error and error.code for error in ends] == ["internal"]
    assert hub.watchers == 1


def test_a_consumer_may_leave_while_it_is_given_a_frame() -> None:
    hub, got, seats = Hub(STREAM, Clock()), list[Frame](), list[Seat]()

    def once(frame: Frame) -> None:
        got.append(frame)
        seats[0].leave()

    seats.append(hub.join(once))
    for frame in pictures(0, 3):
        hub.put(frame)
    assert seqs(got) == [0]


def test_the_state_says_how_the_stream_is_and_each_change_is_told() -> None:
    hub, states, ends = Hub(STREAM, Clock()), list[State](), list[ZonghengError | None]()
    hub.changed = lambda: states.append(hub.state)
    hub.join(lambda frame: None, ended=ends.append)
    hub.put(picture(0, True))
    hub.put(picture(1))
    hub.lost(ZonghengError("unreachable", "the camera is away"))
    hub.put(picture(2))
    hub.end(ZonghengError("not_found", "the camera was removed"))
    hub.put(picture(3))
    assert states == [State.LIVE, State.LOST, State.LIVE, State.ENDED]
    assert [error and error.code for error in ends] == ["not_found"]
    assert hub.gop() == ()
    with pytest.raises(ZonghengError) as over:
        hub.join(lambda frame: None)
    assert over.value.code == "not_found"


def test_a_stretch_without_keyframe_that_is_too_long_is_not_kept() -> None:
    hub, early, late, asked = Hub(STREAM, Clock()), list[Frame](), list[Frame](), list[int]()
    hub.ask_keyframe = lambda: asked.append(1)
    hub.join(early.append)
    hub.put(picture(0, True))
    for seq in range(1, 20):
        hub.put(picture(seq, size=GOP_BYTES // 8))
    assert hub.gop() == ()
    assert asked == []
    hub.join(late.append)
    # A browser that publishes makes none by itself.
    assert asked == [1]
    hub.put(picture(20))
    assert late == []
    hub.put(picture(21, True))
    assert seqs(late) == [21]
    assert seqs(early) == list(range(22))


STEPS = st.lists(
    st.sampled_from(
        [
            *["picture"] * 4,
            "keyframe",
            "hole",
            "sound",
            "join",
            "join late",
            "leave",
            "restart",
            "lost",
            "want",
            "again",
            "silence",
        ]
    ),
    min_size=30,
    max_size=150,
)


class Watching:
    """A consumer that holds the hub to its promise with every frame that it is given."""

    def __init__(self) -> None:
        self.pictures: list[tuple[int, Frame]] = []
        self.wrong: list[str] = []
        self.age = 0
        """Times the source began anew."""

    def take(self, frame: Frame) -> None:
        """Only notes what is wrong: a hub puts out a consumer that fails."""
        if frame.track != VIDEO:
            return
        last = self.pictures[-1] if self.pictures else None
        if last is not None and last[0] == self.age and frame.seq <= last[1].seq:
            self.wrong.append(f"{frame.seq} comes after {last[1].seq}")
        if not frame.keyframe and (last is None or (last[0], last[1].seq) != (self.age, frame.seq - 1)):
            self.wrong.append(f"{frame.seq} refers to what was not given")
        self.pictures.append((self.age, frame))


@given(STEPS)
def test_no_picture_is_given_before_all_that_it_refers_to(steps: list[str]) -> None:
    clock = Clock()
    hub = Hub(STREAM, clock)
    watching: list[tuple[Watching, Seat]] = []
    everybody: list[Watching] = []
    seq = {"picture": 0, "sound": 0}
    age, newest = 0, picture(0, True)
    for what in steps:
        clock.move(0.04)
        match what:
            case "picture" | "keyframe":
                seq["picture"] += 1
                newest = picture(seq["picture"], keyframe=what == "keyframe")
                hub.put(newest)
            case "hole":
                seq["picture"] += 1
            case "sound":
                seq["sound"] += 1
                hub.put(sound(seq["sound"]))
            case "again":
                hub.put(newest)
            case "join" | "join late":
                one = Watching()
                one.age = age
                everybody.append(one)
                watching.append((one, hub.join(one.take, replay=what == "join")))
            case "leave" if watching:
                watching.pop()[1].leave()
            case "restart":
                age += 1
                seq["picture"] = 0
                for one in everybody:
                    one.age = age
                hub.restart()
            case "lost":
                hub.lost(ZonghengError("unreachable"))
            case "want":
                hub.want_keyframe()
            case "silence":
                clock.move(5.0)
        assert [one.wrong for one in everybody if one.wrong] == []
        gop = hub.gop()
        assert len(gop) <= GOP_FRAMES
        assert sum(len(frame.unit) for frame in gop) <= GOP_BYTES
        assert not gop or (gop[0].keyframe and gop[0].track == VIDEO)


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 15)), min_size=40, max_size=120))
def test_what_is_kept_stays_within_its_bounds_whatever_comes(frames: list[tuple[int, int]]) -> None:
    most = module.GOP_BYTES, module.GOP_FRAMES
    module.GOP_BYTES, module.GOP_FRAMES = 2_000, 12
    try:
        hub = Hub(STREAM, Clock())
        for seq, (size, chance) in enumerate(frames):
            hub.put(picture(seq, chance == 0, size))
            assert sum(len(frame.unit) for frame in hub.gop()) <= 2_000
            assert len(hub.gop()) <= 12
    finally:
        module.GOP_BYTES, module.GOP_FRAMES = most
