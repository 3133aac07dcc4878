"""The evidence file: one entry with all that proves it, in the C2SP tlog-proof format.

It is what a citizen, an auditor or an ancestor node is handed, and it is checked offline: with the file and
the public key of the log, nothing else. The entry's bytes travel as the `extra` line, which the format calls
unauthenticated; here they are not taken on trust, since the leaf hash is computed from them and must lead to
the signed root. Anything less raises `EvidenceError`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from federation.journal.checkpoint import (
    Checkpoint,
    CheckpointError,
    Verifier,
    decode_base64,
    encode_base64,
    open_note,
    parse_decimal,
)
from federation.journal.merkle import HASH_SIZE, ProofError, leaf_hash, verify_inclusion

HEADER: Final = "c2sp.org/tlog-proof@v1"
"""First line of the file."""

FILE_SUFFIX: Final = ".tlog-proof"
"""How such a file's name ends."""

MAX_PROOF: Final = 63
"""Most hashes in an inclusion proof: the height of the largest tree."""


class EvidenceError(Exception):
    """The file does not prove that the log holds the entry."""

    code: ClassVar[str] = "JOURNAL_EVIDENCE_INVALID"


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry's stored bytes, its index from zero, its inclusion proof and the signed checkpoint it leads to.

    Nothing in it is proven until `verify` returns.
    """

    leaf: bytes
    index: int
    proof: tuple[bytes, ...]
    note: str

    def to_text(self) -> str:
        """The file's text, to be written as UTF-8. An empty leaf has no `extra` line."""
        lines = [HEADER]
        if self.leaf:
            lines.append(f"extra {encode_base64(self.leaf)}")
        lines.append(f"index {self.index}")
        lines.extend(map(encode_base64, self.proof))
        return "".join(f"{line}\n" for line in lines) + "\n" + self.note

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of `to_text`.

        Raises EvidenceError when the text is not in the format; it proves nothing yet.
        """
        head, blank, note = text.partition("\n\n")
        header, *lines = head.split("\n")
        if header != HEADER or not blank:
            raise EvidenceError(f"the file is not an evidence file ({HEADER})")
        leaf = b""
        try:
            if lines and lines[0].startswith("extra "):
                leaf = decode_base64(lines.pop(0).removeprefix("extra "))
                if not leaf:
                    raise EvidenceError("the evidence file has an empty extra line")
            if not lines or not lines[0].startswith("index "):
                raise EvidenceError("the evidence file has no index line")
            index = parse_decimal(lines.pop(0).removeprefix("index "))
            if len(lines) > MAX_PROOF:
                raise EvidenceError(f"the evidence file has more than {MAX_PROOF} proof lines")
            proof = tuple(map(decode_base64, lines))
        except ValueError as error:
            raise EvidenceError(f"the evidence file is malformed: {error}") from error
        if any(len(digest) != HASH_SIZE for digest in proof):
            raise EvidenceError(f"the evidence file is malformed: every proof line has {HASH_SIZE} bytes")
        return cls(leaf, index, proof, note)

    def verify(self, verifiers: Iterable[Verifier]) -> Checkpoint:
        """The checkpoint whose log holds `leaf` at `index`, if a known key of that log signed it.

        Raises EvidenceError when the checkpoint is not signed by a known key of its log (see
        `checkpoint.open_note`) or the proof does not lead to its root.
        """
        try:
            checkpoint = open_note(self.note, verifiers)
            verify_inclusion(leaf_hash(self.leaf), self.index, checkpoint.size, self.proof, checkpoint.root)
        except (CheckpointError, ProofError) as error:
            raise EvidenceError(f"the evidence does not hold: {error}") from error
        return checkpoint
