"""Coming in: with a password for a session, with a session or a token for one request.

A session lives on the server; the browser keeps a random secret of which the registry has the digest. It ends after half an hour without a
request, after twelve hours in any case, with a new password, and when the account is disabled. No answer tells whether a number has an
account: a wrong number takes as long as a wrong password, says the same and is throttled the same.
"""

import ipaddress
import secrets
from typing import TYPE_CHECKING, Final

from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.people import audit
from node.people.account import KeptSession
from node.people.accounts import Enter, digest_of
from node.people.caller import Caller, person
from node.people.inside import IDLE_US, LONGEST_US, Entered, Inside
from node.people.passwords import LONGEST, Passwords
from node.people.throttle import ACCOUNT_FREE, ADDRESS_FREE
from node.wallclock import Now

if TYPE_CHECKING:
    from node.models.people import AccountRows

_S_US: Final = 1_000_000

_SEEN_EVERY_US: Final = 60 * _S_US
"""How often a request's time is written down."""


class Entrance:
    """The way into one node over the network."""

    def __init__(self, rows: "AccountRows", passwords: Passwords, enter: Enter, now: Now) -> None:
        self._rows = rows
        self._passwords = passwords
        self._enter = enter
        self._now = now

    async def log_in(self, number: str, password: str, address: str) -> Entered:
        """Begin a session. ``login_failed``, or ``busy`` with how long to wait."""
        now_us = self._now()
        account_key, address_key = f"account:{digest_of(number)}", f"address:{_network(address)}"
        wait_us, counted = await self._rows.try_in(
            [(account_key, ACCOUNT_FREE), (address_key, ADDRESS_FREE)], now_us
        )
        if wait_us:
            seconds = -(-wait_us // _S_US)
            raise ZonghengError(
                "busy", f"too many attempts: try again in {seconds} s", retry_after_ms=seconds * 1_000
            )
        account = await self._rows.get(number) if 0 < len(number) <= LONGEST else None
        usable = account is not None and account.active
        kept = account.password if account is not None and usable else ""
        # A password that nobody could have chosen is still compared, so that it takes as long.
        if not await self._passwords.fits(kept, password[: LONGEST + 1]) or account is None:
            entries: list[Entry] = [audit.failed(account.number if account is not None else "", address)]
            for (key, attempts), free in zip(counted, (ACCOUNT_FREE, ADDRESS_FREE), strict=True):
                if attempts.failures == free:
                    whose = "account" if key == account_key else "address"
                    known = account.number if account is not None and whose == "account" else ""
                    entries.append(audit.locked(f"{whose} {known}".strip(), address))
            await self._enter(entries)
            raise ZonghengError("login_failed", "number or password is wrong")
        await self._rows.came_in(account_key, address_key)
        secret, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        await self._enter([audit.came_in(account.number, address)])
        await self._rows.begin_session(
            KeptSession(digest_of(secret), account.number, csrf, now_us, now_us), now_us - LONGEST_US
        )
        return Entered(secret, csrf, account)

    async def by_session(self, secret: str, address: str, *, by_itself: bool = False) -> Inside:
        """Whose session this is. ``login_required`` when it is none, or over.

        ``by_itself``: a page that loads itself again says nothing about whether somebody is there.
        """
        digest, now_us = digest_of(secret), self._now()
        found = await self._rows.session(digest)
        if found is None:
            raise ZonghengError("login_required", "log in: your session is over")
        session, account = found
        lives = session.begun_at_us <= now_us < session.begun_at_us + LONGEST_US
        if not (lives and now_us < session.seen_at_us + IDLE_US and account.active):
            await self._rows.end_session(digest)
            raise ZonghengError("login_required", "log in: your session is over")
        if not by_itself and now_us - session.seen_at_us >= _SEEN_EVERY_US:
            await self._rows.see_session(digest, now_us)
        caller = person(account.number, account.roles, account.agency, account.line, None, address)
        return Inside(caller, session.csrf, account.must_change)

    async def by_token(self, secret: str, address: str) -> Inside:
        """Whose token this is. ``login_required`` when it is none, or no longer good."""
        found = await self._rows.token(digest_of(secret))
        if found is None or found[0].expires_at_us <= self._now() or not found[1].active:
            raise ZonghengError("login_required", "this token is unknown, revoked or no longer good")
        token, account = found
        caller = person(
            account.number,
            account.roles,
            account.agency,
            account.line,
            token.acts or None,
            address,
            by_token=True,
        )
        return Inside(caller, "")

    async def log_out(self, secret: str, caller: Caller) -> None:
        """End a session."""
        await self._enter([audit.went_out(caller)])
        await self._rows.end_session(digest_of(secret))


def _network(address: str) -> str:
    """What attempts are counted by: an IPv4 address, or the /64 that one subscriber has of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
