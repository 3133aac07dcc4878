"""Received journals: taken whole, in order, byte for byte, or refused with the reason."""

import asyncio
from collections.abc import Callable

import pytest

from federation.journal.checkpoint import Checkpoint, Signer, log_id, sign
from federation.journal.merkle import leaf_hash, verify_inclusion
from federation.journal.tile import TileBuilder
from node.store.errors import StoreDamaged
from node.store.inbox import BadSignature, Gap, Inbox, Refused, RootMismatch, WrongLog
from node.store.store import Store
from node.store.writer import JournalWriter

CHILD = "990102002"


class Child:
    """A journal that is pushed: entries, key, and a head over any prefix."""

    def __init__(self, nonce: str = "aa11bb22", size: int = 1_000) -> None:
        self.log = log_id(CHILD, nonce)
        self.signer = Signer.generate(self.log)
        self.vkey = str(self.signer.verifier)
        self.leaves = [b"entry %d of %s" % (n, nonce.encode()) for n in range(size)]

    def note(self, size: int, root: bytes | None = None) -> str:
        tree = TileBuilder()
        tree.extend([leaf_hash(leaf) for leaf in self.leaves[:size]])
        return sign(Checkpoint(self.log, size, root or tree.root()), self.signer)

    def batch(self, first: int, last: int) -> tuple[str, str, str, int, list[bytes], str]:
        return CHILD, self.log, self.vkey, first, self.leaves[first:last], self.note(last)


@pytest.fixture
def child() -> Child:
    return Child()


@pytest.fixture
def inbox(store: Store, clock: Callable[[], int]) -> Inbox:
    return Inbox(store, clock)


async def held(store: Store) -> list[bytes]:
    async with store.read() as session:
        return await session.journal.leaves(CHILD, 0, 1 << 40)


async def test_batches_are_kept_byte_for_byte_under_the_childs_head(
    store: Store, inbox: Inbox, child: Child
) -> None:
    for first, last in ((0, 1), (1, 300), (300, 900)):
        head = await inbox.accept(*child.batch(first, last))
        assert (head.origin, head.size, head.cosigned_size) == (CHILD, last, last)
    assert await held(store) == child.leaves[:900]
    async with store.read() as session:
        assert await session.journal.head(CHILD) == head
        assert await session.journal.own() is None
        reader = session.journal.reader(CHILD, 900)
        proof = await reader.inclusion_proof(299, 900)
        verify_inclusion(leaf_hash(child.leaves[299]), 299, 900, proof, head.root)
    assert head.note == child.note(900)


async def test_a_restarted_parent_goes_on(
    store: Store, inbox: Inbox, child: Child, clock: Callable[[], int]
) -> None:
    await inbox.accept(*child.batch(0, 700))
    again = Inbox(store, clock)
    assert (await again.accept(*child.batch(700, 1_000))).size == 1_000


async def test_a_gap_says_where_to_push_from(store: Store, inbox: Inbox, child: Child) -> None:
    await inbox.accept(*child.batch(0, 10))
    with pytest.raises(Gap) as caught:
        await inbox.accept(*child.batch(11, 20))
    assert (caught.value.held, caught.value.first, caught.value.code) == (10, 11, "INBOX_GAP")
    assert await held(store) == child.leaves[:10]


async def test_an_unknown_child_begins_at_the_beginning(store: Store, inbox: Inbox, child: Child) -> None:
    with pytest.raises(Gap):
        await inbox.accept(*child.batch(5, 10))
    async with store.read() as session:
        assert await session.journal.heads() == []


async def test_a_replay_is_acknowledged_and_changes_nothing(store: Store, inbox: Inbox, child: Child) -> None:
    head = await inbox.accept(*child.batch(0, 500))
    assert await inbox.accept(*child.batch(100, 300)) == head
    assert (await inbox.accept(*child.batch(0, 500))).size == 500
    assert await held(store) == child.leaves[:500]


async def test_a_batch_that_overlaps_adds_what_is_new(store: Store, inbox: Inbox, child: Child) -> None:
    await inbox.accept(*child.batch(0, 500))
    assert (await inbox.accept(*child.batch(400, 600))).size == 600
    assert await held(store) == child.leaves[:600]


async def test_a_replay_that_differs_is_refused_with_both_heads(
    store: Store, inbox: Inbox, child: Child
) -> None:
    await inbox.accept(*child.batch(0, 500))
    child.leaves[450] = b"rewritten"
    for first, last in ((400, 500), (400, 460), (400, 600)):
        with pytest.raises(RootMismatch) as caught:
            await inbox.accept(*child.batch(first, last))
        assert caught.value.shown_note == child.note(last)
        assert caught.value.held_note.startswith(f"{child.log}\n500\n")
    assert (await held(store))[450] != b"rewritten"


async def test_a_rewritten_past_shows_in_the_root(store: Store, inbox: Inbox, child: Child) -> None:
    await inbox.accept(*child.batch(0, 500))
    child.leaves[3] = b"rewritten"
    for first, last in ((500, 600), (450, 480), (450, 600), (500, 500)):
        with pytest.raises(RootMismatch):
            await inbox.accept(*child.batch(first, last))
    assert len(await held(store)) == 500
    # The inbox is unharmed by what it refused.
    child.leaves[3] = b"entry 3 of aa11bb22"
    assert (await inbox.accept(*child.batch(500, 600))).size == 600


async def test_a_root_that_is_not_of_these_leaves_is_refused(
    store: Store, inbox: Inbox, child: Child
) -> None:
    with pytest.raises(RootMismatch):
        await inbox.accept(CHILD, child.log, child.vkey, 0, child.leaves[:5], child.note(5, bytes(32)))
    assert await held(store) == []


async def test_a_note_over_another_size_is_refused(inbox: Inbox, child: Child) -> None:
    with pytest.raises(Refused):
        await inbox.accept(CHILD, child.log, child.vkey, 0, child.leaves[:5], child.note(6))


async def test_only_the_registered_key_signs(inbox: Inbox, child: Child) -> None:
    other = Child()
    with pytest.raises(BadSignature):
        await inbox.accept(CHILD, child.log, child.vkey, 0, child.leaves[:5], other.note(5))
    with pytest.raises(BadSignature):
        await inbox.accept(CHILD, child.log, child.vkey, 0, child.leaves[:5], "no note")
    with pytest.raises(BadSignature):
        await inbox.accept(CHILD, child.log, "no key", 0, child.leaves[:5], child.note(5))
    await inbox.accept(*child.batch(0, 5))
    with pytest.raises(BadSignature):
        await inbox.accept(CHILD, other.log, other.vkey, 5, other.leaves[5:7], other.note(7))


async def test_another_log_needs_more_than_a_push(store: Store, inbox: Inbox, child: Child) -> None:
    await inbox.accept(*child.batch(0, 5))
    other = Child("cc33dd44")
    with pytest.raises(WrongLog):
        await inbox.accept(*other.batch(0, 5))
    with pytest.raises(WrongLog):
        await inbox.accept(CHILD, child.log, other.vkey, 5, child.leaves[5:7], child.note(7))
    with pytest.raises(WrongLog):
        await inbox.accept(CHILD, other.log, other.vkey, 0, [], other.note(0))
    assert await held(store) == child.leaves[:5]


async def test_a_head_signed_again_is_kept_without_entries(store: Store, inbox: Inbox, child: Child) -> None:
    before = await inbox.accept(*child.batch(0, 5))
    after = await inbox.accept(*child.batch(5, 5))
    assert after.signed_at_us > before.signed_at_us
    assert after.size == 5
    async with store.read() as session:
        assert await session.journal.head(CHILD) == after


async def test_a_child_and_the_own_journal_lie_side_by_side(
    store: Store, inbox: Inbox, child: Child, writer: JournalWriter
) -> None:
    await inbox.accept(*child.batch(0, 300))
    async with store.read() as session:
        assert [head.origin for head in await session.journal.heads()] == ["990102001", CHILD]
        own = await session.journal.own()
    assert own is not None
    assert own.origin == "990102001"


async def test_two_pushes_at_once_are_one_after_the_other(store: Store, inbox: Inbox, child: Child) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(inbox.accept(*child.batch(0, last))) for last in (100, 300, 200, 300)]
    assert [task.result().size for task in tasks] == [100, 300, 300, 300]
    assert await held(store) == child.leaves[:300]


async def test_a_damaged_copy_is_not_continued(
    store: Store, inbox: Inbox, child: Child, clock: Callable[[], int]
) -> None:
    await inbox.accept(*child.batch(0, 300))
    async with store.write() as session:
        await session.transaction.run("UPDATE journal SET leaf = ? WHERE idx = 280", b"forged")
    with pytest.raises(StoreDamaged):
        await Inbox(store, clock).accept(*child.batch(300, 400))


async def test_whoever_waits_for_a_child_wakes_at_once(store: Store, inbox: Inbox, child: Child) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        one = group.create_task(inbox.wait_beyond(CHILD, 0))
        any_of_them = group.create_task(inbox.wait_change(inbox.changes))
        await asyncio.sleep(0.05)
        await inbox.accept(*child.batch(0, 10))
    assert (one.result(), any_of_them.result()) == (10, 1)
    await inbox.accept(*child.batch(0, 10))
    assert await inbox.wait_change(1, timeout=0.01) == 1
    assert await inbox.wait_beyond(CHILD, 9) == 10
