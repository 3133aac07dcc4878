"""Carries the lane down between two opened nodes, message by message and without a network."""

from zongheng.v1.down_pb2 import DescendResponse
from zongheng.v1.tree_pb2 import NodeCard

from federation.link.descent import Came, Keep, Linked, Pin, Report, Stored
from federation.link.down_lane import begun
from node.run import Node


def introduce(upper: Node, lower: Node, *further: Node) -> None:
    """The upper node learns who its child is and who is below that."""
    own = NodeCard()
    own.CopyFrom(lower.tree.own)
    own.parent = upper.settings.node
    below = []
    for node in further:
        card = NodeCard()
        card.CopyFrom(node.tree.own)
        card.parent = lower.settings.node
        below.append(card)
    upper.tree.learn([own, *below])


async def hand_down(upper: Node, lower: Node, *, kill_after_keep: bool = False) -> list[str]:
    """Everything the upper node has for the lower; returns what the lower left out, in words."""
    end = lower.from_above
    descent = await begun(end)
    descent.handle(Linked())
    message = DescendResponse(above=await upper.addressed.above())
    members = {lower.settings.node, *lower.tree.nodes()}
    told: list[str] = []
    first = True
    while True:
        for command in descent.handle(Came(message)):
            match command:
                case Pin(above):
                    await end.pin(above)
                case Keep():
                    await end.keep(command)
                    if kill_after_keep:
                        return told
                    descent.handle(Stored())
                case Report(_, words):
                    told.append(words)
                case _:
                    raise AssertionError(command)
        batch = await upper.addressed.batch(members, descent.position, descent.kept.size, 1 << 20)
        if not first and descent.position >= batch.size:
            await lower.projector.catch_up()
            return told
        first = False
        message = batch.message


async def hand_up(lower: Node, upper: Node) -> None:
    """Everything of the lower node's journal that the upper does not hold yet."""
    own = lower.settings.node
    async with lower.store.read() as session:
        head = await session.journal.head(own)
        assert head is not None
        leaves = await session.journal.leaves(own, 0, head.size)
    async with upper.store.read() as session:
        held = await session.journal.head(own)
    first = held.size if held is not None else 0
    await upper.inbox.accept(own, head.log_id, head.verifier, first, leaves[first:], head.note)
    await upper.projector.catch_up()
