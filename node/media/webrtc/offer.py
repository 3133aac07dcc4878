"""A stranger's SDP (RFC 8866) looked at before anything else reads it, and what we add to our own.

Read is only what bounds it: how long it is, which tracks it asks for, how many addresses it names. An offer asks us to send
packets to the addresses in it, so there are few, and none by a name that would have to be looked up.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from federation.errors import ZonghengError

MOST_BYTES: Final = 64 << 10
"""Browsers' offers take 3 to 10 KB."""

_MOST_LINES: Final = 2_000
_MOST_CANDIDATES: Final = 24

_BOTH: Final = "a=sendrecv"
_OUT: Final = "a=sendonly"
_IN: Final = "a=recvonly"
_DIRECTIONS: Final = frozenset({_BOTH, _OUT, _IN, "a=inactive"})

_ADDRESS: Final = re.compile(r"[0-9a-fA-F.:]{2,45}")


@dataclass(frozen=True, slots=True)
class Offer:
    """What is asked for."""

    text: str
    """As it may be handed on: without addresses that are not used, and open for those that become known later."""
    tracks: tuple[Literal["video", "audio"], ...]
    sent: frozenset[str]
    """Tracks that the other side sends."""
    received: frozenset[str]
    """Tracks that the other side receives."""


def read(text: str) -> Offer:
    """Raises ZonghengError `too_large` or `bad_request`."""
    if len(text.encode()) > MOST_BYTES:
        raise ZonghengError("too_large", f"an SDP offer has at most {MOST_BYTES >> 10} KB")
    lines = text.splitlines()
    if not lines or lines[0].strip() != "v=0" or len(lines) > _MOST_LINES:
        raise ZonghengError("bad_request", "the body is not an SDP offer: it begins with v=0")
    tracks: list[Literal["video", "audio"]] = []
    kept: list[str] = []
    candidates = 0
    directions: list[str] = [_BOTH]
    """Of the session, which holds where a track says nothing, then of each track (RFC 8866 §6.7)."""
    for line in lines:
        if line.rstrip() in _DIRECTIONS:
            directions[-1] = line.rstrip()
        elif line.startswith("m="):
            directions.append(directions[0])
        if line.startswith("m="):
            kind = line[2:].partition(" ")[0]
            if kind == "video" and kind not in tracks:
                tracks.append("video")
            elif kind == "audio" and kind not in tracks:
                tracks.append("audio")
            else:
                raise ZonghengError(
                    "bad_request", "offer at most one video and one audio track, and nothing else"
                )
        elif line.startswith("a=candidate:"):
            candidates += 1
            if candidates > _MOST_CANDIDATES or not is_usable(line[len("a=candidate:") :]):
                continue
        elif line.startswith("a=end-of-candidates"):
            # Whoever hides their addresses is found by the packets they send.
            continue
        kept.append(line)
    if not tracks:
        raise ZonghengError("bad_request", "the offer has neither a video nor an audio track")
    ways = dict(zip(tracks, directions[1:], strict=True))
    return Offer(
        "\r\n".join(kept) + "\r\n",
        tuple(tracks),
        frozenset(track for track, way in ways.items() if way in {_BOTH, _OUT}),
        frozenset(track for track, way in ways.items() if way in {_BOTH, _IN}),
    )


def is_usable(candidate: str) -> bool:
    """Whether a candidate (the text after ``candidate:``) is an address for datagrams, written as numbers."""
    parts = candidate.split()
    return (
        len(parts) >= 8
        and parts[1] == "1"
        and parts[2].lower() == "udp"
        and _ADDRESS.fullmatch(parts[4]) is not None
        and parts[5].isascii()
        and parts[5].isdigit()
        and 0 < int(parts[5][:6]) < 65_536
    )


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a client adds to its offer (RFC 8840): further addresses, for which credentials."""

    ufrag: str
    candidates: tuple[tuple[str, str], ...]
    """(mid, text after ``candidate:``)."""


def read_fragment(text: str) -> Fragment:
    """Raises ZonghengError `too_large` or `bad_request`."""
    if len(text.encode()) > MOST_BYTES:
        raise ZonghengError("too_large", f"an SDP fragment has at most {MOST_BYTES >> 10} KB")
    mid, ufrag = "", ""
    candidates: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("a=mid:"):
            mid = line[len("a=mid:") :].strip()
        elif line.startswith("a=ice-ufrag:"):
            ufrag = line[len("a=ice-ufrag:") :].strip()
        elif line.startswith("a=candidate:") and is_usable(line[len("a=candidate:") :]):
            candidates.append((mid, line[len("a=candidate:") :].strip()))
    return Fragment(ufrag, tuple(candidates[:_MOST_CANDIDATES]))


def ufrag(text: str) -> str:
    """The first ``a=ice-ufrag`` of an SDP: whose addresses a fragment may add."""
    found = re.search(r"^a=ice-ufrag:(\S+)", text, re.MULTILINE)
    return found.group(1) if found else ""


@dataclass(frozen=True, slots=True)
class Bitrates:
    """What a publishing browser is told to send, in kbit/s; left to itself Chromium begins at 270 and climbs slowly."""

    start: int = 1_500
    least: int = 800
    most: int = 4_000


_IN_A_CALL: Final = Bitrates(600, 250, 1_000)
"""Up to twelve of them are watched at once."""


def bitrates(stream: str) -> Bitrates:
    """What who publishes this stream is told to send: the seat of a call (``NODE/call-…/main``) less than a camera."""
    return _IN_A_CALL if "/call-" in stream else Bitrates()


def with_bitrates(answer: str, rates: Bitrates) -> str:
    """Our answer to a publisher with the bitrates in the parameters of each video codec (``x-google-…``, read by browsers of Chromium's family)."""
    words = (
        f"x-google-start-bitrate={rates.start};x-google-min-bitrate={rates.least}"
        f";x-google-max-bitrate={rates.most}"
    )
    lines = answer.splitlines()
    told = {line[len("a=fmtp:") :].partition(" ")[0] for line in lines if line.startswith("a=fmtp:")}
    written: list[str] = []
    in_video = False
    for line in lines:
        if line.startswith("m="):
            in_video = line.startswith("m=video")
        number = line.partition(":")[2].partition(" ")[0]
        if in_video and line.startswith("a=fmtp:"):
            line = f"{line};{words}"
        written.append(line)
        if in_video and line.startswith("a=rtpmap:") and number not in told:
            written.append(f"a=fmtp:{number} {words}")
    return "\r\n".join(written) + "\r\n"
