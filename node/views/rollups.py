"""The figures of this node and everybody below it."""

from collections import Counter
from typing import TYPE_CHECKING

from pydantic import BaseModel

from node.store.rollups import EPOCH

if TYPE_CHECKING:
    from node.run import Node


class NodeTotals(BaseModel):
    node: str
    tier: str
    name: str
    totals: dict[str, int]
    """Figure → sum over all its rows; figures that are zero are absent."""


class RollupView(BaseModel):
    nodes: list[NodeTotals]
    """This node first, then its descendants."""
    total: dict[str, int]
    """The sum over ``nodes``, figure by figure."""


class RowView(BaseModel):
    """One daily row."""

    node: str
    day: int
    """Days since 1970-01-01 in the node's zone."""
    domain: str
    agency: str
    line: str
    item: str
    figures: dict[str, int]
    version: int


async def rollup(node: "Node") -> RollupView:
    """Totals per node, once everything journalled here so far has been counted."""
    await node.projector.settled()
    async with node.store.read() as session:
        sums = await session.rollups.totals()
    cards = [node.tree.own, *node.tree.descendants()]
    nodes = [
        NodeTotals(node=card.node, tier=card.tier, name=card.name, totals=sums.get(card.node, {}))
        for card in cards
    ]
    total: Counter[str] = Counter()
    for entry in nodes:
        total.update(entry.totals)
    return RollupView(nodes=nodes, total=dict(sorted(total.items())))


async def rows(node: "Node", of: str) -> list[RowView]:
    """The daily rows of one node."""
    await node.projector.settled()
    async with node.store.read() as session:
        found = await session.rollups.rows(of)
    return [
        RowView(
            node=row.node,
            day=row.day,
            domain=row.domain,
            agency=row.agency,
            line=row.line,
            item=row.item,
            figures=row.figures,
            version=row.version % EPOCH,
        )
        for row in found
        if row.figures
    ]
