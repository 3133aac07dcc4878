"""Addresses of the wall (监控墙): the halls of a subtree with what they showed lately."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from node.views import wall as view
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    routes = APIRouter(tags=["cameras"])

    @routes.get("/api/wall")
    async def wall(
        caller: Asking,
        of: Annotated[str, Query(max_length=100)] = "",
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 60,
        trouble: bool = False,
    ) -> view.Wall:
        """The halls of this node and those below, or of a node below and its own; ``trouble``: those alone whose cameras do not see."""
        return await view.wall(node, caller, of, after, limit, trouble=trouble)

    return routes
