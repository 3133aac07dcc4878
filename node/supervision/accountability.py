"""Holding somebody to account (责任追究): which step may follow which. Pure.

What an alert began is decided, served as a document, may be appealed, and is made known. Whoever is held to account has thirty days from the
document to ask for a review (公务员法 §95); who decided does not decide the review (choice).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from node.supervision.alert import MoveRefused

APPEAL_DAYS: Final = 30
"""Natural days after the document (公务员法 §95)."""

_DAY_US: Final = 86_400_000_000


class Kind(StrEnum):
    """A step."""

    OPENED = "opened"
    DECIDED = "decided"
    DOCUMENT = "document"
    APPEALED = "appealed"
    APPEAL_DECIDED = "appeal_decided"
    CIRCULATED = "circulated"
    CLOSED = "closed"


FOLLOWS: Final = {
    Kind.OPENED: frozenset({Kind.DECIDED, Kind.CLOSED}),
    Kind.DECIDED: frozenset({Kind.DOCUMENT}),
    Kind.DOCUMENT: frozenset({Kind.APPEALED, Kind.CIRCULATED, Kind.CLOSED}),
    Kind.APPEALED: frozenset({Kind.APPEAL_DECIDED}),
    Kind.APPEAL_DECIDED: frozenset({Kind.CIRCULATED, Kind.CLOSED}),
    Kind.CIRCULATED: frozenset({Kind.CLOSED}),
    Kind.CLOSED: frozenset(),
}

MEASURED: Final = frozenset({Kind.DECIDED, Kind.APPEAL_DECIDED})
"""Steps that say a measure."""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken."""

    kind: Kind
    at_us: int
    by: str


def check(
    done: Sequence[Done], kind: Kind, *, by: str, measure: str, document: str, reason: str, now_us: int
) -> None:
    """Raise `MoveRefused`, saying why, unless this step may follow. ``done`` begins with the opening."""
    last = done[-1]
    if kind not in FOLLOWS[last.kind]:
        then = ", ".join(sorted(FOLLOWS[last.kind])) or "nothing"
        raise MoveRefused(f"after {last.kind} comes {then}, not {kind}")
    if not by.strip():
        raise MoveRefused("say who takes this step: a staff number")
    if kind in MEASURED and not measure.strip():
        raise MoveRefused(f"{kind} says a measure")
    if kind is Kind.DOCUMENT and not document.strip():
        raise MoveRefused("give the document's number")
    if kind in {*MEASURED, Kind.APPEALED, Kind.CLOSED} and not reason.strip():
        raise MoveRefused(f"{kind} needs a reason")
    if kind is Kind.APPEALED and now_us >= last.at_us + APPEAL_DAYS * _DAY_US:
        raise MoveRefused(f"a review is asked for within {APPEAL_DAYS} days of the document")
    decided = {one.by for one in done if one.kind is Kind.DECIDED}
    if kind is Kind.APPEAL_DECIDED and by in decided:
        raise MoveRefused("who decided does not decide the review")
