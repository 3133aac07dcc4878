"""Who a request is from, and whether they may: looked at before anything of the request is read.

Through the folder's socket comes the operator. Over the network comes whoever shows a session's cookie or a token; as long as a node on
loopback has no account at all, anybody on this machine is the operator, and says so in every entry. Once the first account is made there is no
way back to that.

A request that changes something must come from a page of this node: with a session it shows the session's token in ``X-CSRF-Token``, and an
``Origin`` of another host is refused in any case. Refusals of somebody who is known are entries.
"""

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from federation.errors import ZonghengError
from node.people import audit
from node.people.caller import OPERATOR, Caller
from node.people.inside import Inside, same_secret
from node.people.roles import Act
from node.web.access import FOREIGN, Open, needed

if TYPE_CHECKING:
    from node.run import Node

COOKIE: Final = "zongheng_session"
"""With TLS the name has the prefix ``__Host-``, which no page of a sibling host can set."""

CSRF_HEADER: Final = "x-csrf-token"

_DOOR: Final = "zongheng.door"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_WITH_A_NEW_PASSWORD_ONLY: Final = frozenset({"/api/me", "/api/me/password", "/api/logout"})


class FolderDoor:
    """ASGI wrapper: what comes this way comes from the owner of the node's folder."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, _DOOR: "folder"}, receive, send)


def cookie_name(request: Request) -> str:
    """The name of the session's cookie for this connection."""
    return f"__Host-{COOKIE}" if request.url.scheme == "https" else COOKIE


def address_of(request: Request) -> str:
    """Where a request comes from; empty: the folder's socket."""
    return request.client.host if request.client is not None else ""


def through_folder(request: Request) -> bool:
    return request.scope.get(_DOOR) == "folder"


class Guard:
    """The application's first dependency."""

    def __init__(self, node: "Node") -> None:
        self._node = node

    async def __call__(self, request: Request) -> None:
        path = request.scope["route"].path
        wanted = needed(request.method, path)
        if (
            not through_folder(request)
            and request.method not in _SAFE
            and not self._with_a_token(request, path)
        ):
            _same_origin(request)
        if wanted is Open.ANYBODY:
            request.state.caller = OPERATOR if through_folder(request) else Caller("")
            return
        inside = await self._inside(request)
        caller = inside.caller
        request.state.inside = inside
        request.state.caller = caller
        if inside.csrf and request.method not in _SAFE:
            shown = request.headers.get(CSRF_HEADER, "")
            if not same_secret(inside.csrf, shown):
                # A page of another site cannot read it, so it cannot show it.
                raise ZonghengError("forbidden", "this request does not come from a page of this node")
        if inside.must_change and path not in _WITH_A_NEW_PASSWORD_ONLY:
            raise ZonghengError("forbidden", "choose a password of your own first: POST /api/me/password")
        acts = {wanted} if isinstance(wanted, Act) else wanted if isinstance(wanted, frozenset) else set()
        if not (caller.is_operator or wanted is Open.INSIDE or any(map(caller.may, acts))):
            await self.refuse(caller, f"{request.method} {request.url.path}")

    def _with_a_token(self, request: Request, path: str) -> bool:
        """Whether it is one that pages of other sites may make: with a token of its own, so that it carries no right of the browser's."""
        bearer = request.headers.get("authorization", "").lower().startswith("bearer ")
        return path in FOREIGN and bearer and self._node.login_required

    async def refuse(self, caller: Caller, subject: str) -> None:
        """Enter the refusal and raise it."""
        await self._node.write_entries([audit.refused(caller, subject)])
        raise ZonghengError("forbidden", f"the roles of {caller.who} do not allow {subject}")

    async def _inside(self, request: Request) -> Inside:
        if through_folder(request):
            return Inside(OPERATOR, "")
        if not self._node.login_required:
            return Inside(OPERATOR, "")
        entrance = (await self._node.people()).entrance
        address = address_of(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return await entrance.by_token(token.strip(), address)
        secret = request.cookies.get(cookie_name(request), "")
        if not secret:
            raise ZonghengError("login_required", "log in at /login, or send a token")
        return await entrance.by_session(secret, address, by_itself=request.url.path == "/")


def _same_origin(request: Request) -> None:
    """``forbidden`` for what a page of another site sends; a program that is no browser names no origin."""
    origin = request.headers.get("origin", "null")
    site = request.headers.get("sec-fetch-site", "none" if origin == "null" else "same-origin")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    opaque = origin == "null" and "origin" in request.headers and "sec-fetch-site" not in request.headers
    if origin not in {"null", own} or site not in {"none", "same-origin"} or opaque:
        raise ZonghengError("forbidden", "this request comes from a page of another site")


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


Asking = Annotated[Caller, Depends(_caller)]
"""A route's parameter: who asks."""
