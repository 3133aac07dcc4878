"""Draws of evaluation experts: asked for, drawn, and checked from a file alone (`supervision.draw`)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from pydantic import BaseModel, Field
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.engine_pb2 import Avoidance, DrawRequest, Expert, ExpertsDrawn, ProvenLeaf
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from federation.journal.checkpoint import Checkpoint, CheckpointError, Verifier, open_note, sign
from federation.journal.evidence import Evidence, EvidenceError
from node.people.caller import Caller
from node.supervision.domains.trading.events import DOMAIN, DRAWN
from node.supervision.draw import BadDraw, check, draw, eligible, seeded, verify
from node.views.evidence import KEY_SUFFIX

if TYPE_CHECKING:
    from node.run import Node


class ExpertForm(BaseModel):
    expert: str = Field(min_length=1, max_length=200)
    employer: str = Field(default="", max_length=200)


class DrawForm(BaseModel):
    """A draw as it is asked for."""

    case: str = Field(min_length=1, max_length=300)
    pool: list[ExpertForm]
    wanted: int = Field(ge=1, le=100)
    avoided: dict[str, str] = Field(default_factory=dict)
    """Expert → why he or she must not evaluate it."""
    parties: list[str] = Field(default_factory=list)
    """Employers of the parties to the project."""
    one_per_employer: bool = False
    by: str = ""


class DrawAsked(BaseModel):
    case: str
    number: int
    """Which draw of this project it is, from 1."""
    index: int
    """The request's entry: what the draw is asked for by."""
    eligible: int
    """Experts of the pool who may be drawn."""


class DrawView(BaseModel):
    case: str
    number: int
    request: int
    """The request's entry."""
    index: int
    """The draw's entry."""
    drawn: list[str]
    verifier: str
    """The journal key to check it with, a C2SP vkey."""
    evidence: str
    """The draw's evidence file."""
    seeded_by: str
    """Journal of the parent that gave the seed; empty: the node has none, and the request's own head is the seed."""
    seed_verifier: str
    """The parent's journal key, a C2SP vkey; empty without a parent."""


async def ask(node: "Node", caller: Caller, form: DrawForm) -> DrawAsked:
    """Enter a request. ``ZonghengError`` for one that makes no draw."""
    by = caller.signing(form.by)
    async with node.store.read() as session:
        head = await session.journal.head(node.settings.node)
        number = 1
        while await session.journal.seen("draw", [f"{form.case}/{number}"]):
            number += 1
    assert head is not None
    request = DrawRequest(
        case_id=form.case,
        number=number,
        pool=[
            Expert(expert=one.expert, employer=one.employer)
            for one in sorted(form.pool, key=lambda one: one.expert)
        ],
        avoided=[Avoidance(expert=expert, reason=reason) for expert, reason in sorted(form.avoided.items())],
        parties=sorted(set(form.parties)),
        wanted=form.wanted,
        one_per_employer=form.one_per_employer,
        by=by,
    )
    try:
        check(request)
    except BadDraw as bad:
        raise ZonghengError("bad_request", str(bad)) from bad
    (index,) = await node.write_entries(
        [Entry(source="draw", serial=f"{form.case}/{number}", draw_requested=request)]
    )
    return DrawAsked(case=form.case, number=number, index=index, eligible=len(eligible(request)))


async def carry_out(node: "Node", caller: Caller, index: int, by: str) -> DrawView:
    """Draw what entry ``index`` asks for; asked again it is the same draw. ``ZonghengError`` where nothing was asked for there, or the
    parent's seed has not come yet."""
    by = caller.signing(by)
    own = node.settings.node
    async with node.store.read() as session:
        head = await session.journal.head(own)
        leaf = await session.journal.leaf(own, index) if head is not None and 0 <= index < head.size else None
        known = (await session.journal.seen("draw", [f"drawn/{index}"])).get(f"drawn/{index}")
    request = None if leaf is None else Entry.FromString(leaf)
    if head is None or request is None or leaf is None or request.WhichOneof("body") != "draw_requested":
        raise ZonghengError("not_found", f"entry {index} requests no draw: see `zongheng draw request`")
    asked = request.draw_requested
    if known is None:
        seed = await _seed(node, index) if node.settings.parent else None
        async with node.store.read() as session:
            reader = session.journal.reader(own, head.size, node.edge(own, head.size))
            root = await reader.root(index + 1)
            proof = await reader.inclusion_proof(index, index + 1)
        note = sign(Checkpoint(node.writer.log_id, index + 1, root), node.signer)
        verifier = node.signer.verifier
        made = ExpertsDrawn(
            request=leaf,
            request_index=index,
            proof=proof,
            checkpoint=note,
            verifier=str(verifier),
            by=by,
        )
        checkpoint, cosignature = open_note(note, [verifier]), b""
        if seed is not None:
            made.seed.CopyFrom(seed)
            cosignature = seeded(seed, index, checkpoint, [Verifier.parse(seed.verifier)])
        made.drawn.extend(draw(asked, checkpoint, cosignature))
        verify(made, [verifier])
        written = await node.write_entries(
            [
                Entry(source="draw", serial=f"drawn/{index}", experts_drawn=made),
                _event(node, asked, index, by),
            ]
        )
        known = written[0]
    async with node.store.read() as session:
        head = await session.journal.head(own)
        drawn_leaf = await session.journal.leaf(own, known)
        assert head is not None
        assert drawn_leaf is not None
        reader = session.journal.reader(own, head.size, node.edge(own, head.size))
        proof = await reader.inclusion_proof(known, head.size)
    told = Entry.FromString(drawn_leaf).experts_drawn
    return DrawView(
        case=asked.case_id,
        number=asked.number,
        request=index,
        index=known,
        drawn=list(told.drawn),
        verifier=head.verifier,
        evidence=Evidence(drawn_leaf, known, tuple(proof), head.note).to_text(),
        seeded_by=told.seed.verifier.partition("+")[0],
        seed_verifier=told.seed.verifier,
    )


async def _seed(node: "Node", index: int) -> ProvenLeaf:
    """The entry with which the parent gave the seed for a request. ``busy`` while it has not come."""
    async with node.store.read() as session:
        at = await session.linkage.seed(index)
        leaf = None if at is None else await session.journal.leaf(node.settings.node, at)
    if leaf is None:
        raise ZonghengError(
            "busy",
            "the parent has not given the seed for this request yet: it comes down once the link has carried the request up",
        )
    received = Entry.FromString(leaf).received
    return ProvenLeaf(
        leaf=received.leaf,
        index=received.index,
        proof=received.proof,
        checkpoint=received.checkpoint,
        verifier=received.verifier,
    )


def _event(node: "Node", asked: DrawRequest, index: int, by: str) -> Entry:
    """The draw as an event of its project, which the rules of trading look for."""
    now = node.now()
    event = CaseEvent(
        case_id=asked.case_id,
        domain=DOMAIN,
        kind=DRAWN,
        at_us=now,
        zone=node.settings.zone,
        received_at_us=now,
        agency=node.settings.node,
        actor=by,
        attributes=[Attribute(name="count", integer=asked.wanted), Attribute(name="draw", integer=index)],
    )
    return Entry(source="draw", serial=f"event/{index}", case_event=event)


def check_draw(path: Path, vkey: str | None, above: str | None = None) -> dict[str, Any]:
    """Check a draw's evidence file with nothing but the file, a key and, of a node with a parent, the parent's key; see `evidence.check_file`
    about keys."""
    words: list[str] = []
    told: dict[str, Any] = {"verified": False, "words": words}
    beside = path.with_name(path.name + KEY_SUFFIX)
    if vkey is None and beside.is_file():
        vkey = beside.read_text(encoding="utf-8").strip()
        words.append(
            f"checked with the key in {beside.name}: compare it with what the node itself publishes ({vkey})"
        )
    if vkey is None:
        words.append("give the journal key with --verifier (`zongheng status --json` of that node has it)")
        return told
    try:
        verifier = Verifier.parse(vkey)
        evidence = Evidence.parse(path.read_text(encoding="utf-8"))
        checkpoint = evidence.verify([verifier])
        entry = Entry.FromString(evidence.leaf)
        if entry.WhichOneof("body") != "experts_drawn":
            raise BadDraw(f"entry {evidence.index} is no draw")
        request = verify(
            entry.experts_drawn, [verifier], [Verifier.parse(above)] if above is not None else ()
        )
    except (OSError, UnicodeDecodeError, DecodeError, EvidenceError, CheckpointError, ValueError) as error:
        words.append(f"NOT PROVEN: {error}")
        return told
    drawn = list(entry.experts_drawn.drawn)
    words += [
        f"request {request.number} of {request.case_id}: {request.wanted} of {len(eligible(request))} who may be drawn,"
        f" {len(request.pool)} in the pool",
        f"entered as entry {entry.experts_drawn.request_index}; {_of_seed(entry.experts_drawn, above)}",
        f"drawn: {', '.join(drawn)}",
        f"proven: {checkpoint.origin} had the draw in its journal at size {checkpoint.size}",
    ]
    return {
        "verified": True,
        "words": words,
        "case": request.case_id,
        "number": request.number,
        "drawn": drawn,
        "eligible": len(eligible(request)),
    }


def _of_seed(drawn: ExpertsDrawn, above: str | None) -> str:
    if not drawn.HasField("seed"):
        return "the head that ends with it is the seed: the node drew without a parent"
    parent = drawn.seed.verifier.partition("+")[0]
    told = f"the cosignature of {parent} under that head, its entry {drawn.seed.index}, is the seed"
    if above is None:
        told += f"; compare its key with what that node itself publishes ({drawn.seed.verifier}), or give it with --parent"
    return told
