"""The link's ports kept in memory: the reference that a node's own ports are held against, and the other side
in tests.

They keep every promise of `ports` except durability, with the same checks in the same order.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from zongheng.v1.query_pb2 import Question
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.peer import Anchors, peer_of
from federation.journal.checkpoint import (
    Checkpoint,
    CheckpointError,
    Signer,
    Verifier,
    cosign,
    open_note,
    parse_log_id,
    sign,
)
from federation.journal.merkle import leaf_hash
from federation.journal.tile import TILE_WIDTH, TileBuilder, TileReader
from federation.link.backoff import Backoff
from federation.link.handshake import Decision
from federation.link.ports import Accepted, Held, News, OwnHead
from federation.query.part import Parts
from federation.rollup.row import RollupKey, RollupRow


def fitting(leaves: Sequence[bytes], max_bytes: int) -> list[bytes]:
    """The first of them that fit, at least one."""
    taken: list[bytes] = []
    size = 0
    for leaf in leaves:
        size += len(leaf)
        if taken and size > max_bytes:
            break
        taken.append(leaf)
    return taken


class MemoryTree:
    """Leaves and the Merkle tree over them."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.leaves: list[bytes] = []
        self.builder = TileBuilder()
        self._tiles: dict[tuple[int, int], bytes] = {}
        self.extend(leaves)

    def extend(self, leaves: Iterable[bytes]) -> None:
        fresh = list(leaves)
        for tile in self.builder.extend([leaf_hash(leaf) for leaf in fresh]):
            self._tiles[tile.level, tile.index] = tile.hashes
        self.leaves += fresh

    def reader(self) -> TileReader:
        async def tile(level: int, index: int) -> bytes:
            return self._tiles[level, index]

        async def hashes(lo: int, hi: int) -> Sequence[bytes]:
            assert hi - lo < TILE_WIDTH
            return [leaf_hash(leaf) for leaf in self.leaves[lo:hi]]

        return TileReader(len(self.leaves), tile, hashes, self.builder)


class MemoryJournal:
    """A ChildJournal."""

    def __init__(self, signer: Signer, leaves: Iterable[bytes] = ()) -> None:
        self.signer = signer
        self.tree = MemoryTree(leaves)
        self.cosigned_size = 0
        self.cosigned_note = ""
        self.sealed = False
        self.former_verifiers: Sequence[str] = ()
        self.aside: list[bytes] = []
        """Given up, to be entered again."""
        self._grown = asyncio.Condition()

    async def append(self, leaves: Iterable[bytes]) -> int:
        """Add leaves and wake whoever waits for them; returns the size. Raises ZonghengError `sealed`."""
        if self.sealed:
            raise ZonghengError("sealed")
        async with self._grown:
            self.tree.extend(leaves)
            self._grown.notify_all()
        return len(self.tree.leaves)

    async def head(self) -> OwnHead:
        size = len(self.tree.leaves)
        root = self.tree.builder.root()
        note = sign(Checkpoint(self.signer.name, size, root), self.signer) if size else ""
        return OwnHead(
            self.signer.name,
            str(self.signer.verifier),
            size,
            root,
            note,
            self.cosigned_size,
            self.cosigned_note,
            self.former_verifiers,
        )

    async def leaves(self, lo: int, hi: int, max_bytes: int) -> Sequence[bytes]:
        return fitting(self.tree.leaves[lo:hi], max_bytes)

    async def note_at(self, size: int) -> str:
        return sign(Checkpoint(self.signer.name, size, await self.root_at(size)), self.signer)

    async def root_at(self, size: int) -> bytes:
        return await self.tree.reader().root(size)

    async def consistency(self, old: int, new: int) -> Sequence[bytes]:
        return await self.tree.reader().consistency_proof(old, new)

    async def wait_beyond(self, size: int) -> int:
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.tree.leaves) > size)
        return len(self.tree.leaves)

    async def acknowledged(self, size: int, cosigned_note: str) -> None:
        if size > self.cosigned_size:
            self.cosigned_size, self.cosigned_note = size, cosigned_note

    async def adopt(self, first: int, leaves: Sequence[bytes], root: bytes) -> int:
        grown = self.tree.builder.copy()
        grown.extend([leaf_hash(leaf) for leaf in leaves])
        if first != len(self.tree.leaves) or grown.root() != root:
            raise ZonghengError("root_mismatch", f"what comes back does not continue {first} entries")
        self.tree.extend(leaves)
        return len(self.tree.leaves)

    async def give_up(self, size: int) -> None:
        self.aside += self.tree.leaves[size:]
        self.tree = MemoryTree(self.tree.leaves[:size])

    def enter_again(self) -> None:
        """Open the journal; what was given up and is not there goes behind what is, once."""
        present = set(self.tree.leaves)
        self.tree.extend(leaf for leaf in self.aside if leaf not in present)
        self.aside.clear()
        self.sealed = False


class _Copy:
    """What a MemoryInbox holds of one journal."""

    def __init__(self, card: NodeCard) -> None:
        self.log_id, self.verifier = card.log_id, card.verifier
        self.tree = MemoryTree()
        self.note = ""
        self.cosigned_size = 0
        self.quarantine = ""
        self.mending = False
        self.renewing = ""
        self.common = 0
        self.branch: list[bytes] = []
        """Kept apart from `common` on."""
        self.former: list[str] = []
        """Keys that signed earlier heads."""
        self.earlier: list[list[bytes]] = []
        """Branches that were kept apart before."""


class MemoryGate:
    """A Gate: the registered key of each child, by node."""

    def __init__(self, anchors: Anchors) -> None:
        self._anchors = anchors
        self.keys: dict[str, str] = {}
        self.revoked: set[str] = set()

    async def admit(self, context: Any, card: NodeCard) -> None:
        peer = peer_of(context, self._anchors)
        if self.keys.get(peer.name.node) != peer.key:
            raise ZonghengError("not_enrolled", f"{peer.name.node} is not enrolled here with this key")
        if peer.key in self.revoked:
            raise ZonghengError("revoked", f"the enrolment of {peer.name.node} was revoked")
        if card.node != peer.name.node:
            raise ZonghengError("untrusted", f"the certificate is {peer.name.node}'s, not {card.node}'s")


class MemoryInbox:
    """A ParentInbox."""

    def __init__(self, signer: Signer, now_us: Callable[[], int]) -> None:
        self._signer = signer
        self._now_us = now_us
        self.copies: dict[str, _Copy] = {}
        self.forks: list[tuple[str, str, str, str]] = []
        self.restored: list[tuple[str, int, int]] = []
        """Children that were: node, shown size, held size."""
        self.went_back: list[tuple[str, int, int]] = []
        """What children proved of ourselves: node, cosigned size, held size."""

    async def enrol(self, card: NodeCard) -> None:
        try:
            named = parse_log_id(card.log_id).node
            verifier = Verifier.parse(card.verifier)
        except CheckpointError as error:
            raise ZonghengError("not_enrolled", str(error)) from error
        if named != card.node or verifier.name != card.log_id:
            raise ZonghengError("not_enrolled", f"the journal {card.log_id} is not one of {card.node}")
        copy = self.copies.setdefault(card.node, _Copy(card))
        if copy.log_id == card.log_id and copy.verifier != card.verifier:
            copy.former.append(copy.verifier)
            copy.verifier = card.verifier
        if copy.log_id != card.log_id:
            raise ZonghengError(
                "wrong_log", f"{card.node} is enrolled with {copy.log_id}, it shows {card.log_id}"
            )

    async def held(self, node: str) -> Held:
        copy = self.copies[node]
        root = copy.tree.builder.root()
        size = len(copy.tree.leaves)
        return Held(
            copy.log_id,
            copy.verifier,
            size,
            root,
            copy.note,
            copy.cosigned_size,
            copy.quarantine,
            copy.common if copy.mending else None,
            copy.renewing,
            copy.former,
        )

    async def root_at(self, node: str, size: int) -> bytes:
        return await self.copies[node].tree.reader().root(size)

    async def consistency(self, node: str, old: int, new: int) -> Sequence[bytes]:
        return await self.copies[node].tree.reader().consistency_proof(old, new)

    async def accept(self, node: str, first: int, leaves: Sequence[bytes], note: str) -> Accepted:
        copy = self.copies[node]
        if copy.quarantine:
            raise ZonghengError("quarantined", copy.quarantine)
        size = len(copy.tree.leaves)
        if first != size:
            raise ZonghengError("gap", f"the next index is {size}, not {first}")
        try:
            signed = open_note(note, [Verifier.parse(copy.verifier)])
        except CheckpointError as error:
            raise ZonghengError("bad_signature", str(error)) from error
        grown = copy.tree.builder.copy()
        grown.extend([leaf_hash(leaf) for leaf in leaves])
        if (signed.origin, signed.size) != (copy.log_id, grown.size):
            raise ZonghengError("bad_signature", f"the head is of {signed.size} entries, not of {grown.size}")
        if signed.root != grown.root():
            raise ZonghengError(
                "root_mismatch", f"{grown.size} entries have another root than the signed one"
            )
        copy.tree.extend(leaves)
        copy.note, copy.cosigned_size = note, grown.size
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self._now_us())
        return Accepted(grown.size, cosign(note, self._signer, at))

    async def leaves(self, node: str, lo: int, hi: int, max_bytes: int) -> Sequence[bytes]:
        return fitting(self.copies[node].tree.leaves[lo:hi], max_bytes)

    async def divert(self, node: str, common: int, first: int, leaves: Sequence[bytes], note: str) -> int:
        copy = self.copies[node]
        if not copy.quarantine or copy.mending or copy.renewing:
            raise ZonghengError("quarantined", "this branch is not wanted")
        if not copy.branch or first == common:
            if copy.branch:
                copy.earlier.append(copy.branch)
            copy.common, copy.branch = common, []
        end = copy.common + len(copy.branch)
        if (common, first) != (copy.common, end):
            raise ZonghengError("gap", f"what is kept apart goes on at {end}, not at {first}")
        try:
            signed = open_note(note, [Verifier.parse(copy.verifier)])
        except CheckpointError as error:
            raise ZonghengError("bad_signature", str(error)) from error
        branch = MemoryTree([*copy.tree.leaves[:common], *copy.branch, *leaves])
        if (signed.size, signed.root) != (len(branch.leaves), branch.builder.root()):
            raise ZonghengError("root_mismatch", "the branch does not give the signed root")
        copy.branch += leaves
        return end + len(leaves)

    async def diverted(self, node: str) -> int:
        copy = self.copies[node]
        return copy.common + len(copy.branch) if copy.branch else 0

    async def child_restored(self, node: str, shown_size: int, held_size: int, shown_note: str) -> None:
        if (fact := (node, shown_size, held_size)) not in self.restored:
            self.restored.append(fact)

    async def parent_restored(
        self, node: str, cosigned_size: int, held_size: int, cosigned_note: str
    ) -> None:
        if (fact := (node, cosigned_size, held_size)) not in self.went_back:
            self.went_back.append(fact)

    async def mended(self, node: str, note: str) -> None:
        copy = self.copies[node]
        copy.earlier.append(copy.branch)
        copy.quarantine, copy.mending, copy.branch = "", False, []

    async def fork(self, node: str, held_note: str, shown_note: str, reason: str) -> None:
        if not self.copies[node].quarantine:
            self.copies[node].quarantine = reason
            self.forks.append((node, held_note, shown_note, reason))


class MemorySink:
    """A ReportSink."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, NodeCard]] = {}
        self.told: list[list[str]] = []
        """The nodes whose cards came, a list each time."""
        self.stored: dict[RollupKey, RollupRow] = {}
        self.reports = 0

    async def cards(self, child: str, cards: Sequence[NodeCard]) -> None:
        for other, below in self.known.items():
            if other != child and (stolen := {card.node for card in cards} & below.keys()):
                raise ZonghengError("protocol", f"{min(stolen)} is below {other}, not below {child}")
        self.known.setdefault(child, {}).update({card.node: card for card in cards})
        self.told.append([card.node for card in cards])

    async def rows(self, child: str, journal_size: int, rows: Sequence[RollupRow]) -> None:
        self.reports += 1
        for row in rows:
            known = self.stored.get(row.key)
            if known is None or known.version <= row.version:
                self.stored[row.key] = row


class MemoryReporter:
    """A Reporter."""

    def __init__(self, card: NodeCard) -> None:
        self.cards = [card]
        self.rows: dict[RollupKey, tuple[int, RollupRow]] = {}
        self._mark = 1
        self._reported = 0
        self._news = asyncio.Condition()

    async def put(self, *rows: RollupRow) -> None:
        async with self._news:
            self._mark += 1
            for row in rows:
                self.rows[row.key] = self._mark, row
            self._news.notify_all()

    async def changed(self, since_mark: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: self._mark > since_mark)

    async def news(self) -> News:
        rows = [row for mark, row in self.rows.values() if mark > self._reported]
        return News(max((row.version for row in rows), default=0), rows, self.cards, self._mark)

    async def reported(self, mark: int) -> None:
        self._reported = max(self._reported, mark)


class MemoryAnswerer:
    """An Answerer that delegates to a function."""

    def __init__(self, answer: Callable[[Question, float], Parts]) -> None:
        self._answer = answer

    def answer(self, question: Question, deadline: float) -> Parts:
        return self._answer(question, deadline)


class MemoryBackoffStore:
    """A BackoffStore."""

    def __init__(self) -> None:
        self.text = ""

    async def load(self) -> Backoff:
        return Backoff.from_text(self.text)

    async def save(self, backoff: Backoff) -> None:
        self.text = backoff.to_text()


class MemoryOperator:
    """An Operator that remembers what it was told, and seals the journal it is given."""

    def __init__(self, journal: MemoryJournal | None = None) -> None:
        self.sealed: tuple[Decision, str] | None = None
        self.told: list[tuple[str, str]] = []
        self.parent: NodeCard | None = None
        self.renewal = ""
        self._journal = journal

    async def seal(self, decision: Decision, words: str) -> None:
        self.sealed = decision, words
        if self._journal is not None and decision in (Decision.PULL_BACK, Decision.MEND):
            self._journal.sealed = True

    async def unseal(self) -> None:
        self.sealed = None
        if self._journal is not None:
            self._journal.enter_again()

    async def met(self, parent: NodeCard) -> None:
        self.parent = parent

    async def offered(self, log_id: str) -> None:
        self.renewal = log_id

    async def attempted(self) -> None:
        pass

    async def report(self, code: str, words: str) -> None:
        self.told.append((code, words))
