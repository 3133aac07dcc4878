"""WHEP and WHIP (RFC 9725) over HTTP.

A player posts an offer and gets the answer with the address of its session; it ends the session with DELETE and adds addresses with PATCH. Players of other
makes show a token (``Authorization: Bearer``), and they alone may come from pages of other sites: a request with a token carries no
right of the browser it comes from. ICE is not restarted: a player that lost its way asks again.
"""

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from federation.errors import ZonghengError
from node.wallclock import instant
from node.web.access import FOREIGN
from node.web.guard import Asking
from node.web.restated import Restated

if TYPE_CHECKING:
    from node.media.handed_on import Order
    from node.media.webrtc.desk import Begun
    from node.run import Node

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"

_LARGEST: Final = 64 << 10

OPEN_TO_OTHERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""What each answer of these addresses bears."""

_FOREIGN: Final = tuple(path.partition("{")[0] for path in sorted(FOREIGN))

_NOT_LIVE: Final = frozenset({"unreachable", "deadline"})
_AGAIN_MS: Final = 2_000


def is_foreign(path: str) -> bool:
    """Whether players on pages of other sites may ask this address."""
    return path.startswith(_FOREIGN)


class HandingOn(BaseModel):
    """A stream, and the media server that is to have it."""

    model_config = ConfigDict(extra="forbid")
    stream: str
    endpoint: str = Field(max_length=500)
    """The server's WHIP address: https://…, or http://… on this machine."""
    token: str = Field("", max_length=4_000)
    """What the server asks for (Bearer); kept sealed."""


class HandedOn(BaseModel):
    """A stream that is handed on from now on, or was when it was taken back."""

    order: str
    session: str
    """At the media worker; empty: at the moment nothing goes to the server, and it is tried again."""
    stream: str
    endpoint: str
    since: str
    """When it was ordered, RFC 3339 in UTC."""
    code: str
    detail: str
    """What the last attempt failed with."""


def _shown(order: "Order") -> HandedOn:
    error = order.error
    return HandedOn(
        order=order.id,
        session=order.session,
        stream=order.stream,
        endpoint=order.endpoint,
        since=instant(order.since_us).isoformat(),
        code=error.code if error is not None else "",
        detail=error.detail if error is not None else "",
    )


def router(node: "Node") -> APIRouter:
    """The routes over one node."""
    routes = APIRouter(tags=["video"])

    @routes.post("/api/whep/{stream:path}", status_code=201, response_class=Response)
    async def whep(
        request: Request, caller: Asking, stream: str, purpose: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        """Watch a stream: an SDP offer in the body, the answer in return (WHEP, client offers)."""
        offer = await _offer(request)
        try:
            return _created(await node.webrtc.watch(caller, stream, offer, purpose))
        except ZonghengError as error:
            if error.code in _NOT_LIVE:
                # The stream has no picture at the moment: a player asks again (draft-ietf-wish-whep, §4.2).
                raise Restated(error, 409, _AGAIN_MS) from error
            raise

    @routes.post("/api/whip/{stream:path}", status_code=201, response_class=Response)
    async def whip(request: Request, caller: Asking, stream: str) -> Response:
        """Publish a stream: an SDP offer in the body, the answer in return (WHIP)."""
        return _created(await node.webrtc.publish(caller, stream, await _offer(request)))

    @routes.post("/api/webrtc-sessions", status_code=201)
    async def hand_on(caller: Asking, form: HandingOn) -> HandedOn:
        """Hand a stream on to a media server (WHIP) for more people than this machine serves, until it is taken back."""
        return _shown(await node.handed_on.begin(caller, form.stream, form.endpoint, form.token))

    @routes.get("/api/handed-on")
    async def handed_on(caller: Asking) -> list[HandedOn]:
        """What is handed on to media servers, the oldest first."""
        return [_shown(order) for order in node.handed_on.orders]

    @routes.delete("/api/handed-on/{order}")
    async def take_back(caller: Asking, order: str) -> HandedOn:
        """Hand a stream on no more."""
        return _shown(await node.handed_on.take_back(caller, order))

    @routes.patch("/api/webrtc-sessions/{session}", status_code=204, response_class=Response)
    async def trickle(
        request: Request, caller: Asking, session: str, if_match: Annotated[str, Header(max_length=300)] = ""
    ) -> Response:
        """Further addresses (trickle ICE); ``If-Match`` names the session's ETag."""
        _of_kind(request, FRAGMENT)
        held = node.webrtc.mine(caller, session)
        if not if_match:
            raise Restated(ZonghengError("bad_request", "name the session's ETag in If-Match"), 428)
        if if_match.strip() == "*":  # an ICE restart (RFC 9725 §4.3.3), which a session here does not
            raise Restated(ZonghengError("protocol", "ICE is not restarted here: end and offer again"), 422)
        if if_match.strip() != f'"{held.etag}"':
            raise Restated(ZonghengError("bad_request", f"the session's ETag is another: {held.etag}"), 412)
        try:
            await node.webrtc.trickle(caller, session, _text(await request.body()))
        except ZonghengError as error:
            if error.code == "protocol":
                # Asked to restart ICE, which a session here does not (RFC 9725 §4.3.1).
                raise Restated(error, 422) from error
            raise
        return Response(status_code=204)

    @routes.delete("/api/webrtc-sessions/{session}", status_code=200, response_class=Response)
    async def end(caller: Asking, session: str) -> Response:
        """End a session."""
        await node.webrtc.end(caller, session)
        return Response(status_code=200)

    @routes.get("/api/webrtc-sessions/{session}", status_code=204, include_in_schema=False)
    async def is_there(caller: Asking, session: str) -> Response:
        node.webrtc.mine(caller, session)
        return Response(status_code=204)

    for path in sorted(FOREIGN):
        routes.add_api_route(path, _allowed, methods=["OPTIONS"], include_in_schema=False)
        if "{session}" not in path:
            # There is nothing to show (RFC 9725 §4.1).
            routes.add_api_route(path, _nothing, methods=["GET"], status_code=204, include_in_schema=False)
    return routes


async def _allowed() -> Response:
    return Response(
        status_code=200,
        headers={
            "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE, OPTIONS",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
            "Access-Control-Max-Age": "600",
            "Accept-Post": SDP,
            "Accept-Patch": FRAGMENT,
        },
    )


async def _nothing() -> Response:
    return Response(status_code=204)


def _created(begun: "Begun") -> Response:
    return Response(
        begun.answer,
        status_code=201,
        media_type=SDP,
        headers={
            "Location": f"/api/webrtc-sessions/{begun.held.session}",
            "ETag": f'"{begun.held.etag}"',
            "Accept-Patch": FRAGMENT,
        },
    )


async def _offer(request: Request) -> str:
    _of_kind(request, SDP)
    return _text(await request.body())


def _text(body: bytes) -> str:
    if len(body) > _LARGEST:
        raise ZonghengError("too_large", f"an SDP has at most {_LARGEST >> 10} KB")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ZonghengError("bad_request", "the body is not text in UTF-8") from error


def _of_kind(request: Request, kind: str) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise ZonghengError("bad_request", f"send it as Content-Type: {kind}")
