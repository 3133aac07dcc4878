"""Reports over HTTP, as JSON, as a workbook, as pages."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from node.reports.made import MEDIA_TYPES, Format, file_name, made
from node.views import filed as filed_view
from node.views import report as view

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The routes over one node."""
    routes = APIRouter(tags=["figures"])

    @routes.get("/api/report")
    async def report(
        period: Literal["day", "week", "month"],
        of: Annotated[str, Query(max_length=10)] = "",
        subtree: Annotated[str, Query(max_length=100)] = "",
    ) -> view.ReportView:
        """A day, a week or a month of a subtree; without ``of`` the last one that is over."""
        return await view.report(node, period, of, subtree)

    @routes.get("/api/report/{form}", response_class=Response)
    async def report_file(
        form: Format,
        period: Literal["day", "week", "month"],
        of: Annotated[str, Query(max_length=10)] = "",
        subtree: Annotated[str, Query(max_length=100)] = "",
    ) -> Response:
        """The same as a workbook (``xlsx``) or as pages (``pdf``), in Chinese."""
        found = await view.report(node, period, of, subtree)
        content = await asyncio.to_thread(made, found, form, node.settings.reports.font)
        return Response(
            content,
            media_type=MEDIA_TYPES[form],
            headers=_attached(file_name(found.subtree, found.label, form)),
        )

    @routes.get("/api/reports")
    async def filed() -> filed_view.FiledReports:
        """What the schedule has filed, the newest first."""
        return await filed_view.filed(node)

    @routes.get("/api/reports/{file}", response_class=Response)
    async def filed_file(file: str) -> Response:
        """One of them, as it was filed."""
        content = await filed_view.filed_content(node, file)
        return Response(content, media_type=MEDIA_TYPES[file.rpartition(".")[2]], headers=_attached(file))

    return routes


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
