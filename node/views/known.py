"""What is published already: the ground on which the next publication stands."""

from typing import TYPE_CHECKING, Final

from zongheng.v1.catalogue_pb2 import Agency, CalendarChange, CalendarDay, Item, Policy
from zongheng.v1.engine_pb2 import Library, LocalRule
from zongheng.v1.entry_pb2 import Address
from zongheng.v1.items_pb2 import Post
from zongheng.v1.score_pb2 import ScoreSheet

from node.projection.mandates import ABOVE, DOWN, POST, SHEET, Line
from node.supervision.fold import Domain
from node.supervision.policy import Mandate

if TYPE_CHECKING:
    from node.run import Node

_KINDS: Final = ("item", "calendar", "policy", "rule", "library", SHEET)


class Known:
    """What is published in the own journal, as far as it is projected, and which agencies the registry has."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, int], Item] = {}
        self.agencies: dict[str, Agency] = {}
        self.days: dict[int, CalendarDay] = {}
        self.years: set[int] = set()
        self.policy: Policy | None = None
        self.policies: dict[int, Policy] = {}
        self.rules: dict[str, LocalRule] = {}
        self.libraries: dict[str, Library] = {}
        self.posts: dict[str, Post] = {}
        self.sheets: dict[str, ScoreSheet] = {}
        self.domains: tuple[Domain, ...] = ()
        self.registered: set[str] = set()
        self.mandates: tuple[Mandate, ...] = ()
        self.mandated: list[tuple[str, Item]] = []
        """Items from above, each with its sender."""
        self.replaced: dict[tuple[str, str], str] = {}
        """Senders above of rules and libraries, by kind and code: those replace the node's own."""

    def newest_mandated(self, code: str) -> tuple[str, Item | None]:
        """The newest version of an item that is mandated above, with its sender."""
        found: tuple[str, Item | None] = ("", None)
        for sender, item in self.mandated:
            if item.code == code and (found[1] is None or item.version >= found[1].version):
                found = sender, item
        return found

    def newest_item(self, code: str) -> Item | None:
        """The newest version of an item that is published."""
        versions = [item for (known, _), item in self.items.items() if known == code]
        return max(versions, key=lambda item: item.version, default=None)

    @classmethod
    async def read(cls, node: "Node", address: Address | None) -> "Known":
        """What is published for this node itself, or what went down under an address."""
        known = await cls._own(node) if address is None else await cls._sent(node, address)
        known.domains = (await node.contexts.of(node.settings.node)).domains
        if known.policies:
            known.policy = known.policies[max(known.policies)]
        return known

    @classmethod
    async def _own(cls, node: "Node") -> "Known":
        own, known = node.settings.node, cls()
        known.mandates = (await node.contexts.of(own)).context.policy.mandates
        async with node.store.read() as session:
            for piece in await session.catalogue.all(own, f"item{ABOVE}"):
                known.mandated.append((Line.parse(piece.code).sender, Item.FromString(piece.body)))
            for kind in ("rule", "library", SHEET):
                for piece in await session.catalogue.all(own, f"{kind}{ABOVE}"):
                    line = Line.parse(piece.code)
                    known.replaced[kind, line.code] = line.sender
            for kind in (*_KINDS, "agency", POST):
                for piece in await session.catalogue.all(own, kind):
                    known._learn(kind, piece.version, piece.body)
        known.registered = {agency.code for agency in await (await node.registry()).agencies()}
        return known

    @classmethod
    async def _sent(cls, node: "Node", address: Address) -> "Known":
        own, known = node.settings.node, cls()
        async with node.store.read() as session:
            for kind in _KINDS:
                for piece in await session.catalogue.all(own, f"{kind}{DOWN}"):
                    line = Line.parse(piece.code)
                    if (line.node, line.subtree) == (address.node, address.subtree):
                        known._learn(kind, piece.version, piece.body)
        return known

    def _learn(self, kind: str, version: int, body: bytes) -> None:
        match kind:
            case "item":
                item = Item.FromString(body)
                self.items[item.code, version] = item
            case "agency":
                agency = Agency.FromString(body)
                self.agencies[agency.code] = agency
            case "calendar":
                change = CalendarChange.FromString(body)
                self.days.update((day.day, day) for day in change.days)
                self.years.update(change.published_years)
            case "policy":
                self.policies[version] = Policy.FromString(body)
            case "rule":
                rule = LocalRule.FromString(body)
                self.rules[rule.code] = max(
                    rule, self.rules.get(rule.code, rule), key=lambda one: one.version
                )
            case "library":
                library = Library.FromString(body)
                # Who published it says nothing about what it says.
                library.by = ""
                newest = self.libraries.get(library.name, library)
                self.libraries[library.name] = max(library, newest, key=lambda one: one.version)
            case "post":
                post = Post.FromString(body)
                post.by = ""
                known_post = self.posts.get(post.code, post)
                self.posts[post.code] = max(post, known_post, key=lambda one: one.version)
            case "sheet":
                sheet = ScoreSheet.FromString(body)
                known_sheet = self.sheets.get(sheet.name, sheet)
                self.sheets[sheet.name] = max(sheet, known_sheet, key=lambda one: one.version)
