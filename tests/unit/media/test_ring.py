"""The packets of a track: numbered once, kept for who joins or lost some, forgotten in time."""

import struct

import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket, RtpPacket

from federation.trunk.frame import AUDIO, VIDEO, Codec, Frame
from node.media.webrtc.reports import Moment, ntp, sender_report
from node.media.webrtc.ring import Track
from tests.unit.media import clips


def sound(number: int, pts: int) -> Frame:
    return Frame(AUDIO, number, pts, 0, True, Codec.OPUS, bytes((number % 256,)) * 80)


def test_packets_are_rtp_that_another_implementation_reads() -> None:
    track = Track(ssrc=77, first=65_530)
    sent = [track.put(frame, 0.04 * number) for number, frame in enumerate(clips.frames(count=10))]
    packets = [RtpPacket.parse(packet) for packet in track.take(track.oldest, track.next, 109)]
    assert [packet.sequence_number for packet in packets] == [
        number & 0xFFFF for number in range(65_530, 65_530 + len(packets))
    ]
    assert {(packet.ssrc, packet.payload_type) for packet in packets} == {(77, 109)}
    assert sum(packet.marker for packet in packets) == 10
    whole: dict[int, bytes] = {}
    for packet in packets:
        whole[packet.timestamp] = whole.get(packet.timestamp, b"") + h264_depayload(packet.payload)
    assert list(whole) == [one.timestamp for one in sent if one] == [3_600 * number for number in range(10)]
    assert clips.pictures(Codec.H264, list(whole.values())) == 10


def test_two_payload_types_differ_in_the_second_byte_alone() -> None:
    track = Track(ssrc=1, first=0)
    track.put(clips.frames()[0], 0.0)
    one, other = track.take(0, track.next, 96), track.take(0, track.next, 127)
    assert [packet[2:] for packet in one] == [packet[2:] for packet in other]
    assert (one[-1][1], other[-1][1]) == (0x80 | 96, 0x80 | 127)


def test_what_was_lost_is_found_by_its_number_on_the_wire_also_after_an_overflow() -> None:
    track = Track(ssrc=1, first=65_535)
    track.put(clips.frames()[0], 0.0)
    assert track.next > 65_537
    for number in (65_535, 0, 1):
        packet = track.lost(number, 96)
        assert packet is not None
        assert struct.unpack_from("!H", packet, 2)[0] == number
    assert track.lost(40_000, 96) is None


def test_what_is_older_than_some_seconds_goes_and_the_newest_keyframe_stays() -> None:
    track = Track(ssrc=1, first=0)
    frames = clips.frames(count=50)
    for number, frame in enumerate(frames):
        track.put(frame, float(number))
    keyframe = track.newest_keyframe()
    assert keyframe is not None
    assert (keyframe.timestamp, keyframe.first) == (25 * 3_600, track.oldest)
    with pytest.raises(KeyError):
        track.take(0, 1, 96)
    assert track.lost(0, 96) is None


def test_a_group_of_pictures_beyond_the_bound_is_not_replayed_and_takes_no_more_room() -> None:
    track = Track(ssrc=1, first=0, most_bytes=20_000)
    for number in range(40):
        unit = b"\x00\x00\x01\x65" + b"\x55" * 3_000
        track.put(Frame(VIDEO, number, number * 3_600, 0, number == 0, Codec.H264, unit), number * 0.04)
    assert track.newest_keyframe() is None
    assert track.next - track.oldest <= 20_000 // 1_000 + 3


def test_a_source_that_begins_anew_goes_on_where_the_player_is() -> None:
    track = Track(ssrc=1, first=0)
    first = track.put(sound(0, 900_000), 0.0)
    again = track.put(sound(1, 0), 2.0)
    after = track.put(sound(2, 1_800), 2.02)
    assert first
    assert again
    assert after
    assert again.timestamp - first.timestamp == 2 * 48_000
    assert after.timestamp - again.timestamp == 960


def test_sound_counts_in_48_khz_and_overflows_like_its_field() -> None:
    track = Track(ssrc=1, first=0)
    time = (2**32 - 960) * 15 // 8
    assert [track.put(sound(at, time + at * 1_800), at * 0.02).timestamp for at in range(3)] == [  # type: ignore[union-attr]
        2**32 - 960,
        0,
        960,
    ]


def test_a_sender_report_names_the_instant_of_capture_for_pictures_and_sound_alike() -> None:
    captured_ns = 1_800_000_000_250_000_000
    picture = Frame(VIDEO, 0, 9_000, captured_ns, True, Codec.H264, b"x")
    voice = Frame(AUDIO, 0, 45_000, captured_ns + 500_000_000, True, Codec.OPUS, b"x")
    # The voice took longer on its way here; what the reports say is the same instant's.
    at_s = 112.0
    reports = {}
    for name, frame, seen_s in (("picture", picture, 110.0), ("voice", voice, 111.5)):
        timestamp = frame.pts_90k if name == "picture" else frame.pts_90k * 8 // 15
        raw = sender_report(5, "a" * 16, Moment.of(frame, timestamp, seen_s), 10, 2_000, at_s)
        report, names = RtcpPacket.parse(raw)
        assert isinstance(report, RtcpSrPacket)
        assert isinstance(names, RtcpSdesPacket)
        assert names.chunks[0].items == [(1, b"a" * 16)]
        assert (report.sender_info.packet_count, report.sender_info.octet_count) == (10, 2_000)
        reports[name] = report.sender_info
    assert reports["picture"].ntp_timestamp == ntp(captured_ns + 2_000_000_000)
    assert reports["picture"].rtp_timestamp == 9_000 + 2 * 90_000
    # Both clocks, carried back to the instant of capture, agree.
    assert reports["voice"].ntp_timestamp == ntp(captured_ns + 1_000_000_000)
    assert reports["voice"].rtp_timestamp == 24_000 + 24_000


def test_ntp_time_is_that_of_its_rfc() -> None:
    assert ntp(0) == 2_208_988_800 << 32
    assert ntp(500_000_000) & 0xFFFFFFFF == 1 << 31
