"""The Merkle tree of RFC 9162 §2.1 over SHA-256: hashing, growing, planning proofs and checking them.

It exists so that a node cannot rewrite its journal unnoticed. Everything is pure and does no IO. A verifier
derives the shape of a proof only from the index and the sizes it already trusts: a proof is nothing but a
list of hashes, and one that is too short, too long or altered raises `ProofError`. No function here returns a
verdict that a caller could forget to look at.

Ranges are half open, `[lo, hi)`, and count leaves from zero.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import ClassVar, Final, NamedTuple, Self

HASH_SIZE: Final = 32
"""Bytes in a SHA-256 digest."""

MAX_SIZE: Final = 2**63 - 1
"""Largest tree size: what a signed 64-bit database column holds."""

EMPTY_ROOT: Final = sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162 §2.1.1)."""

_LEAF_PREFIX: Final = b"\x00"
_NODE_PREFIX: Final = b"\x01"


class ProofError(Exception):
    """The proof does not show what it claims to show."""

    code: ClassVar[str] = "JOURNAL_PROOF_INVALID"


class Range(NamedTuple):
    """The leaves `[lo, hi)`."""

    lo: int
    hi: int


class Subtree(NamedTuple):
    """A perfect subtree: the leaves `[position << height, (position + 1) << height)`."""

    height: int
    position: int


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of one leaf's exact stored bytes (RFC 9162 §2.1.1)."""
    return sha256(_LEAF_PREFIX + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an interior node over its two children's hashes (RFC 9162 §2.1.1)."""
    return sha256(_NODE_PREFIX + left + right).digest()


def fold(subtree_hashes: Sequence[bytes]) -> bytes:
    """Root over perfect subtrees given from left to right, each smaller than the one before.

    `EMPTY_ROOT` over none.
    """
    if not subtree_hashes:
        return EMPTY_ROOT
    root = subtree_hashes[-1]
    for left in reversed(subtree_hashes[:-1]):
        root = node_hash(left, root)
    return root


def pair_up(row: Iterable[bytes]) -> list[bytes]:
    """Parents of a row of siblings; a last one without a sibling is left out.

    This is the inner loop of intake, hence the hashing written out rather than called.
    """
    siblings = iter(row)
    digest, prefix = sha256, _NODE_PREFIX
    return [digest(prefix + left + right).digest() for left, right in zip(siblings, siblings, strict=False)]


def check_hashes(hashes: Sequence[bytes]) -> None:
    """Raise ValueError unless every one is `HASH_SIZE` bytes long."""
    if not set(map(len, hashes)) <= {HASH_SIZE}:
        raise ValueError(f"every hash has {HASH_SIZE} bytes")


class Frontier:
    """The compact range `[0, size)`: the roots of its perfect subtrees, at most one a height, largest first.

    This is all that is needed to go on appending and to know the root. A frontier changes only in `extend`,
    which either succeeds or leaves it as it was.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Raise ValueError unless `peaks` holds exactly one hash for each bit set in `size`."""
        if not 0 <= size <= MAX_SIZE:
            raise ValueError(f"tree size {size} is out of range")
        if len(peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(peaks)}")
        check_hashes(peaks)
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        return self._size

    @property
    def peaks(self) -> tuple[bytes, ...]:
        return tuple(self._peaks)

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[list[bytes]]:
        """Append leaf hashes; return the roots of all perfect subtrees this completed, a row a height, from 0 up.

        Raises ValueError, and appends nothing, when a hash has the wrong length or the tree would outgrow
        `MAX_SIZE`.
        """
        check_hashes(leaf_hashes)
        if len(leaf_hashes) > MAX_SIZE - self._size:
            raise ValueError(f"the tree would outgrow {MAX_SIZE} leaves")
        completed: list[list[bytes]] = []
        peaks = self._peaks.copy()
        low_peaks: list[bytes] = []
        row = list(leaf_hashes)
        height = 0
        while row:
            completed.append(row)
            siblings = [peaks.pop(), *row] if self._size >> height & 1 else row
            if len(siblings) & 1:
                low_peaks.append(siblings[-1])
            row = pair_up(siblings)
            height += 1
        self._peaks = peaks + low_peaks[::-1]
        self._size += len(leaf_hashes)
        return completed

    def root(self) -> bytes:
        """Root of the tree (RFC 9162 §2.1.1)."""
        return fold(self._peaks)

    def copy(self) -> Self:
        """An independent frontier: what one does with it leaves the other alone."""
        return type(self)(self._size, self._peaks)

    def to_bytes(self) -> bytes:
        """The size as 8 bytes, big endian, then the peaks, largest first."""
        return self._size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Self:
        """Inverse of `to_bytes`. Raises ValueError when the bytes are not a frontier."""
        if len(encoded) < 8 or (len(encoded) - 8) % HASH_SIZE:
            raise ValueError(f"{len(encoded)} bytes are not a frontier")
        peaks = [encoded[at : at + HASH_SIZE] for at in range(8, len(encoded), HASH_SIZE)]
        return cls(int.from_bytes(encoded[:8], "big"), peaks)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frontier):
            return NotImplemented
        return self._size == other._size and self._peaks == other._peaks

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Frontier(size={self._size}, root={self.root().hex()})"


def subtrees(lo: int, hi: int) -> list[Subtree]:
    """The perfect subtrees, from left to right, whose hashes `fold` into the node over the leaves `[lo, hi)`.

    Raises ValueError when no tree has such a node: `lo` must be a multiple of the smallest power of two that
    is at least `hi - lo`.
    """
    if not 0 <= lo < hi <= MAX_SIZE:
        raise ValueError(f"[{lo}, {hi}) is not a range of leaves")
    if lo & ((1 << (hi - lo - 1).bit_length()) - 1):
        raise ValueError(f"no tree has a node over the leaves [{lo}, {hi})")
    found: list[Subtree] = []
    while lo < hi:
        height = (hi - lo).bit_length() - 1
        found.append(Subtree(height, lo >> height))
        lo += 1 << height
    return found


def _split(width: int) -> int:
    """Largest power of two smaller than `width`: where RFC 9162 §2.1.1 divides a tree of that many leaves."""
    return 1 << (width - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The nodes of an inclusion proof, from the leaf's sibling to the root's child (RFC 9162 §2.1.3.1).

    Raises ValueError unless `index < size`.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    lo, hi = 0, size
    path: list[Range] = []
    while hi - lo > 1:
        middle = lo + _split(hi - lo)
        if index < middle:
            path.append(Range(middle, hi))
            hi = middle
        else:
            path.append(Range(lo, middle))
            lo = middle
    path.reverse()
    return path


def consistency_ranges(old_size: int, new_size: int) -> list[Range]:
    """The nodes of a consistency proof, in the order of RFC 9162 §2.1.4.1.

    None when `old_size` is 0 or `new_size`. Raises ValueError unless `old_size <= new_size`.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise ValueError(f"a tree of {new_size} leaves cannot continue one of {old_size}")
    if old_size == 0:
        return []
    lo, hi = 0, new_size
    path: list[Range] = []
    while old_size != hi:
        middle = lo + _split(hi - lo)
        if old_size <= middle:
            path.append(Range(middle, hi))
            hi = middle
        else:
            path.append(Range(lo, middle))
            lo = middle
    if lo > 0:
        path.append(Range(lo, hi))
    path.reverse()
    return path


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf is number `index`, from zero, of the `size` under this root (RFC 9162 §2.1.3.2).

    Raises ProofError when it is not shown to be.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofError(f"there is no leaf {index} in a tree of {size}")
    _check_proof_hashes((leaf_hash, root), proof)
    node, last = index, size - 1
    computed = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError(f"the inclusion proof is too long for leaf {index} of {size}")
        if node & 1 or node == last:
            computed = node_hash(sibling, computed)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError(f"the inclusion proof is too short for leaf {index} of {size}")
    if computed != root:
        raise ProofError(f"the inclusion proof of leaf {index} of {size} leads to another root")


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of `new_size` leaves begins with the tree of `old_size` leaves (RFC 9162 §2.1.4.2).

    The RFC leaves two cases open: equal sizes need equal roots, and size 0 needs `EMPTY_ROOT`; both need an
    empty proof. Raises ProofError when the consistency is not shown.
    """
    if not 0 <= old_size <= new_size <= MAX_SIZE:
        raise ProofError(f"a tree of {new_size} leaves cannot continue one of {old_size}")
    _check_proof_hashes((old_root, new_root), proof)
    for size, root in ((old_size, old_root), (new_size, new_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise ProofError("a tree without leaves has another root")
    if old_size in (0, new_size):
        if proof:
            raise ProofError(f"between {old_size} and {new_size} leaves the consistency proof is empty")
        if old_size == new_size and old_root != new_root:
            raise ProofError(f"two different roots for the same {old_size} leaves")
        return
    _verify_growth(old_size, old_root, new_size, new_root, proof)


def _verify_growth(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """RFC 9162 §2.1.4.2 for `0 < old_size < new_size`."""
    if not proof:
        raise ProofError(f"the consistency proof from {old_size} to {new_size} leaves is empty")
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    path = proof if node else [old_root, *proof]
    old_computed = new_computed = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError(f"the consistency proof from {old_size} to {new_size} leaves is too long")
        if node & 1 or node == last:
            old_computed = node_hash(sibling, old_computed)
            new_computed = node_hash(sibling, new_computed)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            new_computed = node_hash(new_computed, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError(f"the consistency proof from {old_size} to {new_size} leaves is too short")
    if old_computed != old_root:
        raise ProofError(f"the consistency proof leads to another root for the older {old_size} leaves")
    if new_computed != new_root:
        raise ProofError(f"the consistency proof leads to another root for the newer {new_size} leaves")


def _check_proof_hashes(ends: tuple[bytes, bytes], proof: Sequence[bytes]) -> None:
    if any(len(digest) != HASH_SIZE for digest in (*ends, *proof)):
        raise ProofError(f"every hash of a proof has {HASH_SIZE} bytes")
