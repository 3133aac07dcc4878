"""People who publish: their frames reach the stream undecoded and in time, and what is broken stays theirs."""

import asyncio
import fractions
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import av
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, VIDEO, Codec, Frame
from federation.trunk.hub import Hub, State
from federation.trunk.hubs import Hubs
from node.media.annexb import units
from node.media.webrtc import adapter
from node.media.webrtc.limits import Admission, Limits
from node.media.webrtc.publishing import Ceiling, Publishers
from node.media.webrtc.viewing import Answered
from tests.unit.link.units import eventually
from tests.unit.media import clips

STREAM = "330106/phone/main"


class Encoded(MediaStreamTrack):
    """A track that is encoded already: pictures or sound."""

    def __init__(self, kind: str, units: Iterator[bytes], step: int, rate: int) -> None:
        self.kind = kind
        super().__init__()
        self._units, self._step, self._rate = units, step, rate
        self._at = 0
        self._began = time.monotonic()

    async def recv(self) -> Any:
        await asyncio.sleep(max(0.0, self._began + self._at / self._rate - time.monotonic()))
        packet = av.Packet(next(self._units))
        packet.pts = packet.dts = self._at
        packet.time_base = fractions.Fraction(1, self._rate)
        self._at += self._step
        return packet


def moving(codec: Codec = Codec.H264, **size: int) -> Iterator[bytes]:
    while True:
        yield from clips.units(codec, **size)


def silence() -> Iterator[bytes]:
    while True:
        yield b"\xf8\xff\xfe" + bytes(40)


class Publisher:
    """Another implementation that publishes."""

    def __init__(self, pictures: Iterator[bytes], codec: Codec = Codec.H264, *, sound: bool = False) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        video = self.connection.addTransceiver(
            Encoded("video", pictures, 3_600, 90_000), direction="sendonly"
        )
        mime = "video/H264" if codec is Codec.H264 else "video/VP8"
        video.setCodecPreferences(
            [one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType == mime]
        )
        self.sender: Any = video.sender
        if sound:
            self.connection.addTransceiver(Encoded("audio", silence(), 960, 48_000), direction="sendonly")

    async def offer(self) -> str:
        token = adapter._addresses.set(("127.0.0.1",))
        try:
            await self.connection.setLocalDescription()
        finally:
            adapter._addresses.reset(token)
        return self.connection.localDescription.sdp

    async def publish(self, publishers: Publishers) -> Answered:
        answered = await publishers.publish(STREAM, await self.offer())
        await self.connection.setRemoteDescription(RTCSessionDescription(answered.answer, "answer"))
        return answered

    def corrupt(self, chance: random.Random, count: int) -> None:
        """What is sent next, so many times: a packet's content is noise, or cut, or nothing; reports are noise too."""
        transport = self.sender.transport
        send, left = transport._send_rtp, count

        async def sent(packet: bytes) -> None:
            nonlocal left
            if left > 0 and chance.random() < 0.5:
                left -= 1
                head = 12 if not 64 <= packet[1] & 0x7F <= 95 else 8
                noise = chance.choice(
                    [b"", b"\x7c", b"\x78\xff\xff", chance.randbytes(40), chance.randbytes(1_200)]
                )
                # Without the extension that follows the header and would be cut too.
                packet = bytes((packet[0] & 0xEF,)) + packet[1:head] + noise
            await send(packet)

        transport._send_rtp = sent

    async def close(self) -> None:
        await self.connection.close()


class Taken(list[Frame]):
    """The frames of a hub, by somebody who watches."""

    hub: Hub


@asynccontextmanager
async def publishing(
    ceiling: Ceiling | None = None, limits: Limits | None = None
) -> AsyncIterator[tuple[Publishers, Taken]]:
    limits = limits or Limits()
    async with asyncio.TaskGroup() as tasks:
        publishers = Publishers(tasks, ["127.0.0.1"], limits, Admission(limits), ceiling=ceiling)
        async with Hubs.running(publishers.feed, time.monotonic_ns) as hubs:
            taken = Taken()
            taken.hub = await hubs.open(STREAM)
            taken.hub.join(taken.append)
            try:
                yield publishers, taken
            finally:
                for one in list(publishers.publications.values()):
                    one.end()


def _content(codec: Codec, unit: bytes) -> tuple[bytes, ...]:
    """The picture, whichever start codes its parts have."""
    return tuple(units(unit)) if codec is Codec.H264 else (unit,)


def of(taken: Taken, track: int) -> list[Frame]:
    return [frame for frame in taken if frame.track == track]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])
async def test_what_is_published_becomes_frames_of_the_stream_as_they_were_encoded(codec: Codec) -> None:
    async with publishing() as (publishers, taken):
        publisher = Publisher(moving(codec), codec, sound=True)
        answered = await publisher.publish(publishers)
        assert "x-google-min-bitrate" in answered.answer
        await eventually(lambda: len(of(taken, VIDEO)) > 40 and len(of(taken, AUDIO)) > 20)
        pictures = of(taken, VIDEO)
        assert pictures[0].keyframe
        assert {frame.codec for frame in pictures} == {codec}
        assert {_content(codec, frame.unit) for frame in pictures} <= {
            _content(codec, unit) for unit in clips.units(codec)
        }
        assert {later.pts_90k - one.pts_90k for one, later in pairwise(pictures)} == {3_600}
        assert {later.pts_90k - one.pts_90k for one, later in pairwise(of(taken, AUDIO))} == {1_800}
        assert [frame.seq for frame in pictures] == list(range(len(pictures)))
        assert all(abs(frame.captured_ns - time.time_ns()) < 60 * 10**9 for frame in taken)
        await publisher.close()
        await eventually(lambda: not publishers.publications)
        assert taken.hub.state is State.LOST


async def test_a_publisher_that_comes_back_goes_on_with_the_same_stream() -> None:
    async with publishing() as (publishers, taken):
        for _ in range(2):
            before = len(taken)
            publisher = Publisher(moving())
            await publisher.publish(publishers)
            await eventually(lambda before=before: len(taken) > before + 10)  # type: ignore[misc]
            await publisher.close()
            await eventually(lambda: not publishers.publications)
        assert all(one.pts_90k <= later.pts_90k for one, later in pairwise(taken))
        assert all(one.seq < later.seq for one, later in pairwise(taken))


async def test_a_second_publisher_of_a_stream_is_refused() -> None:
    async with publishing() as (publishers, taken):
        publisher, other = Publisher(moving()), Publisher(moving())
        await publisher.publish(publishers)
        with pytest.raises(ZonghengError) as told:
            await other.publish(publishers)
        assert told.value.code == "busy"
        await eventually(lambda: len(taken) > 10)
        for one in (publisher, other):
            await one.close()


async def test_a_publisher_that_changes_its_size_is_decodable_all_along() -> None:
    def turning() -> Iterator[bytes]:
        yield from clips.units(Codec.H264)
        while True:
            yield from clips.units(Codec.H264, width=160, height=320)

    async with publishing() as (publishers, taken):
        publisher = Publisher(turning())
        await publisher.publish(publishers)
        await eventually(lambda: len(taken) > 90)
        assert clips.pictures(Codec.H264, [frame.unit for frame in taken]) == len(taken)
        await publisher.close()


async def test_corrupted_packets_cost_pictures_and_nothing_else() -> None:
    async with publishing() as (publishers, taken):
        publisher = Publisher(moving())
        await publisher.publish(publishers)
        await eventually(lambda: len(taken) > 10)
        publisher.corrupt(random.Random(7), 60)
        await eventually(lambda: len(taken) > 80)
        assert STREAM in publishers.publications
        assert all(frame.unit.startswith(b"\x00\x00") for frame in taken)
        await publisher.close()


async def test_who_sends_more_than_the_ceiling_is_ended() -> None:
    async with publishing(Ceiling(bytes_per_s=20_000, seconds=1.0)) as (publishers, taken):
        publisher = Publisher(moving(width=640, height=480))
        await publisher.publish(publishers)
        await eventually(lambda: not publishers.publications)
        assert taken.hub.state in {State.LOST, State.OPENING}
        await publisher.close()


async def test_a_viewers_wish_for_a_keyframe_reaches_the_publisher_and_breaks_nothing() -> None:
    async with publishing() as (publishers, taken):
        publisher = Publisher(moving())
        await publisher.publish(publishers)
        await eventually(lambda: len(taken) > 5)
        taken.hub.want_keyframe()
        await eventually(lambda: publisher.sender._RTCRtpSender__force_keyframe)
        assert [frame.seq for frame in taken] == list(range(len(taken)))
        assert {later.pts_90k - one.pts_90k for one, later in pairwise(taken)} == {3_600}
        await publisher.close()


async def test_who_went_without_a_word_makes_room_for_the_next() -> None:
    async with publishing(limits=Limits(silent_s=0.5)) as (publishers, taken):
        publisher, other = Publisher(moving()), Publisher(moving())
        await publisher.publish(publishers)
        await eventually(lambda: len(taken) > 5)
        # A browser that is killed says nothing: its packets just stop.
        await publisher.sender.stop()
        [before] = publishers.publications.values()
        await eventually(lambda: before.is_silent)
        shown = len(taken)
        await other.publish(publishers)
        await eventually(lambda: len(taken) > shown + 5)
        [now] = publishers.publications.values()
        assert now is not before
        await publisher.close()
        await other.close()
