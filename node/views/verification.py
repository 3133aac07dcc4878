"""Journals proved from their leaves, and projections made again from them."""

from typing import TYPE_CHECKING

from pydantic import BaseModel

from federation.journal.checkpoint import CheckpointError, Verifier, open_note
from federation.journal.merkle import Frontier, leaf_hash

if TYPE_CHECKING:
    from node.run import Node

_CHUNK = 20_000


class JournalProof(BaseModel):
    origin: str
    log_id: str
    size: int
    root: str
    """Recomputed from the leaves, hex."""
    stored_root: str
    signed: bool
    """The newest checkpoint verifies and names this size and root."""
    verified: bool


class Verification(BaseModel):
    verified: bool
    journals: list[JournalProof]
    words: list[str]


class Rebuilt(BaseModel):
    events: int
    cases: int
    rows: int


async def verify(node: "Node") -> Verification:
    """Recompute every journal's root, own and received, leaf by leaf, and check its signed head."""
    async with node.store.read() as session:
        proofs = []
        for head in await session.journal.heads():
            frontier = Frontier()
            for lo in range(0, head.size, _CHUNK):
                leaves = await session.journal.leaves(head.origin, lo, min(head.size, lo + _CHUNK))
                frontier.extend([leaf_hash(leaf) for leaf in leaves])
            root = frontier.root()
            try:
                checkpoint = open_note(head.note, [Verifier.parse(head.verifier)])
                signed = (
                    checkpoint.size == head.size
                    and checkpoint.root == root
                    and checkpoint.origin == head.log_id
                )
            except (CheckpointError, ValueError):
                signed = False
            proofs.append(
                JournalProof(
                    origin=head.origin,
                    log_id=head.log_id,
                    size=head.size,
                    root=root.hex(),
                    stored_root=head.root.hex(),
                    signed=signed,
                    verified=signed and root == head.root and frontier.size == head.size,
                )
            )
    words = [
        f"{proof.origin}: {proof.size} entries, root {proof.root}, {'verified' if proof.verified else 'DOES NOT VERIFY'}"
        for proof in proofs
    ]
    return Verification(verified=all(proof.verified for proof in proofs), journals=proofs, words=words)


async def rebuild(node: "Node") -> Rebuilt:
    """Drop every projection and read all journals again; answers when that is done."""
    await node.projector.rebuild()
    own = node.settings.node
    async with node.store.read() as session:
        return Rebuilt(
            events=await session.events.count(own),
            cases=sum((await session.facts.by_state(own)).values()),
            rows=len(await session.rollups.rows(own)),
        )
