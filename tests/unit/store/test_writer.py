"""The own journal: appended once, in order, with a signed head, whatever happens in between."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zongheng.v1.entry_pb2 import AlertState, Entry

from federation.journal.checkpoint import Signer, Verifier, open_note
from federation.journal.merkle import fold, leaf_hash, verify_consistency, verify_inclusion
from node.store.drafts import Appended, Draft, Move
from node.store.errors import StoreConflict, StoreError, StoreFull
from node.store.rows import AlertRecord
from node.store.store import MEMORY, Session, Store
from node.store.writer import JournalWriter

NODE = "990102001"


def drafts(first: int, last: int, source: str = "s") -> list[Draft]:
    return [Draft(b"leaf %d" % n, source, f"{n}") for n in range(first, last)]


def root_of(leaves: list[bytes]) -> bytes:
    """The root by RFC 9162's own definition, recursively."""
    if not leaves:
        return fold([])
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return fold([root_of(leaves[:split]), root_of(leaves[split:])])


async def stored(store: Store) -> list[bytes]:
    async with store.read() as session:
        return await session.journal.leaves(NODE, 0, 1 << 40)


async def check(store: Store, writer: JournalWriter) -> None:
    """Head, note, leaves and tiles agree."""
    async with store.read() as session:
        head = await session.journal.own()
        assert head is not None
        leaves = await session.journal.leaves(NODE, 0, 1 << 40)
        assert head.size == writer.size == len(leaves)
        assert head.root == root_of(leaves)
        assert head.note == writer.note
        if head.size:
            shown = open_note(head.note, [Verifier.parse(head.verifier)])
            assert (shown.size, shown.root, shown.origin) == (head.size, head.root, head.log_id)
            assert await session.journal.reader(NODE, head.size).root(head.size) == head.root


async def test_entries_get_the_next_indexes_and_a_signed_head(store: Store, writer: JournalWriter) -> None:
    assert (writer.size, writer.note) == (0, "")
    first = await writer.append(drafts(0, 3))
    assert (first.size, list(first.indexes), first.repeated) == (3, [0, 1, 2], {})
    second = await writer.append([Draft(b"x"), Draft(b"x")])
    assert (second.size, list(second.indexes)) == (5, [3, 4])
    assert await stored(store) == [b"leaf 0", b"leaf 1", b"leaf 2", b"x", b"x"]
    await check(store, writer)


async def test_tiles_and_proofs_hold_over_many_batches(store: Store, writer: JournalWriter) -> None:
    at = 0
    for size in (1, 255, 256, 257, 700, 1_000):
        await writer.append(drafts(at, at + size))
        at += size
    await check(store, writer)
    async with store.read() as session:
        head = await session.journal.own()
        assert head is not None
        reader = session.journal.reader(NODE, head.size)
        for index in (0, 255, 256, 1_468, at - 1):
            leaf = await session.journal.leaf(NODE, index)
            assert leaf == b"leaf %d" % index
            verify_inclusion(leaf_hash(leaf), index, at, await reader.inclusion_proof(index, at), head.root)
        verify_consistency(
            512, await reader.root(512), at, head.root, await reader.consistency_proof(512, at)
        )


async def test_what_was_sent_before_keeps_its_index_and_is_not_written(
    store: Store, writer: JournalWriter
) -> None:
    await writer.append(drafts(0, 5))
    again = await writer.append(drafts(3, 7))
    assert list(again.indexes) == [3, 4, 5, 6]
    assert dict(again.repeated) == {0: 3, 1: 4}
    assert again.size == 7
    whole = await writer.append(drafts(0, 7))
    assert (whole.size, list(whole.indexes), set(whole.repeated)) == (7, list(range(7)), set(range(7)))
    other = await writer.append(drafts(0, 2, source="other"))
    assert list(other.indexes) == [7, 8]
    await check(store, writer)


async def test_a_repeat_inside_one_batch_is_written_once(store: Store, writer: JournalWriter) -> None:
    outcome = await writer.append([Draft(b"a", "s", "1"), Draft(b"b", "s", "1"), Draft(b"c", "s", "2")])
    assert list(outcome.indexes) == [0, 0, 1]
    assert dict(outcome.repeated) == {1: 0}
    assert await stored(store) == [b"a", b"c"]


async def test_the_nodes_own_word_is_never_a_repeat(store: Store, writer: JournalWriter) -> None:
    await writer.append([Draft(b"a"), Draft(b"a", "clock")])
    await writer.append([Draft(b"a"), Draft(b"a", "clock")])
    assert await stored(store) == [b"a"] * 4


async def test_an_alert_is_raised_once(
    store: Store, writer: JournalWriter, alert: Callable[..., AlertRecord]
) -> None:
    first = await writer.append([Draft(b"other"), Draft(b"raise", alert=alert("al-1"))])
    assert list(first.indexes) == [0, 1]
    again = await writer.append(
        [
            Draft(b"same finding", alert=alert("al-2")),
            Draft(b"next episode", alert=alert("al-3", episode=2)),
            Draft(b"same id", alert=alert("al-1", case_id="c-2")),
            Draft(b"event", "s", "1"),
            Draft(b"twice in one batch", alert=alert("al-4", episode=2)),
        ]
    )
    assert dict(again.repeated) == {0: 1, 2: 1, 4: 2}
    assert list(again.indexes) == [1, 2, 1, 3, 2]
    assert await stored(store) == [b"other", b"raise", b"next episode", b"event"]
    async with store.read() as session:
        assert [(a.alert_id, a.idx, a.episode) for a in await session.alerts.of_cases(NODE, ["c-1"])] == [
            ("al-1", 1, 1),
            ("al-3", 2, 2),
        ]
    await check(store, writer)


async def test_an_alerts_state_moves_with_the_entry(
    store: Store, writer: JournalWriter, alert: Callable[..., AlertRecord]
) -> None:
    await writer.append([Draft(b"raise", alert=alert("al-1", state=AlertState.ALERT_STATE_PENDING))])
    await writer.append(
        [
            Draft(b"issue", move=Move("al-1", AlertState.ALERT_STATE_ISSUED)),
            Draft(b"explain", move=Move("al-1", AlertState.ALERT_STATE_EXPLAINED)),
        ]
    )
    async with store.read() as session:
        record = await session.alerts.get(NODE, "al-1")
    assert record is not None
    assert record.state == AlertState.ALERT_STATE_EXPLAINED


async def test_an_entry_brings_its_own_guard() -> None:
    entry = Entry(noted_at_us=5, source="s", serial="7")
    draft = Draft.of(entry)
    assert (draft.source, draft.serial) == ("s", "7")
    assert Entry.FromString(draft.leaf) == entry


async def test_what_lies_beside_is_in_the_same_transaction(store: Store, writer: JournalWriter) -> None:
    async def keep(session: Session) -> None:
        await session.links.put("settled", b"2")

    async def fail(session: Session) -> None:
        await session.links.put("settled", b"9")
        raise ZeroDivisionError

    await writer.append(drafts(0, 2), beside=keep)
    with pytest.raises(ZeroDivisionError):
        await writer.append(drafts(2, 4), beside=fail)
    assert writer.size == 2
    async with store.read() as session:
        assert await session.links.get("settled") == b"2"
    # The tree in memory is unharmed.
    assert list((await writer.append(drafts(2, 4))).indexes) == [2, 3]
    await writer.append([], beside=keep)
    assert writer.size == 4
    await check(store, writer)


async def test_one_bad_append_does_not_harm_its_neighbours(store: Store, writer: JournalWriter) -> None:
    async def fail(session: Session) -> None:
        raise ZeroDivisionError

    async def bad() -> None:
        with pytest.raises(ZeroDivisionError):
            await writer.append(drafts(10, 12), beside=fail)

    good: list[asyncio.Task[Appended]] = []
    async with asyncio.TaskGroup() as group, store.write():
        # While the store is held, the first append waits for it and the others gather behind.
        good.append(group.create_task(writer.append(drafts(0, 2))))
        await asyncio.sleep(0.02)
        group.create_task(bad())
        good.append(group.create_task(writer.append(drafts(2, 4))))
        good.append(group.create_task(writer.append(drafts(1, 5))))
        await asyncio.sleep(0.02)
    assert [list(task.result().indexes) for task in good] == [[0, 1], [2, 3], [1, 2, 3, 4]]
    assert dict(good[2].result().repeated) == {0: 1, 1: 2, 2: 3}
    await check(store, writer)


async def test_appends_that_wait_share_one_commit(store: Store, writer: JournalWriter) -> None:
    commits = 0
    write = store.write

    def counted() -> object:
        nonlocal commits
        commits += 1
        return write()

    store.write = counted  # type: ignore[method-assign,assignment]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(writer.append(drafts(n, n + 1))) for n in range(100)]
    assert sorted(task.result().indexes[0] for task in tasks) == list(range(100))
    assert {leaf: n for n, leaf in enumerate(await stored(store))} == {
        b"leaf %d" % number: task.result().indexes[0] for number, task in enumerate(tasks)
    }
    assert commits < 10
    await check(store, writer)


async def test_a_cancelled_append_takes_nobody_with_it(store: Store, writer: JournalWriter) -> None:
    async with asyncio.TaskGroup() as group, store.write():
        leader = group.create_task(writer.append(drafts(0, 1)))
        await asyncio.sleep(0.02)
        follower = group.create_task(writer.append(drafts(1, 2)))
        quitter = group.create_task(writer.append(drafts(2, 3)))
        await asyncio.sleep(0.02)
        leader.cancel()
        quitter.cancel()
        await asyncio.sleep(0.02)
    assert leader.cancelled()
    assert quitter.cancelled()
    assert list(follower.result().indexes) == [0]
    assert await stored(store) == [b"leaf 1"]
    await check(store, writer)


async def test_cancelling_at_every_moment_keeps_memory_and_store_together(
    store: Store, writer: JournalWriter
) -> None:
    for turn in range(60):
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(writer.append(drafts(turn * 10 + n, turn * 10 + n + 1))) for n in range(3)
            ]
            for _ in range(turn):
                await asyncio.sleep(0)
            if turn % 2:
                await asyncio.sleep(turn / 20_000)
            tasks[turn % 3].cancel()
        for n, task in enumerate(tasks):
            if not task.cancelled():
                assert (await stored(store))[task.result().indexes[0]] == b"leaf %d" % (turn * 10 + n)
    await check(store, writer)
    leaves = await stored(store)
    assert len(set(leaves)) == len(leaves)


async def test_a_restarted_writer_goes_on_where_the_store_stands(
    lasting_place: str, signer: Signer, log: str, clock: Callable[[], int]
) -> None:
    for turn in range(4):
        store = await Store.open(lasting_place)
        writer = await JournalWriter.open(store, signer, log, NODE, clock)
        assert writer.size == turn * 300
        await writer.append(drafts(turn * 300, turn * 300 + 300))
        assert (await writer.append(drafts(0, 1))).repeated == {0: 0}
        await check(store, writer)
        note = writer.note
        await store.close()
    store = await Store.open(lasting_place)
    assert (await JournalWriter.open(store, signer, log, NODE, clock)).note == note
    await store.close()


async def test_another_log_or_key_or_node_is_refused(
    store: Store, writer: JournalWriter, signer: Signer, log: str, clock: Callable[[], int]
) -> None:
    with pytest.raises(StoreConflict):
        await JournalWriter.open(store, Signer.generate(log), log, NODE, clock)
    with pytest.raises(StoreConflict):
        await JournalWriter.open(store, signer, log, "990102002", clock)


async def test_two_writers_of_one_journal_cannot_both_succeed(
    store: Store, writer: JournalWriter, signer: Signer, log: str, clock: Callable[[], int]
) -> None:
    second = await JournalWriter.open(store, signer, log, NODE, clock)
    await writer.append(drafts(0, 3))
    with pytest.raises(StoreConflict):
        await second.append(drafts(3, 5))
    # It has read the store again and goes on from there.
    assert list((await second.append(drafts(3, 5))).indexes) == [3, 4]
    await check(store, second)


async def test_a_damaged_journal_is_not_continued(
    store: Store, writer: JournalWriter, signer: Signer, log: str, clock: Callable[[], int]
) -> None:
    await writer.append(drafts(0, 10))
    async with store.write() as session:
        await session.transaction.run("UPDATE journal SET leaf = ? WHERE idx = 4", b"forged")
    with pytest.raises(StoreError, match="do not lead to the root"):
        await JournalWriter.open(store, signer, log, NODE, clock)


async def test_a_full_disk_harms_nothing_that_was_acknowledged(
    lasting_place: str, signer: Signer, log: str, clock: Callable[[], int]
) -> None:
    if lasting_place.startswith("postgresql"):
        lasting_place = MEMORY
    store = await Store.open(lasting_place)
    writer = await JournalWriter.open(store, signer, log, NODE, clock)
    await writer.append(drafts(0, 100))
    async with store.write() as session:
        pages = await session.transaction.one("PRAGMA page_count")
        assert pages is not None
        await session.transaction.one(f"PRAGMA max_page_count = {pages[0] + 20}")
    with pytest.raises(StoreFull):
        await writer.append([Draft(bytes(2_000), "s", f"{n}") for n in range(100, 200)])
    assert writer.size == 100
    async with store.write() as session:
        await session.transaction.one("PRAGMA max_page_count = 1000000")
    assert list((await writer.append(drafts(100, 200))).indexes) == list(range(100, 200))
    await check(store, writer)
    await store.close()


async def test_whoever_waits_for_growth_wakes_at_once(store: Store, writer: JournalWriter) -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(writer.wait_beyond(0))
        await asyncio.sleep(0)
        await writer.append(drafts(0, 4))
    assert waiting.result() == 4
    assert await writer.wait_beyond(3) == 4
    assert await writer.wait_beyond(4, timeout=0.01) == 4


async def test_a_long_queue_is_committed_in_several_groups(
    store: Store, writer: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.store.writer.GROUP_ENTRIES", 10)
    async with asyncio.TaskGroup() as group, store.write():
        tasks = [group.create_task(writer.append(drafts(n * 7, n * 7 + 7))) for n in range(6)]
        tasks.append(group.create_task(writer.append(drafts(100, 130))))
        await asyncio.sleep(0.02)
        tasks[2].cancel()
    expected = 0
    for n, task in enumerate(tasks):
        if n != 2:
            count = len(task.result().indexes)
            assert list(task.result().indexes) == list(range(expected, expected + count))
            expected += count
    assert writer.size == expected == 5 * 7 + 30
    await check(store, writer)


async def test_the_edge_in_memory_gives_the_same_proofs(store: Store, writer: JournalWriter) -> None:
    await writer.append(drafts(0, 700))
    assert writer.edge(699) is None
    async with store.read() as session:
        with_edge = session.journal.reader(NODE, 700, writer.edge(700))
        without = session.journal.reader(NODE, 700)
        assert await with_edge.inclusion_proof(690, 700) == await without.inclusion_proof(690, 700)


async def test_an_idle_head_is_signed_again(store: Store, writer: JournalWriter) -> None:
    assert await writer.sign_head() == ""
    await writer.append(drafts(0, 4))
    before = writer.signed_at_us
    note = await writer.sign_head()
    assert writer.signed_at_us > before
    async with store.read() as session:
        head = await session.journal.own()
    assert head is not None
    assert (head.note, head.signed_at_us, head.size) == (note, writer.signed_at_us, 4)
    await check(store, writer)


async def test_what_the_parent_cosigned_stays_while_the_head_moves(
    store: Store, writer: JournalWriter
) -> None:
    await writer.append(drafts(0, 4))
    async with store.write() as session:
        await session.journal.cosigned(NODE, 4, "cosigned 4")
        await session.journal.cosigned(NODE, 2, "cosigned 2")
    await writer.append(drafts(4, 6))
    async with store.read() as session:
        head = await session.journal.own()
    assert head is not None
    assert (head.size, head.cosigned_size, head.cosigned_note) == (6, 4, "cosigned 4")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(
        st.lists(st.tuples(st.sampled_from(["a", "b", ""]), st.integers(0, 12)), max_size=12), max_size=8
    )
)
def test_the_guard_agrees_with_a_dictionary(
    batches: list[list[tuple[str, int]]], signer: Signer, log: str, clock: Callable[[], int]
) -> None:
    async def run() -> None:
        store = await Store.open(MEMORY)
        writer = await JournalWriter.open(store, signer, log, NODE, clock)
        known: dict[tuple[str, str], int] = {}
        leaves: list[bytes] = []
        for batch in batches:
            outcome = await writer.append(
                [Draft(b"%d" % n, source, f"{n}" if source else "") for source, n in batch]
            )
            expected, repeated = [], {}
            for position, (source, n) in enumerate(batch):
                key = (source, f"{n}")
                if source and key in known:
                    repeated[position] = known[key]
                    expected.append(known[key])
                    continue
                known[key] = len(leaves)
                expected.append(len(leaves))
                leaves.append(b"%d" % n)
            assert list(outcome.indexes) == expected
            assert dict(outcome.repeated) == repeated
            assert outcome.size == len(leaves)
        assert await stored(store) == leaves
        await check(store, writer)
        await store.close()

    asyncio.run(run())
