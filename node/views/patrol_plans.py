"""Plans of video patrols as people read and change them, with what is due."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from federation.errors import ZonghengError
from federation.trunk.frame import Quality, Stream
from node.models.patrol import PlanForm
from node.patrol.due import due
from node.people.caller import Caller
from node.views.present import day_text, time_text

if TYPE_CHECKING:
    from node.models.patrol import Plan
    from node.run import Node


class PlanNote(BaseModel):
    """A plan to keep."""

    model_config = ConfigDict(extra="forbid")

    plan: PlanForm
    by: str = ""


class By(BaseModel):
    """Who does it, and why."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    reason: str = Field(default="", max_length=1_000)


class ItemView(BaseModel):
    """Something to look at."""

    item: str
    zh: str
    en: str


class PlanView(BaseModel):
    """A plan, and whether it is walked."""

    plan: str
    name: str
    places: list[str]
    items: list[ItemView]
    every_days: int
    responsible: str
    changed_by: str
    changed_at: str | None
    walked_at: str | None
    """When the last complete round began."""
    due_day: str | None
    """When the next is due; null: no period."""
    missed: int
    """Rounds that were due and not walked since the last one."""
    open_round: str
    """The round that is being walked; empty: none."""


async def plans(node: "Node") -> list[PlanView]:
    """Every plan, by code."""
    return [await _plan(node, plan) for plan in await node.patrols.plans()]


async def plan(node: "Node", code: str) -> PlanView:
    """One plan. ZonghengError `not_found`."""
    return await _plan(node, await node.patrols.plan(code))


async def keep_plan(node: "Node", caller: Caller, form: PlanNote) -> PlanView:
    """Add a plan, or change it. ZonghengError `unknown_node` for a hall that is not here or below."""
    for place in form.plan.places:
        of = place.partition("/")[0]
        if of != node.settings.node and not node.tree.is_below(of):
            raise ZonghengError("unknown_node", f"there is no node {of!r} at or below {node.settings.node}")
    await node.patrols.keep_plan(form.plan, caller.signing(form.by) or caller.who)
    return await plan(node, form.plan.code)


async def remove_plan(node: "Node", caller: Caller, code: str, form: By) -> list[PlanView]:
    """Forget a plan; its rounds stay."""
    await node.patrols.remove_plan(code, caller.signing(form.by) or caller.who)
    return await plans(node)


def stops_of(node: "Node", places: tuple[str, ...]) -> list[tuple[Stream, str, str, str]]:
    """Each camera once, in the plan's order: of a node the first of each hall."""
    found: dict[str, tuple[Stream, str, str, str]] = {}
    for place in places:
        of, _, code = place.partition("/")
        card = node.tree.own if of == node.settings.node else node.tree.get(of)
        halls: set[str] = set()
        for camera in () if card is None else sorted(card.cameras, key=lambda one: one.camera):
            if code and camera.camera != code:
                continue
            if not code and camera.hall in halls:
                continue
            halls.add(camera.hall)
            stream = Stream(of, camera.camera, Quality.MAIN)
            assert card is not None
            found.setdefault(str(stream), (stream, card.name, camera.hall, camera.name))
    return list(found.values())


async def _plan(node: "Node", kept: "Plan") -> PlanView:
    form, zone = kept.form, node.settings.zone
    walked_us = await node.patrols.walked_us(form.code)
    next_due = due(form.every_days, kept.since_us, walked_us, node.now(), ZoneInfo(zone))
    newest = await node.patrols.rounds(form.code, 1)
    return PlanView(
        plan=form.code,
        name=form.name,
        places=list(form.places),
        items=[ItemView(item=one.code, zh=one.zh, en=one.en or one.zh) for one in form.items],
        every_days=form.every_days,
        responsible=form.responsible or "",
        changed_by=kept.changed_by,
        changed_at=time_text(kept.changed_at_us, zone),
        walked_at=time_text(walked_us, zone),
        due_day=day_text(next_due.day),
        missed=next_due.missed,
        open_round=newest[0].id if newest and newest[0].ended is None else "",
    )
