"""Alerts that departments issued themselves: taken in, and inspected like our own (发牌巡检, DOMAIN §2).

Each is judged again as of its own instant, by this node's catalogue, calendar and policy: *right*, *wrong* (nothing of that level was found), or
*undetermined* (the case is not here, or nothing of it had happened). What we found at a card's level and the department did not issue, for an
agency that issues its own, is *missing*. Nothing is changed by looking.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.accountability_pb2 import DepartmentAlert
from zongheng.v1.catalogue_pb2 import Level as LevelNumber
from zongheng.v1.entry_pb2 import ALERT_STATE_PENDING, Entry

from federation.errors import ZonghengError
from node.intake.door import AHEAD_US
from node.people.caller import Caller
from node.store.accountability import DepartmentAlertRow
from node.store.alerts import AlertFilter
from node.store.drafts import Draft
from node.supervision.alert import BESIDE, is_active
from node.supervision.evaluate import evaluate
from node.supervision.frame import from_rows
from node.supervision.levels import LEVELS
from node.supervision.policy import Level
from node.views.present import level_number, time_text, time_us
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node

_AT_ONCE = 5_000
_MOST = 100_000


class IssuedAlert(BaseModel):
    """One alert of a department's own."""

    model_config = ConfigDict(extra="forbid")

    serial: str = Field(min_length=1, max_length=200)
    """Its number there (督办编号); sent again it is known."""
    case: str = Field(min_length=1, max_length=300)
    agency: str = Field(min_length=1, max_length=200)
    level: str
    issued_at: str
    rule: str = Field(default="", max_length=200)
    state: str = Field(default="", max_length=200)
    actor: str = Field(default="", max_length=100)


class IssuedAlerts(BaseModel):
    """What one department's system issued."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(min_length=1, max_length=90)
    alerts: list[IssuedAlert] = Field(min_length=1, max_length=_AT_ONCE)


class TakenIn(BaseModel):
    """What became of them."""

    taken: int
    repeated: int
    """Were here already."""


class InspectedView(BaseModel):
    """One of them, judged again; or one that the department should have issued."""

    mark: str
    """right, wrong, missing or undetermined."""
    why: str
    source: str
    serial: str
    case: str
    agency: str
    level: str
    issued_at: str | None
    """When the department issued it; of a missing one, when this node raised its own."""
    alert_id: str
    """Of a missing one: this node's own alert."""


class DepartmentInspection(BaseModel):
    """What the inspection of a period came to."""

    right: int
    wrong: int
    missing: int
    undetermined: int
    alerts: list[InspectedView]
    """Those that are not right."""


async def take_in(node: "Node", caller: Caller, form: IssuedAlerts) -> TakenIn:
    """Enter them, each once. ``bad_request`` names the first that cannot be read, and nothing is entered."""
    now_us, zone = node.now(), node.settings.zone
    drafts, seen = [], await seen_by(node, caller)
    for at, one in enumerate(form.alerts):
        if seen is not None and one.agency not in seen:
            raise ZonghengError("not_found", f"alerts.{at}: there is no agency {one.agency} here")
        level, issued_us = level_number(one.level), time_us(one.issued_at, zone)
        if not level or not issued_us:
            raise ZonghengError("bad_request", f"alerts.{at}: say its level, and when it was issued")
        if issued_us > now_us + AHEAD_US:
            raise ZonghengError("future", f"alerts.{at}: it was issued more than five minutes from now")
        alert = DepartmentAlert(
            case_id=one.case,
            agency=one.agency,
            level=LevelNumber.ValueType(level),
            rule=one.rule,
            issued_at_us=issued_us,
            state=one.state,
            actor=one.actor,
        )
        entry = Entry(
            noted_at_us=now_us,
            source=f"department/{form.source}",
            serial=one.serial,
            department_alert=alert,
        )
        drafts.append(Draft.of(entry))
    appended = await node.writer.append(drafts)
    await node.projector.settled()
    return TakenIn(taken=len(drafts) - len(appended.repeated), repeated=len(appended.repeated))


async def inspection(node: "Node", caller: Caller, from_us: int, to_us: int) -> DepartmentInspection:
    """Judge again what departments issued in a period, and say what they should have issued besides."""
    await node.projector.settled()
    own, seen = node.settings.node, await seen_by(node, caller)
    until_us = to_us or node.now() + 1
    async with node.store.read() as session:
        issued = await session.accountability.alerts(own, from_us, until_us)
        size = (await session.cursors.get("events", own)).position
    issued = [one for one in issued if seen is None or one.agency in seen]
    found = [await _judged(node, one, size) for one in issued]
    found += await _missing(node, issued, from_us, until_us)
    counts = {mark: sum(one.mark == mark for one in found) for mark in _MARKS}
    return DepartmentInspection(**counts, alerts=[one for one in found if one.mark != "right"])


_MARKS = ("right", "wrong", "missing", "undetermined")


async def _judged(node: "Node", issued: DepartmentAlertRow, size: int) -> InspectedView:
    async with node.store.read() as session:
        events = await session.events.of_cases(issued.origin, [issued.case_id])
    context = await node.contexts.of(issued.origin)
    if not events:
        return _view(node, issued, "undetermined", "the case is not here")
    result = evaluate(from_rows(events), context.context, issued.issued_at_us, size, context.domains)
    if result.cases.is_empty():
        return _view(node, issued, "undetermined", "nothing of the case had happened by then")
    levels = {int(finding.level) for finding in result.finding_values()}
    if issued.level in levels:
        return _view(node, issued, "right", "")
    told = ", ".join(LEVELS[level] for level in sorted(levels)) or "nothing"
    return _view(node, issued, "wrong", f"judged again as of then: {told}")


async def _missing(
    node: "Node", issued: Sequence[DepartmentAlertRow], from_us: int, to_us: int
) -> list[InspectedView]:
    """Own cards of agencies that issue their own, in the period, with no counterpart."""
    agencies = tuple(sorted({one.agency for one in issued}))
    there = {(one.case_id, one.level) for one in issued}
    sources = {one.agency: one.source for one in issued}
    found = []
    for level in (Level.YELLOW, Level.RED):
        narrow = AlertFilter(
            level=int(level), since_from_us=from_us or None, since_to_us=to_us, agencies=agencies
        )
        async with node.store.read() as session:
            page = await session.alerts.page(node.settings.node, narrow, _MOST)
        for alert in page:
            counts = is_active(alert.state) and alert.state != ALERT_STATE_PENDING
            if not counts or alert.domain in BESIDE or (alert.case_id, alert.level) in there:
                continue
            there.add((alert.case_id, alert.level))
            found.append(
                InspectedView(
                    mark="missing",
                    why="this node issued a card of that level, the department did not",
                    source=sources[alert.agency].removeprefix("department/"),
                    serial="",
                    case=alert.case_id,
                    agency=alert.agency,
                    level=LEVELS[alert.level],
                    issued_at=time_text(alert.raised_at_us, node.settings.zone),
                    alert_id=alert.alert_id,
                )
            )
    return found


def _view(node: "Node", issued: DepartmentAlertRow, mark: str, why: str) -> InspectedView:
    return InspectedView(
        mark=mark,
        why=why,
        source=issued.source.removeprefix("department/"),
        serial=issued.serial,
        case=issued.case_id,
        agency=issued.agency,
        level=LEVELS[issued.level] if issued.level < len(LEVELS) else str(issued.level),
        issued_at=time_text(issued.issued_at_us, node.settings.zone),
        alert_id="",
    )
