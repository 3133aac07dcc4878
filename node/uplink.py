"""The child's side of a node: what the dialler relays upward, and what it remembers of the parent.

Adapters between the store and the link's ports. What the parent acknowledged, what was reported and how long to wait before the next
attempt are written down before the link goes on, so that a restart resumes where it stopped and neither hammers the parent nor reports
everything again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.footing_pb2 import Footing
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, Signer, sign
from federation.link.backoff import Backoff
from federation.link.handshake import Decision
from federation.link.ports import News, OwnHead
from node.holding import OwnHolding
from node.mending.branch import Branch
from node.mending.renewing import OFFERED
from node.mending.sealing import Seal
from node.pictures_up import PicturesUp, only
from node.store.errors import StoreConflict
from node.store.store import Session, Store
from node.store.writer import JournalWriter
from node.tree import Tree

log = structlog.get_logger()

REPORT_ROWS = 50_000
"""Rows in one report; the rest follows in the next."""

REPORT_REST_S = 0.25
"""Least time between two reports: what changes in between is one report."""

PARENT_CARD = "link.parent"
"""Where the parent's own card is kept, as it introduced itself last."""

_SENT = "report.sent"
_BACKOFF = "link.backoff"


class OwnJournal:
    """The own journal as the dialler relays it (``federation.link.ports.ChildJournal``)."""

    def __init__(self, store: Store, writer: JournalWriter, signer: Signer, branch: Branch) -> None:
        self._store = store
        self._writer = writer
        self._signer = signer
        self._branch = branch

    async def head(self) -> OwnHead:
        async with self._store.read() as session:
            head = await session.journal.head(self._writer.node)
            first = await session.journal.leaf(self._writer.node, 0)
            former = await session.former_keys.of(self._writer.log_id)
        if head is None:
            raise ZonghengError("store_damaged", "the node has no journal")
        # A box that was put back has another key than the one whose journal it goes on.
        before = Entry.FromString(first).genesis.verifier if first is not None else ""
        return OwnHead(
            head.log_id,
            head.verifier,
            head.size,
            head.root,
            head.note,
            head.cosigned_size,
            head.cosigned_note,
            [vkey for vkey in {before, *(key.verifier for key in former)} if vkey and vkey != head.verifier],
        )

    async def leaves(self, lo: int, hi: int, max_bytes: int) -> Sequence[bytes]:
        async with self._store.read() as session:
            return await session.journal.leaves(self._writer.node, lo, hi, max_bytes)

    async def note_at(self, size: int) -> str:
        async with self._store.read() as session:
            head = await session.journal.head(self._writer.node)
            if head is not None and head.size == size and head.note:
                return head.note
            root = await self._root(session, size)
        return sign(Checkpoint(self._writer.log_id, size, root), self._signer)

    async def root_at(self, size: int) -> bytes:
        async with self._store.read() as session:
            return await self._root(session, size)

    async def consistency(self, old: int, new: int) -> Sequence[bytes]:
        async with self._store.read() as session:
            head = await session.journal.head(self._writer.node)
            held = head.size if head else 0
            return await session.journal.reader(
                self._writer.node, held, self._writer.edge(held)
            ).consistency_proof(old, new)

    async def wait_beyond(self, size: int) -> int:
        return await self._writer.wait_beyond(size)

    async def acknowledged(self, size: int, cosigned_note: str) -> None:
        async with self._store.write() as session:
            await session.journal.cosigned(self._writer.node, size, cosigned_note)

    async def adopt(self, first: int, leaves: Sequence[bytes], root: bytes) -> int:
        try:
            return await self._branch.adopt(first, leaves, root)
        except StoreConflict as error:
            raise ZonghengError("root_mismatch", str(error)) from error

    async def give_up(self, size: int) -> None:
        await self._branch.give_up(size)

    async def _root(self, session: Session, size: int) -> bytes:
        head = await session.journal.head(self._writer.node)
        held = head.size if head else 0
        return await session.journal.reader(self._writer.node, held, self._writer.edge(held)).root(size)


class Figures:
    """What a node reports upward (``federation.link.ports.Reporter``): changed rows of its subtree, and everybody's newest head."""

    def __init__(
        self,
        store: Store,
        tree: Tree,
        footing: Callable[[], Awaitable[Footing]],
        holding: OwnHolding,
    ) -> None:
        self._store = store
        self._tree = tree
        self._footing = footing
        self._holding = holding
        self._node = tree.own.node
        self._count = 1
        self._grown = asyncio.Event()
        self._pending: dict[int, dict[str, int]] = {}
        self._passports: dict[str, bytes] = {}
        """What the parent was given in this process."""
        self._passports_pending: dict[int, dict[str, bytes]] = {}
        self._pictures = PicturesUp()

    def changed_here(self) -> None:
        """Rows or heads changed."""
        self._count += 1
        self._grown.set()

    async def changed(self, since_mark: int) -> None:
        while self._count <= since_mark:
            self._grown.clear()
            await self._grown.wait()
        await asyncio.sleep(REPORT_REST_S)

    async def news(self) -> News:
        mark = self._count
        async with self._store.read() as session:
            sent: dict[str, int] = await session.links.get_json(_SENT) or {}
            journal_size = (await session.cursors.get("facts", self._node)).position
            rows = []
            truncated = False
            for node in sorted({self._node, *await session.rollups.nodes()}):
                changed = await session.rollups.changed_since(node, sent.get(node, 0), REPORT_ROWS)
                if changed:
                    rows += changed
                    sent[node] = max(row.version for row in changed)
                if len(rows) >= REPORT_ROWS:
                    truncated = True
                    break
            head = await session.journal.head(self._node)
        # Alerts move in the append itself. With entries that are not counted yet, rows may be ahead of the size that was.
        exact = not truncated and head is not None and head.size == journal_size
        own = NodeCard()
        own.CopyFrom(self._tree.own)
        if head is not None:
            own.checkpoint, own.checkpoint_at_us = head.note, head.signed_at_us
        own.footing.CopyFrom(await self._footing())
        own.holding.CopyFrom(self._holding.said)
        below = self._tree.descendants()
        fresh = {
            card.node: card.passport for card in below if card.passport != self._passports.get(card.node, b"")
        }
        going = self._pictures.choose((own, *below), mark)
        if self._pictures.more:
            self.changed_here()
        with_pictures = {node for node, _ in going}
        cards = [only(own, going)]
        for card, known in zip(below, self._tree.bare(), strict=True):
            if card.node in fresh or card.node in with_pictures:
                told = only(card, going)
                told.passport = fresh.get(card.node, b"")
                cards.append(told)
            else:
                cards.append(known)
        self._passports_pending[mark] = fresh
        self._pending[mark] = sent
        if truncated:
            self.changed_here()
        # A report that is not whole, or stands at no one size, is not for comparing: it names none.
        return News(journal_size if exact else 0, rows, cards, mark)

    async def restart(self, session: Session) -> None:
        """All own rows are counted again: report each of them, whatever version an ancestor has."""
        sent = await session.links.get_json(_SENT) or {}
        sent.pop(self._node, None)
        await session.links.put_json(_SENT, sent)
        # A report under way speaks of what was before.
        self._pending.clear()

    async def reported(self, mark: int) -> None:
        self._passports.update(self._passports_pending.pop(mark, {}))
        self._pictures.given(mark)
        sent = self._pending.pop(mark, None)
        self._pending = {later: value for later, value in self._pending.items() if later > mark}
        if sent is not None:
            async with self._store.write() as session:
                await session.links.put_json(_SENT, sent)


class StoredBackoff:
    """The backoff, kept across restarts (``federation.link.ports.BackoffStore``)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self) -> Backoff:
        async with self._store.read() as session:
            kept = await session.links.get(_BACKOFF)
        return Backoff.from_text(kept.decode()) if kept else Backoff()

    async def save(self, backoff: Backoff) -> None:
        async with self._store.write() as session:
            await session.links.put(_BACKOFF, backoff.to_text().encode())


class OperatorDesk:
    """What the operator is told about the link, and what opens and seals the journal (``federation.link.ports.Operator``)."""

    def __init__(
        self, store: Store, writer: JournalWriter, seal: Seal, branch: Branch, opened: Callable[[], None]
    ) -> None:
        """``opened`` is told whenever the journal may take entries that it did not take before."""
        self._store = store
        self._writer = writer
        self._seal = seal
        self._branch = branch
        self._opened = opened
        self._agreed = asyncio.Event()
        self.sealed: Decision | None = None
        self.instruction = ""
        self.code = ""
        """Catalogue code of what the instruction is about; empty: there is none."""

    async def seal(self, decision: Decision, words: str) -> None:
        self.sealed = decision
        self.instruction = words
        self.code = "sealed" if decision in (Decision.PULL_BACK, Decision.MEND) else "quarantined"
        self._agreed.clear()
        if decision in (Decision.PULL_BACK, Decision.MEND):
            await self._seal.put_on(words, self._writer.size)
        log.error("link.sealed", decision=decision.name, instruction=words)

    async def unseal(self) -> None:
        self.sealed = None
        self.instruction = self.code = ""
        if not self._writer.sealed:
            return
        if await self._branch.is_set_aside():
            self._agreed.set()  # entering it again may take longer than a handshake may
        else:
            await self._seal.take_off()
            self._opened()

    async def met(self, parent: NodeCard) -> None:
        async with self._store.write() as session:
            await session.links.put(PARENT_CARD, parent.SerializeToString())

    async def offered(self, log_id: str) -> None:
        async with self._store.write() as session:
            await session.links.put(OFFERED, log_id.encode())

    async def attempted(self) -> None:
        self._writer.release()
        self._opened()

    async def run(self) -> None:
        """Enter again what was set aside, whenever both sides agree. Until cancelled."""
        while True:
            await self._agreed.wait()
            self._agreed.clear()
            await self._branch.enter_again()
            await self._seal.take_off()
            self._opened()

    async def report(self, code: str, words: str) -> None:
        by_itself = code in ("unreachable", "deadline")
        self.instruction, self.code = ("", "") if by_itself else (words, code)
        log.warning("link.reported", code=code, words=words)
