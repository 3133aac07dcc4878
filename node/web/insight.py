"""Decision support over HTTP: trend, hot spots, outliers, forecast."""

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query

from node.views import forecast as forecast_view
from node.views import hot_spots as hot_spots_view
from node.views import outliers as outliers_view
from node.views import trend as trend_view

if TYPE_CHECKING:
    from node.run import Node

Code = Annotated[str, Query(max_length=200)]
Day = Annotated[str, Query(max_length=40)]


def router(node: "Node") -> APIRouter:
    """The routes over one node."""
    routes = APIRouter(tags=["figures"])

    @routes.get("/api/trend")
    async def trend(
        period: Literal["day", "week", "month"] = "month",
        of: Annotated[str, Query(max_length=10)] = "",
        subtree: Code = "",
        count: Annotated[int, Query(ge=0, le=trend_view.MOST)] = 0,
        domain: Code = "",
        agency: Code = "",
        item: Code = "",
        line: Code = "",
    ) -> trend_view.TrendView:
        """Figures a period, each beside the one before and the same one a year ago."""
        return await trend_view.trend(node, period, of, subtree, count, domain, agency, item, line)

    @routes.get("/api/hot-spots")
    async def hot_spots(
        by: hot_spots_view.By = "agency",
        subtree: Code = "",
        since: Annotated[str, Query(alias="from", max_length=40)] = "",
        to: Day = "",
        level: Literal["cards", "notice", "yellow", "red"] = "cards",
        domain: Code = "",
    ) -> hot_spots_view.HotSpots:
        """Where alerts concentrate, against the base rate."""
        return await hot_spots_view.hot_spots(node, by, subtree, since or None, to or None, level, domain)

    @routes.get("/api/outliers")
    async def outliers(
        by: outliers_view.By = "agency",
        measure: outliers_view.Measure = "late",
        subtree: Code = "",
        since: Annotated[str, Query(alias="from", max_length=40)] = "",
        to: Day = "",
    ) -> outliers_view.Outliers:
        """Who stands out among comparable ones, by how large a sample."""
        return await outliers_view.outliers(node, by, measure, subtree, since or None, to or None)

    @routes.get("/api/forecast")
    async def forecast(subtree: Code = "") -> forecast_view.ForecastView:
        """Open cases that are likely to be late, and how right the same forecast was in the past."""
        return await forecast_view.forecast_view(node, subtree)

    return routes
