"""A change of the key that signs a journal, and which key speaks for a journal at which size.

Both keys sign the same words: the old one that it hands over, the new one that it takes on. From then on the new key alone speaks for the
journal; the old one is believed for sizes up to the change, so that what was proven before stays proven, and whoever steals it later can add nothing. A
key that was lost with its box leaves no such words: there the parent vouches, by enrolling the new one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from zongheng.v1.rotation_pb2 import KeyRotated
from zongheng.v1.tree_pb2 import NodeCard

from federation.journal.checkpoint import Checkpoint, CheckpointError, Signer, Verifier, open_note


def rotate(before: Signer, after: Signer, size: int) -> KeyRotated:
    """The statement that `after` signs the journal beyond `size` entries. Both are named by the log's id."""
    told = KeyRotated(log_id=before.name, before=str(before.verifier), after=str(after.verifier), size=size)
    told.signature_before = before.signature(_words(told))
    told.signature_after = after.signature(_words(told))
    return told


def check_rotation(told: KeyRotated) -> None:
    """Raise CheckpointError unless both keys say so, for one log."""
    before, after = Verifier.parse(told.before), Verifier.parse(told.after)
    if not told.log_id == before.name == after.name or before == after:
        raise CheckpointError("a rotation is from one key of a log to another of the same")
    for verifier, signature in ((before, told.signature_before), (after, told.signature_after)):
        if not verifier.verify(_words(told), signature):
            raise CheckpointError(f"the rotation of {told.log_id} is not signed by {verifier}")


def led_to(known: str, card: NodeCard) -> Sequence[KeyRotated]:
    """The changes in a card that lead from the known key to the card's; empty where none lead there, or the two are the same."""
    path: list[KeyRotated] = []
    for told in card.rotations:
        if told.before != (path[-1].after if path else known) or told.log_id != card.log_id:
            continue
        try:
            check_rotation(told)
        except CheckpointError:
            break
        path.append(told)
    return path if path and path[-1].after == card.verifier else ()


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The keys of one journal: the present one, and earlier ones with the size up to which each is believed."""

    current: Verifier
    former: tuple[tuple[Verifier, int], ...] = ()

    @classmethod
    def of(cls, card: NodeCard) -> Self:
        """Those that a card shows. Raises CheckpointError for a card without a key."""
        former: list[tuple[Verifier, int]] = []
        wanted = card.verifier
        for told in reversed(card.rotations):
            if told.after != wanted or told.log_id != card.log_id:
                continue
            try:
                check_rotation(told)
            except CheckpointError:
                break
            former.append((Verifier.parse(told.before), told.size))
            wanted = told.before
        return cls(Verifier.parse(card.verifier), tuple(former))

    def and_former(self, former: Iterable[tuple[str, int]]) -> Self:
        """With more earlier keys, each with its size."""
        return type(self)(
            self.current, self.former + tuple((Verifier.parse(vkey), size) for vkey, size in former)
        )

    def knows(self, verifier: str) -> bool:
        return any(verifier == str(key) for key in (self.current, *(key for key, _ in self.former)))

    def open(self, note: str) -> Checkpoint:
        """The checkpoint in a note that one of the keys signed while it spoke for the journal. Raises CheckpointError."""
        try:
            return open_note(note, [self.current])
        except CheckpointError as refused:
            for key, size in self.former:
                try:
                    checkpoint = open_note(note, [key])
                except CheckpointError:
                    continue
                if checkpoint.size > size:
                    raise CheckpointError(
                        f"the key that signed {checkpoint.size} entries was given up at {size}"
                    ) from refused
                return checkpoint
            raise


def _words(told: KeyRotated) -> bytes:
    return f"zongheng key rotation 1\n{told.log_id}\n{told.before}\n{told.after}\n{told.size}\n".encode()
