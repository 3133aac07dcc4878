"""People who publish: a browser, a phone or an encoder offers its picture (WHIP, RFC 9725), and its frames become those of a stream.

- Nothing is decoded. Pictures are H.264 or VP8 as the publisher made them, sound is Opus; parameter sets that came apart are put before each
  IDR picture; a change of size shows in the picture itself, a change of codec ends the sessions of who watches and they ask again.
- Time is the publisher's own, as far as its sender reports can be believed (``capture``).
- What is broken (a hole, a frame that is no picture at all) is left out with all that refers to it, up to the keyframe that is asked for. Who sends
  more than ``Ceiling`` allows is ended.
- One publisher a stream: a second one is refused while something comes of the first, since nobody could tell which of them is watched. One of
  whom nothing came for ``Limits.silent_s`` is gone without a word (a browser that was killed): the next takes its place.
- A stream whose publisher is away stays open for those who watch it and goes on when the publisher comes back.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, MAX_UNIT_BYTES, VIDEO, Codec, Frame
from federation.trunk.hub import Hub
from node.media.annexb import ParameterSets
from node.media.webrtc import offer as sdp
from node.media.webrtc.adapter import Arrived, Clock, Peer
from node.media.webrtc.capture import CommonClock, Unwrapped
from node.media.webrtc.limits import Admission, Limits
from node.media.webrtc.pictures import is_keyframe
from node.media.webrtc.viewing import Answered, closed, trickled

_CODECS: Final = {"H264": Codec.H264, "VP8": Codec.VP8, "OPUS": Codec.OPUS}
_RATES: Final = {VIDEO: 90_000, AUDIO: 48_000}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What one publisher may send."""

    bytes_per_s: int = 30_000_000 // 8
    """30 Mb/s, over some seconds."""
    seconds: float = 2.0


class Publication:
    """One publisher, from the offer on."""

    def __init__(self, stream: str, who: str, publishers: "Publishers") -> None:
        self.id = secrets.token_urlsafe(18)
        self.stream = stream
        self.who = who
        self.since_ns = time.time_ns()
        self.peer = Peer(publishers.addresses, self._changed, publishers.limits.ports)
        self.ufrag = ""
        self.error: ZonghengError | None = None
        self.is_connected = False
        self._publishers = publishers
        self._loop = asyncio.get_running_loop()
        self._sets = ParameterSets()
        self._clock = CommonClock(_RATES)
        self._unwrapped: dict[int, Unwrapped] = {}
        self._broken = True
        self._room = publishers.ceiling.bytes_per_s * publishers.ceiling.seconds
        self._room_s = self._loop.time()
        self._heard_s = self._loop.time()
        self._late = self._loop.call_later(publishers.limits.connect_s, self._too_late)

    async def answer(self, offer: sdp.Offer, rates: sdp.Bitrates) -> str:
        for kind in offer.tracks:
            track = VIDEO if kind == "video" else AUDIO
            codecs = (Codec.H264, Codec.VP8) if track == VIDEO else (Codec.OPUS,)
            self.peer.receive(kind, codecs, self._taker(track), self._hearer(track))
        self.peer.when_lost(self._lost)
        answer = await self.peer.answer(offer.text)
        self.ufrag = sdp.ufrag(offer.text)
        return sdp.with_bitrates(answer, rates)

    async def trickle(self, fragment: str) -> None:
        """Further addresses of the publisher. ZonghengError `protocol` for credentials of another offer."""
        await trickled(self.peer, self.ufrag, fragment)

    def end(self, error: ZonghengError | None = None) -> None:
        """Over; again changes nothing."""
        self._late.cancel()
        self.error = self.error or error
        self._publishers.forget(self)

    @property
    def is_silent(self) -> bool:
        """Whether nothing came of it for so long that somebody else may publish the stream."""
        return self._loop.time() - self._heard_s > self._publishers.limits.silent_s

    def want_keyframe(self) -> None:
        """Ask the publisher for a keyframe; nobody waits for it."""
        self._publishers.tasks.create_task(self._asked())

    async def _asked(self) -> None:
        try:
            await self.peer.want_keyframe()
        except Exception as error:
            _log.info("publisher.not_asked", stream=self.stream, words=str(error))

    def _taker(self, track: int) -> Callable[[Arrived], None]:
        return lambda arrived: self._take(track, arrived)

    def _hearer(self, track: int) -> Callable[[Clock], None]:
        return lambda clock: self._clock.report(track, clock, time.time_ns())

    def _take(self, track: int, arrived: Arrived) -> None:
        now_s, now_ns = self._loop.time(), time.time_ns()
        self._heard_s = now_s
        codec = _CODECS.get(arrived.codec)
        if codec is None or (codec is Codec.OPUS) is not (track == AUDIO):
            return
        if not self._has_room(len(arrived.unit), now_s):
            self.end(
                ZonghengError("too_large", "the publisher sends more than this node takes: lower its bitrate")
            )
            return
        unwrapped = self._unwrapped.setdefault(track, Unwrapped(_RATES[track]))
        unit = self._completed(arrived.unit) if codec is Codec.H264 else arrived.unit
        keyframe = is_keyframe(codec, unit)
        if track == VIDEO:
            if not _is_picture(unit):
                self._lost()
                return
            if self._broken and not keyframe:
                return
            self._broken = False
        self._publishers.put(
            self,
            track,
            unwrapped.ticks(arrived.timestamp, now_s),
            self._clock.captured_ns(track, arrived.timestamp, now_ns),
            keyframe,
            codec,
            unit,
        )

    def _completed(self, unit: bytes) -> bytes:
        """With its parameter sets where it is an IDR picture; empty where nobody could decode it."""
        picture = self._sets.picture(unit)
        return b"" if picture is None else picture.unit

    def _lost(self) -> None:
        """Something of the picture is missing: what comes next refers to it."""
        if not self._broken:
            self._broken = True
            self.want_keyframe()

    def _has_room(self, size: int, now_s: float) -> bool:
        ceiling = self._publishers.ceiling
        gone = (now_s - self._room_s) * ceiling.bytes_per_s
        self._room = min(ceiling.bytes_per_s * ceiling.seconds, self._room + gone) - size
        self._room_s = now_s
        return self._room > 0

    def _changed(self, state: str) -> None:
        if state == "connected":
            self.is_connected = True
            self._late.cancel()
            _log.info("publisher.connected", stream=self.stream, who=self.who)
            self.want_keyframe()
        elif state in {"failed", "closed"}:
            self.end(ZonghengError("unreachable", "the connection with the publisher was lost"))

    def _too_late(self) -> None:
        if not self.is_connected:
            self.end(ZonghengError("deadline", "the publisher did not connect in time"))


def _is_picture(unit: bytes) -> bool:
    if len(unit) > MAX_UNIT_BYTES:
        return False
    return len(unit) >= 3


class Publishers:
    """Everybody who publishes through this worker, and the hubs that their streams feed."""

    def __init__(
        self,
        tasks: asyncio.TaskGroup,
        addresses: Sequence[str] | None,
        limits: Limits,
        admission: Admission,
        ended: Callable[[Publication], None] = lambda publication: None,
        *,
        ceiling: Ceiling | None = None,
        rates: sdp.Bitrates | None = None,
    ) -> None:
        self.tasks = tasks
        self.addresses = addresses
        self.limits = limits
        self.ceiling = ceiling or Ceiling()
        self.publications: dict[str, Publication] = {}
        """By stream."""
        self._admission = admission
        self._ended = ended
        self._rates = rates
        self._hubs: dict[str, Hub] = {}
        self._ticks: dict[tuple[str, int], int] = {}

    async def publish(self, stream: str, offer: str, who: str = "") -> Answered:
        """Answer the offer of somebody who publishes.

        Raises ZonghengError: `too_large` and `bad_request` for the offer, `busy` when somebody publishes this stream already, `at_capacity`.
        """
        read = sdp.read(offer)
        if not read.sent:
            raise ZonghengError("bad_request", "the offer sends nothing: offer the tracks with a=sendonly")
        if (before := self.publications.get(stream)) is not None:
            if not before.is_silent:
                raise ZonghengError("busy", f"{stream} is being published already: end that first")
            before.end(ZonghengError("unreachable", "nothing came of the publisher any more"))
        self._admission.enter()
        publication = self.publications[stream] = Publication(stream, who, self)
        try:
            async with self._admission.offer():
                answer = await publication.answer(read, self._rates or sdp.bitrates(stream))
        except BaseException as error:
            publication.end(error if isinstance(error, ZonghengError) else None)
            raise
        return Answered(publication.id, answer, sdp.ufrag(answer))

    async def feed(self, hub: Hub) -> None:
        """The source of a stream that is published: whoever publishes it, now or later, until this is cancelled."""
        self._hubs[hub.stream] = hub
        hub.ask_keyframe = lambda: self._ask(hub.stream)
        try:
            if hub.stream in self.publications:
                self._ask(hub.stream)
            else:
                hub.lost(ZonghengError("unreachable", f"nobody publishes {hub.stream} at the moment"))
            await asyncio.Event().wait()
        finally:
            if self._hubs.get(hub.stream) is hub:
                del self._hubs[hub.stream]
                for track in (VIDEO, AUDIO):
                    self._ticks.pop((hub.stream, track), None)

    def find(self, session: str) -> Publication | None:
        return next((one for one in self.publications.values() if one.id == session), None)

    def put(
        self,
        publication: Publication,
        track: int,
        ticks: int,
        captured_ns: int,
        keyframe: bool,
        codec: Codec,
        unit: bytes,
    ) -> None:
        """For the publication: its next frame."""
        hub = self._hubs.get(publication.stream)
        if hub is None or self.publications.get(publication.stream) is not publication:
            return
        last = hub.last_seq(track)
        # A publisher that comes back may count from a little before.
        ticks = self._ticks[hub.stream, track] = max(ticks, self._ticks.get((hub.stream, track), 0))
        hub.put(Frame(track, 0 if last is None else last + 1, ticks, captured_ns, keyframe, codec, unit))

    def forget(self, publication: Publication) -> None:
        """For the publication: it is over."""
        if self.publications.get(publication.stream) is not publication:
            return
        del self.publications[publication.stream]
        self._admission.leave()
        if (hub := self._hubs.get(publication.stream)) is not None:
            hub.lost(ZonghengError("unreachable", f"nobody publishes {publication.stream} at the moment"))
        self.tasks.create_task(closed(publication.peer))
        _log.info(
            "publisher.ended",
            stream=publication.stream,
            code=publication.error.code if publication.error else "",
        )
        self._ended(publication)

    def _ask(self, stream: str) -> None:
        if (publication := self.publications.get(stream)) is not None:
            publication.want_keyframe()
