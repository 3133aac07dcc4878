"""Pages on which people look and are looked at: a stream that is watched, a phone or a kiosk that is a camera, calls and meetings."""

import time
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from node.people.caller import Caller
from node.people.inside import Inside
from node.people.roles import Act
from node.web.guard import Asking
from node.web.scripted import scripted

if TYPE_CHECKING:
    from node.run import Node

PAGES: Final = ("/watch/", "/publish/", "/wall", "/patrol", "/calls", "/meeting/", "/help")
"""How the addresses of these pages begin; who is not logged in is sent to log in, and comes back."""


FURTHER: Final = (
    ("/wall", "大厅总览", Act.WATCH),
    ("/patrol", "视频巡查", Act.READ_PATROLS),
    ("/calls", "通话", Act.CALL),
)
"""Pages that the first one leads to: address, words, and what they ask for."""


def is_page(path: str) -> bool:
    """Whether this is an address that a person sees, of this node."""
    return path == "/" or path.startswith(PAGES)


def _convenes(caller: Caller) -> bool:
    """Whether they may call people together."""
    return caller.is_operator or caller.may(Act.CONVENE)


def router(node: "Node") -> APIRouter:
    """The pages over one node."""
    routes = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @routes.get("/watch/{stream:path}")
    async def watch(request: Request, caller: Asking, stream: str) -> HTMLResponse:
        inside: Inside = request.state.inside
        shown = await node.webrtc.shown(caller, stream)
        given = {
            "whep": f"/api/whep/{quote(shown.stream)}",
            # Of the camera, whichever of its streams it is.
            "camera": f"/api/cameras/{quote(shown.stream.rpartition('/')[0])}",
            "csrf": inside.csrf,
            "who": caller.who,
            "ahead_ms": _ahead_ms(node),
        }
        return scripted("watch.html", given, name=node.settings.name, shown=shown)

    @routes.get("/publish/{of}/{camera}")
    async def publish(request: Request, caller: Asking, of: str, camera: str) -> HTMLResponse:
        inside: Inside = request.state.inside
        shown = await node.webrtc.published(caller, f"{of}/{camera}/main")
        given = {"whip": f"/api/whip/{quote(shown.stream)}", "csrf": inside.csrf}
        return scripted("publish.html", given, devices=True, name=node.settings.name, shown=shown)

    @routes.get("/calls")
    async def calls(request: Request, caller: Asking) -> HTMLResponse:
        inside: Inside = request.state.inside
        given = {"csrf": inside.csrf, "convenes": _convenes(caller)}
        return scripted("calls.html", given, name=node.settings.name, who=caller.who)

    @routes.get("/meeting/{meeting}")
    async def meeting(request: Request, caller: Asking, meeting: str) -> HTMLResponse:
        inside: Inside = request.state.inside
        given = {
            "csrf": inside.csrf,
            "meeting": meeting,
            "name": node.settings.name,
            "convenes": _convenes(caller),
        }
        return scripted("meeting.html", given, devices=True, name=node.settings.name)

    @routes.get("/help")
    async def ask_for_help(
        request: Request,
        hall: Annotated[str, Query(max_length=100)] = "",
        window: Annotated[str, Query(max_length=100)] = "",
    ) -> HTMLResponse:
        inside: Inside = request.state.inside
        given = {
            "csrf": inside.csrf,
            "name": node.settings.name,
            # Where the kiosk stands: whoever answers reads it.
            "title": " ".join(part for part in (hall, window) if part),
            "ahead_ms": _ahead_ms(node),
        }
        return scripted("help.html", given, devices=True, name=node.settings.name)

    return routes


def _ahead_ms(node: "Node") -> int:
    """By how much the node's clock, which pages show, is ahead of this machine's."""
    return node.now() // 1_000 - time.time_ns() // 1_000_000
