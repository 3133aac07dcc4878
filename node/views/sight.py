"""What a caller sees: the node, or the agencies of their own. Everything else is not there for them."""

from typing import TYPE_CHECKING

from federation.errors import ZonghengError
from node.people.caller import Caller, agencies_seen

if TYPE_CHECKING:
    from node.run import Node


async def seen_by(node: "Node", caller: Caller) -> tuple[str, ...] | None:
    """Codes of the agencies that the caller sees; None: all."""
    if not caller.bound:
        return None
    context = await node.contexts.of(node.settings.node)
    seen = agencies_seen(caller, context.agencies)
    return None if seen is None else tuple(sorted(seen))


async def must_see(node: "Node", caller: Caller, agency: str, what: str) -> None:
    """``not_found`` unless what belongs to this agency is there for the caller."""
    seen = await seen_by(node, caller)
    if seen is not None and agency not in seen:
        raise ZonghengError("not_found", f"there is no {what} here")
