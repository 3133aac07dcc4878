"""Who is in the tree, as this node knows it."""

from typing import TYPE_CHECKING

from node.store.store import Session
from zongheng.v1.tree_pb2 import NodeCard

if TYPE_CHECKING:
    from node.run import Node


async def known_tree(node: "Node", session: Session) -> list[NodeCard]:
    """This node's own card, then the cards of its descendants ordered by node."""
    cards = [NodeCard.FromString(body) for body in await session.cards.all()]
    return [await node.card(session), *sorted(cards, key=lambda card: card.node)]
