"""Addresses about people: coming in and going out, accounts, the audit trail, persons of the vault."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict

from federation.errors import ZonghengError
from node.people.caller import person
from node.people.inside import LONGEST_US, Entered, Inside
from node.views import erasure, people
from node.web.guard import Asking, address_of, cookie_name
from node.web.page import login_page
from node.web.pages import is_page

if TYPE_CHECKING:
    from node.run import Node

_LARGEST = 2**63 - 1


class Login(BaseModel):
    """Staff number and password."""

    model_config = ConfigDict(extra="forbid")

    number: str
    password: str


class Me(BaseModel):
    """Who asks."""

    who: str
    """Staff number; ``operator`` at the folder's own door."""
    roles: list[str]
    acts: list[str]
    agency: str
    line: str
    must_change: bool
    csrf: str
    """What a request that changes something shows in ``X-CSRF-Token``; empty: nothing needs to be shown."""


def router(node: "Node") -> APIRouter:
    """The addresses, over an opened node."""
    api = APIRouter()

    @api.get("/login", response_class=HTMLResponse, include_in_schema=False)
    async def show_login(then: str = "/") -> str:
        return login_page(node.settings.name, "", then=then if is_page(then) else "/")

    @api.post("/login", response_class=HTMLResponse, include_in_schema=False)
    async def post_login(request: Request) -> Response:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"))
        number, password, new = (fields.get(name, [""])[0] for name in ("number", "password", "new"))
        then = fields.get("then", ["/"])[0]
        then = then if is_page(then) else "/"
        name = node.settings.name
        try:
            entered = await _log_in(request, number, password)
            if entered.account.must_change:
                if not new:
                    return HTMLResponse(
                        login_page(name, "请设置本人的新口令", number=number, renew=True, then=then)
                    )
                caller = person(number, (), "", "", None, address_of(request))
                form = people.NewPassword(password=new, old=password)
                await people.change_password(node, caller, number, form)
                entered = await _log_in(request, number, new)
        except ZonghengError as error:
            return HTMLResponse(login_page(name, error.fault.zh, then=then), status_code=error.fault.http)
        answer = RedirectResponse(then, status_code=303)
        _set_cookie(request, answer, entered)
        return answer

    @api.post("/api/login", tags=["people"])
    async def log_in(request: Request, response: Response, form: Login) -> Me:
        """Begin a session: a cookie, and the token that requests which change something show."""
        entered = await _log_in(request, form.number, form.password)
        _set_cookie(request, response, entered)
        people_ = await node.people()
        return _me(await people_.entrance.by_session(entered.secret, address_of(request)))

    @api.post("/api/logout", tags=["people"], status_code=204)
    async def log_out(request: Request, response: Response, caller: Asking) -> None:
        """End the session."""
        secret = request.cookies.get(cookie_name(request), "")
        if secret and not caller.is_operator:
            await (await node.people()).entrance.log_out(secret, caller)
        response.delete_cookie(cookie_name(request))

    @api.get("/api/me", tags=["people"])
    async def me(request: Request) -> Me:
        """Who asks, and what they may."""
        inside: Inside = request.state.inside
        return _me(inside)

    @api.post("/api/me/password", tags=["people"])
    async def my_password(request: Request, caller: Asking, form: people.NewPassword) -> people.UserView:
        """Choose a password of one's own; every session of the account ends."""
        _in_person(request)
        return await people.change_password(node, caller, caller.who, form)

    @api.get("/api/users", tags=["people"])
    async def users(caller: Asking) -> list[people.UserView]:
        """Accounts: all of them for administrators and auditors, else one's own."""
        return await people.users(node, caller)

    @api.post("/api/users", tags=["people"], status_code=201)
    async def add_user(caller: Asking, form: people.NewUser) -> people.UserView:
        """Make an account. Once there is one, nobody comes in over the network without."""
        return await people.add_user(node, caller, form)

    @api.post("/api/users/{number}/roles", tags=["people"])
    async def change_roles(caller: Asking, number: str, form: people.RoleChange) -> people.UserView:
        """Give and take roles."""
        return await people.change_roles(node, caller, number, form)

    @api.post("/api/users/{number}/state", tags=["people"])
    async def change_state(caller: Asking, number: str, form: people.StateChange) -> people.UserView:
        """Disable or enable an account."""
        return await people.change_state(node, caller, number, form)

    @api.post("/api/users/{number}/password", tags=["people"])
    async def reset_password(caller: Asking, number: str, form: people.NewPassword) -> people.UserView:
        """Reset another's password; they have to choose one of their own at once."""
        return await people.change_password(node, caller, number, form)

    @api.get("/api/users/{number}/tokens", tags=["people"])
    async def tokens(caller: Asking, number: str) -> list[people.TokenView]:
        """Tokens of an account, without their secrets."""
        return await people.tokens(node, caller, number)

    @api.post("/api/users/{number}/tokens", tags=["people"], status_code=201)
    async def make_token(
        request: Request, caller: Asking, number: str, form: people.TokenForm
    ) -> people.TokenView:
        """Make a token for a program; its secret is in this answer and nowhere else."""
        _in_person(request)
        return await people.make_token(node, caller, number, form)

    @api.delete("/api/users/{number}/tokens/{label}", tags=["people"], status_code=204)
    async def revoke_token(caller: Asking, number: str, label: str) -> None:
        """A token stops working."""
        await people.revoke_token(node, caller, number, label)

    @api.get("/api/audit", tags=["people"])
    async def audit(
        who: str = "",
        kind: str = "",
        after: Annotated[int, Query(ge=-1, le=_LARGEST)] = -1,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 200,
    ) -> people.AuditPage:
        """Logins, refusals, changes of accounts and looks at evidence, in journal order."""
        return await people.trail(node, who=who, kind=kind, after=after, limit=limit)

    @api.get("/api/persons/{handle}", tags=["people"])
    async def show_person(caller: Asking, handle: str, case: str, purpose: str = "") -> people.PersonView:
        """Who a handle stands for; masked without a purpose. Each look is an entry."""
        return await people.person(node, caller, handle, case, purpose)

    @api.post("/api/erasures", tags=["people"], status_code=201)
    async def erase(caller: Asking, form: erasure.Erase) -> erasure.Erased:
        """Forget a person: the mapping is deleted, the journal stays as it is, and that it was done is an entry."""
        return await erasure.erase(node, caller, form)

    @api.get("/api/texts/{digest}", tags=["people"])
    async def text(caller: Asking, digest: str, case: str, purpose: str = "") -> people.TextView:
        """A free text of a case. Each look is an entry."""
        return await people.text(node, caller, digest, case, purpose)

    async def _log_in(request: Request, number: str, password: str) -> Entered:
        if not node.login_required:
            raise ZonghengError(
                "bad_request", "nobody has an account here: `zongheng user add` makes the first"
            )
        return await (await node.people()).entrance.log_in(number, password, address_of(request))

    return api


def _set_cookie(request: Request, response: Response, entered: Entered) -> None:
    response.set_cookie(
        cookie_name(request),
        entered.secret,
        max_age=LONGEST_US // 1_000_000,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _in_person(request: Request) -> None:
    """What makes new secrets is asked for by a person, never by a token: a token's scope must not grow."""
    inside: Inside = request.state.inside
    if not inside.csrf and not inside.caller.is_operator:
        raise ZonghengError("forbidden", "a token cannot do this: log in")


def _me(inside: Inside) -> Me:
    caller = inside.caller
    return Me(
        who=caller.who,
        roles=sorted(caller.roles),
        acts=sorted(caller.acts),
        agency=caller.agency,
        line=caller.line,
        must_change=inside.must_change,
        csrf=inside.csrf,
    )
