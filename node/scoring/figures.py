"""Base figures (基础数据): named counts over the cases of one month, for each subject that is scored. Pure.

A case belongs to its agency, to the officer who completed it (else who acted last), to the window named last, and to the node. A month's
cases are those received or completed in it; ratings count in the month in which they were given.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from zongheng.v1.catalogue_pb2 import Item

from node.store.rows import GATHERED, EventRow, FactsRow
from node.supervision.domains.approval.events import DOMAIN as APPROVAL
from node.supervision.domains.complaint.events import DOMAIN as COMPLAINT
from node.supervision.domains.complaint.events import RATED
from node.wallclock import instant

_BAD_FROM = 4
"""Ratings 4 and 5 of five are bad, 1 is best (国办发〔2019〕51号)."""


class SubjectKind(StrEnum):
    """Who is scored."""

    NODE = "node"
    AGENCY = "agency"
    OFFICER = "officer"
    WINDOW = "window"


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it was folded at the journal size, with whom it belongs to."""

    facts: FactsRow
    officer: str
    window: str
    rated: tuple[tuple[int, int], ...]
    """(instant, 1 best … 5 worst)."""

    def subject(self, kind: SubjectKind, node: str) -> str:
        """Whose it is; empty: nobody's of this kind."""
        match kind:
            case SubjectKind.NODE:
                return node
            case SubjectKind.AGENCY:
                return self.facts.agency
            case SubjectKind.OFFICER:
                return self.officer
            case SubjectKind.WINDOW:
                return self.window and f"{self.facts.agency}/{self.window}"


def cases_of(facts: Iterable[FactsRow], events: Iterable[EventRow]) -> list[Case]:
    """The cases of these facts; ``events`` are theirs, ordered by case and index."""
    by_case: dict[str, list[EventRow]] = defaultdict(list)
    for event in events:
        by_case[event.case_id].append(event)
    return [_case(row, by_case[row.case_id]) for row in facts if row.state != GATHERED]


def _case(row: FactsRow, events: Sequence[EventRow]) -> Case:
    ordered = sorted(events, key=lambda one: (one.at_us, one.idx))
    done = row.completed_at_us
    acting = [one.actor for one in ordered if one.actor and (done is None or one.at_us <= done)]
    windows = [str(one.attributes["window"]) for one in ordered if one.attributes.get("window")]
    rated = tuple(
        (one.at_us, int(one.attributes["score"]))
        for one in ordered
        if (one.domain, one.kind) == (COMPLAINT, RATED) and "score" in one.attributes
    )
    return Case(row, acting[-1] if acting else "", windows[-1] if windows else "", rated)


def figures_of(
    cases: Iterable[Case], items: Mapping[str, Item], from_us: int, to_us: int, zone: tzinfo
) -> dict[str, int]:
    """The base figures of one subject's cases in ``[from_us, to_us)``, without those of alerts."""
    counts: Counter[str] = Counter()
    statutory = shorter = 0
    for case in cases:
        row = case.facts
        received = _within(row.received_at_us, from_us, to_us)
        completed = row.state == "completed" and _within(row.completed_at_us, from_us, to_us)
        counts["received"] += received
        counts["completed"] += completed
        counts["handled"] += received or completed
        for at_us, score in case.rated:
            counts["ratings"] += _within(at_us, from_us, to_us)
            counts["bad_ratings"] += score >= _BAD_FROM and _within(at_us, from_us, to_us)
        if not completed or row.completed_at_us is None:
            continue
        counts["late"] += row.late is True
        counts["on_time"] += row.late is False
        if row.promised_due_us is not None:
            counts["early"] += _day(row.completed_at_us, zone) < _day(row.promised_due_us, zone)
        approval = row.domain == APPROVAL
        counts["incomplete"] += not case.officer or (
            approval and (row.accepted_at_us is None or not row.item)
        )
        item = items.get(row.item)
        if item is not None and _comparable(item):
            statutory += item.statutory.amount
            shorter += item.statutory.amount - item.promised.amount
    counts["promised_cut"] = 100 * shorter // statutory if statutory else 0
    return dict(counts)


def _comparable(item: Item) -> bool:
    """Whether it has both limits, in one unit of day."""
    both = item.HasField("statutory") and item.HasField("promised")
    return both and item.statutory.unit == item.promised.unit


def _within(at_us: int | None, from_us: int, to_us: int) -> bool:
    return at_us is not None and from_us <= at_us < to_us


def _day(at_us: int, zone: tzinfo) -> int:
    return instant(at_us).astimezone(zone).toordinal()


def most_common(names: Iterable[str]) -> str:
    """The name that is there most often, of equals the first by the alphabet; empty: none is."""
    counts = Counter(name for name in names if name)
    return min(counts, key=lambda name: (-counts[name], name), default="")
