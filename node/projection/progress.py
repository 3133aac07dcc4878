"""How far one node's projections have come: what their stages and whoever waits for them share.

Only a cut-off rebuild is on disk (a mark beside the cursors): until every alert row is back nothing may be raised, for the guard against raising
twice is among them. The rest is found out again after a start.
"""

from dataclasses import dataclass
from typing import Final

READ_CHUNK: Final = 5_000
FOLD_CASES: Final = 10_000
FOLD_AFTER: Final = 100_000
WAKE_CASES: Final = 10_000
WAKES_A_PASS: Final = 5
RUSH: Final = 2_000

REBUILDING: Final = "projection.rebuilding"
"""Beside the link state: a rebuild began and is not over."""


@dataclass(slots=True)
class Pace:
    """How much is done at a time. All of these bound memory, or how long somebody else waits; none changes what comes out."""

    read_chunk: int = READ_CHUNK
    """Leaves read in one transaction; nothing else runs while they are parsed."""
    fold_cases: int = FOLD_CASES
    """Cases folded at once: bounds memory on a bulk import."""
    fold_after: int = FOLD_AFTER
    """Cases that are waiting when the fold begins though there is more to read."""
    wake_cases: int = WAKE_CASES
    """Cases woken at once."""
    wakes_a_pass: int = WAKES_A_PASS
    """How often cases are woken before new entries and the day's figures have their turn again."""
    rush: int = RUSH
    """Entries that have to be waiting for the projector before it gives way to intake."""


@dataclass(slots=True)
class Progress:
    """Where the projections of one node stand."""

    rebuilding: bool = False
    """Alert rows are not all back yet: what they say of an alert's state may be old."""
    caught_up: bool = False
    """Everything of the own journal that was there when the pass began is read."""
    read_to: int = 0
    """How far the own journal is read."""
    parked: int = 0
    """Entries that this version cannot read."""
