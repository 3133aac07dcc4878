"""A mapping applied to one file: records in, submissions and refusals out.

Made once for a file, when its columns are known; whatever can be wrong with a mapping (a kind or attribute that the
domain does not know, a column that is not there) is found then, before a record is read. One record can give several
events, or none; each row gives its answer alone, and a row that cannot be read never stops the next one.
"""

import re
from collections.abc import Mapping
from typing import Any

from node.intake.mapping import BadMapping, Rule
from node.intake.mapping import Mapping as MappingFile
from node.intake.readers.record import Record, Unreadable
from node.intake.rules import Make, Outcome, ReadyRule, Refusal, RuleMaker, Test, Text
from node.intake.values import Columns, Unfit
from node.intake.vocabulary import UnknownDomain, vocabulary


class Translation:
    """One mapping, made ready for one file.

    It remembers for which cases a rule per case has made its event, so it translates one pass over a file, in order.
    """

    def __init__(
        self,
        mapping: MappingFile,
        columns: tuple[str, ...] | None,
        file_name: str,
        *,
        xes: bool = False,
        zone: str | None = None,
    ) -> None:
        """
        :param columns: the file's columns in order; None where values are looked up by name.
        :param xes: the file is an event log, with attributes of the case and default names.
        :param zone: zone of times that carry none, where the mapping names none either: the node's own.
        :raises BadMapping: for whatever in the mapping does not fit the domain or the columns.
        """
        try:
            words = vocabulary(mapping.domain)
        except UnknownDomain as error:
            raise BadMapping(f"domain: {error}") from error
        self._columns = Columns(columns, mapping.read.empty, file_name, xes)
        maker = RuleMaker(mapping, words, self._columns, mapping.zone or zone)
        self._case_id = maker.text(mapping.case.id, "case.id", every=True)
        prefix = mapping.case.prefix
        self._prefix = None if prefix is None else maker.text(prefix, "case.prefix", every=True)
        self._separator = mapping.case.separator
        self._when = maker.conditions(mapping.case.when, "case.when")
        self._classified = maker.conditions(mapping.case.classified, "case.classified")
        self._per_case: list[ReadyRule] = []
        self._per_row: list[ReadyRule] = []
        chosen: list[tuple[Rule, Test | None, Make | None]] = []
        for number, rule in enumerate(mapping.events, 1):
            key = f"events[{number}]"
            if rule.ignore:
                chosen.append((rule, maker.conditions(rule.when, f"{key}.when"), None))
                continue
            ready = maker.rule(rule, key)
            if rule.chooses:
                chosen.append((rule, ready.applies, ready.make))
            else:
                (self._per_case if rule.per == "case" else self._per_row).append(ready)
        if mapping.event.kind is not None:
            self._per_row.append(maker.by_kind(mapping.event.kind))
        looks = any(rule.chooses for rule, _, _ in chosen)
        self._choice = _Choice(chosen, maker.activity() if looks else None) if chosen else None
        self._reads_rows = self._choice is not None or bool(self._per_row)
        # An event in a trace is not where the trace's own rules look.
        self._case_in_row = not xes
        self._opened: set[int] = set()

    @property
    def asked(self) -> Mapping[str, str]:
        """Columns that the mapping cannot do without, with the key that names each."""
        return self._columns.asked

    def outcomes(self, record: Record | Unreadable) -> list[Outcome]:
        """What one record gives; empty: nothing, because the mapping says so."""
        if isinstance(record, Unreadable):
            return [Refusal(record.row, "too_large" if record.too_large else "unreadable", record.reason)]
        case, cells, row = record.case, record.cells, record.row
        try:
            if self._when is not None and not self._when(case, cells):
                return []
            if self._classified is not None and self._classified(case, cells):
                return [Refusal(row, "classified", "its source marks it as a state secret (涉密)")]
            case_id = self._case_id(case, cells)
            if not case_id:
                return [Refusal(row, "unattributable", "it names no case")]
            if self._prefix is not None:
                before = self._prefix(case, cells)
                if not before:
                    return [
                        Refusal(row, "unattributable", "it names no case: what goes before its id is empty")
                    ]
                case_id = before + self._separator + case_id
            found: list[Outcome] = []
            if self._reads_rows and not record.opens_case:
                self._of_row(row, case_id, case, cells, found)
            if self._per_case and (self._case_in_row or record.opens_case):
                self._of_case(row, case_id, case, cells, found)
            return found
        except Unfit as error:
            return [Refusal(row, "unreadable", str(error), error.shown)]

    def _of_row(self, row: int, case_id: str, case: Any, cells: Any, found: list[Outcome]) -> None:
        if self._choice is not None:
            try:
                ignored, make = self._choice.of(case, cells)
            except _NoRule as error:
                found.append(Refusal(row, "unknown_kind", str(error), error.shown))
                make = None
            else:
                if ignored:
                    return
            if make is not None:
                event = make(row, case_id, case, cells)
                found.append(event or Refusal(row, "unattributable", "its time is empty"))
        applied = False
        for rule in self._per_row:
            if rule.applies is None or rule.applies(case, cells):
                applied = True
                event = rule.make(row, case_id, case, cells)
                if event is not None:
                    found.append(event)
        if not found:
            if applied:
                found.append(Refusal(row, "unattributable", "none of its times is filled in"))
            else:
                found.append(Refusal(row, "unknown_kind", "no rule of the mapping applies to it"))

    def _of_case(self, row: int, case_id: str, case: Any, cells: Any, found: list[Outcome]) -> None:
        for number, rule in enumerate(self._per_case):
            mark = hash((number, case_id))
            if mark in self._opened or (rule.applies is not None and not rule.applies(case, cells)):
                continue
            event = rule.make(row, case_id, case, cells)
            if event is not None:
                self._opened.add(mark)
                found.append(event)


class _NoRule(Unfit):
    """No rule fits the activity."""


class _Choice:
    """The rules that look at the activity, in order; the first that fits is taken."""

    def __init__(self, rules: list[tuple[Rule, Test | None, Make | None]], activity: Text | None) -> None:
        self._rules, self._activity = rules, activity
        self._known: dict[str, list[tuple[Test | None, Make | None]]] = {}

    def of(self, case: Any, cells: Any) -> tuple[bool, Make | None]:
        """Whether the record is to be ignored, and what makes its event, if a rule here does.

        :raises _NoRule: when no rule fits.
        """
        activity = "" if self._activity is None else self._activity(case, cells)
        candidates = self._known.get(activity)
        if candidates is None:
            candidates = [(when, make) for rule, when, make in self._rules if _fits(rule, activity)]
            if len(self._known) < 10_000:
                self._known[activity] = candidates
        for when, make in candidates:
            if when is None or when(case, cells):
                return make is None, make
        if self._activity is None:
            return False, None
        raise _NoRule(
            "no rule of the mapping fits its activity" if activity else "it names no activity", activity
        )


def _fits(rule: Rule, activity: str) -> bool:
    if rule.is_:
        return activity in rule.is_
    if rule.matches is not None:
        return re.search(rule.matches, activity) is not None
    return True
