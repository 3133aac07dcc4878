"""Received journals: what children push, kept byte for byte.

A batch is taken whole or not at all: its first index is the next one, its leaves lead to the root that the child signed, and all is
committed with fsync before `accept` returns; only then may the parent acknowledge. Grounds for refusal are identity, size and
hash, nothing else: what the entries say is not looked at here. It is a C2SP tlog-witness in that: the size held moves in the transaction that
checked it, never back, never past a head that this node itself once noted (after a restore the copy may be older than that), and not at all
while the journal is in quarantine; only then may the caller cosign, as of the time the head was stored. A batch that is held already is acknowledged when it is the same
byte for byte, so a child that never got its answer may simply push again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import ClassVar, Final

from federation.journal.checkpoint import Checkpoint, CheckpointError, Verifier, open_note
from federation.journal.merkle import EMPTY_ROOT
from federation.journal.tile import TileBuilder
from node.store.errors import StoreDamaged
from node.store.growth import Growth
from node.store.journal import leaf_hashes
from node.store.rows import Head
from node.store.store import Session, Store

TREES: Final = 512
"""Right edges of children's trees that are kept in memory."""


class Refused(Exception):
    """The batch was not taken; nothing of it was kept."""

    code: ClassVar[str] = "INBOX_REFUSED"


class Gap(Refused):
    """The batch does not begin where what is held ends: push from `held`."""

    code: ClassVar[str] = "INBOX_GAP"

    def __init__(self, held: int, first: int) -> None:
        super().__init__(f"{held} entries are held and the batch begins at {first}: push from {held}")
        self.held, self.first = held, first


class RootMismatch(Refused):
    """The leaves do not lead to the signed root, or differ from what is held: history was rewritten. Both heads are kept."""

    code: ClassVar[str] = "INBOX_ROOT_MISMATCH"

    def __init__(self, message: str, held_note: str, shown_note: str) -> None:
        super().__init__(message)
        self.held_note, self.shown_note = held_note, shown_note


class WrongLog(Refused):
    """The checkpoint is of another log than the one this origin is known by."""

    code: ClassVar[str] = "INBOX_WRONG_LOG"


class BadSignature(Refused):
    """The checkpoint is not signed by the origin's registered journal key."""

    code: ClassVar[str] = "INBOX_BAD_SIGNATURE"


class Quarantined(Refused):
    """The journal forked, and nothing of it is taken until a person decides."""

    code: ClassVar[str] = "INBOX_QUARANTINED"


class Inbox:
    """Takes in children's journals. One to a process and store."""

    def __init__(self, store: Store, clock: Callable[[], int], witness: str = "") -> None:
        """``clock`` gives microseconds since the epoch; ``witness`` is the node whose own journal notes what was taken."""
        self._store, self._clock, self._witness = store, clock, witness
        self._trees: OrderedDict[str, TileBuilder] = OrderedDict()
        self._turns: dict[str, asyncio.Lock] = {}
        self._sizes: dict[str, Growth] = {}
        self._changes = Growth()
        self._entries = 0

    def edge(self, origin: str, size: int) -> TileBuilder | None:
        """The right edge of an origin's tree for `Journal.reader`, which then reads less; None where it is not in memory."""
        tree = self._trees.get(origin)
        return tree.copy() if tree is not None and tree.size == size else None

    async def wait_beyond(self, origin: str, size: int, timeout: float | None = None) -> int:
        """Wait until an origin's journal is larger than ``size``, at most ``timeout`` seconds; returns the size then."""
        if origin not in self._sizes:
            async with self._store.read() as session:
                head = await session.journal.head(origin)
            self._size(origin).rise(head.size if head else 0)
        return await self._size(origin).beyond(size, timeout)

    @property
    def changes(self) -> int:
        """A number that rises with every batch taken in."""
        return self._changes.value

    @property
    def entries(self) -> int:
        """Entries taken in since the inbox was opened, of all journals together."""
        return self._entries

    async def wait_change(self, changes: int, timeout: float | None = None) -> int:
        """Wait until any journal has grown since `changes` was this; returns what it is then."""
        return await self._changes.beyond(changes, timeout)

    @asynccontextmanager
    async def beginning_again(self, origin: str) -> AsyncIterator[None]:
        """While the journal of ``origin`` is replaced by an empty one: nothing of it is taken in."""
        async with self._turns.setdefault(origin, asyncio.Lock()):
            self._trees.pop(origin, None)
            yield
            self._size(origin).fall(0)

    async def accept(
        self, origin: str, log_id: str, verifier: str, first: int, leaves: Sequence[bytes], note: str
    ) -> Head:
        """Take in leaves from index ``first`` with the child's checkpoint over ``first + len(leaves)``; returns what is held.

        ``verifier`` is the child's registered key (C2SP vkey). Without leaves, a newer note over the size held is kept. Raises
        Gap, RootMismatch, WrongLog, BadSignature, Quarantined; StoreError when the database failed.
        """
        shown = _opened(log_id, verifier, note)
        if shown.size != first + len(leaves):
            raise Refused(
                f"the checkpoint is over {shown.size} entries, the batch ends at {first + len(leaves)}"
            )
        hashes = leaf_hashes(leaves)
        async with self._turns.setdefault(origin, asyncio.Lock()):
            tree = self._trees.pop(origin, None)
            async with self._store.write() as session:
                if await session.forks.standing(origin) is not None:
                    raise Quarantined(f"the journal of {origin} is in quarantine: an operator must decide")
                held, tree = await self._held(session, origin, log_id, verifier, tree)
                if first > held.size:
                    raise Gap(held.size, first)
                await self._same(session, held, first, leaves, shown, note)
                head = held
                if shown.size >= held.size:
                    new = held.size - first
                    head, tree = await self._extended(
                        session, held, tree, leaves[new:], hashes[new:], shown, note
                    )
            self._keep(origin, tree)
        self._size(origin).rise(head.size)
        if head.size > held.size:
            self._entries += head.size - held.size
            self._changes.rise(self._changes.value + 1)
        return head

    async def _held(
        self, session: Session, origin: str, log_id: str, verifier: str, tree: TileBuilder | None
    ) -> tuple[Head, TileBuilder]:
        head = await session.journal.head(origin)
        if head is None:
            head = Head(origin, log_id, verifier, 0, EMPTY_ROOT, "", 0, 0, "")
            await session.journal.open(head, own=False)
        if head.log_id != log_id:
            raise WrongLog(f"{origin} is known by log {head.log_id}, not {log_id}")
        if head.verifier != verifier:
            former = await session.former_keys.of(log_id)
            if head.verifier not in [key.verifier for key in former]:
                raise BadSignature(f"the journal of {origin} is kept under another key")
            head = replace(head, verifier=verifier)
        if tree is None or tree.size != head.size:
            tree = await session.journal.reader(origin, head.size).builder()
            if tree.root() != head.root:
                raise StoreDamaged(
                    f"what is stored of {origin} does not lead to its root: restore from a backup"
                )
        return head, tree

    async def _same(
        self, session: Session, held: Head, first: int, leaves: Sequence[bytes], shown: Checkpoint, note: str
    ) -> None:
        """What the batch repeats must be what is held."""
        until = min(held.size, shown.size)
        if first < until and await session.journal.leaves(held.origin, first, until) != list(
            leaves[: until - first]
        ):
            raise RootMismatch(f"{held.origin} shows other entries than are held", held.note, note)
        if shown.size < held.size:
            root = await session.journal.reader(held.origin, held.size).root(shown.size)
            if root != shown.root:
                raise RootMismatch(
                    f"{held.origin} signed another root over {shown.size} entries than it pushed",
                    held.note,
                    note,
                )

    async def _extended(
        self,
        session: Session,
        held: Head,
        tree: TileBuilder,
        leaves: Sequence[bytes],
        hashes: Sequence[bytes],
        shown: Checkpoint,
        note: str,
    ) -> tuple[Head, TileBuilder]:
        grown = tree.copy()
        tiles = grown.extend(hashes)
        root = grown.root()
        if root != shown.root:
            raise RootMismatch(
                f"the entries of {held.origin} do not lead to the root it signed over {shown.size}",
                held.note,
                note,
            )
        await self._as_noted(session, held, tree, hashes, shown.size, note)
        head = Head(
            held.origin,
            held.log_id,
            held.verifier,
            grown.size,
            root,
            note,
            self._clock(),
            grown.size,
            held.cosigned_note,
        )
        await session.journal.append(held.origin, held.size, leaves)
        await session.journal.put_tiles(held.origin, tiles)
        await session.journal.advance(head, held.size)
        return head, grown

    async def _as_noted(
        self,
        session: Session,
        held: Head,
        tree: TileBuilder,
        hashes: Sequence[bytes],
        size: int,
        note: str,
    ) -> None:
        """Raises RootMismatch when what comes contradicts a head that this node once noted and no longer holds itself."""
        noted = await session.forks.noted(self._witness, held.log_id) if self._witness else None
        if noted is None or not held.size < noted.size <= size:
            return
        upto = tree.copy()
        upto.extend(hashes[: noted.size - held.size])
        if upto.root() != noted.root:
            raise RootMismatch(
                f"{held.origin} shows another history than the head of {noted.size} entries that was noted here",
                noted.note,
                note,
            )

    def _keep(self, origin: str, tree: TileBuilder) -> None:
        self._trees[origin] = tree
        while len(self._trees) > TREES:
            self._trees.popitem(last=False)

    def _size(self, origin: str) -> Growth:
        return self._sizes.setdefault(origin, Growth())


def _opened(log_id: str, verifier: str, note: str) -> Checkpoint:
    try:
        key = Verifier.parse(verifier)
    except CheckpointError as error:
        raise BadSignature(f"the registered key is none: {error}") from error
    if key.name != log_id:
        raise WrongLog(f"the registered key is of log {key.name}, not {log_id}")
    try:
        shown = open_note(note, [key])
    except CheckpointError as error:
        raise BadSignature(str(error)) from error
    if shown.origin != log_id:
        raise WrongLog(f"the checkpoint is of log {shown.origin}, not {log_id}")
    return shown
