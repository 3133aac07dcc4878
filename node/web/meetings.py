"""Addresses of meetings (会商), help calls (求助) and inspection calls (视频抽查)."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from node.views import meetings
from node.web.guard import Asking
from node.web.places import PlaceView, places

if TYPE_CHECKING:
    from node.run import Node


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter(tags=["meetings"])

    @api.get("/api/meetings")
    async def lines(
        caller: Asking, every: Annotated[bool, Query(alias="all")] = False
    ) -> list[meetings.MeetingView]:
        """The meetings that somebody may join, rings of, sits in or runs; with ``all`` also those that ended lately."""
        return meetings.meetings(node, caller, every=every)

    @api.post("/api/meetings", status_code=201)
    async def open_meeting(caller: Asking, form: meetings.MeetingForm) -> meetings.MeetingView:
        """Open a meeting, call a hall, or ask for help."""
        return await meetings.open_meeting(node, caller, form)

    @api.get("/api/meetings/events", response_class=Response)
    async def events(caller: Asking) -> StreamingResponse:
        """News of one's meetings, as server-sent events (``meeting``), each the whole of one; ends after some minutes, and is to be asked for again."""
        node.meetings.book.listeners.room_for(caller.who)
        return StreamingResponse(
            meetings.events(node, caller), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    @api.get("/api/callable")
    async def callable_places(find: Annotated[str, Query(max_length=100)] = "") -> list[PlaceView]:
        """Nodes here and below that can be called, by a part of their name or code."""
        return places(node, find)

    @api.get("/api/meetings/{meeting}")
    async def show(caller: Asking, meeting: str) -> meetings.MeetingView:
        """One meeting, also one that ended lately."""
        return meetings.meeting(node, caller, meeting)

    @api.post("/api/meetings/{meeting}/join")
    async def join(caller: Asking, meeting: str) -> meetings.MeetingView:
        """Take the seat that rings, or the own one again; ``you`` says where the own picture goes."""
        return await meetings.join(node, caller, meeting)

    @api.post("/api/meetings/{meeting}/leave")
    async def leave(caller: Asking, meeting: str) -> meetings.MeetingView:
        """Leave it."""
        return await meetings.leave(node, caller, meeting)

    @api.post("/api/meetings/{meeting}/decline")
    async def decline(caller: Asking, meeting: str) -> meetings.MeetingView:
        """Say no to what rings."""
        return await meetings.decline(node, caller, meeting)

    @api.post("/api/meetings/{meeting}/invite")
    async def invite(caller: Asking, meeting: str, form: meetings.InviteForm) -> meetings.MeetingView:
        """Call others too."""
        return await meetings.invite(node, caller, meeting, form)

    @api.post("/api/meetings/{meeting}/remove")
    async def remove(caller: Asking, meeting: str, form: meetings.RemoveForm) -> meetings.MeetingView:
        """Ask somebody to leave."""
        return await meetings.remove(node, caller, meeting, form)

    @api.post("/api/meetings/{meeting}/close")
    async def close(caller: Asking, meeting: str) -> meetings.MeetingView:
        """End it for everybody."""
        return await meetings.close(node, caller, meeting)

    return api
