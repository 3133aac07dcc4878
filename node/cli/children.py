"""``zongheng invite | join | children | approve | revoke``: how nodes become parent and child."""

import asyncio
import re
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, err, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_ASKS_EVERY_S = 2.0

Code = Annotated[str, typer.Argument(metavar="CODE", help="The child's id, its division code.")]


def register(app: typer.Typer) -> None:
    app.command("invite")(invite)
    app.command("join")(join)
    app.command("children")(children)
    app.command("approve")(approve)
    app.command("revoke")(revoke)
    app.command("rotate-key")(rotate_key)


def invite(
    folder: Folder,
    tier: Annotated[str, typer.Option(help="The child's tier; `department` for an agency's own node.")],
    code: Annotated[str, typer.Option(help="The child's division code.")],
    ttl: Annotated[
        str, typer.Option(metavar="TIME", help="How long the token is good: 30m, 24h, 7d.")
    ] = "24h",
    approve: Annotated[
        bool, typer.Option("--approve", help="Who comes with it waits for `zongheng approve`.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="For a new box in place of an enrolled one: its keys are taken for the old ones.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a single-use token with which a node becomes a child of this one."""

    async def work() -> int:
        form = {"node": code, "tier": tier, "ttl_s": _seconds(ttl), "approve": approve, "replace": replace}
        async with reach(folder) as node:
            answer = await node.post("/api/invitations", form)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        out.print(answer["token"], highlight=False)
        err.print(
            f"for {answer['tier']} {answer['node']}, once, until {answer['expires_at']}", highlight=False
        )
        err.print(f"this node's CA {shown(answer['authority'])}", highlight=False)
        err.print(
            f"there: zongheng join DIR --parent {answer['parent']} --token TOKEN  (as this node is reached from there)",
            highlight=False,
        )
        return 0

    run(work)


def join(
    folder: Folder,
    parent: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the parent listens for its children.")
    ],
    token: Annotated[str, typer.Option(help="What `zongheng invite` printed there.")],
    wait: Annotated[
        bool, typer.Option(help="Wait until an operator there approves, where that is asked.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Become the child of the node that gave the token; the parent is checked before anything is sent."""

    async def work() -> int:
        told = False
        async with reach(folder) as node:
            while True:
                answer = await node.post("/api/join", {"parent": parent, "token": token})
                if answer["joined"] or not wait:
                    break
                if not told:
                    from federation.identity.invitation import Invitation

                    own = Invitation.parse(token).node
                    _say_keys(answer)
                    err.print(
                        f"waiting for approval at {answer['parent']}: zongheng approve DIR {own}",
                        style="yellow",
                    )
                    told = True
                await asyncio.sleep(_ASKS_EVERY_S)
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        if not told:
            _say_keys(answer)
        if answer["joined"]:
            out.print(f"joined {answer['parent']} as {answer['name']}", highlight=False)
        else:
            out.print(
                f"waits for approval at {answer['parent']}; run the same command again", highlight=False
            )
        return 0

    run(work)


def children(folder: Folder, as_json: Json = False) -> None:
    """Who is, was or wants to be a child of this node; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/children")
        if as_json:
            for child in answer:
                print(orjson.dumps(child).decode())
            return 0
        table = Table("child", "tier", "name", "state", "certified until", "key", box=None, pad_edge=False)
        for child in answer:
            state = "linked" if child["connected"] else child["state"]
            table.add_row(
                child["node"], child["kind"], child["name"], state, (child["certified_until"] or "")[:16],
                shown(child["key"]),
            )  # fmt: skip
        out.print(table)
        return 0

    run(work)


def approve(folder: Folder, code: Code, as_json: Json = False) -> None:
    """Let in a child that waits."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/children/{code}/approval")
        _say_child(answer, as_json)
        return 0

    run(work)


def revoke(
    folder: Folder,
    code: Code,
    reason: Annotated[str, typer.Option(help="Why; it is entered in the journal.")],
    as_json: Json = False,
) -> None:
    """Take a child's keys no more: its link ends now, and its tokens are void."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(f"/api/children/{code}/revocation", {"reason": reason})
        _say_child(answer, as_json)
        return 0

    run(work)


def rotate_key(folder: Folder, as_json: Json = False) -> None:
    """Sign the journal with a new key from now on; what was signed before stays proven."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post("/api/journal/key")
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"entry {answer['index']}: the journal is signed by {answer['verifier']}", highlight=False
            )
        return 0

    run(work)


def shown(fingerprint: str) -> str:
    """A fingerprint as people compare it: its first sixteen bytes, in fours."""
    return " ".join(fingerprint[at : at + 8] for at in range(0, 32, 8))


def _say_keys(answer: dict[str, Any]) -> None:
    err.print(f"the parent's CA {shown(answer['parent_authority'])}", highlight=False)
    err.print(f"this node's key {shown(answer['key'])}", highlight=False)


def _say_child(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(answer).decode())
    else:
        out.print(
            f"{answer['node']} {answer['name']} is {answer['state']}: key {shown(answer['key'])}",
            highlight=False,
        )


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if match is None:
        raise ZonghengError("bad_request", f"--ttl {text!r} is no time: write 30m, 24h or 7d")
    return float(match[1]) * _UNITS[match[2]]
