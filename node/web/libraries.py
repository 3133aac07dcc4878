"""Addresses of libraries, responsible posts and officers."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from node.models.publication import Published
from node.views import libraries, posts
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["catalogue"])

    @api.get("/api/libraries")
    async def list_libraries() -> list[libraries.LibraryLine]:
        """The newest version of every library."""
        return await libraries.libraries(node)

    @api.get("/api/libraries/{name}")
    async def get_library(
        name: str, version: Annotated[int | None, Query(ge=1, lt=2**32)] = None
    ) -> libraries.LibraryView:
        """One version of a library, and which versions there were."""
        return await libraries.library(node, name, version)

    @api.post("/api/libraries/{name}/amendments", status_code=201)
    async def amend_library(caller: Asking, name: str, form: libraries.Amendment) -> Published:
        """Publish the next version: the newest with some rows set and some taken away."""
        return await libraries.amend(node, caller, name, form)

    @api.get("/api/posts")
    async def list_posts(caller: Asking, agency: str = "") -> list[posts.PostView]:
        """Responsible posts (责任岗位) with who held them when."""
        return await posts.posts(node, caller, agency)

    @api.get("/api/officers")
    async def list_officers(
        caller: Asking, agency: str = "", within: Annotated[int | None, Query(ge=0, le=100_000)] = None
    ) -> list[posts.OfficerView]:
        """Officers with their posts and certificates; ``within``: only those of whom one ends within so many days, or has ended."""
        return await posts.officers(node, caller, agency, within)

    return api
