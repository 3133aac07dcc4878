"""The children of a node side by side: each one's own subtree summed up, from what each of its nodes answered.

A share says of how many it is one, and a rank is given only to children of whom every node answered for itself and that completed enough cases: one
old fast case tops no list.
"""

from typing import TYPE_CHECKING, Final

from pydantic import BaseModel
from zongheng.v1.query_pb2 import AnswerPart

from federation.query.tree import Tree
from federation.rollup.merge import Total, total
from federation.rollup.row import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from node.run import Node

MIN_SAMPLE: Final = 20
"""Completed cases below which a child has no rank."""


class ComparedView(BaseModel):
    """One child with everybody below it; the first row is the node itself, without its children."""

    node: str
    name: str
    nodes: int
    missing: list[str]
    """Those of its nodes that did not answer for themselves: their figures are not in the sums, or are old."""
    figures: dict[str, int]
    on_time_percent: float | None
    """Of ``figures.completed``; null: none was completed."""
    median_days: float | None
    p90_days: float | None
    applicants: int
    rank: int | None
    """By ``on_time_percent``, then by the shorter median."""


def compared(node: "Node", subtree: str, parts: "Sequence[AnswerPart]") -> list[ComparedView]:
    """The node ``subtree`` itself and its children, in order of their codes."""
    tree = Tree(node.settings.node, node.tree.descendants())
    answers = {part.node: part for part in parts}
    groups = [[subtree], *(tree.subtree(child) for child in tree.children(subtree))]
    views = [_view(node, nodes, answers) for nodes in groups]
    ranked = [view for view in views[1:] if _has_rank(view)]
    ranked.sort(key=_standing)
    for view in ranked:
        view.rank = 1 + sum(_standing(other) < _standing(view) for other in ranked)
    return views


def _view(node: "Node", nodes: "Sequence[str]", answers: dict[str, AnswerPart]) -> ComparedView:
    top = nodes[0]
    card = node.tree.own if top == node.settings.node else node.tree.get(top)
    there = [answers[name] for name in nodes if name in answers]
    summed: Total = total([row for part in there for row in unpack(part.figures)])
    completed = summed.figures.get("completed", 0)
    return ComparedView(
        node=top,
        name=card.name if card else "",
        nodes=len(nodes),
        missing=[name for name in nodes if name not in answers or answers[name].stale],
        figures=summed.figures,
        on_time_percent=round(100 * summed.figures.get("on_time", 0) / completed, 1) if completed else None,
        median_days=_tenths(summed.median_days),
        p90_days=_tenths(summed.p90_days),
        applicants=summed.applicants,
        rank=None,
    )


def _has_rank(view: ComparedView) -> bool:
    return not view.missing and view.figures.get("completed", 0) >= MIN_SAMPLE


def _tenths(days: float | None) -> float | None:
    """The sketch is right to one per cent; more digits would say more than is known."""
    return None if days is None else round(days, 1)


def _standing(view: ComparedView) -> tuple[float, float]:
    return -(view.on_time_percent or 0.0), view.median_days or 0.0
