"""People who watch: an offer comes in (WHEP, client-offers form), an answer goes out, and pictures follow as soon as the way is open.

All who watch one stream share a fan-out; it takes its place at the hub with the first of them and leaves it with the last. Who is answered and does
not connect in time, or whose connection fails (ICE consent, RFC 7675: within half a minute of the last sign), is gone from here, and nobody has to clean up.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, VIDEO, Codec
from federation.trunk.hub import Hub
from federation.trunk.hubs import Hubs
from node.media.webrtc import offer as sdp
from node.media.webrtc.adapter import Heard, Kind, Peer
from node.media.webrtc.fanout import FanOut, Lane, Viewer
from node.media.webrtc.limits import Admission, Limits

FIRST_PICTURE_S: Final = 10.0
"""How long an offer waits for a stream to have a picture."""

_TRACKS: Final[dict[Kind, int]] = {"video": VIDEO, "audio": AUDIO}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What an offer gets."""

    session: str
    """Names the session to whoever has it; cannot be guessed."""
    answer: str
    etag: str
    """Names the session's ICE credentials (RFC 9725 §4.3.1)."""


class Session:
    """One viewer, from the offer on."""

    def __init__(self, stream: str, who: str, fan: FanOut, viewers: "Viewers") -> None:
        self.id = secrets.token_urlsafe(18)
        self.stream = stream
        self.who = who
        self.since_ns = time.time_ns()
        self.fan = fan
        self.peer = Peer(viewers.addresses, self._changed, viewers.limits.ports)
        self.viewer = Viewer(self._gone)
        self.ufrag = ""
        self.error: ZonghengError | None = None
        self._viewers = viewers
        self._connected = False
        self._late: asyncio.TimerHandle | None = None

    @property
    def is_watching(self) -> bool:
        return self._connected

    async def answer(self, offer: sdp.Offer, codec: Codec) -> str:
        for kind in offer.tracks:
            track = _TRACKS[kind]
            self.peer.send(
                kind, codec if track == VIDEO else Codec.OPUS, self.fan.ssrc[track], self._listener(track)
            )
        answer = await self.peer.answer(offer.text)
        self.ufrag = sdp.ufrag(offer.text)
        loop = asyncio.get_running_loop()
        self._late = loop.call_later(self._viewers.limits.connect_s, self._too_late)
        return answer

    def end(self, error: ZonghengError | None = None) -> None:
        """Over; again changes nothing."""
        if self._late is not None:
            self._late.cancel()
        self.error = self.error or error
        self.fan.remove(self.viewer, error)
        self._viewers.forget(self)

    def _listener(self, track: int) -> Callable[[Heard], None]:
        return lambda heard: self.fan.heard(self.viewer, track, heard)

    def _changed(self, state: str) -> None:
        if state == "connected" and not self._connected:
            self._connected = True
            if self._late is not None:
                self._late.cancel()
            for kind, track in _TRACKS.items():
                if (way := self.peer.outlet(kind)) is not None:
                    self.viewer.lanes[track] = Lane(*way)
            self.fan.add(self.viewer)
        elif state in {"failed", "closed"}:
            self.end(ZonghengError("unreachable", "the connection with the viewer was lost"))

    def _gone(self, error: ZonghengError | None) -> None:
        self.end(error)

    def _too_late(self) -> None:
        if not self._connected:
            self.end(ZonghengError("deadline", "the viewer did not connect in time"))


class Viewers:
    """Everybody who watches through this worker. ``ended`` is told of each session once, after its last packet."""

    def __init__(
        self,
        hubs: Hubs,
        tasks: asyncio.TaskGroup,
        addresses: Sequence[str] | None,
        limits: Limits,
        admission: Admission,
        ended: Callable[[Session], None] = lambda session: None,
    ) -> None:
        self.addresses = addresses
        self.limits = limits
        self.sessions: dict[str, Session] = {}
        self._hubs = hubs
        self._tasks = tasks
        self._admission = admission
        self._ended = ended
        self._fans: dict[Hub, FanOut] = {}
        self._held: dict[FanOut, int] = {}

    async def view(self, stream: str, offer: str, who: str = "") -> Answered:
        """Answer the offer of somebody who wants to watch.

        Raises ZonghengError: `too_large` and `bad_request` for the offer, `at_capacity`, and what keeps the stream from having a picture.
        """
        read = sdp.read(offer)
        if "video" not in read.received:
            raise ZonghengError("bad_request", "the offer has no video track in which to receive the picture")
        self._admission.enter()
        try:
            fan = await self.fan(stream)
        except BaseException:
            self._admission.leave()
            raise
        # From here on the session has both, and gives them back when it ends.
        session = Session(stream, who, fan, self)
        self.sessions[session.id] = session
        try:
            codec = await first_picture(fan, FIRST_PICTURE_S)
            async with self._admission.offer():
                answer = await session.answer(read, codec)
        except BaseException as error:
            session.end(error if isinstance(error, ZonghengError) else None)
            raise
        return Answered(session.id, answer, sdp.ufrag(answer))

    async def trickle(self, session_id: str, fragment: str) -> None:
        """Further addresses of a viewer. ZonghengError `not_found`; `protocol` for credentials of another offer (an ICE restart)."""
        session = self._session(session_id)
        await trickled(session.peer, session.ufrag, fragment)

    def end(self, session_id: str, error: ZonghengError | None = None) -> None:
        """End a session; ZonghengError `not_found`."""
        self._session(session_id).end(error)

    async def fan(self, stream: str) -> FanOut:
        """The stream's fan-out, held for the caller until it is released."""
        hub = await self._hubs.open(stream)
        fan = self._fans.get(hub)
        if fan is None:
            fan = self._fans[hub] = FanOut(hub, asyncio.get_running_loop())
        self._hold(fan)
        return fan

    def release(self, fan: FanOut) -> None:
        """Let go of a fan-out; with the last who held it, it leaves the hub."""
        self._held[fan] -= 1
        if not self._held[fan]:
            del self._held[fan]
            if self._fans.get(fan.hub) is fan:
                del self._fans[fan.hub]
            fan.close()

    def forget(self, session: Session) -> None:
        """For the session: it is over."""
        if self.sessions.pop(session.id, None) is None:
            return
        self._admission.leave()
        self.release(session.fan)
        self._tasks.create_task(closed(session.peer))
        _log.info("viewer.ended", stream=session.stream, code=session.error.code if session.error else "")
        self._ended(session)

    def _hold(self, fan: FanOut) -> None:
        self._held[fan] = self._held.get(fan, 0) + 1

    def _session(self, session_id: str) -> Session:
        session = self.sessions.get(session_id)
        if session is None:
            raise ZonghengError("not_found", "there is no such session: it may have ended")
        return session


async def first_picture(fan: FanOut, within_s: float) -> Codec:
    """Wait for the codec of a stream's picture. Raises what the stream ended with, `deadline` when it has none in time."""
    try:
        async with asyncio.timeout(within_s):
            return await fan.first_codec()
    except TimeoutError:
        raise fan.hub.error or ZonghengError(
            "deadline", f"{fan.hub.stream} gave no picture within {within_s:g} s: is its camera on?"
        ) from None


async def trickled(peer: Peer, ufrag: str, fragment: str) -> None:
    """Give a peer the addresses that came later; ``ufrag`` names the credentials of its offer."""
    read = sdp.read_fragment(fragment)
    if read.ufrag and read.ufrag != ufrag:
        raise ZonghengError("protocol", "ICE is not restarted: end the session and offer again")
    for mid, candidate in read.candidates:
        await peer.candidate(candidate, mid, 0)


async def closed(peer: Peer) -> None:
    """Close a connection; nothing of it is waited for longer than ten seconds."""
    try:
        async with asyncio.timeout(10):
            await peer.close()
    except Exception as error:
        _log.warning("viewer.not_closed", words=str(error))
