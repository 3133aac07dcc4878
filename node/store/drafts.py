"""What is handed to the writer of the own journal, and what it answers: see `node.store.writer`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from zongheng.v1.entry_pb2 import Entry

from node.store.rows import AlertRecord
from node.store.store import Session

Beside = Callable[[Session], Awaitable[None]]
"""Writes that belong to an append, in its own transaction. May be called again when the transaction has to be repeated."""


class Move(NamedTuple):
    """An alert's new state, written with the entry that says so."""

    alert_id: str
    state: int
    """AlertState number."""


class Draft(NamedTuple):
    """An entry to be appended: the exact leaf bytes, and what guards it."""

    leaf: bytes
    source: str = ""
    """With ``serial``: appended once only. Both empty: the node's own word, always appended."""
    serial: str = ""
    alert: AlertRecord | None = None
    """The entry raises this alert (its ``idx`` is filled in); not appended when the alert is there already."""
    move: Move | None = None
    addressed: Entry | None = None
    """The entry itself, where it is for somebody below or the receipt of one that is: it is numbered as it is written."""

    @classmethod
    def of(cls, entry: Entry, *, alert: AlertRecord | None = None, move: Move | None = None) -> Self:
        """A draft of an entry that is complete, ``noted_at_us`` included."""
        addressed = entry if entry.HasField("address") or entry.HasField("received") else None
        return cls(entry.SerializeToString(), entry.source, entry.serial, alert, move, addressed)


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of an append; position i speaks of draft i."""

    size: int
    """Journal size after it."""
    indexes: Sequence[int]
    """Index of each entry; of one that was there already, the index it has."""
    repeated: Mapping[int, int] = field(default_factory=dict)
    """Positions that were not written because they were there already, with the index of what is there."""
