"""What a parent measures of one child, out of what it knows: pure, the same numbers give the same measures.

A measure is one whole number a rule reads, with the figures it was made of. Which levels it comes to is the policy's (`reached`). Time
counts against a child only where the fault can be its own:

- silence counts from the later of its last sign of life and the instant since which this node itself was listening: a node that was down
  for nine days accuses nobody of them;
- whether an alert was answered is judged as of when its whole journal was here last: an answer may be on its way;
- lag and figures that stand behind count in minutes in which the child was connected;
- a share needs a least number of records, and no yellow or red rests on days whose calendar is not published.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from node.resupervision import rules
from node.resupervision.opening import Opening
from node.store.conduct import OwedByAgency, Remark, Suspect
from node.supervision.finding import Finding
from node.supervision.policy import Level, Policy, Rule, Threshold
from tiers.profile import Resupervision

_MINUTE_US: Final = 60_000_000
_DAY_US: Final = 86_400_000_000

SILENT: Final = frozenset({rules.SILENCE, rules.ABSENCE, rules.NEVER_HEARD})
"""Rules about a state that only a sign of life ends: an alert of the same stretch stands though the counting began anew."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A child as the link knows it; instants are µs since the epoch by this node's clock."""

    child: str
    introduced_us: int
    heard_us: int
    """Its last sign of life; 0: none ever."""
    linked_us: int
    """How long it has been connected, in all."""
    current_us: int
    """When all of its journal that there was lay here last; 0: never. What it did since nobody here can know."""
    offset_ms: int | None
    """Its clock minus this node's when last measured; None: never."""
    offset_since_us: int
    """Since when it has been out of step; 0: it is not."""
    held: int
    """Entries of its journal that are here."""
    named: int
    """Entries that its newest head names."""
    lag_size: int
    """A size that is outstanding; 0: none."""
    lag_since_us: int
    lag_from_us: int
    """`linked_us` when it began to be outstanding."""
    reported: int
    behind_size: int
    """A journal size that its figures have not come to; 0: none."""
    behind_since_us: int
    behind_from_us: int
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Conducted:
    """How a child works, as its journal tells."""

    overdue: Sequence[OwedByAgency] = ()
    cards: int = 0
    cancelled: int = 0
    entered: Sequence[tuple[str, int, int]] = ()
    """(agency, events, of them late) of the period."""
    remarks: Sequence[Remark] = ()
    differing: tuple[int, int, int] = (0, 0, 0)
    """Figures, days, since when."""
    ripe: Sequence[Suspect] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """What one rule measures about one subject."""

    rule: str
    subject: str
    value: int
    since_us: int
    """From when what is measured runs; the same for one stretch of it."""
    agency: str = ""
    item: str = ""
    actor: str = ""
    figures: Mapping[str, int | str] = field(default_factory=dict)


def measures(
    standing: Standing,
    conducted: Conducted,
    opening: Opening,
    head_period_minutes: int,
    held_to: Resupervision,
    listening_us: int,
    now_us: int,
) -> list[Measure]:
    """Everything that can be measured of a child now; `listening_us`: since when this node would have heard it."""
    return [
        *_silence(standing, opening, head_period_minutes, listening_us, now_us),
        *_link(standing),
        *_answers(conducted, opening, standing.current_us),
        *_shares(conducted, opening, held_to, now_us),
        *_facts(conducted),
    ]


def _silence(
    standing: Standing, opening: Opening, period: int, listening_us: int, now_us: int
) -> Iterable[Measure]:
    if standing.heard_us == 0:
        begun = max(standing.introduced_us, listening_us)
        days = max(0, now_us - begun) // _DAY_US
        figures = {
            "introduced_at": standing.introduced_us,
            "listened_from": listening_us,
            "natural_days": days,
        }
        yield Measure(rules.NEVER_HEARD, "never_heard", days, standing.introduced_us, figures=figures)
        return
    begun = max(standing.heard_us, listening_us)
    minutes = opening.minutes(begun, now_us)
    days = max(0, now_us - begun) // _DAY_US
    heard = {"heard_at": standing.heard_us, "listened_from": listening_us}
    office = {**heard, "open_minutes": minutes, "head_period_minutes": period}
    yield Measure(rules.SILENCE, "silence", minutes // period, standing.heard_us, figures=office)
    yield Measure(rules.ABSENCE, "absence", days, standing.heard_us, figures={**heard, "natural_days": days})


def _link(standing: Standing) -> Iterable[Measure]:
    # In quarantine nothing is taken: that is told by the fork.
    if standing.lag_size and not standing.quarantined:
        minutes = (standing.linked_us - standing.lag_from_us) // _MINUTE_US
        figures = {
            "held": standing.held, "named": standing.named, "outstanding": standing.lag_size,
            "connected_minutes": minutes,
        }  # fmt: skip
        yield Measure(rules.LAG, "lag", minutes, standing.lag_since_us, figures=figures)
    if standing.behind_size and not standing.quarantined:
        minutes = (standing.linked_us - standing.behind_from_us) // _MINUTE_US
        figures = {
            "reported": standing.reported, "held": standing.held, "outstanding": standing.behind_size,
            "connected_minutes": minutes,
        }  # fmt: skip
        yield Measure(rules.REPORTS_BEHIND, "reports", minutes, standing.behind_since_us, figures=figures)
    if standing.offset_ms is not None and standing.offset_since_us:
        seconds, figures = abs(standing.offset_ms) // 1_000, {"offset_ms": standing.offset_ms}
        yield Measure(rules.CLOCK, "clock:offset", seconds, standing.offset_since_us, figures=figures)


def _answers(conducted: Conducted, opening: Opening, known_until_us: int) -> Iterable[Measure]:
    for owed in conducted.overdue:
        due_us = _end_of(owed.due_day, opening)
        if due_us >= known_until_us or opening.provisional(due_us, known_until_us):
            continue
        days = opening.working_days(due_us, known_until_us)
        figures: dict[str, int | str] = {
            "alerts": owed.alerts, "oldest_alert": owed.alert_id, "due_day": owed.due_day,
        }  # fmt: skip
        subject = f"agency:{owed.agency}"
        yield Measure(rules.UNANSWERED, subject, days, due_us, agency=owed.agency, figures=figures)


def _shares(conducted: Conducted, opening: Opening, held_to: Resupervision, now_us: int) -> Iterable[Measure]:
    # A share is told once a month: what a person closed comes up again with the next.
    since_us = opening.month_us(now_us)
    if conducted.cards >= held_to.least_cards:
        share = 100 * conducted.cancelled // conducted.cards
        figures = {"cards": conducted.cards, "cancelled": conducted.cancelled, "days": held_to.days}
        yield Measure(rules.CANCELLED, "cancelled", share, since_us, figures=figures)
    for agency, events, late in conducted.entered:
        if events >= held_to.least_events:
            figures = {
                "events": events, "late": late, "days": held_to.days,
                "entered_within_days": held_to.entered_within_days,
            }  # fmt: skip
            share = 100 * late // events
            yield Measure(
                rules.BACK_FILLED, f"agency:{agency}", share, since_us, agency=agency, figures=figures
            )


def _facts(conducted: Conducted) -> Iterable[Measure]:
    figures, days, found_us = conducted.differing
    if figures:
        yield Measure(
            rules.ROLLUP,
            "rollup",
            figures,
            found_us,
            figures={"differing_days": days, "first_found": found_us},
        )
    for one in conducted.remarks:
        yield Measure(
            one.rule, one.subject, one.measure, one.since_us, one.agency, one.item, one.actor, one.figures
        )
    for suspect in conducted.ripe:
        yield Measure(
            rules.MISSING,
            f"rerun:{suspect.alert_id}",
            suspect.level,
            suspect.since_us,
            suspect.agency,
            suspect.item,
            suspect.actor,
            {
                "case": suspect.case_id,
                "what": suspect.subject,
                "rule": suspect.rule,
                "level": suspect.level,
                "since": suspect.since_us,
                "journal_size": suspect.size,
                "first_found": suspect.found_at_us,
            },
        )


def reached(rule: Rule, policy: Policy, measure: Measure) -> list[Threshold]:
    """The thresholds that a measure comes to, lowest first."""
    found = [one for one in policy.thresholds(rule) if measure.value >= one.at_least]
    return found[-1:] if rule.code in rules.HIGHEST_ONLY else found


def finding(child: str, rule: Rule, level: Level, measure: Measure) -> Finding:
    """A measure that came to a level, as a finding about the child."""
    return Finding(
        case_id=child,
        subject=measure.subject,
        domain=rules.DOMAIN,
        rule=rule.code,
        rule_version=rule.version,
        level=level,
        since_us=measure.since_us,
        due_at_us=0,
        over=min(measure.value, 2**31 - 1),
        agency=measure.agency,
        item=measure.item,
        actor=measure.actor,
    )


def _end_of(day: int, opening: Opening) -> int:
    """The last microsecond of a local day."""
    return opening.start_us(day + 1) - 1
