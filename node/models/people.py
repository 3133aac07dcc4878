"""Accounts, sessions, tokens and failed attempts, as rows of the registry. Who may change what is decided above, in `node.people`.

Secrets never reach a row: a password is there as its argon2id hash, what a browser or a program keeps as its digest. Each call is one
transaction of the registry.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

from federation.errors import ZonghengError
from node.models.registry import Registry
from node.people.account import Account, KeptSession, KeptToken
from node.people.roles import Act, Role
from node.people.throttle import FORGOTTEN_AFTER_US, Attempts


class AccountRows:
    """The registry's rows about people."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._tables = registry.tables

    async def all(self) -> list[Account]:
        """Every account, by staff number."""
        table = self._tables.person
        rows = await self._registry.transact(lambda tx: table.all(using_db=tx).order_by("number"))
        return [_account(row) for row in rows]

    async def get(self, number: str) -> Account | None:
        """One account; None: there is none."""
        table = self._tables.person
        row = await self._registry.transact(lambda tx: table.get_or_none(number=number, using_db=tx))
        return None if row is None else _account(row)

    async def add(self, account: Account) -> None:
        """A new account. ``bad_request`` when the staff number has one."""

        async def add(tx: BaseDBAsyncClient) -> None:
            if await self._tables.person.get_or_none(number=account.number, using_db=tx) is not None:
                raise ZonghengError("bad_request", f"{account.number} has an account already")
            await self._tables.person.create(using_db=tx, **_columns(account))

        await self._registry.transact(add)

    async def change(
        self, number: str, changed: Callable[[Account], Account], *, ends_sessions: bool = False
    ) -> tuple[Account, Account]:
        """Replace an account by what ``changed`` makes of it; returns it before and after. ``not_found`` when there is none.

        ``ends_sessions``: whoever is in under this account is out.
        """

        async def change(tx: BaseDBAsyncClient) -> tuple[Account, Account]:
            row = await self._tables.person.get_or_none(number=number, using_db=tx)
            if row is None:
                raise ZonghengError("not_found", f"there is no account {number}: see `zongheng user list`")
            before = _account(row)
            after = replace(changed(before), number=number)
            await row.update_from_dict(_columns(after)).save(using_db=tx)
            if ends_sessions:
                await self._tables.session.filter(number=number).using_db(tx).delete()
            return before, after

        return await self._registry.transact(change)

    async def begin_session(self, session: KeptSession, ended_before_us: int) -> None:
        """Keep a session, and forget those that began before ``ended_before_us``."""

        async def begin(tx: BaseDBAsyncClient) -> None:
            table = self._tables.session
            await table.filter(begun_at_us__lt=ended_before_us).using_db(tx).delete()
            await table.create(
                using_db=tx,
                digest=session.digest,
                number=session.number,
                csrf=session.csrf,
                begun_at_us=session.begun_at_us,
                seen_at_us=session.seen_at_us,
            )

        await self._registry.transact(begin)

    async def session(self, digest: str) -> tuple[KeptSession, Account] | None:
        """A session with its account; None: there is none."""

        async def find(tx: BaseDBAsyncClient) -> tuple[KeptSession, Account] | None:
            row = await self._tables.session.get_or_none(digest=digest, using_db=tx)
            if row is None:
                return None
            owner = await self._tables.person.get_or_none(number=row.number, using_db=tx)
            kept = KeptSession(row.digest, row.number, row.csrf, row.begun_at_us, row.seen_at_us)
            return None if owner is None else (kept, _account(owner))

        return await self._registry.transact(find)

    async def see_session(self, digest: str, at_us: int) -> None:
        """Its person was here just now."""
        table = self._tables.session
        await self._registry.transact(
            lambda tx: table.filter(digest=digest).using_db(tx).update(seen_at_us=at_us)
        )

    async def end_session(self, digest: str) -> None:
        table = self._tables.session
        await self._registry.transact(lambda tx: table.filter(digest=digest).using_db(tx).delete())

    async def add_token(self, token: KeptToken) -> None:
        """Keep a token. ``bad_request`` when its owner has one of that label."""

        async def add(tx: BaseDBAsyncClient) -> None:
            table = self._tables.token
            if await table.get_or_none(number=token.number, label=token.label, using_db=tx) is not None:
                raise ZonghengError(
                    "bad_request", f"{token.number} has a token {token.label!r}: revoke it first"
                )
            await table.create(
                using_db=tx,
                digest=token.digest,
                number=token.number,
                label=token.label,
                acts=sorted(token.acts),
                made_by=token.made_by,
                made_at_us=token.made_at_us,
                expires_at_us=token.expires_at_us,
            )

        await self._registry.transact(add)

    async def token(self, digest: str) -> tuple[KeptToken, Account] | None:
        """A token with its account; None: there is none."""

        async def find(tx: BaseDBAsyncClient) -> tuple[KeptToken, Account] | None:
            row = await self._tables.token.get_or_none(digest=digest, using_db=tx)
            if row is None:
                return None
            owner = await self._tables.person.get_or_none(number=row.number, using_db=tx)
            return None if owner is None else (_token(row), _account(owner))

        return await self._registry.transact(find)

    async def tokens(self, number: str) -> list[KeptToken]:
        """The tokens of an account, by label."""
        table = self._tables.token
        rows = await self._registry.transact(
            lambda tx: table.filter(number=number).using_db(tx).order_by("label")
        )
        return [_token(row) for row in rows]

    async def revoke_token(self, number: str, label: str) -> bool:
        """Forget a token; False: there was none."""
        table = self._tables.token
        count: int = await self._registry.transact(
            lambda tx: table.filter(number=number, label=label).using_db(tx).delete()
        )
        return count > 0

    async def try_in(
        self, keys: Sequence[tuple[str, int]], now_us: int
    ) -> tuple[int, list[tuple[str, Attempts]]]:
        """Count an attempt before it is made, unless one of the keys has to wait.

        ``keys``: (key, failures that are free). Returns how long the longest has to wait in µs (then nothing was counted), and what is
        counted now. Counted beforehand, a hundred attempts at once are a hundred.
        """

        async def count(tx: BaseDBAsyncClient) -> tuple[int, list[tuple[str, Attempts]]]:
            table = self._tables.attempt
            await table.filter(last_at_us__lt=now_us - FORGOTTEN_AFTER_US).using_db(tx).delete()
            found = {
                row.key: row async for row in table.filter(key__in=[key for key, _ in keys]).using_db(tx)
            }
            kept = {
                key: Attempts(found[key].failures, found[key].last_at_us) if key in found else Attempts()
                for key, _ in keys
            }
            wait = max(kept[key].wait_us(free, now_us) for key, free in keys)
            if wait:
                return wait, []
            counted = []
            for key, _ in keys:
                attempts = kept[key].failed(now_us)
                await table.update_or_create(
                    defaults={"failures": attempts.failures, "last_at_us": attempts.last_at_us},
                    using_db=tx,
                    key=key,
                )
                counted.append((key, attempts))
            return 0, counted

        return await self._registry.transact(count)

    async def came_in(self, account_key: str, address_key: str) -> None:
        """An attempt was no failure: the account's are forgotten, the address has one less."""

        async def forget(tx: BaseDBAsyncClient) -> None:
            table = self._tables.attempt
            await table.filter(key=account_key).using_db(tx).delete()
            row = await table.get_or_none(key=address_key, using_db=tx)
            if row is not None:
                row.failures = max(0, row.failures - 1)
                await row.save(using_db=tx)

        await self._registry.transact(forget)


def _columns(account: Account) -> dict[str, Any]:
    return {
        "number": account.number,
        "name": account.name,
        "agency": account.agency,
        "line": account.line,
        "email": account.email,
        "roles": sorted(account.roles),
        "password": account.password,
        "must_change": account.must_change,
        "active": account.active,
        "changed_at_us": account.changed_at_us,
    }


def _account(row: Any) -> Account:
    return Account(
        number=row.number,
        name=row.name,
        agency=row.agency,
        line=row.line,
        email=row.email,
        roles=frozenset(Role(role) for role in row.roles if role in set(Role)),
        password=row.password,
        must_change=bool(row.must_change),
        active=bool(row.active),
        changed_at_us=row.changed_at_us,
    )


def _token(row: Any) -> KeptToken:
    return KeptToken(
        digest=row.digest,
        number=row.number,
        label=row.label,
        acts=frozenset(Act(act) for act in row.acts if act in set(Act)),
        made_by=row.made_by,
        made_at_us=row.made_at_us,
        expires_at_us=row.expires_at_us,
    )
