"""Pages of halls: the wall on which all of them are seen, and video patrols through them, planned and walked."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from federation.errors import CATALOGUE, ZonghengError
from node.people.inside import Inside
from node.views import patrol, patrol_plans, wall
from node.web.guard import Asking
from node.web.scripted import scripted

if TYPE_CHECKING:
    from node.run import Node
    from node.views.patrol import RoundView, StopView

_TILES: Final = 60
_ROUNDS: Final = 30

_STATES: Final = {
    "seeing": ("正常", "sees"),
    "lost": ("中断", "lost"),
    "frozen": ("画面静止", "frozen"),
    "dark": ("黑屏", "dark"),
    "unknown": ("未知", "unknown"),
}

_STAGES: Final = {
    "drafted": "待审批", "approved": "已审批", "notified": "已下达", "signed": "已签收", "handled": "办理中",
    "answered": "已反馈", "sent_back": "已退回", "accepted": "审核通过", "closed": "已办结", "withdrawn": "已撤回",
}  # fmt: skip

_USUAL: Final = "\n".join(
    (
        "窗口有人值守 | Windows are staffed",
        "工作纪律良好 | Staff attend to their work",
        "群众等候有序 | People wait in order, and not for long",
        "公示栏内容更新 | The notice board is up to date",
        "环境整洁、设备完好 | The hall is tidy, its devices work",
    )
)
"""What a new plan begins with; this project's choice."""


def router(node: "Node") -> APIRouter:
    """The pages over one node."""
    routes = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @routes.get("/wall")
    async def show_wall(
        caller: Asking,
        of: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[int, Query(ge=0)] = 0,
        trouble: bool = False,
    ) -> HTMLResponse:
        shown = await wall.wall(node, caller, of, after, _TILES, trouble=trouble)
        return scripted(
            "wall.html", {}, pictures=True, name=node.settings.name, wall=shown, trouble=trouble, age=age, states=_STATES
        )  # fmt: skip

    @routes.get("/patrol")
    async def show_patrols(request: Request, caller: Asking) -> HTMLResponse:
        plans = await patrol_plans.plans(node)
        halls = (await wall.wall(node, caller, limit=10_000)).tiles
        given = {"csrf": _csrf(request), "plans": [plan.model_dump() for plan in plans]}
        return scripted(
            "patrol.html", given, name=node.settings.name, plans=plans, usual=_USUAL,
            rounds=await patrol.rounds(node, caller, "", "", _ROUNDS),
            # Of a node with several halls a plan goes to the first camera of each.
            halls=sorted({hall.node: hall for hall in reversed(halls)}.values(), key=lambda hall: hall.node),
        )  # fmt: skip

    @routes.get("/patrol/{round_id}")
    async def show_round(
        request: Request, caller: Asking, round_id: str, stop: Annotated[int, Query(ge=0)] = 0
    ) -> HTMLResponse:
        shown = await patrol.round_(node, caller, round_id)
        here = _stop(shown, stop)
        over = shown.ended_at is not None or not round_id.startswith(f"{node.settings.node}-P")
        below = here.node != node.settings.node
        # A finding below without its directive was cut off in between.
        found = {one.item for one in here.findings if one.directive or not below}
        fault = CATALOGUE.get(here.code)
        values: dict[str, Any] = {
            "name": node.settings.name,
            "round": shown,
            "stop": here,
            "over": over,
            "marks": {mark.item: mark for mark in here.marks},
            "below": below,
            "may_approve": caller.is_operator,
            "told": {item.item: item for item in shown.items},
            "why": None if fault is None else (fault.zh, fault.en),
            "stages": _STAGES,
            "raisable": [
                item
                for item in shown.items
                for mark in here.marks
                if mark.item == item.item and mark.verdict == "not_ok" and item.item not in found
            ],
        }
        given = {"csrf": _csrf(request), "round": shown.round, "stop": here.number, "who": caller.who}
        try:
            live = None if over else await node.webrtc.shown(caller, here.stream)
        except ZonghengError:
            live = None  # the camera, or its node, is not known here any more: the page says so
        if live is not None:
            purpose = quote(f"patrol {shown.name} ({shown.round})")
            given |= {
                "whep": f"/api/whep/{quote(live.stream)}?purpose={purpose}",
                "ahead_ms": node.now() // 1_000 - time.time_ns() // 1_000_000,
            }
        return scripted(
            "patrol_round.html", given, pictures=True, shown=live, live=live is not None, **values
        )

    return routes


def age(seconds: int) -> tuple[str, str]:
    """How old a picture is, in both languages."""
    if seconds < 120:
        return "刚刚", "just now"
    if seconds < 7_200:
        return f"{seconds // 60} 分钟前", f"{seconds // 60} min ago"
    if seconds < 172_800:
        return f"{seconds // 3_600} 小时前", f"{seconds // 3_600} h ago"
    return f"{seconds // 86_400} 天前", f"{seconds // 86_400} days ago"


def _csrf(request: Request) -> str:
    inside: Inside = request.state.inside
    return inside.csrf


def _stop(shown: "RoundView", number: int) -> "StopView":
    """The stop that is asked for; else the first that nothing was said of, or the first."""
    for one in shown.stops:
        if one.number == number or (not number and one.state == "open"):
            return one
    return shown.stops[0]
