"""The life of an alert (预警 · 黄牌 · 红牌): when a finding becomes one, when one is taken back, and which way it may go.

An alert is known by its key (origin, case, subject, rule, level, episode) and its id is a digest of that key, so raising the same finding
twice is one alert. Each level is an alert of its own: a finding that went on to red does not close its yellow; the highest that
is active is shown.

`changes` compares what holds now with the alerts there are and says what to raise and what to correct. It is pure and can be asked again
after a crash: what was raised already is not raised again. A finding that went away is answered by a correction beside its alert
(nothing is edited or deleted); one that comes back after a correction begins the next episode. What a person cancelled or closed is
settled: it is neither corrected nor raised again while the finding stands.
"""

from base64 import b32encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from zongheng.v1 import catalogue_pb2, entry_pb2

from node.store.rows import AlertRecord
from node.supervision.evaluate import Finding
from node.supervision.policy import Policy

State = entry_pb2.AlertState

LATE_EVENT: Final = "late event"
CALENDAR: Final = "calendar"
ITEM: Final = "item"
POLICY: Final = "policy"
ENDED: Final = "ended"
"""What was found is over: a child that was silent is heard of again."""


BY_HAND_DOMAIN: Final = "hand"
LIFE_DOMAIN: Final = "life"
MATCHING_DOMAIN: Final = "matching"

BESIDE: Final = frozenset({BY_HAND_DOMAIN, LIFE_DOMAIN, MATCHING_DOMAIN})
"""Domains of alerts that stand beside what rules find in a case: raised by hand, about a late step, or by matching. No finding corrects them."""


class Key(NamedTuple):
    """What an alert is about; the same subject may break the same rule again in a later episode."""

    case_id: str
    subject: str
    rule: str
    level: int


@dataclass(frozen=True, slots=True)
class AsOf:
    """What an evaluation rested on; every alert and every correction records it."""

    origin: str
    as_of_us: int
    journal_size: int
    policy_version: int
    calendar_version: str
    mandates: str = ""
    """The policies from above, as `Policy.mandated` names them."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What to enter in the journal."""

    raised: tuple[entry_pb2.AlertRaised, ...]
    corrected: tuple[entry_pb2.AlertCorrected, ...]


class MoveRefused(ValueError):
    """An alert in this state cannot go there, or not without a reason."""

    code = "bad_request"


INACTIVE: Final = frozenset(
    {entry_pb2.ALERT_STATE_CANCELLED, entry_pb2.ALERT_STATE_CLOSED, entry_pb2.ALERT_STATE_CORRECTED}
)
"""States in which an alert counts against nobody any more, and from which it goes nowhere."""

MOVES: Final[dict[int, frozenset[int]]] = {
    entry_pb2.ALERT_STATE_PENDING: frozenset({entry_pb2.ALERT_STATE_ISSUED, entry_pb2.ALERT_STATE_CANCELLED}),
    entry_pb2.ALERT_STATE_ISSUED: frozenset(
        {
            entry_pb2.ALERT_STATE_EXPLAINED,
            entry_pb2.ALERT_STATE_RECTIFIED,
            entry_pb2.ALERT_STATE_APPEALED,
            entry_pb2.ALERT_STATE_URGED,
            entry_pb2.ALERT_STATE_CLOSED,
        }
    ),
    entry_pb2.ALERT_STATE_EXPLAINED: frozenset(
        {
            entry_pb2.ALERT_STATE_RECTIFIED,
            entry_pb2.ALERT_STATE_APPEALED,
            entry_pb2.ALERT_STATE_URGED,
            entry_pb2.ALERT_STATE_CLOSED,
        }
    ),
    entry_pb2.ALERT_STATE_RECTIFIED: frozenset(
        {entry_pb2.ALERT_STATE_APPEALED, entry_pb2.ALERT_STATE_URGED, entry_pb2.ALERT_STATE_CLOSED}
    ),
    entry_pb2.ALERT_STATE_APPEALED: frozenset(
        {entry_pb2.ALERT_STATE_CANCELLED, entry_pb2.ALERT_STATE_UPHELD, entry_pb2.ALERT_STATE_ESCALATED}
    ),
    entry_pb2.ALERT_STATE_ESCALATED: frozenset(
        {entry_pb2.ALERT_STATE_CANCELLED, entry_pb2.ALERT_STATE_UPHELD}
    ),
    entry_pb2.ALERT_STATE_UPHELD: frozenset(
        {
            entry_pb2.ALERT_STATE_EXPLAINED,
            entry_pb2.ALERT_STATE_RECTIFIED,
            entry_pb2.ALERT_STATE_URGED,
            entry_pb2.ALERT_STATE_CLOSED,
        }
    ),
    entry_pb2.ALERT_STATE_URGED: frozenset(
        {
            entry_pb2.ALERT_STATE_EXPLAINED,
            entry_pb2.ALERT_STATE_RECTIFIED,
            entry_pb2.ALERT_STATE_APPEALED,
            entry_pb2.ALERT_STATE_CLOSED,
        }
    ),
}
"""Where a person may move an alert (DOMAIN §2). A correction comes from the facts alone and may take any active alert."""

REASONED: Final = frozenset(
    {
        entry_pb2.ALERT_STATE_EXPLAINED,
        entry_pb2.ALERT_STATE_APPEALED,
        entry_pb2.ALERT_STATE_CANCELLED,
        entry_pb2.ALERT_STATE_UPHELD,
        entry_pb2.ALERT_STATE_ESCALATED,
    }
)
"""States that are entered with a reason only."""


def alert_id(origin: str, key: Key, episode: int) -> str:
    """The alert's id: 24 characters of base32, the same wherever the same finding is computed."""
    text = "\x1f".join((origin, key.case_id, key.subject, key.rule, str(int(key.level)), str(episode)))
    return b32encode(sha256(text.encode()).digest()[:15]).decode().lower()


def is_active(state: int) -> bool:
    """Whether an alert in this state still counts."""
    return state not in INACTIVE


def check_move(state: int, to: int, reason: str = "") -> None:
    """Raise `MoveRefused` unless a person may move an alert from `state` to `to`, with this reason."""
    if to not in MOVES.get(state, frozenset()):
        raise MoveRefused(f"an alert that is {_word(state)} cannot become {_word(to)}")
    if to in REASONED and not reason.strip():
        raise MoveRefused(f"an alert becomes {_word(to)} only with a reason")


def changes(
    findings: Iterable[Finding],
    known: Sequence[AlertRecord],
    as_of: AsOf,
    policy: Policy,
    cause: str | None = None,
) -> Changes:
    """What the findings of some cases change about their alerts.

    `known` are all alerts of the same cases, of every state and episode. `cause` of the corrections: None lets the versions
    tell (another calendar, another policy, else a late event).
    """
    episodes: dict[Key, int] = {}
    standing: set[Key] = set()
    for alert in known:
        key = Key(alert.case_id, alert.subject, alert.rule, alert.level)
        episodes[key] = max(episodes.get(key, 0), alert.episode)
        if alert.state != entry_pb2.ALERT_STATE_CORRECTED:
            standing.add(key)
    raised = []
    holds: set[Key] = set()
    for finding in findings:
        key = Key(finding.case_id, finding.subject, finding.rule, int(finding.level))
        if key not in standing and key not in holds:
            raised.append(_raised(finding, key, episodes.get(key, 0) + 1, as_of, policy))
        holds.add(key)
    corrected = [
        entry_pb2.AlertCorrected(
            alert_id=alert.alert_id,
            cause=cause or _cause(alert, as_of),
            as_of_us=as_of.as_of_us,
            journal_size=as_of.journal_size,
        )
        for alert in known
        if is_active(alert.state) and Key(alert.case_id, alert.subject, alert.rule, alert.level) not in holds
    ]
    return Changes(tuple(raised), tuple(corrected))


def highest(alerts: Iterable[AlertRecord]) -> int:
    """The level that is shown for a case: the highest active one, 0 without any."""
    return max((alert.level for alert in alerts if is_active(alert.state)), default=0)


def _raised(finding: Finding, key: Key, episode: int, as_of: AsOf, policy: Policy) -> entry_pb2.AlertRaised:
    pending = policy.confirmation(finding.level).required
    return entry_pb2.AlertRaised(
        alert_id=alert_id(as_of.origin, key, episode),
        case_id=finding.case_id,
        subject=finding.subject,
        domain=finding.domain,
        rule=finding.rule,
        level=catalogue_pb2.Level.ValueType(finding.level),
        episode=episode,
        since_us=finding.since_us,
        due_at_us=finding.due_at_us,
        as_of_us=as_of.as_of_us,
        journal_size=as_of.journal_size,
        policy_version=as_of.policy_version,
        calendar_version=as_of.calendar_version,
        rule_version=finding.rule_version,
        agency=finding.agency,
        item=finding.item,
        actor=finding.actor,
        state=entry_pb2.ALERT_STATE_PENDING if pending else entry_pb2.ALERT_STATE_ISSUED,
        over=finding.over,
        mandates=as_of.mandates,
    )


def _cause(alert: AlertRecord, as_of: AsOf) -> str:
    if alert.calendar_version != as_of.calendar_version:
        return CALENDAR
    under = (alert.policy_version, alert.mandates)
    return POLICY if under != (as_of.policy_version, as_of.mandates) else LATE_EVENT


def _word(state: int) -> str:
    return State.Name(State.ValueType(state)).removeprefix("ALERT_STATE_").lower()
