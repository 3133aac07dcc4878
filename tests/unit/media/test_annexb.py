"""Units, parameter sets and slices of H.264 byte streams."""

from hypothesis import given
from hypothesis import strategies as st

from node.media.annexb import ParameterSets, slice_type, units

SPS = bytes.fromhex("6742c016da0300de9a83030320")
PPS = bytes.fromhex("68ce0fc8")
IDR = bytes.fromhex("65888001")
P_SLICE = bytes([0x41, 0b1_00110_00])  # first_mb_in_slice 0, slice_type 5: P
B_SLICE = bytes([0x01, 0b1_010_0000])  # first_mb_in_slice 0, slice_type 1: B

payloads = st.binary(min_size=1, max_size=40).map(lambda body: b"\x41" + body.replace(b"\0", b"\1") + b"\x80")


def stream(*parts: bytes) -> bytes:
    return b"".join(b"\0\0\0\1" + part for part in parts)


@given(
    st.lists(payloads, max_size=8),
    st.lists(st.sampled_from([b"\0\0\1", b"\0\0\0\1"]), min_size=8, max_size=8),
)
def test_units_are_found_whatever_start_codes_stand_between_them(
    parts: list[bytes], codes: list[bytes]
) -> None:
    joined = b"".join(code + part for code, part in zip(codes, parts, strict=False))
    assert list(units(joined)) == parts


@given(st.binary(max_size=200))
def test_no_bytes_from_a_camera_raise(noise: bytes) -> None:
    for unit in units(noise):
        slice_type(unit)
    ParameterSets().picture(noise)


def test_a_keyframe_gets_the_parameter_sets_of_the_session_description() -> None:
    picture = ParameterSets(stream(SPS, PPS)).picture(stream(IDR))
    assert picture is not None
    assert picture.keyframe
    assert list(units(picture.unit)) == [SPS, PPS, IDR]


def test_a_keyframe_that_has_its_parameter_sets_stays_as_it_is() -> None:
    unit = stream(SPS, PPS, IDR)
    picture = ParameterSets().picture(unit)
    assert picture is not None
    assert picture.unit == unit


def test_a_later_keyframe_gets_the_sets_that_came_with_an_earlier_one() -> None:
    sets = ParameterSets(stream(SPS, PPS))
    changed = SPS[:-1] + b"\x21"
    sets.picture(stream(changed, PPS, IDR))
    picture = sets.picture(stream(IDR))
    assert picture is not None
    assert list(units(picture.unit)) == [changed, PPS, IDR]


def test_a_delimiter_stays_in_front_of_the_parameter_sets() -> None:
    picture = ParameterSets(stream(SPS, PPS)).picture(stream(b"\x09\xf0", IDR))
    assert picture is not None
    assert list(units(picture.unit)) == [b"\x09\xf0", SPS, PPS, IDR]


def test_a_keyframe_nobody_could_decode_is_none() -> None:
    assert ParameterSets().picture(stream(IDR)) is None


def test_a_picture_parameter_set_whose_number_there_cannot_be_is_not_kept() -> None:
    # ue(v) of 256: eight zeros, then 1 0000 0001.
    beyond = b"\x68" + int("0" * 8 + "100000001" + "1" * 7, 2).to_bytes(3, "big")
    sets = ParameterSets(stream(SPS, PPS))
    sets.picture(stream(beyond, P_SLICE))
    picture = sets.picture(stream(IDR))
    assert picture is not None
    assert list(units(picture.unit)) == [SPS, PPS, IDR]


def test_b_slices_are_seen() -> None:
    sets = ParameterSets(stream(SPS, PPS))
    b, p = sets.picture(stream(B_SLICE)), sets.picture(stream(P_SLICE))
    assert b is not None
    assert p is not None
    assert (b.bidirectional, p.bidirectional) == (True, False)


def test_a_large_first_macroblock_and_emulation_prevention_do_not_hide_the_slice_type() -> None:
    # first_mb_in_slice 8191 (13 zeros, 1, 13 zeros), slice_type 1 (010): the stream needs a byte against false start codes.
    bits = "0" * 13 + "1" + "0" * 13 + "010" + "00"
    header = int(bits, 2).to_bytes(4, "big")
    escaped = header.replace(b"\0\0", b"\0\0\3")
    assert slice_type(b"\x01" + escaped + b"\x80") == 1
