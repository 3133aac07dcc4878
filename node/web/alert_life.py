"""Addresses of an alert's life: answering, deciding, raising by hand, what came from below, the inbox, and who acted in time."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse

from node.supervision.life import Step
from node.views import alert_life as life
from node.views import alert_times
from node.views import inbox as inboxes
from node.views.alerts import AlertView
from node.views.present import time_us
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["supervision"])

    @api.get("/api/alerts/{alert_id}")
    async def get_alert(caller: Asking, alert_id: str, purpose: str = "") -> life.LifeView:
        """One alert, every step of its life and what is owed next; with a purpose the full texts, which is an entry."""
        return await life.life_view(node, caller, alert_id, purpose)

    @api.post("/api/alerts", status_code=201)
    async def raise_by_hand(caller: Asking, form: life.Finding) -> life.LifeView:
        """Raise what somebody found and no rule did."""
        return await life.raise_by_hand(node, caller, form)

    @api.post("/api/alerts/{alert_id}/explanation", status_code=201)
    async def explain(caller: Asking, alert_id: str, form: life.Answer) -> life.LifeView:
        """The agency explains (说明)."""
        return await life.answer(node, caller, alert_id, Step.EXPLAIN, form)

    @api.post("/api/alerts/{alert_id}/rectification", status_code=201)
    async def rectify(caller: Asking, alert_id: str, form: life.Answer) -> life.LifeView:
        """The agency has put it right (整改)."""
        return await life.answer(node, caller, alert_id, Step.RECTIFY, form)

    @api.post("/api/alerts/{alert_id}/appeal", status_code=201)
    async def appeal(caller: Asking, alert_id: str, form: life.Answer) -> life.LifeView:
        """The agency appeals (申诉), once and in time."""
        return await life.answer(node, caller, alert_id, Step.APPEAL, form)

    @api.post("/api/alerts/{alert_id}/ruling", status_code=201)
    async def rule(caller: Asking, alert_id: str, form: life.Ruling) -> life.LifeView:
        """Decide an appeal: cancel the alert with a reason, or uphold it."""
        return await life.rule(node, caller, alert_id, form)

    @api.post("/api/alerts/{alert_id}/escalation", status_code=201)
    async def escalate(caller: Asking, alert_id: str, form: life.Note) -> life.LifeView:
        """Leave the decision about an appeal to the node above."""
        return await life.note(node, caller, alert_id, Step.ESCALATE, form)

    @api.post("/api/alerts/{alert_id}/urging", status_code=201)
    async def urge(caller: Asking, alert_id: str, form: life.Note) -> life.LifeView:
        """Urge the agency (督办): a new reply is due."""
        return await life.note(node, caller, alert_id, Step.URGE, form)

    @api.post("/api/alerts/{alert_id}/closing", status_code=201)
    async def close(caller: Asking, alert_id: str, form: life.Note) -> life.LifeView:
        """What the agency did is enough (办结)."""
        return await life.note(node, caller, alert_id, Step.CLOSE, form)

    @api.post("/api/uploads", status_code=201)
    async def upload(request: Request, name: Annotated[str, Query(max_length=300)]) -> life.FileView:
        """A file, as the request's body, to be named by a step."""
        return await life.shelve(node, name, await request.body())

    @api.get("/api/alerts/{alert_id}/files/{sha256}")
    async def get_file(caller: Asking, alert_id: str, sha256: str, purpose: str = "") -> FileResponse:
        """A file that a step of the alert names, as an attachment; that it was looked at is an entry."""
        path = await life.file_of(node, caller, alert_id, sha256, purpose)
        return FileResponse(path, media_type="application/octet-stream", filename=sha256)

    @api.get("/api/escalated")
    async def escalated(caller: Asking, purpose: str = "") -> list[life.EscalatedView]:
        """Appeals that children escalated and that wait for a decision here; with a purpose the full texts, which is an entry."""
        return await life.escalated(node, caller, purpose)

    @api.post("/api/escalated/{origin}/{alert_id}/ruling", status_code=201)
    async def rule_below(caller: Asking, origin: str, alert_id: str, form: life.Ruling) -> AlertView:
        """Decide one of them; the decision goes down to the child."""
        return await life.rule_below(node, caller, origin, alert_id, form)

    @api.get("/api/alert-times")
    async def times(
        since: Annotated[str | None, Query(alias="from")] = None,
        until: Annotated[str | None, Query(alias="to")] = None,
    ) -> alert_times.Times:
        """Whether each layer acted in time, by what fell due in a period."""
        zone = node.settings.zone
        return await alert_times.times(node, time_us(since, zone), time_us(until, zone))

    @api.get("/api/inbox")
    async def inbox(caller: Asking, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> inboxes.Inbox:
        """What the caller is told of, the newest first."""
        return await inboxes.inbox(node, caller, limit)

    @api.post("/api/inbox", status_code=204)
    async def mark_read(caller: Asking, form: inboxes.ReadMark) -> None:
        """Everything up to an entry is read."""
        await inboxes.mark_read(node, caller, form)

    return api
