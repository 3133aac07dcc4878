"""Accounts, the audit trail and persons in the vault, as people and programs read and change them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from federation.errors import ZonghengError
from node.people import audit
from node.people.account import Account, KeptToken
from node.people.caller import Caller
from node.people.masking import UNMASKED, masked_name, masked_number
from node.people.roles import Act, Role
from node.store.rows import EventRow
from node.views.present import time_text
from node.views.sight import must_see

if TYPE_CHECKING:
    from node.run import Node


class UserView(BaseModel):
    """An account."""

    number: str
    """Staff number (工号), which is also the login name."""
    name: str
    agency: str
    line: str
    email: str
    roles: list[str]
    active: bool
    must_change: bool
    """Somebody else chose the password: its owner has to choose another first."""
    has_password: bool
    changed_at: str | None


class NewUser(BaseModel):
    """An account to be made."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1, max_length=100, pattern=r"^\S+$")
    name: str = Field(default="", max_length=200)
    agency: str = Field(default="", max_length=200)
    line: str = Field(default="", max_length=200)
    email: str = Field(default="", max_length=320, pattern=r"^$|^[^@\s]+@[^@\s]+$")
    roles: list[Role] = []
    password: str = ""
    """Empty: nobody can log in with a password yet."""


class RoleChange(BaseModel):
    """Roles to give and to take."""

    model_config = ConfigDict(extra="forbid")

    give: list[Role] = []
    take: list[Role] = []


class StateChange(BaseModel):
    """Whether an account may be used."""

    model_config = ConfigDict(extra="forbid")

    active: bool


class NewPassword(BaseModel):
    """A password in place of the one before."""

    model_config = ConfigDict(extra="forbid")

    password: str
    old: str | None = None
    """One's own is changed with the old one."""


class TokenForm(BaseModel):
    """A token to be made."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1, max_length=100)
    acts: list[Act] = []
    """What it may be used for; empty: whatever the roles give."""
    days: int = 90


class TokenView(BaseModel):
    """A token; its secret is shown once, when it is made."""

    number: str
    label: str
    acts: list[str]
    made_by: str
    made_at: str | None
    expires_at: str | None
    secret: str | None = None


class AuditView(BaseModel):
    """One entry of the audit trail."""

    index: int
    at: str | None
    kind: str
    who: str
    subject: str
    purpose: str
    address: str


class AuditPage(BaseModel):
    entries: list[AuditView]
    next: int | None
    """Pass as ``after`` for the next page; null: that was all."""


class PersonView(BaseModel):
    """Who a handle stands for."""

    handle: str
    name: str
    id_number: str
    masked: bool


class TextView(BaseModel):
    """A free text of the vault."""

    digest: str
    text: str


async def users(node: "Node", caller: Caller) -> list[UserView]:
    """Every account for administrators and auditors; for anybody else their own."""
    known = await (await node.people()).accounts.rows.all()
    all_of_them = any(caller.may(act) for act in (Act.MANAGE_ACCOUNTS, Act.GIVE_ROLES, Act.READ_AUDIT))
    return [_user(node, one) for one in known if all_of_them or one.number == caller.who]


async def user(node: "Node", number: str) -> UserView:
    """One account."""
    known = await (await node.people()).accounts.rows.get(number)
    if known is None:
        raise ZonghengError("not_found", f"there is no account {number}")
    return _user(node, known)


async def add_user(node: "Node", caller: Caller, form: NewUser) -> UserView:
    """Make an account. The first one closes the network to everybody without."""
    made = Account(
        number=form.number,
        name=form.name,
        agency=form.agency,
        line=form.line,
        email=form.email,
        roles=frozenset(form.roles),
    )
    people = await node.people()
    await node.require_login()
    return _user(node, await people.accounts.add(caller, made, form.password))


async def change_roles(node: "Node", caller: Caller, number: str, form: RoleChange) -> UserView:
    """Give and take roles."""
    accounts = (await node.people()).accounts
    return _user(node, await accounts.set_roles(caller, number, form.give, form.take))


async def change_state(node: "Node", caller: Caller, number: str, form: StateChange) -> UserView:
    """Disable or enable an account."""
    return _user(node, await (await node.people()).accounts.set_active(caller, number, form.active))


async def change_password(node: "Node", caller: Caller, number: str, form: NewPassword) -> UserView:
    """Choose a new password."""
    await (await node.people()).accounts.set_password(caller, number, form.password, form.old)
    return await user(node, number)


async def tokens(node: "Node", caller: Caller, number: str) -> list[TokenView]:
    """An account's tokens: its owner's, and who gives roles sees them too."""
    if number != caller.who and not caller.may(Act.GIVE_ROLES):
        raise ZonghengError("forbidden", f"the tokens of {number} are not yours to see")
    return [_token(node, one) for one in await (await node.people()).accounts.rows.tokens(number)]


async def make_token(node: "Node", caller: Caller, number: str, form: TokenForm) -> TokenView:
    """Make a token; the answer alone holds its secret."""
    accounts = (await node.people()).accounts
    secret, token = await accounts.make_token(caller, number, form.label, form.acts, form.days)
    return _token(node, token, secret)


async def revoke_token(node: "Node", caller: Caller, number: str, label: str) -> None:
    """A token stops working."""
    await (await node.people()).accounts.revoke_token(caller, number, label)


async def trail(node: "Node", *, who: str, kind: str, after: int, limit: int) -> AuditPage:
    """The audit trail of this node, in journal order."""
    await node.projector.settled()
    async with node.store.read() as session:
        rows = await session.access.page(node.settings.node, limit, who=who, kind=kind, after_idx=after)
    zone = node.settings.zone
    return AuditPage(
        entries=[
            AuditView(
                index=row.idx,
                at=time_text(row.at_us, zone),
                kind=row.kind,
                who=row.who,
                subject=row.subject,
                purpose=row.purpose,
                address=row.address,
            )
            for row in rows
        ],
        next=rows[-1].idx if len(rows) == limit else None,
    )


async def person(node: "Node", caller: Caller, handle: str, case: str, purpose: str) -> PersonView:
    """Who a handle of a case stands for: in full for who supervises or handles the case and says why, else masked. An entry either way."""
    await _applies_in(node, caller, case, lambda event: event.applicant == handle, handle)
    full = bool(purpose.strip()) and (caller.is_operator or bool(UNMASKED & caller.roles))
    words = "" if full else " masked"
    await node.write_entries([audit.looked(caller, f"person {handle} of case {case}{words}", purpose)])
    async with node.store.read() as session:
        known = await node.vault.person(session.vault, handle)
    if known is None:
        raise ZonghengError("not_found", f"{handle} was erased, or was never known here")
    name, number = known.name, known.id_number
    return PersonView(
        handle=handle,
        name=name if full else masked_name(name),
        id_number=number if full else masked_number(number),
        masked=not full,
    )


async def text(node: "Node", caller: Caller, digest: str, case: str, purpose: str) -> TextView:
    """A free text of a case; an entry."""
    if not purpose.strip():
        raise ZonghengError("bad_request", "say why you read it (purpose)")
    await _applies_in(node, caller, case, lambda event: digest in event.attributes.values(), digest)
    await node.write_entries([audit.looked(caller, f"text {digest} of case {case}", purpose)])
    async with node.store.read() as session:
        known = await node.vault.text(session.vault, digest)
    if known is None:
        raise ZonghengError("not_found", f"{digest} was erased, or was never known here")
    return TextView(digest=digest, text=known)


async def _applies_in(
    node: "Node", caller: Caller, case: str, names: Callable[[EventRow], bool], what: str
) -> None:
    """``not_found`` unless the case is there for the caller and one of its events names it."""
    await node.projector.settled()
    own = node.settings.node
    async with node.store.read() as session:
        facts = await session.facts.get(own, case)
        events = await session.events.of_cases(own, [case])
    if facts is None:
        raise ZonghengError("not_found", f"there is no case {case} here")
    await must_see(node, caller, facts.agency, f"case {case}")
    if not any(names(event) for event in events):
        raise ZonghengError("not_found", f"case {case} does not name {what}")


def _user(node: "Node", account: Account) -> UserView:
    return UserView(
        number=account.number,
        name=account.name,
        agency=account.agency,
        line=account.line,
        email=account.email,
        roles=sorted(account.roles),
        active=account.active,
        must_change=account.must_change,
        has_password=bool(account.password),
        changed_at=time_text(account.changed_at_us, node.settings.zone),
    )


def _token(node: "Node", token: KeptToken, secret: str | None = None) -> TokenView:
    zone = node.settings.zone
    return TokenView(
        number=token.number,
        label=token.label,
        acts=sorted(token.acts),
        made_by=token.made_by,
        made_at=time_text(token.made_at_us, zone),
        expires_at=time_text(token.expires_at_us, zone),
        secret=secret,
    )
