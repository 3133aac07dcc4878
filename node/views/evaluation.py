"""Every case of this node evaluated as of an instant: counts that anybody can check against the log they came from."""

import asyncio
from typing import TYPE_CHECKING

import polars as pl
from pydantic import BaseModel

from node.projection.context import JournalContext
from node.store.rows import GATHERED
from node.supervision.bulk import evaluate_all
from node.supervision.evaluate import Evaluation
from node.supervision.levels import LEVELS
from node.views.present import time_text, time_us

if TYPE_CHECKING:
    from node.run import Node


class RuleCount(BaseModel):
    checked: int
    """Subjects the rule could judge."""
    undetermined: int
    """Subjects of which too little is known."""


class EvaluationView(BaseModel):
    """The whole node as of (instant, journal size). ``late`` is past the statutory deadline, or past the promised one where no
    statutory one is known: completed after it, or open and past it."""

    as_of: str | None
    journal_size: int
    cases: int
    open: int
    completed: int
    refused: int
    handed_over: int
    late: int
    late_completed: int
    late_open: int
    undetermined: int
    """Cases without any deadline."""
    alerts: dict[str, dict[str, int]]
    """Rule → level → findings that hold; levels with none are absent."""
    rules: dict[str, RuleCount]
    late_cases: list[str]
    policy_version: int
    calendar_version: str


async def evaluation(node: "Node", as_of: str | None) -> EvaluationView:
    """Evaluate from the events; writes nothing."""
    await node.projector.settled()
    origin, zone = node.settings.node, node.settings.zone
    as_of_us = time_us(as_of, zone) or node.now()
    async with node.store.read() as session:
        size = (await session.cursors.get("events", origin)).position
        events = await node.history.packed(session, origin, size)
    context = await node.contexts.of(origin)
    return await asyncio.to_thread(_evaluated, events, context, as_of_us, size, zone)


def _evaluated(
    events: pl.DataFrame, context: JournalContext, as_of_us: int, size: int, zone: str
) -> EvaluationView:
    return shown(evaluate_all(events, context.context, as_of_us, size, context.domains), zone)


def shown(result: Evaluation, zone: str) -> EvaluationView:
    """An evaluation in counts."""
    cases = result.cases.filter(pl.col("state") != GATHERED)
    late = cases.filter(pl.col("late"))
    states = dict(cases.group_by("state").len().iter_rows())
    late_completed = late.filter(pl.col("state") == "completed").height
    alerts: dict[str, dict[str, int]] = {}
    rules = {}
    for row in result.rules.iter_rows(named=True):
        rules[row["rule"]] = RuleCount(checked=row["checked"], undetermined=row["undetermined"])
        found = {level: row[level] for level in LEVELS[1:] if row[level]}
        if found:
            alerts[row["rule"]] = found
    closed = {state: states.get(state, 0) for state in ("completed", "refused", "handed_over")}
    return EvaluationView(
        as_of=time_text(result.as_of_us, zone),
        journal_size=result.journal_size,
        cases=cases.height,
        open=cases.height - sum(closed.values()),
        late=late.height,
        late_completed=late_completed,
        late_open=late.height - late_completed,
        undetermined=cases["late"].null_count(),
        alerts=alerts,
        rules=rules,
        late_cases=late["case_id"].sort().to_list(),
        policy_version=result.policy_version,
        calendar_version=result.calendar_version,
        **closed,
    )
