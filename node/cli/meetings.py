"""``zongheng meeting …``: help calls, inspection calls and meetings, as the operator opens and sees them."""

from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from federation.errors import ZonghengError
from node.cli.app import Json, out
from node.cli.nodes import Folder
from node.cli.sending import ask, send

meeting_app = typer.Typer(
    no_args_is_help=True, help="Help calls, inspection calls and meetings: open, list, show, invite, close."
)

Meeting = Annotated[str, typer.Argument(metavar="MEETING", help="As `zongheng meeting list` names it.")]
Members = Annotated[
    list[str],
    typer.Option(
        "--member",
        metavar="NODE:NUMBER",
        help="Who is called: a staff number at a node, or NODE:hall=HALL, NODE:window=WINDOW. With :watcher behind it they only watch.",
    ),
]


def register(app: typer.Typer) -> None:
    app.add_typer(meeting_app, name="meeting")


@meeting_app.command("open")
def open_meeting(
    folder: Folder,
    kind: Annotated[str, typer.Option(help="meeting, inspection or help.")] = "meeting",
    title: Annotated[str, typer.Option(help="What it is about; entered at every node with a seat.")] = "",
    member: Members = [],  # noqa: B006  # typer reads it and nobody changes it
    by: Annotated[str, typer.Option(metavar="NUMBER", help="Staff number of whose meeting it is.")] = "",
    as_json: Json = False,
) -> None:
    """Open a meeting; whoever's it is is rung like the others. A help call names nobody: it rings the officers on duty."""
    body = {
        "kind": kind,
        "title": title,
        "members": [_member(one) for one in member],
        "by": by,
        "joins": False,
    }
    send(folder, "/api/meetings", body, _print, as_json)


@meeting_app.command("list")
def list_meetings(
    folder: Folder,
    every: Annotated[
        bool, typer.Option("--all", help="Also those that ended in the last ten minutes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The meetings that this node holds or has a seat in; with --json one object a line."""
    ask(folder, "/api/meetings", _print_all, as_json, all="true" if every else None)


@meeting_app.command("show")
def show(folder: Folder, meeting: Meeting, as_json: Json = False) -> None:
    """One meeting: who was called, who came."""
    ask(folder, f"/api/meetings/{quote(meeting, safe='')}", _print, as_json)


@meeting_app.command("invite")
def invite(folder: Folder, meeting: Meeting, member: Members, as_json: Json = False) -> None:
    """Call others too, at the node that holds it."""
    body = {"members": [_member(one) for one in member]}
    send(folder, f"/api/meetings/{quote(meeting, safe='')}/invite", body, _print, as_json)


@meeting_app.command("close")
def close(folder: Folder, meeting: Meeting, as_json: Json = False) -> None:
    """End it for everybody, at the node that holds it."""
    send(folder, f"/api/meetings/{quote(meeting, safe='')}/close", {}, _print, as_json)


def _member(text: str) -> dict[str, str]:
    """NODE:NUMBER, NODE:hall=HALL, NODE:window=WINDOW; with :watcher behind it."""
    node, separator, who = text.partition(":")
    role = "speaker"
    if who.endswith(":watcher"):
        who, role = who.removesuffix(":watcher"), "watcher"
    if not separator or not node or not who:
        raise ZonghengError(
            "bad_request", f"{text!r}: give NODE:NUMBER, NODE:hall=HALL or NODE:window=WINDOW"
        )
    for place in ("hall", "window"):
        if who.startswith(f"{place}="):
            return {"node": node, place: who.partition("=")[2], "role": role}
    return {"node": node, "person": who, "role": role}


def _print_all(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for one in found:
            print(orjson.dumps(one).decode())
        return
    table = Table(
        "meeting", "kind", "title", "host", "by", "since", "state", "in it", box=None, pad_edge=False
    )
    for one in found:
        sits = sum(member["state"] == "joined" for member in one["members"])
        table.add_row(
            one["meeting"], one["kind"], one["title"], one["host"], f"{one['by']}@{one['by_node']}",
            (one["opened_at"] or "")[:19], one["code"] or one["state"], str(sits),
        )  # fmt: skip
    out.print(table)


def _print(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(orjson.dumps(one).decode())
        return
    out.print(
        f"{one['meeting']}  {one['kind']}  {one['code'] or one['state']}  {one['title']}",
        style="bold",
        highlight=False,
    )
    out.print(f"held by {one['host']}, opened by {one['by']} of {one['by_node']}", highlight=False)
    table = Table("seat", "node", "called", "role", "state", "who", "stream", box=None, pad_edge=False)
    for member in one["members"]:
        place = " ".join(part for part in (member["hall"], member["window"]) if part)
        called = member["person"] or place or "officers on duty"
        state = f"{member['state']} ({member['code']})" if member["code"] else member["state"]
        table.add_row(
            str(member["seat"]),
            member["node"],
            called,
            member["role"],
            state,
            member["who"],
            member["stream"],
        )
    out.print(table)
