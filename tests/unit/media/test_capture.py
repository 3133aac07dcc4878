"""When a publisher's frames were captured: by its reports, and by arrival where they cannot be believed."""

import random

from federation.trunk.frame import AUDIO, VIDEO
from node.media.webrtc.adapter import Clock
from node.media.webrtc.capture import Arrivals, CommonClock, Unwrapped
from node.media.webrtc.reports import ntp

RATES = {VIDEO: 90_000, AUDIO: 48_000}
OURS = 1_800_000_000 * 10**9
MS = 10**6


def test_time_goes_on_over_an_overflow_and_over_a_clock_that_was_set_again() -> None:
    time_of = Unwrapped(90_000)
    first = time_of.ticks(2**32 - 3_600, 100.0)
    assert time_of.ticks(0, 100.04) == first + 3_600
    assert time_of.ticks(1_800_000_000, 100.08) == first + 7_200
    assert time_of.ticks(1_800_003_600, 100.12) == first + 10_800


def test_sound_and_picture_of_one_instant_have_one_instant_of_capture() -> None:
    clock = CommonClock(RATES)
    # Its clock is an hour ahead of ours; both reports name the same instant in their track's own time.
    theirs = 1_800_003_600 * 10**9
    ours = 1_800_000_000 * 10**9
    assert clock.captured_ns(VIDEO, 5, ours) == ours
    clock.report(VIDEO, Clock(ntp(theirs), 90_000), ours)
    clock.report(AUDIO, Clock(ntp(theirs), 48_000), ours + 30_000_000)
    picture = clock.captured_ns(VIDEO, 180_000, ours + 1_080_000_000)
    voice = clock.captured_ns(AUDIO, 96_000, ours + 1_010_000_000)
    assert abs(picture - voice) < 1_000
    assert abs(picture - (ours + 10**9)) < 2 * MS


def test_what_arrives_late_was_captured_in_step_with_what_came_soonest() -> None:
    arrivals, chance = Arrivals(90_000), random.Random(5)
    captured = [
        arrivals.captured_ns(number * 3_600, OURS + number * 40 * MS + chance.randrange(0, 80) * MS)
        for number in range(500)
    ]
    late = [at - OURS - number * 40 * MS for number, at in enumerate(captured)]
    assert all(0 <= one <= 25 * MS for one in late[50:])
    # After a pause it is the arrival again.
    assert arrivals.captured_ns(501 * 3_600, OURS + 3_600 * 10**9) == OURS + 3_600 * 10**9


def test_reports_that_run_twice_as_fast_as_the_packets_are_not_believed() -> None:
    clock = CommonClock(RATES)
    for number in range(20):
        now = OURS + number * 1_000 * MS
        # GStreamer 1.22: the time since the beginning is added to the newest packet's timestamp.
        clock.report(VIDEO, Clock(ntp(now), 2 * number * 90_000), now)
        clock.report(AUDIO, Clock(ntp(now), 2 * number * 48_000), now)
        picture = clock.captured_ns(VIDEO, number * 90_000, now)
        voice = clock.captured_ns(AUDIO, number * 48_000, now + 10 * MS)
        assert abs(picture - voice) <= 10 * MS
        assert abs(picture - now) <= 20 * MS


def test_a_track_without_reports_is_not_set_beside_one_with_them() -> None:
    clock = CommonClock(RATES)
    theirs = OURS + 3_600 * 10**9
    # What the reports say is half a second before the arrival.
    clock.report(VIDEO, Clock(ntp(theirs), 45_000), OURS)
    for number in range(5):
        now = OURS + number * 40 * MS
        assert clock.captured_ns(AUDIO, number * 1_920, now) == now
        assert clock.captured_ns(VIDEO, number * 3_600, now) == now
    clock.report(AUDIO, Clock(ntp(theirs), 24_000), OURS)
    assert clock.captured_ns(VIDEO, 18_000, OURS + 200 * MS) == OURS - 300 * MS
    assert clock.captured_ns(AUDIO, 9_600, OURS + 200 * MS) == OURS - 300 * MS


def test_a_clock_that_drifts_is_followed_for_both_tracks_alike() -> None:
    clock = CommonClock(RATES)
    for second in range(3_600):
        now = OURS + second * 10**9
        theirs = now + second * 50_000  # 50 ppm
        clock.report(VIDEO, Clock(ntp(theirs), second * 90_000 & 0xFFFFFFFF), now)
        clock.report(AUDIO, Clock(ntp(theirs), second * 48_000 & 0xFFFFFFFF), now)
    assert abs(clock.captured_ns(VIDEO, 3_599 * 90_000, now) - now) < 5 * MS
    assert abs(clock.captured_ns(AUDIO, 3_599 * 48_000, now) - now) < 5 * MS
