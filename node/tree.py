"""The tree below this node, as its children's reports tell it: who is there, and behind which direct child.

A copy in memory of the cards in the store, so that routing a question or naming the descendants in a handshake needs no read. The store
is written first; after a crash the copy is read again.
"""

from collections.abc import Collection, Iterable

from zongheng.v1.tree_pb2 import NodeCard

from federation.query import tree as query
from node.store.store import Session


def bare(card: NodeCard) -> NodeCard:
    """The card as it travels where its passport and its pictures are known: most of a card is these."""
    made = NodeCard()
    made.CopyFrom(card)
    made.ClearField("passport")
    for picture in made.pictures:
        picture.ClearField("jpeg")
    return made


class Tree:
    """The cards of all descendants of one node."""

    def __init__(self, own: NodeCard) -> None:
        self.own = own
        """This node's card, without a head."""
        self._cards: dict[str, NodeCard] = {}
        self._bare: dict[str, NodeCard] = {}
        """Cards as they travel most of the time, made when they are first asked for."""
        self._below: query.Tree | None = None

    async def load(self, session: Session) -> None:
        """Read the cards from the store."""
        self._cards = {node: NodeCard.FromString(body) for node, body in (await session.cards.all()).items()}
        self._bare.clear()
        self._below = None

    def learn(self, cards: Iterable[NodeCard]) -> None:
        """The store has these cards now."""
        for card in cards:
            self._cards[card.node] = card
            self._bare.pop(card.node, None)
        self._below = None

    def descendants(self) -> list[NodeCard]:
        """Everybody below this node, ordered by node."""
        return [self._cards[node] for node in sorted(self._cards)]

    def bare(self) -> list[NodeCard]:
        """Everybody below this node as `bare` makes their cards, ordered by node; nobody changes them."""
        for node, card in self._cards.items():
            if node not in self._bare:
                self._bare[node] = bare(card)
        return [self._bare[node] for node in sorted(self._cards)]

    def nodes(self) -> Collection[str]:
        """The codes of everybody below this node."""
        return self._cards.keys()

    def get(self, node: str) -> NodeCard | None:
        """A descendant's card; None: not known."""
        return self._cards.get(node)

    def subtree(self, node: str) -> Collection[str]:
        """A node below and everybody below it; empty for a node that is not known here."""
        return frozenset(self._known().subtree(node))

    def is_below(self, node: str) -> bool:
        """Whether a node is known to be below this one."""
        return self.route(node) is not None

    def route(self, node: str) -> str | None:
        """The direct child below which ``node`` is (or which it is itself); None: it is not known here."""
        below = self._known()
        return below.through(node) if node in below and node != self.own.node else None

    def _known(self) -> query.Tree:
        if self._below is None:
            self._below = query.Tree(self.own.node, self._cards.values())
        return self._below
