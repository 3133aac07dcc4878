"""Holding somebody to account (责任追究): a record that alerts began, step by step, each an entry linked to them."""

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson
from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.accountability_pb2 import AccountabilityKind, AccountabilityStep
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.life_pb2 import FileRef

from federation.errors import ZonghengError
from node.intake.secrecy import is_marked
from node.people.caller import Caller
from node.store.accountability import AccountabilityRow
from node.store.drafts import Draft
from node.supervision.accountability import Done, Kind, check
from node.supervision.alert import MoveRefused
from node.views.alert_life import FileView, must_be_here
from node.views.present import time_text
from node.views.sight import must_see, seen_by

if TYPE_CHECKING:
    from node.run import Node

_SOURCE = "accountability"


class Opening(BaseModel):
    """Who is to be held to account, and for which alerts."""

    model_config = ConfigDict(extra="forbid")

    who: str = Field(min_length=1, max_length=100)
    """Staff number."""
    alerts: list[str] = Field(min_length=1, max_length=1_000)
    by: str = ""
    reason: str = Field(min_length=1, max_length=1_000)


class NextStep(BaseModel):
    """A further step."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    by: str = ""
    measure: str = Field(default="", max_length=200)
    """诫勉, 通报批评 …; of a review: what came of it."""
    document: str = Field(default="", max_length=200)
    """文号."""
    reason: str = Field(default="", max_length=1_000)
    text: str = Field(default="", max_length=200_000)
    """In full; goes to the vault."""
    files: list[FileView] = Field(default=[], max_length=100)


class AccountabilityStepView(BaseModel):
    index: int
    at: str | None
    kind: str
    by: str
    measure: str
    document: str
    reason: str
    text: str
    """Digest of the full text."""
    files: list[FileView]


class AccountabilityView(BaseModel):
    """One record."""

    record: str
    who: str
    agency: str
    alerts: list[str]
    state: str
    """The last step's kind."""
    measure: str
    """As decided last; empty: nothing is decided."""
    steps: list[AccountabilityStepView]


async def records(node: "Node", caller: Caller, alert: str = "") -> list[AccountabilityView]:
    """Every record that the caller sees, or those that rest on one alert."""
    await node.projector.settled()
    seen = await seen_by(node, caller)
    async with node.store.read() as session:
        rows = await session.accountability.steps(node.settings.node)
    by_record: dict[str, list[AccountabilityRow]] = {}
    for row in rows:
        by_record.setdefault(row.record, []).append(row)
    shown = [_view(steps, node.settings.zone) for steps in by_record.values()]
    return [
        one for one in shown if (seen is None or one.agency in seen) and (not alert or alert in one.alerts)
    ]


async def record(node: "Node", caller: Caller, name: str) -> AccountabilityView:
    """One record."""
    return _view(await _steps(node, caller, name), node.settings.zone)


async def open_record(node: "Node", caller: Caller, form: Opening) -> AccountabilityView:
    """Begin a record. ``not_found`` for an alert that is not here; the agency is the alerts' own, one for all."""
    await node.projector.settled()
    own = node.settings.node
    async with node.store.read() as session:
        known = await session.alerts.known(own, sorted(set(form.alerts)))
    missing = sorted(set(form.alerts) - {one.alert_id for one in known})
    if missing:
        raise ZonghengError("not_found", f"there is no alert {missing[0]} here")
    agencies = {one.agency for one in known}
    if len(agencies) != 1:
        raise ZonghengError("bad_request", "the alerts are of several agencies: open a record for each")
    (agency,) = agencies
    await must_see(node, caller, agency, f"alert {form.alerts[0]}")
    step = AccountabilityStep(
        record=f"{own}-zr-{secrets.token_hex(4)}",
        kind=AccountabilityKind.ACCOUNTABILITY_KIND_OPENED,
        who=form.who,
        agency=agency,
        alerts=sorted(set(form.alerts)),
        by=_signed(caller, form.by),
        reason=_public(form.reason),
    )
    await _enter(node, step, 0)
    return await record(node, caller, step.record)


async def add_step(node: "Node", caller: Caller, name: str, form: NextStep) -> AccountabilityView:
    """Take a record one step further. ``bad_request`` says which steps may follow."""
    done = await _steps(node, caller, name)
    by, now_us = _signed(caller, form.by), node.now()
    try:
        check(
            [Done(Kind(row.kind), row.at_us, row.by_whom) for row in done], form.kind, by=by, measure=form.measure,
            document=form.document, reason=form.reason, now_us=now_us,
        )  # fmt: skip
    except MoveRefused as refused:
        raise ZonghengError("bad_request", str(refused)) from None
    must_be_here(node, form.files)
    digest = ""
    if _public(form.text).strip():
        async with node.store.write() as session:
            (digest,) = await node.vault.digests(session.vault, [form.text])
    step = AccountabilityStep(
        record=name,
        kind=AccountabilityKind.Value(f"ACCOUNTABILITY_KIND_{form.kind.upper()}"),
        agency=done[0].agency,
        measure=_public(form.measure),
        document=form.document,
        by=by,
        reason=_public(form.reason),
        text=digest,
        files=[FileRef(**one.model_dump()) for one in form.files],
    )
    await _enter(node, step, len(done))
    return await record(node, caller, name)


async def _enter(node: "Node", step: AccountabilityStep, place: int) -> None:
    """Enter a step at its place; who comes second to the same place is told."""
    entry = Entry(
        noted_at_us=node.now(),
        source=_SOURCE,
        serial=f"{step.record}/{place}",
        accountability_step=step,
    )
    if (await node.writer.append([Draft.of(entry)])).repeated:
        raise ZonghengError("bad_request", "somebody else took a step at the same moment: look again")
    await node.projector.settled()


async def _steps(node: "Node", caller: Caller, name: str) -> list[AccountabilityRow]:
    await node.projector.settled()
    async with node.store.read() as session:
        rows = await session.accountability.record(node.settings.node, name)
    if not rows:
        raise ZonghengError("not_found", f"there is no record {name} here")
    await must_see(node, caller, rows[0].agency, f"record {name}")
    return rows


def _signed(caller: Caller, given: str) -> str:
    by = caller.signing(given)
    if not by.strip():
        raise ZonghengError("bad_request", "say who takes this step: a staff number")
    return by


def _public(text: str) -> str:
    if is_marked(text):
        raise ZonghengError(
            "classified", "a text marked as a state secret (涉密) does not belong into this system"
        )
    return text


def _view(steps: Sequence[AccountabilityRow], zone: str) -> AccountabilityView:
    first = steps[0]
    return AccountabilityView(
        record=first.record,
        who=first.who,
        agency=first.agency,
        alerts=orjson.loads(first.alerts),
        state=steps[-1].kind,
        measure=next((one.measure for one in reversed(steps) if one.measure), ""),
        steps=[
            AccountabilityStepView(
                index=one.idx,
                at=time_text(one.at_us, zone),
                kind=one.kind,
                by=one.by_whom,
                measure=one.measure,
                document=one.document,
                reason=one.reason,
                text=one.text,
                files=[FileView(**file) for file in orjson.loads(one.files)],
            )
            for one in steps
        ],
    )
