"""Where a live question goes from here, and whether it may come from where it came: what is decided without asking anybody.

A question goes down to whom it is for, otherwise up, and never back: what came from above goes up no more, what came out of a subtree does not go into
it again. So it passes a node once, and ends. Who asks is said by the node that asks; from a child is taken only what a node of its own subtree asks,
with the tier that this node's card has, so a village cannot ask in the name of its neighbour or of its city.
"""

from typing import Final

from zongheng.v1.live_pb2 import LiveQuestion
from zongheng.v1.tree_pb2 import NodeCard

from federation.errors import ZonghengError
from federation.identity.names import DEPARTMENT
from federation.trunk.live import PARENT
from node.tree import Tree

MOST_BYTES: Final = 64 * 1024
"""Largest question."""

MOST_ANSWER_BYTES: Final = 1024 * 1024

MOST_NAME: Final = 120
"""Characters of a question's name."""


def way(tree: Tree, came_from: str, to_node: str) -> str:
    """The peer through which a node is reached that is not this one: a child, or `PARENT`.

    ``came_from``: the peer that the question comes from; this node's own id where it asks itself. Raises ZonghengError `unknown_node`.
    """
    child = tree.route(to_node)
    if child is not None and child != came_from:
        return child
    if child is not None:
        raise ZonghengError("unknown_node", f"{to_node} is below {child}, which asks for it above")
    if came_from == PARENT:
        raise ZonghengError("unknown_node", f"there is no node {to_node!r} at or below {tree.own.node}")
    return PARENT


def check(tree: Tree, came_from: str, question: LiveQuestion) -> None:
    """Refuse what a peer may not ask. Raises ZonghengError `protocol`, `forbidden`, `unknown_node`, `too_large`."""
    asks = question.from_node
    if not question.id.startswith(f"{asks}-") or question.asker.node != asks:
        raise ZonghengError(
            "protocol", "a question has a name of its own, and is asked by somebody at the node it comes from"
        )
    if question.ByteSize() > MOST_BYTES:
        raise ZonghengError("too_large", f"a live question has at most {MOST_BYTES} bytes")
    if came_from == PARENT:
        if asks == tree.own.node or tree.is_below(asks):
            raise ZonghengError("protocol", f"{asks} is not above or beside {tree.own.node}")
        return
    card = tree.get(asks)
    if card is None or tree.route(asks) != came_from:
        raise ZonghengError("forbidden", f"{asks} is not known to be below {came_from}")
    if question.asker.tier != kind_of(card):
        raise ZonghengError("forbidden", f"{asks} is a node of tier {kind_of(card)!r}")


def kind_of(card: NodeCard) -> str:
    """The tier, or `department`, as a node's own people carry it."""
    return DEPARTMENT if "." in card.node else card.tier
