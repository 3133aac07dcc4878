"""The node's own ends of the lane down beside the twins in memory: what holds for one holds for both."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest
from zongheng.v1.entry_pb2 import Address, Entry, PersonErased
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Signer, log_id
from federation.link.down_memory import MemoryAddressed, MemoryReceived
from federation.link.down_ports import AddressedJournal, ReceivedEntries
from federation.link.memory import MemoryJournal
from node.lane_down import AddressedEntries, FromAbove
from node.store.drafts import Draft
from node.store.store import MEMORY, Store
from node.store.writer import JournalWriter
from node.tree import Tree

COUNTY, TOWN, OTHER, VILLAGE = "990100", "990101", "990102", "990101001"


def word(text: str, node: str = "", *, subtree: bool = False) -> Entry:
    """An entry that says something, to somebody below where a node is named."""
    entry = Entry(noted_at_us=1, person_erased=PersonErased(reason=text))
    if node:
        entry.address.CopyFrom(Address(node=node, subtree=subtree))
    return entry


@dataclass
class Upper:
    """A parent's end, and how to write an entry there; returns its index."""

    end: AddressedJournal
    write: Callable[[Entry], Awaitable[int]]


@dataclass
class Lower:
    """A child's end, and what it has entered."""

    end: ReceivedEntries
    entered: Callable[[], Awaitable[Sequence[Entry]]]


def tree(own: str, *below: tuple[str, str]) -> Tree:
    known = Tree(NodeCard(node=own))
    known.learn([NodeCard(node=node, parent=parent) for node, parent in below])
    return known


async def opened(node: str) -> tuple[Store, JournalWriter]:
    store = await Store.open(MEMORY)
    journal = log_id(node, "3f9a2c1d")
    writer = await JournalWriter.open(store, Signer.generate(journal), journal, node, lambda: 1)
    return store, writer


@pytest.fixture(params=["memory", "node"])
async def upper(request: pytest.FixtureRequest) -> AsyncIterator[Upper]:
    """A county with two towns, one of which has a village."""
    if request.param == "memory":
        twin = MemoryAddressed(
            NodeCard(node=COUNTY), MemoryJournal(Signer.generate(log_id(COUNTY, "3f9a2c1d")))
        )
        yield Upper(twin, twin.write)
        return
    store, writer = await opened(COUNTY)
    own = tree(COUNTY, (TOWN, COUNTY), (OTHER, COUNTY), (VILLAGE, TOWN))
    own.own.log_id, own.own.verifier = writer.log_id, writer.verifier
    end = AddressedEntries(store, writer, own)

    async def write(entry: Entry) -> int:
        return (await writer.append([Draft.of(entry)])).indexes[0]

    yield Upper(end, write)
    await store.close()


@pytest.fixture(params=["memory", "node"])
async def lower(request: pytest.FixtureRequest) -> AsyncIterator[Lower]:
    """A town with a village below it."""
    if request.param == "memory":
        twin = MemoryReceived(TOWN, lambda: {VILLAGE})

        async def in_memory() -> Sequence[Entry]:
            return twin.entries

        yield Lower(twin, in_memory)
        return
    store, writer = await opened(TOWN)
    end = FromAbove(store, writer, tree(TOWN, (VILLAGE, TOWN)), lambda: 1)

    async def entered() -> Sequence[Entry]:
        async with store.read() as session:
            return [Entry.FromString(leaf) for leaf in await session.journal.leaves(TOWN, 0, writer.size)]

    yield Lower(end, entered)
    await store.close()
