"""Journals that disagree, and what becomes of them, over real gRPC on loopback."""

import grpc.aio
import pytest
from zongheng.v1 import link_pb2 as wire
from zongheng.v1.link_pb2_grpc import LinkServiceStub
from zongheng.v1.mending_pb2 import DivertRequest, PullRequest, RootsRequest
from zongheng.v1.mending_pb2_grpc import MendingServiceStub

from federation.journal.checkpoint import Signer, log_id
from federation.link.handshake import Decision
from federation.link.memory import MemoryInbox, MemoryJournal
from tests.unit.link.units import VILLAGE, Child, Parent, entries, eventually, hello_of, now_us, relayed


def signer() -> Signer:
    return Signer.generate(log_id(VILLAGE, "0123456789"))


@pytest.mark.parametrize("left", [0, 1, 20, 1_999])
async def test_a_child_restored_from_an_old_backup_fetches_its_own_entries_back(
    parent: Parent, left: int
) -> None:
    key = signer()
    await relayed(parent, MemoryJournal(key, entries(2_000)))
    async with Child(parent, MemoryJournal(key, entries(left))).running() as child:
        await eventually(lambda: len(child.journal.tree.leaves) == 2_000)
        assert child.operator.sealed is None or child.operator.sealed[0] is Decision.PULL_BACK
        await eventually(lambda: child.operator.sealed is None)
        await child.journal.append(entries(5, 2_000))
        await eventually(lambda: child.journal.cosigned_size == 2_005)
    assert parent.entries_of(VILLAGE) == child.journal.tree.leaves == entries(2_005)
    assert parent.inbox.forks == []
    assert parent.inbox.restored == [(VILLAGE, left, 2_000)]


@pytest.mark.parametrize("left", [0, 700])
async def test_a_new_box_with_a_new_key_gets_its_whole_journal_back(parent: Parent, left: int) -> None:
    old, new = signer(), signer()
    await relayed(parent, MemoryJournal(old, entries(1_200)))
    journal = MemoryJournal(new, entries(left))
    journal.former_verifiers = (str(old.verifier),) if left else ()
    async with Child(parent, journal).running():
        await eventually(lambda: len(journal.tree.leaves) == 1_200)
        await eventually(lambda: not journal.sealed)
        await journal.append(entries(3, 1_200))
        await eventually(lambda: journal.cosigned_size == 1_203)
    assert parent.entries_of(VILLAGE) == entries(1_203)
    assert (await parent.inbox.held(VILLAGE)).verifier == str(new.verifier)


async def test_what_comes_back_is_believed_only_as_far_as_it_is_proven(parent: Parent) -> None:
    key = signer()
    await relayed(parent, MemoryJournal(key, entries(30)))
    parent.inbox.copies[VILLAGE].tree.leaves[25] = b"never written by the child"
    async with Child(parent, MemoryJournal(key, entries(20))).running() as child:
        await eventually(lambda: child.dialler.status.code == "root_mismatch")
        assert child.journal.tree.leaves == entries(20)
        assert child.journal.sealed


async def test_a_parent_proves_a_restored_parent_with_its_own_cosignature(parent: Parent) -> None:
    journal = MemoryJournal(signer(), entries(30))
    await relayed(parent, journal)
    restored = MemoryInbox(parent.signer, now_us)
    await restored.enrol((await hello_of(journal, "x")).card)
    await restored.accept(VILLAGE, 0, entries(10), await journal.note_at(10))
    parent.inbox = restored
    await parent.down()
    await parent.up()
    async with Child(parent, journal).running():
        await eventually(lambda: len(parent.entries_of(VILLAGE)) == 30)
    assert restored.went_back == [(VILLAGE, 30, 10)]


async def test_a_restored_parent_that_took_another_history_contradicts_itself(parent: Parent) -> None:
    key = signer()
    honest = MemoryJournal(key, entries(30))
    await relayed(parent, honest)
    parent.inbox = MemoryInbox(parent.signer, now_us)
    await parent.down()
    await parent.up()
    other = [*entries(20), *(b"another %d" % number for number in range(15))]
    await relayed(parent, MemoryJournal(key, other))
    async with Child(parent, honest).running() as child:
        await eventually(lambda: child.operator.sealed is not None)
    assert len(parent.inbox.forks) == 1


async def forked(parent: Parent, own: int = 15) -> tuple[MemoryJournal, list[bytes], list[bytes]]:
    """A child that was restored at 20 of 30 entries and wrote while it was offline; both branches beyond 20."""
    key = signer()
    await relayed(parent, MemoryJournal(key, entries(30)))
    branch = [b"offline %d" % number for number in range(own)]
    return MemoryJournal(key, [*entries(20), *branch]), branch, entries(10, 20)


@pytest.mark.parametrize("own", [1, 10, 1_700])
async def test_what_lies_beyond_a_fork_is_kept_apart_and_goes_on_to_be(parent: Parent, own: int) -> None:
    journal, branch, _ = await forked(parent, own)
    async with Child(parent, journal).running() as child:
        copy = parent.inbox.copies[VILLAGE]
        await eventually(lambda: copy.branch == branch)
        assert copy.common == 20
        assert child.operator.sealed is not None
        assert child.operator.sealed[0] is Decision.QUARANTINE
        await journal.append([b"later"])
        await eventually(lambda: copy.branch == [*branch, b"later"])
    assert parent.entries_of(VILLAGE) == entries(30)
    assert len(parent.inbox.forks) == 1


@pytest.mark.parametrize("own", [1, 10, 1_700])
async def test_a_child_that_wrote_while_it_was_offline_is_mended(parent: Parent, own: int) -> None:
    journal, branch, lost = await forked(parent, own)
    async with Child(parent, journal).running() as child:
        copy = parent.inbox.copies[VILLAGE]
        await eventually(lambda: copy.branch == branch)
        copy.mending = True
        parent.listener.release(VILLAGE)
        await eventually(lambda: child.journal.cosigned_size == 30 + own)
        assert not copy.quarantine
        await journal.append([b"later"])
        await eventually(lambda: child.journal.cosigned_size == 31 + own)
    assert journal.tree.leaves == [*entries(20), *lost, *branch, b"later"]
    assert parent.entries_of(VILLAGE) == journal.tree.leaves


async def test_a_child_goes_back_only_where_the_parent_proves_why(parent: Parent) -> None:
    journal, branch, _ = await forked(parent)
    async with Child(parent, journal).running() as child:
        copy = parent.inbox.copies[VILLAGE]
        await eventually(lambda: copy.branch == branch)
        copy.mending = True
        copy.note = await journal.note_at(30)  # signed by the child, and not of what is held
        parent.listener.release(VILLAGE)
        await eventually(
            lambda: (
                child.operator.sealed is not None and "cannot prove what it holds" in child.operator.sealed[1]
            )
        )
    assert journal.tree.leaves == [*entries(20), *branch]


async def test_a_child_that_is_put_back_twice_is_mended_from_where_its_newest_branch_begins(
    parent: Parent,
) -> None:
    journal, branch, _ = await forked(parent)
    copy = parent.inbox.copies[VILLAGE]
    async with Child(parent, journal).running():
        await eventually(lambda: copy.branch == branch)
    other = [b"once more %d" % number for number in range(4)]
    again = MemoryJournal(journal.signer, [*entries(12), *other])
    async with Child(parent, again).running() as child:
        await eventually(lambda: copy.branch == other)
        assert copy.common == 12
        assert copy.earlier == [branch]
        copy.mending = True
        parent.listener.release(VILLAGE)
        await eventually(lambda: child.journal.cosigned_size == 34)
    assert parent.entries_of(VILLAGE) == again.tree.leaves == [*entries(30), *other]


async def test_a_decision_to_begin_a_new_journal_is_told(parent: Parent) -> None:
    journal, branch, _ = await forked(parent)
    async with Child(parent, journal).running() as child:
        copy = parent.inbox.copies[VILLAGE]
        await eventually(lambda: copy.branch == branch)
        copy.renewing = f"zongheng/sha256-ed25519/{VILLAGE}/00000002"
        parent.listener.release(VILLAGE)
        await eventually(
            lambda: child.operator.sealed is not None and child.operator.sealed[0] is Decision.RENEW
        )
        assert child.operator.renewal == copy.renewing


async def test_nobody_fetches_without_a_session_nor_more_than_is_held(parent: Parent) -> None:
    key = signer()
    await relayed(parent, MemoryJournal(key, entries(30)))
    async with parent.channel() as channel:
        mending = MendingServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await mending.Pull(PullRequest(session="session-of-nobody", first=0, size=30)).read()
        assert ("zongheng-code", "fenced") in tuple(refused.value.trailing_metadata() or ())
        call = LinkServiceStub(channel).Link()
        hello = await hello_of(MemoryJournal(key, entries(10)), "session-1")
        await call.write(wire.LinkRequest(hello=hello))
        await call.read()
        for request in (PullRequest(session="session-1", first=10, size=31),):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await mending.Pull(request).read()
            assert ("zongheng-code", "gap") in tuple(refused.value.trailing_metadata() or ())
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await mending.Roots(RootsRequest(session="session-1", sizes=[1] * 65))
        assert ("zongheng-code", "protocol") in tuple(refused.value.trailing_metadata() or ())
        diverting = mending.Divert()
        await diverting.write(DivertRequest(session="session-1"))
        await diverting.read()
        await diverting.write(DivertRequest(session="session-1", common=0, first=0, leaves=[b"x"]))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await diverting.read()
        assert ("zongheng-code", "quarantined") in tuple(refused.value.trailing_metadata() or ())
        call.cancel()
