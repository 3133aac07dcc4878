"""One rule of a mapping, made ready: a function that makes one event out of one record.

The vocabulary decides how an attribute is read; what is the same for every record is made once.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.intake_pb2 import Person, Submission

from node.intake import values
from node.intake.attributes import filled
from node.intake.identity import counts_for_identity, derived_serial
from node.intake.mapping import Applicant, BadMapping, Condition, Rule, Value
from node.intake.mapping import Mapping as MappingFile
from node.intake.times import Reading
from node.intake.values import Columns, Unfit
from node.intake.vocabulary import Sense, Vocabulary

Text: TypeAlias = Callable[[Any, Any], str]
Test: TypeAlias = Callable[[Any, Any], bool]
Timed: TypeAlias = Callable[[Any, Any], Reading | None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row, or one event of a row, that cannot be handed in."""

    row: int
    code: str
    """A code of ``federation.errors``: unreadable, unattributable, unknown_kind, too_large, duplicate, future."""
    reason: str
    """In words, without anything that the row says: it is journalled."""
    shown: str = ""
    """What the row says, shortened, for the report on this machine; never journalled."""


Outcome: TypeAlias = Submission | Refusal
Make: TypeAlias = Callable[[int, str, Any, Any], Outcome | None]
"""(row, case id, attributes of the case, cells) → the event; None: its time is empty, so it did not happen."""


@dataclass(frozen=True, slots=True)
class ReadyRule:
    """When a rule applies and what it makes."""

    applies: Test | None
    """None: always."""
    make: Make


@dataclass(frozen=True, slots=True)
class _Parts:
    """What an event is made of besides its attributes."""

    time: Timed
    received: Timed | None
    agency: Text
    actor: Text | None
    item: Text | None
    step: Text | None
    serial: Text | None
    suffix: str
    applicant: Callable[[Any, Any], Person | None] | None


class RuleMaker:
    """Makes the rules of one mapping ready for one file. All methods raise BadMapping for what does not fit."""

    def __init__(self, mapping: MappingFile, words: Vocabulary, columns: Columns, zone: str | None) -> None:
        self._mapping, self._words, self._columns, self._zone = mapping, words, columns, zone
        self._check_shared()

    def _check_shared(self) -> None:
        kinds = [rule.kind for rule in self._mapping.events if rule.kind] or list(self._words.kinds)
        for name in self._mapping.event.attributes:
            if not any(self._known(kind, name) for kind in kinds if kind in self._words.kinds):
                raise BadMapping(
                    f"event.attributes.{name}: no kind of event in this mapping has such an attribute"
                )

    def _known(self, kind: str, name: str) -> bool:
        return name in self._words.kinds[kind] or self._words.due_pair(kind, name)

    def text(self, value: Value, key: str, *, every: bool = False) -> Text:
        """A value as text."""
        return values.as_text(self._raw(value, key, every=every))

    def _raw(self, value: Value, key: str, *, every: bool = False) -> values.Raw:
        return values.raw(value, key, self._columns, self._mapping.maps, every=every)

    def conditions(self, conditions: Mapping[str, Condition], key: str) -> Test | None:
        """All of the conditions together; None where there are none."""
        tests = [self._condition(column, one, f"{key}.{column}") for column, one in conditions.items()]
        if len(tests) == 1:
            return tests[0]
        return (lambda case, cells: all(test(case, cells) for test in tests)) if tests else None

    def _condition(self, column: str, condition: Condition, key: str) -> Test:
        get = self.text(Value(column=(column,)), key)
        wanted = None if condition.is_ is None else {values.text_of(one) for one in condition.is_}
        unwanted = frozenset() if condition.not_ is None else {values.text_of(one) for one in condition.not_}
        search = None if condition.matches is None else re.compile(condition.matches).search

        def test(case: Any, cells: Any) -> bool:
            found = get(case, cells)
            return (
                (wanted is None or found in wanted)
                and found not in unwanted
                and (search is None or search(found) is not None)
                and (condition.empty is None or condition.empty == (not found))
            )

        return test

    def rule(self, rule: Rule, key: str) -> ReadyRule:
        """One of ``[[events]]`` that makes events."""
        if rule.kind not in self._words.kinds:
            raise BadMapping(
                f"{key}.kind: {self._words.domain} has no kind {rule.kind!r}; it has: {', '.join(self._words.kinds)}"
            )
        event = self._mapping.event
        of_case = rule.per == "case"
        for name in rule.attributes:
            if not self._known(rule.kind, name):
                there = ", ".join(self._words.kinds[rule.kind]) or "none"
                raise BadMapping(
                    f"{key}.attributes.{name}: {rule.kind} has no such attribute; it has: {there}"
                )
        shared = {name: value for name, value in event.attributes.items() if self._known(rule.kind, name)}
        time, time_key = (
            (rule.time, f"{key}.time") if rule.time else (None if of_case else self._time(), "event.time")
        )
        if time is None:
            raise BadMapping(
                f"{key}.time: say which {'attribute of the case' if of_case else 'column'} holds the time"
            )
        agency = rule.agency or event.agency
        if agency is None:
            raise BadMapping(
                f'{key}.agency: say which agency acted, here or under [event]; agency = "=code" for one'
            )

        def text(own: Value | None, shared: Value | None, name: str) -> Text | None:
            value = own or (None if of_case else shared)
            return (
                None
                if value is None
                else self.text(value, f"{key if own else 'event'}.{name}", every=name == "serial")
            )

        received = rule.received or (None if of_case else event.received)
        parts = _Parts(
            time=self._timed(time, time_key),
            received=None if received is None else self._timed(received, f"{key}.received"),
            agency=self.text(agency, f"{key}.agency"),
            actor=text(rule.actor, event.actor, "actor"),
            item=self._inherited(rule.item or event.item, f"{key}.item"),
            step=text(rule.step, event.step, "step"),
            serial=text(rule.serial, event.serial, "serial"),
            # One row may make several events; a rule that chooses by activity is the only one that does.
            suffix="" if rule.serial or rule.chooses else f":{rule.label}",
            applicant=self._person(rule.applicant or event.applicant, f"{key}.applicant"),
        )
        make = self._make(rule.kind, parts, shared | rule.attributes, f"{key}.attributes", rule.label)
        return ReadyRule(self.conditions(rule.when, f"{key}.when"), make)

    def by_kind(self, kind: Value) -> ReadyRule:
        """``[event] kind``: each row says its own kind in the domain's words."""
        event = self._mapping.event
        get = self.text(kind, "event.kind")
        time = self._time()
        if time is None:
            raise BadMapping("event.time: say which column holds the time")
        if event.agency is None:
            raise BadMapping('event.agency: say which agency acted; agency = "=code" for one')

        def text(value: Value | None, name: str) -> Text | None:
            return None if value is None else self.text(value, f"event.{name}", every=name == "serial")

        parts = _Parts(
            time=self._timed(time, "event.time"),
            received=None if event.received is None else self._timed(event.received, "event.received"),
            agency=self.text(event.agency, "event.agency"),
            actor=text(event.actor, "actor"),
            item=text(event.item, "item"),
            step=text(event.step, "step"),
            serial=text(event.serial, "serial"),
            suffix="",
            applicant=self._person(event.applicant, "event.applicant"),
        )
        makers = {}
        for name in self._words.kinds:
            known = {key: value for key, value in event.attributes.items() if self._known(name, key)}
            makers[name] = self._make(name, parts, known, "event.attributes", name)

        def make(row: int, case_id: str, case: Any, cells: Any) -> Outcome | None:
            found = get(case, cells)
            maker = makers.get(found)
            if maker is None:
                return Refusal(
                    row,
                    "unknown_kind",
                    "its kind is none of the domain's" if found else "it names no kind",
                    found[:80],
                )
            return maker(row, case_id, case, cells) or Refusal(row, "unattributable", "its time is empty")

        return ReadyRule(None, make)

    def activity(self) -> Text:
        """The activity's name, for rules that look at it."""
        value = self._mapping.event.activity or (
            Value(column=("concept:name",)) if self._columns.xes else None
        )
        if value is None:
            raise BadMapping("event.activity: say which column names the activity")
        return self.text(value, "event.activity")

    def _time(self) -> Value | None:
        return self._mapping.event.time or (Value(column=("time:timestamp",)) if self._columns.xes else None)

    def _timed(self, value: Value, key: str) -> Timed:
        return values.as_time(self._raw(value, key), value, self._zone, key.rpartition(".")[2])

    def _inherited(self, value: Value | None, key: str) -> Text | None:
        return None if value is None else self.text(value, key)

    def _person(self, applicant: Applicant | None, key: str) -> Callable[[Any, Any], Person | None] | None:
        if applicant is None:
            return None
        blank = Value(constant="")
        name = self.text(applicant.name or blank, f"{key}.name")
        number = self.text(applicant.id_number or blank, f"{key}.id_number")

        def person(case: Any, cells: Any) -> Person | None:
            called, numbered = name(case, cells), number(case, cells)
            return Person(name=called, id_number=numbered) if called or numbered else None

        return person

    def _make(self, kind: str, parts: _Parts, attributes: Mapping[str, Value], key: str, label: str) -> Make:
        domain, zone = self._words.domain, self._zone or ""
        senses = self._words.kinds[kind]
        texts = {
            name: self.text(value, f"{key}.{name}")
            for name, value in attributes.items()
            if senses.get(name) is Sense.TEXT
        }
        fill = [
            filled(
                name, value, self._raw(value, f"{key}.{name}"), senses.get(name), self._zone, f"{key}.{name}"
            )
            for name, value in attributes.items()
            if name not in texts
        ]
        distinct = counts_for_identity(senses)
        time, received, agency = parts.time, parts.received, parts.agency
        actor, item, step, serial, suffix, person = (
            parts.actor, parts.item, parts.step, parts.serial, parts.suffix, parts.applicant,
        )  # fmt: skip

        def make(row: int, case_id: str, case: Any, cells: Any) -> Outcome | None:
            try:
                found = time(case, cells)
                if found is None:
                    return None
                at_us, day_only = found
                receipt = None if received is None else received(case, cells)
                by = agency(case, cells)
                if not by:
                    return Refusal(row, "unattributable", f"{label}: it names no agency")
                said: list[Attribute] = []
                for one in fill:
                    one(case, cells, said)
                who = "" if actor is None else actor(case, cells)
                where = "" if step is None else step(case, cells)
                number = "" if serial is None else serial(case, cells)
                if number:
                    number += suffix
                else:
                    sums = [one.integer for one in said if one.name in distinct] if distinct and said else ()
                    number = derived_serial(case_id, kind, where, at_us, day_only, who, sums)
                event = CaseEvent(
                    case_id=case_id,
                    domain=domain,
                    kind=kind,
                    at_us=at_us,
                    day_only=day_only,
                    zone=zone,
                    received_at_us=0 if receipt is None else receipt[0],
                    agency=by,
                    actor=who,
                    item="" if item is None else item(case, cells),
                    step=where,
                    attributes=said,
                )
                made = Submission(serial=number, event=event, row=row)
                if person is not None and (one_ := person(case, cells)) is not None:
                    made.applicant.CopyFrom(one_)
                for name, text in texts.items():
                    if held := text(case, cells):
                        made.texts[name] = held
                return made
            except Unfit as error:
                return Refusal(row, "unreadable", f"{label}: {error}", error.shown)
            except UnicodeError:
                return Refusal(row, "unreadable", f"{label}: it holds characters that are no text")

        return make
