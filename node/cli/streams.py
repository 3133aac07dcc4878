"""``zongheng stream …``: what the media worker has open, who looks, and whether a stream comes at all."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import orjson
import typer
from rich.table import Table

from node.cli.app import Json, out, run
from node.cli.nodes import Folder
from node.cli.reach import reach

stream_app = typer.Typer(
    no_args_is_help=True, help="Live streams: who looks, put them out, hand one on, try whether one comes."
)

Stream = Annotated[str, typer.Argument(metavar="STREAM", help="NODE/CAMERA/main or NODE/CAMERA/sub.")]


def register(app: typer.Typer) -> None:
    app.add_typer(stream_app, name="stream")


@stream_app.command("list")
def list_streams(folder: Folder, as_json: Json = False) -> None:
    """What the node's media worker has open."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/streams")
        if as_json:
            print(orjson.dumps(answer).decode())
            return 0
        if not answer["worker"]:
            out.print("nobody watches: no media worker runs", highlight=False)
            return 0
        table = Table("stream", "state", "why", box=None, pad_edge=False)
        for one in answer["streams"]:
            table.add_row(one["stream"], one["state"], one["detail"])
        out.print(table)
        for number, one in enumerate(answer["showing"], 1):
            told = f"{one['watching']} watch" if one["runs"] else "does not run"
            out.print(f"process {number} for viewers: {told}", highlight=False)
        return 0

    run(work)


@stream_app.command("viewers")
def viewers(folder: Folder, as_json: Json = False) -> None:
    """Who looks at this node or through it; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/viewings")
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("viewing", "stream", "who", "since", "purpose", box=None, pad_edge=False)
        for one in answer:
            who = f"{one['who']}@{one['node']} ({one['tier']})"
            table.add_row(one["viewing"], one["stream"], who, (one["since"] or "")[:19], one["purpose"])
        out.print(table)
        return 0

    run(work)


@stream_app.command("put-out")
def put_out(
    folder: Folder,
    viewing: Annotated[str, typer.Argument(metavar="VIEWING", help="As `zongheng stream viewers` lists it.")],
    reason: Annotated[str, typer.Option(help="Why; the viewer is told.")] = "",
    by: Annotated[str, typer.Option(metavar="NUMBER", help="Staff number of who does it.")] = "",
    as_json: Json = False,
) -> None:
    """Put a viewer out, wherever they sit."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.post(
                f"/api/viewings/{quote(viewing, safe='')}/removal", {"reason": reason, "by": by}
            )
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(
                f"{answer['who']}@{answer['node']} looks at {answer['stream']} no more", highlight=False
            )
        return 0

    run(work)


@stream_app.command("hand-on")
def hand_on(
    folder: Folder,
    stream: Stream,
    endpoint: Annotated[str, typer.Argument(metavar="ADDRESS", help="The media server's WHIP address.")],
    token_file: Annotated[
        Path | None,
        typer.Option(help="File with the token that the server asks for.", dir_okay=False, exists=True),
    ] = None,
    as_json: Json = False,
) -> None:
    """Hand a stream on to a media server, for more people than this machine serves, until it is taken back."""

    async def work() -> int:
        token = token_file.read_text(encoding="utf-8").strip() if token_file is not None else ""
        async with reach(folder) as node:
            answer = await node.post(
                "/api/webrtc-sessions", {"stream": stream, "endpoint": endpoint, "token": token}
            )
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(f"{stream} is handed on as {answer['order']}", highlight=False)
        return 0

    run(work)


@stream_app.command("handed-on")
def handed_on(folder: Folder, as_json: Json = False) -> None:
    """What is handed on to media servers; with --json one object a line."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.get("/api/handed-on")
        if as_json:
            for one in answer:
                print(orjson.dumps(one).decode())
            return 0
        table = Table("order", "stream", "server", "since", "why not", box=None, pad_edge=False)
        for one in answer:
            table.add_row(one["order"], one["stream"], one["endpoint"], one["since"][:19], one["detail"])
        out.print(table)
        return 0

    run(work)


@stream_app.command("take-back")
def take_back(
    folder: Folder,
    order: Annotated[str, typer.Argument(metavar="ORDER", help="As `zongheng stream handed-on` lists it.")],
    as_json: Json = False,
) -> None:
    """Hand a stream on no more."""

    async def work() -> int:
        async with reach(folder) as node:
            answer = await node.delete(f"/api/handed-on/{quote(order, safe='')}")
        if as_json:
            print(orjson.dumps(answer).decode())
        else:
            out.print(f"{answer['stream']} is handed on to {answer['endpoint']} no more", highlight=False)
        return 0

    run(work)


@stream_app.command("try")
def try_stream(
    folder: Folder,
    stream: Stream,
    seconds: Annotated[float, typer.Option(help="For how long.")] = 5.0,
    purpose: Annotated[str, typer.Option(help="Why; it is entered at every node on the way.")] = "",
    as_json: Json = False,
) -> None:
    """Look at a stream for some seconds and say what came: how soon, how much, how late."""

    async def work() -> int:
        body = {"stream": stream, "seconds": seconds, "purpose": purpose}
        async with reach(folder) as node:
            answer = await node.post("/api/streams/trials", body)
        if as_json:
            print(orjson.dumps(answer).decode())
        elif answer["first_frame_ms"] is None:
            out.print(f"no picture of {stream}: {answer['detail'] or 'none came'}", highlight=False)
        else:
            out.print(
                f"{stream}: first picture after {answer['first_frame_ms']:.0f} ms, {answer['pictures']} pictures, {answer['holes']} holes,"
                f" {answer['bytes'] * 8 / 1_000 / seconds:.0f} kbit/s, {answer['delay_ms_p50']} ms on the way (99 %: {answer['delay_ms_p99']} ms)",
                highlight=False,
            )
        return 0 if answer["first_frame_ms"] is not None else 1

    run(work)
