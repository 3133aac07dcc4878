"""The ends of the lane down kept in memory: the reference that a node's own ends are held against, and the other side in tests.

They keep every promise of `down_ports` except durability.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from zongheng.v1.down_pb2 import DescendResponse
from zongheng.v1.entry_pb2 import Entry, ForkFound
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Checkpoint, sign
from federation.link.descent import Keep, Kept, Last, Stream, sent_by
from federation.link.down_ports import Batch
from federation.link.memory import MemoryJournal


class MemoryAddressed:
    """An AddressedJournal."""

    def __init__(self, card: NodeCard, journal: MemoryJournal, above: Sequence[NodeCard] = ()) -> None:
        self.card = NodeCard()
        self.card.CopyFrom(card)
        self.card.log_id, self.card.verifier = journal.signer.name, str(journal.signer.verifier)
        self.journal = journal
        self.ancestors = list(above)
        self.streams: dict[Stream, Last] = {}
        self.rows: list[tuple[int, Stream]] = []
        self.positions: dict[str, int] = {}
        self._written = asyncio.Condition()

    async def write(self, entry: Entry) -> int:
        """Append an entry, numbered where it is for somebody below; returns its index."""
        index = len(self.journal.tree.leaves)
        fresh = Entry()
        fresh.CopyFrom(entry)
        if fresh.HasField("address"):
            stream = Stream(self.card.node, fresh.address.node, fresh.address.subtree)
            before = self.streams.get(stream, Last())
            fresh.address.number, fresh.address.previous = before.number + 1, before.index + 1
        placed = sent_by(self.card.node, index, fresh)
        async with self._written:
            await self.journal.append([fresh.SerializeToString()])
            if placed is not None:
                self.streams[placed[0]] = placed[1]
                self.rows.append((index, placed[0]))
            self._written.notify_all()
        return index

    async def above(self) -> Sequence[NodeCard]:
        return [self.card, *self.ancestors]

    async def batch(self, members: Collection[str], position: int, held_size: int, max_bytes: int) -> Batch:
        tree = self.journal.tree
        size = len(tree.leaves)
        note = sign(Checkpoint(self.card.log_id, size, tree.builder.root()), self.journal.signer)
        reader = tree.reader()
        message = DescendResponse(first=position, upto=max(position, size), checkpoint=note)
        room = max_bytes
        for index, stream in self.rows:
            if index < position or not self._is_for(stream, members):
                continue
            room -= len(tree.leaves[index])
            if message.entries and room < 0:
                message.upto = index
                break
            proof = await reader.inclusion_proof(index, size)
            message.entries.add(index=index, leaf=tree.leaves[index], proof=proof)
        if 0 < held_size <= size:
            message.consistency.extend(await reader.consistency_proof(held_size, size))
        return Batch(message, size)

    def _is_for(self, stream: Stream, members: Collection[str]) -> bool:
        above = {self.card.node, *(card.node for card in self.ancestors)}
        return stream.node in members or (stream.subtree and stream.node in above)

    async def wait_addressed(self, position: int) -> None:
        async with self._written:
            await self._written.wait_for(lambda: bool(self.rows) and self.rows[-1][0] >= position)

    async def descended(self, child: str, position: int) -> None:
        self.positions[child] = position


class MemoryReceived:
    """A ReceivedEntries."""

    def __init__(self, node: str, below: Callable[[], Collection[str]] = frozenset) -> None:
        self.node = node
        self.entries: list[Entry] = []
        """Receipts and what is withheld, in the order they were entered."""
        self.pinned: list[NodeCard] = []
        self.standing = Kept()
        self.forks: list[ForkFound] = []
        self.code = self.words = ""
        self._below = below
        self._seen: set[tuple[str, int, bytes]] = set()
        self._keys: dict[str, list[str]] = {}
        self._before = 0
        self._reopened = asyncio.Event()
        self.passports: dict[str, str] = {}
        """The journal key that a node's passport names."""

    async def kept(self) -> Kept:
        return self.standing

    async def last(self) -> Mapping[Stream, Last]:
        newest: dict[Stream, Last] = {}
        for entry in self.entries[self._before :]:
            placed = sent_by(self.node, 0, entry)
            if placed is not None:
                newest[placed[0]] = placed[1]
        return newest

    async def above(self) -> Sequence[NodeCard]:
        return self.pinned

    def below(self) -> Collection[str]:
        return self._below()

    async def keys(self) -> Mapping[str, Sequence[str]]:
        return self._keys

    def vouched(self, card: NodeCard) -> bool | None:
        named = self.passports.get(card.node)
        return None if named is None else named == card.verifier

    async def pin(self, above: Sequence[NodeCard]) -> None:
        self.pinned = list(above)
        for card in above:
            pinned = self._keys.setdefault(card.node, [])
            if card.verifier not in pinned:
                pinned.append(card.verifier)

    def reopen(self) -> None:
        """Take the parent's journal as it is from now on."""
        self.standing, self.pinned, self._keys, self._before = Kept(), [], {}, len(self.entries)
        self._reopened.set()

    async def wait_reopened(self) -> None:
        self._reopened.clear()
        await self._reopened.wait()

    async def keep(self, keep: Keep) -> None:
        for received in keep.received:
            one = (received.origin, received.index, received.leaf)
            if one not in self._seen:
                self._seen.add(one)
                self.entries.append(Entry(received=received))
        self.entries += [Entry(withheld=withheld) for withheld in keep.withheld]
        self.standing = keep.kept

    async def forked(self, found: ForkFound) -> None:
        if found not in self.forks:
            self.forks.append(found)

    async def halted(self, code: str, words: str) -> None:
        self.code, self.words = code, words

    def indexes(self, sender: str) -> list[int]:
        """The sender's indexes of the entries that are received, in order."""
        return [entry.received.index for entry in self.entries if entry.received.origin == sender]
