"""Addresses about directives (督办)."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from node.views import directives
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(prefix="/api/directives", tags=["directives"])

    @api.get("")
    async def page(
        caller: Asking,
        after: str = "",
        limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
        stage: str | None = None,
    ) -> directives.DirectivePage:
        """Directives that this node issued, handles or has seen pass."""
        return await directives.page(node, caller, after, limit, stage)

    @api.post("", status_code=201)
    async def issue(caller: Asking, form: directives.IssueDirective) -> directives.DirectiveView:
        """Draft a directive to a node below, and with ``approved_by`` send it out."""
        return await directives.issue(node, caller, form)

    @api.get("/{directive_id}")
    async def directive(caller: Asking, directive_id: str) -> directives.DirectiveView:
        """One directive with all its steps."""
        return await directives.directive(node, caller, directive_id)

    def step(path: directives.Step, name: str, words: str) -> None:
        async def take(
            caller: Asking, directive_id: str, form: directives.TakeStep
        ) -> directives.DirectiveView:
            return await directives.take(node, caller, directive_id, path, form)

        take.__name__, take.__doc__ = name, words
        api.post(f"/{{directive_id}}/{path}", status_code=201)(take)

    step("approval", "approve", "Approve it and send it out.")
    step("signature", "sign", "Sign for it, at the handler.")
    step("handling", "handle", "Say that it is being handled, at the handler.")
    step("answer", "answer", "Answer it, at the handler.")
    step("extension", "extend", "Ask for a later due before it has come, at the handler.")
    step("review", "review", "Accept an answer or send it back, at the issuer.")
    step("decision", "decide", "Grant or refuse an extension, at the issuer.")
    step("reminder", "remind", "Remind a handler, or all, at the issuer.")
    step("closing", "close", "Close it once every answer is accepted, at the issuer.")
    step("withdrawal", "withdraw", "Withdraw it with a reason, at the issuer.")

    return api
