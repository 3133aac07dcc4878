"""The contract with aiortc and aioice: every private name that the adapter touches is there, and means what the adapter takes it for.

When an upgrade of either fails here, node/media/webrtc/adapter.py is what has to be looked at.
"""

import asyncio
import inspect
import random
import re
import socket
from itertools import pairwise
from pathlib import Path
from typing import Any

import aioice.ice
import aiortc.rtcrtpreceiver
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpreceiver import RTCRtpReceiver, decoder_worker
from aiortc.rtcrtpsender import RTCRtpSender
from aiortc.rtp import RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from federation.errors import ZonghengError
from federation.trunk.frame import Codec
from node.media.webrtc import adapter, offer
from node.media.webrtc.adapter import Arrived, Clock, Heard, Peer
from node.media.webrtc.payload import payloads
from tests.unit.link.units import eventually
from tests.unit.media import clips

LOOPBACK = ["127.0.0.1"]


def no_change(state: str) -> None:
    pass


def no_clock(clock: Clock) -> None:
    pass


async def browser(*kinds: str) -> RTCPeerConnection:
    """Another side that is aiortc's alone."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in kinds:
        connection.addTransceiver(kind, direction="recvonly")
    return connection


async def offered(connection: RTCPeerConnection) -> str:
    token = adapter._addresses.set(("127.0.0.1",))
    try:
        await connection.setLocalDescription()
    finally:
        adapter._addresses.reset(token)
    return connection.localDescription.sdp


def test_no_other_module_touches_a_private_name_of_aiortc(repository: Path) -> None:
    for path in (repository / "node").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name != "adapter.py":
            assert not re.search(r"^\s*(from|import) (aiortc|aioice|pylibsrtp)", text, re.MULTILINE), path


def test_ice_takes_its_addresses_from_the_function_that_is_replaced() -> None:
    assert "get_host_addresses(" in inspect.getsource(aioice.ice.Connection.gather_candidates)
    assert aioice.ice.get_host_addresses is adapter._told_addresses


def test_ice_binds_its_sockets_with_the_function_that_is_replaced_and_to_any_port() -> None:
    source = inspect.getsource(aioice.ice.Connection.get_component_candidates)
    assert re.search(
        r"loop\.create_datagram_endpoint\(\s*lambda: StunProtocol\(self\), local_addr=\(address, 0\)", source
    )
    assert "loop = asyncio.get_running_loop()" in source
    # What cannot be bound is left out, and no error.
    assert re.search(r"except OSError as exc:.*?continue", source, re.DOTALL)


def _ports_of(description: str) -> list[int]:
    return [int(line.split()[5]) for line in re.findall(r"^a=candidate:(.+)$", description, re.MULTILINE)]


def _three_free_ports() -> int:
    """The first of three below those that the system gives to whoever asks for any."""
    while True:
        first = random.randrange(20_000, 32_000)
        try:
            for port in range(first, first + 3):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first


async def test_ice_offers_ports_of_the_range_that_it_is_told_until_none_is_free() -> None:
    port = _three_free_ports()
    ports = range(port, port + 3)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", port))
        peers, told = [], []
        for _ in range(2):
            peer = Peer(LOOPBACK, no_change, ports)
            peers.append(peer)
            peer.send("video", Codec.H264, 1, lambda heard: None)
            told += _ports_of(await peer.offer())
        assert sorted(told) == [port + 1, port + 2]
        one_too_many = Peer(LOOPBACK, no_change, ports)
        one_too_many.send("video", Codec.H264, 1, lambda heard: None)
        with pytest.raises(ZonghengError) as refused:
            await one_too_many.offer()
        assert refused.value.code == "at_capacity"
        await peers[0].close()
        again = Peer(LOOPBACK, no_change, ports)
        again.send("video", Codec.H264, 1, lambda heard: None)
        assert _ports_of(await again.offer()) == told[:1]
        for peer in (*peers, one_too_many, again):
            await peer.close()


async def test_an_answer_names_a_port_of_the_range_too_and_others_take_any() -> None:
    player = await browser("video")
    offer = await offered(player)
    assert _ports_of(offer)
    peer = Peer(LOOPBACK, no_change, range(20_000, 32_000))
    peer.send("video", Codec.H264, 1, lambda heard: None)
    assert all(20_000 <= port < 32_000 for port in _ports_of(await peer.answer(offer)))
    free = Peer(LOOPBACK, no_change)
    free.send("video", Codec.H264, 1, lambda heard: None)
    assert _ports_of(await free.offer())
    for one in (peer, free):
        await one.close()
    await player.close()


async def test_ice_offers_the_addresses_that_it_is_told_and_no_other() -> None:
    peer = Peer(LOOPBACK, no_change)
    peer.send("video", Codec.H264, 1, lambda heard: None)
    text = await peer.offer()
    assert {line.split()[4] for line in re.findall(r"^a=candidate:(.+)$", text, re.MULTILINE)} == {
        "127.0.0.1"
    }
    await peer.close()


def test_a_sender_is_started_stopped_and_told_of_rtcp_by_the_methods_that_are_replaced() -> None:
    for name in ("send", "stop", "_handle_rtcp_packet"):
        assert inspect.iscoroutinefunction(getattr(RTCRtpSender, name)), name
    assert list(inspect.signature(RTCRtpSender.send).parameters) == ["self", "parameters"]
    assert list(inspect.signature(RTCRtpSender._handle_rtcp_packet).parameters) == ["self", "packet"]
    for name in ("_set_role", "_register_rtp_sender"):
        assert callable(getattr(RTCDtlsTransport, name)), name
    assert "sender._ssrc" in inspect.getsource(RTCDtlsTransport._register_rtp_sender)
    assert callable(RTCDtlsTransport._unregister_rtp_sender)


def test_a_receiver_hands_its_packets_to_the_buffer_that_is_replaced() -> None:
    source = inspect.getsource(RTCRtpReceiver)
    assert "packet._data = depayload(codec, packet.payload)" in source
    assert "pli_flag, encoded_frame = self.__jitter_buffer.add(packet)" in source
    assert "codec = self.__codecs.get(packet.payload_type)" in source
    assert "self.__codecs[codec.payloadType] = codec" in source
    assert "self.__decoder_queue.put(None)" in source
    assert list(inspect.signature(RTCRtpReceiver._send_rtcp_pli).parameters) == ["self", "media_ssrc"]
    # Its thread ends with the first task that is none.
    assert "task = input_q.get()" in inspect.getsource(decoder_worker)
    assert aiortc.rtcrtpreceiver.NackGenerator is not None


async def test_what_was_encoded_elsewhere_reaches_a_receiver_under_our_ssrc_and_payload_type() -> None:
    states: list[str] = []
    heard: list[Heard] = []
    peer = Peer(LOOPBACK, states.append)
    peer.send("video", Codec.H264, 4_242, heard.append)
    viewer = await browser("video")
    answer = await peer.answer(offer.read(await offered(viewer)).text)
    # Who offers begins the handshake.
    assert "a=setup:passive" in answer
    await viewer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await eventually(lambda: peer.state == "connected" and viewer.connectionState == "connected")
    assert states[-1] == "connected"
    way = peer.outlet("video")
    assert way is not None
    outlet, payload_type = way
    assert peer.outlet("audio") is None
    [receiver] = viewer.getReceivers()
    track: MediaStreamTrack = receiver.track
    number = 0
    shown: list[Any] = []

    async def show() -> None:
        shown.append(await track.recv())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(show())
        while not shown:
            for at, unit in enumerate(clips.units()):
                for part in payloads(Codec.H264, unit):
                    packet = RtpPacket(
                        payload_type=payload_type, sequence_number=number, timestamp=3_600 * at, ssrc=4_242
                    )
                    packet.payload = part
                    number += 1
                    outlet.socket().sendto(*[outlet.seal([packet.serialize()])[0], outlet.address])
                await asyncio.sleep(0.01)
    assert shown[0].width == 320
    # What its receiver reports comes back, by the routes that RTCP takes.
    await receiver._send_rtcp_pli(4_242)
    await receiver._send_rtcp_nack(4_242, [3, 4, 900])
    await eventually(lambda: {Heard(wants_keyframe=True), Heard(lost=(3, 4, 900))} <= set(heard))
    await eventually(lambda: any(one.fraction_lost is not None for one in heard))
    await viewer.close()
    await eventually(lambda: states[-1] in {"closed", "failed"})
    await peer.close()
    with pytest.raises(ConnectionError):
        outlet.socket()
    outlet.close()


async def test_a_publishers_frames_arrive_undecoded_with_their_timestamps_and_clock() -> None:
    arrived: list[Arrived] = []
    clocks: list[Clock] = []
    peer = Peer(LOOPBACK, no_change)
    peer.receive("video", (Codec.H264, Codec.VP8), arrived.append, clocks.append)
    publisher = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    track = _Clip()
    publisher.addTrack(track)
    answer = await peer.answer(offer.read(await offered(publisher)).text)
    await publisher.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await eventually(lambda: len(arrived) > 25 and bool(clocks))
    assert {one.codec for one in arrived} == {"H264"}
    assert clips.pictures(Codec.H264, [one.unit for one in arrived]) == len(arrived)
    steps = {later.timestamp - one.timestamp & 0xFFFFFFFF for one, later in pairwise(arrived)}
    assert steps == {3_600}
    await peer.want_keyframe()
    await eventually(lambda: track.keyframes_wanted(publisher))
    await peer.close()
    await publisher.close()


async def test_an_upgrade_that_routes_rtcp_otherwise_is_noticed() -> None:
    assert RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=[5]).lost == [5]
    assert RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2).fmt == 1


@pytest.mark.parametrize(
    "text", ["", "v=0", "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "\x00" * 100, "v=0\r\nm=video\r\n"]
)
async def test_whatever_is_no_offer_is_refused_in_words(text: str) -> None:
    peer = Peer(LOOPBACK, no_change)
    peer.send("video", Codec.H264, 1, lambda heard: None)
    with pytest.raises(ZonghengError) as told:
        await peer.answer(text)
    assert told.value.code == "bad_request"
    await peer.close()


class _Clip(MediaStreamTrack):
    """A track that is encoded already."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._at = 0

    async def recv(self) -> Any:
        import av

        await asyncio.sleep(0.02)
        packet = av.Packet(clips.units()[self._at % 50])
        packet.pts = packet.dts = self._at * 3_600
        packet.time_base = clips.fractions.Fraction(1, 90_000)
        self._at += 1
        return packet

    def keyframes_wanted(self, connection: RTCPeerConnection) -> bool:
        sender: Any = connection.getSenders()[0]
        return bool(sender._RTCRtpSender__force_keyframe)
