"""A stranger's SDP is bounded before anything reads it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from node.media.webrtc.offer import Bitrates, is_usable, read, read_fragment, ufrag, with_bitrates

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:abcd\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
HOST = "1 1 udp 2130706431 10.0.0.7 4242 typ host"


def test_tracks_are_told_in_their_order() -> None:
    assert read(HEAD + AUDIO + VIDEO).tracks == ("audio", "video")
    assert ufrag(HEAD + VIDEO) == "abcd"


def test_addresses_that_are_names_or_not_for_datagrams_are_not_handed_on() -> None:
    hidden = "1 1 udp 2130706431 5f1c-uuid.local 4242 typ host"
    tcp = "1 1 tcp 2130706431 10.0.0.7 9 typ host tcptype active"
    text = (
        HEAD
        + VIDEO
        + "".join(f"a=candidate:{one}\r\n" for one in (HOST, hidden, tcp))
        + "a=end-of-candidates\r\n"
    )
    kept = read(text).text
    assert [line for line in kept.splitlines() if "candidate" in line] == [f"a=candidate:{HOST}"]


def test_an_offer_makes_us_send_to_few_addresses() -> None:
    text = HEAD + VIDEO + "".join(f"a=candidate:1 1 udp 1 10.0.{n}.7 4242 typ host\r\n" for n in range(200))
    assert read(text).text.count("a=candidate") <= 24
    assert len(read_fragment(text).candidates) <= 24


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (HEAD + VIDEO + "a=x\r\n" * 1_000_000, "too_large"),
        (HEAD + VIDEO + "a=\r\n" * 3_000, "bad_request"),
        (HEAD + VIDEO + VIDEO, "bad_request"),
        (HEAD + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n", "bad_request"),
        (HEAD, "bad_request"),
        ("", "bad_request"),
        ("{}", "bad_request"),
    ],
)
def test_what_is_no_offer_is_refused(text: str, code: str) -> None:
    with pytest.raises(ZonghengError) as told:
        read(text)
    assert told.value.code == code


@given(st.text(max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    is_usable(text)
    read_fragment(text)
    for whole in (text, HEAD + VIDEO + text):
        with suppress(ZonghengError):
            read(whole)


def test_a_fragment_names_its_credentials_and_addresses() -> None:
    told = read_fragment(
        f"a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:{HOST}\r\n"
    )
    assert (told.ufrag, told.candidates) == ("abcd", (("0", HOST),))


def test_bitrates_are_told_for_each_video_codec_and_for_no_other() -> None:
    answer = (
        HEAD
        + AUDIO
        + "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n"
        + "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"
        + "a=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id=42e01f\r\na=rtpmap:97 VP8/90000\r\n"
    )
    told = with_bitrates(answer, Bitrates(1_500, 800, 2_500)).splitlines()
    words = "x-google-start-bitrate=1500;x-google-min-bitrate=800;x-google-max-bitrate=2500"
    assert "a=fmtp:111 minptime=10" in told
    assert f"a=fmtp:96 profile-level-id=42e01f;{words}" in told
    assert told[told.index("a=rtpmap:97 VP8/90000") + 1] == f"a=fmtp:97 {words}"
