"""Pictures cut into packets: another implementation puts them together again, and a decoder shows every one of them."""

import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.codecs.vpx import vp8_depayload
from hypothesis import given
from hypothesis import strategies as st

from federation.trunk.frame import Codec
from node.media.annexb import units
from node.media.webrtc.payload import MOST, h264, payloads, vp8
from node.media.webrtc.pictures import is_keyframe
from tests.unit.media import clips

# A NAL unit begins with a header of a kind that is carried as it is, holds no start code, and does not end in zero.
nal = st.builds(
    lambda kind, importance, body: bytes((importance << 5 | kind,)) + body + b"\x80",
    st.sampled_from([1, 5, 6, 7, 8]),
    st.integers(0, 3),
    st.binary(max_size=6_000).map(lambda body: body.replace(b"\x00", b"\x01")),
)


def annex_b(nals: list[bytes]) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + one for one in nals)


@given(st.lists(nal, min_size=1, max_size=12), st.integers(100, 1_400))
def test_another_implementation_puts_together_what_was_cut(nals: list[bytes], most: int) -> None:
    cut = h264(annex_b(nals), most)
    assert max(map(len, cut)) <= most
    assert list(units(b"".join(h264_depayload(part) for part in cut))) == nals


@given(st.binary(min_size=1, max_size=9_000), st.integers(20, 1_400))
def test_vp8_is_put_together_by_another_implementation(frame: bytes, most: int) -> None:
    cut = vp8(frame, most)
    assert max(map(len, cut)) <= most
    assert b"".join(vp8_depayload(part) for part in cut) == frame
    assert [part[0] for part in cut] == [0x10] + [0x00] * (len(cut) - 1)


@given(st.integers(MOST + 1, 200_000))
def test_parts_of_a_large_unit_have_one_size_and_only_the_last_is_shorter(size: int) -> None:
    sizes = [len(part) for part in h264(annex_b([b"\x65" + b"\x55" * (size - 1)]))]
    assert len(set(sizes[:-1])) == 1
    assert sizes[-1] <= sizes[0]


def test_parameter_sets_travel_in_one_packet() -> None:
    cut = h264(annex_b([b"\x67" + b"\x42" * 20, b"\x68" + b"\x42" * 4, b"\x65" + b"\x42" * 3_000]))
    assert cut[0][0] & 0x1F == 24
    assert len(cut) == 1 + 3


def test_delimiters_and_filler_are_left_out() -> None:
    assert h264(annex_b([b"\x09\xf0", b"\x0c\xff\x80", b"\x41\x9a"])) == [b"\x41\x9a"]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])
def test_a_decoder_shows_every_picture_after_the_packets(codec: Codec) -> None:
    put_together = h264_depayload if codec is Codec.H264 else vp8_depayload
    units = clips.units(codec)
    again = [b"".join(put_together(part) for part in payloads(codec, unit)) for unit in units]
    assert clips.pictures(codec, again) == len(units) == 50


@pytest.mark.parametrize("unit", [b"", b"\x00\x00\x01", b"no start code at all", b"\x00" * 50])
def test_what_is_no_picture_gives_no_packets(unit: bytes) -> None:
    assert h264(unit) == []


@pytest.mark.parametrize("codec", [Codec.H264, Codec.VP8])
def test_keyframes_are_told_without_decoding(codec: Codec) -> None:
    assert [is_keyframe(codec, unit) for unit in clips.units(codec)] == [at % 25 == 0 for at in range(50)]
