"""Runs of scores: drafted, reviewed, published, appealed; each step an entry.

A draft freezes what every subject came to, with the sizes of the journals it rests on; it can be computed again from them whenever somebody
wants to, here or at a parent that holds the journal, and `equal` says whether it comes out the same. What has changed since shows beside it.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from zongheng.v1.entry_pb2 import Entry
from zongheng.v1.score_pb2 import ScoreDraft, ScorePart, ScoreRow, ScoreStep, ScoreStepKind

from federation.errors import ZonghengError
from node.intake.secrecy import is_marked
from node.people.caller import Caller
from node.scoring.card import Card
from node.scoring.course import Done, Kind, StepRefused, check, revision_of, state_of
from node.scoring.figures import SubjectKind
from node.scoring.period import Period
from node.scoring.reading import Ground, Scored, run_name, sheet_at
from node.scoring.sheet import POINT
from node.store.drafts import Draft
from node.store.scores import ScoreStepRow
from node.views.present import time_text
from node.views.scores import (
    ScoreLine,
    computed,
    ground,
    grounds,
    lines_of,
    period_of,
    places_of,
    points_shown,
)
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node

_SOURCE = "score"


class FrozenScore(BaseModel):
    """A row of a draft beside what it comes to when it is computed again, and now."""

    subject: str
    agency: str
    group: str
    origin: str
    journal_size: int
    sample: int
    total: float | None
    rank: int | None
    parts: dict[str, float]
    lines: list[ScoreLine]
    """Why, as it comes out of the journals at the sizes that were frozen; empty where a journal is not here."""
    recomputed: float | None
    equal: bool | None
    now: float | None


class ScoreStepView(BaseModel):
    index: int
    at: str | None
    kind: str
    revision: int
    by: str
    reason: str
    subject: str
    item: str
    indicator: str
    points: float


class RunView(BaseModel):
    """A run: how far it has come, what its newest draft froze."""

    run: str
    node: str
    kind: str
    period: str
    state: str
    revision: int
    sheet: str
    sheet_version: int
    sheet_sender: str
    equal: bool | None
    frozen: list[FrozenScore]
    steps: list[ScoreStepView]


class RunLine(BaseModel):
    """A run in a list."""

    run: str
    node: str
    state: str
    revision: int


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = Field(default="", max_length=100)
    reason: str = Field(default="", max_length=1_000)


class DraftForm(_Form):
    """What is to be drafted."""

    kind: SubjectKind
    period: str


class StepForm(_Form):
    """A review or a publication."""


class MarkForm(_Form):
    """Points by hand, for an indicator of the sheet that has no formula."""

    kind: SubjectKind
    period: str
    subject: str = Field(min_length=1, max_length=200)
    indicator: str
    points: float


class AppealForm(_Form):
    """An appeal of one subject's score, in an item or, with an empty one, in the whole."""

    subject: str = Field(min_length=1, max_length=200)
    item: str = ""


class RulingForm(AppealForm):
    """Its decision."""

    points: float = Field(default=0, ge=0, le=1_000)
    """Given back; 0: dismissed."""


async def runs(node: "Node") -> list[RunLine]:
    """Runs of this node and of those whose journals are here."""
    await node.projector.settled()
    lines = []
    async with node.store.read() as session:
        for head in await session.journal.heads():
            by_run: dict[str, list[ScoreStepRow]] = {}
            for row in await session.scores.all(head.origin):
                by_run.setdefault(row.run, []).append(row)
            for name, rows in by_run.items():
                done = _done(rows)
                lines.append(
                    RunLine(run=name, node=head.origin, state=state_of(done), revision=revision_of(done))
                )
    return lines


async def run(node: "Node", caller: Caller, name: str) -> RunView:
    """One run: its steps, what its newest draft froze, and whether it comes out the same from the journals."""
    origin, kind, period = _named(name)
    rows = await _steps(node, origin, name)
    if not rows:
        raise ZonghengError("not_found", f"there is no run {name} here")
    done = _done(rows)
    drafts = [(row, step) for row in rows if (step := ScoreStep.FromString(row.body)).HasField("draft")]
    seen = await seen_by(node, caller)
    draft = drafts[-1][1].draft if drafts else ScoreDraft()
    frozen = await _compared(node, origin, draft, kind, period)
    shown = [one for one in frozen if seen is None or one.agency in seen]
    subjects = None if seen is None else {one.subject for one in shown}
    return RunView(
        run=name,
        node=origin,
        kind=kind,
        period=period.text,
        state=state_of(done),
        revision=revision_of(done),
        sheet=draft.sheet,
        sheet_version=draft.sheet_version,
        sheet_sender=draft.sheet_sender,
        equal=None if None in {one.equal for one in frozen} else all(one.equal for one in frozen),
        frozen=shown,
        steps=[
            _step(row, node.settings.zone)
            for row in rows
            if subjects is None or ScoreStep.FromString(row.body).subject in {"", *subjects}
        ],
    )


async def draft(node: "Node", caller: Caller, form: DraftForm) -> RunView:
    """Freeze what every subject comes to. ``bad_request`` for a period that is not over."""
    period = period_of(form.period)
    scorer = await ground(node, node.settings.node)
    if period.bounds_us((await node.contexts.of(scorer.origin)).zone)[1] > node.now():
        raise ZonghengError("bad_request", f"{period.text} is not over: draft its scores when it is")
    sheet, found = await computed(node, scorer, await grounds(node, form.kind, ""), form.kind, period)
    places = places_of(sheet, found)
    frozen = ScoreDraft(
        sheet=sheet.message.name,
        sheet_version=sheet.message.version,
        sheet_sender=sheet.sender,
        journal_size=scorer.size,
        rows=[_row(one, places) for one in found],
    )
    name = run_name(scorer.origin, form.kind, period.text)
    return await _enter(node, caller, name, Kind.DRAFTED, form, draft=frozen)


async def mark(node: "Node", caller: Caller, form: MarkForm) -> RunView:
    """Give points by hand; the newest for an indicator counts, from the next draft on."""
    period = period_of(form.period)
    scorer = await ground(node, node.settings.node)
    async with node.store.read() as session:
        held = await sheet_at(session, scorer, form.kind)
    by_hand = {one.code: one for one in held.message.indicators if not one.formula}
    indicator = by_hand.get(form.indicator)
    if indicator is None:
        raise ZonghengError(
            "bad_request",
            f"points are given by hand for {', '.join(by_hand) or 'nothing'}, not for {form.indicator!r}",
        )
    points = round(form.points * POINT)
    if not indicator.low <= points <= indicator.high:
        raise ZonghengError(
            "bad_request",
            f"{form.indicator} takes {indicator.low / POINT:g} to {indicator.high / POINT:g} points",
        )
    step = ScoreStep(subject=form.subject, item=indicator.item, indicator=form.indicator, points=points)
    return await _enter(
        node, caller, run_name(scorer.origin, form.kind, period.text), Kind.MARKED, form, step
    )


async def review(node: "Node", caller: Caller, name: str, form: StepForm) -> RunView:
    """Say that a draft was looked through."""
    return await _enter(node, caller, name, Kind.REVIEWED, form)


async def publish(node: "Node", caller: Caller, name: str, form: StepForm) -> RunView:
    """Publish what was reviewed."""
    return await _enter(node, caller, name, Kind.PUBLISHED, form)


async def appeal(node: "Node", caller: Caller, name: str, form: AppealForm) -> RunView:
    """Appeal one subject's published score."""
    view = await run(node, caller, name)
    parts = next((one.parts for one in view.frozen if one.subject == form.subject), None)
    if parts is None:
        raise ZonghengError("not_found", f"there is no score of {form.subject} in {name}")
    if form.item and form.item not in parts:
        raise ZonghengError(
            "bad_request",
            f"the sheet of {name} has no item {form.item!r}: {', '.join(parts)}, or none for the whole",
        )
    return await _enter(
        node, caller, name, Kind.APPEALED, form, ScoreStep(subject=form.subject, item=form.item)
    )


async def rule(node: "Node", caller: Caller, name: str, form: RulingForm) -> RunView:
    """Decide an appeal: points given back count from the next draft on."""
    step = ScoreStep(subject=form.subject, item=form.item, points=round(form.points * POINT))
    return await _enter(node, caller, name, Kind.APPEAL_DECIDED, form, step)


async def _enter(
    node: "Node",
    caller: Caller,
    name: str,
    kind: Kind,
    form: _Form,
    step: ScoreStep | None = None,
    draft: ScoreDraft | None = None,
) -> RunView:
    """Enter a step at its place; who comes second to the same place is told."""
    origin, _, period = _named(name)
    if origin != node.settings.node:
        raise ZonghengError(
            "bad_request", f"{name} is a run of {origin}: what is done about it is done there"
        )
    if is_marked(form.reason):
        raise ZonghengError(
            "classified", "a text marked as a state secret (涉密) does not belong into this system"
        )
    rows = await _steps(node, origin, name)
    if not rows and kind not in (Kind.DRAFTED, Kind.MARKED):
        raise ZonghengError("not_found", f"there is no run {name} here")
    done, by = _done(rows), caller.signing(form.by)
    said = step or ScoreStep()
    try:
        check(
            done, kind, by=by, reason=form.reason, now_us=node.now(), subject=said.subject, item=said.item,
            month=period.is_month,
        )  # fmt: skip
    except StepRefused as refused:
        raise ZonghengError("bad_request", str(refused)) from None
    said.run, said.by, said.reason = name, by, form.reason
    said.kind = ScoreStepKind.Value(f"SCORE_STEP_KIND_{kind.upper()}")
    said.revision = revision_of(done) + (kind is Kind.DRAFTED)
    if draft is not None:
        said.draft.CopyFrom(draft)
    entry = Entry(noted_at_us=node.now(), source=_SOURCE, serial=f"{name}/{len(rows)}", score_step=said)
    if (await node.writer.append([Draft.of(entry)])).repeated:
        raise ZonghengError("bad_request", "somebody else took a step at the same moment: look again")
    return await run(node, caller, name)


async def _steps(node: "Node", origin: str, name: str) -> list[ScoreStepRow]:
    await node.projector.settled()
    async with node.store.read() as session:
        return await session.scores.run(origin, name)


async def _compared(
    node: "Node", origin: str, draft: ScoreDraft, kind: SubjectKind, period: Period
) -> list[FrozenScore]:
    """Each row of a draft beside what it comes to when it is computed again from the journals up to its sizes, and as they stand now."""
    scorer = Ground(origin, draft.journal_size)
    rested = [Ground(*one) for one in dict.fromkeys((row.origin, row.journal_size) for row in draft.rows)]
    async with node.store.read() as session:
        held = {head.origin for head in await session.journal.heads()}
    if not draft.rows or not {one.origin for one in rested} <= held:
        # Somebody's journal is not here: whether it comes out the same is for those to say who hold it.
        return [_frozen(row, None, None).model_copy(update={"equal": None}) for row in draft.rows]
    current = [await ground(node, one.origin) for one in rested]
    for then, here in zip(rested, current, strict=True):
        if here.size < then.size:
            raise ZonghengError("busy", f"the journal of {then.origin} is still being read; ask again later")
    sheet, again = await computed(node, scorer, rested, kind, period)
    _, now = await computed(node, await ground(node, origin), current, kind, period)
    places = places_of(sheet, again)
    by_then = {(one.ground.origin, one.subject): (one.card, places.get(one.subject, 0)) for one in again}
    by_now = {(one.ground.origin, one.subject): one.card for one in now}
    keys = [(row.origin, row.subject) for row in draft.rows]
    frozen = [
        _frozen(row, by_then.get(key), by_now.get(key)) for key, row in zip(keys, draft.rows, strict=True)
    ]
    # A subject that was left out makes none of them right.
    return (
        frozen if by_then.keys() == set(keys) else [one.model_copy(update={"equal": False}) for one in frozen]
    )


def _row(one: Scored, places: dict[str, int]) -> ScoreRow:
    return ScoreRow(
        subject=one.subject,
        agency=one.agency,
        group=one.group,
        origin=one.ground.origin,
        journal_size=one.ground.size,
        sample=one.card.sample,
        total=one.card.total,
        parts=[ScorePart(item=item, points=points) for item, points in one.card.parts.items()],
        rank=places.get(one.subject, 0),
    )


def _frozen(row: ScoreRow, again: tuple[Card, int] | None, current: Card | None) -> FrozenScore:
    total = row.total if row.HasField("total") else None
    parts = {part.item: part.points for part in row.parts}
    return FrozenScore(
        subject=row.subject,
        agency=row.agency,
        group=row.group,
        origin=row.origin,
        journal_size=row.journal_size,
        sample=row.sample,
        total=points_shown(total),
        rank=row.rank or None,
        parts={item: points / POINT for item, points in parts.items()},
        lines=[] if again is None else lines_of(again[0]),
        recomputed=points_shown(None if again is None else again[0].total),
        equal=again is not None
        and (again[0].total, dict(again[0].parts), again[0].sample, again[1])
        == (total, parts, row.sample, row.rank),
        now=points_shown(None if current is None else current.total),
    )


def _step(row: ScoreStepRow, zone: str) -> ScoreStepView:
    step = ScoreStep.FromString(row.body)
    return ScoreStepView(
        index=row.idx,
        at=time_text(row.at_us, zone),
        kind=_kind(step),
        revision=step.revision,
        by=step.by,
        reason=step.reason,
        subject=step.subject,
        item=step.item,
        indicator=step.indicator,
        points=step.points / POINT,
    )


def _done(rows: Sequence[ScoreStepRow]) -> list[Done]:
    done = []
    for row in rows:
        step = ScoreStep.FromString(row.body)
        done.append(Done(Kind(_kind(step)), row.at_us, step.by, step.revision, step.subject, step.item))
    return done


def _kind(step: ScoreStep) -> str:
    return ScoreStepKind.Name(step.kind).removeprefix("SCORE_STEP_KIND_").lower()


def _named(name: str) -> tuple[str, SubjectKind, Period]:
    """Node, kind and period out of a run's name. ``not_found`` for what is none."""
    origin, mark, rest = name.partition("-jx-")
    kind, _, period = rest.partition("-")
    if not mark or kind not in set(SubjectKind):
        raise ZonghengError("not_found", f"there is no run {name} here")
    return origin, SubjectKind(kind), period_of(period)
