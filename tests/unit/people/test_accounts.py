"""Accounts, roles, passwords and tokens, on SQLite and on PostgreSQL; every change is an entry before it holds."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from zongheng.v1.access_pb2 import AccountChange
from zongheng.v1.entry_pb2 import Entry

from federation.errors import ZonghengError
from node.models.people import AccountRows
from node.models.registry import Registry
from node.people.account import Account
from node.people.accounts import DAY_US, Accounts
from node.people.caller import OPERATOR, Caller, person
from node.people.entrance import Entrance
from node.people.inside import IDLE_US, LONGEST_US
from node.people.passwords import Passwords, check_strength
from node.people.roles import Act, Role
from node.people.throttle import ACCOUNT_FREE, ADDRESS_FREE, FIRST_WAIT_US

GOOD = "correct horse 1"
OTHER = "battery staple 2"


@dataclass
class Desk:
    accounts: Accounts
    entrance: Entrance
    entered: list[Entry] = field(default_factory=list)
    now_us: int = 1_780_000_000_000_000

    @property
    def said(self) -> list[tuple[str, str, str, str]]:
        return [
            (
                AccountChange.Name(one.change).removeprefix("ACCOUNT_CHANGE_").lower(),
                one.who,
                one.subject,
                one.by,
            )
            for one in (entry.account_changed for entry in self.entered if entry.HasField("account_changed"))
        ]


@pytest.fixture(params=["sqlite", "postgres"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    place = "store.sqlite" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))
    async with Registry.open(tmp_path, place) as registry:
        rows, passwords = AccountRows(registry), Passwords()
        made: list[Desk] = []

        async def enter(entries: Sequence[Entry]) -> None:
            made[0].entered.extend(entries)

        def now() -> int:
            return made[0].now_us

        made.append(Desk(Accounts(rows, passwords, enter, now), Entrance(rows, passwords, enter, now)))
        yield made[0]


def acting(number: str, *roles: Role) -> Caller:
    return person(number, roles, "", "", None, "10.0.0.1")


SYS, SEC = acting("s1", Role.SYSTEM_ADMINISTRATOR), acting("s2", Role.SECURITY_ADMINISTRATOR)


async def test_one_makes_accounts_another_gives_roles_and_both_are_entries(desk: Desk) -> None:
    await desk.accounts.add(SYS, Account("1001", name="王某", agency="ZR"), GOOD)
    with pytest.raises(ZonghengError, match="security administrator"):
        await desk.accounts.add(SYS, Account("1002", roles=frozenset({Role.SUPERVISOR})), GOOD)
    after = await desk.accounts.set_roles(SEC, "1001", give=[Role.OFFICER])
    assert after.roles == {Role.OFFICER}
    await desk.accounts.set_roles(SEC, "1001", take=[Role.OFFICER], give=[Role.CLERK])
    assert desk.said == [
        ("added", "1001", "ZR", "s1"),
        ("role_given", "1001", "officer", "s2"),
        ("role_taken", "1001", "officer", "s2"),
        ("role_given", "1001", "clerk", "s2"),
    ]
    (kept,) = await desk.accounts.rows.all()
    assert kept.roles == {Role.CLERK}
    assert kept.password.startswith("$argon2id$")
    assert GOOD not in repr(desk.entered)


async def test_nobody_changes_their_own_roles_or_disables_themselves(desk: Desk) -> None:
    await desk.accounts.add(OPERATOR, Account("s2", roles=frozenset({Role.SECURITY_ADMINISTRATOR})), GOOD)
    with pytest.raises(ZonghengError, match="their own roles"):
        await desk.accounts.set_roles(SEC, "s2", give=[Role.AUDITOR])
    with pytest.raises(ZonghengError, match="stands alone"):
        await desk.accounts.set_roles(OPERATOR, "s2", give=[Role.AUDITOR])
    with pytest.raises(ZonghengError, match="themselves"):
        await desk.accounts.set_active(SEC, "s2", False)
    assert desk.said[1:] == [("role_given", "s2", "security_administrator", "operator")]


async def test_who_resets_passwords_cannot_become_who_gives_roles(desk: Desk) -> None:
    await desk.accounts.add(OPERATOR, Account("s2", roles=frozenset({Role.SECURITY_ADMINISTRATOR})), GOOD)
    with pytest.raises(ZonghengError, match="folder's owner"):
        await desk.accounts.set_password(SYS, "s2", OTHER)
    await desk.accounts.set_password(OPERATOR, "s2", OTHER)
    entered = await desk.entrance.log_in("s2", OTHER, "10.0.0.1")
    assert entered.account.must_change


async def test_ones_own_password_needs_the_old_one_and_ends_every_session(desk: Desk) -> None:
    await desk.accounts.add(SYS, Account("1001"), GOOD)
    entered = await desk.entrance.log_in("1001", GOOD, "10.0.0.1")
    me = (await desk.entrance.by_session(entered.secret, "10.0.0.1")).caller
    with pytest.raises(ZonghengError) as refused:
        await desk.accounts.set_password(me, "1001", OTHER, "wrong")
    assert refused.value.code == "login_failed"
    await desk.accounts.set_password(me, "1001", OTHER, GOOD)
    with pytest.raises(ZonghengError, match="session is over"):
        await desk.entrance.by_session(entered.secret, "10.0.0.1")
    again = await desk.entrance.log_in("1001", OTHER, "10.0.0.1")
    assert not again.account.must_change


@pytest.mark.parametrize("weak", ["short1A", "onlyletters", "abcabcabcab1", "x1001-secret!", "a1" * 200])
def test_weak_passwords_are_refused(weak: str) -> None:
    with pytest.raises(ZonghengError):
        check_strength(weak, "1001")
    check_strength(GOOD, "1001")


async def test_a_session_ends_when_idle_when_old_and_when_the_account_is_disabled(desk: Desk) -> None:
    await desk.accounts.add(SYS, Account("1001"), GOOD)
    idle = await desk.entrance.log_in("1001", GOOD, "a")
    desk.now_us += IDLE_US - 1
    await desk.entrance.by_session(idle.secret, "a")
    desk.now_us += IDLE_US - 1
    await desk.entrance.by_session(idle.secret, "a")
    desk.now_us += IDLE_US
    with pytest.raises(ZonghengError, match="over"):
        await desk.entrance.by_session(idle.secret, "a")
    old = await desk.entrance.log_in("1001", GOOD, "a")
    begun_us = desk.now_us
    while desk.now_us + IDLE_US // 2 < begun_us + LONGEST_US:
        desk.now_us += IDLE_US // 2
        await desk.entrance.by_session(old.secret, "a")
    desk.now_us = begun_us + LONGEST_US
    with pytest.raises(ZonghengError, match="over"):
        await desk.entrance.by_session(old.secret, "a")
    gone = await desk.entrance.log_in("1001", GOOD, "a")
    await desk.accounts.set_active(SYS, "1001", False)
    with pytest.raises(ZonghengError, match="over"):
        await desk.entrance.by_session(gone.secret, "a")
    with pytest.raises(ZonghengError, match="number or password"):
        await desk.entrance.log_in("1001", GOOD, "a")
    await desk.accounts.set_active(SYS, "1001", True)
    await desk.entrance.log_in("1001", GOOD, "a")


async def test_a_page_that_loads_itself_again_keeps_no_session_alive(desk: Desk) -> None:
    await desk.accounts.add(SYS, Account("1001"), GOOD)
    entered = await desk.entrance.log_in("1001", GOOD, "a")
    desk.now_us += IDLE_US - 1
    await desk.entrance.by_session(entered.secret, "a", by_itself=True)
    desk.now_us += 1
    with pytest.raises(ZonghengError, match="over"):
        await desk.entrance.by_session(entered.secret, "a")


async def test_a_number_without_account_is_told_and_throttled_like_one_with(desk: Desk) -> None:
    await desk.accounts.add(SYS, Account("1001"), GOOD)
    told: dict[str, list[tuple[str, str]]] = {}
    for number in ("1001", "nobody"):
        told[number] = []
        for attempt in range(ACCOUNT_FREE + 1):
            with pytest.raises(ZonghengError) as refused:
                await desk.entrance.log_in(number, "wrong password 1", f"10.0.{attempt}.{len(told)}")
            told[number].append((refused.value.code, refused.value.detail))
    assert told["1001"] == told["nobody"]
    assert [code for code, _ in told["1001"]] == ["login_failed"] * ACCOUNT_FREE + ["busy"]
    # The right password has to wait as well, and afterwards all is forgotten.
    with pytest.raises(ZonghengError, match="try again in 30 s"):
        await desk.entrance.log_in("1001", GOOD, "10.0.0.9")
    desk.now_us += FIRST_WAIT_US
    await desk.entrance.log_in("1001", GOOD, "10.0.0.9")
    with pytest.raises(ZonghengError, match="number or password"):
        await desk.entrance.log_in("1001", "wrong password 1", "10.0.0.9")
    # What was typed for nobody may be a password: it is not in the journal.
    assert "nobody" not in repr(desk.entered)


async def test_an_address_that_guesses_many_numbers_has_to_wait(desk: Desk) -> None:
    for attempt in range(ADDRESS_FREE):
        with pytest.raises(ZonghengError, match="number or password"):
            await desk.entrance.log_in(f"guess{attempt}", "wrong password 1", f"2001:db8::{attempt:x}")
    with pytest.raises(ZonghengError, match="too many"):
        await desk.entrance.log_in("guess", "wrong password 1", "2001:db8::ffff")
    with pytest.raises(ZonghengError, match="number or password"):
        await desk.entrance.log_in("guess", "wrong password 1", "2001:db8:0:1::1")


async def test_a_token_is_scoped_expires_and_is_revoked(desk: Desk) -> None:
    await desk.accounts.add(OPERATOR, Account("1001", agency="ZR", roles=frozenset({Role.CLERK})), GOOD)
    me = acting("1001", Role.CLERK)
    secret, token = await desk.accounts.make_token(me, "1001", "intake", [Act.ENTER_CASES], 30)
    assert secret not in repr(await desk.accounts.rows.tokens("1001"))
    inside = await desk.entrance.by_token(secret, "10.0.0.1")
    assert (inside.caller.who, inside.caller.acts, inside.caller.agency) == ("1001", {Act.ENTER_CASES}, "ZR")
    with pytest.raises(ZonghengError, match="do not give"):
        await desk.accounts.make_token(me, "1001", "more", [Act.OPERATE], 30)
    with pytest.raises(ZonghengError, match="366"):
        await desk.accounts.make_token(me, "1001", "longer", [], 400)
    with pytest.raises(ZonghengError, match="whom it stands for"):
        await desk.accounts.make_token(SEC, "1001", "theirs", [], 30)
    # A role that was taken takes its acts out of every token.
    await desk.accounts.set_roles(SEC, "1001", take=[Role.CLERK])
    assert (await desk.entrance.by_token(secret, "")).caller.acts == frozenset()
    await desk.accounts.revoke_token(SEC, "1001", "intake")
    with pytest.raises(ZonghengError, match="revoked"):
        await desk.entrance.by_token(secret, "")
    secret, token = await desk.accounts.make_token(me, "1001", "intake", [], 1)
    desk.now_us = token.expires_at_us - 1
    await desk.entrance.by_token(secret, "")
    desk.now_us += 1
    assert token.expires_at_us - token.made_at_us == DAY_US
    with pytest.raises(ZonghengError, match="no longer good"):
        await desk.entrance.by_token(secret, "")


async def test_a_staff_number_has_one_account(desk: Desk) -> None:
    await desk.accounts.add(SYS, Account("1001"), GOOD)
    with pytest.raises(ZonghengError, match="already"):
        await desk.accounts.add(SYS, Account("1001"), GOOD)
    with pytest.raises(ZonghengError, match="staff number"):
        await desk.accounts.add(SYS, Account("operator"), GOOD)
    assert len(desk.said) == 1
