"""The sole writer of a node's own journal. Everything the node states goes through `JournalWriter.append`.

One transaction holds the leaves, the full hash tiles, the head with a checkpoint signed over the new size, and the guards: one
entry for each (source, serial), one alert for each finding, the state of alerts. It is durable when `append` returns. Killed
before the commit: nothing happened. Killed after: everything did, and the sender, who has no answer, sends again and is told the
index his entry has already.

The index comes from the head, which the same transaction moves on, and which must still stand where this writer left it. So two
writers of one journal cannot both succeed, and a commit whose answer was lost is found out at the next append.

Appends that wait together are committed together: one fsync, one signature, each its own answer. When the common transaction
fails, each is tried alone, so that one bad append does not harm its neighbours.

A sealed journal takes no append: it was restored, or forked, and what is to be entered next is not known yet. Only what mends it gets
through: `adopt` takes back entries that the parent held, `cut` gives up a branch, and appends `under_seal` enter again what was on it.
A held journal lets appends wait: a node that has just started asks its parent first whether it is where it should be.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, Self

from zongheng.v1.entry_pb2 import Entry

from federation.journal.checkpoint import Signer
from federation.journal.merkle import EMPTY_ROOT
from federation.journal.rotation import rotate
from federation.journal.tile import TileBuilder
from node.store.amending import adopt, cut
from node.store.drafts import Appended, Beside, Draft
from node.store.engine import Transaction
from node.store.errors import StoreConflict, StoreSealed
from node.store.former_keys import FormerKey
from node.store.guards import numbered, repeated_of
from node.store.highwater import HighWater, Mark
from node.store.journal import leaf_hashes
from node.store.rows import Head
from node.store.standing import Standing
from node.store.store import Session, Store

GROUP_ENTRIES: Final = 8_192
"""Appends that wait are committed together up to about so many entries."""


@dataclass(slots=True)
class _Request:
    drafts: Sequence[Draft]
    hashes: Sequence[bytes]
    """Leaf hashes of the drafts, computed before the request queues: while another commit is on the disk."""
    beside: Beside | None
    under_seal: bool
    outcome: Appended | BaseException | None = None


class _Repeats(Exception):
    """Some of the entries are there already; which, the careful way finds out."""


class JournalWriter:
    """Appends to the own journal. One to a process and store; make it with `open`."""

    def __init__(
        self,
        store: Store,
        signer: Signer,
        log_id: str,
        node: str,
        clock: Callable[[], int],
        high_water: HighWater | None = None,
    ) -> None:
        self._at = Standing(store, signer, log_id, node, clock)
        self._high_water = high_water
        self._released = asyncio.Event()
        self._released.set()
        self._waiting: deque[_Request] = deque()
        self._turn = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        store: Store,
        signer: Signer,
        log_id: str,
        node: str,
        clock: Callable[[], int],
        high_water: HighWater | None = None,
    ) -> Self:
        """Take up the journal where it stands, or begin one.

        ``clock`` gives microseconds since the epoch; ``high_water`` is told of each commit. Raises StoreConflict when the store
        holds another node's or another log's journal as its own, StoreError when what is stored does not lead to the stored root.
        """
        writer = cls(store, signer, log_id, node, clock, high_water)
        async with store.read() as session:
            present = await session.journal.own()
        if present is None:
            head = Head(node, log_id, writer.verifier, 0, EMPTY_ROOT, "", 0, 0, "")
            async with store.write() as session:
                await session.journal.open(head, own=True)
        elif (present.origin, present.log_id, present.verifier) != (node, log_id, writer.verifier):
            raise StoreConflict(
                f"the store holds log {present.log_id} of node {present.origin}, not log {log_id} of {node}"
            )
        await writer._at.take_up()
        return writer

    @property
    def node(self) -> str:
        return self._at.node

    @property
    def log_id(self) -> str:
        return self._at.log_id

    @property
    def verifier(self) -> str:
        """C2SP vkey of the journal key."""
        return self._at.verifier

    @property
    def size(self) -> int:
        """Entries that are durable."""
        return self._at.growth.value

    @property
    def note(self) -> str:
        """The newest signed checkpoint; empty while the journal is."""
        return self._at.note

    @property
    def signed_at_us(self) -> int:
        """When `note` was signed."""
        return self._at.signed_at_us

    @property
    def sealed(self) -> str:
        """Why the journal takes no append; empty: it does."""
        return self._at.sealed

    @property
    def accepts(self) -> bool:
        """Whether an append would go through at once."""
        return not self._at.sealed and self._released.is_set()

    async def seal(self, words: str) -> None:
        """Take no append from now on; when this returns none is under way. ``words``: why, and what to do."""
        async with self._turn:
            self._at.sealed = words

    def unseal(self) -> None:
        """Take appends again."""
        self._at.sealed = ""

    def hold(self) -> None:
        """Let appends wait until `release`."""
        self._released.clear()

    def release(self) -> None:
        """Whoever waits may append, or is told that the journal is sealed."""
        self._released.set()

    def edge(self, size: int) -> TileBuilder | None:
        """The tree's right edge for `Journal.reader`, which then reads less; None unless the journal is at ``size`` just now."""
        return self._at.tree.copy() if self._at.tree is not None and self._at.tree.size == size else None

    async def wait_beyond(self, size: int, timeout: float | None = None) -> int:
        """Wait until the journal is larger than ``size``, at most ``timeout`` seconds; returns the size then."""
        return await self._at.growth.beyond(size, timeout)

    async def wait_addressed(self, position: int) -> None:
        """Wait until the journal has an entry at ``position`` or later that is for somebody below."""
        await self._at.addressed.beyond(position)

    async def append(
        self, drafts: Sequence[Draft], beside: Beside | None = None, *, under_seal: bool = False
    ) -> Appended:
        """Append entries durably, with ``beside`` in the same transaction.

        Raises StoreSealed unless ``under_seal``, which is for what mends the journal; StoreError when nothing was written (for
        StoreUnreachable: when that is not known; send again, the guards answer).
        A cancelled append may have been written.
        """
        if not under_seal:
            await self._released.wait()
        request = _Request(drafts, leaf_hashes([draft.leaf for draft in drafts]), beside, under_seal)
        self._waiting.append(request)
        try:
            async with self._turn:
                while request.outcome is None:
                    await self._commit_waiting()
        finally:
            if request.outcome is None:
                self._waiting.remove(request)
        if isinstance(request.outcome, BaseException):
            raise request.outcome
        assert request.outcome is not None
        return request.outcome

    async def sign_head(self) -> str:
        """Sign the head again, so that silence shows as silence; returns the note."""
        async with self._turn:
            tree = self._at.tree or await self._at.take_up()
            if tree.size:
                async with self._at.store.write() as session:
                    head = self._at.signed(tree)
                    await session.journal.advance(head, tree.size)
                self._at.note, self._at.signed_at_us = head.note, head.signed_at_us
            return self._at.note

    async def rotate(self, after: Signer) -> int:
        """Enter the change of key, and sign with ``after`` from then on; returns the entry's index.

        In one transaction: the entry, the head that the new key signs, and the old key among the former ones. Raises StoreSealed while the
        journal is sealed.
        """
        async with self._turn:
            if self._at.sealed:
                raise StoreSealed(f"the journal is sealed, and its key stays: {self._at.sealed}")
            tree = self._at.tree or await self._at.take_up()
            before = self._at.signer
            told = rotate(before, after, tree.size)
            former = FormerKey(told.before, tree.size, told.SerializeToString())
            draft = Draft.of(Entry(noted_at_us=self._at.clock(), key_rotated=told))
            request = _Request(
                [draft],
                leaf_hashes([draft.leaf]),
                lambda session: session.former_keys.put(self._at.log_id, former),
                False,
            )
            self._at.signer, self._at.verifier = after, told.after
            try:
                await self._commit([request])
            except BaseException:
                # Where the commit's end is not known, `open` finds out by the key that the stored head names.
                self._at.signer, self._at.verifier = before, told.before
                raise
            return tree.size

    async def adopt(
        self, first: int, leaves: Sequence[bytes], root: bytes, beside: Beside | None = None
    ) -> int:
        """Take entries back that this node wrote before it was restored; returns the size then.

        ``root`` is what the journal must come to with them; whoever calls has proven that it belongs to a head that this node signed.
        Guards of serials are set again here, other guards by ``beside`` in the same transaction. Raises StoreConflict unless
        ``first`` is the size and the root is reached; nothing is kept then.
        """
        async with self._turn:
            return await adopt(self._at, first, leaves, root, beside)

    async def cut(self, size: int, beside: Beside) -> None:
        """Give up everything beyond ``size``; ``beside`` keeps it elsewhere and takes back its guards, in the same transaction.

        Raises StoreConflict unless the journal is sealed and the parent has cosigned nothing beyond ``size``.
        """
        async with self._turn:
            await cut(self._at, size, beside)

    async def _commit_waiting(self) -> None:
        """Commit what waits, oldest first; what is not settled when this is cancelled keeps waiting."""
        if self._at.sealed:
            for request in self._waiting:
                if not request.under_seal:
                    request.outcome = StoreSealed(
                        f"the journal is sealed and nothing is entered: {self._at.sealed}; `zongheng status` says what to do"
                    )
            self._waiting = deque(request for request in self._waiting if request.outcome is None)
            if not self._waiting:
                return
        group: list[_Request] = []
        entries = 0
        for request in self._waiting:
            if group and entries + len(request.drafts) > GROUP_ENTRIES:
                break
            group.append(request)
            entries += len(request.drafts)
        try:
            await self._commit(group)
        except Exception as error:
            if len(group) == 1:
                group[0].outcome = error
            else:
                for request in group:
                    try:
                        await self._commit([request])
                    except Exception as alone:
                        request.outcome = alone
        finally:
            while self._waiting and self._waiting[0].outcome is not None:
                self._waiting.popleft()

    async def _commit(self, group: Sequence[_Request]) -> None:
        drafts = list(chain.from_iterable(request.drafts for request in group))
        try:
            await self._transact(group, drafts, careful=False)
        except _Repeats:
            await self._transact(group, drafts, careful=True)

    async def _transact(self, group: Sequence[_Request], drafts: Sequence[Draft], *, careful: bool) -> None:
        """One transaction for the group. Everything new is the rule and tried first; `careful` looks before it writes."""
        tree = self._at.tree or await self._at.take_up()
        # Unless the commit is known to have happened, the next append reads the store again.
        self._at.tree = None
        transaction: Transaction | None = None
        repeated: dict[int, int] = {}
        grown, head = tree.copy(), None
        try:
            async with self._at.store.write() as session:
                transaction = session.transaction
                if careful:
                    repeated = await repeated_of(session, self._at.node, drafts, tree.size)
                hashes = list(chain.from_iterable(request.hashes for request in group))
                if repeated:
                    fresh = [position for position in range(len(drafts)) if position not in repeated]
                    drafts, hashes = [drafts[at] for at in fresh], [hashes[at] for at in fresh]
                if drafts:
                    drafts, hashes = await numbered(session, self._at.node, drafts, hashes, tree.size)
                    await self._write(session, drafts, tree.size)
                    await session.journal.put_tiles(self._at.node, grown.extend(hashes))
                    head = self._at.signed(grown)
                    await session.journal.advance(head, tree.size)
                for request in group:
                    if request.beside is not None:
                        await request.beside(session)
        except _Repeats:
            self._at.tree = tree
            raise
        finally:
            if transaction is not None and transaction.committed:
                self._at.tree = grown
                if any(draft.addressed is not None for draft in drafts):
                    self._at.addressed.rise(grown.size)
                self._settle(group, repeated, tree.size, head)

    def _settle(
        self, group: Sequence[_Request], repeated: Mapping[int, int], first: int, head: Head | None
    ) -> None:
        """Tell each append of a committed group what became of it."""
        if head is not None:
            self._at.note, self._at.signed_at_us = head.note, head.signed_at_us
            self._at.growth.rise(head.size)
            if self._high_water is not None and not self._at.sealed:
                self._high_water.reach(Mark(self._at.log_id, head.size, head.root))
        position, index = 0, first
        for request in group:
            count = len(request.drafts)
            known = {
                at - position: repeated[at] for at in range(position, position + count) if at in repeated
            }
            if not known:
                request.outcome = Appended(self.size, range(index, index + count))
                index += count
            else:
                indexes = []
                for at in range(count):
                    indexes.append(known.get(at, index))
                    index += at not in known
                request.outcome = Appended(self.size, indexes, known)
            position += count

    async def _write(self, session: Session, drafts: Sequence[Draft], first: int) -> None:
        """Write entries with their guards. Raises _Repeats when a guard has one of them already."""
        serials = [(draft.source, draft.serial, at) for at, draft in enumerate(drafts, first) if draft.serial]
        alerts = [
            replace(draft.alert, idx=at) for at, draft in enumerate(drafts, first) if draft.alert is not None
        ]
        if await session.journal.remember(serials) != len(serials):
            raise _Repeats
        if await session.alerts.insert(alerts) != len(alerts):
            raise _Repeats
        await session.journal.append(self._at.node, first, [draft.leaf for draft in drafts])
        moves = [draft.move for draft in drafts if draft.move is not None]
        if moves:
            await session.alerts.set_states(self._at.node, moves)
