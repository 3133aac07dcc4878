"""Evidence files: one entry with all that proves it, handed to whoever must be convinced, checked offline."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from pydantic import BaseModel
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.journal.checkpoint import (
    CheckpointError,
    Verifier,
    cosignatures,
    open_note,
    parse_log_id,
)
from federation.journal.evidence import Evidence, EvidenceError
from federation.link.hello import cosigner
from node.people import audit
from node.people.caller import Caller
from node.store.rows import Head
from node.store.store import Session
from node.uplink import PARENT_CARD
from node.views.footage import named
from node.views.sight import must_see

if TYPE_CHECKING:
    from node.run import Node


KEY_SUFFIX = ".vkey"
"""Ending of the file beside an evidence file that holds the journal key, and after it the keys of those who cosigned."""


class EvidenceView(BaseModel):
    index: int
    journal_size: int
    verifier: str
    """The journal key to check it with, a C2SP vkey."""
    cosigners: list[str]
    """Keys of those who cosigned the head, C2SP vkeys: the parent, where it has."""
    evidence: str
    """The file's text."""


async def of_case(node: "Node", caller: Caller, case_id: str, index: int | None) -> EvidenceView:
    """Evidence for one entry of a case, under the newest head that the parent cosigned, or the newest at all where it has cosigned none
    that reaches so far; ``ZonghengError`` when the case has no such entry.

    That it was looked at is an entry itself, written first.
    """
    await node.projector.settled()
    own = node.settings.node
    async with node.store.read() as session:
        facts = await session.facts.get(own, case_id)
    if facts is not None:
        await must_see(node, caller, facts.agency, f"case {case_id}")
        await node.write_entries([audit.looked(caller, f"case {case_id}/evidence")])
    async with node.store.read() as session:
        held = sorted(event.idx for event in await session.events.of_cases(own, [case_id]))
        held += sorted(alert.idx for alert in await session.alerts.of_cases(own, [case_id]))
        if not held:
            raise ZonghengError("not_found", f"there is no case {case_id} here")
        chosen = held[-1] if index is None else index
        if chosen not in held:
            raise ZonghengError("not_found", f"entry {chosen} does not belong to case {case_id}")
        return await _of_entry(node, session, chosen)


async def of_footage(node: "Node", digest: str, index: int) -> EvidenceView:
    """Evidence for an entry of this node that names a picture or a clip by its SHA-256; ``ZonghengError`` `not_found` when it does not."""
    own = node.settings.node
    async with node.store.read() as session:
        leaf = await session.journal.leaf(own, index)
        if leaf is None or named(node, own, index, leaf, digest) is None:
            raise ZonghengError("not_found", f"entry {index} of this node does not name {digest}")
        return await _of_entry(node, session, index)


async def _of_entry(node: "Node", session: Session, index: int) -> EvidenceView:
    own = node.settings.node
    head = await session.journal.head(own)
    if head is None:
        raise ZonghengError("store_damaged", "the journal has no head")
    note, size, cosigners = head.note, head.size, await _cosigners(session, head)
    if cosigners and index < head.cosigned_size:
        note, size = head.cosigned_note, head.cosigned_size
    else:
        cosigners = []
    reader = session.journal.reader(own, head.size, node.edge(own, head.size))
    proof = await reader.inclusion_proof(index, size)
    leaf = (await session.journal.leaves(own, index, index + 1))[0]
    text = Evidence(leaf, index, tuple(proof), note).to_text()
    return EvidenceView(
        index=index, journal_size=size, verifier=head.verifier, cosigners=cosigners, evidence=text
    )


async def _cosigners(session: Session, head: Head) -> list[str]:
    """Who cosigned the newest head that was; empty where it was signed by a key since given up, or the parent's is not known."""
    parent = await session.links.get(PARENT_CARD)
    try:
        key = cosigner(NodeCard.FromString(parent or b"").verifier)
        open_note(head.cosigned_note, [Verifier.parse(head.verifier)])
        return [str(key)] if cosignatures(head.cosigned_note, [key]) else []
    except CheckpointError:
        return []


def check_file(path: Path, vkey: str | None) -> dict[str, Any]:
    """Check an evidence file with nothing but the file and a key.

    ``vkey``: the journal key (C2SP vkey), from wherever the reader trusts it. Without it the key that lies beside the file
    (``<file>.vkey``, written with it) is used, and the answer says that trust then rests on that key; without either nothing can be
    proven about who signed, and the answer is not verified.
    """
    try:
        text = path.read_text(encoding="utf-8")
        evidence = Evidence.parse(text)
    except (OSError, UnicodeDecodeError, EvidenceError) as error:
        return {"verified": False, "words": [f"{path.name}: {error}"]}
    words = []
    try:
        entry = Entry.FromString(evidence.leaf)
        shown = MessageToDict(entry, preserving_proto_field_name=True)
        words.append(f"entry {evidence.index}: {orjson.dumps(shown).decode()}")
    except DecodeError:
        shown = None
        words.append(f"entry {evidence.index}: {len(evidence.leaf)} bytes that this version cannot read")
    origin = evidence.note.split("\n", 1)[0]
    beside = path.with_name(path.name + KEY_SUFFIX)
    keys = beside.read_text(encoding="utf-8").split() if beside.is_file() else []
    if vkey is None and keys:
        vkey = keys[0]
        words.append(
            f"checked with the key in {beside.name}: compare it with what the node itself publishes ({vkey})"
        )
    if vkey is None:
        words.append(
            f"signed as {origin}; give the journal key with --verifier to check (`zongheng status --json` of that node has it)"
        )
        return {"verified": False, "words": words, "index": evidence.index, "entry": shown, "origin": origin}
    try:
        checkpoint = evidence.verify([Verifier.parse(vkey)])
        node = parse_log_id(checkpoint.origin).node
    except (EvidenceError, CheckpointError, ValueError) as error:
        words.append(f"NOT PROVEN: {error}")
        return {"verified": False, "words": words, "index": evidence.index, "entry": shown, "origin": origin}
    words.append(
        f"proven: node {node} had it in its journal at size {checkpoint.size}, root {checkpoint.root.hex()}"
    )
    try:
        cosigned = cosignatures(evidence.note, [Verifier.parse(key) for key in keys[1:]])
        by = [(parse_log_id(one.name).node, one.at.isoformat()) for one in cosigned]
    except (CheckpointError, ValueError) as error:
        words.append(f"NOT PROVEN: who cosigned it: {error}")
        return {"verified": False, "words": words, "index": evidence.index, "entry": shown, "origin": origin}
    words += [
        f"cosigned by {who} at {at}, which held the same entries then: compare its key in {beside.name} with what it publishes"
        for who, at in by
    ] or ["cosigned by nobody whose key is here"]
    return {
        "verified": True,
        "words": words,
        "index": evidence.index,
        "entry": shown,
        "origin": checkpoint.origin,
        "journal_size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "cosigned": [{"node": who, "at": at} for who, at in by],
    }
