"""One connection to one camera: a thread that reads, and the frames that reach the loop.

FFmpeg waits in its calls, so each connection has a thread of its own; it lets go of the interpreter while it waits. Every call of it is bounded
(`OPEN_S`, `READ_S`), also when a camera froze with its connection open or keeps sending everything but pictures. Cancelled, `read` returns when the
thread has ended: at once where pictures come, within `READ_S` where none do. So nothing reads on for a camera that was removed, and no two threads
read for one.

The loop may be late; frames wait for it, and when more than `MOST_WAITING` do, those up to the next keyframe are dropped.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import av
import structlog

from federation.errors import ZonghengError
from federation.trunk.frame import AUDIO, CLOCK_HZ, VIDEO, Frame
from node.media.ingest.gate import Gate
from node.media.ingest.normalise import Normaliser, Numbered
from node.media.ingest.sound import Sound
from node.media.ingest.source import OPEN_S, READ_S, Source, failure
from node.media.ingest.transcode import Transcoder

MOST_WAITING: Final = 1_500
"""Frames: 20 s of a camera with 25 pictures and 50 packets of sound a second."""

Put = Callable[[Frame], None]

_Unit = tuple[int, bytes, int | None]
"""Its track, an access unit or a packet of sound, and its presentation time in 90 kHz by the camera's clock."""

log = structlog.get_logger(__name__)


async def read(
    source: Source, numbered: Numbered, put: Put, unix_ns: Callable[[], int] = time.time_ns
) -> None:
    """Give frames to ``put``, in the loop, until the connection fails: raises ZonghengError that says why.

    ``numbered`` goes on from one connection to the next. ``unix_ns``: the clock of this node.
    """
    if source.is_file:
        await _read(source, source.place, numbered, put, unix_ns)
        return
    failed: ZonghengError | None = None
    async with Gate.opened(source) as gate:
        try:
            await _read(source, gate.place, numbered, put, unix_ns)
        except ZonghengError as error:
            failed = gate.error or error
    if failed is not None:
        raise failed


async def _read(source: Source, place: str, numbered: Numbered, put: Put, unix_ns: Callable[[], int]) -> None:
    connection = _Connection(source, place, numbered, put, unix_ns, asyncio.get_running_loop())
    connection.thread.start()
    try:
        await asyncio.shield(connection.ended)
    finally:
        connection.stopping.set()
        while not connection.ended.done():
            try:
                await asyncio.wait([connection.ended])
            except asyncio.CancelledError:
                # Asked again to stop: it is being done, and the thread is bounded.
                continue
        connection.ended.exception()
        # All that is left of the thread is its last line.
        connection.thread.join()


class _Connection:
    def __init__(
        self,
        source: Source,
        place: str,
        numbered: Numbered,
        put: Put,
        unix_ns: Callable[[], int],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._source = source
        self._place = place
        self._numbered = numbered
        self._put = put
        self._unix_ns = unix_ns
        self._loop = loop
        self._waiting: deque[Frame] = deque()
        self._dropping = False
        self.ended: asyncio.Future[None] = loop.create_future()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def _run(self) -> None:
        error = None
        try:
            self._read()
        except Exception as failed:
            error = failure(failed, self._source)
            if error.code == "camera_lost":
                log.info("camera.failed", address=self._source.address, kind=type(failed).__name__)
        self._loop.call_soon_threadsafe(self._end, error)

    def _read(self) -> None:
        source = self._source
        while not self.stopping.is_set():
            with av.open(self._place, options=source.options, timeout=(OPEN_S, READ_S)) as container:
                if not container.streams.video:
                    raise ZonghengError("unreadable", f"{source.address} sends no picture")
                given = 0
                for track, unit, pts in self._units(container):
                    if self.stopping.is_set():
                        return
                    given += self._give(track, unit, pts)
            if self.stopping.is_set():
                return
            if not source.is_file:
                raise ZonghengError("camera_lost", f"{source.address} ended its stream")
            if not given:
                raise ZonghengError("unreadable", f"no picture of {source.address} can be decoded")

    def _units(self, container: "av.container.InputContainer") -> Iterator[_Unit]:
        stream = container.streams.video[0]
        sound = Sound(container.streams.audio[0]) if self._source.sound and container.streams.audio else None
        pictures = self._pictures(stream)
        for packet in self._packets(container, stream, sound):
            if packet.stream_index == stream.index:
                for unit, pts in pictures(packet):
                    yield VIDEO, unit, pts
            elif sound is not None:
                for unit, pts in sound.units(packet):
                    yield AUDIO, unit, pts

    def _pictures(self, stream: Any) -> Callable[["av.Packet[Any]"], Iterator[tuple[bytes, int | None]]]:
        """What makes access units of packets."""
        codec = stream.codec_context
        if self._source.encodes_again:
            self._normaliser = Normaliser(self._numbered, "h264")
            return Transcoder(codec, stream.average_rate, self._source.burnt_masks).units
        self._normaliser = Normaliser(self._numbered, codec.name, _annexb(codec.extradata))
        bare = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", stream)

        def units(packet: "av.Packet[Any]") -> Iterator[tuple[bytes, int | None]]:
            pts = None if packet.pts is None else int(packet.pts * packet.time_base * CLOCK_HZ)
            for each in bare.filter(packet):
                yield bytes(each), pts

        return units

    def _packets(
        self, container: "av.container.InputContainer", stream: Any, sound: Sound | None
    ) -> "Iterator[av.Packet[Any]]":
        """The packets with pictures, and with sound that is wanted; of a file each when it is due. Everything the camera sends is read, since otherwise its sound
        alone would keep a connection without pictures alive."""
        picture_s = begun_s = time.monotonic()
        first_s = None
        for packet in container.demux():
            now_s = time.monotonic()
            if self.stopping.is_set():
                return
            if packet.stream_index == stream.index and packet.size:
                picture_s = now_s
            elif now_s - picture_s > READ_S:
                raise TimeoutError
            elif sound is None or packet.stream_index != sound.index or not packet.size:
                continue
            if self._source.is_file:
                at_s = float((packet.dts if packet.dts is not None else packet.pts or 0) * packet.time_base)
                first_s = at_s if first_s is None else first_s
                if self.stopping.wait(max(0.0, begun_s + at_s - first_s - now_s)):
                    return
            yield packet

    def _give(self, track: int, unit: bytes, pts: int | None) -> int:
        made = self._normaliser.frame if track == VIDEO else self._normaliser.sound
        frame = made(unit, pts, self._unix_ns())
        if frame is None:
            return 0
        begins = frame.keyframe and track == VIDEO
        self._dropping = not begins if self._dropping else len(self._waiting) >= MOST_WAITING
        if not self._dropping:
            self._waiting.append(frame)
            self._loop.call_soon_threadsafe(self._hand_over)
        return 1

    def _hand_over(self) -> None:
        while self._waiting and not self.stopping.is_set():
            self._put(self._waiting.popleft())

    def _end(self, error: ZonghengError | None) -> None:
        self._hand_over()
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)


def _annexb(extradata: bytes | None) -> bytes:
    """Parameter sets that are given as a byte stream; those of an MP4 file are put in by FFmpeg's filter."""
    return bytes(extradata) if extradata and extradata[:3] in (b"\0\0\0", b"\0\0\1") else b""
