"""A journal's key changes hands by both keys' word; the old one is believed for what was before."""

import pytest
from zongheng.v1.rotation_pb2 import KeyRotated
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Checkpoint, CheckpointError, Signer, log_id, sign
from federation.journal.rotation import LogKeys, check_rotation, led_to, rotate

LOG = log_id("990102001", "0123456789")
ROOT = bytes(range(32))


def signers(count: int) -> list[Signer]:
    return [Signer.generate(LOG) for _ in range(count)]


def head(size: int, signer: Signer) -> str:
    return sign(Checkpoint(LOG, size, ROOT), signer)


def card(*keys: Signer, sizes: tuple[int, ...] = (10, 20)) -> NodeCard:
    """The card of a node whose journal had these keys, one after the other."""
    made = NodeCard(node="990102001", log_id=LOG, verifier=str(keys[-1].verifier))
    for before, after, size in zip(keys, keys[1:], sizes, strict=False):
        made.rotations.append(rotate(before, after, size))
    return made


def test_each_key_is_believed_for_its_time() -> None:
    first, second, third = signers(3)
    keys = LogKeys.of(card(first, second, third))
    for size, signer in ((10, first), (20, second), (5, third), (21, third), (1_000, third)):
        assert keys.open(head(size, signer)).size == size
    for size, signer in ((11, first), (21, second)):
        with pytest.raises(CheckpointError, match="given up at"):
            keys.open(head(size, signer))


def test_a_stranger_is_never_believed() -> None:
    first, second, stranger = signers(3)
    with pytest.raises(CheckpointError):
        LogKeys.of(card(first, second)).open(head(5, stranger))


def test_from_the_known_key_a_way_leads_to_the_new_one() -> None:
    first, second, third = signers(3)
    changed = card(first, second, third)
    assert [told.size for told in led_to(str(first.verifier), changed)] == [10, 20]
    assert [told.size for told in led_to(str(second.verifier), changed)] == [20]
    assert not led_to(str(third.verifier), changed)


@pytest.mark.parametrize("field", ["signature_before", "signature_after"])
def test_neither_key_alone_changes_anything(field: str) -> None:
    first, second = signers(2)
    thief = Signer.generate(LOG)
    told = rotate(first, second, 10)
    setattr(told, field, thief.signature(b"whatever"))
    with pytest.raises(CheckpointError):
        check_rotation(told)
    forged = card(first, second)
    forged.rotations[0].CopyFrom(told)
    assert not led_to(str(first.verifier), forged)
    assert LogKeys.of(forged).former == ()


@pytest.mark.parametrize("change", [{"size": 9}, {"log_id": log_id("990102001", "fedcba9876")}])
def test_what_was_signed_is_not_altered(change: dict[str, object]) -> None:
    first, second = signers(2)
    told = KeyRotated()
    told.CopyFrom(rotate(first, second, 10))
    for name, value in change.items():
        setattr(told, name, value)
    with pytest.raises(CheckpointError):
        check_rotation(told)
