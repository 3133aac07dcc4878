"""The key on paper: typed back as people type, refused where a letter is wrong."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ZonghengError
from federation.sealing.envelope import ALGORITHM, key_id, seal, unseal
from node.backup import recovery
from node.backup.recovery import RecoveryKey


@given(st.binary(min_size=16, max_size=16))
def test_it_is_read_back_as_it_was_written(secret: bytes) -> None:
    text = str(RecoveryKey(secret))
    assert len(text) == 7 * 4 + 6
    assert RecoveryKey.parse(text) == RecoveryKey(secret)


def test_small_letters_blanks_and_letters_that_look_like_digits_are_taken() -> None:
    key = RecoveryKey(bytes(16))
    text = str(key)
    assert "0" in text
    assert RecoveryKey.parse(f"  {text.lower().replace('0', 'o').replace('-', ' ')}\n") == key


@given(st.binary(min_size=16, max_size=16), st.integers(0, 27), st.integers(1, 31))
def test_one_wrong_letter_is_noticed(secret: bytes, at: int, other: int) -> None:
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    text = list(str(RecoveryKey(secret)).replace("-", ""))
    text[at] = letters[(letters.index(text[at]) + other) % 32]
    with suppress(ZonghengError):
        # Twelve bits of checksum let one in 4,096 pass, and never as the same key.
        assert RecoveryKey.parse("".join(text)).secret != secret


def test_almost_every_slip_is_noticed() -> None:
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    text, noticed = str(RecoveryKey(bytes(range(16)))).replace("-", ""), 0
    for at in range(28):
        for letter in letters:
            if letter != text[at]:
                with suppress(ZonghengError):
                    RecoveryKey.parse(text[:at] + letter + text[at + 1 :])
                    continue
                noticed += 1
    assert noticed >= 28 * 31 - 2


@pytest.mark.parametrize("text", ["", "ABCD", "A" * 27, "U" * 28, "!" * 28])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ZonghengError, match="seven groups"):
        RecoveryKey.parse(text)


def test_the_node_keeps_what_seals_and_not_what_opens(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    assert recovery.kept(tmp_path) is None
    key = RecoveryKey.new()
    assert recovery.keep(tmp_path, key.public) == key_id(key.public)
    public = recovery.kept(tmp_path)
    assert public == key.public
    sealed = seal(public, b"persons", "test")
    assert unseal(RecoveryKey.parse(str(key)).private, ALGORITHM, sealed, "test") == b"persons"
    assert key.secret.hex() not in (tmp_path / "keys" / "recovery.pub").read_text(encoding="ascii")
