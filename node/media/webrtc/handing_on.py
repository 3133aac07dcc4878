"""A stream handed on to a media server: we offer, it answers (WHIP, RFC 9725), and its viewers are its own affair.

For streams whose viewers outgrow a machine. To the fan-out the server is one more viewer. When the connection is lost it is made again, after a
rest that doubles up to half a minute; a server that refuses with 4xx is not asked again, since it would say the same.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
import structlog

from federation.errors import ZonghengError, of
from federation.identity.credentials import is_loopback
from federation.trunk.frame import AUDIO, VIDEO, Codec
from node.media.webrtc import offer as sdp
from node.media.webrtc.adapter import Heard, Kind, Peer
from node.media.webrtc.fanout import FanOut, Lane, Viewer
from node.media.webrtc.viewing import Viewers, closed, first_picture

_FIRST_REST_S: Final = 1.0
_LONGEST_REST_S: Final = 30.0
_ANSWER_S: Final = 10.0
_PICTURE_S: Final = 30.0

_TRACKS: Final[dict[Kind, int]] = {"video": VIDEO, "audio": AUDIO}

_log = structlog.get_logger(__name__)


def checked(endpoint: str) -> str:
    """The address of a media server. ZonghengError `bad_request` for what is none, or would be spoken to in the clear away from here."""
    parts = urlsplit(endpoint)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise ZonghengError("bad_request", f"{endpoint[:200]!r} has no port that could be one") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ZonghengError(
            "bad_request", f"{endpoint[:200]!r} is no address of a media server: give https://…"
        )
    if parts.scheme == "http" and not is_loopback(f"{parts.hostname}:{port}"):
        raise ZonghengError(
            "bad_request", "http:// is for a media server on this machine only: give https://…"
        )
    return endpoint


class HandedOn:
    """One stream on its way to one media server."""

    def __init__(self, stream: str, endpoint: str, token: str, viewers: Viewers) -> None:
        self.id = secrets.token_urlsafe(18)
        self.stream = stream
        self.endpoint = checked(endpoint)
        self.since_ns = time.time_ns()
        self.error: ZonghengError | None = None
        self.is_connected = False
        self._token = token
        self._viewers = viewers

    async def run(self) -> None:
        """Until it is cancelled, or the server refuses for good: then ZonghengError says what it said."""
        rest_s = _FIRST_REST_S
        while True:
            began = time.monotonic()
            try:
                await self._once()
            except _Refused:
                raise
            except Exception as error:
                self.error = of(error)
                _log.info("handed_on.lost", stream=self.stream, words=str(self.error))
            finally:
                self.is_connected = False
            if time.monotonic() - began > _LONGEST_REST_S:
                rest_s = _FIRST_REST_S
            await asyncio.sleep(rest_s)
            rest_s = min(_LONGEST_REST_S, rest_s * 2)

    async def _once(self) -> None:
        """One connection, until it is lost."""
        fan = await self._viewers.fan(self.stream)
        over: asyncio.Future[ZonghengError | None] = asyncio.get_running_loop().create_future()

        def finish(error: ZonghengError | None) -> None:
            if not over.done():
                over.set_result(error)

        viewer = Viewer(finish)
        peer: Peer | None = None

        def changed(state: str) -> None:
            if state == "connected" and peer is not None and not self.is_connected:
                self.is_connected, self.error = True, None
                for kind, track in _TRACKS.items():
                    if (way := peer.outlet(kind)) is not None:
                        viewer.lanes[track] = Lane(*way)
                fan.add(viewer)
            elif state in {"failed", "closed"}:
                finish(ZonghengError("unreachable", "the connection with the media server was lost"))

        session = ""
        try:
            codec = await first_picture(fan, _PICTURE_S)
            peer = Peer(self._viewers.addresses, changed, self._viewers.limits.ports)
            for kind, track in _TRACKS.items():
                peer.send(
                    kind,
                    codec if track == VIDEO else Codec.OPUS,
                    fan.ssrc[track],
                    _listener(fan, viewer, track),
                )
            session = await self._negotiate(peer)
            if error := await over:
                raise error
        finally:
            fan.remove(viewer)
            self._viewers.release(fan)
            if peer is not None:
                await closed(peer)
            if session:
                await self._end(session)

    async def _negotiate(self, peer: Peer) -> str:
        """Offer and take the answer; the address of the session at the server."""
        async with httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False) as client:
            answer = await client.post(
                self.endpoint,
                content=await peer.offer(),
                headers={"Content-Type": "application/sdp", **self._authorization()},
            )
        if answer.status_code != 201:
            words = f"the media server answered {answer.status_code} to the offer"
            if 400 <= answer.status_code < 500 and answer.status_code not in {408, 409, 425, 429}:
                raise _Refused("unreachable", f"{words}: check its address and token")
            raise ZonghengError("unreachable", words)
        if len(answer.content) > sdp.MOST_BYTES:
            raise ZonghengError("too_large", "the media server's answer is no answer")
        await peer.accept(answer.text)
        return urljoin(self.endpoint, str(answer.headers.get("location", "")))

    async def _end(self, session: str) -> None:
        try:
            async with (
                asyncio.timeout(_ANSWER_S),
                httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False) as client,
            ):
                await client.delete(session, headers=self._authorization())
        except (httpx.HTTPError, TimeoutError) as error:
            _log.info("handed_on.not_ended", stream=self.stream, words=str(error))

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}


class _Refused(ZonghengError):
    """The media server will say the same again."""


def _listener(fan: FanOut, viewer: Viewer, track: int) -> Callable[[Heard], None]:
    def told(heard: Heard) -> None:
        fan.heard(viewer, track, heard)

    return told
