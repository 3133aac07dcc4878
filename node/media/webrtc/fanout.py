"""One stream, sent to everybody who watches it here: packets are built once, each viewer costs encryption and a call to the kernel.

- Who joins is sent what there is since the newest keyframe, as it was first sent, a bounded number of packets at a time, and is then in step.
- A viewer is a place in the ring. Whose socket is full stays where it is and is sent more as soon as it takes more; who is behind for longer than
  ``BEHIND_S`` goes on at the newest keyframe, or waits for the next one, which is asked for. Nothing is kept per viewer.
- What a viewer's receiver lost is sent again from the ring, up to a budget; a receiver that lost the picture has a keyframe asked for.
- A viewer whose way is closed is taken out and ``Viewer.gone`` is called; nobody else notices.
- When the publisher's codec changes, viewers were promised another: they are told, and ask again.

Belongs to one event loop.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from federation.errors import ZonghengError
from federation.trunk.frame import VIDEO, Codec, Frame
from federation.trunk.hub import Hub
from node.media.webrtc.adapter import Heard, Outlet
from node.media.webrtc.reports import Moment, sender_report
from node.media.webrtc.ring import Sent, Track
from node.media.webrtc.wire import Wire

BEHIND_S: Final = 2.0
"""How old what a viewer is sent may get because it does not take it."""

_STEP_S: Final = 0.005
_STEP_PACKETS: Final = 32
"""So who joins is sent some 60 Mb/s, and a group of pictures of 1 MB in a sixth of a second."""

_REPORT_S: Final = 2.0
_SLOTS: Final = 20

_AGAIN_PER_S: Final = 400
"""Packets a second that one viewer may have sent again: 10 % of 40 Mb/s. A receiver that loses more needs a smaller stream."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Lane:
    """One track on its way to one viewer."""

    outlet: Outlet
    payload_type: int
    cursor: int | None = None
    """The next packet to send; None: none before the next keyframe."""
    joins: bool = False
    """It begins with the next frame, at the keyframe that this refers to."""
    behind_since_s: float | None = None
    wire: Wire = field(default_factory=Wire)


class Viewer:
    """Somebody who watches; what ``gone`` is told is why they were taken out."""

    def __init__(self, gone: Callable[[ZonghengError | None], None]) -> None:
        self.lanes: dict[int, Lane] = {}
        self.gone = gone
        self.slot = secrets.randbelow(_SLOTS)
        self.fraction_lost = 0.0
        self.sent_again = 0
        self._budget = float(_AGAIN_PER_S)
        self._budget_s = 0.0

    def may_again(self, wanted: int, now_s: float) -> int:
        """How many of so many lost packets are sent again now."""
        self._budget = min(_AGAIN_PER_S, self._budget + (now_s - self._budget_s) * _AGAIN_PER_S)
        self._budget_s = now_s
        allowed = min(wanted, int(self._budget))
        self._budget -= allowed
        return allowed


class FanOut:
    """The viewers of one hub."""

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        self.hub = hub
        self.viewers: dict[Viewer, None] = {}
        self.ssrc = {track: secrets.randbits(31) | 1 for track in (0, 1)}
        self.cname = secrets.token_hex(8)
        self._loop = loop
        # In the lower half, so that what joins soon does not begin at an overflow (RFC 3711 §3.3.1).
        self._tracks = {track: Track(ssrc, secrets.randbelow(0x8000)) for track, ssrc in self.ssrc.items()}
        self._moments: dict[int, Moment] = {}
        self._stepping: asyncio.TimerHandle | None = None
        self._reporting: asyncio.TimerHandle | None = None
        self._slot = 0
        self._closed = False
        self._codec: asyncio.Future[Codec] = loop.create_future()
        self._seat = hub.join(self._put, ended=self._ended)

    async def first_codec(self) -> Codec:
        """Of the picture, as soon as there is one; the ZonghengError that the stream ended with before."""
        return await asyncio.shield(self._codec)

    def add(self, viewer: Viewer) -> None:
        """Somebody is connected: send them what there is, then what comes."""
        if self._closed:
            viewer.gone(self.hub.error)
            return
        self.viewers[viewer] = None
        for number, lane in viewer.lanes.items():
            track = self._tracks[number]
            if number == VIDEO:
                keyframe = track.newest_keyframe()
                # What was before a stream was lost is not shown as if it were now.
                lane.joins = keyframe is not None and not self.hub.is_current
                lane.cursor = None if keyframe is None or lane.joins else keyframe.first
                if keyframe is None:
                    self._seat.want_keyframe()
            else:
                lane.cursor = track.next
        self._report(viewer)
        self._step()
        if self._reporting is None:
            self._reporting = self._loop.call_later(_REPORT_S / _SLOTS, self._report_slot)

    def remove(self, viewer: Viewer, error: ZonghengError | None = None) -> None:
        """Take somebody out; again changes nothing."""
        if viewer in self.viewers:
            del self.viewers[viewer]
            for lane in viewer.lanes.values():
                lane.outlet.close()
            viewer.gone(error)

    def heard(self, viewer: Viewer, number: int, heard: Heard) -> None:
        """What a viewer's receiver says of a track."""
        if viewer not in self.viewers:
            return
        if heard.fraction_lost is not None:
            viewer.fraction_lost = heard.fraction_lost
        if heard.wants_keyframe:
            self._seat.want_keyframe()
        if heard.lost:
            self._again(viewer, number, heard.lost)

    def close(self, error: ZonghengError | None = None) -> None:
        """Everybody out."""
        if self._closed:
            return
        self._closed = True
        if not self._codec.done():
            self._codec.set_exception(error or ZonghengError("not_found", f"{self.hub.stream} has ended"))
            self._codec.exception()
        self._seat.leave()
        for handle in (self._stepping, self._reporting):
            if handle is not None:
                handle.cancel()
        for viewer in list(self.viewers):
            self.remove(viewer, error)

    def _ended(self, error: ZonghengError | None) -> None:
        self.close(error)

    def _put(self, frame: Frame) -> None:
        now_s = self._loop.time()
        track = self._tracks[frame.track]
        if track.codec not in (None, frame.codec) and frame.track == VIDEO:
            self.close(ZonghengError("changed", "the publisher changed the codec: watch again"))
            return
        sent = track.put(frame, now_s)
        if sent is None:
            return
        if frame.track == VIDEO and not self._codec.done():
            self._codec.set_result(frame.codec)
        self._moments[frame.track] = Moment.of(frame, sent.timestamp, now_s)
        built: dict[int, list[bytes]] = {}
        late = False
        for viewer in list(self.viewers):
            lane = viewer.lanes.get(frame.track)
            if lane is None:
                continue
            if lane.cursor is None:
                self._begin(lane, track, sent)
            if lane.cursor == sent.first:
                packets = built.get(lane.payload_type)
                if packets is None:
                    packets = built[lane.payload_type] = track.take(sent.first, sent.after, lane.payload_type)
                self._send(viewer, lane, packets, now_s)
                late = late or lane.cursor != sent.after
            else:
                late = late or lane.cursor is not None
        if late:
            self._step_later()

    def _begin(self, lane: Lane, track: Track, sent: Sent) -> None:
        """Where somebody begins who has nothing yet: with a keyframe, and who joined while nothing came, with the one that the next frame refers to."""
        joins, lane.joins = lane.joins, False
        keyframe = track.newest_keyframe()
        if sent.keyframe:
            lane.cursor = sent.first
        elif joins and keyframe is not None:
            lane.cursor = keyframe.first
        elif joins:  # with this picture it has become too much to keep
            self._seat.want_keyframe()

    def _send(self, viewer: Viewer, lane: Lane, packets: list[bytes], now_s: float) -> None:
        """Send from the lane's cursor on; moves it by what the kernel took."""
        assert lane.cursor is not None
        try:
            out = lane.outlet.socket()
            gone = lane.wire.send(out, lane.outlet.address, lane.outlet.seal(packets))
        except Exception as error:
            # Whatever it is (the socket, the keys): it is this viewer's alone.
            _log.info("viewer.lost", stream=self.hub.stream, words=str(error))
            self.remove(viewer, ZonghengError("unreachable", "the way to the viewer is closed"))
            return
        lane.cursor += gone
        if gone == len(packets):
            lane.behind_since_s = None
        elif lane.behind_since_s is None:
            lane.behind_since_s = now_s

    def _step_later(self) -> None:
        if self._stepping is None:
            self._stepping = self._loop.call_later(_STEP_S, self._step)

    def _step(self) -> None:
        """Send some more to everybody who is behind."""
        if self._stepping is not None:
            self._stepping.cancel()
            self._stepping = None
        now_s = self._loop.time()
        more = False
        for viewer in list(self.viewers):
            for number, lane in viewer.lanes.items():
                track = self._tracks[number]
                if lane.cursor is None or lane.cursor >= track.next or viewer not in self.viewers:
                    continue
                if self._is_too_late(lane, track, now_s):
                    self._skip(lane, number)
                    if lane.cursor is None or lane.cursor >= track.next:
                        continue
                after = min(track.next, lane.cursor + _STEP_PACKETS)
                self._send(viewer, lane, track.take(lane.cursor, after, lane.payload_type), now_s)
                more = more or lane.cursor < track.next
        if more:
            self._step_later()

    def _is_too_late(self, lane: Lane, track: Track, now_s: float) -> bool:
        assert lane.cursor is not None
        full = lane.behind_since_s is not None and now_s - lane.behind_since_s > BEHIND_S
        return full or lane.cursor < track.oldest

    def _skip(self, lane: Lane, number: int) -> None:
        track = self._tracks[number]
        keyframe: Sent | None = track.newest_keyframe()
        lane.behind_since_s = None
        if number != VIDEO:
            lane.cursor = track.next
        elif keyframe is not None and lane.cursor is not None and keyframe.first > lane.cursor:
            lane.cursor = keyframe.first
        else:
            lane.cursor = None
            self._seat.want_keyframe()

    def _again(self, viewer: Viewer, number: int, lost: tuple[int, ...]) -> None:
        lane = viewer.lanes.get(number)
        if lane is None or lane.cursor is None:
            return
        track, now_s = self._tracks[number], self._loop.time()
        allowed = viewer.may_again(len(lost), now_s)
        packets = [track.lost(one, lane.payload_type) for one in lost[:allowed]]
        found = [packet for packet in packets if packet is not None]
        try:
            out = lane.outlet.socket()
            for packet in found:
                lane.wire.send(out, lane.outlet.address, lane.outlet.seal([packet]))
        except Exception as error:
            # Older than what SRTP repeats, or a socket that is full: then it stays lost.
            _log.debug("viewer.not_sent_again", stream=self.hub.stream, words=str(error))
        viewer.sent_again += len(found)

    def _report_slot(self) -> None:
        self._slot = (self._slot + 1) % _SLOTS
        for viewer in list(self.viewers):
            if viewer.slot == self._slot:
                self._report(viewer)
        self._reporting = None
        if self.viewers and not self._closed:
            self._reporting = self._loop.call_later(_REPORT_S / _SLOTS, self._report_slot)

    def _report(self, viewer: Viewer) -> None:
        now_s = self._loop.time()
        for number, lane in viewer.lanes.items():
            moment = self._moments.get(number)
            if moment is None:
                continue
            track = self._tracks[number]
            report = sender_report(track.ssrc, self.cname, moment, track.packets, track.octets, now_s)
            try:
                lane.wire.send(lane.outlet.socket(), lane.outlet.address, [lane.outlet.seal_report(report)])
            except Exception as error:
                _log.debug("viewer.not_reported", stream=self.hub.stream, words=str(error))
