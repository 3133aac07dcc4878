"""The tree of RFC 9162 §2.1 against published vectors, an independent implementation, and forgers."""

from collections.abc import Sequence

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.journal.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    Frontier,
    ProofError,
    Subtree,
    consistency_ranges,
    fold,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    subtrees,
    verify_consistency,
    verify_inclusion,
)

# The leaves and roots of the Certificate Transparency reference tree.
CT_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION_5_OF_8 = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
CT_CONSISTENCY_6_TO_8 = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
CT_CONSISTENCY_2_TO_5 = [
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
]

LEAVES = [f"entry {number}".encode() for number in range(300)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
FOREIGN_TREE = pymerkle.InmemoryTree()
FOREIGN_TREE.append_entries(LEAVES)


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """MTH, word for word as RFC 9162 §2.1.1 defines it."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return node_hash(tree_root(hashes[:k]), tree_root(hashes[k:]))


def proof_as_defined(old: int, hashes: Sequence[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF, word for word as RFC 9162 §2.1.4.1 defines it."""
    if old == len(hashes):
        return [] if known else [tree_root(hashes)]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if old <= k:
        return [*proof_as_defined(old, hashes[:k], known), tree_root(hashes[k:])]
    return [*proof_as_defined(old - k, hashes[k:], known=False), tree_root(hashes[:k])]


def inclusion_proof(index: int, size: int, hashes: Sequence[bytes] = HASHES) -> list[bytes]:
    return [tree_root(hashes[lo:hi]) for lo, hi in inclusion_ranges(index, size)]


def consistency_proof(old: int, new: int, hashes: Sequence[bytes] = HASHES) -> list[bytes]:
    return [tree_root(hashes[lo:hi]) for lo, hi in consistency_ranges(old, new)]


def root_of(size: int) -> bytes:
    return bytes(FOREIGN_TREE.get_root(size))


def flip_bit(digest: bytes, bit: int) -> bytes:
    return (int.from_bytes(digest, "big") ^ 1 << bit).to_bytes(32, "big")


sizes = st.integers(1, len(LEAVES))
bits = st.integers(0, 255)


@st.composite
def leaf_positions(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


@st.composite
def growths(draw: st.DrawFn) -> tuple[int, int]:
    new = draw(st.integers(2, len(LEAVES)))
    return draw(st.integers(1, new - 1)), new


class TestPublishedVectors:
    def test_roots_of_the_certificate_transparency_tree(self) -> None:
        frontier = Frontier()
        assert frontier.root().hex() == CT_ROOTS[0]
        for size, leaf in enumerate(CT_LEAVES, start=1):
            frontier.extend([leaf_hash(leaf)])
            assert frontier.root().hex() == CT_ROOTS[size]

    def test_inclusion_proof_of_the_certificate_transparency_tree(self) -> None:
        hashes = [leaf_hash(leaf) for leaf in CT_LEAVES]
        proof = inclusion_proof(5, 8, hashes)
        assert [digest.hex() for digest in proof] == CT_INCLUSION_5_OF_8
        verify_inclusion(hashes[5], 5, 8, proof, bytes.fromhex(CT_ROOTS[8]))

    @pytest.mark.parametrize(
        ("old", "new", "vector"), [(6, 8, CT_CONSISTENCY_6_TO_8), (2, 5, CT_CONSISTENCY_2_TO_5)]
    )
    def test_consistency_proofs_of_the_certificate_transparency_tree(
        self, old: int, new: int, vector: list[str]
    ) -> None:
        proof = consistency_proof(old, new, [leaf_hash(leaf) for leaf in CT_LEAVES])
        assert [digest.hex() for digest in proof] == vector
        verify_consistency(old, bytes.fromhex(CT_ROOTS[old]), new, bytes.fromhex(CT_ROOTS[new]), proof)


class TestIndependentImplementation:
    def test_roots_agree_at_every_size(self) -> None:
        frontier = Frontier()
        for size, digest in enumerate(HASHES):
            assert frontier.root() == root_of(size)
            frontier.extend([digest])
        assert frontier.root() == root_of(len(HASHES))

    def test_every_inclusion_proof_agrees_and_verifies(self) -> None:
        for size in [*range(1, 70), 127, 128, 129, 255, 256, 257]:
            for index in range(size):
                proof = inclusion_proof(index, size)
                assert proof == FOREIGN_TREE.prove_inclusion(index + 1, size).path[1:]
                verify_inclusion(HASHES[index], index, size, proof, root_of(size))

    def test_every_consistency_proof_verifies_against_the_other_roots(self) -> None:
        for new in [*range(1, 40), 63, 64, 65, 256, 257, 300]:
            for old in range(1, new + 1):
                proof = consistency_proof(old, new)
                assert proof == proof_as_defined(old, HASHES[:new])
                verify_consistency(old, root_of(old), new, root_of(new), proof)

    @given(leaf_positions())
    def test_our_inclusion_proof_convinces_the_other_verifier(self, position: tuple[int, int]) -> None:
        index, size = position
        proof = FOREIGN_TREE.prove_inclusion(index + 1, size)
        proof.path = [HASHES[index], *inclusion_proof(index, size)]
        pymerkle.verify_inclusion(HASHES[index], tree_root(HASHES[:size]), proof, index + 1, size)


class TestFrontier:
    @given(st.lists(st.integers(0, 60), max_size=12))
    def test_batches_do_not_matter(self, batches: list[int]) -> None:
        frontier, size = Frontier(), 0
        for batch in batches:
            batch = min(batch, len(HASHES) - size)
            frontier.extend(HASHES[size : size + batch])
            size += batch
            assert frontier.size == size
            assert frontier.root() == root_of(size)

    @given(st.integers(0, 300), st.integers(0, 300))
    def test_extending_returns_the_subtrees_it_completed(self, lo: int, hi: int) -> None:
        lo, hi = sorted((lo, hi))
        frontier = Frontier()
        frontier.extend(HASHES[:lo])
        for height, row in enumerate(frontier.extend(HASHES[lo:hi])):
            positions = range(lo >> height, hi >> height)
            assert row == [tree_root(HASHES[at << height : at + 1 << height]) for at in positions]

    @given(st.integers(0, 300))
    def test_bytes_round_trip(self, size: int) -> None:
        frontier = Frontier()
        frontier.extend(HASHES[:size])
        restored = Frontier.from_bytes(frontier.to_bytes())
        assert restored == frontier
        restored.extend(HASHES[size:])
        assert restored.root() == root_of(300)

    @pytest.mark.parametrize(
        "encoded",
        [
            b"",
            b"\0" * 7,
            b"\0" * 9,
            b"\0" * 8 + HASHES[0],
            (3).to_bytes(8, "big") + HASHES[0],
            (1).to_bytes(8, "big") + HASHES[0][:-1],
            (2**63).to_bytes(8, "big") + HASHES[0],
        ],
    )
    def test_bytes_that_are_no_frontier_are_refused(self, encoded: bytes) -> None:
        with pytest.raises(ValueError, match=r"frontier|peaks|range"):
            Frontier.from_bytes(encoded)

    def test_a_hash_of_wrong_length_leaves_the_frontier_as_it_was(self) -> None:
        frontier = Frontier()
        frontier.extend(HASHES[:7])
        with pytest.raises(ValueError, match="32 bytes"):
            frontier.extend([HASHES[7], HASHES[8][:-1]])
        assert (frontier.size, frontier.root()) == (7, root_of(7))

    def test_a_full_tree_takes_no_more_leaves(self) -> None:
        frontier = Frontier(MAX_SIZE, HASHES[:63])
        with pytest.raises(ValueError, match="outgrow"):
            frontier.extend(HASHES[:1])

    def test_a_copy_grows_alone(self) -> None:
        frontier = Frontier()
        frontier.extend(HASHES[:5])
        frontier.copy().extend(HASHES[5:9])
        assert (frontier.size, frontier.root()) == (5, root_of(5))


class TestPlanning:
    @given(st.integers(0, 299), st.integers(1, 300))
    def test_subtrees_fold_into_the_node_over_their_range(self, lo: int, width: int) -> None:
        lo -= lo % (1 << (width - 1).bit_length())
        hi = min(lo + width, 300)
        folded = fold([tree_root(HASHES[at << height : at + 1 << height]) for height, at in subtrees(lo, hi)])
        assert folded == tree_root(HASHES[lo:hi])

    def test_subtrees_of_the_right_edge_descend(self) -> None:
        assert subtrees(8, 15) == [Subtree(2, 2), Subtree(1, 6), Subtree(0, 14)]

    @pytest.mark.parametrize(("lo", "hi"), [(1, 3), (2, 5), (3, 3), (4, 3), (-1, 1), (0, 2**63)])
    def test_ranges_that_are_no_node_are_refused(self, lo: int, hi: int) -> None:
        with pytest.raises(ValueError, match="leaves"):
            subtrees(lo, hi)

    @pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, 2**63)])
    def test_there_is_no_inclusion_proof_beyond_the_tree(self, index: int, size: int) -> None:
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_ranges(index, size)

    @pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5), (1, 2**63)])
    def test_there_is_no_consistency_proof_backwards(self, old: int, new: int) -> None:
        with pytest.raises(ValueError, match="cannot continue"):
            consistency_ranges(old, new)


class TestForgedInclusion:
    def refused(self, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
        with pytest.raises(ProofError):
            verify_inclusion(leaf, index, size, proof, root)

    @given(leaf_positions(), st.data(), bits)
    def test_any_flipped_bit_is_refused(
        self, position: tuple[int, int], data: st.DataObject, bit: int
    ) -> None:
        index, size = position
        proof, root = inclusion_proof(index, size), root_of(size)
        self.refused(flip_bit(HASHES[index], bit), index, size, proof, root)
        self.refused(HASHES[index], index, size, proof, flip_bit(root, bit))
        if proof:
            at = data.draw(st.integers(0, len(proof) - 1))
            proof[at] = flip_bit(proof[at], bit)
            self.refused(HASHES[index], index, size, proof, root)

    @given(leaf_positions(), st.data())
    def test_a_missing_or_added_hash_is_refused(self, position: tuple[int, int], data: st.DataObject) -> None:
        index, size = position
        proof, root = inclusion_proof(index, size), root_of(size)
        at = data.draw(st.integers(0, len(proof)))
        added = data.draw(st.sampled_from([*proof, root, HASHES[index], EMPTY_ROOT]))
        self.refused(HASHES[index], index, size, [*proof[:at], added, *proof[at:]], root)
        if at < len(proof):
            self.refused(HASHES[index], index, size, proof[:at] + proof[at + 1 :], root)

    @given(leaf_positions(), st.data())
    def test_another_index_is_refused(self, position: tuple[int, int], data: st.DataObject) -> None:
        index, size = position
        other = data.draw(st.integers(-1, size + 1).filter(lambda number: number != index))
        self.refused(HASHES[index], other, size, inclusion_proof(index, size), root_of(size))

    @given(leaf_positions())
    def test_an_interior_node_does_not_pass_for_a_leaf(self, position: tuple[int, int]) -> None:
        index, size = position
        proof = inclusion_proof(index, size)
        if proof and index % 2 == 0 and index + 1 < size:
            parent = node_hash(HASHES[index], proof[0])
            self.refused(parent, index // 2, size, proof[1:], root_of(size))

    def test_hashes_of_another_length_are_refused(self) -> None:
        proof = inclusion_proof(2, 4)
        self.refused(HASHES[2], 2, 4, [proof[0][:-1], proof[1]], root_of(4))
        self.refused(HASHES[2] + b"\0", 2, 4, proof, root_of(4))
        self.refused(HASHES[2], 2, 4, proof, b"")

    def test_nothing_is_in_an_empty_tree(self) -> None:
        self.refused(EMPTY_ROOT, 0, 0, [], EMPTY_ROOT)

    def test_the_message_says_what_is_wrong(self) -> None:
        proof = inclusion_proof(2, 4)
        with pytest.raises(ProofError, match="too short for leaf 2 of 4"):
            verify_inclusion(HASHES[2], 2, 4, proof[:-1], root_of(4))
        with pytest.raises(ProofError, match="too long for leaf 2 of 4"):
            verify_inclusion(HASHES[2], 2, 4, [*proof, EMPTY_ROOT], root_of(4))
        with pytest.raises(ProofError, match="another root"):
            verify_inclusion(HASHES[3], 2, 4, proof, root_of(4))


class TestForgedConsistency:
    def refused(self, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
        with pytest.raises(ProofError):
            verify_consistency(old, old_root, new, new_root, proof)

    @given(growths(), st.data(), bits)
    def test_any_flipped_bit_is_refused(self, growth: tuple[int, int], data: st.DataObject, bit: int) -> None:
        old, new = growth
        proof = consistency_proof(old, new)
        self.refused(old, flip_bit(root_of(old), bit), new, root_of(new), proof)
        self.refused(old, root_of(old), new, flip_bit(root_of(new), bit), proof)
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = flip_bit(proof[at], bit)
        self.refused(old, root_of(old), new, root_of(new), proof)

    @given(growths(), st.data())
    def test_a_missing_or_added_hash_is_refused(self, growth: tuple[int, int], data: st.DataObject) -> None:
        old, new = growth
        proof = consistency_proof(old, new)
        at = data.draw(st.integers(0, len(proof)))
        added = data.draw(st.sampled_from([*proof, root_of(old), root_of(new), EMPTY_ROOT]))
        self.refused(old, root_of(old), new, root_of(new), [*proof[:at], added, *proof[at:]])
        if at < len(proof):
            self.refused(old, root_of(old), new, root_of(new), proof[:at] + proof[at + 1 :])

    @given(growths(), st.data())
    def test_a_rewritten_entry_cannot_be_proven_consistent(
        self, growth: tuple[int, int], data: st.DataObject
    ) -> None:
        old, new = growth
        rewritten = HASHES[:new]
        rewritten[data.draw(st.integers(0, old - 1))] = leaf_hash(b"something else")
        self.refused(old, root_of(old), new, tree_root(rewritten), consistency_proof(old, new, rewritten))
        self.refused(old, root_of(old), new, tree_root(rewritten), consistency_proof(old, new))

    @given(growths())
    def test_the_sizes_cannot_be_swapped(self, growth: tuple[int, int]) -> None:
        old, new = growth
        self.refused(new, root_of(new), old, root_of(old), consistency_proof(old, new))

    def test_a_proof_for_other_sizes_is_refused_even_with_the_roots_it_leads_to(self) -> None:
        with pytest.raises(ProofError, match="from 2 to 8 leaves is too short"):
            verify_consistency(2, root_of(2), 8, root_of(4), consistency_proof(2, 4))
        with pytest.raises(ProofError, match="from 2 to 4 leaves is too long"):
            verify_consistency(2, root_of(2), 4, root_of(8), consistency_proof(2, 8))
        with pytest.raises(ProofError, match="from 2 to 4 leaves is empty"):
            verify_consistency(2, root_of(2), 4, root_of(2), [])

    def test_equal_sizes_need_equal_roots_and_no_proof(self) -> None:
        verify_consistency(5, root_of(5), 5, root_of(5), [])
        self.refused(5, root_of(5), 5, root_of(4), [])
        self.refused(5, root_of(5), 5, root_of(5), [root_of(5)])

    def test_every_tree_continues_the_empty_one_without_a_proof(self) -> None:
        verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
        verify_consistency(0, EMPTY_ROOT, 5, root_of(5), [])
        self.refused(0, root_of(1), 5, root_of(5), [])
        self.refused(0, EMPTY_ROOT, 5, root_of(5), [root_of(5)])
        self.refused(0, root_of(1), 0, root_of(1), [])

    def test_hashes_of_another_length_are_refused(self) -> None:
        proof = consistency_proof(3, 7)
        self.refused(3, root_of(3), 7, root_of(7), [proof[0] + b"\0", *proof[1:]])
        self.refused(3, root_of(3)[:-1], 7, root_of(7), proof)

    def test_a_proof_beyond_the_largest_tree_is_refused(self) -> None:
        self.refused(1, HASHES[0], MAX_SIZE + 1, HASHES[0], [HASHES[1]] * 63)
        self.refused(-1, EMPTY_ROOT, 5, root_of(5), [])
