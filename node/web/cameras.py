"""Addresses of cameras (摄像头)."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse

from node.media.checking import Checked
from node.media.recording.archive import kind
from node.views import cameras, evidence, footage
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def _jpeg(content: bytes) -> Response:
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=60"})


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["cameras"])

    @api.get("/api/cameras")
    async def lines(of: str = "") -> list[cameras.CameraLine]:
        """The cameras of this node and of those below it."""
        return await cameras.lines(node, of)

    @api.post("/api/cameras", status_code=201)
    async def register(caller: Asking, form: cameras.Registration) -> cameras.Registered:
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
    async def picture(caller: Asking, of: str) -> Response:
        """The newest small picture of a node."""
        return _jpeg(cameras.picture(node, caller, of))

    @api.get("/api/nodes/{of}/pictures/{code}", response_class=Response)
    async def camera_picture(caller: Asking, of: str, code: str) -> Response:
        """The newest small picture of a camera, as its node's card has it."""
        return _jpeg(cameras.picture(node, caller, of, code))

    @api.get("/api/cameras/{code}/snapshots")
    async def kept(
        caller: Asking,
        code: str,
        since: Annotated[str, Query(alias="from")] = "",
        until: Annotated[str, Query(alias="to")] = "",
    ) -> list[cameras.KeptSnapshot]:
        """The snapshots that were taken of a camera as its setting has it."""
        return await cameras.kept(node, caller, code, since, until)

    @api.get("/api/cameras/{code}/snapshots/{taken_us}")
    async def kept_file(caller: Asking, code: str, taken_us: int) -> FileResponse:
        """One of them; an entry."""
        return FileResponse(await cameras.kept_file(node, caller, code, taken_us), media_type="image/jpeg")

    @api.post("/api/snapshots", status_code=201)
    async def snapshot(caller: Asking, form: footage.SnapshotForm) -> footage.Snapshot:
        """Take a picture of a camera of this node or of one below; an entry."""
        return await footage.snapshot(node, caller, form)

    @api.post("/api/clips", status_code=201)
    async def clip(caller: Asking, form: footage.ClipForm) -> footage.ClipView:
        """Cut a clip out of what a camera of this node or of one below recorded; an entry at every node on the way."""
        return await footage.clip(node, caller, form)

    @api.get("/api/clips/{sha256}/content")
    async def clip_file(sha256: str) -> FileResponse:
        """The file of a clip, also in parts (RFC 9110, section 14)."""
        path = await footage.clip_file(node, sha256)
        form = await asyncio.to_thread(kind, path)
        return FileResponse(path, media_type=f"video/{form}", filename=f"{sha256}.{form}")

    @api.get("/api/footage/{sha256}")
    async def find(sha256: str) -> footage.Found:
        """Which entry names a picture or a clip."""
        return await footage.find(node, sha256)

    @api.get("/api/footage/{sha256}/evidence")
    async def proof(sha256: str, index: int) -> evidence.EvidenceView:
        """The evidence file of an entry of this node that names a picture or a clip."""
        return await evidence.of_footage(node, sha256, index)

    @api.get("/api/alerts/{alert_id}/cameras")
    async def witnesses(caller: Asking, alert_id: str, of: str = "") -> list[footage.Witness]:
        """The cameras that saw what an alert of this node or of one below (`of`) is about, and when."""
        return await footage.witnesses(node, caller, alert_id, of)

    return api
