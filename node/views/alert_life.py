"""The life of one alert as people read it and act on it, what waits for a decision from below, the inbox, and who acted in time."""

import asyncio
import mimetypes
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.entry_pb2 import ALERT_STATE_ESCALATED
from zongheng.v1.life_pb2 import FileRef

from federation.errors import ZonghengError
from node.alerting.concerns import concerns
from node.alerting.desk import life_of
from node.people import audit
from node.people.caller import Caller
from node.store.alerts import AlertFilter
from node.store.rows import AlertRecord
from node.store.steps import StepRow
from node.supervision import life
from node.supervision.alert import LIFE_DOMAIN, MOVES
from node.supervision.levels import STATES
from node.supervision.life import Step, appeal_until_us, owed
from node.supervision.policy import Level
from node.views import alerts
from node.views.explanation import ConcernView, concern_view
from node.views.present import level_number, time_text
from node.views.sight import must_see

if TYPE_CHECKING:
    from node.run import Node

_MOST = 100_000


class FileView(BaseModel):
    """A file that was handed in with a step."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=300)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, lt=2**63)
    media_type: str = Field(default="", max_length=200)


class Answer(BaseModel):
    """An explanation, a rectification or an appeal."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    """Staff number; over the network it is whoever asks."""
    reason: str = Field(default="", max_length=1_000)
    """In short words; stands in the journal."""
    text: str = Field(default="", max_length=200_000)
    """In full; goes to the vault, its digest to the journal."""
    files: list[FileView] = Field(default=[], max_length=100)


class Ruling(BaseModel):
    """What becomes of an appeal."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    verdict: Literal["cancel", "uphold"]
    reason: str = Field(min_length=1, max_length=1_000)


class Note(BaseModel):
    """Who takes a step, and why."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    reason: str = Field(default="", max_length=1_000)


class Finding(BaseModel):
    """Something that somebody found and no rule did."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    level: str
    case: str = ""
    """Empty: it is about the agency and no case."""
    agency: str = ""
    """Empty: the case's."""
    actor: str = ""
    subject: str = Field(default="case", max_length=200)
    """What in the case it is about; tells two findings of one level apart."""
    reason: str = Field(min_length=1, max_length=1_000)
    text: str = Field(default="", max_length=200_000)
    files: list[FileView] = Field(default=[], max_length=100)


class StepView(BaseModel):
    """One step of an alert's life."""

    index: int
    at: str | None
    state: str
    by: str
    reason: str
    text: str
    """Digest of the full text; ``GET /api/alerts/…`` with a purpose shows it in ``words``."""
    words: str | None
    files: list[FileView]
    node: str
    """The node above that decided; empty: this one."""


class OwedView(BaseModel):
    """What is owed next."""

    duty: str
    layer: str
    due_at: str | None
    over: int
    """Working days late; 0: in time."""
    policy_version: int
    """Of the policy that was in force when it began to be owed, and says until when."""
    mandates: str
    """The policies from above that applied besides, as of an alert."""


class LifeView(BaseModel):
    """One alert with all that happened to it."""

    alert: alerts.AlertView
    steps: list[StepView]
    owed: OwedView | None
    appeal_until: str | None
    """Until when it can be appealed; null: it cannot."""
    concern: ConcernView | None
    """The step that it is about, with its risk points, its post and who held it."""


class SaidView(BaseModel):
    """The full text of one step below."""

    state: str
    by: str
    at: str | None
    words: str | None
    """None: it was erased below, or is too long to have come with the appeal."""


class EscalatedView(BaseModel):
    """An appeal that a node below escalated."""

    origin: str
    alert: alerts.AlertView
    reason: str
    """Of who escalated it."""
    appeal: str
    """The appeal's own reason."""
    texts: list[SaidView]
    """What was said below in full, in the order of the steps; empty without a purpose."""
    escalated_at: str | None
    due_at: str | None


async def life_view(node: "Node", caller: Caller, alert_id: str, purpose: str) -> LifeView:
    """One alert, every step; with a purpose the full texts too, and that they were read is an entry."""
    await node.projector.settled()
    record, steps = await _known(node, caller, alert_id)
    words: dict[str, str | None] = {}
    digests = [one.text for one in steps if one.text]
    if purpose.strip() and digests:
        await node.write_entries([audit.looked(caller, f"texts of alert {alert_id}", purpose)])
        async with node.store.read() as session:
            for digest in digests:
                words[digest] = await node.vault.text(session.vault, digest)
    days, terms, zone, now_us = (
        await node.alert_desk.days(),
        await node.alert_desk.terms(),
        node.settings.zone,
        node.now(),
    )
    lived = life_of(record, steps)
    due = None if record.domain == LIFE_DOMAIN else owed(lived, terms, days)
    until = appeal_until_us(lived, terms, days) if lived.issued_at_us else 0
    may_appeal = (
        life.APPEALED in MOVES.get(lived.state, frozenset()) and not lived.appealed and now_us <= until
    )
    own = node.settings.node
    async with node.store.read() as session:
        concerned = await concerns(session, await node.contexts.of(own), [record])
    return LifeView(
        alert=alerts.view(record, zone),
        steps=[_step(one, zone, words) for one in steps],
        owed=None
        if due is None
        else OwedView(
            duty=due.duty,
            layer=due.layer,
            due_at=time_text(due.due_us, zone),
            over=days.over(due.due_us, now_us),
            policy_version=due.terms.policy_version,
            mandates=due.terms.mandates,
        ),
        appeal_until=time_text(until, zone) if may_appeal else None,
        concern=concern_view(concerned.get(alert_id)),
    )


async def answer(node: "Node", caller: Caller, alert_id: str, step: Step, form: Answer) -> LifeView:
    """Explain, rectify or appeal."""
    return await _taken(node, caller, alert_id, step, form.by, form.reason, form.text, form.files)


async def note(node: "Node", caller: Caller, alert_id: str, step: Step, form: Note) -> LifeView:
    """Escalate, urge or close."""
    return await _taken(node, caller, alert_id, step, form.by, form.reason)


async def rule(node: "Node", caller: Caller, alert_id: str, form: Ruling) -> LifeView:
    """Decide an appeal here."""
    step = Step.CANCEL if form.verdict == "cancel" else Step.UPHOLD
    return await _taken(node, caller, alert_id, step, form.by, form.reason)


async def raise_by_hand(node: "Node", caller: Caller, form: Finding) -> LifeView:
    """Raise what somebody found. ``not_found`` for a case that is not here, ``bad_request`` for neither case nor agency."""
    await node.projector.settled()
    agency, item = form.agency, ""
    if form.case:
        async with node.store.read() as session:
            facts = await session.facts.get(node.settings.node, form.case)
        if facts is None:
            raise ZonghengError("not_found", f"there is no case {form.case} here")
        await must_see(node, caller, facts.agency, f"case {form.case}")
        agency, item = agency or facts.agency, facts.item
    if not agency:
        raise ZonghengError("bad_request", "say which case or which agency it is about")
    await must_see(node, caller, agency, f"agency {agency}")
    number = level_number(form.level)
    if not number:
        raise ZonghengError("bad_request", "say which level: notice, yellow or red")
    must_be_here(node, form.files)
    record = await node.alert_desk.raise_by_hand(
        by=caller.signing(form.by),
        level=Level(number),
        case_id=form.case or f"agency/{agency}",
        agency=agency,
        item=item,
        actor=form.actor,
        subject=form.subject,
        reason=form.reason,
        text=form.text,
        files=_refs(form.files),
    )
    return await life_view(node, caller, record.alert_id, "")


async def escalated(node: "Node", caller: Caller, purpose: str = "") -> list[EscalatedView]:
    """Appeals that children escalated and that wait for a decision here, the oldest first; with a purpose the full texts of each, and that
    they were read is an entry.
    """
    await node.projector.settled()
    own, zone = node.settings.node, node.settings.zone
    found: list[tuple[int, EscalatedView]] = []
    if caller.bound:
        return []
    async with node.store.read() as session:
        origins = [head.origin for head in await session.journal.heads() if head.origin != own]
        waiting = {
            origin: await session.alerts.page(
                origin, AlertFilter(states=(int(ALERT_STATE_ESCALATED),)), _MOST
            )
            for origin in origins
        }
        steps = {
            origin: await session.steps.of_alerts(origin, [one.alert_id for one in page])
            for origin, page in waiting.items()
        }
    for origin, page in waiting.items():
        days = await node.alert_desk.days(origin) if page else None
        terms = await node.alert_desk.terms(origin)
        for record in page:
            rows = steps[origin].get(record.alert_id, [])
            risen = next((one for one in reversed(rows) if one.state == life.ESCALATED), None)
            appeal = next((one for one in reversed(rows) if one.state == life.APPEALED), None)
            if risen is None or days is None:
                continue
            said = [one for one in rows if one.text and one.idx < risen.idx]
            words: dict[str, str] = {}
            if purpose.strip() and said:
                looked = audit.looked(caller, f"texts of alert {record.alert_id} of {origin}", purpose)
                await node.write_entries([looked])
                words = await node.alert_desk.said_below(origin, risen.idx)
            shown = EscalatedView(
                origin=origin,
                alert=alerts.view(record, zone),
                reason=risen.reason,
                appeal="" if appeal is None else appeal.reason,
                texts=[
                    SaidView(
                        state=STATES[one.state],
                        by=one.by_whom,
                        at=time_text(one.at_us, zone),
                        words=words.get(one.text),
                    )
                    for one in said
                    if purpose.strip()
                ],
                escalated_at=time_text(risen.at_us, zone),
                due_at=time_text(days.due_us(risen.at_us, terms.above(risen.at_us).escalated_days), zone),
            )
            found.append((risen.at_us, shown))
    return [shown for _, shown in sorted(found, key=lambda one: (one[0], one[1].alert.alert_id))]


async def rule_below(
    node: "Node", caller: Caller, origin: str, alert_id: str, form: Ruling
) -> alerts.AlertView:
    """Decide an appeal that a child escalated; the decision goes down addressed to it."""
    if caller.bound:
        raise ZonghengError("not_found", f"there is no alert {alert_id} here")
    await node.projector.settled()
    step = Step.CANCEL if form.verdict == "cancel" else Step.UPHOLD
    record = await node.alert_desk.decide_below(
        origin, alert_id, step, by=caller.signing(form.by), reason=form.reason
    )
    return alerts.view(record, node.settings.zone)


async def _taken(
    node: "Node",
    caller: Caller,
    alert_id: str,
    step: Step,
    by: str,
    reason: str,
    text: str = "",
    files: Sequence[FileView] = (),
) -> LifeView:
    if not await node.projector.settled():
        raise ZonghengError("busy", "the node is still reading its journal; try again when it has caught up")
    await _known(node, caller, alert_id)
    must_be_here(node, files)
    await node.alert_desk.take(
        alert_id, step, by=caller.signing(by), reason=reason, text=text, files=_refs(files)
    )
    return await life_view(node, caller, alert_id, "")


async def shelve(node: "Node", name: str, content: bytes) -> FileView:
    """Keep a file in the node's folder, to be named by a step."""
    part = f"adding.{secrets.token_hex(8)}"

    def write() -> str:
        node.shelf.extend(part, content)
        return node.shelf.add(part)

    digest = await asyncio.to_thread(write)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return FileView(name=name, sha256=digest, size=len(content), media_type=media_type)


async def file_of(node: "Node", caller: Caller, alert_id: str, sha256: str, purpose: str) -> Path:
    """Where a file lies that a step of this alert names. That it was looked at is an entry."""
    _, steps = await _known(node, caller, alert_id)
    if not any(one["sha256"] == sha256 for step in steps for one in orjson.loads(step.files)):
        raise ZonghengError("not_found", f"alert {alert_id} names no file {sha256}")
    if not node.shelf.has(sha256):
        raise ZonghengError("not_found", f"the file {sha256} is not in this node's folder any more")
    await node.write_entries([audit.looked(caller, f"file {sha256} of alert {alert_id}", purpose)])
    return node.shelf.path(sha256)


async def _known(node: "Node", caller: Caller, alert_id: str) -> tuple[AlertRecord, list[StepRow]]:
    own = node.settings.node
    async with node.store.read() as session:
        record = await session.alerts.get(own, alert_id)
        steps = (await session.steps.of_alerts(own, [alert_id])).get(alert_id, [])
    if record is None:
        raise ZonghengError("not_found", f"there is no alert {alert_id} here")
    await must_see(node, caller, record.agency, f"alert {alert_id}")
    return record, steps


def must_be_here(node: "Node", files: Sequence[FileView]) -> None:
    """``not_found`` for a file that was not put into the node's folder first."""
    for file in files:
        if not node.shelf.has(file.sha256) or node.shelf.path(file.sha256).stat().st_size != file.size:
            raise ZonghengError(
                "not_found", f"the file {file.sha256} is not in this node's folder: POST /api/uploads first"
            )


def _refs(files: Sequence[FileView]) -> list[FileRef]:
    return [FileRef(**one.model_dump()) for one in files]


def _step(row: StepRow, zone: str, words: dict[str, str | None]) -> StepView:
    return StepView(
        index=row.idx,
        at=time_text(row.at_us, zone),
        state=STATES.get(row.state, str(row.state)),
        by=row.by_whom,
        reason=row.reason,
        text=row.text,
        words=words.get(row.text),
        files=[FileView(**one) for one in orjson.loads(row.files)],
        node=row.node,
    )
