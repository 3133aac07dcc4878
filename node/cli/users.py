"""``zongheng user … | audit``: accounts and roles on the folder owner's word, and the trail of what everybody did.

A password never stands on the command line: it is made here and printed once, or read from standard input. Whoever gets it chooses one of their
own at the first login.
"""

import secrets
import sys
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

user_app = typer.Typer(no_args_is_help=True, help="Accounts, roles, passwords and tokens.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Staff number (工号): the login name.")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        help="system_administrator, security_administrator, auditor, supervisor, embedded_supervisor, legal_reviewer, officer, clerk, leader or "
        "kiosk; repeatable.",
    ),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input; else one is made.")
]


def register(app: typer.Typer) -> None:
    app.add_typer(user_app, name="user")
    app.command("audit")(audit)
    app.command("erase-person")(erase_person)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return secrets.token_urlsafe(12)


@user_app.command("add")
def add(
    folder: Folder,
    number: Number,
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    agency: Annotated[str, typer.Option(help="Agency code; what they see ends there.")] = "",
    line: Annotated[str, typer.Option(help="Line (条): what they see goes across the agencies of it.")] = "",
    email: Annotated[str, typer.Option(help="Where alerts are told.")] = "",
    role: Roles = [],  # noqa: B006  # typer's way of a repeatable option
    password_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Make an account. The first one closes the network to everybody who has none."""

    async def work() -> int:
        password = _password(password_stdin)
        body = {
            "number": number, "name": name, "agency": agency, "line": line, "email": email, "roles": role,
            "password": password,
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await node.post("/api/users", body)
        _made(answer, "" if password_stdin else password, as_json)
        return 0

    run(work)


@user_app.command("list")
def list_users(folder: Folder, as_json: Json = False) -> None:
    """Every account; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/users")
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("number", "name", "agency", "line", "roles", "active", box=None, pad_edge=False)
        for one in answer:
            table.add_row(
                one["number"], one["name"], one["agency"], one["line"], ", ".join(one["roles"]),
                "yes" if one["active"] else "no",
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


@user_app.command("role")
def role_(
    folder: Folder,
    number: Number,
    give: Annotated[list[str], typer.Option(help="A role to give; repeatable.")] = [],  # noqa: B006
    take: Annotated[list[str], typer.Option(help="A role to take; repeatable.")] = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Give and take roles."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/users/{_quoted(number)}/roles", {"give": give, "take": take})
        _made(answer, "", as_json)
        return 0

    run(work)


@user_app.command("disable")
def disable(folder: Folder, number: Number, as_json: Json = False) -> None:
    """An account may no longer be used: its sessions end at once, its tokens stop working."""
    run(lambda: _set_active(folder, number, False, as_json))


@user_app.command("enable")
def enable(folder: Folder, number: Number, as_json: Json = False) -> None:
    """A disabled account may be used again."""
    run(lambda: _set_active(folder, number, True, as_json))


async def _set_active(folder: Any, number: str, active: bool, as_json: bool) -> int:
    async with reach(folder) as node:
        answer = await node.post(f"/api/users/{_quoted(number)}/state", {"active": active})
    _made(answer, "", as_json)
    return 0


@user_app.command("password")
def password_(
    folder: Folder, number: Number, password_stdin: FromStdin = False, as_json: Json = False
) -> None:
    """Reset a password; its owner chooses another at the next login."""

    async def work() -> int:
        password = _password(password_stdin)
        async with reach(folder) as node:
            answer = await node.post(f"/api/users/{_quoted(number)}/password", {"password": password})
        _made(answer, "" if password_stdin else password, as_json)
        return 0

    run(work)


@user_app.command("token")
def token(
    folder: Folder,
    number: Number,
    label: Annotated[str, typer.Option(help="What it is for.")],
    act: Annotated[
        list[str], typer.Option(help="What it may be used for, e.g. cases.enter; repeatable; default: all.")
    ] = [],  # noqa: B006
    days: Annotated[int, typer.Option(help="How long it is good for.")] = 90,
    revoke: Annotated[bool, typer.Option("--revoke", help="It stops working.")] = False,
    as_json: Json = False,
) -> None:
    """Make a token for a program that acts for NUMBER, and print it once; or revoke one."""

    async def work() -> int:
        base = f"/api/users/{_quoted(number)}/tokens"
        async with reach(folder) as node:
            if revoke:
                await node.delete(f"{base}/{_quoted(label)}")
                return 0
            answer = await node.post(base, {"label": label, "acts": act, "days": days})
        print(orjson.dumps(answer).decode() if as_json else answer["secret"])
        return 0

    run(work)


def audit(
    folder: Folder,
    who: Annotated[str, typer.Option(help="Only what this staff number did.")] = "",
    kind: Annotated[str, typer.Option(help="login, login_failed, locked, refused, read, role_given …")] = "",
    as_json: Json = False,
) -> None:
    """Logins, refusals, changes of accounts, looks at evidence and persons, in journal order."""

    async def work() -> int:
        table = Table("index", "at", "kind", "who", "subject", "purpose", "from", box=None, pad_edge=False)
        after = -1
        async with reach(folder) as node:
            while True:
                page = await node.get("/api/audit", who=who, kind=kind, after=after, limit=2000)
                for one in page["entries"]:
                    if as_json:
                        print(orjson.dumps(one).decode())
                    else:
                        table.add_row(
                            str(one["index"]), one["at"][:19], one["kind"], one["who"], one["subject"],
                            one["purpose"], one["address"],
                        )  # fmt: skip
                if page["next"] is None:
                    break
                after = page["next"]
        if not as_json:
            out.print(table)
        return 0

    run(work)


def erase_person(
    folder: Folder,
    by: Annotated[str, typer.Option(help="Staff number of who erases.")],
    reason: Annotated[str, typer.Option(help="On what ground.")],
    handle: Annotated[str, typer.Option(help="The handle that a case names.")] = "",
    name: Annotated[str, typer.Option(help="The person's name, as the source gave it.")] = "",
    id_number: Annotated[str, typer.Option(help="The person's ID number, as the source gave it.")] = "",
    texts: Annotated[bool, typer.Option("--texts", help="Also the free texts of their cases.")] = False,
    as_json: Json = False,
) -> None:
    """Forget a person: the mapping is deleted, the journal stays valid as it is."""

    async def work() -> int:
        body = {
            "handle": handle, "name": name, "id_number": id_number, "by": by, "reason": reason, "texts": texts,
        }  # fmt: skip
        async with reach(folder) as node:
            answer = await node.post("/api/erasures", body)
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"{answer['handle']} is forgotten: {answer['cases']} cases stay without a name, {answer['texts']} texts deleted",
                highlight=False,
            )
        return 0

    run(work)


def _made(answer: dict[str, Any], password: str, as_json: bool) -> None:
    if as_json:
        print(orjson.dumps({**answer, "password": password or None}).decode())
        return
    roles = ", ".join(answer["roles"]) or "no role"
    state = "" if answer["active"] else ", disabled"
    out.print(f"{answer['number']} {answer['name']}: {roles}{state}", highlight=False)
    if password:
        out.print(f"  password, shown once: {password}", highlight=False)


def _quoted(text: str) -> str:
    if not text.strip("."):
        raise typer.BadParameter(f"{text!r} is no staff number or label")
    return quote(text, safe="")
