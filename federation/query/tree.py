"""The tree below a node as its cards describe it: who is in a subtree and through which child it is reached.

Cards come from other nodes. One whose parents do not lead to us, or lead in a circle, is not in the tree.
"""

from collections import defaultdict
from collections.abc import Iterable

from zongheng.v1.tree_pb2 import NodeCard


class Tree:
    """A node and everybody below it."""

    def __init__(self, me: str, cards: Iterable[NodeCard]) -> None:
        self.me = me
        parents = {card.node: card.parent for card in cards if card.node and card.node != me}
        self._parent: dict[str, str] = {}
        self._children: dict[str, list[str]] = defaultdict(list)
        level = [me]
        below: dict[str, list[str]] = defaultdict(list)
        for node, parent in parents.items():
            below[parent].append(node)
        while level:
            above = level.pop()
            for node in sorted(below.get(above, ())):
                self._parent[node] = above
                self._children[above].append(node)
                level.append(node)

    def __contains__(self, node: str) -> bool:
        return node == self.me or node in self._parent

    def children(self, node: str) -> list[str]:
        """Direct children, in order of their codes."""
        return list(self._children.get(node, ()))

    def subtree(self, node: str) -> list[str]:
        """The node and everybody below it, parents before children; empty for a node that is not here."""
        if node not in self:
            return []
        found = [node]
        for above in found:
            found += self._children.get(above, ())
        return found

    def through(self, node: str) -> str:
        """The direct child of ours that leads to a node below us. Raises KeyError for any other."""
        while (parent := self._parent[node]) != self.me:
            node = parent
        return node
