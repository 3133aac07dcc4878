"""What is published for those below and what is received from above, as pieces of a journal's catalogue.

A policy, an item, a calendar or a library may be addressed to a node below, or to everybody below. In the sender's journal such an entry
lies with its address, in the receiver's as a receipt. Both become pieces of kind ``<kind>@above`` where they apply to the journal's own
node, and of kind ``<kind>@down`` where they went on from here; their code says whose they are. What a node goes by is so read from its own
journal alone, and a parent that judges the journal again comes to the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from google.protobuf.message import DecodeError
from zongheng.v1.entry_pb2 import Entry

ABOVE: Final = "@above"
DOWN: Final = "@down"

SHEET: Final = "sheet"
"""Score sheets: what they change is no case's facts."""

POST: Final = "post"
"""Responsible posts: who held one changes no case's facts."""

BESIDE_FACTS: Final = frozenset({SHEET, POST})
"""Kinds of pieces that no case is judged by."""

KINDS: Final[dict[str, str]] = {
    "policy_published": "policy",
    "item_published": "item",
    "calendar_changed": "calendar",
    "library_published": "library",
    "rule_published": "rule",
    "score_sheet_published": SHEET,
}
"""What is distributed, by the entry's body."""


@dataclass(slots=True)
class CataloguePiece:
    """One version of something published: an item, an agency, a calendar change, a policy, the genesis; or an import's end."""

    kind: str
    code: str
    version: int
    idx: int
    body: bytes


class Line(NamedTuple):
    """Whose piece it is, and to whom it was addressed."""

    steps_up: int
    """How many tiers above the journal's node the sender is; 0: the node itself."""
    sender: str
    node: str
    subtree: bool
    at: int
    """Index in the sender's journal, of a calendar's change; else -1."""
    code: str
    """The item's code, the library's or the rule's; empty for a policy or a calendar."""

    def __str__(self) -> str:
        """The piece's code in the catalogue. Pieces with the same version of the same thing replace each other; changes of a calendar do not."""
        at = "" if self.at < 0 else str(self.at)
        return "/".join((str(self.steps_up), self.sender, self.node, str(int(self.subtree)), at, self.code))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Inverse of `str`."""
        steps, sender, node, subtree, at, code = text.split("/", 5)
        return cls(int(steps), sender, node, subtree == "1", int(at or -1), code)


def pieces(origin: str, idx: int, entry: Entry) -> list[CataloguePiece] | None:
    """The pieces of an entry that is addressed or received; None: it is neither, or of no kind that is distributed."""
    if entry.HasField("received"):
        received = entry.received
        try:
            inner = Entry.FromString(received.leaf)
        except DecodeError:
            return None
        if KINDS.get(inner.WhichOneof("body") or "") is None:
            return None
        if not received.here:
            return []
        return [_piece(ABOVE, received.steps_up, received.origin, received.index, idx, inner)]
    if not entry.HasField("address") or KINDS.get(entry.WhichOneof("body") or "") is None:
        return None
    sent = [_piece(DOWN, 0, origin, idx, idx, entry)]
    # What is for the node's whole subtree is for the node too.
    return [*sent, _piece(ABOVE, 0, origin, idx, idx, entry)] if entry.address.node == origin else sent


def _piece(side: str, steps_up: int, sender: str, index: int, idx: int, entry: Entry) -> CataloguePiece:
    name = entry.WhichOneof("body") or ""
    kind, body = KINDS[name], getattr(entry, name)
    code = str(getattr(body, "code", "") or getattr(body, "name", "")) if kind != "policy" else ""
    line = Line(
        steps_up,
        sender,
        entry.address.node,
        entry.address.subtree,
        index if kind == "calendar" else -1,
        code,
    )
    return CataloguePiece(
        kind + side, str(line), int(getattr(body, "version", 0)), idx, body.SerializeToString()
    )


def newest(found: Iterable[CataloguePiece]) -> dict[tuple[str, str, str, bool, str], CataloguePiece]:
    """Of each kind, sender, address and code the piece entered last."""
    last: dict[tuple[str, str, str, bool, str], CataloguePiece] = {}
    for piece in sorted(found, key=lambda piece: piece.idx):
        line = Line.parse(piece.code)
        last[piece.kind, line.sender, line.node, line.subtree, line.code] = piece
    return last
