"""A node's two ends of the lane down: what its journal holds for those below, and what it receives from above.

Adapters between the store and the lane's ports. A receipt is an entry of the own journal, so entering it is signing for it: it rises
with the journal, and a parent that judges this journal again sees what this node was told and when. The receipts, where the lane stands
and the parent's newest head are written in one transaction.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from typing import Final

import structlog
from zongheng.v1.down_pb2 import DescendResponse, LaneReopened
from zongheng.v1.entry_pb2 import Address, Entry, ForkFound, Received
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.passport import Holder
from federation.link.descent import Keep, Kept, Last, Stream
from federation.link.down_ports import Batch
from node.store.addressed import AddressedRow
from node.store.drafts import Draft
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.tree import Tree
from node.wallclock import Now

log = structlog.get_logger()

SOURCE: Final = "above"
"""Source of receipts; their serial is ``<sender>/<index>/<digest of the leaf>``."""

BATCH_ENTRIES: Final = 200

_PAGE: Final = 1_000
_KEPT: Final = "down.kept"
_ABOVE: Final = "down.above"
_KEYS: Final = "down.keys"
_SINCE: Final = "down.since"
_DESCENDED: Final = "down.position/"


async def above(session: Session) -> list[NodeCard]:
    """The cards of everybody above, the parent first; empty until the parent said so once."""
    stored = await session.links.get(_ABOVE)
    return [] if stored is None else list(DescendResponse.FromString(stored).above)


async def descended(session: Session) -> dict[str, int]:
    """How far each child has acknowledged what is for it, as an index of the own journal."""
    names = await session.links.names(_DESCENDED)
    return {name.removeprefix(_DESCENDED): int(await session.links.get(name) or 0) for name in names}


class AddressedEntries:
    """What the own journal holds for those below (``federation.link.down_ports.AddressedJournal``)."""

    def __init__(self, store: Store, writer: JournalWriter, tree: Tree) -> None:
        self._store = store
        self._writer = writer
        self._tree = tree
        self._own = writer.node

    def address(self, node: str, *, subtree: bool = False) -> Address:
        """The address of a node below, or of everybody below a node or this one. ``ZonghengError`` ``unknown_node`` for any other."""
        if self._tree.route(node) is None and not (node == self._own and subtree):
            raise ZonghengError("unknown_node", f"there is no node {node} below {self._own}")
        return Address(node=node, subtree=subtree)

    async def above(self) -> Sequence[NodeCard]:
        async with self._store.read() as session:
            ancestors = await above(session)
        own = NodeCard()
        own.CopyFrom(self._tree.own)
        if ancestors:
            own.parent = ancestors[0].node
        return [own, *ancestors]

    async def batch(self, members: Collection[str], position: int, held_size: int, max_bytes: int) -> Batch:
        async with self._store.read() as session:
            head = await session.journal.head(self._own)
            if head is None:
                raise ZonghengError("store_damaged", "the node has no journal")
            reader = session.journal.reader(self._own, head.size, self._writer.edge(head.size))
            message = DescendResponse(first=position, upto=max(position, head.size), checkpoint=head.note)
            room = max_bytes
            for row in await self._rows(session, members, position, head.size):
                leaf = await session.journal.leaf(self._own, row.idx) or b""
                room -= len(leaf)
                if message.entries and (room < 0 or len(message.entries) >= BATCH_ENTRIES):
                    message.upto = row.idx
                    break
                proof = await reader.inclusion_proof(row.idx, head.size)
                message.entries.add(index=row.idx, leaf=leaf, proof=proof)
            if 0 < held_size <= head.size:
                message.consistency.extend(await reader.consistency_proof(held_size, head.size))
        return Batch(message, head.size)

    async def _rows(
        self, session: Session, members: Collection[str], position: int, size: int
    ) -> list[AddressedRow]:
        """The next entries for any of ``members``, one more than fits a batch."""
        found: list[AddressedRow] = []
        while len(found) <= BATCH_ENTRIES:
            page = await session.addressed.page(position, size, _PAGE)
            found += [row for row in page if self._is_for(row, members)]
            if len(page) < _PAGE:
                break
            position = page[-1].idx + 1
        return found

    def _is_for(self, row: AddressedRow, members: Collection[str]) -> bool:
        if row.node in members:
            return True
        # Everybody below this node, or below one of its ancestors: all children.
        from_here = row.sender != self._own or row.node == self._own
        return bool(row.subtree) and from_here and self._tree.route(row.node) is None

    async def waiting(self, child: str, position: int) -> tuple[int, int]:
        """Of what is for a child or somebody below it: entries from ``position`` on, and entries before it for which its journal, as it is
        held and read here, has no receipt. Of each the newest `_PAGE` addressed entries are looked at.
        """
        members = self._tree.subtree(child)
        async with self._store.read() as session:
            ahead = await session.addressed.page(position, self._writer.size, _PAGE)
            behind = [
                row for row in await session.addressed.newest(position, _PAGE) if self._is_for(row, members)
            ]
            signed = {
                (sender, index)
                for sender in {row.sender for row in behind}
                for index in await session.receipts.of(
                    child, sender, [row.sender_idx for row in behind if row.sender == sender]
                )
            }
            read = (await session.cursors.get("events", child)).position
            head = await session.journal.head(child)
        settled = head is not None and read >= head.size
        missing = [row for row in behind if (row.sender, row.sender_idx) not in signed]
        return sum(self._is_for(row, members) for row in ahead), len(missing) if settled else 0

    async def wait_addressed(self, position: int) -> None:
        await self._writer.wait_addressed(position)

    async def descended(self, child: str, position: int) -> None:
        async with self._store.write() as session:
            await session.links.put(f"{_DESCENDED}{child}", str(position).encode())


class FromAbove:
    """Receipts of what comes from above (``federation.link.down_ports.ReceivedEntries``)."""

    def __init__(
        self,
        store: Store,
        writer: JournalWriter,
        tree: Tree,
        now: Now,
        holder: Callable[[str], Holder | None] = lambda node: None,
    ) -> None:
        """``holder``: who a node above is by its checked passport."""
        self._store = store
        self._writer = writer
        self._tree = tree
        self._now = now
        self._holder = holder
        self._reopened = asyncio.Event()
        self.code = self.instruction = ""
        """Why nothing more is taken from the parent; empty: the lane is open."""

    @property
    def node(self) -> str:
        return self._writer.node

    async def kept(self) -> Kept:
        async with self._store.read() as session:
            kept = await session.links.get_json(_KEPT)
        if kept is None:
            return Kept()
        return Kept(kept["parent"], kept["position"], kept["note"], kept["size"], bytes.fromhex(kept["root"]))

    async def last(self) -> Mapping[Stream, Last]:
        async with self._store.read() as session:
            since = int(await session.links.get(_SINCE) or 0)
            return await session.addressed.streams(but=self.node, since=since)

    async def above(self) -> Sequence[NodeCard]:
        async with self._store.read() as session:
            return await above(session)

    def below(self) -> Collection[str]:
        return self._tree.nodes()

    async def keys(self) -> Mapping[str, Sequence[str]]:
        async with self._store.read() as session:
            pinned: dict[str, list[str]] = await session.links.get_json(_KEYS) or {}
        return pinned

    def vouched(self, card: NodeCard) -> bool | None:
        holder = self._holder(card.node)
        return None if holder is None else (holder.log_id, holder.verifier) == (card.log_id, card.verifier)

    async def pin(self, above: Sequence[NodeCard]) -> None:
        async with self._store.write() as session:
            await session.links.put(_ABOVE, DescendResponse(above=above).SerializeToString())
            pinned: dict[str, list[str]] = await session.links.get_json(_KEYS) or {}
            for card in above:
                known = pinned.setdefault(card.node, [])
                if card.verifier not in known:
                    known.append(card.verifier)
            await session.links.put_json(_KEYS, pinned)

    async def reopen(self, by: str, reason: str) -> None:
        """Take the journals above as they are from now on: a person decided so. What comes again unchanged is not entered again."""
        kept = await self.kept()
        entry = Entry(lane_reopened=LaneReopened(parent=kept.parent, held=kept.note, by=by, reason=reason))

        async def beside(session: Session) -> None:
            for name in (_KEPT, _ABOVE, _KEYS):
                await session.links.delete(name)
            head = await session.journal.own()
            await session.links.put(_SINCE, str(head.size if head is not None else 0).encode())

        await self._writer.append(self._drafts([entry]), beside)
        self.code = self.instruction = ""
        self._reopened.set()

    async def wait_reopened(self) -> None:
        self._reopened.clear()
        await self._reopened.wait()

    async def keep(self, keep: Keep) -> None:
        entries = [
            Entry(source=SOURCE, serial=_serial(received), received=received) for received in keep.received
        ]
        for withheld in keep.withheld:
            log.error("down.withheld", sender=withheld.sender, missing=withheld.missing, shown=withheld.shown)
            to = f"{withheld.sender}/{withheld.node}/{int(withheld.subtree)}/{withheld.shown}"
            entries.append(Entry(source=SOURCE, serial=f"withheld/{to}", withheld=withheld))
        kept = keep.kept
        state = {
            "parent": kept.parent,
            "position": kept.position,
            "note": kept.note,
            "size": kept.size,
            "root": kept.root.hex(),
        }

        async def beside(session: Session) -> None:
            await session.links.put_json(_KEPT, state)

        if entries:
            await self._writer.append(self._drafts(entries), beside)
        else:
            async with self._store.write() as session:
                await beside(session)

    async def forked(self, found: ForkFound) -> None:
        shown = sha256(found.shown.encode()).hexdigest()[:16]
        entry = Entry(source=SOURCE, serial=f"fork/{found.origin}/{shown}", fork_found=found)
        await self._writer.append(self._drafts([entry]))

    async def halted(self, code: str, words: str) -> None:
        reopen = (
            "a person who knows why opens the lane again: zongheng lane DIR --reopen --by NUMBER --reason WHY"
        )
        self.code, self.instruction = code, f"{words}; {reopen}" if code else ""

    def _drafts(self, entries: Sequence[Entry]) -> list[Draft]:
        for entry in entries:
            entry.noted_at_us = self._now()
        return [Draft.of(entry) for entry in entries]


def _serial(received: Received) -> str:
    # A journal that was cut and written on has another entry at the same index.
    return f"{received.origin}/{received.index}/{sha256(received.leaf).hexdigest()[:16]}"
