"""Addresses of cameras (摄像头)."""

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response

from node.media.checking import Checked
from node.views import cameras
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["cameras"])

    @api.get("/api/cameras")
    async def lines(of: str = "") -> list[cameras.CameraLine]:
        """The cameras of this node and of those below it."""
        return await cameras.lines(node, of)

    @api.post("/api/cameras", status_code=201)
    async def register(caller: Asking, form: cameras.Registration) -> cameras.Noted:
        """Register a camera, or change the one of its code."""
        return await cameras.register(node, caller, form)

    @api.get("/api/cameras/{code}")
    async def show(code: str) -> cameras.CameraView:
        """One camera of this node, with everything but its password."""
        return await cameras.show(node, code)

    @api.post("/api/cameras/{code}/removal", status_code=201)
    async def remove(caller: Asking, code: str, form: cameras.Removal) -> cameras.Noted:
        """Remove a camera, its password with it."""
        return await cameras.remove(node, caller, code, form)

    @api.post("/api/cameras/{code}/check")
    async def check(code: str, quality: str = "main") -> Checked:
        """Reach a camera: what it sends, and what is wrong with it."""
        return await cameras.check(node, code, quality)

    @api.get("/api/nodes/{of}/picture", response_class=Response)
    async def picture(of: str) -> Response:
        """The newest small picture of a node."""
        return Response(cameras.picture(node, of), media_type="image/jpeg")

    return api
