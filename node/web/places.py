"""Whom somebody of this node can call: nodes here and below, with the halls that are known of them."""

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel
from zongheng.v1.tree_pb2 import NodeCard

if TYPE_CHECKING:
    from node.run import Node

MOST: Final = 20


class PlaceView(BaseModel):
    """A node that can be called."""

    node: str
    name: str
    tier: str
    halls: list[str]
    """Where cameras are registered there."""


def places(node: "Node", find: str) -> list[PlaceView]:
    """Those whose name or code holds ``find``, at most twenty; this node and those nearest to it first."""
    wanted = find.strip().casefold()
    cards = [node.tree.own, *node.tree.descendants()]
    found = [card for card in cards if wanted in card.name.casefold() or wanted in card.node]
    return [_place(card) for card in sorted(found, key=lambda card: (len(card.node), card.node))[:MOST]]


def _place(card: NodeCard) -> PlaceView:
    halls = sorted({camera.hall for camera in card.cameras if camera.hall})
    return PlaceView(node=card.node, name=card.name or card.node, tier=card.tier, halls=halls)
