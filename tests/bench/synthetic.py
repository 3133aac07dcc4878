"""A made-up history of approval cases, the same for the same seed: eight events a case, and the mix that a county sees.

One case in ten is paused for an expert review, three in ten pay a fee, every case passes two or three steps, a few are
decided by the one who handled them, stay open or end late. Nothing in it is a real place, agency or person.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from zongheng.v1.case_pb2 import Attribute, CaseEvent
from zongheng.v1.intake_pb2 import Submission

from node.supervision.frame import TUPLE

EVENTS_A_CASE: Final = 8
DOMAIN: Final = "approval"
ZONE: Final = "Asia/Shanghai"

_FIRST: Final = int(datetime(2024, 1, 2, 1, tzinfo=UTC).timestamp() * 1_000_000)
_SPAN_DAYS: Final = 365
_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US

Event = tuple[str, str, int, str, str, str, str, dict[str, Any]]
"""(case, kind, at_us, agency, actor, item, step, attributes)"""

END: Final = datetime(2024, 1, 2, tzinfo=UTC) + timedelta(days=_SPAN_DAYS + 90)
"""After the last event of every history made here."""


def cases(seed: int, count: int, origin: str = "990121") -> Iterator[list[Event]]:
    """``count`` cases, each as its events in the order in which they happened."""
    draw = random.Random(seed)
    for number in range(count):
        yield _case(draw, f"{origin}-{seed:02d}{number:07d}")


def _case(draw: random.Random, case_id: str) -> list[Event]:
    number = draw.randrange(40)
    agency, item = f"agency{number // 2:02d}", f"item{number:02d}"
    handler, approver = f"A{draw.randrange(200):04d}", f"B{draw.randrange(40):04d}"
    if draw.random() < 0.04:
        approver = handler
    at = _FIRST + draw.randrange(_SPAN_DAYS) * _DAY_US + draw.randrange(8 * 60) * 60_000_000
    limit = draw.choice((5, 10, 15, 20))
    paused, pays = draw.random() < 0.10, draw.random() < 0.30
    events: list[Event] = []

    def happened(kind: str, hours: int, actor: str, step: str = "", /, **attributes: Any) -> None:
        nonlocal at
        at += hours * _HOUR_US + draw.randrange(3_600) * 1_000_000
        events.append((case_id, kind, at, agency, actor, item, step, attributes))

    def pace() -> int:
        return int(draw.expovariate(1 / (limit * 4)))

    happened("application", 0, "", channel="window")
    fee = {"fee_due": 8_000} if pays else {}
    terms = {"statutory_days": limit, "statutory_unit": "working", "promised_days": max(1, limit - 2)}
    happened("acceptance", draw.randrange(30), handler, **terms, promised_unit="working", **fee)
    happened("step", pace(), handler, "check", role="handle")
    if paused:
        happened("pause", 4, handler, pause=1, kind="expert_review", granted_days=10)
        happened("resume", draw.randrange(24, 300), handler, pause=1, outcome="passed")
    elif pays:
        happened("fee", 2, handler, amount=8_000 if draw.random() > 0.02 else 9_000, basis="fee-80")
        happened("step", pace(), handler, "visit", role="handle")
    else:
        happened("correction_told", 4, handler, count=2)
        happened("correction_received", draw.randrange(12, 90), handler, complete=True)
    happened("step", pace(), approver, "decide", role="approve")
    if draw.random() < 0.97:
        happened("completion", pace(), approver, result="issued")
        happened("collection", draw.randrange(4, 200), "", channel="window")
    else:
        happened("step", pace(), approver, "seal", role="review")
        happened("step", pace(), approver, "file", role="review")
    assert len(events) == EVENTS_A_CASE
    return events


def as_tuples(events: Iterable[Event], first: int) -> list[tuple[Any, ...]]:
    """The events as the rows of ``frame.TUPLE`` at journal indexes from ``first`` on."""
    rows: list[tuple[Any, ...]] = []
    for idx, (case_id, kind, at, agency, actor, item, step, attributes) in enumerate(events, first):
        text = orjson.dumps(attributes).decode()
        times = (at + 60_000_000, at + 61_000_000)
        rows.append(
            (case_id, idx, at, 0, ZONE, DOMAIN, kind, *times, agency, actor, item, step, "", "", text)
        )
    assert not rows or len(rows[0]) == len(TUPLE)
    return rows


def as_submission(event: Event, serial: str) -> Submission:
    """The event as a business system sends it."""
    case_id, kind, at, agency, actor, item, step, attributes = event
    message = CaseEvent(
        case_id=case_id,
        domain=DOMAIN,
        kind=kind,
        at_us=at,
        zone=ZONE,
        received_at_us=at + 60_000_000,
        agency=agency,
        actor=actor,
        item=item,
        step=step,
        attributes=[_attribute(name, value) for name, value in attributes.items()],
    )
    return Submission(serial=serial, event=message)


def _attribute(name: str, value: Any) -> Attribute:
    if isinstance(value, bool):
        return Attribute(name=name, flag=value)
    return Attribute(name=name, integer=value) if isinstance(value, int) else Attribute(name=name, text=value)
