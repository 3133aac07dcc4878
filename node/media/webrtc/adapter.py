"""What we use of aiortc and aioice beyond their public API: all of it, and only here.

aiortc keeps SDP, ICE, DTLS and the reading of RTCP. It offers no way to send packets that somebody else built, or to be given
pictures that it did not decode; both are a handful of its private names away. ``tests/unit/media/test_adapter.py`` holds each of them
to what this module needs, and aiortc is pinned: an upgrade that changes one fails in a test.

- The sender of a viewer's track starts no tasks: packets come from the fan-out (``Outlet``), and so do sender reports.
- The receiver of a publisher's track hands its packets to us (``assembly``), in the event loop, without its jitter buffer and its decoder's thread.
- ICE offers the addresses that it is told, and no other, at ports of the range that it is told.
"""

import asyncio
import errno
import os
import random
import re
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Literal

import aioice.ice
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCRtpSender,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
)
from aiortc.sdp import candidate_from_sdp

from federation.errors import ZonghengError
from federation.trunk.frame import Codec
from node.media.webrtc.assembly import Assembly, Part

Kind = Literal["video", "audio"]

_MIME: Final = {Codec.H264: "video/H264", Codec.VP8: "video/VP8", Codec.OPUS: "audio/opus"}

_VIDEO_PACKETS: Final = 512
_AUDIO_PACKETS: Final = 4
_PATIENCE_S: Final = 0.5
"""So long, and for so many packets after it, one that is missing is waited for."""

_addresses: ContextVar[tuple[str, ...] | None] = ContextVar("ice_addresses", default=None)
_every_address = aioice.ice.get_host_addresses


def _told_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    told = _addresses.get()
    if told is None:
        return _every_address(use_ipv4, use_ipv6)
    return [one for one in told if (use_ipv6 if ":" in one else use_ipv4)]


aioice.ice.get_host_addresses = _told_addresses

_ports: ContextVar[range | None] = ContextVar("ice_ports", default=None)


class _InRange:
    """In place of an event loop's ``create_datagram_endpoint``: a socket for which any port would do gets a free one out of the told range."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._bind: Callable[..., Awaitable[Any]] = loop.create_datagram_endpoint

    async def __call__(self, protocol: Any, local_addr: Any = None, **more: Any) -> Any:
        ports = _ports.get()
        if ports is None or local_addr is None or local_addr[1] != 0:
            return await self._bind(protocol, local_addr=local_addr, **more)
        first = random.randrange(len(ports))
        for step in range(len(ports)):
            port = ports[(first + step) % len(ports)]
            try:
                return await self._bind(protocol, local_addr=(local_addr[0], port), **more)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE, f"no port from {ports.start} to {ports[-1]} is free")


def _bind_in_range() -> None:
    loop: Any = asyncio.get_running_loop()
    if not isinstance(loop.create_datagram_endpoint, _InRange):
        loop.create_datagram_endpoint = _InRange(loop)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a viewer's receiver reports of a track."""

    lost: tuple[int, ...] = ()
    """Sequence numbers (16 bits) that it misses."""
    wants_keyframe: bool = False
    fraction_lost: float | None = None
    """Of what was sent since its last report; None: it does not say."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A frame of a publisher, put together from its packets."""

    codec: str
    """Name in the SDP, in upper case."""
    timestamp: int
    """RTP timestamp, 32 bits."""
    unit: bytes


@dataclass(frozen=True, slots=True)
class Clock:
    """What a publisher's sender report says: this RTP timestamp was this instant on its clock."""

    ntp: int
    timestamp: int


class Outlet:
    """Where the packets of one viewer go: their keys, their socket, their address.

    Only while the peer is connected. Raises ConnectionError once it no longer is.
    """

    def __init__(self, sender: RTCRtpSender) -> None:
        dtls: Any = sender.transport
        self._connection = dtls.transport._connection
        self._seal: Callable[[bytes], bytes] = dtls._tx_srtp.protect
        self._seal_report: Callable[[bytes], bytes] = dtls._tx_srtp.protect_rtcp
        self._pair: Any = None
        self._socket: socket.socket | None = None
        self.address: tuple[str, int] = ("", 0)

    def seal(self, packets: Sequence[bytes]) -> list[bytes]:
        """SRTP; the packets in the order of their numbers, save for those that are sent again."""
        seal = self._seal
        return [seal(packet) for packet in packets]

    def seal_report(self, packet: bytes) -> bytes:
        """SRTCP."""
        return self._seal_report(packet)

    def socket(self) -> socket.socket:
        """The socket of the pair that is in use now, with ``address`` as where to send."""
        pair = self._connection._nominated.get(1)
        if pair is None:
            raise ConnectionError("the peer is gone")
        if pair is not self._pair or self._socket is None:
            self.close()
            # Of our own, since the transport's socket cannot send a message in parts.
            self._socket = socket.socket(
                fileno=os.dup(pair.protocol.transport.get_extra_info("socket").fileno())
            )
            self._socket.setblocking(False)
            self._pair, self.address = pair, pair.remote_addr
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Peer:
    """One connection with a browser, a player, a publisher or a media server.

    ``addresses`` are this machine's that the other side may send to; None: every one but loopback. ``changed`` is told of each new state of the connection: connecting,
    connected, failed, closed.
    """

    def __init__(
        self,
        addresses: Sequence[str] | None,
        changed: Callable[[str], None],
        ports: range | None = None,
    ) -> None:
        self._ports = ports
        self._addresses = None if addresses is None else tuple(addresses)
        # No servers: by default aiortc asks one on the internet for our address.
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._transceivers: dict[Kind, RTCRtpTransceiver] = {}
        self._ask_keyframe: Callable[[int], Awaitable[None]] | None = None

        def tell() -> None:
            changed(self._connection.connectionState)

        self._connection.on("connectionstatechange", tell)

    @property
    def state(self) -> str:
        return self._connection.connectionState

    def send(self, kind: Kind, codec: Codec, ssrc: int, heard: Callable[[Heard], None]) -> None:
        """Have a track that is sent in this codec under this SSRC by ``outlet``; before any description."""
        transceiver = self._connection.addTransceiver(kind, direction="sendonly")
        self._prefer(transceiver, kind, (codec,))
        sender: Any = transceiver.sender
        sender._ssrc = ssrc

        async def start(parameters: Any) -> None:
            transceiver.sender.transport._register_rtp_sender(sender, parameters)

        async def stop() -> None:
            transceiver.sender.transport._unregister_rtp_sender(sender)

        async def handle(packet: Any) -> None:
            if (told := _heard(packet, ssrc)) is not None:
                heard(told)

        sender.send, sender.stop, sender._handle_rtcp_packet = start, stop, handle
        self._transceivers[kind] = transceiver

    def receive(
        self,
        kind: Kind,
        codecs: Sequence[Codec],
        arrived: Callable[[Arrived], None],
        clock: Callable[[Clock], None],
    ) -> None:
        """Have a track that is received in one of these codecs, the first of them if the publisher can; before any description."""
        transceiver = self._connection.addTransceiver(kind, direction="recvonly")
        self._prefer(transceiver, kind, codecs)
        receiver: Any = transceiver.receiver
        receiver._RTCRtpReceiver__decoder_queue = _NoDecoder()
        receiver._RTCRtpReceiver__jitter_buffer = _Assembled(receiver, kind, arrived)
        handled: Callable[[Any], Awaitable[None]] = receiver._handle_rtcp_packet

        async def handle(packet: Any) -> None:
            if isinstance(packet, RtcpSrPacket):
                clock(Clock(packet.sender_info.ntp_timestamp, packet.sender_info.rtp_timestamp))
            await handled(packet)

        receiver._handle_rtcp_packet = handle
        self._transceivers[kind] = transceiver

    def when_lost(self, lost: Callable[[], None]) -> None:
        """``lost`` is told when packets of a received picture are gone for good; the publisher is asked for a keyframe besides."""
        transceiver = self._transceivers.get("video")
        if transceiver is None:
            return
        receiver: Any = transceiver.receiver
        ask = self._ask_keyframe = receiver._send_rtcp_pli

        async def told(media_ssrc: int) -> None:
            lost()
            await ask(media_ssrc)

        receiver._send_rtcp_pli = told

    async def answer(self, offer: str) -> str:
        """Take the other side's offer, in which every track is one that was had ready, and answer it with all candidates.

        Raises ZonghengError `bad_request` for what is no offer, or one that has no codec in common.
        """
        with self._told():
            try:
                await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
                self._await_hello()
                await self._connection.setLocalDescription()
            except Exception as error:
                # Whatever a stranger's text may raise in a parser: it is their text.
                raise ZonghengError(
                    "bad_request", f"this offer cannot be answered: {str(error)[:200]}"
                ) from error
        return self._described()

    def _await_hello(self) -> None:
        """Let the other side begin DTLS, where it leaves that to us: GStreamer's does not get through a handshake that we begin."""
        for transceiver in self._transceivers.values():
            dtls: Any = transceiver.receiver.transport
            if dtls._role == "auto":
                dtls._set_role("server")

    async def offer(self) -> str:
        """An offer of the tracks that were had ready, with all candidates."""
        with self._told():
            await self._connection.setLocalDescription()
        return self._described()

    async def accept(self, answer: str) -> None:
        """The other side's answer to ``offer``; ZonghengError `protocol` for what is none."""
        with self._told():
            try:
                await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            except Exception as error:
                raise ZonghengError(
                    "protocol", f"this is no answer to the offer: {str(error)[:200]}"
                ) from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        """ICE begins in here."""
        if self._ports is not None:
            _bind_in_range()
        addresses, ports = _addresses.set(self._addresses), _ports.set(self._ports)
        try:
            yield
        finally:
            _addresses.reset(addresses)
            _ports.reset(ports)

    def _described(self) -> str:
        """Our description. Raises ZonghengError `at_capacity` where no port was free."""
        text: str = self._connection.localDescription.sdp
        if self._ports is not None and not re.search(r"^a=candidate:", text, re.MULTILINE):
            raise ZonghengError(
                "at_capacity",
                f"all UDP ports from {self._ports.start} to {self._ports[-1]} are taken: name more in [webrtc] ports of node.toml",
                retry_after_ms=10_000,
            )
        return text

    async def candidate(self, line: str, mid: str, index: int) -> None:
        """One more address of the other side (trickle ICE): the text after ``candidate:``. ZonghengError `bad_request` for what is none."""
        try:
            candidate = candidate_from_sdp(line)
            candidate.sdpMid, candidate.sdpMLineIndex = mid, index
            await self._connection.addIceCandidate(candidate)
        except Exception as error:
            raise ZonghengError("bad_request", f"{line[:100]!r} is no candidate") from error

    def outlet(self, kind: Kind) -> tuple[Outlet, int] | None:
        """Where packets of this track go and the payload type they bear there; None where the other side did not take the track."""
        transceiver = self._transceivers.get(kind)
        if transceiver is None or transceiver.currentDirection != "sendonly" or not transceiver._codecs:
            return None
        payload_type = transceiver._codecs[0].payloadType
        return None if payload_type is None else (Outlet(transceiver.sender), payload_type)

    async def want_keyframe(self) -> None:
        """Ask a publisher for a keyframe of its picture (PLI, RFC 4585 §6.3.1)."""
        transceiver = self._transceivers.get("video")
        if transceiver is not None and self.state == "connected":
            receiver: RTCRtpReceiver = transceiver.receiver
            ask = self._ask_keyframe or receiver._send_rtcp_pli
            for source in receiver.getSynchronizationSources():
                await ask(source.source)

    async def close(self) -> None:
        await self._connection.close()

    def _prefer(self, transceiver: RTCRtpTransceiver, kind: Kind, codecs: Sequence[Codec]) -> None:
        able = RTCRtpSender.getCapabilities(kind).codecs
        # Constrained baseline before baseline: every player has it. Without RTX, what is lost is sent again as it was.
        able.sort(key=lambda one: str(one.parameters.get("profile-level-id", "")), reverse=True)
        transceiver.setCodecPreferences(
            [one for codec in codecs for one in able if one.mimeType == _MIME[codec]]
        )


class _Assembled:
    """In place of a receiver's jitter buffer, which would keep a picture until the next begins, and a voice for 80 ms."""

    def __init__(self, receiver: Any, kind: Kind, arrived: Callable[[Arrived], None]) -> None:
        self._codecs: dict[int, Any] = receiver._RTCRtpReceiver__codecs
        self._is_video = kind == "video"
        self._assembly = Assembly(
            whole=not self._is_video,
            most=_VIDEO_PACKETS if self._is_video else _AUDIO_PACKETS,
            patience_s=_PATIENCE_S,
        )
        self._arrived = arrived

    def add(self, packet: Any) -> tuple[bool, None]:
        """Whether the picture's next keyframe is to be asked for; frames are handed on from here."""
        codec = self._codecs[packet.payload_type].name.upper()
        part = Part(packet.sequence_number, packet.timestamp, bool(packet.marker), bytes(packet._data))
        found, lost = self._assembly.add(part, time.monotonic())
        for one in found:
            self._arrived(Arrived(codec, one.timestamp, one.unit))
        return lost and self._is_video, None


class _NoDecoder:
    """In place of the queue to a receiver's decoder: its thread ends as soon as it begins."""

    def put(self, task: Any) -> None:
        pass

    def get(self) -> None:
        pass


def _heard(packet: Any, ssrc: int) -> Heard | None:
    if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
        return Heard(lost=tuple(packet.lost))
    if isinstance(packet, RtcpPsfbPacket) and packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
        return Heard(wants_keyframe=True)
    if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
        for report in packet.reports:
            if report.ssrc == ssrc:
                return Heard(fraction_lost=report.fraction_lost / 256)
    return None
