"""Accounts: made, given roles, disabled; each change an entry, written before the change can be used.

Who may: the system administrator makes, disables and resets accounts and gives no roles; the security administrator gives roles and makes no
accounts; nobody changes their own roles. A password that somebody else chose lets its owner do nothing but choose another. The accounts of the
three administrators' roles are reset by the folder's owner alone, so that the one who resets passwords cannot become the one who gives roles.

The entry is appended first: killed in between, the journal says that something was about to change that did not, never the other way round.
"""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from zongheng.v1 import access_pb2
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.people import audit
from node.people.account import Account, KeptToken
from node.people.caller import Caller
from node.people.passwords import Passwords
from node.people.roles import APART, Act, Role, acts_of, check_roles
from node.wallclock import Now

if TYPE_CHECKING:
    from node.models.people import AccountRows

Enter = Callable[[Sequence[Entry]], Awaitable[object]]
"""Appends entries to the journal."""

DAY_US: Final = 86_400_000_000
LONGEST_TOKEN_DAYS: Final = 366
_TOKEN_PREFIX: Final = "zht_"


class Accounts:
    """The accounts of one node."""

    def __init__(self, rows: "AccountRows", passwords: Passwords, enter: Enter, now: Now) -> None:
        self.rows = rows
        self._passwords = passwords
        self._enter = enter
        self._now = now

    async def add(self, caller: Caller, account: Account, password: str) -> Account:
        """A new account; roles only from who may give them. ``password`` empty: it gets tokens alone, or a password later."""
        if not account.number.strip() or account.number == "operator":
            raise ZonghengError("bad_request", "give a staff number (工号)")
        if account.roles and not caller.may(Act.GIVE_ROLES):
            raise ZonghengError(
                "forbidden", "roles are given by the security administrator: make the account without"
            )
        self._check(account)
        if await self.rows.get(account.number) is not None:
            raise ZonghengError("bad_request", f"{account.number} has an account already")
        kept = await self._passwords.hashed(password, account.number) if password else ""
        made = replace(account, password=kept, must_change=bool(kept), active=True, changed_at_us=self._now())
        given = [
            audit.changed(made.number, access_pb2.ACCOUNT_CHANGE_ROLE_GIVEN, role, caller.who)
            for role in sorted(made.roles)
        ]
        await self._enter(
            [audit.changed(made.number, access_pb2.ACCOUNT_CHANGE_ADDED, made.agency, caller.who), *given]
        )
        await self.rows.add(made)
        return made

    async def set_roles(
        self, caller: Caller, number: str, give: Collection[Role] = (), take: Collection[Role] = ()
    ) -> Account:
        """Give and take roles. ``bad_request`` for roles that do not go together, ``forbidden`` for one's own."""
        if number == caller.who:
            raise ZonghengError("forbidden", "nobody changes their own roles: ask another administrator")
        known = await self._known(number)
        wanted = (known.roles - set(take)) | set(give)
        self._check(replace(known, roles=frozenset(wanted)))
        entries = [
            audit.changed(number, change, role, caller.who)
            for change, roles in (
                (access_pb2.ACCOUNT_CHANGE_ROLE_TAKEN, known.roles - wanted),
                (access_pb2.ACCOUNT_CHANGE_ROLE_GIVEN, wanted - known.roles),
            )
            for role in sorted(roles)
        ]
        if entries:
            await self._enter(entries)

        def change(account: Account) -> Account:
            changed = replace(
                account,
                roles=(account.roles - set(take)) | set(give),
                changed_at_us=self._now(),
            )
            self._check(changed)
            return changed

        _, after = await self.rows.change(number, change)
        return after

    async def set_active(self, caller: Caller, number: str, active: bool) -> Account:
        """Disable an account, whose sessions end at once and whose tokens stop working; or enable it again."""
        if number == caller.who:
            raise ZonghengError("forbidden", "nobody disables themselves: ask another administrator")
        await self._known(number)
        change = access_pb2.ACCOUNT_CHANGE_ENABLED if active else access_pb2.ACCOUNT_CHANGE_DISABLED
        await self._enter([audit.changed(number, change, "", caller.who)])
        _, after = await self.rows.change(
            number,
            lambda account: replace(account, active=active, changed_at_us=self._now()),
            ends_sessions=not active,
        )
        return after

    async def set_password(self, caller: Caller, number: str, password: str, old: str | None = None) -> None:
        """Choose a new password: one's own with the old one, or another's as who makes accounts. Ends every session of it."""
        known = await self._known(number)
        own = number == caller.who
        if own:
            if not await self._passwords.fits(known.password, old or ""):
                raise ZonghengError("login_failed", "the old password is wrong")
        elif not caller.may(Act.MANAGE_ACCOUNTS):
            raise ZonghengError("forbidden", "another's password is reset by the system administrator")
        elif known.roles & APART and not caller.is_operator:
            raise ZonghengError("forbidden", "an administrator's password is reset by the folder's owner")
        kept = await self._passwords.hashed(password, number)
        await self._enter([audit.changed(number, access_pb2.ACCOUNT_CHANGE_PASSWORD, "", caller.who)])
        await self.rows.change(
            number,
            lambda account: replace(account, password=kept, must_change=not own, changed_at_us=self._now()),
            ends_sessions=True,
        )

    async def make_token(
        self, caller: Caller, number: str, label: str, acts: Collection[Act], days: int
    ) -> tuple[str, KeptToken]:
        """A token for a program: its secret, shown once, and what is kept. ``acts`` empty: whatever the roles give at each use."""
        known = await self._known(number)
        if number != caller.who and not caller.is_operator:
            raise ZonghengError("forbidden", "a token is made by whom it stands for")
        if not 1 <= days <= LONGEST_TOKEN_DAYS:
            raise ZonghengError("bad_request", f"a token lives 1 to {LONGEST_TOKEN_DAYS} days")
        if not label.strip():
            raise ZonghengError("bad_request", "give the token a label: what it is for")
        beyond = sorted(set(acts) - acts_of(known.roles))
        if beyond:
            raise ZonghengError("bad_request", f"the roles of {number} do not give {', '.join(beyond)}")
        secret = _TOKEN_PREFIX + secrets.token_urlsafe(32)
        now_us = self._now()
        token = KeptToken(
            digest_of(secret), number, label, frozenset(acts), caller.who, now_us, now_us + days * DAY_US
        )
        await self._enter([audit.changed(number, access_pb2.ACCOUNT_CHANGE_TOKEN_MADE, label, caller.who)])
        await self.rows.add_token(token)
        return secret, token

    async def revoke_token(self, caller: Caller, number: str, label: str) -> None:
        """A token stops working: by its owner, by who gives roles, by the operator."""
        if number != caller.who and not caller.may(Act.GIVE_ROLES):
            raise ZonghengError("forbidden", "another's token is revoked by the security administrator")
        if all(token.label != label for token in await self.rows.tokens(number)):
            raise ZonghengError("not_found", f"{number} has no token {label!r}")
        await self._enter([audit.changed(number, access_pb2.ACCOUNT_CHANGE_TOKEN_REVOKED, label, caller.who)])
        await self.rows.revoke_token(number, label)

    async def _known(self, number: str) -> Account:
        known = await self.rows.get(number)
        if known is None:
            raise ZonghengError("not_found", f"there is no account {number}: see `zongheng user list`")
        return known

    def _check(self, account: Account) -> None:
        try:
            check_roles(account.roles, account.agency, account.line)
        except ValueError as refused:
            raise ZonghengError("bad_request", str(refused)) from None


def digest_of(secret: str) -> str:
    """What is kept of a secret that has 256 random bits: a plain digest is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
