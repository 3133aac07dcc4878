"""What a stretch of a child's journal says about how the child works: the pure half of watching it.

Cards that are to be answered and those that were, cards cancelled and why, events entered late, a clock that was turned back, and the
alerts whose grounds are to be looked at again. Leaves that cannot be parsed are passed over: the projection parks and names them.

An event's time of entry is when its source recorded it, where the source says so, else when the child's journal noted it; of an import
without such a time nothing is known, since an import brings history. A source that lies about its own time of record is believed here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError
from zongheng.v1.catalogue_pb2 import LEVEL_YELLOW
from zongheng.v1.entry_pb2 import (
    ALERT_STATE_CANCELLED,
    ALERT_STATE_ISSUED,
    ALERT_STATE_PENDING,
    ALERT_STATE_UPHELD,
    ALERT_STATE_URGED,
    AlertMoved,
    AlertRaised,
    Entry,
)

from node.alerting.elsewhere import is_answered_elsewhere
from node.resupervision import rules
from node.resupervision.opening import Opening
from node.store.conduct import OwedAnswer, Remark
from node.store.rows import AlertRecord
from node.supervision.calendar import FIRST_DAY, LAST_DAY

_DAY_US: Final = 86_400_000_000

_ANSWER_DUE: Final = frozenset({ALERT_STATE_ISSUED, ALERT_STATE_URGED, ALERT_STATE_UPHELD})
"""States in which a reply is owed from then on."""

TURNED_BACK_US: Final = 5 * 60 * 1_000_000
"""Entries noted so much earlier than one before them: a clock was turned back, or a time was made up. Less is how threads interleave."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a child's journal is read by."""

    origin: str
    opening: Opening
    entered_within_days: int
    reply_days: int
    confirm_days: Mapping[int, int]
    """Level → working days that a card may wait for a person."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that the child raised, for its grounds to be looked at again."""

    idx: int
    noted_at_us: int
    alert: AlertRaised


@dataclass(frozen=True, slots=True)
class Cancelled:
    """An alert that somebody cancelled."""

    idx: int
    noted_at_us: int
    alert_id: str
    case_id: str
    level: int
    by: str
    reason: str
    agency: str
    item: str
    actor: str
    """The officer it concerns, where it names one."""


@dataclass(slots=True)
class Observed:
    """Out of a stretch of one journal."""

    newest_us: int
    """The latest time that any entry so far was noted at."""
    owed: list[OwedAnswer] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    entered: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    decided: dict[int, tuple[int, int]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    cancelled: list[Cancelled] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    """Cases of which an alert was raised, corrected or cancelled: what is missing there may be another now."""


def parsed(lo: int, leaves: Iterable[bytes]) -> list[tuple[int, Entry]]:
    """Index and entry of the leaves that can be parsed."""
    entries = []
    for idx, leaf in enumerate(leaves, lo):
        try:
            entries.append((idx, Entry.FromString(leaf)))
        except DecodeError:
            continue
    return entries


def spoken_of(entries: Iterable[tuple[int, Entry]]) -> set[str]:
    """Alerts that these entries move or correct: whoever observes must know them."""
    ids = set()
    for _, entry in entries:
        if entry.HasField("alert_moved"):
            ids.add(entry.alert_moved.alert_id)
        elif entry.HasField("alert_corrected"):
            ids.add(entry.alert_corrected.alert_id)
    return ids


def observe(
    terms: Terms, entries: Iterable[tuple[int, Entry]], known: Mapping[str, AlertRecord], newest_us: int
) -> Observed:
    """Read entries in their order; ``known`` are earlier alerts, ``newest_us`` what the stretch before came to."""
    reading = _Reading(terms, known, Observed(newest_us))
    for idx, entry in entries:
        reading.entry(idx, entry)
    return reading.done()


def unfounded(origin: str, cancelled: Cancelled, handlers: Collection[str]) -> Remark | None:
    """What is wrong with how an alert was cancelled; ``handlers`` are the officers who acted in its case. None: nothing."""
    reason, by = cancelled.reason.strip(), cancelled.by.strip()
    if reason and by and by != cancelled.actor and by not in handlers:
        return None
    why = "no reason" if not reason else "no name" if not by else "by an officer who handled the case"
    return Remark(
        origin=origin,
        rule=rules.CANCELLED_UNFOUNDED,
        subject=f"alert:{cancelled.alert_id}",
        idx=cancelled.idx,
        since_us=cancelled.noted_at_us,
        measure=1 if reason and by else 2,
        agency=cancelled.agency,
        item=cancelled.item,
        actor=cancelled.actor,
        figures={
            "alert": cancelled.alert_id,
            "case": cancelled.case_id,
            "level": cancelled.level,
            "why": why,
            "by": by or "–",
            "index": cancelled.idx,
        },
    )


class _Reading:
    def __init__(self, terms: Terms, known: Mapping[str, AlertRecord], found: Observed) -> None:
        self._terms = terms
        self._opening = terms.opening
        self._cases = {alert.alert_id: alert.case_id for alert in known.values()}
        self._about = {
            alert.alert_id: (alert.level, alert.agency, alert.item, alert.actor) for alert in known.values()
        }
        self._unanswerable = {
            alert.alert_id
            for alert in known.values()
            if is_answered_elsewhere(alert.domain, alert.rule, alert.case_id)
        }
        """Alerts to which the child owes no reply: nobody is accused of not giving one."""
        self.found = found
        self._owed: dict[str, OwedAnswer] = {}

    def entry(self, idx: int, entry: Entry) -> None:
        noted = entry.noted_at_us
        # What is entered again after a mending was noted and judged in another place.
        if entry.HasField("reappended"):
            self._entered_again(entry)
        elif self._dated(noted):
            self._clock(idx, noted)
            match entry.WhichOneof("body"):
                case "case_event":
                    self._event(entry)
                case "alert_raised":
                    self._raised(idx, noted, entry.alert_raised)
                case "alert_moved":
                    self._moved(idx, noted, entry.alert_moved)
                case "alert_corrected":
                    self._answer(entry.alert_corrected.alert_id)
                    self._touch(entry.alert_corrected.alert_id)

    def _entered_again(self, entry: Entry) -> None:
        if entry.HasField("alert_raised"):
            self._know(entry.alert_raised)

    def _know(self, alert: AlertRaised) -> None:
        self._cases[alert.alert_id] = alert.case_id
        self._about[alert.alert_id] = (alert.level, alert.agency, alert.item, alert.actor)
        if is_answered_elsewhere(alert.domain, alert.rule, alert.case_id):
            self._unanswerable.add(alert.alert_id)
        self._touch(alert.alert_id)

    def done(self) -> Observed:
        self.found.owed = list(self._owed.values())
        return self.found

    def _clock(self, idx: int, noted: int) -> None:
        back = self.found.newest_us - noted
        self.found.newest_us = max(self.found.newest_us, noted)
        if back > TURNED_BACK_US:
            seconds = back // 1_000_000
            day = self._opening.day(noted)
            figures = {"seconds": seconds, "index": idx}
            remark = Remark(
                self._terms.origin, rules.CLOCK, f"clock:back:{day}", idx, noted, seconds, figures=figures
            )
            self.found.remarks.append(remark)

    def _event(self, entry: Entry) -> None:
        event = entry.case_event
        entered_us = event.received_at_us or (0 if entry.import_id else entry.noted_at_us)
        if not self._dated(entered_us) or not self._dated(event.at_us):
            return
        key = (self._opening.day(entry.noted_at_us), event.agency)
        events, late = self.found.entered.get(key, (0, 0))
        days = self._opening.working_days(event.at_us, max(entered_us, event.at_us))
        self.found.entered[key] = (events + 1, late + (days > self._terms.entered_within_days))

    def _raised(self, idx: int, noted: int, alert: AlertRaised) -> None:
        self.found.raised.append(Raised(idx, noted, alert))
        self._know(alert)
        if alert.level < LEVEL_YELLOW:
            return
        self._count(noted, 1, 0)
        if alert.state == ALERT_STATE_PENDING:
            self._owe(alert.alert_id, noted, self._terms.confirm_days.get(alert.level, 0))
        elif alert.state == ALERT_STATE_ISSUED and alert.alert_id not in self._unanswerable:
            self._owe(alert.alert_id, noted, 0)

    def _moved(self, idx: int, noted: int, moved: AlertMoved) -> None:
        level, agency, item, actor = self._about.get(moved.alert_id, (0, "", "", ""))
        if moved.state in _ANSWER_DUE and moved.alert_id not in self._unanswerable:
            if level >= LEVEL_YELLOW:
                # Answering counts from here; while it was pending the confirming was owed.
                self._owe(moved.alert_id, noted, 0)
            return
        self._answer(moved.alert_id)
        if moved.state != ALERT_STATE_CANCELLED:
            return
        self._touch(moved.alert_id)
        if level >= LEVEL_YELLOW:
            self._count(noted, 0, 1)
        cancelled = Cancelled(
            idx,
            noted,
            moved.alert_id,
            self._cases.get(moved.alert_id, ""),
            level,
            moved.by,
            moved.reason,
            agency,
            item,
            actor,
        )
        self.found.cancelled.append(cancelled)

    def _owe(self, alert_id: str, noted: int, confirm_days: int) -> None:
        level, agency, _, _ = self._about[alert_id]
        due = self._due(noted, self._terms.reply_days + confirm_days)
        self._owed[alert_id] = OwedAnswer(self._terms.origin, alert_id, agency, level, due)

    def _answer(self, alert_id: str) -> None:
        self._owed.pop(alert_id, None)
        self.found.answered.append(alert_id)

    def _touch(self, alert_id: str) -> None:
        if alert_id in self._cases:
            self.found.touched.add(self._cases[alert_id])

    def _due(self, from_us: int, days: int) -> int:
        tables = self._opening.calendar.tables
        nth = tables.working_through[self._opening.day(from_us) - FIRST_DAY] + days
        return tables.working_days[nth] if nth < len(tables.working_days) else LAST_DAY

    def _count(self, noted: int, cards: int, cancelled: int) -> None:
        day = self._opening.day(noted)
        raised, taken_back = self.found.decided.get(day, (0, 0))
        self.found.decided[day] = (raised + cards, taken_back + cancelled)

    def _dated(self, at_us: int) -> bool:
        """Whether the calendar's tables reach that day, with room for what is due after it."""
        return (FIRST_DAY + 1) * _DAY_US < at_us < (LAST_DAY - 400) * _DAY_US
