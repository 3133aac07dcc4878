"""The versions of items that a journal knows, with how far each has come: read from its steps and its catalogue, beside drafts of the registry."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from zongheng.v1.catalogue_pb2 import Item
from zongheng.v1.items_pb2 import ItemStep, ItemStepKind

from node.models.forms import Draft
from node.models.messages import item_message
from node.projection.mandates import ABOVE, DOWN, Line
from node.store.items import ItemStepRow
from node.store.store import Session
from node.supervision.item_course import EDITABLE, Done, Kind, reviewed, state_of

_KINDS = {number: name.removeprefix("ITEM_STEP_KIND_").lower() for name, number in ItemStepKind.items()}

CHANGED = "changed"
"""The state of a published version that a later one replaced."""


@dataclass(slots=True)
class Version:
    """One version of one item."""

    item: Item
    sender: str = ""
    """The node above that mandated it; empty: the journal's own."""
    published: bool = False
    steps: list[tuple[ItemStepRow, ItemStep]] = field(default_factory=list)
    draft: Draft | None = None
    replaced: bool = False
    withdrawn_us: int = 0

    @property
    def done(self) -> list[Done]:
        """The steps that were taken."""
        return [Done(Kind(_KINDS[step.kind]), step.by) for _, step in self.steps]

    @property
    def state(self) -> str:
        """Where it stands now."""
        if self.withdrawn_us:
            return Kind.WITHDRAWN.value
        return CHANGED if self.replaced else state_of(self.done, published=self.published)

    @property
    def reviewed(self) -> bool:
        """Legal review passed what is listed."""
        return reviewed(self.done)

    @property
    def by(self) -> str:
        """Who took the last step, or wrote the draft."""
        if self.steps:
            return self.steps[-1][1].by
        return "" if self.draft is None else self.draft.edited_by

    @property
    def at_us(self) -> int:
        """When."""
        if self.steps:
            return self.steps[-1][0].at_us
        return 0 if self.draft is None else self.draft.edited_at_us

    @property
    def reason(self) -> str:
        """Of the last step."""
        return self.steps[-1][1].reason if self.steps else ""


class Versions:
    """All versions of one item or of every item of a journal."""

    def __init__(self) -> None:
        self._own: dict[tuple[str, int], Version] = {}
        self._above: dict[tuple[str, str, int], Version] = {}

    @classmethod
    async def read(cls, session: Session, origin: str, code: str = "") -> Self:
        """What the journal of ``origin`` says, as far as it is projected; of one item, or of all."""
        versions = cls()
        rows = await (session.item_steps.of(origin, code) if code else session.item_steps.all(origin))
        for row in rows:
            step = ItemStep.FromString(row.body)
            version = versions._own.setdefault(
                (row.item, row.version), Version(Item(code=row.item, version=row.version))
            )
            version.steps.append((row, step))
            if step.HasField("content"):
                version.item = step.content
        for kind in ("item", f"item{DOWN}"):
            for piece in await session.catalogue.all(origin, kind):
                item = Item.FromString(piece.body)
                if not code or item.code == code:
                    version = versions._own.setdefault((item.code, item.version), Version(item))
                    version.item, version.published = item, True
        for piece in await session.catalogue.all(origin, f"item{ABOVE}"):
            item, sender = Item.FromString(piece.body), Line.parse(piece.code).sender
            if sender != origin and (not code or item.code == code):
                versions._above[sender, item.code, item.version] = Version(item, sender, published=True)
        versions._replace()
        return versions

    def draft(self, drafts: Iterable[Draft]) -> None:
        """Add what lies in the registry and is not published: it is what would be listed next."""
        for draft in drafts:
            key = (draft.item.code, draft.item.version)
            known = self._own.get(key)
            if draft.state != "draft" or (known is not None and known.published):
                continue
            written = item_message(draft.item, draft.item.domain)
            version = self._own.setdefault(key, Version(written))
            version.draft = draft
            if version.state in EDITABLE:
                version.item = written

    def _replace(self) -> None:
        """A published version is over when a later one is published, or withdraws the item."""
        published = [one for one in (*self._own.values(), *self._above.values()) if one.published]
        for sender, code in {(one.sender, one.item.code) for one in published}:
            line = sorted(
                (one for one in published if (one.sender, one.item.code) == (sender, code)),
                key=lambda one: one.item.version,
            )
            for before, after in itertools.pairwise(line):
                before.replaced = True
                if after.item.withdrawn:
                    before.withdrawn_us = after.item.valid_from_us

    @property
    def shown(self) -> list[Version]:
        """By item and version; the last version of a withdrawn item, which says so and nothing else, is not one of them."""
        found = [one for one in (*self._own.values(), *self._above.values()) if not one.item.withdrawn]
        return sorted(found, key=lambda one: (one.item.code, one.item.version, one.sender))

    @property
    def own(self) -> list[Version]:
        """Those of the journal itself."""
        return list(self._own.values())

    @property
    def next(self) -> int:
        """The number of the next version: one more than the newest that is published or listed."""
        taken = [one for one in (*self._own.values(), *self._above.values()) if one.published or one.steps]
        return max((one.item.version for one in taken), default=0) + 1

    def numbered(self, number: int) -> Version | None:
        """The journal's own version of that number, where one item was read."""
        return next((one for one in self._own.values() if one.item.version == number), None)
