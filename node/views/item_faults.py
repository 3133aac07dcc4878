"""What is wrong with items as they are listed, in words: a list of warnings for who lists and who reviews them; nothing is refused for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel
from zongheng.v1.catalogue_pb2 import Item
from zongheng.v1.items_pb2 import Post

from node.alerting.concerns import local_day, posts
from node.supervision import item_listing
from node.supervision.domains.approval import listing
from node.supervision.library import Libraries
from node.views.message import words_of

if TYPE_CHECKING:
    from node.run import Node


class FaultView(BaseModel):
    """Something that the rules of listing find wrong with it."""

    rule: str
    words: str
    """Chinese."""
    words_en: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What items are held against as they are listed."""

    libraries: Libraries
    posts: Mapping[str, Post]
    day: int

    @classmethod
    async def of(cls, node: "Node") -> Self:
        context = await node.contexts.of(node.settings.node)
        async with node.store.read() as session:
            known = await posts(session, node.settings.node)
        return cls(context.context.libraries, known, local_day(node.now(), context.zone))

    def faults(self, items: Sequence[Item]) -> list[list[FaultView]]:
        """Of each item what is wrong with it: the rules of approval about listing, and what holds for items of every domain."""
        by_rule = listing.faults_of(items)
        return [
            [_fault(name) for name in (by_rule[place] if one.domain == listing.DOMAIN else ())]
            + [
                FaultView(rule=code, words=item_listing.WORDS[code][0], words_en=item_listing.WORDS[code][1])
                for code in item_listing.faults(one, self.libraries, self.posts, self.day)
            ]
            for place, one in enumerate(items)
        ]


def _fault(name: str) -> FaultView:
    """A column of `listing.FAULTS` is a rule of approval under its own name."""
    rule = f"{listing.DOMAIN}.listing.{name.removeprefix('listed_')}"
    words = words_of(listing.DOMAIN, rule)
    return FaultView(
        rule=rule, words=words.name_zh if words else rule, words_en=words.name_en if words else rule
    )
