"""Every row of the design's table, seen from both sides, with honest peers and with liars."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.journal.checkpoint import Checkpoint, Signer, log_id, sign
from federation.journal.merkle import EMPTY_ROOT, ProofError
from federation.link.handshake import (
    Decision,
    Outcome,
    Prefix,
    Shown,
    Welcomed,
    child_sees,
    parent_confirms,
    parent_sees,
)
from federation.link.memory import MemoryTree

LOG = log_id("990102001", "0123456789")
SIGNER = Signer.generate(LOG)


def leaves(count: int, forged_at: int | None = None) -> list[bytes]:
    return [b"forged" if number == forged_at else b"%d" % number for number in range(count)]


async def shown(tree: MemoryTree, size: int | None = None) -> Shown:
    size = len(tree.leaves) if size is None else size
    return Shown(LOG, size, await tree.reader().root(size))


async def meet(
    child: MemoryTree, parent: MemoryTree, cosigned_by_parent: int = 0, cosigned_at_child: int = 0
) -> tuple[Outcome, Outcome, Outcome | None]:
    """The parent's first reading, the child's, and the parent's of the child's Prefix where there is one."""
    mine, held = await shown(child), await shown(parent)
    known = await parent.reader().root(mine.size) if mine.size <= held.size else None
    first = parent_sees(mine, held, known, cosigned_by_parent)
    quarantine = first.words if first.decision is Decision.QUARANTINE else ""
    proof = []
    if first.decision is Decision.PULL_BACK:
        proof = await parent.reader().consistency_proof(mine.size, held.size)
    note = sign(Checkpoint(LOG, held.size, held.root), SIGNER)
    welcome = Welcomed(held.size, held.root, note, proof, quarantine)
    ahead = held.size <= mine.size
    root = await child.reader().root(held.size) if ahead else None
    second = child_sees(mine, [SIGNER.verifier], welcome, root, cosigned_at_child)
    third = None
    if ahead and not quarantine:
        assert root is not None
        consistency = await child.reader().consistency_proof(held.size, mine.size)
        third = parent_confirms(mine, held, Prefix(held.size, root, consistency))
    return first, second, third


@given(st.integers(0, 600), st.integers(0, 600))
async def test_honest_sides_agree_at_every_pair_of_sizes(child: int, parent: int) -> None:
    first, second, third = await meet(MemoryTree(leaves(child)), MemoryTree(leaves(parent)))
    assert first.decision is second.decision
    assert second.decision is (Decision.PUSH if child >= parent else Decision.PULL_BACK)
    assert (third is None) == (child < parent)
    assert third is None or third.decision is Decision.PUSH


@given(st.data())
async def test_a_rewritten_history_is_found_at_every_pair_of_sizes(data: st.DataObject) -> None:
    child, parent = data.draw(st.integers(1, 300)), data.draw(st.integers(1, 300))
    forged_at = data.draw(st.integers(0, min(child, parent) - 1))
    outcomes = await meet(MemoryTree(leaves(child, forged_at)), MemoryTree(leaves(parent)))
    assert outcomes[1].decision is Decision.QUARANTINE
    assert Decision.QUARANTINE in {outcome.decision for outcome in (outcomes[0], outcomes[2]) if outcome}


async def test_a_parent_that_was_restored_is_sent_the_entries_again() -> None:
    child, parent = MemoryTree(leaves(30)), MemoryTree(leaves(10))
    first, second, _ = await meet(child, parent, cosigned_by_parent=20, cosigned_at_child=20)
    assert first.decision is second.decision is Decision.SEND_AGAIN
    _, from_the_child_alone, _ = await meet(child, parent, cosigned_at_child=20)
    assert from_the_child_alone.decision is Decision.SEND_AGAIN


async def test_entries_that_nobody_holds_any_more_are_not_silently_written_over() -> None:
    child, parent = MemoryTree(leaves(12)), MemoryTree(leaves(10))
    first, _, _ = await meet(child, parent, cosigned_by_parent=20)
    assert first.decision is Decision.QUARANTINE
    assert "both were restored" in first.words
    _, second, _ = await meet(child, parent, cosigned_at_child=20)
    assert second.decision is Decision.QUARANTINE


async def test_another_log_is_not_taken_for_a_continuation() -> None:
    tree = MemoryTree(leaves(3))
    other = Shown(log_id("990102001", "abcdef0123"), 3, tree.builder.root())
    outcome = parent_sees(other, await shown(tree), tree.builder.root(), 0)
    assert outcome.decision is Decision.QUARANTINE
    assert "needs the parent's approval" in outcome.words


async def test_a_prefix_that_proves_nothing_is_an_error_and_no_verdict() -> None:
    child, held = MemoryTree(leaves(9)), MemoryTree(leaves(4))
    root = await child.reader().root(4)
    proof = await child.reader().consistency_proof(4, 9)
    mine, theirs = await shown(child), await shown(held)
    for prefix in (
        Prefix(4, root, proof[:-1]),
        Prefix(4, root, []),
        Prefix(4, EMPTY_ROOT, proof),
        Prefix(3, await child.reader().root(3), await child.reader().consistency_proof(3, 9)),
    ):
        with pytest.raises(ProofError):
            parent_confirms(mine, theirs, prefix)


async def behind(**changes: object) -> Outcome:
    """A child of 5 entries is told that its parent holds 8."""
    tree = MemoryTree(leaves(8))
    held = await shown(tree)
    said: dict[str, object] = {
        "held_size": 8,
        "held_root": held.root,
        "held_checkpoint": sign(Checkpoint(LOG, 8, held.root), SIGNER),
        "consistency": await tree.reader().consistency_proof(5, 8),
        **changes,
    }
    return child_sees(await shown(tree, 5), [SIGNER.verifier], Welcomed(**said), None, 0)  # type: ignore[arg-type]


async def test_a_child_believes_that_it_is_behind_only_what_it_signed_itself() -> None:
    assert (await behind()).decision is Decision.PULL_BACK
    impostor = Signer.generate(LOG)
    tree = MemoryTree(leaves(8, forged_at=6))
    forged = tree.builder.root()
    for lie in (
        {"held_checkpoint": ""},
        {"held_checkpoint": sign(Checkpoint(LOG, 8, tree.builder.root()), impostor)},
        {"held_root": forged, "consistency": await tree.reader().consistency_proof(5, 8)},
        {"consistency": []},
        {"held_size": 7},
    ):
        outcome = await behind(**lie)
        assert outcome.decision is Decision.QUARANTINE, lie
        assert "cannot prove" in outcome.words
