"""Addresses of scores (绩效测评)."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from node.scoring.figures import SubjectKind
from node.views import score_runs, scores
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["supervision"])

    @api.get("/api/scores")
    async def now(
        caller: Asking, kind: SubjectKind, period: str, subject: str = "", origin: str = ""
    ) -> scores.ScoresView:
        """Scores as the journals stand, each point lost with its alert."""
        return await scores.now(node, caller, kind, period, subject, origin)

    @api.get("/api/scores/sheet")
    async def sheet(kind: SubjectKind = SubjectKind.AGENCY) -> scores.SheetView:
        """The sheet in force."""
        return await scores.sheet(node, kind)

    @api.get("/api/scores/runs")
    async def runs() -> list[score_runs.RunLine]:
        """Runs of this node and of those whose journals are here."""
        return await score_runs.runs(node)

    @api.get("/api/scores/runs/{run}")
    async def run(caller: Asking, run: str) -> score_runs.RunView:
        """One run: what was frozen, and whether it comes out the same again."""
        return await score_runs.run(node, caller, run)

    @api.post("/api/scores/drafts", status_code=201)
    async def draft(caller: Asking, form: score_runs.DraftForm) -> score_runs.RunView:
        """Freeze what every subject comes to."""
        return await score_runs.draft(node, caller, form)

    @api.post("/api/scores/marks", status_code=201)
    async def mark(caller: Asking, form: score_runs.MarkForm) -> score_runs.RunView:
        """Give points by hand."""
        return await score_runs.mark(node, caller, form)

    @api.post("/api/scores/runs/{run}/review", status_code=201)
    async def review(caller: Asking, run: str, form: score_runs.StepForm) -> score_runs.RunView:
        """Review a draft."""
        return await score_runs.review(node, caller, run, form)

    @api.post("/api/scores/runs/{run}/publication", status_code=201)
    async def publish(caller: Asking, run: str, form: score_runs.StepForm) -> score_runs.RunView:
        """Publish what was reviewed."""
        return await score_runs.publish(node, caller, run, form)

    @api.post("/api/scores/runs/{run}/appeals", status_code=201)
    async def appeal(caller: Asking, run: str, form: score_runs.AppealForm) -> score_runs.RunView:
        """Appeal one subject's score."""
        return await score_runs.appeal(node, caller, run, form)

    @api.post("/api/scores/runs/{run}/rulings", status_code=201)
    async def rule(caller: Asking, run: str, form: score_runs.RulingForm) -> score_runs.RunView:
        """Decide an appeal."""
        return await score_runs.rule(node, caller, run, form)

    return api
