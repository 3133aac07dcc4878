"""What was made public, here and below: entered here, listed at every tier above with its proof; at the portal's node with its files."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.disclosure_pb2 import Disclosure
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.files_pb2 import FILE_PURPOSE_DISCLOSURE, FileAdded

from federation.errors import ZonghengError
from federation.journal.checkpoint import CheckpointError, Verifier, open_note
from federation.journal.evidence import Evidence
from federation.journal.merkle import ProofError, leaf_hash, verify_inclusion
from node.files.carried import PORTAL
from node.store.disclosures import DisclosureRow
from node.store.store import Session
from node.views.files import state_of
from node.views.present import time_text, time_us

if TYPE_CHECKING:
    from node.run import Node


class PublicFile(BaseModel):
    """A file of a disclosure."""

    model_config = ConfigDict(extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0)
    media_type: str = ""
    name: str = ""
    state: str = ""
    """As in ``zongheng files``; not given when a disclosure is made."""


class Publishing(BaseModel):
    """What is made public. Its files lie in the node's folder already (``zongheng disclose`` puts them there)."""

    model_config = ConfigDict(extra="forbid")

    matter: str = Field(min_length=1)
    element: str = ""
    basis: str = Field(min_length=1)
    title: str = Field(min_length=1)
    period: str = ""
    published_at: str | None = None
    by: str = Field(min_length=1)
    files: list[PublicFile] = []


class DisclosureView(BaseModel):
    """One disclosure."""

    origin: str
    index: int
    matter: str
    element: str
    basis: str
    title: str
    period: str
    published_at: str | None
    by: str
    files: list[PublicFile]
    proven: bool
    """Its entry lies under a head that its node signed."""
    evidence: str
    """An evidence file's text (C2SP tlog-proof), checkable offline with the node's journal key."""
    verifier: str
    """That key, a C2SP vkey."""


class Disclosed(BaseModel):
    """What was entered."""

    index: int
    journal_size: int


async def publish(node: "Node", form: Publishing) -> Disclosed:
    """Enter a disclosure; ``ZonghengError`` when a file of it is not here or not what it says."""
    for file in form.files:
        if not node.shelf.has(file.sha256) or node.shelf.path(file.sha256).stat().st_size != file.size:
            raise ZonghengError(
                "not_found",
                f"the file {file.sha256} is not in this node's folder: use `zongheng disclose --file`",
            )
    now_us = node.now()
    disclosure = Disclosure(
        matter=form.matter,
        element=form.element,
        basis=form.basis,
        title=form.title,
        period=form.period,
        published_at_us=time_us(form.published_at, node.settings.zone) or now_us,
        by=form.by,
        files=[
            FileAdded(
                sha256=file.sha256,
                size=file.size,
                media_type=file.media_type,
                name=file.name,
                reader=PORTAL,
                purpose=FILE_PURPOSE_DISCLOSURE,
            )
            for file in form.files
        ],
    )
    (index,) = await node.write_entries([Entry(disclosure=disclosure)])
    return Disclosed(index=index, journal_size=node.writer.size)


async def newest(node: "Node", limit: int, origin: str = "") -> list[DisclosureView]:
    """The newest disclosures, of one node or of all here and below."""
    await node.projector.settled()
    async with node.store.read() as session:
        rows = await session.disclosures.newest(limit, origin)
        return [await _view(node, session, row) for row in rows]


async def _view(node: "Node", session: Session, row: DisclosureRow) -> DisclosureView:
    disclosure = Disclosure.FromString(row.body)
    evidence, verifier, proven = await _proof(node, session, row)
    files = []
    for file in disclosure.files:
        held = await session.files.get(row.origin, file.sha256)
        state = "below" if held is None else state_of(held, node.carrying.is_final(PORTAL))
        files.append(
            PublicFile(
                sha256=file.sha256, size=file.size, media_type=file.media_type, name=file.name, state=state
            )
        )
    return DisclosureView(
        origin=row.origin,
        index=row.idx,
        matter=disclosure.matter,
        element=disclosure.element,
        basis=disclosure.basis,
        title=disclosure.title,
        period=disclosure.period,
        published_at=time_text(disclosure.published_at_us, node.settings.zone),
        by=disclosure.by,
        files=files,
        proven=proven,
        evidence=evidence,
        verifier=verifier,
    )


async def _proof(node: "Node", session: Session, row: DisclosureRow) -> tuple[str, str, bool]:
    """The evidence, the key it is checked with, and whether it holds."""
    own = node.settings.node
    leaf = await session.journal.leaf(own, row.own_idx)
    head = await session.journal.head(own)
    if leaf is None or head is None:
        raise ZonghengError(
            "store_damaged", f"the journal has no entry {row.own_idx}: run `zongheng rebuild`"
        )
    entry = Entry.FromString(leaf)
    if entry.HasField("forwarded"):
        rose = entry.forwarded
        leaf, index, proof = rose.leaf, rose.index, list(rose.proof)
        note, verifier = rose.checkpoint, rose.verifier
    else:
        reader = session.journal.reader(own, head.size, node.edge(own, head.size))
        index, proof = row.own_idx, await reader.inclusion_proof(row.own_idx, head.size)
        note, verifier = head.note, head.verifier
    try:
        checkpoint = open_note(note, [Verifier.parse(verifier)])
        verify_inclusion(leaf_hash(leaf), index, checkpoint.size, proof, checkpoint.root)
        said = Entry.FromString(leaf).disclosure.SerializeToString() == row.body
    except (CheckpointError, ProofError):
        said = False
    return Evidence(leaf, index, tuple(proof), note).to_text(), verifier, said
