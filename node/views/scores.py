"""Scores (绩效测评) as the journals stand: what every subject comes to, each point lost with why and its alerts; and the sheet in force."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel

from federation.errors import ZonghengError
from node.people.caller import Caller
from node.scoring.card import Card, Standing, ranked
from node.scoring.figures import SubjectKind
from node.scoring.period import BadPeriod, Period
from node.scoring.reading import Ground, Scored, run_name, scores, sheet_at
from node.scoring.sheet import POINT, Sheet
from node.supervision.levels import LEVELS
from node.views.sight import seen_by

if TYPE_CHECKING:
    from node.run import Node


class ScoreLine(BaseModel):
    """Points lost or won."""

    item: str
    why: str
    points: float
    rule: str
    alerts: list[str]
    cases: list[str]
    reason: str
    entry: int | None


class ReturnedAlert(BaseModel):
    """An alert that costs nothing, and why."""

    alert: str
    case: str
    rule: str
    level: str
    item: str
    state: str
    reason: str
    entry: int | None


class MonthTotal(BaseModel):
    month: str
    sample: int
    total: float | None


class ScoreView(BaseModel):
    """What one subject came to."""

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
    returned: list[ReturnedAlert]
    undetermined: list[str]
    figures: dict[str, int]
    months: list[MonthTotal]


class ScoresView(BaseModel):
    """The scores of one kind of subject over a period."""

    run: str
    kind: str
    period: str
    sheet: str
    sheet_version: int
    sheet_sender: str
    denominator: str
    minimum_sample: int
    scores: list[ScoreView]


class SheetItemView(BaseModel):
    code: str
    name_zh: str
    name_en: str
    points: float
    rules: list[str]


class SheetIndicatorView(BaseModel):
    code: str
    item: str
    name_zh: str
    name_en: str
    formula: str
    low: float
    high: float
    step: float


class SheetView(BaseModel):
    """The sheet in force for a kind."""

    name: str
    version: int
    sender: str
    title: str
    items: list[SheetItemView]
    indicators: list[SheetIndicatorView]
    notices_in_a_row: int
    notices_points: float
    yellow_points: float
    red_points: float
    sample: str
    minimum_sample: int


async def now(
    node: "Node", caller: Caller, kind: SubjectKind, period: str, subject: str = "", origin: str = ""
) -> ScoresView:
    """The scores as the journals stand. ``origin``: of one node held here, by this node's sheet."""
    read = period_of(period)
    scorer = await ground(node, node.settings.node)
    sheet, found = await computed(node, scorer, await grounds(node, kind, origin), kind, read)
    places = places_of(sheet, found)
    seen = await seen_by(node, caller)
    return ScoresView(
        run=run_name(scorer.origin, kind, period),
        kind=kind,
        period=period,
        sheet=sheet.message.name,
        sheet_version=sheet.message.version,
        sheet_sender=sheet.sender,
        denominator=sheet.message.sample,
        minimum_sample=sheet.message.minimum_sample,
        scores=[
            _score(one, places)
            for one in found
            if (seen is None or one.agency in seen) and subject in ("", one.subject)
        ],
    )


async def sheet(node: "Node", kind: SubjectKind) -> SheetView:
    """The sheet by which this node scores a kind."""
    scorer = await ground(node, node.settings.node)
    async with node.store.read() as session:
        held = await sheet_at(session, scorer, kind)
    message = held.message
    return SheetView(
        name=message.name,
        version=message.version,
        sender=held.sender,
        title=message.title,
        items=[
            SheetItemView(
                code=one.code, name_zh=one.name_zh, name_en=one.name_en, points=one.worth / POINT, rules=list(one.rules)
            )
            for one in message.items
        ],
        indicators=[
            SheetIndicatorView(
                code=one.code, item=one.item, name_zh=one.name_zh, name_en=one.name_en, formula=one.formula,
                low=one.low / POINT, high=one.high / POINT, step=one.step / POINT,
            )
            for one in message.indicators
        ],
        notices_in_a_row=message.notices_in_a_row,
        notices_points=message.notices_points / POINT,
        yellow_points=message.yellow_points / POINT,
        red_points=message.red_points / POINT,
        sample=message.sample,
        minimum_sample=message.minimum_sample,
    )  # fmt: skip


async def ground(node: "Node", origin: str) -> Ground:
    """A journal as far as it is projected. ``unknown_node`` for one that is not here."""
    await node.projector.settled()
    async with node.store.read() as session:
        if await session.journal.head(origin) is None:
            raise ZonghengError("unknown_node", f"no journal of {origin} is held here")
        return Ground(origin, (await session.cursors.get("events", origin)).position)


async def grounds(node: "Node", kind: SubjectKind, origin: str) -> list[Ground]:
    """Nodes are scored side by side, by every journal that is here; all others by the node's own."""
    if origin or kind is not SubjectKind.NODE:
        return [await ground(node, origin or node.settings.node)]
    async with node.store.read() as session:
        heads = await session.journal.heads()
    return [await ground(node, head.origin) for head in heads if head.size]


async def computed(
    node: "Node", scorer: Ground, grounds: Sequence[Ground], kind: SubjectKind, period: Period
) -> tuple[Sheet, list[Scored]]:
    async with node.store.read() as session:
        sheet = await sheet_at(session, scorer, kind)
    return sheet, await scores(node.store, node.contexts, scorer, grounds, kind, period, sheet)


def places_of(sheet: Sheet, found: Sequence[Scored]) -> dict[str, int]:
    standings = [Standing(one.subject, one.group, one.card.sample, one.card.total) for one in found]
    return ranked(standings, sheet.message.minimum_sample)


def _score(one: Scored, places: dict[str, int]) -> ScoreView:
    card = one.card
    return ScoreView(
        subject=one.subject,
        agency=one.agency,
        group=one.group,
        origin=one.ground.origin,
        journal_size=one.ground.size,
        sample=card.sample,
        total=points_shown(card.total),
        rank=places.get(one.subject),
        parts={item: points / POINT for item, points in card.parts.items()},
        lines=lines_of(card),
        returned=[
            ReturnedAlert(
                alert=back.alert_id,
                case=back.case_id,
                rule=back.rule,
                level=LEVELS[back.level],
                item=back.item,
                state=back.state,
                reason=back.reason,
                entry=None if back.entry < 0 else back.entry,
            )
            for back in card.returned
        ],
        undetermined=list(card.undetermined),
        figures=dict(card.figures),
        months=[
            MonthTotal(month=month, sample=each.sample, total=points_shown(each.total))
            for month, each in one.months
        ],
    )


def lines_of(card: Card) -> list[ScoreLine]:
    """Points lost and won, each with why and the alerts it lies in."""
    return [
        ScoreLine(
            item=line.item,
            why=line.why,
            points=line.points / POINT,
            rule=line.rule,
            alerts=list(line.alerts),
            cases=list(line.cases),
            reason=line.reason,
            entry=None if line.entry < 0 else line.entry,
        )
        for line in card.lines
    ]


def points_shown(hundredths: int | None) -> float | None:
    return None if hundredths is None else hundredths / POINT


def period_of(text: str) -> Period:
    try:
        return Period.parse(text)
    except BadPeriod as bad:
        raise ZonghengError("bad_request", str(bad)) from None
