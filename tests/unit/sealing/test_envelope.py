"""What is sealed opens for its reader, in its place, and for nobody else."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from federation.sealing import envelope
from federation.sealing.envelope import ALGORITHM, padded, public_bytes, seal, unpadded, unseal

READER = X25519PrivateKey.generate()


def test_the_reader_opens_it() -> None:
    sealed = seal(public_bytes(READER), "水利款没有公示".encode(), "message", "990102001", "9901")
    assert unseal(READER, ALGORITHM, sealed, "message", "990102001", "9901").decode() == "水利款没有公示"


@pytest.mark.parametrize(
    "place", [("message", "990102002", "9901"), ("message", "99010200", "19901"), ("file key",), ("message",)]
)
def test_moved_to_another_place_it_does_not_open(place: tuple[str, ...]) -> None:
    sealed = seal(public_bytes(READER), b"x", "message", "990102001", "9901")
    with pytest.raises(ZonghengError, match="does not open"):
        unseal(READER, ALGORITHM, sealed, *place)


def test_nobody_else_opens_it_and_nobody_alters_it() -> None:
    sealed = seal(public_bytes(READER), b"x" * 100, "message")
    with pytest.raises(ZonghengError):
        unseal(X25519PrivateKey.generate(), ALGORITHM, sealed, "message")
    for at in (0, 30, 32, len(sealed) - 1):
        spoilt = bytearray(sealed)
        spoilt[at] ^= 1
        with pytest.raises(ZonghengError) as refused:
            unseal(READER, ALGORITHM, bytes(spoilt), "message")
        assert refused.value.code == "cannot_open"
    with pytest.raises(ZonghengError):
        unseal(READER, ALGORITHM, sealed[:20], "message")


def test_algorithms_of_a_later_version_are_refused_with_their_name() -> None:
    with pytest.raises(ZonghengError, match=r"SM2.*upgrade"):
        unseal(READER, "HPKE-SM2-SM4", b"", "message")


@given(st.binary(max_size=5_000))
def test_padding_hides_the_length_and_comes_off_again(content: bytes) -> None:
    whole = padded(content)
    assert unpadded(whole) == content
    assert len(whole) >= envelope.SMALLEST_BYTES
    assert len(whole).bit_count() == 1


@pytest.mark.parametrize("spoilt", [b"", b"\0" * 1_024 + b"\0", b"\xff" * 1_024, padded(b"x")[:-1] + b"\1"])
def test_what_is_not_padded_is_refused(spoilt: bytes) -> None:
    with pytest.raises(ZonghengError):
        unpadded(spoilt)
