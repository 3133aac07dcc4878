"""Heads that were noted: how an ancestor holds a parent, and the child below it, to what both once showed (DESIGN §4).

A parent enters each child's newest head in its own journal once a period (``HeadNoted``), with the proof that it continues the one it
noted before. So its own parent can check, from that journal alone, that the grandchild's history was never changed: a
grandchild that forks cannot have both heads noted with a proof in between, not even with its parent's help. And a parent that is put
back from a backup gets its own journal back from above, and with it the heads that it must not contradict.

The check runs where a child's journal is read. What it finds is an entry (``ForkFound``) with both signed heads, which rises to the top.
"""

from collections.abc import Sequence

import structlog
from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry, ForkFound, HeadNoted

from federation.journal.checkpoint import Checkpoint, CheckpointError
from federation.journal.merkle import ProofError, verify_consistency
from federation.journal.rotation import LogKeys
from node.mending.telling import Telling
from node.store.forks import Noted
from node.store.store import Session, Store
from node.tree import Tree

log = structlog.get_logger()


class Witness:
    """Checks the heads that children noted."""

    def __init__(self, store: Store, tree: Tree, telling: Telling) -> None:
        self._store = store
        self._tree = tree
        self._telling = telling

    async def check(self, child: str, heads: Sequence[tuple[int, HeadNoted]]) -> None:
        """Check heads that a stretch of a child's journal notes, given with their indexes; call it before the stretch counts as read."""
        for index, head in heads:
            checkpoint = _body(head.checkpoint)
            if checkpoint is None:
                log.warning("noted.unreadable", child=child, index=index)
                continue
            async with self._store.read() as session:
                before = await session.forks.noted(child, checkpoint.origin)
            trouble = "" if before is None else _trouble(before, checkpoint, head)
            if trouble and before is not None:
                await self._accuse(child, index, head, before, trouble)
                continue
            async with self._store.write() as session:
                noted = Noted(head.origin, checkpoint.size, checkpoint.root, head.checkpoint)
                await session.forks.note(child, checkpoint.origin, noted)

    async def shown(self, child: str, node: str, note: str) -> None:
        """A head of a node below a child, as the child reports it: at a size that was noted it must have the noted root."""
        checkpoint = _body(note)
        if checkpoint is None:
            return
        async with self._store.read() as session:
            noted = await session.forks.noted(child, checkpoint.origin)
        if noted is not None and noted.size == checkpoint.size and noted.root != checkpoint.root:
            head = HeadNoted(origin=node, checkpoint=note)
            words = f"{child} reports another head of {checkpoint.size} entries than it noted"
            await self._accuse(child, checkpoint.size, head, noted, words)

    async def _accuse(self, child: str, index: int, head: HeadNoted, before: Noted, trouble: str) -> None:
        """Enter both heads, where the node's own key signed both: nobody is accused with words of somebody else's."""
        card = self._tree.get(head.origin)
        try:
            if card is None:
                raise CheckpointError(f"{head.origin} is not known here")
            keys = LogKeys.of(card)
            for note in (before.note, head.checkpoint):
                keys.open(note)
        except CheckpointError as error:
            log.warning("noted.unsigned", child=child, origin=head.origin, index=index, reason=str(error))
            return
        reason = f"{trouble}: both heads are signed by {head.origin}, ask it and {child} for their journals"
        log.error("journal.fork", origin=head.origin, by=child, reason=reason)
        found = ForkFound(origin=head.origin, held=before.note, shown=head.checkpoint, reason=reason)
        await self._telling.tell(f"noted/{child}/{index}", Entry(fork_found=found))


async def own_noted(session: Session, own: str, leaves: Sequence[bytes]) -> None:
    """Set the guard again by entries of the own journal: what this node once noted is not contradicted."""
    for leaf in leaves:
        try:
            head = Entry.FromString(leaf).head_noted
        except DecodeError:
            continue
        checkpoint = _body(head.checkpoint) if head.origin else None
        if checkpoint is None:
            continue
        before = await session.forks.noted(own, checkpoint.origin)
        if before is None or before.size < checkpoint.size:
            noted = Noted(head.origin, checkpoint.size, checkpoint.root, head.checkpoint)
            await session.forks.note(own, checkpoint.origin, noted)


def _trouble(before: Noted, checkpoint: Checkpoint, head: HeadNoted) -> str:
    """Why a head does not continue the one noted before; empty: it does."""
    if (before.size, before.root) == (checkpoint.size, checkpoint.root):
        return ""
    try:
        verify_consistency(before.size, before.root, checkpoint.size, checkpoint.root, list(head.consistency))
    except ProofError as error:
        return (
            f"a head of {checkpoint.size} entries was noted after one of {before.size} and does not continue it"
            f" ({error})"
        )
    return ""


def _body(note: str) -> Checkpoint | None:
    """The checkpoint in a note, unproven."""
    try:
        return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")
    except CheckpointError:
        return None
