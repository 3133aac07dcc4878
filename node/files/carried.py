"""What entries carry beside the supervision: files they name, texts they seal, disclosures. The pure half of `carrying`.

Of a child's journal its own words are read, which the child has signed; of the own journal also what rose to it (``Forwarded``, proven before it
was entered) and what came down (``Received``, likewise). So whatever is read here has its proof in a journal of this node.
"""

from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError
from zongheng.v1.disclosure_pb2 import Disclosure
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.files_pb2 import FileAdded
from zongheng.v1.sealed_pb2 import Sealed

PORTAL: Final = "portal"
"""The reader of a public file."""

KINDS: Final = ("file_added", "sealed", "disclosure")
"""Bodies of entries that carry, and that rise to the one they are for."""


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that an entry names."""

    origin: str
    idx: int
    at_us: int
    file: FileAdded


@dataclass(frozen=True, slots=True)
class SealedText:
    """A sealed text, where its node entered it."""

    origin: str
    idx: int
    at_us: int
    sealed: Sealed
    came_down: bool


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A disclosure, where its node entered it, and where it is in the own journal (-1: it is a child's and has not risen yet)."""

    origin: str
    idx: int
    own_idx: int
    disclosure: Disclosure


@dataclass(slots=True)
class Carried:
    """What a stretch of one journal carries."""

    files: list[NamedFile] = field(default_factory=list)
    sealed: list[SealedText] = field(default_factory=list)
    disclosures: list[Disclosed] = field(default_factory=list)

    def take(self, origin: str, idx: int, entry: Entry, own: bool) -> None:
        """Look at one entry of a journal; ``own``: it is this node's."""
        kind = entry.WhichOneof("body")
        if kind in KINDS:
            self._take(origin, idx, idx if own else -1, entry, came_down=False)
        elif own and kind in ("forwarded", "received"):
            proven = entry.forwarded if kind == "forwarded" else entry.received
            try:
                inner = Entry.FromString(proven.leaf)
            except DecodeError:
                return
            self._take(proven.origin, proven.index, idx, inner, came_down=kind == "received")

    def _take(self, origin: str, idx: int, own_idx: int, entry: Entry, came_down: bool) -> None:
        at_us = entry.noted_at_us
        match entry.WhichOneof("body"):
            case "file_added":
                self.files.append(NamedFile(origin, idx, at_us, entry.file_added))
            case "sealed":
                self.sealed.append(SealedText(origin, idx, at_us, entry.sealed, came_down))
            case "disclosure":
                self.files += [NamedFile(origin, idx, at_us, file) for file in entry.disclosure.files]
                self.disclosures.append(Disclosed(origin, idx, own_idx, entry.disclosure))


def addressee(entry: Entry) -> str:
    """The one node that an entry is for, on its way up; empty: for every tier above, or not for above at all."""
    match entry.WhichOneof("body"):
        case "file_added":
            return "" if entry.file_added.reader == PORTAL else entry.file_added.reader
        case "sealed":
            return entry.sealed.to
        case "linkage_tokens":
            return entry.linkage_tokens.issuer
        case _:
            return ""
