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

    @api.post("/{directive_id}/approval", status_code=201)
    async def approve(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Approve it and send it out."""
        return await directives.take(node, caller, directive_id, "approval", form)

    @api.post("/{directive_id}/signature", status_code=201)
    async def sign(caller: Asking, directive_id: str, form: directives.TakeStep) -> directives.DirectiveView:
        """Sign for it, at the handler."""
        return await directives.take(node, caller, directive_id, "signature", form)

    @api.post("/{directive_id}/handling", status_code=201)
    async def handle(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Say that it is being handled, at the handler."""
        return await directives.take(node, caller, directive_id, "handling", form)

    @api.post("/{directive_id}/answer", status_code=201)
    async def answer(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Answer it, at the handler."""
        return await directives.take(node, caller, directive_id, "answer", form)

    @api.post("/{directive_id}/extension", status_code=201)
    async def extend(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Ask for a later due before it has come, at the handler."""
        return await directives.take(node, caller, directive_id, "extension", form)

    @api.post("/{directive_id}/review", status_code=201)
    async def review(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Accept an answer or send it back, at the issuer."""
        return await directives.take(node, caller, directive_id, "review", form)

    @api.post("/{directive_id}/decision", status_code=201)
    async def decide(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Grant or refuse an extension, at the issuer."""
        return await directives.take(node, caller, directive_id, "decision", form)

    @api.post("/{directive_id}/reminder", status_code=201)
    async def remind(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Remind a handler, or all, at the issuer."""
        return await directives.take(node, caller, directive_id, "reminder", form)

    @api.post("/{directive_id}/closing", status_code=201)
    async def close(caller: Asking, directive_id: str, form: directives.TakeStep) -> directives.DirectiveView:
        """Close it once every answer is accepted, at the issuer."""
        return await directives.take(node, caller, directive_id, "closing", form)

    @api.post("/{directive_id}/withdrawal", status_code=201)
    async def withdraw(
        caller: Asking, directive_id: str, form: directives.TakeStep
    ) -> directives.DirectiveView:
        """Withdraw it with a reason, at the issuer."""
        return await directives.take(node, caller, directive_id, "withdrawal", form)

    return api
