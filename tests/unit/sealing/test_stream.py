"""A sealed file comes out whole and unaltered, or not at all."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import ZonghengError
from federation.sealing.envelope import public_bytes
from federation.sealing.stream import CHUNK_BYTES, TAG_BYTES, Opening, Sealing, sealed_size

READER = X25519PrivateKey.generate()
SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES


def cut(content: bytes, seed: int) -> list[bytes]:
    """The content in pieces of random lengths."""
    dice, pieces = random.Random(seed), []
    while content:
        count = dice.randint(1, 100_000)
        pieces.append(content[:count])
        content = content[count:]
    return pieces


def sealed(content: bytes, seed: int = 1) -> bytes:
    sealing = Sealing(public_bytes(READER))
    return sealing.header + b"".join(map(sealing.update, cut(content, seed))) + sealing.finish()


def opened(file: bytes, seed: int = 2, key: X25519PrivateKey = READER) -> bytes:
    opening = Opening(key)
    return b"".join(map(opening.update, cut(file, seed))) + opening.finish()


def header_bytes() -> int:
    return len(Sealing(public_bytes(READER)).header)


@settings(deadline=None)
@given(st.integers(0, 5), st.integers(-2, 2), st.integers(0, 1_000))
def test_it_opens_whatever_its_length_and_however_it_is_cut(chunks: int, more: int, seed: int) -> None:
    content = random.Random(seed).randbytes(max(0, chunks * CHUNK_BYTES + more))
    file = sealed(content, seed)
    assert opened(file, seed + 1) == content
    assert len(file) == sealed_size(Sealing(public_bytes(READER)).header, len(content))


@pytest.mark.parametrize("cut_off", [1, TAG_BYTES, SEALED_CHUNK - 1, SEALED_CHUNK, 2 * SEALED_CHUNK])
def test_a_file_that_was_cut_off_is_noticed(cut_off: int) -> None:
    file = sealed(bytes(3 * CHUNK_BYTES))
    with pytest.raises(ZonghengError, match="altered or cut off"):
        opened(file[:-cut_off])


def test_chunks_that_are_swapped_doubled_or_left_out_are_noticed() -> None:
    file = sealed(random.Random(3).randbytes(4 * CHUNK_BYTES))
    start = header_bytes()
    head, body = file[:start], file[start:]
    parts = [body[at : at + SEALED_CHUNK] for at in range(0, len(body), SEALED_CHUNK)]
    assert len(parts) == 4
    for order in ([1, 0, 2, 3], [0, 0, 1, 2, 3], [0, 2, 3], [0, 1, 2, 3, 3], [3]):
        with pytest.raises(ZonghengError, match="altered or cut off"):
            opened(head + b"".join(parts[at] for at in order))


def test_chunks_of_two_files_to_the_same_reader_do_not_mix() -> None:
    one, other = sealed(bytes(2 * CHUNK_BYTES)), sealed(bytes(2 * CHUNK_BYTES))
    with pytest.raises(ZonghengError):
        opened(one[: header_bytes()] + other[header_bytes() :])


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_bit_that_flips_anywhere_is_noticed(data: st.DataObject) -> None:
    file = bytearray(sealed(b"content of a complaint"))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(ZonghengError) as refused:
        opened(bytes(file))
    assert refused.value.code == "cannot_open"


def test_another_reader_is_told_that_it_is_not_theirs() -> None:
    with pytest.raises(ZonghengError, match="sealed to key"):
        opened(sealed(b"x"), key=X25519PrivateKey.generate())


@pytest.mark.parametrize("file", [b"", b"zongheng sealed", b"PK\x03\x04", bytes(100), sealed(b"x")[:40]])
def test_what_is_no_sealed_file_is_refused(file: bytes) -> None:
    with pytest.raises(ZonghengError) as refused:
        opened(file)
    assert refused.value.code == "cannot_open"
