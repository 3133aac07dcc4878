"""What a node's journal holds, in few words, so that a parent asks nobody who has no answer.

Every node sums up its own journal in a `Holding`, which rises with its card to every ancestor. It errs to one side only: what was once in
the journal stays named (an alert that was corrected can still be asked for), and a list that grew too long says nothing. So a holding that
rules a question out rules it out for good, for as many entries as it covers. Whether those are all the entries there are is for `current` to
say; a node that wrote since, or was not heard of, is asked.

The word of a node about its holding is worth as much as an empty answer of its own: neither proves that there is nothing. Where a verdict is to
rest on the answer, nobody is left out (`Question.verdict`).
"""

from collections.abc import Iterable
from typing import Final

from zongheng.v1.holding_pb2 import HeldRule, Holding
from zongheng.v1.query_pb2 import AnswerPart, Question
from zongheng.v1.tree_pb2 import NodeCard

MOST: Final = 64
"""Names in a list; one that would hold more holds none and says so."""

MAX_BYTES: Final = 64 * 1024
"""Largest holding that is kept of another node."""

CURRENT_US: Final = 150_000_000
"""How old a head may be for its node to count as heard of: heads are signed once a minute though nothing happened."""

_LISTS: Final = ("agencies", "items", "lines", "case_origins", "domains")


class Holdings:
    """Sums up a journal as it grows."""

    def __init__(self, known: Holding | None = None) -> None:
        """Go on from `known`, which covers what was read so far."""
        self._said = Holding()
        if known is not None:
            self._said.CopyFrom(known)
        self._full = set(self._said.full)
        self._names = {name: set[str](getattr(self._said, name)) for name in _LISTS}
        self._rules = {(row.rule, row.level): row.alerts for row in self._said.rules}

    @classmethod
    def unknown(cls) -> "Holdings":
        """Of a journal that was begun before anybody summed it up: it rules nothing out."""
        return cls(Holding(full=[*_LISTS, "rules", "events"]))

    def add_event(self, case_id: str, domain: str, agency: str, item: str, at_us: int) -> None:
        """An event of a case."""
        said = self._said
        said.events_from_us = min(said.events_from_us, at_us) if said.events else at_us
        said.events_to_us = max(said.events_to_us, at_us) if said.events else at_us
        said.events += 1
        self._name(case_id, domain, agency, item)

    def add_alert(
        self, case_id: str, domain: str, agency: str, item: str, rule: str, level: int, since_us: int
    ) -> None:
        """An alert that was raised."""
        said = self._said
        first = not self._rules
        said.alerts_from_us = since_us if first else min(said.alerts_from_us, since_us)
        said.alerts_to_us = since_us if first else max(said.alerts_to_us, since_us)
        self._name(case_id, domain, agency, item)
        if "rules" not in self._full:
            self._rules[rule, level] = self._rules.get((rule, level), 0) + 1
            if len(self._rules) > MOST:
                self._full.add("rules")

    def add_line(self, line: str) -> None:
        """A line that an agency was published with."""
        if line:
            self._add("lines", line)

    def at(self, journal_size: int) -> Holding:
        """The summary of the first `journal_size` entries, all of which were added."""
        said = self._said
        said.journal_size = journal_size
        for name, names in self._names.items():
            del getattr(said, name)[:]
            getattr(said, name).extend(sorted(names))
        del said.rules[:]
        if "rules" not in self._full:
            said.rules.extend(
                HeldRule(rule=rule, level=level, alerts=alerts)
                for (rule, level), alerts in sorted(self._rules.items())
            )
        del said.full[:]
        said.full.extend(sorted(self._full))
        whole = Holding()
        whole.CopyFrom(said)
        return whole

    def _name(self, case_id: str, domain: str, agency: str, item: str) -> None:
        self._add("case_origins", case_origin(case_id))
        self._add("domains", domain)
        self._add("agencies", agency)
        self._add("items", item)

    def _add(self, list_name: str, value: str) -> None:
        names = self._names[list_name]
        if value in names or list_name in self._full:
            return
        names.add(value)
        if len(names) > MOST:
            names.clear()
            self._full.add(list_name)


def case_origin(case_id: str) -> str:
    """What stands for a case's number in a holding."""
    return case_id.partition("-")[0]


def rules_out(holding: Holding, question: Question) -> bool:
    """Whether nothing in the journal that this sums up can answer the question."""
    full = set(holding.full)

    def lacks(list_name: str, value: str) -> bool:
        return bool(value) and list_name not in full and value not in getattr(holding, list_name)

    match question.WhichOneof("kind"):
        case "alerts":
            wanted = question.alerts
            if "rules" not in full:
                rows = _of(holding.rules, wanted.rule, wanted.level)
                if not rows or _outside(
                    wanted.from_us, wanted.to_us, holding.alerts_from_us, holding.alerts_to_us
                ):
                    return True
            return (
                lacks("agencies", wanted.agency)
                or lacks("domains", wanted.domain)
                or lacks("lines", wanted.line)
                or lacks("case_origins", case_origin(wanted.case_id))
            )
        case "cases":
            asked = question.cases
            return (
                _no_event(holding, full, asked.from_us, asked.to_us)
                or lacks("agencies", asked.agency)
                or lacks("items", asked.item)
                or lacks("lines", asked.line)
            )
        case "trail":
            return lacks("case_origins", case_origin(question.trail.case_id))
        case "rerun":
            return _no_event(holding, full, question.rerun.from_us, question.rerun.to_us)
        case _:
            return False


def current(card: NodeCard, now_us: int, held_size: int = 0) -> bool:
    """Whether a card's holding covers all that its node is known to have written, and its node was heard of lately.

    `held_size` is what is held here of its journal. Times are microseconds; a node whose clock is far from ours is not current.
    """
    if not card.HasField("holding") or abs(now_us - card.checkpoint_at_us) > CURRENT_US:
        return False
    size = card.holding.journal_size
    return size > 0 and size == _size_of(card.checkpoint) and size >= held_size


def stand_in(card: NodeCard) -> AnswerPart:
    """The part that counts for a node that need not be asked."""
    return AnswerPart(
        node=card.node,
        journal_size=card.holding.journal_size,
        checkpoint=card.checkpoint,
        verifier=card.verifier,
        checkpoint_at_us=card.checkpoint_at_us,
        held_size=card.holding.journal_size,
        hinted=True,
    )


def _of(rules: Iterable[HeldRule], rule: str, level: int) -> bool:
    return any((not rule or row.rule == rule) and (not level or row.level == level) for row in rules)


def _no_event(holding: Holding, full: set[str], from_us: int, to_us: int) -> bool:
    if "events" in full:
        return False
    return not holding.events or _outside(from_us, to_us, holding.events_from_us, holding.events_to_us)


def _outside(from_us: int, to_us: int, first_us: int, last_us: int) -> bool:
    return bool((from_us and last_us < from_us) or (to_us and first_us >= to_us))


def _size_of(checkpoint: str) -> int:
    """The tree size that a checkpoint note names in its second line; 0: none."""
    lines = checkpoint.split("\n", 2)
    return int(lines[1]) if len(lines) > 2 and lines[1].isdecimal() else 0
