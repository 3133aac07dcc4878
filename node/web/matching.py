"""Addresses of the matching across nodes."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from node.views import matching
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(prefix="/api/matching", tags=["matching"])

    @api.get("")
    async def status() -> matching.MatchingStatus:
        """Keys, and how far the matching is."""
        return await matching.status(node)

    @api.get("/findings")
    async def findings(
        caller: Asking,
        everything: bool = False,
        after: int = -1,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> matching.FindingPage:
        """What was found here, and this node's halves of what was found above."""
        return await matching.findings(node, caller, everything, after, limit)

    @api.post("/keys", status_code=201)
    async def issue(caller: Asking, form: matching.IssueKey) -> matching.MatchingStatus:
        """Issue a key, for a year or a stretch of days."""
        return await matching.issue(node, caller, form)

    @api.post("/keys/{purpose}/{number}/closing", status_code=201)
    async def close(
        caller: Asking, purpose: str, number: int, form: matching.CloseKey
    ) -> matching.MatchingStatus:
        """Destroy a key here and at every node below."""
        return await matching.close(node, caller, purpose, number, form)

    @api.post("/registers", status_code=201)
    async def load(caller: Asking, form: matching.LoadRegister) -> matching.Loaded:
        """Load rows of a register that payees are held against."""
        return await matching.load(node, caller, form)

    return api
