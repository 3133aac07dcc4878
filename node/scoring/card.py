"""A score out of base figures, alerts and what people gave: every point lost or won is a line that says why. Pure.

A month: each item is worth so much, its lines take and give, and it ends between 0 and its worth; lines beside the items (bonuses, incomplete
data) count on the whole, which ends at 0 at the least. A finding costs points once, at the highest of its alerts that counts, and
an alert counts from when it is issued until it is appealed, cancelled or corrected: then the points are back, and `returned` says so. A half-year
and a year are the mean of those of their months in which there was something to score.

A month in which nothing came in and nothing was found has no total at all: it is no 100 %.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from zongheng.v1 import entry_pb2

from node.scoring.sheet import Sheet
from node.supervision.alert import LIFE_DOMAIN

_AGAINST_NOBODY: Final = {
    int(entry_pb2.ALERT_STATE_PENDING): "pending",
    int(entry_pb2.ALERT_STATE_APPEALED): "appealed",
    int(entry_pb2.ALERT_STATE_ESCALATED): "escalated",
    int(entry_pb2.ALERT_STATE_CANCELLED): "cancelled",
    int(entry_pb2.ALERT_STATE_CORRECTED): "corrected",
}
"""States in which an alert costs nobody points, with their words."""

_NOTICE, _YELLOW, _RED = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Charge:
    """An alert as it stood at the journal size."""

    alert_id: str
    case_id: str
    subject: str
    rule: str
    level: int
    state: int
    since_us: int
    idx: int
    trace: str = ""
    """Why it stands so: the reason given with its last step."""
    trace_idx: int = -1
    """The entry of that step."""

    @property
    def counts(self) -> bool:
        return self.state not in _AGAINST_NOBODY

    @property
    def finding(self) -> tuple[str, str, str]:
        """What it is about; several levels of one finding are several alerts."""
        return self.case_id, self.subject, self.rule


@dataclass(frozen=True, slots=True)
class Given:
    """Points that a person gave: by an indicator that is by hand, or back after an appeal of the score."""

    item: str
    indicator: str
    """Empty: after an appeal."""
    points: int
    reason: str
    idx: int
    """The entry that says so."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points lost or won, and why."""

    item: str
    """Empty: on the whole."""
    why: str
    """notices, yellow, red, appeal, or the indicator's code."""
    points: int
    alerts: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    rule: str = ""
    reason: str = ""
    entry: int = -1
    """Index of the entry in which somebody gave the points; -1: nobody did."""


@dataclass(frozen=True, slots=True)
class Returned:
    """An alert that costs nothing, and why."""

    alert_id: str
    case_id: str
    rule: str
    level: int
    item: str
    state: str
    """pending, appealed, escalated, cancelled, corrected; or superseded: a higher one of the same finding counts."""
    reason: str
    entry: int


@dataclass(frozen=True, slots=True)
class Card:
    """What one subject came to in one period."""

    sample: int
    total: int | None
    """Hundredths; None: there was nothing to score."""
    parts: Mapping[str, int]
    """Item → hundredths."""
    lines: tuple[Line, ...] = ()
    returned: tuple[Returned, ...] = ()
    undetermined: tuple[str, ...] = ()
    """Indicators whose base is empty."""
    figures: Mapping[str, int] = field(default_factory=dict)


def with_alerts(
    figures: Mapping[str, int], charges: Iterable[Charge], superseded: frozenset[str] = frozenset()
) -> dict[str, int]:
    """Base figures with those of the alerts of the month."""
    held = [one for one in charges if one.counts and one.alert_id not in superseded]
    counting = [one.level for one in held]
    names = {"notices": _NOTICE, "yellows": _YELLOW, "reds": _RED}
    late = {one.finding for one in held if one.rule.startswith(f"{LIFE_DOMAIN}.")}
    return {
        **figures,
        **{name: counting.count(level) for name, level in names.items()},
        "late_steps": len(late),
    }


def monthly(
    sheet: Sheet,
    figures: Mapping[str, int],
    charges: Sequence[Charge],
    given: Sequence[Given],
    points: Mapping[str, int | None],
    superseded: frozenset[str] = frozenset(),
) -> Card:
    """The card of one month. ``points`` are what `Sheet.indicators` gave for ``figures``; ``superseded`` the alerts of findings that went on
    to a higher level that counts."""
    lines: list[Line] = []
    counting = [one for one in charges if one.counts and one.alert_id not in superseded]
    lines += deductions(sheet, counting)
    for one in sheet.message.indicators:
        value = points.get(one.code)
        if value:
            lines.append(Line(one.item, one.code, value))
    lines += [
        Line(one.item, one.indicator or "appeal", one.points, reason=one.reason, entry=one.idx)
        for one in given
    ]
    parts = {
        item: max(0, min(worth, worth + sum(line.points for line in lines if line.item == item)))
        for item, worth in sheet.worth.items()
    }
    whole = sum(parts.values()) + sum(line.points for line in lines if line.item not in parts)
    sample = figures.get(sheet.message.sample, 0)
    return Card(
        sample=sample,
        total=max(0, whole) if sample or lines else None,
        parts=parts,
        lines=tuple(lines),
        returned=tuple(_returned(sheet, one, superseded) for one in charges if one not in counting),
        undetermined=tuple(
            one.code for one in sheet.message.indicators if one.formula and points.get(one.code) is None
        ),
        figures=figures,
    )


def deductions(sheet: Sheet, counting: Sequence[Charge]) -> list[Line]:
    """What the alerts that count cost, a line each; notices that come in a row within an item, with no card between, a line for each row."""
    lines: list[Line] = []
    ordered = sorted(counting, key=lambda one: (sheet.item_of(one.rule), one.since_us, one.idx, one.alert_id))
    for item, of_item in groupby(ordered, key=lambda one: sheet.item_of(one.rule)):
        if not item:
            continue
        row: list[Charge] = []
        for one in of_item:
            if one.level == _NOTICE:
                row.append(one)
                if len(row) == sheet.message.notices_in_a_row:
                    lines.append(_line(item, "notices", sheet.message.notices_points, row))
                    row = []
            else:
                why, cost = (
                    ("red", sheet.message.red_points)
                    if one.level == _RED
                    else ("yellow", sheet.message.yellow_points)
                )
                lines.append(_line(item, why, cost, [one]))
                row = []
    return [one for one in lines if one.points]


def _line(item: str, why: str, cost: int, alerts: Sequence[Charge]) -> Line:
    return Line(
        item, why, -cost, tuple(one.alert_id for one in alerts), tuple(dict.fromkeys(one.case_id for one in alerts)),
        alerts[0].rule if len({one.rule for one in alerts}) == 1 else "",
    )  # fmt: skip


def _returned(sheet: Sheet, one: Charge, superseded: frozenset[str]) -> Returned:
    state = _AGAINST_NOBODY.get(one.state, "superseded" if one.alert_id in superseded else "")
    return Returned(
        one.alert_id,
        one.case_id,
        one.rule,
        one.level,
        sheet.item_of(one.rule),
        state,
        one.trace,
        one.trace_idx,
    )


def overtaken(charges: Iterable[Charge]) -> frozenset[str]:
    """Alerts of findings of which a higher one counts."""
    top: dict[tuple[str, str, str], int] = {}
    held = [one for one in charges if one.counts]
    for one in held:
        top[one.finding] = max(one.level, top.get(one.finding, 0))
    return frozenset(one.alert_id for one in held if one.level < top[one.finding])


def mean(values: Iterable[int | None]) -> int | None:
    """The mean of those that are there, in whole hundredths, a half up; None: none is."""
    there = [one for one in values if one is not None]
    return (2 * sum(there) + len(there)) // (2 * len(there)) if there else None


def over_months(cards: Sequence[Card]) -> Card:
    """A half-year's or a year's card out of those of its months."""
    if len(cards) == 1:
        return cards[0]
    scored = [one for one in cards if one.total is not None]
    shown = scored or list(cards)
    names = {name for one in shown for name in one.figures if name != "promised_cut"}
    return Card(
        sample=sum(one.sample for one in cards),
        total=mean(one.total for one in cards),
        parts={item: mean(one.parts.get(item) for one in shown) or 0 for item in shown[0].parts},
        lines=tuple(line for one in cards for line in one.lines),
        returned=tuple(back for one in cards for back in one.returned),
        undetermined=tuple(
            code for code in shown[0].undetermined if all(code in one.undetermined for one in shown)
        ),
        figures={name: sum(one.figures.get(name, 0) for one in cards) for name in sorted(names)},
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What a ranking compares."""

    subject: str
    group: str
    sample: int
    total: int | None


def ranked(standings: Iterable[Standing], minimum: int) -> dict[str, int]:
    """Subject → place within its group, the best first, equals side by side. Who has too small a sample, or nothing to score, has no place."""
    places: dict[str, int] = {}
    able = [one for one in standings if one.total is not None and one.sample >= max(minimum, 1)]
    for one in able:
        better = sum(other.group == one.group and (other.total or 0) > (one.total or 0) for other in able)
        places[one.subject] = better + 1
    return places
