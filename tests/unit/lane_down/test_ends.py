"""What both ends of the lane down promise, the node's own and the twins in memory."""

import asyncio

import pytest
from zongheng.v1.down_pb2 import DescendResponse
from zongheng.v1.entry_pb2 import Entry, ForkFound

from federation.errors import ZonghengError
from federation.link.descent import Came, Keep, Last, Linked, Pin, Stored, Stream
from federation.link.down_lane import begun
from node.lane_down import AddressedEntries
from node.store.addressed import rows_of
from node.store.drafts import Draft
from tests.unit.lane_down.conftest import COUNTY, OTHER, TOWN, VILLAGE, Lower, Upper, opened, tree, word

MEMBERS = {TOWN, VILLAGE}


async def carry(upper: Upper, lower: Lower, *, most: int = 1 << 20, crash: bool = False) -> int:
    """One link: everything there is, in batches; with ``crash`` it dies after the first was kept. Returns batches."""
    end = lower.end
    descent = await begun(end)
    descent.handle(Linked())
    message, batches = DescendResponse(above=await upper.end.above()), 0
    while True:
        for command in descent.handle(Came(message)):
            if isinstance(command, Pin):
                await end.pin(command.above)
            elif isinstance(command, Keep):
                await end.keep(command)
                batches += 1
                if crash:
                    return batches
                descent.handle(Stored())
            else:
                raise AssertionError(command)
        batch = await upper.end.batch(MEMBERS, descent.position, descent.kept.size, most)
        if batches and descent.position >= batch.size:
            return batches
        message = batch.message


def texts(entries: list[Entry]) -> list[str]:
    return [Entry.FromString(entry.received.leaf).person_erased.reason for entry in entries]


async def test_what_is_for_the_child_comes_over_in_order_and_once(upper: Upper, lower: Lower) -> None:
    for text, node, subtree in (
        ("all", COUNTY, True),
        ("nobody", "", False),
        ("town", TOWN, False),
        ("other", OTHER, True),
        ("village", VILLAGE, False),
        ("below the town", TOWN, True),
    ):
        await upper.write(word(text, node, subtree=subtree))
    assert await carry(upper, lower, crash=True) == 1
    await carry(upper, lower)
    await upper.write(word("later", VILLAGE))
    await carry(upper, lower)
    assert texts(list(await lower.entered())) == ["all", "town", "village", "below the town", "later"]
    assert await lower.end.last() == {
        Stream(COUNTY, COUNTY, True): Last(1, 0),
        Stream(COUNTY, TOWN, False): Last(1, 2),
        Stream(COUNTY, TOWN, True): Last(1, 5),
        Stream(COUNTY, VILLAGE, False): Last(2, 6),
    }
    kept = await lower.end.kept()
    assert (kept.parent, kept.position, kept.size) == (COUNTY, 7, 7)


async def test_batches_end_where_there_is_no_more_room(upper: Upper, lower: Lower) -> None:
    for number in range(30):
        await upper.write(word(f"{number}", TOWN))
    assert await carry(upper, lower, most=100) > 5
    assert texts(list(await lower.entered())) == [str(number) for number in range(30)]


async def test_an_entry_alone_may_be_larger_than_a_batch(upper: Upper, lower: Lower) -> None:
    await upper.write(word("x" * 100_000, TOWN))
    await carry(upper, lower, most=10)
    assert len(await lower.entered()) == 1


async def test_a_position_is_kept_without_any_entry(upper: Upper, lower: Lower) -> None:
    await upper.write(word("for another", OTHER))
    await carry(upper, lower)
    assert list(await lower.entered()) == []
    assert (await lower.end.kept()).position == 1


async def test_who_waits_hears_of_an_addressed_entry_and_of_no_other(upper: Upper) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(upper.end.wait_addressed(0))
        await upper.write(word("nobody"))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await upper.write(word("town", TOWN))


async def test_a_fork_is_entered_once(lower: Lower) -> None:
    found = ForkFound(origin=COUNTY, held="held", shown="shown", reason="differs")
    await lower.end.forked(found)
    await lower.end.forked(found)
    assert len([entry for entry in await lower.entered() if entry.HasField("fork_found")]) <= 1


async def test_an_address_is_of_somebody_below() -> None:
    store, writer = await opened(COUNTY)
    entries = AddressedEntries(store, writer, tree(COUNTY, (TOWN, COUNTY)))
    assert entries.address(TOWN).node == TOWN
    assert entries.address(COUNTY, subtree=True).subtree
    for node, subtree in ((COUNTY, False), (OTHER, False), ("9901", True)):
        with pytest.raises(ZonghengError, match="below"):
            entries.address(node, subtree=subtree)
    await store.close()


async def test_the_guard_comes_back_with_the_leaves() -> None:
    store, writer = await opened(COUNTY)
    await writer.append([Draft.of(word(text, node)) for text, node in (("a", TOWN), ("b", ""), ("c", TOWN))])
    await writer.append([Draft.of(word("d", TOWN)), Draft.of(word("e", OTHER))])
    async with store.read() as session:
        rows = await session.addressed.page(0, 10, 10)
        assert rows == rows_of(COUNTY, 0, await session.journal.leaves(COUNTY, 0, 10))
    assert [(row.idx, row.node, row.number) for row in rows] == [
        (0, TOWN, 1),
        (2, TOWN, 2),
        (3, TOWN, 3),
        (4, OTHER, 1),
    ]
    await store.close()


async def test_appends_that_are_committed_together_are_numbered_one_after_another() -> None:
    store, writer = await opened(COUNTY)
    await asyncio.gather(*(writer.append([Draft.of(word(f"{n}", TOWN))]) for n in range(50)))
    async with store.read() as session:
        entries = [Entry.FromString(leaf) for leaf in await session.journal.leaves(COUNTY, 0, 50)]
    assert [entry.address.number for entry in entries] == list(range(1, 51))
    assert [entry.address.previous for entry in entries] == list(range(50))
    await store.close()
