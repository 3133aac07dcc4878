"""When a publisher's frames were captured, in our time: so that lips and voices stay together whatever each took on its way.

A publisher's sender reports (RFC 3550 §6.4.1) tie the RTP clocks of its tracks to one clock of its own. They are believed as long as they agree with
themselves: between two reports of a track as much time passes by the one clock as by the other. GStreamer's webrtcbin (1.22) sends reports whose RTP
time runs twice as fast as its packets'; of such a publisher, and of one that has reported on one of its tracks only, counts the arrival of what came soonest.
"""

from typing import Final

from node.media.webrtc.adapter import Clock

_NTP_SECONDS: Final = 2_208_988_800
_S_NS: Final = 1_000_000_000
_LEAP_S: Final = 10
_FAR_NS: Final = _S_NS // 2
"""A frame that comes so much later than those before it let expect is one after a pause."""
_CREEP: Final = 1_000
"""Arrivals are followed upwards by a thousandth: more than any two clocks drift apart."""
_AGREE_NS: Final = 60_000_000
_AGREE: Final = 50
"""Two reports agree that differ by no more than 60 ms and a fiftieth of the time between them."""
_SHIFT_NS: Final = 1_000_000
"""By so much a report moves what we think of the publisher's clock."""


class Unwrapped:
    """RTP timestamps of one track as a time that only goes forward, in ticks of 1/90,000 s."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._last: int | None = None
        self._last_s = 0.0
        self._ticks = 0

    def ticks(self, timestamp: int, now_s: float) -> int:
        """Of a frame with this timestamp that came at ``now_s``. A leap of more than ten seconds is a clock that was set again: then the time
        that passed counts."""
        if self._last is None:
            self._ticks = round(now_s * self._rate)
        else:
            step = _step(self._last, timestamp)
            if abs(step) > _LEAP_S * self._rate:
                step = round((now_s - self._last_s) * self._rate)
            self._ticks += max(0, step)
        self._last, self._last_s = timestamp, now_s
        return self._ticks * 90_000 // self._rate


class Arrivals:
    """What the arrivals of one track's frames say of their capture: each is as old as the one that took least on its way."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._last: int | None = None
        self._captured_ns = 0

    def captured_ns(self, timestamp: int, now_ns: int) -> int:
        """Of a frame with this timestamp that came now."""
        captured = now_ns
        if self._last is not None:
            gone = _step(self._last, timestamp) * _S_NS // self._rate
            expected = self._captured_ns + gone + abs(gone) // _CREEP
            if expected <= now_ns < expected + _FAR_NS:
                captured = expected
        self._last, self._captured_ns = timestamp, captured
        return captured


class Reports:
    """The sender reports of one track."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._newest: Clock | None = None
        self.agree = False
        """Whether the newest may be believed: it is the first, or agrees with the one before it."""

    def add(self, clock: Clock) -> None:
        before, self._newest = self._newest, clock
        if before is None:
            self.agree = True
            return
        by_one = _unix_ns(clock.ntp) - _unix_ns(before.ntp)
        by_other = _step(before.timestamp, clock.timestamp) * _S_NS // self._rate
        self.agree = abs(by_one - by_other) < _AGREE_NS + abs(by_one) // _AGREE

    def named_ns(self, timestamp: int) -> int | None:
        """The instant of this timestamp on the publisher's own clock; None: there is no report that can be believed."""
        if self._newest is None or not self.agree:
            return None
        since = _step(self._newest.timestamp, timestamp) * _S_NS // self._rate
        return _unix_ns(self._newest.ntp) + since


class CommonClock:
    """A publisher's clock, told by the sender reports of its tracks, in our time. ``rates``: hertz of each track's RTP clock."""

    def __init__(self, rates: dict[int, int]) -> None:
        self._reports = {track: Reports(rate) for track, rate in rates.items()}
        self._arrivals = {track: Arrivals(rate) for track, rate in rates.items()}
        self._ahead_ns: int | None = None
        self._came: set[int] = set()

    def report(self, track: int, clock: Clock, now_ns: int) -> None:
        self._reports[track].add(clock)
        ahead = _unix_ns(clock.ntp) - now_ns
        if self._ahead_ns is None or abs(ahead - self._ahead_ns) > _LEAP_S * _S_NS:
            self._ahead_ns = ahead
        else:
            # Both clocks drift; both tracks are moved together.
            self._ahead_ns += max(-_SHIFT_NS, min(_SHIFT_NS, ahead - self._ahead_ns))

    def captured_ns(self, track: int, timestamp: int, now_ns: int) -> int:
        """When a frame with this timestamp was captured, in our Unix time."""
        self._came.add(track)
        came = self._arrivals[track].captured_ns(timestamp, now_ns)
        named = self._reports[track].named_ns(timestamp)
        # Two tracks are compared by one measure: both by their reports, or both by their arrival.
        if named is None or self._ahead_ns is None or not all(self._reports[one].agree for one in self._came):
            return came
        captured = named - self._ahead_ns
        # A publisher whose reports are nonsense is believed no further than ten seconds.
        return captured if abs(captured - now_ns) < _LEAP_S * _S_NS else came


def _step(before: int, after: int) -> int:
    """From one RTP timestamp to another, 32 bits that overflow."""
    return (after - before + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def _unix_ns(ntp: int) -> int:
    return ((ntp >> 32) - _NTP_SECONDS) * _S_NS + ((ntp & 0xFFFFFFFF) * _S_NS >> 32)
