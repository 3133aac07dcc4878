"""Addresses of devices around the node, and of cameras that turn (云台)."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from node.views import onvif, steering
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["cameras"])

    @api.post("/api/cameras/discovery")
    async def discover(form: onvif.Search) -> list[onvif.DeviceLine]:
        """ONVIF devices that answer on the node's networks, or one that is named."""
        return await onvif.discover(node, form)

    @api.get("/api/cameras/{of}/{code}/presets")
    async def presets(caller: Asking, of: str, code: str) -> steering.PresetsView:
        """What a camera of this node or of one below can do, for somebody who may turn it."""
        return await steering.presets(node, caller, f"{of}/{code}")

    @api.post("/api/cameras/{of}/{code}/steer")
    async def steer(caller: Asking, of: str, code: str, form: steering.Command) -> steering.Obeyed:
        """Turn a camera of this node or of one below; whoever begins to is entered at every node on the way."""
        return await steering.steer(node, caller, f"{of}/{code}", form)

    return api
