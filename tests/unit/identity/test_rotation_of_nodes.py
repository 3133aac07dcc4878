"""A node changes its journal key; killed at any moment, it signs with the key that its journal names."""

from pathlib import Path

import pytest

from federation.journal.checkpoint import Signer, Verifier, open_note
from node import config
from node.run import Node
from tests.unit.identity.pair import TOWN, Pair, entries, made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made(tmp_path / TOWN, "town", TOWN)


async def verifier_of(folder: Path) -> str:
    """The key with which a fresh start signs, checked by its signature."""
    async with Node.opened(folder) as node:
        note = await node.writer.sign_head()
        open_note(note, [Verifier.parse(node.writer.verifier)])
        return node.writer.verifier


async def test_the_entry_is_signed_by_both_keys_and_the_head_by_the_new_one(folder: Path) -> None:
    async with Node.opened(folder) as node:
        before, size = node.writer.verifier, node.writer.size
        index = await node.rotate_key()
        after = node.writer.verifier
        assert index == size
        [entry] = await entries(node, "key_rotated")
        assert (entry.key_rotated.before, entry.key_rotated.after) == (before, after)
        open_note(node.writer.note, [Verifier.parse(after)])
    assert await verifier_of(folder) == after
    assert not (folder / "keys" / "journal.key.next").exists()
    async with Node.opened(folder) as node:
        assert [told.before for told in node.tree.own.rotations] == [before]


async def test_killed_before_the_entry_the_old_key_stays(folder: Path) -> None:
    before = await verifier_of(folder)
    log_id = config.load(folder).log_id
    config.write_secret(folder / "keys" / "journal.key.next", Signer.generate(log_id).to_bytes())
    assert await verifier_of(folder) == before
    assert not (folder / "keys" / "journal.key.next").exists()


async def test_killed_after_the_entry_the_new_key_counts(folder: Path) -> None:
    await verifier_of(folder)
    keys = folder / "keys"
    old = (keys / "journal.key").read_bytes()
    async with Node.opened(folder) as node:
        await node.rotate_key()
        after = node.writer.verifier
    # As if the rename had not come about.
    (keys / "journal.key").rename(keys / "journal.key.next")
    config.write_secret(keys / "journal.key", old)
    assert await verifier_of(folder) == after


async def test_a_new_box_enrols_with_new_keys_for_the_same_journal(pair: Pair) -> None:
    await pair.joined()
    first = pair.town.tree.own.verifier
    await pair.county.children.enrol(pair.town.tree.own)
    await pair.town.rotate_key()
    pair.town.tree.own.verifier = pair.town.writer.verifier
    invitation = await pair.county.register.invite(TOWN, "town", 3_600, replaces=True)
    assert await pair.joining.join("127.0.0.1:7403", str(invitation))
    [child] = await pair.county.register.children()
    assert child.verifier == pair.town.writer.verifier
    async with pair.county.store.read() as session:
        former = await session.former_keys.of(child.log_id)
    assert [(key.verifier, key.until_size) for key in former] == [(first, 0)]
    # What the new key signs is taken, what the old one signs is not.
    await pair.county.children.enrol(pair.town.tree.own)
    async with pair.town.store.read() as session:
        leaves = await session.journal.leaves(TOWN, 0, pair.town.writer.size)
    accepted = await pair.county.children.accept(TOWN, 0, leaves, pair.town.writer.note)
    assert accepted.size == pair.town.writer.size
