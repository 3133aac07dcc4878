"""Which pictures of halls go up with a report: those that the parent was not given yet, a few at a time.

A card's pictures are most of its bytes, and a card goes up whenever anything of it changes. So a picture travels once; after that the card only says when it was taken. A report carries `MOST` at most, the
longest waiting first: bounded bytes a report, however many halls there are below. What is known to be given is kept in memory: after a start, and where a parent lost its cards, pictures are given again, or come with the next one of
their camera.
"""

from collections.abc import Iterable
from typing import Final

from zongheng.v1.tree_pb2 import NodeCard

MOST: Final = 48
"""Pictures in one report: of `LARGEST` bytes at most each, they are less than half a megabyte."""

MOST_OF_A_CARD: Final = 6
"""Halls of a node whose picture stands on its card."""

LARGEST: Final = 8_192
"""Bytes of one picture."""

Going = dict[tuple[str, str], int]
"""(node, camera) → when the picture was taken (µs since the epoch)."""


class PicturesUp:
    """What one parent was given."""

    def __init__(self) -> None:
        self._given: Going = {}
        """What the parent has."""
        self._pending: dict[int, Going] = {}
        self.more = False

    def choose(self, cards: Iterable[NodeCard], mark: int) -> Going:
        """The pictures that go with the report ``mark``; whether others wait for the next is `more`."""
        waiting = sorted(
            (picture.taken_at_us, card.node, picture.camera)
            for card in cards
            for picture in card.pictures
            if picture.jpeg and self._given.get((card.node, picture.camera)) != picture.taken_at_us
        )
        going = {(node, camera): taken_us for taken_us, node, camera in waiting[:MOST]}
        self._pending[mark] = going
        self.more = len(waiting) > MOST
        return going

    def given(self, mark: int) -> None:
        """The parent has the report."""
        self._given.update(self._pending.pop(mark, {}))
        self._pending = {later: going for later, going in self._pending.items() if later > mark}


def only(card: NodeCard, going: Going) -> NodeCard:
    """A copy of the card with no other pictures than those that go."""
    made = NodeCard()
    made.CopyFrom(card)
    for picture in made.pictures:
        if going.get((made.node, picture.camera)) != picture.taken_at_us:
            picture.ClearField("jpeg")
    return made
