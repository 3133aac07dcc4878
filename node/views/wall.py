"""The wall: every hall of the subtree with what it showed lately, how its cameras are, and how many cards stand there.

It is read from the cards that nodes send upward and from the figures; nobody is asked, and no hall is looked at. A picture is as old as it says; who may not watch a
camera sees the hall's tile without its picture.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import BaseModel
from zongheng.v1 import camera_pb2 as wire
from zongheng.v1.tree_pb2 import NodeCard

from node.people.caller import Caller
from node.store.alerts import INACTIVE
from node.supervision.levels import STATES
from node.views.cameras import STATE_WORDS, may_see, pictures_of
from node.views.present import time_text

if TYPE_CHECKING:
    from node.run import Node

_TROUBLE = (wire.CAMERA_STATE_LOST, wire.CAMERA_STATE_FROZEN, wire.CAMERA_STATE_DARK)
_SHADED = ("red", "yellow")


class Tile(BaseModel):
    """One hall."""

    node: str
    node_name: str
    tier: str
    parent: str
    hall: str
    """Its name at its node; empty: it has none of its own."""
    camera: str
    """Its first camera."""
    camera_name: str
    stream: str
    state: str
    """Of that camera: ``seeing``, ``lost``, ``frozen``, ``dark``, ``unknown``."""
    since: str | None
    cameras: int
    in_trouble: int
    """Cameras of the hall that are lost, frozen or dark."""
    picture: str
    """Address of its picture; empty: there is none, or the caller may not see it."""
    taken_at: str | None
    age_s: int | None
    """How old the picture is, by the clocks of this node and of the camera's."""
    red: int = 0
    """Red cards of the node that are not settled, as its figures say."""
    yellow: int = 0


class Wall(BaseModel):
    """The halls, those with trouble first."""

    node: str
    name: str
    halls: int
    """All of them, those that are not on this page included."""
    in_trouble: int
    tiles: list[Tile]
    next: int | None
    """Pass as ``after`` for the next page; null: that was all."""


async def wall(
    node: "Node", caller: Caller, of: str = "", after: int = 0, limit: int = 60, trouble: bool = False
) -> Wall:
    """A page of the wall of this node or of one below it."""
    root = of or node.settings.node
    inside = None if root == node.settings.node else node.tree.subtree(root)
    cards = [
        card
        for card in (node.tree.own, *node.tree.descendants())
        if card.cameras and (inside is None or card.node in inside)
    ]
    tiles = [tile for card in cards for tile in _tiles(node, caller, card)]
    in_trouble = sum(tile.in_trouble > 0 for tile in tiles)
    chosen = [tile for tile in tiles if tile.in_trouble or not trouble]
    chosen.sort(key=lambda tile: (not tile.in_trouble, tile.node, tile.hall))
    page = chosen[after : after + limit]
    async with node.store.read() as session:
        sums = await session.rollups.cards(sorted({tile.node for tile in page}))
    for tile in page:
        tile.red, tile.yellow = (_standing(sums[tile.node], level) for level in _SHADED)
    known = node.tree.own if inside is None else node.tree.get(root)
    return Wall(
        node=root,
        name="" if known is None else known.name,
        halls=len(tiles),
        in_trouble=in_trouble,
        tiles=page,
        next=after + limit if len(chosen) > after + limit else None,
    )


def _tiles(node: "Node", caller: Caller, card: NodeCard) -> list[Tile]:
    halls: dict[str, list[wire.CameraCard]] = {}
    for camera in sorted(card.cameras, key=lambda camera: camera.camera):
        halls.setdefault(camera.hall, []).append(camera)
    return [_tile(node, caller, card, hall, cameras) for hall, cameras in halls.items()]


def _tile(
    node: "Node",
    caller: Caller,
    card: NodeCard,
    hall: str,
    cameras: list[wire.CameraCard],
) -> Tile:
    first, zone = cameras[0], node.settings.zone
    shown = next((one for one in pictures_of(card) if one.camera == first.camera), None)
    if shown is not None and not may_see(node, caller, card, shown):
        shown = None
    return Tile(
        node=card.node,
        node_name=card.name,
        tier=card.tier,
        parent=card.parent,
        hall=hall,
        camera=first.camera,
        camera_name=first.name,
        stream=f"{card.node}/{first.camera}/{'sub' if first.has_sub else 'main'}",
        state=STATE_WORDS.get(first.state, "unknown"),
        since=time_text(first.since_us, zone),
        cameras=len(cameras),
        in_trouble=sum(one.state in _TROUBLE for one in cameras),
        picture=""
        if shown is None
        else f"/api/nodes/{quote(card.node, safe='')}/pictures/{quote(first.camera, safe='')}?at={shown.taken_at_us}",
        taken_at=None if shown is None else time_text(shown.taken_at_us, zone),
        age_s=None if shown is None else max(0, (node.now() - shown.taken_at_us) // 1_000_000),
    )


def _standing(figures: Mapping[str, int], level: str) -> int:
    """Cards of a level that nobody has settled."""
    settled = sum(figures.get(f"{level}.{STATES[state]}", 0) for state in INACTIVE)
    return figures.get(level, 0) - settled
