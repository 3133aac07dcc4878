"""Many who watch, in a process of their own: real ICE, DTLS and receiver reports, and packets counted instead of decoded.

    python watchers.py ours SOCKET | python watchers.py janus URL

Told on standard input, a line each: `+N` joins so many more and answers with how many are connected; `N` counts for so many seconds and answers
with `{"received": …, "lost": …, "first_ms": …}`. Each packet's number stands in its header, which SRTP leaves in the clear.
"""

import asyncio
import json
import os
import random
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aioice.ice
import httpx
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

_UDP_GRO = 104
_SOL_UDP = 17


@dataclass
class Watcher:
    """One who watches."""

    connection: RTCPeerConnection
    ssrc: int = 0
    newest: int = -1
    received: int = 0
    lost: int = 0
    joined_s: float = 0.0
    first_s: float = 0.0
    held: list[Any] = field(default_factory=list)

    def count(self, packet: memoryview) -> None:
        if 64 <= packet[1] & 0x7F <= 95:
            return
        number = packet[2] << 8 | packet[3]
        if self.newest < 0:
            self.ssrc = int.from_bytes(packet[8:12], "big")
            self.first_s = time.monotonic()
            self.newest = number - 1 & 0xFFFF
        step = (number - self.newest + 0x8000 & 0xFFFF) - 0x8000
        self.received += 1
        if step > 0:
            self.lost += step - 1
            self.newest = number
        else:
            self.lost -= 1


def take_over(watcher: Watcher, loop: asyncio.AbstractEventLoop) -> None:
    """Read the connection's socket without the detours of a decoder: what is no media goes where it went before."""
    [transceiver, *_] = watcher.connection.getTransceivers()
    dtls: Any = transceiver.receiver.transport
    pair = dtls.transport._connection._nominated[1]
    transport = pair.protocol.transport
    own = socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))
    own.setblocking(False)
    own.setsockopt(_SOL_UDP, _UDP_GRO, 1)
    transport.pause_reading() if hasattr(transport, "pause_reading") else loop.remove_reader(
        transport._sock_fd
    )
    room = bytearray(1 << 16)
    view = memoryview(room)

    def ready() -> None:
        try:
            while True:
                size, controls, _, address = own.recvmsg_into([room], 64)
                segment = size
                for level, kind, content in controls:
                    if level == _SOL_UDP and kind == _UDP_GRO:
                        segment = int.from_bytes(content[:4], sys.byteorder)
                for at in range(0, size, segment):
                    packet = view[at : min(size, at + segment)]
                    if 128 <= packet[0] < 192:
                        watcher.count(packet)
                    else:
                        pair.protocol.datagram_received(bytes(packet), address)
        except BlockingIOError:
            pass

    def report() -> None:
        info = RtcpReceiverInfo(
            ssrc=watcher.ssrc, fraction_lost=0, packets_lost=max(0, watcher.lost), highest_sequence=max(0, watcher.newest),
            jitter=0, lsr=0, dlsr=0,
        )  # fmt: skip
        packet = dtls._tx_srtp.protect_rtcp(bytes(RtcpRrPacket(ssrc=1, reports=[info])))
        own.sendto(packet, pair.remote_addr)
        loop.call_later(1.0, report)

    loop.add_reader(own.fileno(), ready)
    loop.call_later(random.random(), report)
    watcher.held += (own, room)


def fresh() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))


async def ours(path: str) -> RTCPeerConnection:
    """We offer."""
    connection = fresh()
    transceiver = connection.addTransceiver("video", direction="recvonly")
    h264 = [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType == "video/H264"]
    transceiver.setCodecPreferences(h264)
    await connection.setLocalDescription()
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 20)
    writer.write(json.dumps({"offer": connection.localDescription.sdp}).encode() + b"\n")
    told = json.loads(await reader.readline())
    writer.close()
    if "answer" not in told:
        raise RuntimeError(told)
    await connection.setRemoteDescription(RTCSessionDescription(told["answer"], "answer"))
    return connection


async def janus(url: str) -> RTCPeerConnection:
    """Janus offers (its streaming plugin), over its HTTP API."""
    client = _clients.setdefault(url, httpx.AsyncClient(timeout=60, trust_env=False))

    async def ask(path: str, **body: Any) -> dict[str, Any]:
        told: dict[str, Any] = (
            await client.post(url + path, json={**body, "transaction": str(random.random())})
        ).json()
        return told

    session = (await ask("", janus="create"))["data"]["id"]
    handle = (await ask(f"/{session}", janus="attach", plugin="janus.plugin.streaming"))["data"]["id"]
    await ask(f"/{session}/{handle}", janus="message", body={"request": "watch", "id": 1})
    connection = fresh()
    while True:
        event = (await client.get(f"{url}/{session}", params={"maxev": 1})).json()
        if "jsep" in event:
            break
    await connection.setRemoteDescription(RTCSessionDescription(event["jsep"]["sdp"], "offer"))
    await connection.setLocalDescription()
    answer = {"type": "answer", "sdp": connection.localDescription.sdp}
    await ask(f"/{session}/{handle}", janus="message", body={"request": "start"}, jsep=answer)

    async def stay() -> None:
        while True:
            await asyncio.sleep(20)
            await ask(f"/{session}", janus="keepalive")

    _held.append(asyncio.get_running_loop().create_task(stay()))
    return connection


_clients: dict[str, httpx.AsyncClient] = {}
_held: list[Any] = []


async def joined(join: Callable[[str], Awaitable[RTCPeerConnection]], where: str) -> Watcher:
    began = time.monotonic()
    connection = await join(where)
    async with asyncio.timeout(60):
        while True:
            if connection.connectionState == "connected":
                break
            await asyncio.sleep(0.005)
    watcher = Watcher(connection, joined_s=began)
    take_over(watcher, asyncio.get_running_loop())
    return watcher


async def main(kind: str, where: str) -> None:
    aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [os.environ.get("ADDRESS", "127.0.0.1")]
    join = ours if kind == "ours" else janus
    watchers: list[Watcher] = []
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.startswith("+"):
            left = int(line)
            while left:
                some = min(4, left)
                watchers += await asyncio.gather(*(joined(join, where) for _ in range(some)))
                left -= some
            print(json.dumps({"connected": len(watchers)}), flush=True)
            continue
        before = [(one.received, one.lost) for one in watchers]
        await asyncio.sleep(float(line))
        received = sum(one.received - then[0] for one, then in zip(watchers, before, strict=True))
        lost = sum(one.lost - then[1] for one, then in zip(watchers, before, strict=True))
        late = [1_000 * (one.first_s - one.joined_s) for one in watchers if one.first_s]
        print(json.dumps({"received": received, "lost": lost, "first_ms": sorted(late)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
