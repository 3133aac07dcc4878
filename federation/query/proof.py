"""Checks that a node's part of an answer rests on its journal, and on the history that the asker already knew
(DESIGN §6).

The asker trusts nothing but the key it has on record for the node and the head it held before it asked. From
there: the node's checkpoint is signed by that key; it continues the held head; each entry is in the tree
under it; each alert told is the one that the entry says was raised. What fails raises ZonghengError
`bad_signature` or `bad_proof` with the node named; what passes is as good as the node's own signature,
wherever on the way up it was copied.
"""

from dataclasses import dataclass

from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.query_pb2 import AlertRow, AnswerPart

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, CheckpointError, Verifier, open_note
from federation.journal.merkle import ProofError, leaf_hash, verify_consistency, verify_inclusion


@dataclass(frozen=True, slots=True)
class HeldHead:
    """A head of a node's journal as the asker holds it."""

    size: int
    root: bytes


def verify_part(part: AnswerPart, verifier: Verifier, held: HeldHead | None) -> Checkpoint:
    """The signed checkpoint that the whole part is proven against.

    `part` is one node's whole part (`part.whole`), `verifier` the key on record for that node, `held` the
    head that was named in the question, None where the asker held none. Raises ZonghengError `bad_signature`
    or `bad_proof`.
    """
    if part.more:
        raise ZonghengError("bad_proof", f"the part of {part.node} is not whole")
    try:
        checkpoint = open_note(part.checkpoint, [verifier])
    except CheckpointError as error:
        raise ZonghengError("bad_signature", f"{part.node}: {error}") from error
    if part.journal_size != checkpoint.size:
        raise ZonghengError(
            "bad_proof", f"{part.node} speaks of {part.journal_size} entries and signs {checkpoint.size}"
        )
    try:
        if held is not None:
            proof = list(part.consistency)
            verify_consistency(held.size, held.root, checkpoint.size, checkpoint.root, proof)
        leaves: dict[int, bytes] = {}
        for entry in part.entries:
            proof = list(entry.proof)
            verify_inclusion(leaf_hash(entry.leaf), entry.index, checkpoint.size, proof, checkpoint.root)
            leaves[entry.index] = entry.leaf
    except ProofError as error:
        raise ZonghengError("bad_proof", f"{part.node}: {error}") from error
    for alert in part.alerts:
        _check_alert(part.node, alert, leaves.get(alert.index))
    return checkpoint


def _check_alert(node: str, alert: AlertRow, leaf: bytes | None) -> None:
    """The alert is the one that the proven entry raised. Its present state is not part of that entry."""
    if leaf is None:
        raise ZonghengError("bad_proof", f"{node}: no entry proves the alert {alert.alert_id}")
    try:
        raised = Entry.FromString(leaf).alert_raised
    except DecodeError as error:
        raise ZonghengError("bad_proof", f"{node}: entry {alert.index} is not one") from error
    told = (alert.alert_id, alert.case_id, alert.subject, alert.rule, alert.level, alert.episode)
    proven = (raised.alert_id, raised.case_id, raised.subject, raised.rule, raised.level, raised.episode)
    if told != proven or (alert.since_us, alert.due_at_us) != (raised.since_us, raised.due_at_us):
        raise ZonghengError(
            "bad_proof", f"{node}: entry {alert.index} does not raise the alert {alert.alert_id} as told"
        )
