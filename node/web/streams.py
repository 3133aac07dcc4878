"""Addresses of live streams (视频流) and of who looks."""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from node.views import streams
from node.web.guard import Asking

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["streams"])

    @api.get("/api/streams")
    async def show() -> streams.StreamsView:
        """What the node's media worker has open."""
        return streams.streams(node)

    @api.post("/api/streams/trials")
    async def try_stream(caller: Asking, form: streams.Trial) -> streams.Tried:
        """Look at a stream for some seconds, as a viewer would: it is entered like every look."""
        return await streams.try_stream(node, caller, form)

    @api.get("/api/viewings")
    async def viewings() -> list[streams.ViewingLine]:
        """Who looks at this node or through it."""
        return streams.viewings(node)

    @api.post("/api/viewings/{viewing}/removal", status_code=201)
    async def put_out(caller: Asking, viewing: str, form: streams.PutOut) -> streams.ViewingLine:
        """Put a viewer out, wherever they sit."""
        return await streams.put_out(node, caller, viewing, form)

    return api
