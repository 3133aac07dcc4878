"""Addresses of video patrols (视频巡查): plans, rounds, and what was found."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, HTMLResponse

from node.views import patrol as view
from node.views import patrol_findings as findings
from node.views import patrol_plans as plans_view
from node.web.guard import Asking
from node.web.page import patrol_report

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["patrols"])

    @api.get("/api/patrols")
    async def plans() -> list[plans_view.PlanView]:
        """The plans of this node, with what is due."""
        return await plans_view.plans(node)

    @api.post("/api/patrols", status_code=201)
    async def keep(caller: Asking, form: plans_view.PlanNote) -> plans_view.PlanView:
        """Add a plan, or change the one of its code."""
        return await plans_view.keep_plan(node, caller, form)

    @api.get("/api/patrols/{code}")
    async def plan(code: str) -> plans_view.PlanView:
        """One plan."""
        return await plans_view.plan(node, code)

    @api.post("/api/patrols/{code}/removal")
    async def remove(caller: Asking, code: str, form: plans_view.By) -> list[plans_view.PlanView]:
        """Forget a plan; its rounds stay. Returns those that are left."""
        return await plans_view.remove_plan(node, caller, code, form)

    @api.post("/api/patrols/{code}/rounds", status_code=201)
    async def begin(caller: Asking, code: str, form: plans_view.By) -> view.RoundView:
        """Begin a round; an entry."""
        return await view.begin(node, caller, code, form)

    @api.get("/api/patrol-rounds")
    async def rounds(
        caller: Asking,
        plan: Annotated[str, Query(max_length=100)] = "",
        of: Annotated[str, Query(alias="node", max_length=100)] = "",
        limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
    ) -> list[view.RoundLine]:
        """Rounds of this node, or of a node whose journal is held here, the newest first."""
        return await view.rounds(node, caller, plan, of, limit)

    @api.get("/api/patrol-rounds/{round_id}")
    async def show(caller: Asking, round_id: str) -> view.RoundView:
        """One round, with what was seen at each stop and what became of findings."""
        return await view.round_(node, caller, round_id)

    @api.post("/api/patrol-rounds/{round_id}/stops/{stop}/picture", status_code=201)
    async def picture(caller: Asking, round_id: str, stop: int) -> view.PictureTaken:
        """Take the picture of a stop; entered at every node on the way."""
        return await view.picture(node, caller, round_id, stop)

    @api.post("/api/patrol-rounds/{round_id}/stops/{stop}", status_code=201)
    async def check(caller: Asking, round_id: str, stop: int, form: view.CheckForm) -> view.RoundView:
        """Say what was seen at a stop; an entry."""
        return await view.check(node, caller, round_id, stop, form)

    @api.post("/api/patrol-rounds/{round_id}/stops/{stop}/finding", status_code=201)
    async def find(
        caller: Asking, round_id: str, stop: int, form: findings.FindingForm
    ) -> findings.FindingView:
        """Raise what was not in order: an alert with the picture, and a directive where the hall is a node's below."""
        return await findings.find(node, caller, round_id, stop, form)

    @api.post("/api/patrol-rounds/{round_id}/end", status_code=201)
    async def end(caller: Asking, round_id: str, form: plans_view.By) -> view.RoundView:
        """End a round, or break it off with a reason; an entry."""
        return await view.end(node, caller, round_id, form)

    @api.get("/api/patrol-rounds/{round_id}/pictures/{sha256}")
    async def picture_file(caller: Asking, round_id: str, sha256: str) -> FileResponse:
        """A picture of a round."""
        return FileResponse(await view.picture_file(node, caller, round_id, sha256), media_type="image/jpeg")

    @api.get("/api/patrol-rounds/{round_id}/report", response_class=HTMLResponse)
    async def report(caller: Asking, round_id: str) -> HTMLResponse:
        """The report of a round as one page with its pictures in it; an entry."""
        shown = await view.round_(node, caller, round_id)
        pictures = await view.report_pictures(node, caller, shown)
        page = patrol_report(node.settings.name, shown, pictures)
        policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    return api
