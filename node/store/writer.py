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
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final, NamedTuple, Self

from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry

from federation.journal.checkpoint import Checkpoint, Signer, sign
from federation.journal.merkle import EMPTY_ROOT
from federation.journal.rotation import rotate
from federation.journal.tile import TileBuilder
from federation.link.descent import Last, Stream
from node.store.addressed import AddressedRow, row_of, rows_of
from node.store.alerts import alert_key
from node.store.engine import Transaction
from node.store.errors import StoreConflict, StoreError, StoreSealed
from node.store.former_keys import FormerKey
from node.store.growth import Growth
from node.store.highwater import HighWater, Mark
from node.store.journal import leaf_hashes
from node.store.rows import AlertRecord, Head
from node.store.store import Session, Store

GROUP_ENTRIES: Final = 8_192
"""Appends that wait are committed together up to about so many entries."""

Beside = Callable[[Session], Awaitable[None]]
"""Writes that belong to an append, in its own transaction. May be called again when the transaction has to be repeated."""


class Move(NamedTuple):
    """An alert's new state, written with the entry that says so."""

    alert_id: str
    state: int
    """AlertState number."""


class Draft(NamedTuple):
    """An entry to be appended: the exact leaf bytes, and what guards it."""

    leaf: bytes
    source: str = ""
    """With ``serial``: appended once only. Both empty: the node's own word, always appended."""
    serial: str = ""
    alert: AlertRecord | None = None
    """The entry raises this alert (its ``idx`` is filled in); not appended when the alert is there already."""
    move: Move | None = None
    addressed: Entry | None = None
    """The entry itself, where it is for somebody below or the receipt of one that is: it is numbered as it is written."""

    @classmethod
    def of(cls, entry: Entry, *, alert: AlertRecord | None = None, move: Move | None = None) -> Self:
        """A draft of an entry that is complete, ``noted_at_us`` included."""
        addressed = entry if entry.HasField("address") or entry.HasField("received") else None
        return cls(entry.SerializeToString(), entry.source, entry.serial, alert, move, addressed)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of an append; position i speaks of draft i."""

    size: int
    """Journal size after it."""
    indexes: Sequence[int]
    """Index of each entry; of one that was there already, the index it has."""
    repeated: Mapping[int, int] = field(default_factory=dict)
    """Positions that were not written because they were there already, with the index of what is there."""


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
        self._store, self._signer, self._clock = store, signer, clock
        self._high_water = high_water
        self._sealed = ""
        self._released = asyncio.Event()
        self._released.set()
        self._log_id, self._node = log_id, node
        self._verifier = str(signer.verifier)
        self._tree: TileBuilder | None = None
        self._note = ""
        self._signed_at_us = 0
        self._growth = Growth()
        self._addressed = Growth()
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
            head = Head(node, log_id, writer._verifier, 0, EMPTY_ROOT, "", 0, 0, "")
            async with store.write() as session:
                await session.journal.open(head, own=True)
        elif (present.origin, present.log_id, present.verifier) != (node, log_id, writer._verifier):
            raise StoreConflict(
                f"the store holds log {present.log_id} of node {present.origin}, not log {log_id} of {node}"
            )
        await writer._take_up()
        return writer

    @property
    def node(self) -> str:
        return self._node

    @property
    def log_id(self) -> str:
        return self._log_id

    @property
    def verifier(self) -> str:
        """C2SP vkey of the journal key."""
        return self._verifier

    @property
    def size(self) -> int:
        """Entries that are durable."""
        return self._growth.value

    @property
    def note(self) -> str:
        """The newest signed checkpoint; empty while the journal is."""
        return self._note

    @property
    def signed_at_us(self) -> int:
        """When `note` was signed."""
        return self._signed_at_us

    @property
    def sealed(self) -> str:
        """Why the journal takes no append; empty: it does."""
        return self._sealed

    @property
    def accepts(self) -> bool:
        """Whether an append would go through at once."""
        return not self._sealed and self._released.is_set()

    async def seal(self, words: str) -> None:
        """Take no append from now on; when this returns none is under way. ``words``: why, and what to do."""
        async with self._turn:
            self._sealed = words

    def unseal(self) -> None:
        """Take appends again."""
        self._sealed = ""

    def hold(self) -> None:
        """Let appends wait until `release`."""
        self._released.clear()

    def release(self) -> None:
        """Whoever waits may append, or is told that the journal is sealed."""
        self._released.set()

    def edge(self, size: int) -> TileBuilder | None:
        """The tree's right edge for `Journal.reader`, which then reads less; None unless the journal is at ``size`` just now."""
        return self._tree.copy() if self._tree is not None and self._tree.size == size else None

    async def wait_beyond(self, size: int, timeout: float | None = None) -> int:
        """Wait until the journal is larger than ``size``, at most ``timeout`` seconds; returns the size then."""
        return await self._growth.beyond(size, timeout)

    async def wait_addressed(self, position: int) -> None:
        """Wait until the journal has an entry at ``position`` or later that is for somebody below."""
        await self._addressed.beyond(position)

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
            tree = self._tree or await self._take_up()
            if tree.size:
                async with self._store.write() as session:
                    head = self._signed(tree)
                    await session.journal.advance(head, tree.size)
                self._note, self._signed_at_us = head.note, head.signed_at_us
            return self._note

    async def rotate(self, after: Signer) -> int:
        """Enter the change of key, and sign with ``after`` from then on; returns the entry's index.

        In one transaction: the entry, the head that the new key signs, and the old key among the former ones. Raises StoreSealed while the
        journal is sealed.
        """
        async with self._turn:
            if self._sealed:
                raise StoreSealed(f"the journal is sealed, and its key stays: {self._sealed}")
            tree = self._tree or await self._take_up()
            before = self._signer
            told = rotate(before, after, tree.size)
            former = FormerKey(told.before, tree.size, told.SerializeToString())
            draft = Draft.of(Entry(noted_at_us=self._clock(), key_rotated=told))
            request = _Request(
                [draft],
                leaf_hashes([draft.leaf]),
                lambda session: session.former_keys.put(self._log_id, former),
                False,
            )
            self._signer, self._verifier = after, told.after
            try:
                await self._commit([request])
            except BaseException:
                # Where the commit's end is not known, `open` finds out by the key that the stored head names.
                self._signer, self._verifier = before, told.before
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
            tree = self._tree or await self._take_up()
            if first != tree.size:
                raise StoreConflict(
                    f"the journal has {tree.size} entries, the ones to adopt begin at {first}"
                )
            grown = tree.copy()
            tiles = grown.extend(leaf_hashes(leaves))
            if grown.root() != root:
                raise StoreConflict(f"with the entries to adopt the journal has another root at {grown.size}")
            self._tree = None
            async with self._store.write() as session:
                await session.journal.remember(_serials(leaves, first))
                addressed = rows_of(self._node, first, leaves)
                await session.addressed.put(addressed)
                await session.journal.append(self._node, first, leaves)
                await session.journal.put_tiles(self._node, tiles)
                head = self._signed(grown)
                await session.journal.advance(head, tree.size)
                if beside is not None:
                    await beside(session)
            self._tree, self._note, self._signed_at_us = grown, head.note, head.signed_at_us
            self._growth.rise(head.size)
            if addressed:
                self._addressed.rise(head.size)
            return head.size

    async def cut(self, size: int, beside: Beside) -> None:
        """Give up everything beyond ``size``; ``beside`` keeps it elsewhere and takes back its guards, in the same transaction.

        Raises StoreConflict unless the journal is sealed and the parent has cosigned nothing beyond ``size``.
        """
        async with self._turn:
            tree = self._tree or await self._take_up()
            if not self._sealed or not 0 <= size <= tree.size:
                raise StoreConflict(f"a journal of {tree.size} entries is cut to {size} only under seal")
            self._tree = None
            async with self._store.write() as session:
                held = await session.journal.own()
                if held is None or held.cosigned_size > size:
                    raise StoreConflict(f"what the parent cosigned beyond {size} is not given up")
                await beside(session)
                await session.addressed.cut(size)
                kept = await session.journal.reader(self._node, tree.size).builder_at(size)
                await session.journal.cut(self._signed(kept), tree.size)
            self._growth.fall(size)
            self._addressed.fall(size)
            await self._take_up()

    async def _commit_waiting(self) -> None:
        """Commit what waits, oldest first; what is not settled when this is cancelled keeps waiting."""
        if self._sealed:
            for request in self._waiting:
                if not request.under_seal:
                    request.outcome = StoreSealed(
                        f"the journal is sealed and nothing is entered: {self._sealed}; `zongheng status` says what to do"
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
        tree = self._tree or await self._take_up()
        # Unless the commit is known to have happened, the next append reads the store again.
        self._tree = None
        transaction: Transaction | None = None
        repeated: dict[int, int] = {}
        grown, head = tree.copy(), None
        try:
            async with self._store.write() as session:
                transaction = session.transaction
                if careful:
                    repeated = await self._repeated(session, drafts, tree.size)
                hashes = list(chain.from_iterable(request.hashes for request in group))
                if repeated:
                    fresh = [position for position in range(len(drafts)) if position not in repeated]
                    drafts, hashes = [drafts[at] for at in fresh], [hashes[at] for at in fresh]
                if drafts:
                    drafts, hashes = await self._numbered(session, drafts, hashes, tree.size)
                    await self._write(session, drafts, tree.size)
                    await session.journal.put_tiles(self._node, grown.extend(hashes))
                    head = self._signed(grown)
                    await session.journal.advance(head, tree.size)
                for request in group:
                    if request.beside is not None:
                        await request.beside(session)
        except _Repeats:
            self._tree = tree
            raise
        finally:
            if transaction is not None and transaction.committed:
                self._tree = grown
                if any(draft.addressed is not None for draft in drafts):
                    self._addressed.rise(grown.size)
                self._settle(group, repeated, tree.size, head)

    def _settle(
        self, group: Sequence[_Request], repeated: Mapping[int, int], first: int, head: Head | None
    ) -> None:
        """Tell each append of a committed group what became of it."""
        if head is not None:
            self._note, self._signed_at_us = head.note, head.signed_at_us
            self._growth.rise(head.size)
            if self._high_water is not None and not self._sealed:
                self._high_water.reach(Mark(self._log_id, head.size, head.root))
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

    async def _numbered(
        self, session: Session, drafts: Sequence[Draft], hashes: list[bytes], first: int
    ) -> tuple[Sequence[Draft], list[bytes]]:
        """Give every entry for somebody below its number and the place of the one before it, and enter it in the guard."""
        if all(draft.addressed is None for draft in drafts):
            return drafts, hashes
        drafts = list(drafts)
        rows: list[AddressedRow] = []
        last: dict[Stream, Last] = {}
        for at, draft in enumerate(drafts):
            if draft.addressed is None:
                continue
            if draft.addressed.HasField("address"):
                entry = Entry()
                entry.CopyFrom(draft.addressed)
                stream = Stream(self._node, entry.address.node, entry.address.subtree)
                before = last.get(stream) or await session.addressed.last(stream)
                entry.address.number, entry.address.previous = before.number + 1, before.index + 1
                last[stream] = Last(before.number + 1, first + at)
                drafts[at] = draft._replace(leaf=entry.SerializeToString(), addressed=entry)
                hashes[at] = leaf_hashes([drafts[at].leaf])[0]
            row = row_of(self._node, first + at, drafts[at].addressed or draft.addressed)
            if row is not None:
                rows.append(row)
        await session.addressed.put(rows)
        return drafts, hashes

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
        await session.journal.append(self._node, first, [draft.leaf for draft in drafts])
        moves = [draft.move for draft in drafts if draft.move is not None]
        if moves:
            await session.alerts.set_states(self._node, moves)

    async def _repeated(self, session: Session, drafts: Sequence[Draft], first: int) -> dict[int, int]:
        """Positions of drafts whose serial or alert the journal, or an earlier draft, has already; with its index."""
        by_source: dict[str, list[str]] = {}
        for draft in drafts:
            if draft.serial:
                by_source.setdefault(draft.source, []).append(draft.serial)
        known = {
            (source, serial): index
            for source, serials in by_source.items()
            for serial, index in (await session.journal.seen(source, serials)).items()
        }
        raised = {draft.alert.case_id for draft in drafts if draft.alert is not None}
        present = await session.alerts.of_cases(self._node, sorted(raised))
        keys = {alert_key(alert): alert.idx for alert in present}
        ids = {alert.alert_id: alert.idx for alert in present}
        repeated: dict[int, int] = {}
        index = first
        for position, draft in enumerate(drafts):
            found = known.get((draft.source, draft.serial)) if draft.serial else None
            if found is None and draft.alert is not None:
                found = keys.get(alert_key(draft.alert), ids.get(draft.alert.alert_id))
            if found is not None:
                repeated[position] = found
                continue
            if draft.serial:
                known[draft.source, draft.serial] = index
            if draft.alert is not None:
                keys[alert_key(draft.alert)] = ids[draft.alert.alert_id] = index
            index += 1
        return repeated

    def _signed(self, tree: TileBuilder) -> Head:
        root = tree.root()
        note = sign(Checkpoint(self._log_id, tree.size, root), self._signer) if tree.size else ""
        return Head(self._node, self._log_id, self._verifier, tree.size, root, note, self._clock(), 0, "")

    async def _take_up(self) -> TileBuilder:
        """The tree as the store has it, after opening and after every write whose end is not known."""
        async with self._store.read() as session:
            head = await session.journal.own()
            if head is None:
                raise StoreError(f"the store has lost the head of {self._node}: restore it from a backup")
            tree = await session.journal.reader(self._node, head.size).builder()
        if tree.root() != head.root:
            raise StoreError(
                f"the {head.size} entries of {self._node} do not lead to the root of their head: restore from a backup"
            )
        self._tree, self._note, self._signed_at_us = tree, head.note, head.signed_at_us
        self._growth.rise(head.size)
        return tree


def _serials(leaves: Sequence[bytes], first: int) -> list[tuple[str, str, int]]:
    """What the guard of serials has to know of leaves that were written once before; unreadable ones have none."""
    rows = []
    for index, leaf in enumerate(leaves, first):
        try:
            entry = Entry.FromString(leaf)
        except DecodeError:
            continue
        if entry.serial:
            rows.append((entry.source, entry.serial, index))
    return rows
