"""The lane down as an operator sees it: what comes from above, what is on its way to those below, and opening it again."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from federation.errors import ZonghengError
from node import lane_down

if TYPE_CHECKING:
    from node.run import Node


class ChildLaneView(BaseModel):
    """One child's lane."""

    node: str
    acknowledged: int
    """It entered all that is for it before this index of this node's journal."""
    waiting: int
    """Entries that are for it or for somebody below it and that it did not acknowledge; 1,000 at most."""
    unsigned: int
    """Entries that it acknowledged and for which the journal that it sent has no receipt: it took them and entered them not."""


class LaneView(BaseModel):
    """This node's end of its parent's lane, and the lanes of its children."""

    parent: str
    """Empty: nothing ever came."""
    position: int
    """Everything for this node before this index of the parent's journal is entered here."""
    held_size: int
    """Size of the newest head of the parent's journal that this node saw: the parent is held to it."""
    code: str
    """Why nothing more is taken from the parent, as a stable code; empty: the lane is open."""
    instruction: str
    withheld: int
    """Entries that were kept from this node and shown by later ones; each is an entry of its journal."""
    children: list[ChildLaneView]


class Reopening(BaseModel):
    """Who decides to take the journals above as they are from now on, and why."""

    model_config = ConfigDict(extra="forbid")

    by: str = ""
    reason: str = Field(min_length=1, max_length=2_000)


async def lane(node: "Node") -> LaneView:
    """The view now."""
    end = node.from_above
    kept = await end.kept()
    async with node.store.read() as session:
        acknowledged = await lane_down.descended(session)
        withheld = await session.addressed.withheld()
    cards = [card.node for card in node.tree.descendants() if card.parent == node.settings.node]
    return LaneView(
        parent=kept.parent,
        position=kept.position,
        held_size=kept.size,
        code=end.code,
        instruction=end.instruction,
        withheld=withheld,
        children=[await _child(node, child, acknowledged.get(child, 0)) for child in cards],
    )


async def _child(node: "Node", child: str, acknowledged: int) -> ChildLaneView:
    waiting, unsigned = await node.addressed.waiting(child, acknowledged)
    return ChildLaneView(node=child, acknowledged=acknowledged, waiting=waiting, unsigned=unsigned)


async def reopen(node: "Node", form: Reopening) -> LaneView:
    """Open the lane from above again. ``ZonghengError`` ``bad_request`` where nothing ever came from above."""
    if not (await node.from_above.kept()).parent:
        raise ZonghengError("bad_request", "nothing ever came from above: there is no lane to open again")
    if node.serving and not node.from_above.code:
        raise ZonghengError("bad_request", "the lane from above is open: there is nothing to open again")
    await node.from_above.reopen(form.by, form.reason)
    return await lane(node)
