"""People who watch: from the offer to pictures on the screen, over good lines and bad ones, and how it ends."""

import asyncio
from itertools import pairwise

import pytest

from federation.errors import ZonghengError
from federation.trunk import hub
from federation.trunk.frame import VIDEO, Codec
from node.media.webrtc import fanout
from node.media.webrtc.limits import Limits
from node.media.webrtc.viewing import Viewers
from tests.unit.link.units import eventually
from tests.unit.media import clips
from tests.unit.media.watching import STREAM, Camera, LossyWire, Player, watched


@pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])
async def test_an_offer_is_answered_and_pictures_and_sound_follow(codec: Codec) -> None:
    async with watched(Camera(codec)) as viewers:
        player = Player("audio", "video")
        await player.watch(viewers)
        pictures = await player.shown(40)
        assert {(one.width, one.height) for one in pictures} == {(320, 240)}
        assert len(await player.shown(20, "audio")) == 20
        await player.close()
        await eventually(lambda: not viewers.sessions)


async def test_who_joins_between_two_keyframes_begins_at_the_one_before() -> None:
    camera = Camera()
    async with watched(camera) as viewers:
        first = Player()
        await first.watch(viewers)
        await first.shown(40)
        second = Player()
        await second.watch(viewers)
        [picture] = await second.shown(1)
        assert picture.key_frame
        # The same packets for both: the timestamps go on from the keyframe without a jump.
        assert [one.pts for one in await second.shown(10)] == [picture.pts + 3_600 * n for n in range(1, 11)]
        assert camera.opened == 1
        assert camera.keyframes_wanted == 0
        await first.close()
        await second.close()


async def test_who_joins_while_nothing_comes_is_shown_nothing_old_and_begins_with_what_comes_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub, "CURRENT_NS", hub.NS // 5)
    camera = Camera()
    async with watched(camera) as viewers:
        first, second = Player(), Player()
        await first.watch(viewers)
        await first.shown(40)
        camera.goes.clear()
        [session] = viewers.sessions.values()
        await eventually(lambda: not session.fan.hub.is_current)
        await second.watch(viewers)
        [_, other] = viewers.sessions.values()
        await eventually(lambda: other.is_watching)
        sent = other.viewer.lanes[VIDEO].wire = LossyWire(lambda number: False)  # type: ignore[assignment]
        assert other.viewer.lanes[VIDEO].cursor is None
        assert sent.count == 0
        camera.goes.set()
        [picture] = await second.shown(1)
        assert picture.key_frame
        await second.shown(10)
        await first.close()
        await second.close()


async def test_lost_packets_are_sent_again_and_no_picture_is_missing() -> None:
    async with watched(Camera()) as viewers:
        player = Player()
        await player.watch(viewers)
        [session] = viewers.sessions.values()
        await eventually(lambda: session.is_watching)
        lane = session.viewer.lanes[VIDEO]
        # Every eleventh, whether it is sent for the first time or again.
        wire = LossyWire(lambda number: number % 11 == 5)
        lane.wire = wire  # type: ignore[assignment]
        pictures = await player.shown(100)
        steps = {later.pts - one.pts for one, later in pairwise(pictures)}
        assert steps == {3_600}
        assert wire.lost > 0
        assert session.viewer.sent_again >= wire.lost // 2
        await player.close()


async def test_who_does_not_take_packets_for_too_long_goes_on_at_a_keyframe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fanout, "BEHIND_S", 0.3)

    class Full(LossyWire):
        full = False

        def send(self, out: object, address: tuple[str, int], packets: object) -> int:
            return 0 if self.full else super().send(out, address, packets)  # type: ignore[arg-type]

    async with watched(Camera()) as viewers:
        player, other = Player(), Player()
        await player.watch(viewers)
        [session] = viewers.sessions.values()
        await player.shown(5)
        wire = Full(lambda number: False)
        session.viewer.lanes[VIDEO].wire = wire  # type: ignore[assignment]
        wire.full = True
        await other.watch(viewers)
        # Somebody else's picture goes on meanwhile.
        await other.shown(40)
        wire.full = False
        await eventually(lambda: session.viewer.lanes[VIDEO].behind_since_s is None)
        await player.shown(30)
        await player.close()
        await other.close()


async def test_a_receiver_that_lost_the_picture_has_a_keyframe_asked_for() -> None:
    camera = Camera()
    async with watched(camera) as viewers:
        player = Player()
        await player.watch(viewers)
        await player.shown(2)
        [receiver] = player.connection.getReceivers()
        [session] = viewers.sessions.values()
        await receiver._send_rtcp_pli(session.fan.ssrc[VIDEO])
        await eventually(lambda: camera.keyframes_wanted == 1)
        await player.close()


async def test_a_stream_that_begins_late_is_waited_for_and_one_that_never_does_is_told() -> None:
    async with watched(Camera(begin_late_s=0.5)) as viewers:
        player = Player()
        await player.watch(viewers)
        assert await player.shown(1)
        await player.close()


async def test_a_stream_that_ends_before_it_began_says_why() -> None:
    async def broken(hub: object) -> None:
        raise ZonghengError("unreachable", "the camera does not answer")

    camera = Camera()
    camera.feed = broken  # type: ignore[assignment]
    async with watched(camera) as viewers:
        player = Player()
        with pytest.raises(ZonghengError, match="the camera does not answer"):
            await player.watch(viewers)
        assert not viewers.sessions
        await player.close()


async def test_the_last_who_watches_takes_the_fan_outs_seat_with_them() -> None:
    async with watched(Camera()) as viewers:
        player = Player()
        answered = await player.watch(viewers)
        await player.shown(1)
        [session] = viewers.sessions.values()
        assert session.fan.hub.watchers == 1
        viewers.end(answered.session)
        assert session.fan.hub.watchers == 0
        with pytest.raises(ZonghengError) as told:
            viewers.end(answered.session)
        assert told.value.code == "not_found"
        await player.close()


async def test_a_publisher_that_changes_its_codec_ends_the_sessions_with_the_reason() -> None:
    async with watched(Camera()) as viewers:
        player = Player()
        await player.watch(viewers)
        await player.shown(1)
        [session] = viewers.sessions.values()
        session.fan._put(clips.frames(Codec.VP8)[0])
        assert not viewers.sessions
        assert session.error is not None
        assert session.error.code == "changed"
        await player.close()


async def test_who_is_answered_and_never_connects_is_forgotten() -> None:
    async with watched(Camera(), Limits(connect_s=0.5)) as viewers:
        player = Player()
        await viewers.view(STREAM, await player.offer())
        assert len(viewers.sessions) == 1
        await eventually(lambda: not viewers.sessions)
        await player.close()


async def test_beyond_the_limit_it_is_a_clear_no_with_a_time_to_ask_again() -> None:
    async with watched(Camera(), Limits(viewers=1)) as viewers:
        player, other = Player(), Player()
        await player.watch(viewers)
        with pytest.raises(ZonghengError) as told:
            await other.watch(viewers)
        assert (told.value.code, told.value.retry_after_ms > 0) == ("at_capacity", True)
        assert await player.shown(5)
        await player.close()
        await eventually(lambda: not viewers.sessions)
        again = Player()
        await again.watch(viewers)
        assert await again.shown(1)
        for one in (other, again):
            await one.close()


async def test_a_thousand_offers_at_once_are_answered_or_refused_and_who_watches_goes_on() -> None:
    async with watched(Camera(), Limits(viewers=50, offers_waiting=20, connect_s=1.0)) as viewers:
        player, stranger = Player(), Player()
        await player.watch(viewers)
        await player.shown(1)
        offer = await stranger.offer()
        told: list[str] = []

        async def ask(viewers: Viewers) -> None:
            try:
                await viewers.view(STREAM, offer)
                told.append("answered")
            except ZonghengError as error:
                told.append(error.code)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(1_000):
                tasks.create_task(ask(viewers))
        assert set(told) == {"answered", "at_capacity"}
        assert len(told) == 1_000
        assert await player.shown(25)
        await eventually(lambda: len(viewers.sessions) == 1)
        await player.close()
        await stranger.close()
