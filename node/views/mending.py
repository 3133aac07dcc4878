"""Journals that disagree, for the people who decide: what is in quarantine and why, what was decided, the seal taken off by hand."""

from typing import TYPE_CHECKING, Any, Literal

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from pydantic import BaseModel, ConfigDict
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.mending.quarantine import instruction
from node.store.forks import CLOSED, UNKNOWN, Fork
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node


class QuarantineView(BaseModel):
    node: str
    n: int
    """Which fork of that node's journal it is, from 1."""
    state: str
    """open, refused, mending; mended and replaced are over."""
    found_at: str | None
    reason: str
    held: str
    """The node's signed head as it is held here."""
    shown: str
    """The signed head that contradicts it."""
    common_size: int | None
    """The last size at which both histories are the same; null: not known yet."""
    kept_apart: int
    """Entries of the other branch that are kept apart."""
    decided_by: str
    why: str
    instruction: str
    """What to do; empty when it is over."""


class BranchEntry(BaseModel):
    index: int
    entry: dict[str, Any] | None
    """Its content; null where this version cannot read it."""


class QuarantineDetail(QuarantineView):
    differs_held: BranchEntry | None
    """The first entry that differs, as it is held."""
    differs_shown: BranchEntry | None
    """The first entry that differs, as it was shown."""
    branch: list[BranchEntry]
    """Entries kept apart, the first of them."""


class Decision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    decision: Literal["refuse", "mend", "accept"]
    by: str
    reason: str


class Unsealing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str
    reason: str


class Unsealed(BaseModel):
    journal_size: int


async def quarantines(node: "Node") -> list[QuarantineView]:
    """Every fork of a child's journal that was found here, those that are over included."""
    async with node.store.read() as session:
        return [QuarantineView(**_fields(node, fork)) for fork in await session.forks.all()]


async def quarantine(node: "Node", child: str, limit: int) -> QuarantineDetail:
    """The newest fork of one child's journal; `ZonghengError` ``not_found`` when it has none."""
    async with node.store.read() as session:
        fork = await session.forks.newest(child)
        if fork is None:
            raise ZonghengError("not_found", f"{child} is in no quarantine here, and never was")
        branch = await session.forks.kept_apart(child, fork.n, 0, limit)
        held = None if fork.common == UNKNOWN else await session.journal.leaf(child, fork.common)
    first = branch[0] if branch and branch[0][0] == fork.common else None
    return QuarantineDetail(
        **_fields(node, fork),
        differs_held=None if held is None else _entry(fork.common, held),
        differs_shown=None if first is None else _entry(*first),
        branch=[_entry(index, leaf) for index, leaf in branch],
    )


async def decide(node: "Node", child: str, decision: Decision) -> QuarantineView:
    """Decide about a child in quarantine; it hears of it at once, or when it connects."""
    decided = await node.quarantine.decide(child, decision.decision, decision.by, decision.reason)
    node.listener.release(child)
    return QuarantineView(**_fields(node, decided))


async def unseal(node: "Node", opening: Unsealing) -> Unsealed:
    """Open the sealed journal of a node that has no parent to ask."""
    size = await node.seal.open_by_hand(opening.by, opening.reason, node.settings.parent is not None)
    node.journal_opened()
    return Unsealed(journal_size=size)


def _fields(node: "Node", fork: Fork) -> dict[str, Any]:
    return {
        "node": fork.origin,
        "n": fork.n,
        "state": fork.state,
        "found_at": time_text(fork.found_at_us, node.settings.zone),
        "reason": fork.reason,
        "held": fork.held,
        "shown": fork.shown,
        "common_size": None if fork.common == UNKNOWN else fork.common,
        "kept_apart": fork.kept,
        "decided_by": fork.decided_by,
        "why": fork.why,
        "instruction": "" if fork.state in CLOSED else instruction(fork, fork.origin),
    }


def _entry(index: int, leaf: bytes) -> BranchEntry:
    try:
        shown = MessageToDict(Entry.FromString(leaf), preserving_proto_field_name=True)
    except DecodeError:
        shown = None
    return BranchEntry(index=index, entry=shown)
