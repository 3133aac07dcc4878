"""Addresses of holding to account, and of alerts that departments issued themselves."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from node.views import accountability, department_alerts
from node.views.present import time_us
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["supervision"])

    @api.get("/api/accountability")
    async def records(caller: Asking, alert: str = "") -> list[accountability.AccountabilityView]:
        """Who is held to account, for which alerts and how far it has come."""
        return await accountability.records(node, caller, alert)

    @api.post("/api/accountability", status_code=201)
    async def open_record(caller: Asking, form: accountability.Opening) -> accountability.AccountabilityView:
        """Begin to hold somebody to account (责任追究) for alerts."""
        return await accountability.open_record(node, caller, form)

    @api.get("/api/accountability/{record}")
    async def record(caller: Asking, record: str) -> accountability.AccountabilityView:
        """One record, step by step."""
        return await accountability.record(node, caller, record)

    @api.post("/api/accountability/{record}/steps", status_code=201)
    async def add_step(
        caller: Asking, record: str, form: accountability.NextStep
    ) -> accountability.AccountabilityView:
        """Decision, document, appeal, its decision, circular, closing."""
        return await accountability.add_step(node, caller, record, form)

    @api.post("/api/department-alerts", status_code=201)
    async def take_in(caller: Asking, form: department_alerts.IssuedAlerts) -> department_alerts.TakenIn:
        """Take in alerts that a department issued itself."""
        return await department_alerts.take_in(node, caller, form)

    @api.get("/api/department-alerts/inspection")
    async def inspection(
        caller: Asking,
        since: Annotated[str | None, Query(alias="from")] = None,
        until: Annotated[str | None, Query(alias="to")] = None,
    ) -> department_alerts.DepartmentInspection:
        """Judge them again as of their own instants: right, wrong, missing."""
        zone = node.settings.zone
        return await department_alerts.inspection(node, caller, time_us(since, zone), time_us(until, zone))

    return api
