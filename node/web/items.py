"""Addresses of items on their way into the catalogue."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from node.views import items, risks
from node.views.present import time_us
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["catalogue"])

    @api.get("/api/items")
    async def list_items(
        caller: Asking, state: str = "", agency: str = "", origin: str = ""
    ) -> list[items.ItemLine]:
        """Versions of items: those in force, those withdrawn, and for those who have a part in it what is on its way."""
        return await items.items(node, caller, state=state, agency=agency, origin=origin)

    @api.post("/api/items", status_code=201)
    async def draft_item(caller: Asking, form: items.DraftForm) -> items.ItemView:
        """Write a version down."""
        return await items.draft(node, caller, form)

    @api.post("/api/items/{item:path}/listing", status_code=201)
    async def list_item(caller: Asking, item: str, form: items.Step) -> items.ItemView:
        """List a draft for legal review (申报)."""
        return await items.submit(node, caller, item, form)

    @api.post("/api/items/{item:path}/review", status_code=201)
    async def review_item(caller: Asking, item: str, form: items.Review) -> items.ItemView:
        """Legal review (法制审核): pass what was listed, or return it with a reason."""
        return await items.review(node, caller, item, form)

    @api.post("/api/items/{item:path}/recall", status_code=201)
    async def recall_item(caller: Asking, item: str, form: items.Step) -> items.ItemView:
        """Take back what is not published yet."""
        return await items.recall(node, caller, item, form)

    @api.post("/api/items/{item:path}/publication", status_code=201)
    async def publish_item(caller: Asking, item: str, form: items.Release) -> items.ItemView:
        """Publish what passed review."""
        return await items.publish(node, caller, item, form)

    @api.post("/api/items/{item:path}/withdrawal", status_code=201)
    async def withdraw_item(caller: Asking, item: str, form: items.Release) -> items.ItemView:
        """Withdraw a published item: no new case begins."""
        return await items.withdraw(node, caller, item, form)

    # Last of its kind: a code may hold a slash.
    @api.get("/api/items/{item:path}")
    async def get_item(caller: Asking, item: str, origin: str = "") -> items.ItemView:
        """One item with every version and every step."""
        return await items.item(node, caller, item, origin)

    @api.get("/api/risks")
    async def list_risks(
        caller: Asking,
        level: str = "",
        since: Annotated[str | None, Query(alias="from")] = None,
        until: Annotated[str | None, Query(alias="to")] = None,
    ) -> risks.RisksView:
        """Risk points (廉政风险点) of the items in force, with what was found at their steps in a period."""
        zone = node.settings.zone
        return await risks.risks(node, caller, level, time_us(since, zone), time_us(until, zone))

    return api
